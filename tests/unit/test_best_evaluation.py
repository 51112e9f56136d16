"""Which evaluation's weights are kept, and which are marked with a star."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from transformers import TrainerControl, TrainerState

from recipes.config.schema import Hparams
from recipes.training.arguments import keeps_best
from recipes.training.progress import Progress
from recipes.training.trainer import RecipeTrainer
from tasks.scoring.score import Score

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "greater", "kept"),
    [
        ((0.5, 0.7, 0.6), True, [10, 20]),
        ((0.5, 0.7, 0.7, 0.6, 0.7), True, [10, 20, 30, 50]),
        ((0.0, 0.0), True, [10, 20]),
        ((0.7, 0.5, 0.6, 0.5), False, [10, 20, 40]),
        ((0.5, NAN, 0.5), True, [10, 30]),
    ],
)
def test_of_equal_evaluations_the_last_is_kept_and_each_has_a_star(
    values: tuple[float, ...], greater: bool, kept: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = SimpleNamespace(
        metric_for_best_model="eval_x",
        greater_is_better=greater,
        save_strategy="best",
        load_best_model_at_end=True,
        num_train_epochs=5.0,
    )
    trainer = object.__new__(RecipeTrainer)
    trainer.args, trainer.state, trainer.ingredients, trainer.hparams = arguments, TrainerState(), None, Hparams()
    progress = Progress(["x"], Score("x", greater))
    found, starred = [], []
    for step, value in enumerate(values, 1):
        trainer.state.global_step, trainer.state.epoch = 10 * step, step
        metrics = {"eval_x": value}
        progress.on_evaluate(cast(Any, arguments), trainer.state, TrainerControl(), metrics=metrics)
        if capsys.readouterr().out.rstrip().endswith("*"):
            starred.append(10 * step)
        if trainer._determine_best_metric(metrics, None):
            found.append(trainer.state.global_step)
            assert trainer.state.best_global_step == 10 * step
    assert (found, starred) == (kept, kept)
    assert trainer.state.best_global_step == kept[-1]


@pytest.mark.parametrize(
    ("what", "line"),
    [("", "  step 2/4, about"), ("linear, fold 2 of 3", "  linear, fold 2 of 3: step 2/4, about")],
)
def test_a_part_of_something_larger_has_a_name(
    what: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("recipes.training.progress.PROGRESS_LINE_EVERY", 0.0)
    progress, state = Progress([], Score("x", True), what), TrainerState()
    progress.on_train_begin(cast(Any, None), state)
    state.global_step, state.max_steps = 2, 4
    progress.on_step_end(cast(Any, None), state)
    assert capsys.readouterr().out.startswith(line)


@pytest.mark.parametrize(
    ("hparams", "rows", "best"),
    [
        (Hparams(), 19, False),
        (Hparams(), 20, True),
        (Hparams(keep="best"), 1, True),
        (Hparams(keep="last"), 1000, False),
        (Hparams(early_stopping=1), 1, True),
        (Hparams(evaluations=5), 1, True),
        (Hparams(soup=2), 1, True),
        (Hparams(plain=True), 1, True),
    ],
)
def test_too_few_rows_choose_no_epoch_unless_they_are_asked_to(hparams: Hparams, rows: int, best: bool) -> None:
    assert keeps_best(hparams, rows) == best


def test_yardsticks_keep_the_first_of_equal_evaluations_as_transformers_does() -> None:
    trainer = object.__new__(RecipeTrainer)
    trainer.args = SimpleNamespace(
        metric_for_best_model="eval_x", greater_is_better=True, save_strategy="best", load_best_model_at_end=True
    )
    trainer.state, trainer.ingredients, trainer.hparams = TrainerState(), None, Hparams(plain=True)
    assert [trainer._determine_best_metric({"eval_x": value}, None) for value in (0.5, 0.7, 0.7)] == [True, True, False]
