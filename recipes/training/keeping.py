"""Which evaluation's weights are kept: the last one, unless an earlier one is better by more than chance.

Scores of neighbouring epochs differ mostly by chance, and the best of several is the luckiest. With a learning rate
that falls to zero, later weights are usually the better ones (docs/levers.md, "Which epoch is kept"). So an earlier
evaluation needs a lead that validation rows can tell, as in the standard error rule by which Breiman et al. 1984
(section 3.4.3) choose among trees.
"""

from collections.abc import Sequence
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState

from recipes.config.schema import Hparams
from recipes.inference.evaluation import units_of
from recipes.statistics.bootstrap import SEED, resampled_scores, standard_error_of_difference
from tasks.scoring.score import Score
from tasks.task import AnyTask, Head, Prediction, Row

FEWEST_VALIDATION_ROWS = 20
"With fewer validation rows, the last weights are kept: so few choose an epoch that is too early."
STANDARD_ERRORS = 2.0
"How many of them an earlier evaluation has to be better."
DRAWS = 400
"Of validation rows, for a standard error that is itself right to about 4%."


def compares_evaluations(hparams: Hparams, validation_rows: int) -> bool:
    """Tell whether evaluations are compared to choose what is kept; otherwise the last weights are.

    Unless `hparams.keep` says so, it depends on whether there are enough rows. Who sets what needs evaluations has
    asked for them to be compared, and yardsticks always compare.
    """
    if hparams.keep is not None:
        return hparams.keep == "best"
    asked = hparams.early_stopping is not None or hparams.evaluations is not None or hparams.soup > 0
    return asked or hparams.method != "recipe" or validation_rows >= FEWEST_VALIDATION_ROWS


def tolerance_of(hparams: Hparams) -> float:
    """Return how many standard errors worse than the best so far the last evaluation may be, to be kept.

    0 where the best one is wanted: by `hparams.keep`, where training ends because nothing gets better, where the best
    ones are averaged, and for yardsticks.
    """
    wants_best = hparams.keep == "best" or hparams.early_stopping is not None or hparams.soup > 0
    return 0.0 if wants_best or hparams.method != "recipe" else STANDARD_ERRORS


class Keeper(TrainerCallback, ExportableState):  # type: ignore[misc]
    """Decides after each evaluation whether its weights take the place of those kept so far.

    Args:
        objective: the score that is compared.
        tolerance: how many standard errors worse than the best so far an evaluation may be.
    """

    def __init__(self, objective: Score, tolerance: float) -> None:
        self.objective = objective
        self.tolerance = tolerance
        self.draws: list[float] = []
        "The scores of the present evaluation on drawn rows, the same draws each time: [draws]. Empty: not known."
        self.best: float | None = None
        "The best score so far; higher is better."
        self.best_draws: list[float] = []
        self.best_step = 0
        "After which step it was reached."
        self.kept_step = 0
        "After which step the weights were evaluated that are kept."

    def on_train_begin(self, _: TrainingArguments, state: TrainerState, *__: Any, **___: Any) -> None:
        """Go on with the best score of a checkpoint that was written before there were draws in it."""
        if self.best is None and state.best_metric is not None:
            self.best = self.objective.sign * state.best_metric

    def on_evaluate(self, _: TrainingArguments, state: TrainerState, __: TrainerControl, **named: Any) -> None:
        """Compare an evaluation with the best one so far."""
        value = self.objective.sign * named["metrics"][f"eval_{self.objective.name}"]
        if value != value:
            return
        if self.best is None or value >= self.best - self.tolerance * standard_error_of_difference(
            self.best_draws, self.draws
        ):
            self.kept_step = state.global_step
        if self.best is None or value >= self.best:
            self.best, self.best_draws, self.best_step = value, self.draws, state.global_step

    def state(self) -> dict[str, Any]:
        """Return what a resumed run must know."""
        known = {"best": self.best, "best_draws": self.best_draws, "kept_step": self.kept_step}
        return {"args": {"objective": self.objective.name, "tolerance": self.tolerance}, "attributes": known}


def drawn_scores(task: AnyTask, rows: Sequence[Row], predictions: Sequence[Prediction], head: Head) -> list[float]:
    """Return the objective of predictions on draws of rows, in the same order each time: [draws].

    Rows that hang together are drawn together. Empty for an objective that is not computed on draws, such as that of a
    single label.
    """
    units = units_of(task, rows)
    drawn = resampled_scores(task.rescore(rows, predictions, head, units), max(units) + 1, DRAWS, SEED)
    scores = drawn.get(task.objective_score().name)
    return [] if scores is None else [float(score) for score in scores]
