"""The benches of levers and of epochs: small sets as they say, runs that are kept, and gains by hand."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from recipes.bench import epochs, few_rows, levers
from recipes.bench.__main__ import main
from recipes.bench.epochs import Evaluated, compared
from recipes.bench.few_rows import Done, Job, small_files
from recipes.bench.levers import gains_of_levers, promises, told_gain
from tasks.scoring.score import Score

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set in the format and at the place of SST-2, with duplicates."""
    folder = tmp_path / "public" / "sst2_stsa"
    folder.mkdir(parents=True)
    for split, first in (("train", 0), ("dev", 200), ("test", 300)):
        rows = [
            f"{number % 2} the film number {number // 3 * 3} is {'good' if number % 2 else 'bad'}\n"
            for number in range(60)
        ]
        (folder / f"stsa.binary.{split}").write_text("".join(row.replace("number ", f"number {first}") for row in rows))
    monkeypatch.setenv("RECIPES_DATA", str(tmp_path / "public"))
    return tmp_path


def test_small_files_have_so_many_rows_of_each_label(reviews: Path) -> None:
    train, test = small_files("sst2", 5, 1, reviews / "data")
    rows = train.read_text().splitlines()[1:]
    assert Counter(row.rpartition(",")[2] for row in rows) == {"negative": 5, "positive": 5}
    assert len({row.partition(",")[2] for row in rows}) == 10, "no row twice"
    before = train.read_text(), test.read_text()
    assert small_files("sst2", 5, 1, reviews / "other")[0].read_text() == before[0]
    again = small_files("sst2", 5, 2, reviews / "data")
    assert again[0].read_text() != before[0]
    assert again[1].read_text() == before[1], "the test rows are the same for all seeds"


def test_each_lever_is_run_and_what_is_done_is_kept(
    reviews: Path, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(levers, "SEEDS", 2)
    monkeypatch.setattr(levers, "promises", lambda _: True)
    monkeypatch.setattr(levers, "LEVER_SIZES", {"sst2": (6,)})
    monkeypatch.setattr(levers, "LEVERS", {"default": (), "focal": ("focal=2",)})
    run_here = few_rows._run
    words = ["levers", "--output", str(reviews / "out"), f"model.path={models['bert']}", "hparams.max_steps=2"]
    assert main(words) == 0
    told = json.loads((reviews / "out" / "levers.json").read_text())["runs"]
    assert [(each["seed"], each["name"]) for each in told] == [
        (1, "default"),
        (1, "focal"),
        (2, "default"),
        (2, "focal"),
    ]
    table = (reviews / "out" / "levers.md").read_text()
    assert "| focal: focal=2 |" in table
    assert not list((reviews / "out").rglob("model.safetensors"))
    assert run_here(Job("sst2", 6, 1, "focal", ()), reviews / "out" / "levers", apart=True) == Done(
        **{name: told[1][name] for name in ("score", "seconds", "collapsed", "chosen")}
    ), "a run that is done is not done again"
    capsys.readouterr()


def test_gains_by_hand() -> None:
    # The mean is 0.1, the deviation 0.1, and Student's t of two degrees of freedom is 4.303.
    assert told_gain([0.1, 0.0, 0.2]) == "+0.100 (-0.148 to 0.348)"
    assert told_gain([-0.1]) == "-0.100"


def test_gains_are_those_over_the_same_rows_and_seed() -> None:
    scores = {("default", 2): 0.5, ("default", 1): 0.25, ("soup", 1): 0.5, ("soup", 2): 0.375}
    done = {Job("sst2", 6, seed, name, ()): Done(score, 1.0, False, None) for (name, seed), score in scores.items()}
    assert gains_of_levers(done)["soup"] == {"sst2, 6 a label": [0.25, -0.125]}


def test_a_lever_promises_something_if_it_gains_on_at_least_half_of_the_sets() -> None:
    assert promises({"a": [0.2, -0.1], "b": [-0.1]})
    assert not promises({"a": [0.2], "b": [0.0], "c": [-0.9]})


def test_results_that_are_known_are_not_measured_again(
    reviews: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(levers, "SEEDS", 1)
    monkeypatch.setattr(levers, "LEVER_SIZES", {"sst2": (6,)})
    monkeypatch.setattr(levers, "LEVERS", {"default": (), "focal": ("focal=2",)})
    known = {
        f"sst2-6-1-{name}": {"score": score, "seconds": 10.0, "collapsed": False, "chosen": None}
        for name, score in (("default", 0.5), ("focal", 0.75))
    }
    (reviews / "known.json").write_text(json.dumps({"machine": "another one", "runs": known}))
    words = ["levers", "--output", str(reviews / "out"), "--known", str(reviews / "known.json")]
    assert main(words) == 0
    assert "+0.250" in (reviews / "out" / "levers.md").read_text()
    with pytest.raises(SystemExit):
        main([*words, "hparams.max_steps=2"])
    assert "without overrides" in capsys.readouterr().err


def test_levers_that_promise_nothing_get_no_more_seeds(reviews: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levers, "SEEDS", 2)
    monkeypatch.setattr(levers, "LEVER_SIZES", {"sst2": (6,)})
    monkeypatch.setattr(levers, "LEVERS", {"default": (), "focal": ("focal=2",), "soup": ("soup=4",)})
    scores = {"1-default": 0.5, "2-default": 0.5, "1-focal": 0.75, "2-focal": 1.0, "1-soup": 0.25}
    known = {
        f"sst2-6-{name}": {"score": score, "seconds": 10.0, "collapsed": False, "chosen": None}
        for name, score in scores.items()
    }
    (reviews / "known.json").write_text(json.dumps({"machine": "another one", "runs": known}))
    assert main(["levers", "--output", str(reviews / "out"), "--known", str(reviews / "known.json")]) == 0
    table = (reviews / "out" / "levers.md").read_text()
    assert "| focal: focal=2 | +0.375 (-1.213 to 1.963) | +0.375 | 2 | 1.00x |" in table
    assert "| soup: soup=4 | -0.250 | -0.250 | 1 | 1.00x |" in table
    known_too = ["--output", str(reviews / "out"), "--known", str(reviews / "known.json")]
    assert main(["levers", "--seeds", "1", *known_too]) == 0
    assert "| focal: focal=2 | +0.250 | +0.250 | 1 | 1.00x |" in (reviews / "out" / "levers.md").read_text()


def test_the_results_in_the_documents_are_those_of_runs_of_the_bench() -> None:
    stored = json.loads((ROOT / "docs" / "measurements" / "levers.json").read_text())
    names = {
        f"{source}-{size}-{seed}-{name}"
        for source, sizes in levers.LEVER_SIZES.items()
        for size in sizes
        for seed in range(1, levers.SEEDS + 1)
        for name in levers.LEVERS
    }
    assert stored["runs"].keys() <= names
    assert all(Done(**result).score <= 1 for result in stored["runs"].values())


@pytest.mark.parametrize("sign", [1, -1])
def test_rules_keep_the_epochs_that_they_say(sign: int) -> None:
    """The third is a standard error and a half worse than the best, the fourth three."""
    validation, test = (0.5, 0.8, 0.8, 0.65, 0.5), (0.1, 0.2, 0.3, 0.9, 0.5)
    # Differences of any two to the best have draws that lie 0.1 above and below.
    draws = [[sign * value + step for step in ((0.0, 0.0) if value == 0.8 else (0.1, -0.1))] for value in validation]
    found = compared(
        Score("x", sign > 0),
        [
            Evaluated(sign * value, drawn, sign * other)
            for value, drawn, other in zip(validation, draws, test, strict=True)
        ],
    )
    assert found["kept"] == {
        "first of the best": 2,
        "best": 3,
        "one standard error": 3,
        "two standard errors": 4,
        "last": 5,
        "test's own choice": 4,
    }
    assert found["test"]["two standard errors"] == sign * 0.9
    assert found["epochs"] == 5


def test_each_epoch_is_scored_on_test(
    reviews: Path, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(epochs, "SIZES", {"sst2": (20,)})
    monkeypatch.setattr(epochs, "mapped", lambda function, jobs, _: map(function, jobs))
    words = [f"model.path={models['bert']}", "hparams.epochs=3", "hparams.batch_size=4", "runtime.device=cpu"]
    seen, evaluate = [], epochs._evaluated

    def evaluated(predictor: Any, *others: Any) -> Evaluated:
        seen.append(predictor.model.classifier.weight.norm().item())
        return evaluate(predictor, *others)

    monkeypatch.setattr(epochs, "_evaluated", evaluated)
    command = ["epochs", "--seeds", "2", "--output", str(reviews / "out"), *words]
    assert main(command) == 0
    cases = json.loads((reviews / "out" / "epochs.json").read_text())["cases"]
    assert [(one["seed"], one["epochs"], len(one["tests"])) for one in cases] == [(1, 3, 3), (2, 3, 3)]
    assert all(one["test"]["last"] == one["tests"][2] for one in cases)
    assert len(set(seen)) == 6, "each epoch has weights of its own"
    assert not list((reviews / "out").rglob("*.safetensors"))
    assert "| sst2, 20 a label | 4 | 3 |" in (reviews / "out" / "epochs.md").read_text()
    monkeypatch.setattr(epochs, "_trained", None)
    capsys.readouterr()
    assert main(command) == 0, "what is done is not done again"


def test_sets_that_are_not_there_are_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("RECIPES_DATA", str(tmp_path))
    assert main(["levers", "--seeds", "1", "--data", "trec6", "--output", str(tmp_path)]) == 2
    assert "there is no file" in capsys.readouterr().err
