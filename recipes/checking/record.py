"""Everything that a check tells, as JSON values: for `check.json`, the page and the console."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recipes.checking.reading import Read
from tasks.checks.finding import GRADES, Finding, gravest_first
from tasks.checks.lengths import word_count
from tasks.data.options import Split

if TYPE_CHECKING:
    from recipes.checking.tokens import Tokens

BINS = 30
"Of a histogram of lengths."


def record_of(
    read: Read,
    findings: Sequence[Finding],
    tokens: "Tokens | None",
    excused: Mapping[str, float],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the record of a check.

    Args:
        read: the rows.
        findings: all that was found.
        tokens: what a model makes of the rows; None if none was looked at.
        excused: for kinds of findings the share up to which they do not count.
        about: names of the data and the model, and the command.
    """
    given, task = read.given, read.task
    ordered = gravest_first(findings)
    is_excused = [one.kind in excused and one.share <= excused[one.kind] for one in ordered]
    counted = [one for one, free in zip(ordered, is_excused, strict=True) if not free]
    words = {split: [word_count(task.content(row)) for row in rows] for split, rows in given.splits.items()}
    return {
        "task": task.name,
        "variety": task.variety(),
        **about,
        "rows": {split: len(rows) for split, rows in given.splits.items()},
        "labels": {split: task.label_counts(rows) for split, rows in given.labelled.items()},
        "label_word": "entities" if task.tags_words else "rows",
        "lengths": {
            "words": _lengths(words),
            "tokens": None if tokens is None else _lengths(tokens.lengths),
        },
        "limit": None if tokens is None else tokens.limit,
        "findings": [_plain(one, free) for one, free in zip(ordered, is_excused, strict=True)],
        "counts": {grade: sum(one.grade == grade for one in counted) for grade in GRADES},
    }


def _plain(one: Finding, excused: bool) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "title": one.about.title,
        "grade": one.grade,
        "message": one.message,
        "count": one.count,
        "of": one.of,
        "share": one.share,
        "why": one.about.why,
        "remedy": one.about.remedy,
        "examples": [
            {"text": example.text, "place": None if example.origin is None else str(example.origin)}
            for example in one.examples
        ],
        "excused": excused,
    }


def _lengths(lengths: Mapping[Split, Sequence[int]]) -> dict[Split, dict[str, Any]]:
    """Return the usual lengths of each split, and how many rows have which, in bins that all splits share.

    The last bin takes all that are longer than 99 of 100 rows.
    """
    everything = np.array([length for of_split in lengths.values() for length in of_split])
    if not len(everything):
        return {}
    width = max(-(-int(np.percentile(everything, 99) + 1) // BINS), 1)
    edges = [*range(0, width * BINS, width), max(int(everything.max()) + 1, width * BINS)]
    found = {}
    for split, of_split in lengths.items():
        if of_split:
            counts, _ = np.histogram(of_split, bins=edges)
            bins = zip(edges, edges[1:], map(int, counts), strict=False)
            found[split] = {
                "median": int(np.median(of_split)),
                "p95": int(np.percentile(of_split, 95)),
                "longest": max(of_split),
                "counts": [list(one) for one in bins],
            }
    return found
