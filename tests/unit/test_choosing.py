"""The choice among ways of training: what is tried, on which folds, and which is taken."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from recipes.choosing import hint
from recipes.choosing.choice import Tried, decide, labels_alone
from recipes.choosing.cost import Cost
from recipes.choosing.cross_validation import CrossValidation
from recipes.choosing.fold_journal import FoldJournal
from recipes.choosing.ways import Way, differences, set_by_user, set_in_vain, ways_for
from recipes.command.groups import CONF
from recipes.config.schema import Config, Hparams, Model
from recipes.inference.evaluation import OutOfFold
from recipes.results.choice import Choice, TriedWay, choice_from_json
from recipes.training.stages import train_before_steps
from tasks.classification import Classification, Text
from tasks.data.options import DataOptions
from tasks.data.records import Origin
from tasks.data.splits import folds
from tasks.errors import InputError
from tasks.task import Head
from tests import tiny

TEXTS = Head("AutoModelForSequenceClassification", ("a", "b"), "single_label_classification")
NUMBERS = Head("AutoModelForSequenceClassification", ("number",), "regression")
WORDS = Head("AutoModelForTokenClassification", ("O", "B-a", "I-a"))


def config_of(**hparams: Any) -> Config:
    return Config(
        model=Model(path="somewhere", learning_rate=1e-4), hparams=Hparams(**{"learning_rate": 1e-4, **hparams})
    )


def bert_config(kind: str = "bert") -> Any:
    return tiny.configured(kind, tiny.tokenizer_of(kind))


# Folds


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), min_size=2, max_size=60), st.integers(2, 6))
def test_folds_share_out_every_row_once_and_keep_duplicates_together(rows: list[tuple[int, int]], count: int) -> None:
    shared = folds(rows, count, 1, stratum=lambda row: row[0], group=None, identity=lambda row: row)
    assert sorted(place for fold in shared for place in fold) == list(range(len(rows)))
    assert len(shared) == min(count, len(set(rows)))
    for row in set(rows):
        assert sum(any(rows[place] == row for place in fold) for fold in shared) == 1
    assert shared == folds(rows, count, 1, stratum=lambda row: row[0], group=None, identity=lambda row: row)


def test_each_fold_has_its_share_of_each_label() -> None:
    rows = [("rare" if number % 5 == 0 else "common", number) for number in range(60)]
    shared = folds(rows, 4, 7, stratum=lambda row: row[0], group=None, identity=lambda row: row[1])
    for fold in shared:
        assert Counter(rows[place][0] for place in fold) == {"rare": 3, "common": 12}
    assert shared != folds(rows, 4, 8, stratum=lambda row: row[0], group=None, identity=lambda row: row[1])


def test_groups_stay_together_and_make_folds_of_like_size() -> None:
    rows = [(article, question) for article in range(9) for question in range(1 + article % 3)]
    shared = folds(rows, 3, 1, stratum=None, group=lambda row: row[0], identity=lambda row: row)
    for article in range(9):
        assert sum(any(rows[place][0] == article for place in fold) for fold in shared) == 1
    assert {len(fold) for fold in shared} == {6}


# Ways


def test_which_ways_there_are() -> None:
    def names(head: Head) -> list[str]:
        return [way.name for way in ways_for(head, bert_config(), 48, True)]

    assert names(TEXTS) == ["contrastive", "linear", "fine_tuning"]
    assert names(NUMBERS) == ["linear", "fine_tuning"]
    assert names(WORDS) == ["high_rates", "high_rate", "fine_tuning"]


def test_few_rows_are_trained_on_less_long_at_high_rates() -> None:
    few, more = (ways_for(WORDS, bert_config(), windows, True) for windows in (100, 300))
    assert [way.changes.get("epochs") for way in few] == [20.0, 20.0, None]
    assert [way.changes.get("epochs") for way in more] == [None, None, None]


def test_the_contrastive_stage_grows_with_the_rows() -> None:
    steps = [
        ways_for(TEXTS, bert_config(), windows, True)[0].changes["contrastive_steps"] for windows in (16, 200, 9000)
    ]
    assert steps == [10, 20, 40]


def test_encoders_that_can_not_pool_the_mean_are_read_at_their_first_token() -> None:
    assert ways_for(TEXTS, bert_config(), 48, True)[0].changes["pooling"] == "mean"
    assert "pooling" not in ways_for(TEXTS, bert_config("distilbert"), 48, True)[0].changes


def test_what_the_user_sets_holds_for_every_way() -> None:
    config = config_of(learning_rate=3e-4, focal=2.0, choose_by_folds=3)
    kept = set_by_user(config)
    assert kept == {"learning_rate", "focal", "choose_by_folds"}
    for way in ways_for(WORDS, bert_config(), 48, True):
        applied = way.applied(config, kept).hparams
        assert applied.learning_rate == 3e-4
        assert applied.focal == 2.0
        assert applied.choose_by_folds == 0


def test_a_default_that_is_typed_changes_nothing_and_is_said() -> None:
    """A run's directory is named by its values, so that results must not depend on more than these."""
    config, command = config_of(choose_by_folds=3), "python -m recipes.run hparams.keep=null 'data.train=a b.csv'"
    ways = ways_for(TEXTS, bert_config(), 48, True)
    assert all(way.applied(config, set_by_user(config)).hparams.keep == "last" for way in ways)
    assert list(set_in_vain(ways, config, command)) == [
        "hparams.keep is set to its default, which leaves it to each way of training"
    ]
    assert list(set_in_vain(ways, config, "python -m recipes.run hparams=small_data data.train=keep.csv")) == []


def test_what_needs_steps_is_for_ways_that_take_some() -> None:
    config, ways = config_of(choose_by_folds=3, r_drop=1.0, epochs=5.0), ways_for(TEXTS, bert_config(), 48, True)
    assert list(set_in_vain(ways, config, "")) == [
        "hparams.epochs, hparams.r_drop: only for ways that train all weights (fine_tuning)"
    ]
    (said,) = set_in_vain(ways[:1], config, "")
    assert said.startswith("hparams.epochs, hparams.r_drop: no effect, as a head is fitted on these rows")
    assert list(set_in_vain(ways_for(WORDS, bert_config(), 48, True), config, "")) == []


def test_a_rate_is_a_multiple_of_the_models_own() -> None:
    assert Way("hot", "", {}, rate=3.0).applied(config_of()).hparams.learning_rate == pytest.approx(3e-4)
    both = Way("hot", "", {}, rate=2.0, head_rate=20.0).applied(config_of()).hparams
    assert both.head_learning_rate == pytest.approx(2e-3)
    assert Way("plain", "", {}).applied(config_of()).hparams.learning_rate == pytest.approx(1e-4)


def test_the_users_epochs_are_those_of_ways_with_steps() -> None:
    long = Way("long", "", {"max_steps": 400})
    head = Way("head", "", {"max_steps": 0, "linear_head": True})
    for chosen in ({"epochs": 2.0}, {"max_steps": 5}):
        applied = long.applied(config_of(**chosen), set(chosen)).hparams
        assert {name: getattr(applied, name) for name in chosen} == chosen
        assert applied.max_steps != 400
        assert head.applied(config_of(**chosen), set(chosen)).hparams.max_steps == 0
    assert long.applied(config_of()).hparams.max_steps == 400


# The decision


def tried(name: str, score: float | None, draws: Any = None) -> Tried:
    return Tried(
        Way(name, "", {}),
        CrossValidation(OutOfFold([], []), 1.0),
        TriedWay(name, "", score, None, 1.0, {}),
        None if draws is None else np.asarray(draws, dtype=float),
    )


def test_in_doubt_the_first_way_is_taken() -> None:
    even = np.array([0.5, 0.6, 0.7])
    # The difference is 0.1 on average and varies by 0.082, or by 0.163.
    sure, unsure = np.add(even, [0.0, 0.1, 0.2]), np.add(even, [-0.1, 0.1, 0.3])
    taken, why = decide([tried("first", 0.6, even), tried("second", 0.7, sure)], 1)
    assert (taken.way.name, why) == ("second", "the best of 2 by cross-validation")
    taken, why = decide([tried("first", 0.6, even), tried("second", 0.7, unsure)], 1)
    assert (taken.way.name, why) == ("first", "in doubt, as second was better by less than a standard error")
    taken, _ = decide([tried("first", 0.6, even), tried("second", 0.7, sure)], -1)
    assert taken.way.name == "first", "of errors, the lower is better"
    third = np.add(even, [0.05, 0.1, 0.15])
    taken, why = decide([tried("first", 0.6, even), tried("second", 0.7, third), tried("third", 0.71, unsure)], 1)
    assert (taken.way.name, why) == ("first", "in doubt, as third was better by less than a standard error")


def test_with_a_handful_of_rows_the_score_decides() -> None:
    assert decide([tried("first", 0.5), tried("second", 0.6)], 1)[0].way.name == "second"
    taken, why = decide([tried("first", 0.5), tried("second", 0.5)], 1)
    assert (taken.way.name, why) == ("first", "no other was better")
    assert decide([tried("first", None), tried("second", 0.1)], 1)[0].way.name == "second"
    assert decide([tried("first", 0.1), tried("second", None)], 1)[0].way.name == "first"
    taken, why = decide([tried("first", None), tried("second", None)], 1)
    assert (taken.way.name, why) == ("first", "none of 2 has a score")


def test_what_is_told_of_a_way_is_what_was_done() -> None:
    config = config_of(choose_by_folds=3)
    way = Way("hot", "", {"keep": "last"}, rate=3.0)
    assert differences(config, way.applied(config)) == {"learning_rate": pytest.approx(3e-4), "keep": "last"}
    assert differences(config, way.applied(config, {"learning_rate"})) == {"keep": "last"}


def test_heads_that_pick_a_token_are_trained_as_a_whole() -> None:
    names = [way.name for way in ways_for(TEXTS, bert_config("gpt2"), 48, fits_alone=False)]
    assert names == ["high_rates", "high_rate", "fine_tuning"]


# Cost and what is kept


def test_cost_by_hand() -> None:
    cost = Cost(windows=40, of_window=0.1, of_step=0.0, longest=100)
    # Three folds of 27 rows and all 40, each for 2 epochs of 2 and 3 steps of 16 rows, and 1.2 s a model.
    assert cost.seconds(Hparams(epochs=2), 3) == pytest.approx(3 * (1.2 + 4 * 1.6) + 1.2 + 6 * 1.6)
    contrast = Hparams(contrastive_steps=10, linear_head=True, max_steps=0)
    expected = 3 * (1.2 + 10 * 2.7 + 27 * 0.1 / 3) + 1.2 + 10 * 4.0 + 40 * 0.1 / 3
    assert cost.seconds(contrast, 3) == pytest.approx(expected)


def test_a_fold_is_found_again_for_the_same_run_only(tmp_path: Path) -> None:
    journal = FoldJournal(tmp_path / "folds", "linear-0", {"seed": 1})
    other = FoldJournal(tmp_path / "folds", "linear-0", {"seed": 2})
    assert journal.read() is None
    journal.directory.path.mkdir(parents=True)
    journal.write({"predictions": [{"label": "a", "score": 0.1 + 0.2}], "seconds": 2.5})
    assert journal.read() == {"predictions": [{"label": "a", "score": 0.1 + 0.2}], "seconds": 2.5}
    assert not journal.directory.path.exists()
    assert other.read() is None
    assert other.directory != journal.directory, "no checkpoint of other rows or settings is gone on from"
    for damaged in ("{", "[]", "{}", '{"predictions": 3, "seconds": 1}'):
        journal.path.write_text(damaged)
        assert journal.read() is None


def test_labels_of_one_row_are_named() -> None:
    def told(labels: str, problem: str = "single_label_classification") -> str:
        texts = [Text(str(n), f"{n}", None, label, Origin("a.csv", n)) for n, label in enumerate(labels)]
        rows: Any = SimpleNamespace(
            head=Head("", (), problem), task=Classification(kind="single_label"), splits={"train": texts}
        )
        return labels_alone(rows)

    assert told("aabb") == ""
    assert told("aab").startswith("one row of 'b' each: where it is held out")
    assert told("aabcdefg").startswith("one row of 'b', 'c', 'd', 'e', 'f', ... each")
    assert told("aab", "regression") == ""


def test_a_choice_is_read_back() -> None:
    way = TriedWay("linear", "a linear head", 0.5, [0.4, 0.6], 1.0, {"linear_head": True})
    choice = Choice("linear", "the best of 1 by cross-validation", "f1", 3, 40, True, [way])
    from dataclasses import asdict

    assert choice_from_json(asdict(choice)) == choice
    assert choice.way() == way
    with pytest.raises(TypeError):
        choice_from_json({**asdict(choice), "ways": [{"name": "linear"}]})


def test_the_hint_speaks_of_the_preset() -> None:
    preset = yaml.safe_load((CONF / "hparams" / "small_data.yaml").read_text())
    assert preset["choose_by_folds"] == hint.FOLDS


@pytest.mark.parametrize(
    ("processes", "windows", "balance"),
    [(2, 48, None), (1, 1, None), (1, hint.FEW_WINDOWS, None), (1, 48, "oversample")],
)
def test_where_nothing_is_hinted(
    processes: int, windows: int, balance: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a model that is shared among processes, one of them must not compute anything alone."""
    config = replace(config_of(), data=DataOptions(balance=balance))
    prepared: Any = SimpleNamespace(
        windows={"train": range(windows)}, config=config, placement=SimpleNamespace(processes=processes)
    )
    hint.hint_at_small_data(prepared)
    assert capsys.readouterr().out == ""


def test_a_sharded_model_has_no_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    prepared: Any = SimpleNamespace(config=config_of(linear_head=True), loaded=None)
    with pytest.raises(InputError, match="not with FSDP"):
        train_before_steps(prepared)
