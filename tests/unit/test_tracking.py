"""What a tracker is told about a training, when, and what is left of a training whose tracker fails."""

import hashlib
import json
import logging
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recipes.checkpoints.training_state import random_state
from recipes.config.schema import Config, Tracker
from recipes.results.run_directory import RunDirectory
from recipes.results.verdict import Certainty, Verdict
from recipes.run import main
from recipes.system.signals import Interrupted
from recipes.tracking import tracking
from recipes.tracking.client import Client, Ended, Point, Results, TrackedRun
from recipes.tracking.facts import results, tracked_run
from recipes.tracking.isolation import reason, undisturbed
from recipes.tracking.mlflow import parameters_of
from recipes.tracking.registry import CLIENTS, require_tracker
from recipes.tracking.tracking import NoTracking, Tracking, track
from tasks.errors import InputError
from tests.unit.test_report import REPORT

RUN = TrackedRun("project", "name", Path("directory"), {"seed": 1}, {"task": "ner"})


class Service:
    """A tracker in memory: what it has been told, and which calls it refuses."""

    def __init__(self) -> None:
        self.runs: dict[str, list[Point]] = {}
        self.results: dict[str, Results] = {}
        self.ended: dict[str, Ended] = {}
        self.parameters: list[Mapping[str, Any]] = []
        self.refused: set[str] = set()
        self.calls: list[str] = []

    def call(self, name: str) -> None:
        self.calls.append(name)
        # What clients may do besides: use up random numbers, and print.
        random.random()  # noqa: S311
        np.random.rand()
        torch.rand(1)
        print("noise")
        print("noise", file=sys.stderr)
        logging.getLogger("noise").error("noise")
        warnings.warn("noise", stacklevel=1)
        if name in self.refused:
            raise ConnectionError(f"no {name} with http://ada:secret@example.org/.\nDetails.")

    def begin(self, run: TrackedRun, earlier: str | None) -> Client:
        self.call("begin")
        run_id = earlier if earlier in self.runs else str(len(self.runs) + 1)
        if run_id not in self.runs:
            self.parameters.append(run.parameters)
        self.runs.setdefault(str(run_id), [])
        self.ended.pop(str(run_id), None)
        return MemoryClient(self, str(run_id))

    def values(self, run_id: str = "1") -> list[tuple[int, str, float]]:
        return [(point.step, name, value) for point in self.runs[run_id] for name, value in point.values.items()]


class MemoryClient(Client):
    shown = "in memory"

    def __init__(self, service: Service, run_id: str) -> None:
        self.service, self.run_id = service, run_id
        self.before = {(name, step) for step, name, _ in service.values(run_id)}

    def has(self, name: str, step: int) -> bool:
        return (name, step) in self.before

    def log(self, points: Sequence[Point]) -> None:
        self.service.call("log")
        self.service.runs[self.run_id] += points

    def finish(self, results: Results) -> None:
        self.service.call("finish")
        self.service.results[self.run_id] = results

    def close(self, ended: Ended) -> None:
        self.service.call("close")
        self.service.ended[self.run_id] = ended


@pytest.fixture
def service() -> Service:
    return Service()


class Training:
    """A Trainer of two epochs of three steps, as its callbacks see it. The loss of step n is n, the rate 1 / n."""

    def __init__(self) -> None:
        self._tr_loss = torch.tensor(0.0)
        self.callbacks: list[Tracking] = []
        self.arguments: Any = SimpleNamespace(num_train_epochs=2.0)

    def add_callback(self, callback: Tracking) -> None:
        self.callbacks.append(callback)

    def train(self, first: int = 1, last: int = 6, loss_sum: float = 0.0) -> None:
        self._tr_loss.fill_(loss_sum)
        (callback,) = self.callbacks
        callback.on_train_begin(self.arguments, self.state(first - 1), None)
        for step in range(first, last + 1):
            rates = SimpleNamespace(param_groups=[{"lr": 1 / step}])
            callback.on_optimizer_step(self.arguments, self.state(step - 1), None, optimizer=rates)
            self._tr_loss += step
            callback.on_step_end(self.arguments, self.state(step), None)
            if step % 3 == 0:
                callback.on_epoch_end(self.arguments, self.state(step), None)
                self._tr_loss.fill_(0.0)
                metrics = {"eval_loss": 0.5, "eval_f1": step / 10, "eval_f1/place": 0.25, "eval_runtime": 9.0}
                callback.on_evaluate(self.arguments, self.state(step), None, metrics=metrics)

    def state(self, step: int) -> Any:
        return SimpleNamespace(global_step=step, max_steps=6)


def tracked(service: Service, folder: Path, anew: bool = False, **identity: Any) -> Tracking:
    return Tracking("memory", service.begin, RUN, RunDirectory(folder), identity, anew)


ALL = [
    *((step, "train/loss", float(step)) for step in range(1, 7)),
    *((step, "train/learning_rate", 1 / step) for step in range(1, 7)),
    *((step, "eval/loss", 0.5) for step in (3, 6)),
    *((step, "eval/f1", step / 10) for step in (3, 6)),
]


def test_each_step_and_each_evaluation_is_a_point(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = Training()
    with tracked(service, tmp_path) as following:
        following.start(training)
        training.train()
        following.finish(REPORT)
    assert sorted(service.values()) == sorted(ALL)
    assert service.ended == {"1": "finished"}
    assert service.parameters == [{"seed": 1}]
    assert capsys.readouterr() == ("tracker     memory: in memory\n", "")


def test_the_loss_of_a_long_epoch_is_a_mean_of_several_steps(service: Service, tmp_path: Path) -> None:
    training = Training()
    training.arguments.num_train_epochs = 2 / 3 / 10  # as if an epoch had 90 steps: a point at every fifth step
    following = tracked(service, tmp_path)
    following.start(training)
    training.train(last=2)
    assert service.values() == []
    training.train(first=3, loss_sum=1 + 2)
    losses = [(step, value) for step, name, value in service.values() if name == "train/loss"]
    assert losses == [(3, (1 + 2 + 3) / 3), (5, (4 + 5) / 2), (6, 6.0)], "an epoch's last steps are a point, too"


@pytest.mark.parametrize("killed_after", range(1, 7))
@pytest.mark.parametrize("saved_after", [0, 2, 3, 4])
@pytest.mark.parametrize("lost", [0, 2])
def test_a_killed_training_goes_on_without_points_that_are_lost_or_doubled(
    killed_after: int, saved_after: int, lost: int, service: Service, tmp_path: Path
) -> None:
    """Killed after a step, resumed from a checkpoint before it; the tracker may have lost what it had last."""
    if saved_after > killed_after:
        saved_after = 0
    training, following = Training(), tracked(service, tmp_path, seed=1)
    following.start(training)
    training.train(last=saved_after)
    loss_sum = float(training._tr_loss)
    saved = json.loads(json.dumps(following.state()))["attributes"]
    training.train(first=saved_after + 1, last=killed_after, loss_sum=loss_sum)
    if lost:
        del service.runs["1"][-lost:]

    training, following = Training(), tracked(service, tmp_path, seed=1)
    following.start(training)
    if saved_after:
        for name, value in saved.items():
            setattr(following, name, value)
    training.train(first=saved_after + 1, loss_sum=loss_sum)
    assert list(service.runs) == ["1"]
    assert sorted(service.values()) == sorted(ALL)


def test_what_is_killed_after_its_training_sends_its_points_with_the_results(service: Service, tmp_path: Path) -> None:
    training, following = Training(), tracked(service, tmp_path)
    following.start(training)
    training.train()
    saved = json.loads(json.dumps(following.state()))["attributes"]
    del service.runs["1"][-3:]
    following = tracked(service, tmp_path)
    following.start(Training())
    for name, value in saved.items():
        setattr(following, name, value)
    following.finish(REPORT)
    assert sorted(service.values()) == sorted(ALL)
    assert service.ended == {"1": "finished"}


def test_only_the_same_training_goes_on_in_the_same_run(service: Service, tmp_path: Path) -> None:
    tracked(service, tmp_path, seed=1).start(Training())
    tracked(service, tmp_path, seed=1).start(Training())
    assert list(service.runs) == ["1"]
    tracked(service, tmp_path, seed=2).start(Training())
    assert list(service.runs) == ["1", "2"]
    tracked(service, tmp_path, seed=2, anew=True).start(Training())
    assert list(service.runs) == ["1", "2", "3"]
    (tmp_path / "checkpoints" / "tracker.json").write_text('{"run": ')
    tracked(service, tmp_path, seed=2).start(Training())
    assert list(service.runs) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("refused", ["begin", "log", "finish", "close"])
def test_a_tracker_that_fails_costs_a_sentence(
    refused: str, service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.refused = {refused}
    training = Training()
    with tracked(service, tmp_path) as following:
        following.start(training)
        training.train()
        in_training = capsys.readouterr().out
        following.finish(REPORT)
    at_end = capsys.readouterr()
    said = in_training + at_end.out
    assert "noise" not in said + at_end.err
    assert "secret" not in said
    assert at_end.out.count(f"no {refused} with http://***@example.org/. The scores are in") == 1
    assert in_training.count("Training goes on") == (refused in ("begin", "log"))
    assert service.calls.count(refused) == (1 if refused in ("finish", "close") else 2), "one attempt more at the end"


@pytest.mark.parametrize("refused", ["begin", "log"])
def test_what_was_missing_is_sent_at_the_end(
    refused: str, service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.refused = {refused}
    training = Training()
    with tracked(service, tmp_path) as following:
        following.start(training)
        training.train()
        service.refused = set()
        following.finish(REPORT)
    assert sorted(service.values()) == sorted(ALL)
    assert service.ended == {"1": "finished"}
    assert capsys.readouterr().out.count("Training goes on") == 1


@pytest.mark.parametrize(
    ("error", "state"), [(Interrupted(2, "Interrupted."), "interrupted"), (InputError("no"), "failed")]
)
def test_a_run_that_is_left_early_is_marked(error: BaseException, state: str, service: Service, tmp_path: Path) -> None:
    following = tracked(service, tmp_path)
    following.start(Training())
    with pytest.raises(type(error)), following:
        raise error
    assert service.ended == {"1": state}


def test_a_client_changes_nothing_around_it(capsys: pytest.CaptureFixture[str]) -> None:
    service = Service()
    before, filters, disabled = random_state(), warnings.filters[:], logging.root.manager.disable
    with undisturbed():
        service.call("log")
    assert random_state() == before
    assert warnings.filters == filters
    assert logging.root.manager.disable == disabled
    service.refused = {"log"}
    with pytest.raises(ConnectionError), undisturbed():
        service.call("log")
    assert random_state() == before
    assert capsys.readouterr() == ("", "")
    with pytest.warns(UserWarning, match="heard again"):
        warnings.warn("heard again", stacklevel=1)


def test_a_reason_is_one_line_without_credentials() -> None:
    assert reason(ValueError("http://ada:secret@host/ is down.\nTraceback")) == "http://***@host/ is down"
    assert reason(ValueError()) == "ValueError"
    assert len(reason(ValueError("x" * 1000))) < 210


def test_the_scores_of_a_tracker_are_those_of_the_report(tmp_path: Path) -> None:
    metrics: Any = {"validation": {"f1": 0.5, "f1/place": 0.25}, "test": {"f1": 0.75, "loss": float("nan")}}
    certainty: Any = {"test": Certainty("row", 9, 100, 0.95, {"f1": [0.5, 0.875]})}
    report = replace(REPORT, metrics=metrics, verdict=Verdict(certainty=certainty))
    (tmp_path / "model").mkdir()
    for name in ("report.json", "report.html", "model/README.md", "config.yaml", "other.txt"):
        (tmp_path / name).write_text("x")
    found = results(report, RunDirectory(tmp_path))
    assert found.scores == {"validation/f1": 0.5, "test/f1": 0.75, "test/f1_low": 0.5, "test/f1_high": 0.875}
    assert set(found.files) == {"report.json", "report.html", "model/README.md", "config.yaml"}
    (tmp_path / "report.html").unlink()
    assert "report.html" not in results(report, RunDirectory(tmp_path)).files


def test_a_run_is_filed_with_its_config_and_tags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    config = Config(tracker=Tracker("mlflow", "mine"), seed=7)
    run = tracked_run(config, "abc", RunDirectory(tmp_path / "a" / "sst2" / "bert" / "default" / "seed=7"))
    assert (run.project, run.name) == ("mine", "sst2/bert/default/seed=7")
    assert run.parameters["hparams.batch_size"] == 16
    assert run.tags["seed"] == "7"
    assert run.tags["data_fingerprint"] == "abc"
    assert set(run.tags) == {"task", "model", "data", "data_fingerprint", "seed", "git_commit", "run_directory"}
    assert "hf_secret" not in str(run)


def test_mlflow_takes_every_parameter() -> None:
    with undisturbed():
        from mlflow.utils.validation import _validate_param_name

    @given(st.dictionaries(st.text(min_size=1, max_size=300), st.text(max_size=7000), max_size=3))
    def every(found: dict[str, str]) -> None:
        for name, value in parameters_of({f"hparams.{name}": value for name, value in found.items()}).items():
            _validate_param_name(name)
            assert len(name) <= 250
            assert len(value) <= 6000

    every()


def test_a_missing_package_is_named_with_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "folder_of_runs").mkdir()
    for name in ("no_such_tracker", "folder_of_runs"):
        with pytest.raises(InputError, match=rf"tracker={name} needs a package.* -e '\.\[{name}\]'"):
            require_tracker(Tracker(name))
    require_tracker(Tracker("none"))
    require_tracker(Tracker("json"))


def test_only_the_main_process_tracks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(tracker=Tracker("tensorboard"))
    assert isinstance(track(config, "", RunDirectory(tmp_path), {}), Tracking)
    assert isinstance(track(Config(), "", RunDirectory(tmp_path), {}), NoTracking)
    monkeypatch.setenv("RANK", "1")
    assert isinstance(track(config, "", RunDirectory(tmp_path), {}), NoTracking)


# The real command, with a tracker in memory


@pytest.fixture
def run_in(
    service: Service, data: dict[str, Path], models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """Run the real command in this process, with the tracker in memory in the place of TensorBoard."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tracking, "CLIENTS", {**CLIENTS, "tensorboard": service.begin})
    fixed = ["task=ner", "data=files", f"data.train={data['ner']}", f"model.path={models['bert']}"]
    small = [
        "hparams.epochs=2",
        "hparams.batch_size=4",
        "runtime.precision=fp32",
        "runtime.device=cpu",
        "runtime.threads=1",
    ]
    return lambda *more: main([*fixed, *small, *more])


def weights(folder: Path) -> str:
    (path,) = folder.rglob("model.safetensors")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_tracker_leaves_the_model_as_it_is_even_if_it_fails(
    run_in: Callable[..., int], service: Service, tmp_path: Path
) -> None:
    assert run_in("output_root=without") == 0
    assert run_in("output_root=with", "tracker=tensorboard") == 0
    service.refused = {"log", "finish", "close"}
    assert run_in("output_root=failing", "tracker=tensorboard") == 0
    assert weights(tmp_path / "with") == weights(tmp_path / "failing") == weights(tmp_path / "without")
    (path,) = (tmp_path / "with").rglob("report.json")
    report = json.loads(path.read_text())
    for epoch in report["history"]:
        steps = [
            value
            for step, name, value in service.values()
            if name == "train/loss" and epoch["step"] - report["training"]["steps"] // 2 < step <= epoch["step"]
        ]
        assert np.mean(steps) == pytest.approx(epoch["loss"], abs=1e-5), "an epoch's loss is the mean of its steps'"
        assert (epoch["step"], "eval/f1", epoch["f1"]) in service.values()
    assert service.results["1"].scores["test/f1"] == report["metrics"]["test"]["f1"]
    assert set(service.results["1"].files) >= {"report.json", "model/README.md", "config.yaml"}
    calls = len(service.calls)
    assert run_in("output_root=with", "tracker=tensorboard") == 0
    assert len(service.calls) == calls, "a run that is done already logs nothing"


def test_a_server_that_is_down_costs_two_sentences(
    run_in: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ada:secret@127.0.0.1:9")
    assert run_in("tracker=mlflow", "hparams.epochs=1") == 0
    printed = capfd.readouterr()
    assert printed.err == ""
    lines = [line for line in printed.out.splitlines() if line.startswith("tracker ")]
    assert len(lines) == 2
    assert "mlflow can't be used: " in lines[0]
    assert "127.0.0.1" in lines[0]
    assert lines[1].endswith(f"The scores are in {next(tmp_path.rglob('report.json')).relative_to(tmp_path)}")
    assert "secret" not in printed.out
    # By default MLflow waits for minutes.
    assert int(os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"]) <= 1
    assert int(os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"]) <= 10


def test_an_interrupted_run_goes_on_in_its_run_and_each_job_of_a_sweep_has_one(
    run_in: Callable[..., int], service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recipes.training.trainer import RecipeTrainer

    original, calls = RecipeTrainer.training_step, []

    def interrupted(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return original(*arguments, **named)

    monkeypatch.setattr(RecipeTrainer, "training_step", interrupted)
    assert run_in("tracker=tensorboard") == 130
    assert service.ended == {"1": "interrupted"}
    assert {step for step, *_ in service.values()} == {1, 2, 3}
    assert run_in("tracker=tensorboard") == 0
    assert service.ended == {"1": "finished"}
    steps = [step for step, name, _ in service.values() if name == "train/loss"]
    assert steps == list(range(1, len(steps) + 1))
    assert steps[-1] == service.results["1"].step
    assert run_in("-m", "tracker=tensorboard", "seed=1,2", "overwrite=true") == 0
    assert [step for step, name, _ in service.values("2") if name == "train/loss"] == steps
    assert service.ended == dict.fromkeys("123", "finished"), "each job has its run, and overwriting begins a new one"
