"""The list of an audit as a page: labels that are probably wrong, made to go through one by one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, TypeAlias

from markupsafe import Markup

from recipes.reporting.pages import render
from recipes.reporting.pictures import bar
from recipes.reporting.records import read_record
from recipes.results.scores import format_score, format_score_in
from recipes.system.console import counted
from recipes.system.files import write_text

RECORD = "audit.json"
"The file in the folder of an audit that says all it found."
PAGE = "audit.html"
MOST_SUSPECTS = 500
"Suspects that are shown one by one."
MOST_PAIRS = 20
"Pairs of a given and a suggested label that are counted one by one."
LONGEST_TEXT = 420
"Characters that are shown of a text that is in question as a whole, or of reasons."
LONGEST_SIDE = 210
"Characters that are shown of the words in question, and on each side of them."
LONGEST_LABEL = 120
"Characters that are shown of a label, of an answer, or of a file's name."
SHORTENED = " … "
LABEL_KINDS = ("label", "extra label", "missing label")
"Kinds of suspects whose labels repeat, so that pairs of them can be counted."
Cells: TypeAlias = tuple[str, ...]
"What suspects have in common: their kind, or what is given and what is suggested."
MEANINGS = {
    "number": "the number may be another one",
    "missed": "there may be an entity where none is given",
    "spurious": "an entity is given where there may be none",
    "type": "the entity may be of another type",
    "border": "the entity may begin or end elsewhere",
    "type and border": "both its type and its borders may be others",
    "answer overlooked": "there may be an answer where none is given",
    "no answer": "an answer is given where there may be none",
    "another answer": "the answer may be another one",
}
"What is doubtful in a suspect of each kind that does not say so itself."


@dataclass(frozen=True)
class ShownSuspect:
    """A suspect as an entry of the list."""

    rank: int
    kind: str
    file: str
    path: str
    "Of the file."
    place: str
    "Within the file."
    given: str
    "Empty: nothing is given."
    suggested: str
    "Empty: nothing is suggested."
    before: str
    here: str
    "What is in question within the text. Empty: all of it."
    after: str
    sure: str
    "How sure the model is, in words."


@dataclass(frozen=True)
class ShownGroup:
    """Suspects that are equally likely, the worst first."""

    title: str
    "Empty: all suspects are in this group."
    suspects: list[ShownSuspect]


@dataclass(frozen=True)
class ShownCount:
    """How many suspects have something in common."""

    cells: list[str]
    "What they have in common: a kind, or two labels, of which one may be empty."
    meaning: str
    "Of a kind."
    count: int
    picture: Markup


@dataclass(frozen=True)
class ShownCounts:
    """Suspects counted by what they have in common, the most frequent first."""

    title: str
    columns: list[str]
    lines: list[ShownCount]
    rest: str
    "What is not counted one by one, in words."


def write_audit_page(folder: Path) -> Path:
    """Write the page of an audit into its folder, and return the file.

    Raises:
        InputError: what the audit has left is damaged.
    """
    with read_record(folder / RECORD, "The audit's command makes it anew") as record:
        page = audit_page(record)
    write_text(folder / PAGE, page)
    return folder / PAGE


def audit_page(record: Mapping[str, Any]) -> str:
    """Return the page of an audit as HTML.

    Args:
        record: the content of its `audit.json`.
    """
    suspects = record["suspects"]
    kinds = {one["kind"] for one in suspects}
    return render(
        "audit",
        title=f"Audit of {record['data']}",
        task=record["task"],
        folds=record["folds"],
        score=_score(record["score"]),
        command=record["command"],
        sentence=_sentence(suspects, record["rows"], record["noise"]),
        noise=record["noise"],
        counts=_counts(suspects, kinds),
        groups=_groups(suspects),
        shown=min(len(suspects), MOST_SUSPECTS),
        more=max(len(suspects) - MOST_SUSPECTS, 0),
        several_kinds=len(kinds) > 1,
        marked=any(one["here"] for one in suspects[:MOST_SUSPECTS]),
        scored=any(not one["reasons"] for one in suspects[:MOST_SUSPECTS]),
    )


def _score(score: Mapping[str, Any]) -> str:
    return f"{score['name']} {format_score_in(score['value'], score['interval'])}"


def _sentence(suspects: Sequence[Mapping[str, Any]], rows: int, noise: Mapping[str, Any] | None) -> str:
    """Return what was found in a sentence: suspects, how many of them are likely, and the estimate."""
    where = f"in {counted(rows, 'row')}"
    found = f"{counted(len(suspects), 'suspect')} {where}" if suspects else f"Nothing is suspicious {where}"
    return f"{found}{_likely(suspects, noise is not None)}{_estimate(noise)}."


def _likely(suspects: Sequence[Mapping[str, Any]], judged: bool) -> str:
    """Return how many suspects are likely, in words.

    Args:
        suspects: all of them.
        judged: whether a task tells likely suspects from others, even if none is.
    """
    likely = sum(one["likely"] for one in suspects)
    if not suspects or not (likely or judged):
        return ""
    if likely == len(suspects):
        return ", likely to be wrong" if likely == 1 else ", all of them likely to be wrong"
    return f", {f'{likely:,}' if likely else 'none'} of them likely to be wrong"


def _estimate(noise: Mapping[str, Any] | None) -> str:
    """Return the estimate of how many labels are wrong, with its interval, in words.

    >>> _estimate({"rate": 0.083, "low": 0.069, "high": 0.097})
    '; about 8.3% of all labels are wrong by estimate, probably between 6.9% and 9.7%'
    """
    if noise is None:
        return ""
    between = ""
    if noise["low"] is not None and noise["high"] is not None:
        between = f", probably between {noise['low']:.1%} and {noise['high']:.1%}"
    of = noise.get("of", "labels")
    return f"; about {noise['rate']:.1%} of all {of} are wrong by estimate{between}"


def _counts(suspects: Sequence[Mapping[str, Any]], kinds: set[str]) -> ShownCounts | None:
    """Return pairs of labels, or kinds where these say more. None: all suspects would be one line of a table."""
    if kinds and kinds <= set(LABEL_KINDS):
        pairs: Counter[Cells] = Counter((one["given"], one["suggested"]) for one in suspects)
        return _counted("What is given, and what the model says instead", ["given", "suggested"], pairs)
    if kinds <= {"number"}:
        return None
    found: Counter[Cells] = Counter((one["kind"],) for one in suspects)
    return _counted("What is doubtful", ["kind"], found)


def _counted(title: str, columns: list[str], found: Counter[Cells]) -> ShownCounts:
    ordered = sorted(found, key=lambda cells: (-found[cells], cells))
    most = found[ordered[0]]
    lines = [
        ShownCount(
            [_short(cell) for cell in cells],
            MEANINGS.get(cells[0], "") if columns == ["kind"] else "",
            found[cells],
            bar(found[cells] / most, counted(found[cells], "suspect")),
        )
        for cells in ordered[:MOST_PAIRS]
    ]
    left = ordered[MOST_PAIRS:]
    rest = ""
    if left:
        which, suspects = counted(len(left), "other pair"), counted(sum(found[cells] for cells in left), "suspect")
        rest = f"And {which} with {suspects} together."
    return ShownCounts(title, columns, lines, rest)


def _groups(suspects: Sequence[Mapping[str, Any]]) -> list[ShownGroup]:
    """Return the first suspects, those that are likely before the others."""
    shown = suspects[:MOST_SUSPECTS]
    likely = [_shown(one) for one in shown if one["likely"]]
    others = [_shown(one) for one in shown if not one["likely"]]
    # Where all are equally likely, or no task tells them apart, a heading would say nothing.
    if len({bool(one["likely"]) for one in suspects}) < 2:
        return [ShownGroup("", group) for group in (likely, others) if group]
    return [ShownGroup(title, group) for title, group in (("Likely", likely), ("Less likely", others)) if group]


def _shown(one: Mapping[str, Any]) -> ShownSuspect:
    before, here, after = (_one_line(one[name]) for name in ("before", "here", "after"))
    if here.strip():
        before, here, after = _around(before), _short(here, LONGEST_SIDE), _short(after, LONGEST_SIDE)
    else:
        before, here, after = _short(before + here + after, LONGEST_TEXT), "", ""
    return ShownSuspect(
        rank=one["rank"],
        kind=one["kind"],
        file=_short(PurePath(one["file"]).name),
        path=one["file"],
        # A number stays on the line of what it counts.
        place=f"{one.get('unit', 'line')}\N{NO-BREAK SPACE}{one['number']}",
        given=_short(one["given"]),
        suggested=_short(one["suggested"]),
        before=before,
        here=here,
        after=after,
        sure=_short(one["reasons"], LONGEST_TEXT) or f"score {format_score(one['quality'])}",
    )


def _one_line(text: str) -> str:
    r"""Return a text with each run of white space as one space, at its ends, too: words in question may follow.

    >>> _one_line(" a\n\n b ")
    ' a b '
    """
    inner = " ".join(text.split())
    start, end = (" " if text[:1].isspace() else ""), (" " if text[-1:].isspace() else "")
    return f"{start}{inner}{end}" if inner else start


def _short(text: str, longest: int = LONGEST_LABEL) -> str:
    """Return the beginning of a text, up to the end of a word if there is one.

    >>> _short("a long text", 9), _short("a text", 6)
    ('a long …', 'a text')
    """
    if len(text) <= longest:
        return text
    start = text[:longest]
    return f"{start.rsplit(maxsplit=1)[0] if ' ' in start.strip() else start}{SHORTENED}".rstrip()


def _around(before: str) -> str:
    """Return what stands before the words in question: all, or the beginning, where a question is, and the end."""
    if len(before) <= LONGEST_SIDE:
        return before
    half = LONGEST_SIDE // 2
    end = before[-half:]
    return f"{_short(before, half)} {end.split(maxsplit=1)[1] if ' ' in end.strip() else end}"
