"""What is held against training: labels that it lacks, rows that it has, too, labels that look like placeholders."""

from collections.abc import Iterator, Sequence
from typing import Any

from tasks.data.options import DataOptions, Split
from tasks.data.records import ReadReport
from tasks.data.splits import shared
from tasks.errors import InputError
from tasks.plausibility import FEW_ROWS
from tasks.task import AnyTask, Head, Row


def with_known_labels(
    task: AnyTask,
    split: Split,
    rows: list[Row],
    head: Head,
    options: DataOptions,
    report: ReadReport,
    notes: list[str],
) -> list[Row]:
    """Return the rows of a split, with or without those with labels that no training row has (`data.unknown_labels`).

    Raises:
        InputError: it says that there must not be any, and there is such a row.
    """
    policy = options.unknown_labels or task.unknown_label_policy
    kept, counted = [], dict[str, int]()
    for row in rows:
        unknown = task.unknown_labels(row, head)
        for label in unknown if policy == "count" else ():
            counted[label] = counted.get(label, 0) + 1
        if not unknown or policy == "count":
            kept.append(row)
        elif policy == "skip" or report.on_bad_row == "skip":
            report.leave_out("unknown label", task.unknown_label_message(unknown[0], head), row.origin)
        else:
            raise InputError(
                f"{row.origin}: {task.unknown_label_message(unknown[0], head)}\nTo count such labels as missed: "
                "data.unknown_labels=count. To leave the rows out: data.unknown_labels=skip"
            )
    if counted:
        shown = ", ".join(f"{label} ({count} rows)" for label, count in sorted(counted.items())[:5])
        notes.append(
            f"{split}: labels that no training row has count as missed: {shown}" + (", ..." if len(counted) > 5 else "")
        )
    return kept


def doubts(task: AnyTask, split: Split, rows: Sequence[Any], train: Sequence[Any], labelled: bool) -> Iterator[str]:
    """Yield what is odd about a split beside training: labels that are all the same, and rows of training."""
    strata = {task.stratum(row) for row in rows} if labelled else set()
    if len(rows) >= FEW_ROWS and len(strata) == 1 and None not in strata:
        yield f"{split}: all {len(rows)} rows have the label {strata.pop()!r}. Is it a placeholder?"
    repeated = shared(train, rows, task.identity)
    if repeated:
        yield (
            f"{repeated} of {len(rows)} {split} rows are also among the training rows. To leave them out there: "
            "data.deduplicate=exact"
        )
