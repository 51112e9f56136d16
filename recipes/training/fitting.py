"""Train one model on rows, and nothing else: what a fold of a cross-validation needs."""

import time

from recipes.checkpoints import sealed
from recipes.config.schema import Config
from recipes.levers.low_rank import has_low_rank, merge_low_rank
from recipes.machine.devices import Placement
from recipes.results.run_directory import RunDirectory
from recipes.speed import apply as speed
from recipes.system.signals import Interruption
from recipes.training.assembly import Prepared, assemble, prepare
from recipes.training.clock import Laps
from recipes.training.stages import train_before_steps
from recipes.training.trainer import RecipeTrainer
from tasks.loading.rows import AnyRows


def fit(
    config: Config, rows: AnyRows, placement: Placement, directory: RunDirectory, interruption: Interruption, what: str
) -> tuple[Prepared, RecipeTrainer]:
    """Train a model, from its newest checkpoint if there is one, and return it with what it was made of.

    Args:
        config: how it is trained.
        rows: what it is trained on.
        placement: where it is computed.
        directory: where its checkpoints are.
        interruption: tells whether a signal has asked this process to end.
        what: what it is called while it is trained.

    Raises:
        InputError: the data, the model or a choice can't be used.
        Interrupted: a signal asked the run to end.
    """
    prepared = prepare(config, rows, placement, Laps())
    trainer = assemble(prepared, directory, interruption, time.perf_counter(), what)
    start, _ = sealed.newest(directory.checkpoints)
    if start is None:
        train_before_steps(prepared)
    trainer.train_from(start)
    finish(trainer)
    return prepared, trainer


def finish(trainer: RecipeTrainer) -> None:
    """Make a trained model one of its kind again: without faster parts, and with low-rank changes added up."""
    speed.restore(trainer.model)
    if has_low_rank(trainer.model):
        merge_low_rank(trainer.model)
