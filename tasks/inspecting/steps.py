"""Checks of labelled rows as named steps, so that those who wait can see what is being done."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tasks.checks.finding import Finding
from tasks.data.options import Split


class Step(NamedTuple):
    """Checks that are done together."""

    name: str
    "What is looked for, such as `duplicates`."
    findings: Iterator[Finding]
    "Found while it is gone through."
    is_quick: bool = True
    "Whether each run does it, too."


@dataclass(frozen=True)
class Given:
    """The rows that are checked."""

    splits: Mapping[Split, Sequence[Any]]
    "The rows of each split that is given, those of training first."
    unlabelled: frozenset[Split] = frozenset()
    "Splits whose rows have no labels."
    stops: bool = True
    "Whether a run stops at labels that no training row has."

    @property
    def train(self) -> Sequence[Any]:
        """The training rows."""
        return self.splits["train"]

    @property
    def labelled(self) -> dict[Split, Sequence[Any]]:
        """The splits whose rows have labels."""
        return {split: rows for split, rows in self.splits.items() if split not in self.unlabelled}

    def all(self) -> Iterator[tuple[Split, Any]]:
        """Yield every row with its split, those of training first."""
        for split, rows in self.splits.items():
            for row in rows:
                yield split, row
