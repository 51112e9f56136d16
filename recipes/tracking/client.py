"""What a tracker is told about a run, and the calls that each tracker's client has to have."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Ended = Literal["finished", "failed", "interrupted"]


@dataclass(frozen=True)
class TrackedRun:
    """A run as trackers file it."""

    project: str
    name: str
    "The last four parts of the run directory's path: data, model, choices, seed."
    directory: Path
    parameters: Mapping[str, Any]
    "Every key of the config, dotted, with its value."
    tags: Mapping[str, str]
    "What the run is found by besides its parameters."

    @property
    def parameters_and_tags(self) -> dict[str, Any]:
        """Both, for trackers that have no tags with values; tags begin with `run.`."""
        return {**self.parameters, **{f"run.{name}": value for name, value in self.tags.items()}}


class Point(NamedTuple):
    """Values of some curves after an optimizer step."""

    step: int
    milliseconds: int
    "When they were measured, since 1970: a point that is sent later keeps its time."
    values: dict[str, float]


@dataclass(frozen=True)
class Results:
    """What a finished run gives to a tracker."""

    step: int
    scores: Mapping[str, float]
    files: Mapping[str, Path]
    "Files to keep, by their path within the run directory."


class Client(ABC):
    """A run in a tracker. It begins, or goes on, when the object is made.

    Any method may raise any exception: `recipes.tracking.tracking` handles them.
    """

    run_id: str
    "What the tracker finds the run by when it goes on."
    shown: str
    "Where the run is, or the command that shows it."

    last_steps: Mapping[str, int] = MappingProxyType({})
    "The last step of each curve that the tracker had before this process began."

    def has(self, name: str, step: int) -> bool:
        """Tell whether a curve had a value at this step before this process began."""
        return step <= self.last_steps.get(name, -1)

    @abstractmethod
    def log(self, points: Sequence[Point]) -> None:
        """Add points to curves."""

    @abstractmethod
    def finish(self, results: Results) -> None:
        """Keep the final scores and files."""

    @abstractmethod
    def close(self, ended: Ended) -> None:
        """Write what is still buffered, and leave the run in this state."""
