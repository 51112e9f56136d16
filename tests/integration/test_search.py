"""Searches through the real command: their table, what is kept, what is refused, and the best one as an experiment."""

import gc
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from recipes.report import main as report_main
from recipes.results.sweep_table import Outcome
from recipes.run import main
from recipes.searching.confirming import Confirmed

RATES = "hparams.learning_rate=0.0001,0.01"
FIXED = (
    "data=files",
    "task=classification",
    "hparams.batch_size=8",
    "hparams.epochs=2",
    "runtime.precision=fp32",
    "runtime.device=cpu",
)


@pytest.fixture
def words(data: dict[str, Path], models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    return ["-m", *FIXED, f"data.train={data['classification']}", f"model.path={models['bert']}"]


def trials_of(root: Path) -> list[dict[str, Any]]:
    (path,) = root.rglob("trials.json")
    return sorted(json.loads(path.read_text())["trials"], key=lambda trial: trial["number"])


def untimed(text: str) -> str:
    """Return a text without the seconds of its runs, which end their lines."""
    return re.sub(r"  \([^()]* (s|min)\)$", "", text, flags=re.MULTILINE)


def test_a_search_from_its_command_to_the_best_values(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grid = [
        *words,
        "search=grid",
        RATES,
        "hparams.warmup=0,0.2",
        "search.confirm={top:2,seeds:2}",
        "search.keep_models=1",
    ]
    assert main(grid) == 0
    said = capsys.readouterr().out
    trials = trials_of(tmp_path)
    assert [(trial["values"]["hparams.learning_rate"], trial["values"]["hparams.warmup"]) for trial in trials] == [
        ("0.0001", "0"),
        ("0.0001", "0.2"),
        ("0.01", "0"),
        ("0.01", "0.2"),
    ]
    assert {trial["state"] for trial in trials} == {"complete"}
    assert "Search of 4 trials, best first: 4 completed" in said
    assert "The best 2 again, with 2 fresh seeds each" in said
    assert "  epoch " not in said, "what each run says is kept back"
    rows = re.findall(r"^ +(\d)  +0", said, re.MULTILINE)
    best_first = sorted(trials, key=lambda trial: (-trial["value"], trial["number"]))
    assert rows[:4] == [str(trial["number"]) for trial in best_first]
    with_weights = {path.parents[1] for path in tmp_path.rglob("model/model.safetensors")}
    of_trials = {(tmp_path / trial["outcome"]["directory"]) for trial in trials}
    assert with_weights & of_trials == {tmp_path / best_first[0]["outcome"]["directory"]}
    assert len(with_weights - of_trials) == 4, "two trials with two seeds"
    (best,) = re.findall(r"^To train with these values: (.+)", said, re.MULTILINE)
    (chosen,) = re.findall(r"^best +trial (\d)", said, re.MULTILINE)
    assert main(shlex.split(best)[3:]) == 0
    assert f"Already done: {trials[int(chosen)]['outcome']['directory']}" in capsys.readouterr().out

    (told,) = re.findall(r"^on test +(.+)", said, re.MULTILINE)
    assert told == "not compared, as each seed cuts off other test rows: data.split_seed=1 would hold them"
    (page,) = tmp_path.glob("outputs/sweeps/*/report.html")
    shown = page.read_bytes()
    assert f"On test rows, which chose nothing: {told}" in shown.decode()
    assert f"The best: trial {chosen}" in shown.decode()
    page.unlink()
    assert report_main([str(page.parent.relative_to(tmp_path))]) == 0
    assert page.read_bytes() == shown
    capsys.readouterr()

    reports = sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("report.json"))
    assert main(grid) == 0
    again = capsys.readouterr().out
    assert untimed(again[again.index("Search of 4") :]) == untimed(said[said.index("Search of 4") :])
    assert reports == sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("report.json"))


def test_a_search_goes_on_for_more_trials(words: list[str], tmp_path: Path, capsys: Any) -> None:
    space = "hparams.learning_rate=tag(log,interval(1e-4,1e-2))"
    quick = [*words, "search=random", space, "search.confirm.top=0", "hparams.epochs=1"]
    assert main([*quick, "search.trials=2"]) == 0
    first = trials_of(tmp_path)
    assert main([*quick, "search.trials=4"]) == 0
    assert "goes on: 2 ended before" in capsys.readouterr().out
    assert trials_of(tmp_path)[:2] == first
    assert len(trials_of(tmp_path)) == 4
    (folder,) = (tmp_path / "outputs" / "sweeps").iterdir()
    (folder / "report.html").unlink()
    assert report_main([str(folder)]) == 0, "a search without runs on fresh seeds names its trials"
    assert (folder / "report.html").is_file()
    (path,) = tmp_path.rglob("experiment/best.yaml")
    best = max(trials_of(tmp_path), key=lambda trial: trial["value"])
    assert yaml.safe_load(path.read_text()) == {"hparams": {"learning_rate": best["values"]["hparams.learning_rate"]}}


def test_a_trial_that_does_badly_is_ended_early(words: list[str], tmp_path: Path, capsys: Any) -> None:
    """Five trials at a rate that learns; the median of these then ends those that don't, after an evaluation."""
    rates = "hparams.learning_rate=0.01,0.011,0.012,0.013,0.014,1e-7"
    pruned = [*words, "search=grid", "search.pruner=median", rates, "search.confirm.top=0", "hparams.evaluations=4"]
    assert main(pruned) == 0
    said = capsys.readouterr().out
    last = trials_of(tmp_path)[5]
    assert last["state"] == "pruned"
    assert len(last["evaluations"]) < 4
    assert "trial   5  learning_rate=1e-07: ended after evaluation" in said
    assert "5 completed, 1 ended early" in said
    unfinished = [path.parent for path in tmp_path.rglob("config.yaml") if not (path.parent / "report.json").exists()]
    (left,) = unfinished
    assert [path.name for path in left.iterdir()] == ["config.yaml"]


def test_failing_trials(words: list[str], tmp_path: Path, capsys: Any) -> None:
    search = [*words, "search=grid", "search.confirm.top=0"]
    assert main([*search, "hparams.freeze_layers=0,9"]) == 0
    ended = capsys.readouterr()
    assert "1 completed, 1 failed" in ended.out
    assert "failed: hparams.freeze_layers=9: the model has 2 layers" in ended.out
    assert "Trial 1 (freeze_layers=9) failed. hparams.freeze_layers=9" in ended.err
    assert main([*search, "hparams.freeze_layers=8,9"]) == 1
    assert "No trial gave a score: the table says why" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            ["search.sampler=tpee", RATES],
            "search.sampler=tpee: none, tpe, random, grid, qmc, cmaes, gp. Did you mean 'tpe'?",
        ),
        (["search=tpee", RATES], "No choice 'tpee' in the group 'search'. Did you mean 'tpe'?"),
        (["search=tpe", "search.pruner=medium", RATES], "search.pruner=medium: none, median, hyperband, halving."),
        (["search=tpe", "search.trials=0", RATES], "search.trials=0: at least 1"),
        (["search=grid", "hparams.warmup=interval(0.0,0.1)"], "hparams.warmup has an interval"),
        (["search=tpe", "search.seed=1,2"], "search.seed=1,2: a search can't try values of this key"),
        (["search=tpe", "hparams.learning_rat=1,2"], "learning_rat"),
        (["search=tpe", "search.storage=x.db", RATES], "search.storage=x.db: sqlite, journal, or a URL"),
        (["search=tpe", "search.trial=4", RATES], "search.trial=4: the search numbers its trials itself. Did you mean"),
        (["search=tpe", "hparams.batch_size=8,16"], "hparams.batch_size=8 and hparams.batch_size=8,16: one value or"),
        (["search=tpe", "overwrite=true", RATES], "overwrite=true: a search goes on with what it has begun"),
        (
            ["search=tpe", "search.pruner=median", "hparams.keep=last", RATES],
            "search.pruner=median: it ends trials by their evaluations during training, of which hparams.keep=last has",
        ),
        (["search=tpe", "search.pruner=median", "hparams=small_data", RATES], "of which hparams=small_data has none"),
        (["search=tpe", "hparams.learning_rate=1e-4,fast"], "hparams.learning_rate=fast: "),
        (["search=tpe", "hparams.warmup=interval(0.0,2.0)"], "hparams.warmup=2.0: The config can't be used:"),
        (["search=tpe", "model=minilm,bert"], "No choice 'bert' in the group 'model'"),
    ],
)
def test_searches_that_can_not_be(more: list[str], said: str, words: list[str], tmp_path: Path, capsys: Any) -> None:
    assert main([*words, *more]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "outputs").exists(), "nothing is left"


def test_a_search_is_a_sweep(words: list[str], capsys: Any) -> None:
    assert main([*words[1:], "search=tpe"]) == 2
    assert "a search makes several runs: -m search=tpe" in capsys.readouterr().err


def test_a_study_that_was_begun_with_another_search(words: list[str], tmp_path: Path, capsys: Any) -> None:
    shared = [*words, f"search.storage=sqlite:///{tmp_path}/all.db", "search.name=mine", "search.confirm.top=0"]
    assert main([*shared, "search=grid", "hparams.warmup=0,0.2", "search.trials=1"]) == 0
    left = [path for path in (tmp_path / "outputs").rglob("*") if path.suffix in (".json", ".html", ".yaml", ".txt")]
    assert not [path for path in left if "all.db" in path.read_text()], "a storage's URL may hold a password"
    assert main([*shared, "search=grid", RATES]) == 2
    said = capsys.readouterr().err
    assert "The study mine was begun with another search:" in said
    assert "space: {'hparams.warmup': '0,0.2'} there, {'hparams.learning_rate': '0.0001,0.01'} now" in said
    assert "search.name=OTHER_NAME" in said


def test_data_that_changed_within_a_search(
    words: list[str], data: dict[str, Path], tmp_path: Path, capsys: Any
) -> None:
    own = tmp_path / "own.csv"
    own.write_text(data["classification"].read_text())
    search = [*words, f"data.train={own}", "search=grid", "hparams.warmup=0,0.2", "search.confirm.top=0"]
    assert main([*search, "search.trials=1"]) == 0
    own.write_text(data["classification"].read_text() + "the very same again,billing\n")
    assert main(search) == 2
    assert "its data have changed since: " in capsys.readouterr().err


def test_the_space_of_a_task_and_its_usual_values_first(words: list[str], tmp_path: Path, capsys: Any) -> None:
    assert main([*words, "search=tpe", "search.trials=1", "search.confirm.top=0"]) == 0
    said = capsys.readouterr().out
    assert "hparams.label_smoothing: 0 to 0.2" in said
    assert "hparams.batch_size" not in said.partition("To train")[0], "it has a value on the command line"
    (trial,) = trials_of(tmp_path)
    assert "hparams.batch_size" not in trial["values"]
    assert trial["values"]["hparams.warmup"] == 0.1


def test_weights_that_were_there_before_stay(words: list[str], tmp_path: Path) -> None:
    assert main([*words[1:], "hparams.learning_rate=0.0001"]) == 0
    search = [*words, "search=grid", RATES, "search.keep_models=1", "search.confirm.top=0"]
    assert main(search) == 0
    assert len(list(tmp_path.rglob("model/model.safetensors"))) == 2


def test_the_winners_weights_are_kept(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The winner over fresh seeds need not be the best by one seed: here it is the last of three."""

    def confirm_the_last(*given: Any) -> list[Confirmed]:
        best = given[3]
        return [Confirmed(best[-1], [Outcome("run", "validation macro_f1", 0.5, None)])]

    monkeypatch.setattr("recipes.searching.searching.confirm", confirm_the_last)
    assert main([*words, "search=grid", "hparams.learning_rate=0.0001,0.01,0.02", "search.keep_models=1"]) == 0
    trials = sorted(trials_of(tmp_path), key=lambda trial: (-trial["value"], trial["number"]))
    directories = [tmp_path / trial["outcome"]["directory"] for trial in trials]
    assert [one for one in directories if list(one.glob("model/*.safetensors"))] == [directories[-1]]


def test_a_small_space_has_fewer_trials(words: list[str], tmp_path: Path, capsys: Any) -> None:
    assert main([*words, "search=tpe", RATES, "search.confirm.top=0", "search.trials=9", "hparams.epochs=1"]) == 0
    assert "there are no more than 2 different ones (search.trials=9)" in capsys.readouterr().out
    assert len(trials_of(tmp_path)) == 2


def test_a_run_without_its_weights_says_so(words: list[str], tmp_path: Path, capsys: Any) -> None:
    search = [*words, "search=grid", RATES, "search.keep_models=1", "search.confirm.top=0"]
    assert main(search) == 0
    worse = min(trials_of(tmp_path), key=lambda trial: (trial["value"], -trial["number"]))
    assert main([*words[1:], f"hparams.learning_rate={worse['values']['hparams.learning_rate']}"]) == 0
    assert "its weights were removed by a search" in capsys.readouterr().out


def test_runs_in_one_process_leave_nothing_behind(words: list[str], tmp_path: Path) -> None:
    """What a run leaves is found by the garbage collector, and not kept with what imports have made."""
    assert main([*words, "hparams.epochs=1,2"]) == 0
    before = gc.get_freeze_count()
    assert main([*words, "hparams.epochs=1,2", "seed=2,3"]) == 0
    assert gc.get_freeze_count() <= before
    gc.collect()
    assert sum(isinstance(one, torch.nn.Embedding) for one in gc.get_objects()) < 12, "those of one model or two"


def test_a_search_in_a_file_of_ones_own(words: list[str], tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    (tmp_path / "mine" / "experiment" / "rates.yaml").write_text(
        "# @package _global_\nhparams: {epochs: 1}\n"
        "search: {sampler: grid, space: {hparams.learning_rate: '0.0001,0.01'}, confirm: {top: 0}}\n"
    )
    plain = [word for word in words if "epochs" not in word]
    assert main([*plain, "--config-dir", str(tmp_path / "mine"), "experiment=rates"]) == 0
    said = capsys.readouterr().out
    assert len(trials_of(tmp_path)) == 2
    (best,) = re.findall(r"^To train with these values: (.+)", said, re.MULTILINE)
    assert main(shlex.split(best)[3:]) == 0
    assert "Already done: " in capsys.readouterr().out
