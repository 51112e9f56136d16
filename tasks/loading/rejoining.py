"""Validation rows that go back among those of training, where a cross-validation of all of them takes their place."""

from dataclasses import replace
from typing import Any

from tasks.loading.deduplication import deduplicate
from tasks.loading.rows import AnyRows


def with_validation_in_training(rows: AnyRows, note: str, how: str | None = None) -> AnyRows:
    """Return the rows with validation rows that were cut off back among those of training, which stand for both.

    Args:
        rows: those of all splits. If validation rows were given as such, they stay as they are.
        note: what is said of validation instead of how it was cut off.
        how: `data.deduplicate`, which is applied to all of these rows.
    """
    if "validation" not in rows.cut:
        return rows
    together = sorted(
        [*rows.splits["train"], *rows.left_out, *rows.splits["validation"]],
        key=lambda row: (row.origin.file, row.origin.number),
    )
    notes = [one for one in rows.notes if not one.startswith(("validation:", "data.deduplicate="))]
    left_out: list[Any] = []
    if how is not None:
        found = deduplicate(rows.task, {**rows.splits, "train": together, "validation": []}, how)
        together, left_out = found.kept, found.left_out
        notes.append(found.note)
    return replace(
        rows,
        splits={**rows.splits, "train": together, "validation": together},
        notes=[*notes, f"validation: {note}"],
        cut=rows.cut - {"validation"},
        left_out=left_out,
    )
