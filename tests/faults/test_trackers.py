"""A run that is killed and goes on is one run in each tracker; what the trackers hold is read by their own means."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Command, Harm, interrupted, run_directory

FILES = {"report.json", "report.html", "model/README.md", "config.yaml"}


@dataclass
class Found:
    """A run as a tracker holds it."""

    points: list[tuple[str, int, float]]
    "Name, step and value of each point of each curve."
    scores: dict[str, float]
    parameters: dict[str, str]
    files: set[str] | None = None
    "None: the tracker keeps no files."
    state: str = "finished"
    more: dict[str, Any] = field(default_factory=dict)


def read_tensorboard(folder: Path) -> list[Found]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run_directory(folder / "outputs") / "tensorboard"), size_guidance={"scalars": 0})
    events.Reload()
    points = [(name, one.step, one.value) for name in events.Tags()["scalars"] for one in events.Scalars(name)]
    (config,) = events.Tensors("config/text_summary")
    (text,) = config.tensor_proto.string_val
    rows = [line.strip("| ").split(" | ") for line in text.decode().splitlines()[2:]]
    assert "_hparams_/session_start_info" in events.summary_metadata
    scores = {name: value for name, _, value in points if name.startswith(("validation/", "test/"))}
    return [Found(points, scores, {row[0]: row[-1] for row in rows})]


def read_mlflow(folder: Path) -> list[Found]:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    found = []
    for run in client.search_runs([one.experiment_id for one in client.search_experiments()]):
        run_id = run.info.run_id
        points = [
            (name, one.step, one.value) for name in run.data.metrics for one in client.get_metric_history(run_id, name)
        ]
        paths = {file.path for place in (None, "model") for file in client.list_artifacts(run_id, place)}
        scores = {name: value for name, value in run.data.metrics.items() if name.startswith(("validation/", "test/"))}
        found.append(
            Found(points, scores, run.data.params, paths - {"model"}, run.info.status.lower(), more=run.data.tags)
        )
    return found


def read_wandb(folder: Path) -> list[Found]:
    from wandb.proto.wandb_internal_pb2 import Record

    found = []
    for path in sorted(folder.glob("wandb/offline-run-*/*.wandb")):
        run = Found([], {}, {}, set(), state="running")
        for block in log_records(path.read_bytes()[7:], offset=7):
            record = Record()
            record.ParseFromString(block)
            kind = record.WhichOneof("record_type")
            if kind == "run":
                run.parameters = {item.key: item.value_json.strip('"') for item in record.run.config.update}
            elif kind == "history":
                values = {"/".join([item.key or "", *item.nested_key]).strip("/"): item for item in record.history.item}
                run.points += [
                    (name, record.history.step.num, json.loads(item.value_json))
                    for name, item in values.items()
                    if not name.startswith("_")
                ]
            elif kind == "summary":
                update = {
                    "/".join([item.key or "", *item.nested_key]).strip("/"): item for item in record.summary.update
                }
                scores = {name: one for name, one in update.items() if name.startswith(("validation/", "test/"))}
                run.scores |= {name: json.loads(item.value_json) for name, item in scores.items()}
            elif kind == "artifact":
                run.files = {entry.path for entry in record.artifact.manifest.contents}
            elif kind == "exit":
                run.state = "failed" if record.exit.exit_code else "finished"
        found.append(run)
    return found


def log_records(data: bytes, offset: int) -> Iterator[bytes]:
    """Return the records of a log in LevelDB's format: blocks of 32 KiB; a record may go over several of them."""
    at, parts = 0, b""
    while at + 7 <= len(data):
        left = 32768 - (at + offset) % 32768
        if left < 7:
            at += left
            continue
        size, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        parts += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # a whole record, or the last part of one
            yield parts
            parts = b""


def read_trackio(folder: Path) -> list[Found]:
    (database,) = folder.glob("hf/trackio/*.db")
    found = []
    with sqlite3.connect(database) as connection:
        for run_id, config in connection.execute("SELECT run_id, config FROM configs").fetchall():
            rows = connection.execute("SELECT step, metrics FROM metrics WHERE run_id = ?", [run_id]).fetchall()
            points = [(name, step, value) for step, values in rows for name, value in json.loads(values).items()]
            scores = {name: value for name, _, value in points if name.startswith(("validation/", "test/"))}
            parameters = {name: str(value) for name, value in json.loads(config).items()}
            (manifest,) = connection.execute("SELECT manifest FROM artifact_versions").fetchone()
            files = {name for name in FILES if f'"{name}"' in str(manifest)}
            found.append(Found(points, scores, parameters, files))
    return found


READERS: dict[str, Callable[[Path], list[Found]]] = {
    "tensorboard": read_tensorboard,
    "mlflow": read_mlflow,
    "wandb": read_wandb,
    "trackio": read_trackio,
}

TRACKERS = [
    "tensorboard",
    "mlflow",
    pytest.param("wandb", marks=pytest.mark.package("wandb")),
    pytest.param("trackio", marks=pytest.mark.package("trackio")),
]


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning")  # MLflow's own
@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_killed_run_goes_on_in_the_same_run_of_the_tracker(
    tracker: str, harm: Harm, command: Command, tmp_path: Path
) -> None:
    # Checkpoints are four steps apart: some steps before the kill are done again.
    tracked = command("ner", f"tracker={tracker}", "runtime.checkpoint_every=4steps")
    interrupted(harm, tracked, ("training_step", 27))
    ended = harm({"offline": True}, *tracked, HF_TOKEN="hf_secret", HF_HUB_OFFLINE="0", WANDB_API_KEY="")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("tracker  ") == 1, ended.stdout
    assert "goes on after step" in ended.stdout
    (run,) = READERS[tracker](tmp_path)
    report = json.loads((run_directory(tmp_path / "outputs") / "report.json").read_text())
    steps = report["training"]["steps"]
    epochs = [entry["step"] for entry in report["history"]]
    doubled = {place: count for place, count in Counter(point[:2] for point in run.points).items() if count > 1}
    assert not doubled
    curves: dict[str, dict[int, float]] = {}
    for name, step, value in run.points:
        curves.setdefault(name, {})[step] = value
    assert sorted(curves["train/loss"]) == sorted(curves["train/learning_rate"]) == list(range(1, steps + 1))
    for entry in report["history"]:
        assert curves["eval/f1"][entry["step"]] == pytest.approx(entry["f1"], abs=1e-6)
    assert sorted(curves["eval/loss"]) == epochs
    first = [curves["train/loss"][step] for step in range(1, epochs[0] + 1)]
    assert sum(first) / len(first) == pytest.approx(report["history"][0]["loss"], abs=1e-5)
    assert max(curves["train/learning_rate"].values()) == pytest.approx(0.01, rel=0.1)
    for split, scores in report["metrics"].items():
        assert run.scores[f"{split}/f1"] == pytest.approx(scores["f1"], abs=1e-6)
    intervals = report["verdict"]["certainty"]["validation"]["intervals"]
    for name, bounds in intervals.items():
        if bounds is not None:
            assert run.scores[f"validation/{name}_low"] == pytest.approx(bounds[0], abs=1e-6)
    assert run.parameters["hparams.batch_size"] == "4"
    assert run.state == "finished"
    assert run.files is None or run.files == FILES
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in written if b"hf_secret" in path.read_bytes()]


@pytest.mark.package("wandb")
def test_wandb_without_a_login_asks_nothing(harm: Harm, command: Command, tmp_path: Path) -> None:
    """Only who asks for `WANDB_MODE=online` is told that there is no login."""
    home = {"HOME": str(tmp_path), "WANDB_API_KEY": ""}
    done = harm({}, *command("ner"), "tracker=wandb", "hparams.epochs=1", WANDB_MODE="online", **home)
    assert done.returncode == 0, done.stderr
    assert "wandb can't be used: WANDB_MODE=online, but there is no login" in done.stdout
