"""Evaluations at even distances over the whole training, where epochs are too few or too many for that."""

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


def evaluation_steps(steps: int, evaluations: int) -> list[int]:
    """Return the steps after which validation rows are evaluated; the last one is among them.

    >>> evaluation_steps(steps=100, evaluations=4), evaluation_steps(steps=2, evaluations=5)
    ([25, 50, 75, 100], [1, 2])
    """
    return sorted({max(round(steps * number / evaluations), 1) for number in range(1, evaluations + 1)})


class EvenEvaluations(TrainerCallback):  # type: ignore[misc]
    """Has the Trainer evaluate, and log the loss since the last time.

    Args:
        evaluations: how often in all.
    """

    def __init__(self, evaluations: int) -> None:
        self.evaluations = evaluations

    def on_step_end(self, _: TrainingArguments, state: TrainerState, control: TrainerControl, **__: Any) -> None:
        """Ask for an evaluation if it is time for one."""
        if state.global_step in evaluation_steps(state.max_steps, self.evaluations):
            control.should_evaluate = control.should_log = True
