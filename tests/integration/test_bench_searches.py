"""The benches of learning curves and of trials: what they count, on runs of a tiny model."""

import json
from pathlib import Path

import pytest

from recipes.bench import curves, few_rows, trials
from recipes.bench.__main__ import main
from recipes.bench.few_rows import Source

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
