"""What the scores of a run are worth, as report.json holds it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.data.options import Split

WHAT_HELPS = (
    "What usually helps: more epochs (hparams.epochs), another learning rate (hparams.learning_rate) or seed, and a "
    "look at the labels"
)
"What is said to those whose training has failed."

Bounds = list[float]
"The lower and the upper end of an interval."


FEWEST_TO_JUDGE_BY = 20
"Rows of a split, below which its scores tell hardly anything: of 20 rows, one is five points."


def judged_split(splits: Collection[Split]) -> Split:
    """Return the split that a run is judged by, of those with scores: test, if it is among them."""
    return "test" if "test" in splits else "validation"


@dataclass(frozen=True)
class Certainty:
    """How sure the scores of a split are."""

    unit: str
    "What was drawn together: `row`, `document` or `article`."
    units: int
    draws: int
    confidence: float
    intervals: dict[str, Bounds | None]
    "For each overall score its interval. None: there is none, as with a handful of rows, or where all are alike."


@dataclass(frozen=True)
class Gain:
    """What the model's score is better than a baseline's by. Positive is better, for errors, too."""

    value: float | None
    "None: one of the scores is no number."
    interval: Bounds | None


@dataclass(frozen=True)
class Baseline:
    """What simple predictions reach on the same rows."""

    scores: dict[str, float]
    gains: dict[str, Gain]
    "For each score that the console shows."


@dataclass(frozen=True)
class Verdict:
    """How sure the scores are, what baselines reach, and whether training failed."""

    certainty: dict[Split, Certainty] = field(default_factory=dict)
    baselines: dict[Split, dict[str, Baseline]] = field(default_factory=dict)
    "By name, the simplest first."
    unseen_share: dict[Split, float] = field(default_factory=dict)
    "Named entities: the share of gold entities whose words are no entity in training."
    uncalibrated_error: dict[Split, float] = field(default_factory=dict)
    "One label a row: the expected calibration error without the temperature."
    collapsed: list[str] = field(default_factory=list)
    "What shows that the model has learnt nothing."

    def interval(self, split: Split, score: str) -> Bounds | None:
        """Return the interval of a score, None if it has none."""
        found = self.certainty.get(split)
        return None if found is None else found.intervals.get(score)

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> "Verdict":
        """Return the verdict that a JSON object holds.

        Raises:
            TypeError, KeyError, AttributeError: it is not what a run writes.
        """
        return cls(
            certainty={split: Certainty(**found) for split, found in tree["certainty"].items()},
            baselines={
                split: {
                    name: Baseline(found["scores"], {score: Gain(**gain) for score, gain in found["gains"].items()})
                    for name, found in of_split.items()
                }
                for split, of_split in tree["baselines"].items()
            },
            unseen_share=dict(tree["unseen_share"]),
            uncalibrated_error=dict(tree.get("uncalibrated_error", {})),  # older reports have none
            collapsed=list(tree["collapsed"]),
        )
