"""The greedy soup of Wortsman et al. 2022: the average of the weights of several good evaluations of one training.

The best evaluation's weights come first. Those of the next ones are taken into the average one after the other, each
only if the average with it scores no worse on validation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from transformers.trainer_callback import ExportableState

Weights = Mapping[str, Tensor]


@dataclass
class Ingredients(ExportableState):  # type: ignore[misc]
    """The steps of the best evaluations so far, with their scores; higher is better."""

    most: int
    scores: dict[str, float] = field(default_factory=dict)
    "By step, as text: this is stored as JSON."

    def add(self, step: int, score: float) -> list[int] | None:
        """Take an evaluation in, if it is among the best.

        Returns:
            None if it is not; otherwise the steps of those that it drives out.
        """
        self.scores[str(step)] = score
        out = self.steps()[self.most :]
        for other in out:
            del self.scores[str(other)]
        return None if step in out else out

    def steps(self) -> list[int]:
        """Return the steps, that with the best score first, and of equal ones the last."""
        return sorted(map(int, self.scores), key=lambda step: (-self.scores[str(step)], -step))

    def state(self) -> dict[str, Any]:
        """Return what a resumed training goes on with."""
        return {"args": {}, "attributes": {"scores": dict(self.scores)}}


def greedy_soup(
    steps: Sequence[int], read: Callable[[int], Weights], score: Callable[[Weights], float]
) -> tuple[Weights, list[int]]:
    """Return the average of some weights, and the steps of those in it.

    Args:
        steps: those of all ingredients, the best first.
        read: returns the weights of a step.
        score: returns the validation score of weights; higher is better.
    """
    average, taken = read(steps[0]), [steps[0]]
    best = score(average)
    for step in steps[1:]:
        other = read(step)
        share = 1 / (len(taken) + 1)
        tried = {
            name: tensor.lerp(other[name], share) if tensor.is_floating_point() else tensor
            for name, tensor in average.items()
        }
        value = score(tried)
        if value >= best:
            average, best, taken = tried, value, [*taken, step]
    return average, taken
