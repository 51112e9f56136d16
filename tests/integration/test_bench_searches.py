"""The benches of learning curves, of trials and of searches: what they count, on runs of a tiny model."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import create_trial

from recipes.bench import curves, few_rows, searches, trials
from recipes.bench.__main__ import main
from recipes.bench.few_rows import Source
from recipes.bench.searches import Reached
from recipes.results.sweep_table import Outcome
from recipes.searching.store import OUTCOME

FIXED = ("hparams.max_steps=2", "hparams.keep=last", "hparams.batch_size=8", "runtime.threads=1")
FEW = ("data.limit.validation=8", "data.limit.test=20")


@pytest.fixture
def words(models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("RECIPES_CACHE", str(tmp_path / "cache"))
    return [*FIXED, *FEW, f"model.path={models['bert']}", "--output", str(tmp_path)]


def test_curves_are_held_against_a_run_on_all_rows(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(few_rows.SOURCES, "sst2", Source("classification", "classification_sample"))
    monkeypatch.setattr(curves, "SIZES", {"sst2": (10, 20, 40)})
    monkeypatch.setattr(curves, "SEEDS", 1)
    assert main(["curves", *words]) == 0
    (case,) = json.loads((tmp_path / "curves.json").read_text())["cases"]
    assert [rows for rows, _ in case["points"]] == [10, 20, 40]
    assert case["rows"] == 480
    low, high = case["of a run"]
    assert case["within"] == (low <= case["measured"] <= high)
    assert not list(tmp_path.rglob("model.safetensors"))


def test_memory_is_seen_after_each_trial(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "TRIALS", 3)
    monkeypatch.setattr(trials, "EARLY", 1)
    without = [word for word in words if "batch_size" not in word]
    assert main(["trials", *without]) == 0
    found = json.loads((tmp_path / "trials.json").read_text())
    assert len(found["memory"]) == len(found["seconds"]) == 3
    assert all(memory > 100e6 for memory in found["memory"])


def test_searches_get_equal_seconds(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(few_rows.SOURCES, "trec6", Source("classification", "classification_sample"))
    monkeypatch.setattr(searches, "SETS", ("trec6",))
    monkeypatch.setattr(searches, "TRIALS", 3)
    monkeypatch.setattr(searches, "MORE", 1)
    monkeypatch.setattr(searches, "FIXED", ())
    without = [word for word in words if "batch_size" not in word and "keep=last" not in word]
    assert main(["searches", "--repetitions", "1", *without]) == 0
    (case,) = json.loads((tmp_path / "searches.json").read_text())["cases"]
    assert case["random"]["trials"] == 3
    assert case["random"]["ended_early"] == 0
    assert case["tpe"]["trials"] >= 1
    assert case["pruners"]["median"] == {"saved": 0, "kept": True}, "no median before five trials are complete"


def _trial(values: list[float], seconds: int) -> Any:
    begun = datetime(2026, 1, 1)
    outcome = Outcome("run", "validation macro_f1", values[-1], values[-1] - 0.1)
    trial = create_trial(
        value=values[-1], intermediate_values=dict(enumerate(values, 1)), user_attrs={OUTCOME: asdict(outcome)}
    )
    trial.datetime_start, trial.datetime_complete = begun, begun + timedelta(seconds=seconds)
    return trial


def test_what_a_pruner_would_have_saved() -> None:
    good, bad, best = [0.5, 0.6, 0.7, 0.8], [0.1, 0.2, 0.3, 0.4], [0.6, 0.7, 0.8, 0.9]
    trials = [*(_trial(good, 100) for _ in range(5)), _trial(bad, 100), _trial(best, 200)]
    # The sixth is below the median of five at its first evaluation of four: 75 of 800 seconds are saved.
    assert searches.replay(trials, "median") == {"saved": pytest.approx(75 / 800), "kept": True}
    first, later = Reached.within(trials, 500), Reached.within(trials, 800)
    assert (first.trials, later.trials) == (5, 7)


def test_a_pruner_that_ends_the_best_is_told() -> None:
    slow = [0.1, 0.2, 0.3, 0.99]
    trials = [*(_trial([0.5, 0.6, 0.7, 0.8], 100) for _ in range(5)), _trial(slow, 100)]
    assert not searches.replay(trials, "median")["kept"]
