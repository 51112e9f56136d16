"""Which values a search proposes, how trials are kept, and when one is ended early; worked by hand where it can be."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from omegaconf import OmegaConf
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial
from transformers import TrainerState

from recipes.command.dispatch import Sweep
from recipes.command.line import CommandLine
from recipes.comparing.groups import Group
from recipes.comparing.sentences import sentence
from recipes.comparing.stored_runs import load_run
from recipes.comparing.verdicts import compare
from recipes.config.schema import Config, Runtime, Search
from recipes.jobs.launching import runs_of
from recipes.reporting.search_page import search_page
from recipes.results.sweep_table import Outcome
from recipes.searching.confirming import Confirmed, best_mean_first, lead_in_words
from recipes.searching.proposing import Proposer
from recipes.searching.space import grid_of, overrides_of, rounded, space_of, split_overrides, within
from recipes.searching.store import Store, lock_of
from recipes.searching.trial import do_trial
from recipes.searching.verdict import on_test_rows
from recipes.system.signals import Interruption
from recipes.training.evaluations import evaluation_steps
from recipes.training.keeping import Keeper
from recipes.training.progress import Progress, close_progress
from tasks.errors import InputError
from tasks.scoring.score import Score
from tests.unit.test_compare import GOLD, leave_run
from tests.unit.test_pages import checked

SPACE = space_of(
    {
        "hparams.learning_rate": "tag(log,interval(1e-5,1e-3))",
        "hparams.batch_size": "choice(8,16,32)",
        "hparams.epochs": "int(interval(1,6))",
        "hparams.warmup": "interval(0.0,0.3)",
    }
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b", CategoricalDistribution(["a", "b"])),
        ("choice(8,16,8)", CategoricalDistribution(["8", "16"])),
        ("null,0.1", CategoricalDistribution(["null", "0.1"])),
        ("interval(0.1,0.3)", FloatDistribution(0.1, 0.3)),
        ("interval(0,3)", FloatDistribution(0.0, 3.0)),
        ("int(interval(1,4))", IntDistribution(1, 4)),
        ("tag(log,interval(1e-5,3e-4))", FloatDistribution(1e-5, 3e-4, log=True)),
        ("tag(log,int(interval(1,64)))", IntDistribution(1, 64, log=True)),
        ("range(1,4)", IntDistribution(1, 3)),
        ("range(2,9,3)", IntDistribution(2, 8, step=3)),
        ("range(0.0,0.3,0.1)", FloatDistribution(0.0, 0.2, step=0.1)),
    ],
)
def test_hydras_words_for_sweeps(text: str, expected: Any) -> None:
    (found,) = space_of({"hparams.dropout": text}).values()
    assert found == expected


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("hparams.learning_ratee", "1,2", "Did you mean 'hparams.learning_rate'"),
        ("search.trials", "1,2", "search.trials=1,2: a search can't try values of this key"),
        ("seed", "interval(3,1)", "an interval begins at its lower end"),
        ("seed", "interval(1,", "seed=interval(1,: can't be read as values to try"),
        ("seed", "range(5,2)", "the range is empty"),
        ("hparams.dropout", "tag(log,interval(0,1))", "hparams.dropout=tag(log,interval(0,1))"),
    ],
)
def test_a_space_that_can_not_be_tried(key: str, text: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        space_of({"hparams.warmup": "interval(0.0,0.1)", key: text})
    assert said in str(error.value)
    assert "tag(log,interval(1e-5,1e-3))" in str(error.value)


def test_what_is_swept_over_is_told_from_the_rest() -> None:
    single, swept = split_overrides(["task=ner", "hparams.epochs=1,2", "seed=range(1,3)", "data.train=a.csv"])
    assert single == ["task=ner", "data.train=a.csv"]
    assert swept == {"hparams.epochs": "1,2", "seed": "range(1,3)"}


def test_values_have_four_digits_and_stay_within_bounds() -> None:
    space = {"x": FloatDistribution(0.0, 0.123459)}
    assert rounded({"x": 0.0123456}, space) == {"x": 0.01235}
    assert rounded({"x": 0.123459}, space) == {"x": 0.123459}, "0.1235 would be more than the highest"
    assert overrides_of({"x": 1e-05, "y": "a", "z": 3}) == ["x=1e-05", "y=a", "z=3"]


def test_a_configs_values_as_those_of_a_space() -> None:
    assert within(16, CategoricalDistribution(["8", "16"])) == "16"
    assert within(None, CategoricalDistribution(["null", "balanced"])) == "null"
    assert within(True, CategoricalDistribution(["true", "false"])) == "true"
    assert within(12, CategoricalDistribution(["8", "16"])) is None
    assert within(0.1, FloatDistribution(0, 0.3)) == 0.1
    assert within(None, FloatDistribution(0, 0.3)) is None
    assert within(7, IntDistribution(1, 6)) is None


def quality(params: Mapping[str, Any]) -> float:
    """A made-up objective whose best values are 1e-4 and 0.1."""
    return -float(abs(params["hparams.learning_rate"] * 1e4 - 1) + abs(params["hparams.warmup"] - 0.1))


def ended(number: int, params: Mapping[str, Any], value: float) -> FrozenTrial:
    trial = create_trial(state=TrialState.COMPLETE, value=value, params=dict(params), distributions=dict(SPACE))
    trial.number = number
    return trial


def searched(
    sampler: str, trials: int, seed: int = 1, restarts: tuple[int, ...] = (), **more: Any
) -> list[FrozenTrial]:
    """Return the trials of a search whose process began anew before some of them."""
    proposer, history = Proposer(sampler, seed, SPACE, **more), list[FrozenTrial]()
    for number in range(trials):
        if number in restarts:
            proposer = Proposer(sampler, seed, SPACE, **more)
        params = proposer.propose(number, history)
        history.append(ended(number, params, quality(params)))
    return history


def values(history: list[FrozenTrial]) -> list[Mapping[str, Any]]:
    return [trial.params for trial in history]


@pytest.mark.parametrize("sampler", ["random", "tpe", "qmc", "cmaes", "gp"])
def test_a_search_that_began_anew_goes_the_same_way(sampler: str) -> None:
    whole = values(searched(sampler, 16))
    assert whole == values(searched(sampler, 16, restarts=(1, 5, 13, 14)))
    assert whole != values(searched(sampler, 16, seed=2))
    assert len({tuple(params.items()) for params in whole}) == 16
    for params, (key, distribution) in itertools.product(whole, SPACE.items()):
        assert within(params[key], distribution) == params[key]


@pytest.mark.parametrize("sampler", ["tpe", "gp", "cmaes"])
def test_samplers_learn_from_what_trials_gave(sampler: str) -> None:
    trials = 25 if sampler == "gp" else 60
    late = [trial.value or 0.0 for trial in searched(sampler, trials)[-10:]]
    by_chance = [trial.value or 0.0 for trial in searched("random", trials)[-10:]]
    assert sum(late) > sum(by_chance) / 2, "values are negative: nearer to the best by more than half"


def test_a_sequence_fills_its_space_evenly() -> None:
    """Of 16 points of a Sobol sequence, each sixteenth of an interval has one."""
    warmups = [params["hparams.warmup"] for params in values(searched("qmc", 16))]
    assert sorted(min(int(value / 0.3 * 16), 15) for value in warmups) == list(range(16))


def test_a_grid_is_every_combination_once() -> None:
    space = space_of({"seed": "1,2", "hparams.epochs": "range(1,4)", "hparams.dropout": "range(0.0,0.3,0.1)"})
    proposer = Proposer("grid", 1, space)
    assert proposer.size() == 18
    tried = [tuple(proposer.propose(number, []).values()) for number in range(18)]
    assert tried == list(itertools.product(("1", "2"), (1, 2, 3), (0.0, 0.1, 0.2)))
    with pytest.raises(InputError, match=r"hparams\.learning_rate has an interval"):
        grid_of(SPACE)


def test_the_first_trial_is_the_config_without_a_search() -> None:
    first = {"hparams.learning_rate": 3e-5, "hparams.batch_size": "16", "hparams.epochs": 3, "hparams.warmup": 0.1}
    assert values(searched("tpe", 3, first=first))[0] == first
    assert values(searched("qmc", 3, first=first))[1:] == values(searched("qmc", 2))


def test_trials_that_are_chosen_together_know_nothing_of_each_other() -> None:
    proposer = Proposer("tpe", 1, SPACE, together=4)
    history = searched("tpe", 14, together=4)
    other = [ended(trial.number, trial.params, 0.0) if trial.number >= 12 else trial for trial in history]
    assert proposer.propose(14, history) == proposer.propose(14, other)
    alone = Proposer("tpe", 1, SPACE, together=1)
    assert alone.propose(14, history) != alone.propose(14, other), "or the test would say nothing"


@pytest.fixture(params=["sqlite", "journal"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store.open(Search(sampler="tpe", pruner="median", storage=request.param), tmp_path / "search")


PARAMS = {"hparams.learning_rate": 1e-4, "hparams.batch_size": "8", "hparams.epochs": 2, "hparams.warmup": 0.1}
OUTCOME = Outcome("run", "validation f1", 0.5, None)


def test_what_a_store_keeps(store: Store) -> None:
    assert store.facts() == {}
    store.set_facts({"sampler": "tpe"})
    assert [store.begin(PARAMS, SPACE, "here") for _ in range(4)] == [0, 1, 2, 3]
    store.complete(0, OUTCOME, 0.5)
    store.fail(1, "no room")
    store.report(2, 1, 0.25)
    store.report(2, 2, 0.75)
    store.prune(2)
    store.drop(3)
    again = Store.open(
        Search(sampler="tpe", storage="journal" if (store.folder / "trials.log").exists() else None), store.folder
    )
    assert again.facts() == {"sampler": "tpe"}
    trials = again.trials()
    assert [trial.state for trial in trials] == [TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED]
    assert [trial.value for trial in trials] == [0.5, None, 0.75]
    assert trials[0].params == PARAMS
    assert Outcome(**trials[0].user_attrs["outcome"]) == OUTCOME
    assert trials[1].user_attrs["error"] == "no room"
    assert trials[2].intermediate_values == {1: 0.25, 2: 0.75}


def test_the_median_of_others_ends_a_trial(store: Store) -> None:
    for number, value in enumerate((0.1, 0.2, 0.3, 0.4, 0.5)):
        store.begin(PARAMS, SPACE, "here")
        store.report(number, 1, value)
        assert not store.is_to_end(number), "no others to compare with"
        store.complete(number, OUTCOME, value)
    for value, to_end in ((0.25, True), (0.35, False)):
        number = store.begin(PARAMS, SPACE, "here")
        assert not store.is_to_end(number)
        store.report(number, 1, value)
        assert store.is_to_end(number) == to_end


@pytest.mark.parametrize(
    ("storage", "said"),
    [
        ("sqlite:////nowhere/at/all/x.db", "unable to open database file"),
        ("nonsense://x", "nonsense"),
    ],
)
def test_a_storage_that_can_not_be_used(storage: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        Store.open(Search(sampler="tpe", storage=storage), tmp_path / "search")
    assert f"search.storage={storage}" in str(error.value)
    assert said in str(error.value)


def test_evaluations_are_even_and_end_with_the_training() -> None:
    for steps, evaluations in itertools.product((1, 7, 100, 1001), (1, 3, 10, 200)):
        found = evaluation_steps(steps, evaluations)
        assert found[-1] == steps
        assert len(found) == min(steps, evaluations)
        gaps = {after - before for before, after in itertools.pairwise([0, *found])}
        assert max(gaps) - min(gaps) <= 1


def trial_record(number: int, state: str, value: float | None, **values: Any) -> dict[str, Any]:
    outcome = Outcome(f"run{number}", "validation rmse", -value, None, False) if state == "complete" and value else None
    return {
        "number": number,
        "state": state,
        "values": values,
        "value": value,
        "evaluations": {"1": value} if value else {},
        "outcome": None if outcome is None else vars(outcome),
        "error": "<no room>" if state == "fail" else None,
    }


def record_of(*trials: dict[str, Any], best: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "search": {"sampler": "tpe", "pruner": "median"},
        "space": {"hparams.warmup": {"low": 0.0, "high": 0.3, "log": False}, "data.name": {"choices": ["<a>", "b"]}},
        "objective": "validation rmse",
        "greater is better": False,
        "trials": list(trials),
        "importance": {},
        "confirmed": [],
        "best": best,
        "command": "python -m recipes.run <b>",
    }


def test_a_page_of_errors_shows_the_smallest_as_the_best(tmp_path: Path) -> None:
    """Values are stored with the other sign, as higher is better in a study."""
    record = record_of(
        trial_record(1, "complete", -0.25, **{"hparams.warmup": 0.1, "data.name": "<a>"}),
        trial_record(0, "complete", -0.75, **{"hparams.warmup": 0.2, "data.name": "b"}),
        trial_record(2, "pruned", -0.5, **{"hparams.warmup": 0.3, "data.name": "b"}),
        trial_record(3, "fail", None, **{"hparams.warmup": 0.0, "data.name": "b"}),
        best={"number": 1, "values": {"hparams.warmup": 0.1, "data.name": "<a>"}, "lead": ""},
    )
    page = search_page(record, tmp_path)
    checked(page)
    assert "<a>" not in page.replace("&lt;a&gt;", "")
    assert "&lt;no room&gt;" in page
    assert re.findall(r'<td class="number">(0\.\d+)</td>', page) == ["0.2500", "0.7500", "0.5000"]
    (steps,) = re.findall(r'<polyline class="line line1" points="([^"]+)"', page)
    heights = [float(point.partition(",")[2]) for point in steps.split()]
    assert heights == sorted(heights), "the best so far goes down, that is to higher y"


def test_a_search_without_a_score_has_a_page(tmp_path: Path) -> None:
    record = record_of(trial_record(0, "fail", None, **{"hparams.warmup": 0.0, "data.name": "b"}), best=None)
    assert "No trial has a score." in search_page(record, tmp_path)


@pytest.mark.parametrize(
    ("launcher", "together", "given", "expected"),
    [
        ("joblib", 2, None, 4),
        ("joblib", 2, 3, 3),
        ("basic", 2, None, None),
        ("submitit_slurm", 2, None, None),
        ("joblib", 1, None, None),
    ],
)
def test_trials_side_by_side_share_the_cores(
    launcher: str, together: int, given: int | None, expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recipes.jobs.launching.threads_per_process", lambda jobs: 8 // jobs)
    seen = []

    def run(config: Config, _: Any) -> Outcome:
        seen.append(config.runtime.threads)
        return OUTCOME

    tree = OmegaConf.create({"hydra": {"runtime": {"choices": {"hydra/launcher": launcher}}}})
    sweep = Sweep(run, CommandLine((), True, ()), tree, Path(), Interruption())
    runs_of(sweep, together)(replace(Config(), runtime=Runtime(threads=given)), cast(Any, None))
    assert seen == [expected]


def test_a_bar_is_closed_when_its_trial_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    progress = Progress(["f1"], Keeper(Score("f1", True), 0.0))
    progress.on_train_begin(cast(Any, None), TrainerState(max_steps=5))
    bar = progress.bar
    assert not bar.disable
    close_progress([object(), progress])
    assert bar.disable, "tqdm disables a bar that is closed"


def test_a_trial_that_has_ended_is_not_done_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its job went on while the process that had launched it was killed, and launches it again now."""
    (store.folder / "trials").mkdir()
    store.begin(PARAMS, SPACE, "here")
    store.complete(0, OUTCOME, 0.5)
    storage = "journal" if (store.folder / "trials.log").exists() else None
    settings = SimpleNamespace(sweep=SimpleNamespace(dir=str(store.folder)))
    monkeypatch.setattr("recipes.searching.trial.HydraConfig.get", lambda: settings)
    monkeypatch.setattr("recipes.searching.trial.parse_search", lambda _: Search(storage=storage, trial=0))
    monkeypatch.setattr("recipes.searching.trial.read_job", lambda *_: pytest.fail("it is done again"))
    assert do_trial(cast(Any, None), (), Interruption(), None) == 0.5
    assert capsys.readouterr().out == ""


def test_a_search_that_another_process_opens_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that made the tables of a database at the same moment hindered each other."""
    monkeypatch.setattr("recipes.searching.store.SECONDS_FOR_A_LOCK", 0.1)
    folder = tmp_path / "search"
    with lock_of(folder), pytest.raises(InputError, match=r"is locked by another process for over 0\.1 s"):
        Store.open(Search(sampler="tpe"), folder)
    assert Store.open(Search(sampler="tpe"), folder).trials() == []


def confirmed(number: int, *errors: float) -> Confirmed:
    return Confirmed(
        ended(number, PARAMS, 0.0), [Outcome("run", "validation rmse", one, None, False) for one in errors]
    )


def test_the_best_mean_over_seeds_wins() -> None:
    """Of errors it is the lowest. By hand: the differences are 0.3 and 0.1, Student's t of one degree is 12.706."""
    second, first, failed = confirmed(0, 0.4, 0.4), confirmed(1, 0.1, 0.3), confirmed(2)
    assert best_mean_first([second, failed, first]) == [first, second]
    assert first.plain()["mean"] == pytest.approx(0.2)
    assert first.plain()["deviation"] == pytest.approx(0.02**0.5)
    assert first.plain()["interval"] == pytest.approx((0.0, 0.2 + 1.2706), abs=1e-3), "no error is below 0"
    said = lead_in_words(first, second)
    assert said == "0.2000 (-1.0706 to 1.4706, on these very rows): with so few seeds, either may be the better one"
    assert lead_in_words(confirmed(1, 0.1), confirmed(0, 0.4)) == "0.3000: a single seed tells little"


def rerun(folder: Path, number: int, right: float, golds: Mapping[int, Sequence[str]]) -> Confirmed:
    """Return a trial with a run for each seed that has a share of its test rows right."""
    runs = {seed: leave_run(folder / f"{number}" / f"{seed}", right, seed, gold=gold) for seed, gold in golds.items()}
    outcomes = [Outcome(str(run), "validation accuracy", 0.5, right) for run in runs.values()]
    return Confirmed(ended(number, PARAMS, 0.5), outcomes)


def test_test_rows_tell_whether_the_best_is_better(tmp_path: Path) -> None:
    """They may say that the other one is; compare's own words say how sure that is."""
    same = dict.fromkeys((2, 3, 4), tuple(GOLD))
    best, second = rerun(tmp_path, 3, 0.6, same), rerun(tmp_path, 5, 0.95, same)
    groups = [
        Group(f"trial {one.trial.number}", [load_run(Path(each.directory), "test") for each in one.outcomes])
        for one in (best, second)
    ]
    found = compare(groups, "accuracy")
    assert on_test_rows(best, second) == sentence(found.pairs[0], found.score)
    assert on_test_rows(best, second).startswith("trial 5 is better than trial 3: +0.3500 accuracy")


def test_what_test_rows_can_not_tell(tmp_path: Path) -> None:
    alone = replace(confirmed(1, 0.1), outcomes=[Outcome("run", "validation accuracy", 0.5, None)])
    assert on_test_rows(alone, alone) == ""
    cut_off = {2: tuple(GOLD), 3: ("no", *GOLD)}
    said = on_test_rows(rerun(tmp_path, 3, 0.6, cut_off), rerun(tmp_path, 5, 0.9, cut_off))
    assert said == "not compared, as each seed cuts off other test rows: data.split_seed=1 would hold them"
    few = {2: tuple(GOLD[:3])}
    said = on_test_rows(rerun(tmp_path, 6, 0.6, few), rerun(tmp_path, 7, 0.9, few))
    assert re.match(r"not compared\. \S+: has 3 rows on test, which are too few to tell anything", said)


def test_the_interval_of_a_mean_stays_where_scores_can_be() -> None:
    def interval(name: str, point: float, *values: float) -> Any:
        outcomes = [Outcome("run", f"validation {name}", value, None) for value in values]
        return Confirmed(cast(FrozenTrial, SimpleNamespace(number=0, params={})), outcomes, point).plain()["interval"]

    assert interval("f1", 0.01, 0.86, 0.89) == (pytest.approx(0.875 - 12.7062 * 0.015, abs=1e-4), 1.0)
    assert interval("f1", 1.0, 20.0, 90.0) == (0.0, 100.0)
    assert interval("rmse", 0.01, 0.1, 0.9)[0] == 0.0
    assert interval("f1", 0.01, 0.9) is None
