"""Tells a watch of each evaluation, and ends the training when it says so."""

from typing import Any

from transformers import TrainerCallback, TrainerState, TrainingArguments

from recipes.results.watching import Pruned, Watch
from tasks.scoring.score import Score


class Watched(TrainerCallback):  # type: ignore[misc]
    """Tells a watch of each evaluation.

    Args:
        watch: is told.
        objective: the score that it is told.
    """

    def __init__(self, watch: Watch, objective: Score) -> None:
        self.watch, self.objective = watch, objective

    def on_evaluate(self, _: TrainingArguments, state: TrainerState, *__: Any, **kwargs: Any) -> None:
        """Tell of an evaluation.

        Raises:
            Pruned: the training is to end.
        """
        evaluation = sum("eval_loss" in entry for entry in state.log_history)
        value = self.objective.sign * kwargs["metrics"].get(f"eval_{self.objective.name}", float("nan"))
        if self.watch(evaluation, value):
            raise Pruned(f"ended after evaluation {evaluation}: others do better")
