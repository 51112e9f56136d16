"""Which evaluation's weights are kept, and which are marked with a star."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from transformers import EvalPrediction, TrainerControl, TrainerState

from recipes.config.schema import Hparams
from recipes.statistics.bootstrap import standard_error_of_difference
from recipes.training.keeping import Keeper, compares_evaluations, drawn_scores, tolerance_of
from recipes.training.progress import Progress
from recipes.training.trainer import RecipeTrainer
from tasks.classification import Classification, Text
from tasks.data.records import Origin
from tasks.qa import Qa, Question
from tasks.scoring.score import Score
from tasks.task import Head

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
    trainer.keeper = Keeper(Score("x", greater), tolerance=0.0)
    progress = Progress(["x"], trainer.keeper)
    found, starred = [], []
    for step, value in enumerate(values, 1):
        trainer.state.global_step, trainer.state.epoch = 10 * step, step
        metrics = {"eval_x": value}
        for callback in (trainer.keeper, progress):
            callback.on_evaluate(cast(Any, arguments), trainer.state, TrainerControl(), metrics=metrics)
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
    progress, state = Progress([], Keeper(Score("x", True), 0.0), what), TrainerState()
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
    assert compares_evaluations(hparams, rows) == best


def test_yardsticks_keep_the_first_of_equal_evaluations_as_transformers_does() -> None:
    trainer = object.__new__(RecipeTrainer)
    trainer.args = SimpleNamespace(
        metric_for_best_model="eval_x", greater_is_better=True, save_strategy="best", load_best_model_at_end=True
    )
    trainer.state, trainer.ingredients, trainer.hparams = TrainerState(), None, Hparams(plain=True)
    trainer.keeper = Keeper(Score("x", True), tolerance_of(trainer.hparams))
    assert [trainer._determine_best_metric({"eval_x": value}, None) for value in (0.5, 0.7, 0.7)] == [True, True, False]


@pytest.mark.parametrize(
    ("hparams", "errors"),
    [
        (Hparams(), 2.0),
        (Hparams(evaluations=5), 2.0),
        (Hparams(keep="best"), 0.0),
        (Hparams(early_stopping=1), 0.0),
        (Hparams(soup=2), 0.0),
        (Hparams(stock=True), 0.0),
    ],
)
def test_the_last_evaluation_is_kept_unless_an_earlier_one_is_surely_better_or_the_best_is_wanted(
    hparams: Hparams, errors: float
) -> None:
    assert tolerance_of(hparams) == errors


def evaluated(keeper: Keeper, values: Sequence[float], first: int = 1) -> list[int]:
    """Return after which steps, from `first` on, the keeper takes the weights."""
    found, state = [], TrainerState()
    for step, value in enumerate(values, first):
        state.global_step, keeper.draws = step, [value]
        keeper.on_evaluate(cast(Any, None), state, TrainerControl(), metrics={"eval_x": value})
        if keeper.kept_step == step:
            found.append(step)
    return found


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """All standard errors are 0.1; which evaluations were compared."""
    pairs: list[tuple[float, float]] = []

    def standard_error(best: Sequence[float], present: Sequence[float]) -> float:
        pairs.append((best[0], present[0]))
        return 0.1

    monkeypatch.setattr("recipes.training.keeping.standard_error_of_difference", standard_error)
    return pairs


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ((0.7, 0.6), [1, 2]),
        ((0.7, 0.51), [1, 2]),
        ((0.7, 0.49), [1]),
        ((0.7, 0.49, 0.6, 0.4), [1, 3]),
        ((0.6, 0.7, 0.45, 0.65), [1, 2, 4]),
        ((0.7, 0.55, 0.45, 0.35), [1, 2]),  # all are compared with the best, and do not sink step by step
        ((0.7, NAN, 0.65), [1, 3]),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_an_earlier_evaluation_is_kept_if_it_leads_by_more_than_two_standard_errors(
    values: Sequence[float], kept: list[int], sign: int, compared: list[tuple[float, float]]
) -> None:
    signed = [sign * value for value in values]
    assert evaluated(Keeper(Score("x", sign > 0), tolerance=2.0), signed) == kept
    bests = [sign * max(value for value in values[:place] if value == value) for place in range(1, len(values))]
    assert compared == [(best, value) for best, value in zip(bests, signed[1:], strict=True) if value == value]


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_resumed_run_keeps_what_it_would_have_kept(cut: int, compared: list[tuple[float, float]]) -> None:
    values = (0.6, 0.8, 0.55, 0.65, 0.79, 0.5)
    whole = Keeper(Score("x", True), 2.0)
    kept = evaluated(whole, values)
    before = len(compared)
    first, second = Keeper(Score("x", True), 2.0), Keeper(Score("x", True), 2.0)
    found = evaluated(first, values[:cut])
    for name, value in json.loads(json.dumps(first.state()))["attributes"].items():
        setattr(second, name, value)
    assert found + evaluated(second, values[cut:], cut + 1) == kept
    assert compared[before:] == compared[:before]
    assert second.state() == whole.state()


def test_a_checkpoint_without_draws_is_compared_by_its_best_score() -> None:
    keeper = Keeper(Score("x", False), 2.0)
    keeper.on_train_begin(cast(Any, None), TrainerState(best_metric=0.5))
    assert evaluated(keeper, (0.6, 0.5, 0.55, 0.4)) == [2, 4]
    resumed = Keeper(Score("x", False), 2.0)
    resumed.best = -0.3
    resumed.on_train_begin(cast(Any, None), TrainerState(best_metric=0.5))
    assert resumed.best == -0.3


@pytest.mark.parametrize(("only_first", "only_second"), [(10, 6), (16, 0), (1, 0), (0, 0)])
def test_the_standard_error_of_a_difference_is_that_of_pairs(only_first: int, only_second: int) -> None:
    """Of 100 texts each; the variance of a mean of differences of -1, 0 and 1 is known."""
    task = Classification(kind="single_label", objective="accuracy")
    rows = [Text(str(number), "a", None, "yes", Origin("a.csv", number)) for number in range(100)]
    labels = ("yes", "no")
    head = Head("single_label_classification", labels)

    def scores(wrong: range) -> list[float]:
        found = [{"label": labels[place in wrong]} for place in range(100)]
        return drawn_scores(task, rows, found, head)

    first, second = scores(range(20, 20 + only_second)), scores(range(50, 50 + only_first))
    assert len(first) == len(second) == 400
    difference = (only_first - only_second) / 100
    expected = math.sqrt(((only_first + only_second) / 100 - difference**2) / 100)
    assert standard_error_of_difference(first, second) == pytest.approx(expected, rel=0.1)


class AlreadyDecoded(Classification):
    """A task whose model puts out predictions."""

    def decode(self, rows: Any, features: Any, outputs: Any, head: Head) -> Any:
        del rows, features, head
        return outputs


@pytest.mark.parametrize(("compares", "tolerance", "drawn"), [(True, 2.0, 400), (True, 0.0, 0), (False, 2.0, 0)])
def test_an_evaluation_is_scored_on_draws_where_evaluations_are_compared(
    compares: bool, tolerance: float, drawn: int
) -> None:
    trainer = object.__new__(RecipeTrainer)
    trainer.task = AlreadyDecoded(kind="single_label", objective="accuracy")
    trainer.head = Head("single_label_classification", ("yes", "no"))
    trainer.validation_rows = [Text(str(n), "a", None, "yes", Origin("a.csv", n)) for n in range(30)]
    trainer.eval_dataset = cast(Any, SimpleNamespace(columns={}))
    trainer.recipe = cast(Any, SimpleNamespace(join=lambda outputs, _: outputs))
    trainer.args = SimpleNamespace(load_best_model_at_end=compares)
    trainer.keeper = Keeper(Score("accuracy", True), tolerance)
    labels = ("yes" if n % 3 else "no" for n in range(30))
    predicted: Any = [{"label": label, "scores": {"yes": 0.5, "no": 0.5} | {label: 0.6}} for label in labels]
    assert trainer._validation_scores(EvalPrediction(predicted, []))["accuracy"] == pytest.approx(2 / 3)
    assert len(trainer.keeper.draws) == drawn
    if drawn:
        assert np.mean(trainer.keeper.draws) == pytest.approx(2 / 3, abs=0.02)


def test_a_star_marks_the_best_and_not_what_is_kept(
    capsys: pytest.CaptureFixture[str], compared: list[tuple[float, float]]
) -> None:
    del compared
    keeper = Keeper(Score("x", True), tolerance=2.0)
    progress, state = Progress(["x"], keeper), TrainerState()
    arguments: Any = SimpleNamespace(load_best_model_at_end=True, num_train_epochs=3.0)
    for step, value in enumerate((0.7, 0.6, 0.7), 1):
        state.global_step, state.epoch, keeper.draws = step, float(step), [value]
        for callback in (keeper, progress):
            callback.on_evaluate(arguments, state, TrainerControl(), metrics={"eval_x": value})
        assert keeper.kept_step == step
    assert [line.endswith("*") for line in capsys.readouterr().out.splitlines()] == [True, False, True]


def test_draws_without_a_score_tell_nothing() -> None:
    assert standard_error_of_difference([0.5, NAN, 0.7], [0.5, 0.1, 0.5]) == pytest.approx(0.1)
    assert (
        standard_error_of_difference([NAN], [0.5])
        == standard_error_of_difference([], [0.5])
        == standard_error_of_difference([0.5], [])
        == 0.0
    )


def test_rows_of_an_article_are_drawn_together() -> None:
    """With one article for all, no draw differs from another."""
    rows = [Question(str(n), "Who?", "Ada did.", ("Ada",), (0,), "one", Origin("a.json", n)) for n in range(6)]
    found = [{"answer": "Ada" if n % 2 else "did", "probability": 1.0} for n in range(6)]
    assert set(drawn_scores(Qa(version="v1.1"), rows, found, Head(""))) == {50.0}
    alone = [replace(row, title=None, context=f"{row.context} {row.id}") for row in rows]
    assert len(set(drawn_scores(Qa(version="v1.1"), alone, found, Head("")))) > 1
