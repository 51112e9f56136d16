"""The quick part of the checks, which each run does."""

from collections.abc import Iterator
from typing import Any

from tasks.checks.finding import Finding
from tasks.data.options import HELD_OUT, Split
from tasks.inspecting.registry import steps_of
from tasks.inspecting.steps import Given
from tasks.loading.rows import AnyRows

TOLD = frozenset(
    {
        "conflicting_labels",
        "few_rows",
        "labels_alike",
        "placeholders",
        "rare_labels",
        "shared_rows",
        "token_prefix",
        "unknown_labels",
        "wrong_encoding",
    }
)
"Kinds of which reading the rows tells by itself, as far as it matters to a run."


def quick_findings(rows: AnyRows) -> Iterator[Finding]:
    """Yield errors and warnings about the rows of a run, without those that it tells anyway.

    Rows are looked at as they were labelled: what `data.balance` does to them is meant so.
    Splits that were cut off the training rows differ from these by chance only, and are left out; and so are
    validation rows that are those of training, as a choice by cross-validation has them.
    """
    train = rows.train_as_labelled
    splits: dict[Split, list[Any]] = {"train": train}
    for split in HELD_OUT:
        of_split = rows.splits[split]
        if of_split and split not in rows.cut and of_split is not train:
            splits[split] = of_split
    for step in steps_of(rows.task, Given(splits, rows.unlabelled)):
        if step.is_quick:
            yield from (one for one in step.findings if one.grade != "note" and one.kind not in TOLD)
