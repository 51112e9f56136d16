"""The rows of an experiment, as they are handed on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Generic, TypeAlias

from tasks.data.options import SPLITS, Split
from tasks.data.records import Origin, ReadReport
from tasks.task import Head, RowType, Task


@dataclass(frozen=True)
class Rows(Generic[RowType]):
    """The rows of each split, the task with its `auto` options resolved, and the head that fits the labels."""

    task: Task[RowType]
    head: Head
    splits: dict[Split, list[RowType]]
    report: ReadReport
    notes: list[str] = field(default_factory=list)
    "Sentences for the user about splits that were cut off, duplicates across splits, and implausible rows."
    unlabelled: frozenset[Split] = frozenset()
    "Splits whose rows have no labels: they are predicted, and not scored."
    cut: frozenset[Split] = frozenset()
    "Splits that were cut off the training rows."
    columns: Mapping[Origin, Mapping[str, str]] = field(default_factory=dict)
    "Other columns of the files that sort their rows, such as a source, with their value for each row."
    left_out: list[RowType] = field(default_factory=list)
    "Training rows that `data.deduplicate` has left out."
    unbalanced: list[RowType] | None = None
    "The training rows as they were before `data.balance`. None: as they are."

    @property
    def train_as_labelled(self) -> list[RowType]:
        """The training rows in which labels are as frequent as they were found, and each stands once."""
        return self.splits["train"] if self.unbalanced is None else self.unbalanced

    def fingerprint(self, *splits: Split) -> str:
        """Return a hash of the content of the given splits' rows (default: all), without their places in the files."""
        digest = hashlib.sha256()
        for split in splits or SPLITS:
            digest.update(split.encode())
            for row in self.splits[split]:
                # Optional parts that a row lacks are left out, so that a new one changes no fingerprint.
                content = [
                    value
                    for part in fields(row)
                    if part.name != "origin"
                    and ((value := getattr(row, part.name)) is not None or part.default is MISSING)
                ]
                digest.update(json.dumps(content, ensure_ascii=False).encode())
        return digest.hexdigest()[:16]


AnyRows: TypeAlias = Rows[Any]
"Rows of any type."
