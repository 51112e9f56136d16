"""report.json: the same parts in the same order as ever, read back as what was written."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from recipes.config.flat_keys import flatten
from recipes.reporting.sweep_page import sweep_page
from recipes.results.choice import Choice
from recipes.results.report import (
    DataFacts,
    Environment,
    ModelFacts,
    Objective,
    Report,
    TrainingFacts,
    load_report,
)
from recipes.results.run_directory import RunDirectory
from recipes.results.scores import format_score
from recipes.results.sweep_table import Job, Outcome, jobs_of, print_table, save_job
from recipes.results.verdict import Certainty, Verdict

REPORT = Report(
    status="finished",
    task="ner",
    model=ModelFacts("tiny", None, 12, ["classifier.weight"]),
    data=DataFacts(
        source={"train": "a.conll"},
        rows={"train": 3, "validation": 1, "test": 1},
        fingerprint="abc",
        files={"a.conll": "5 bytes"},
        labels=["O", "B-x", "I-x"],
        skipped={},
        repaired={"illegal tag transition": 1},
        examples={},
        notes=["cut off"],
    ),
    metrics={"validation": {"f1": 57.672, "loss": 0.5}, "test": {"f1": 0.25}},
    objective=Objective("f1", "validation", 57.672, greater_is_better=True),
    calibration={},
    training=TrainingFacts(
        seconds=1.5,
        total_seconds=2.5,
        seconds_by_phase={"reading": 0.1},
        seconds_to_first_step=None,
        rows_per_second=2.0,
        tokens_per_second=10.0,
        gflops_per_second=0.1,
        steps=3,
        epochs=1.0,
        batch_size=16,
        learning_rate=1e-4,
        tokens_at_once=2048,
        windows=3,
        padding_share=0.1,
        kept_epoch=1.0,
        peak_memory_mb=500.0,
    ),
    history=[{"epoch": 1.0, "step": 3, "loss": 1.0, "validation_loss": 0.5, "f1": 57.672}],
    environment=Environment({"torch": "2"}, "cpu", "Fast One", 2, 2, 1, "fp32", None),
    seed=1,
    command="python -m recipes.run",
)

KEYS = [
    "status",
    "task",
    "model.path",
    "model.revision",
    "model.parameters",
    "model.new_weights",
    "model.notes",
    "data.source.train",
    "data.rows.train",
    "data.rows.validation",
    "data.rows.test",
    "data.fingerprint",
    "data.files.a.conll",
    "data.labels",
    "data.skipped",
    "data.repaired.illegal+tag+transition",
    "data.examples",
    "data.notes",
    "data.label_counts",
    "data.recognised",
    "metrics.validation.f1",
    "metrics.validation.loss",
    "metrics.test.f1",
    "objective.name",
    "objective.split",
    "objective.value",
    "objective.greater_is_better",
    "calibration",
    "training.seconds",
    "training.total_seconds",
    "training.seconds_by_phase.reading",
    "training.seconds_to_first_step",
    "training.rows_per_second",
    "training.tokens_per_second",
    "training.gflops_per_second",
    "training.steps",
    "training.epochs",
    "training.batch_size",
    "training.learning_rate",
    "training.tokens_at_once",
    "training.windows",
    "training.padding_share",
    "training.kept_epoch",
    "training.peak_memory_mb",
    "training.averaged_steps",
    "history",
    "environment.versions.torch",
    "environment.device",
    "environment.device_name",
    "environment.cores",
    "environment.threads",
    "environment.processes",
    "environment.precision",
    "environment.git_commit",
    "seed",
    "command",
    "verdict.certainty",
    "verdict.baselines",
    "verdict.unseen_share",
    "verdict.uncalibrated_error",
    "verdict.collapsed",
    "choice",
]
"What reads these files looks for these names."


def test_a_report_without_a_verdict_is_read_and_one_with_a_strange_verdict_is_not() -> None:
    tree = asdict(REPORT)
    older = {name: value for name, value in tree.items() if name != "verdict"}
    assert Report.from_dict(older) == REPORT
    for strange in (3, {}, {**tree["verdict"], "certainty": {"test": {"units": 3}}}):
        with pytest.raises(ValueError, match=r"^verdict can't be read"):
            Report.from_dict({**tree, "verdict": strange})


def test_a_report_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    REPORT.save(path)
    assert load_report(path) == REPORT
    tree = json.loads(path.read_text())
    assert [key.replace(" ", "+") for key in flatten(tree)] == KEYS


def test_an_older_or_newer_report(tmp_path: Path) -> None:
    tree: dict[str, Any] = asdict(REPORT)
    assert Report.from_dict({**tree, "later": 1, "model": {**tree["model"], "later": 2}}) == REPORT
    del tree["model"]["notes"]  # added later
    assert Report.from_dict(tree) == REPORT
    del tree["training"]["windows"]
    with pytest.raises(ValueError, match=r"^no TrainingFacts\.windows$"):
        Report.from_dict(tree)
    faults: list[Any] = [{"test": {}}, {"test": {"f1": "high"}}, None, {"test": None}]
    for faulty in faults:
        with pytest.raises(ValueError, match=r"^metrics"):
            Report.from_dict({**asdict(REPORT), "metrics": faulty})
    with pytest.raises(ValueError, match=r"^data.files"):
        Report.from_dict({**asdict(REPORT), "data": {**asdict(REPORT)["data"], "files": []}})
    (tmp_path / "report.json").write_text(json.dumps({**asdict(REPORT), "status": "begun"}))
    assert load_report(tmp_path / "report.json") is None
    assert load_report(tmp_path / "none.json") is None


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.57672, "0.5767"), (57.672, "57.67"), (1.0, "1.0000"), (-0.25, "-0.2500"), (None, "-"), (float("nan"), "-")],
)
def test_a_score_is_written_one_way(value: float | None, written: str) -> None:
    assert format_score(value) == written


def test_the_table_of_a_sweep_has_intervals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sure = Certainty("row", 50, 10_000, 0.95, {"f1": [50.12, 60.0]})
    report = replace(REPORT, verdict=Verdict({"validation": sure, "test": replace(sure, intervals={"f1": [0.2, 0.3]})}))
    save_job(tmp_path, Job(1, ["seed=1"], Outcome.of(report, RunDirectory(Path("runs/1")))))
    assert print_table(tmp_path)
    assert "57.67 (50.1 to 60.0)  0.2500 (0.200 to 0.300)  runs/1" in capsys.readouterr().out


def test_the_table_of_a_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Outcome.of(REPORT, RunDirectory(Path("runs/1")))
    assert outcome == Outcome("runs/1", "validation f1", 57.672, 0.25)
    save_job(tmp_path, Job(0, ["seed=1", "a=1"], replace(outcome, objective=12.5)))
    save_job(tmp_path, Job(1, ["seed=2", "a=1"], outcome))
    save_job(tmp_path, Job(2, ["seed=3", "a=1"], None, error="no room\non this disk"))
    save_job(tmp_path, Job(3, ["seed=4", "a=1"], replace(outcome, objective=float("nan"))))
    assert not print_table(tmp_path)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1] == ["Sweep", "of", "4", "jobs,", "best", "first,", "1", "failed"]
    assert lines[2] == ["seed", "validation", "f1", "test", "run", "directory"]
    assert [line[:3] for line in lines[4:8]] == [
        ["2", "57.67", "0.2500"],
        ["1", "12.50", "0.2500"],
        ["4", "-", "0.2500"],
        ["3", "-", "-"],
    ]
    assert lines[7][3:] == ["failed:", "no", "room"]


def test_a_sweep_over_an_error_ranks_the_smallest_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, error in enumerate((0.5, 0.25, 2.0)):
        outcome = Outcome("run", "validation rmse", error, None, greater_is_better=False)
        save_job(tmp_path, Job(number, [f"seed={number}"], outcome))
    assert print_table(tmp_path)
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()[4:7]] == ["0.2500", "0.5000", "2.00"]


def test_scores_on_other_rows_are_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held_out = Choice("linear", "the best of 1 by cross-validation", "f1", 3, 40, True, [])
    folder = RunDirectory(tmp_path / "run")
    outcomes = [Outcome.of(report, folder) for report in (REPORT, replace(REPORT, choice=held_out))]
    assert [outcome.objective_name for outcome in outcomes] == ["validation f1", "out-of-fold f1"]
    given = replace(held_out, stands_for_validation=False)
    assert Outcome.of(replace(REPORT, choice=given), folder).objective_name == "validation f1"
    save_job(tmp_path, Job(0, ["seed=0"], outcomes[0]))
    print_table(tmp_path)
    assert "Not all jobs are ranked on the same rows" not in capsys.readouterr().out
    save_job(tmp_path, Job(1, ["seed=1"], outcomes[1]))
    print_table(tmp_path)
    assert "Not all jobs are ranked on the same rows" in capsys.readouterr().out
    assert "Not all jobs are ranked on the same rows" in (tmp_path / "sweep.txt").read_text()
    assert "Not all jobs are ranked on the same rows" in sweep_page(jobs_of(tmp_path), tmp_path)


def judged(test: int, validation: int, stands: bool | None) -> Report:
    rows: Any = {"train": 36, "validation": validation, "test": test}
    metrics: Any = {split: {"f1": 0.5} for split in ("validation", "test") if rows[split]}
    choice = None if stands is None else Choice("linear", "why", "f1", 3, 36, stands, [])
    return replace(REPORT, data=replace(REPORT.data, rows=rows), metrics=metrics, choice=choice)


def test_few_test_rows_say_less_than_rows_that_were_predicted_out_of_fold() -> None:
    assert judged(4, 36, True).judged == "validation"
    assert judged(4, 3, True).judged == "test"
    assert judged(20, 36, True).judged == "test"
    assert judged(4, 36, False).judged == judged(4, 36, None).judged == "test"
    assert judged(0, 36, None).judged == "validation"


def test_what_few_test_rows_are_worth_is_said() -> None:
    assert judged(20, 36, None).worth_of_test() == judged(0, 36, None).worth_of_test() == ""
    assert "study=cross_validation" in judged(4, 36, None).worth_of_test()
    said = judged(1, 36, True).worth_of_test()
    assert said.startswith("1 test row: too few")
    assert said.endswith("each of its 36 rows was predicted unseen")


def with_epochs(scores: Sequence[float | None], kept: float | None, greater: bool = True) -> Report:
    """A report of a training with these scores, of which one evaluation's weights were kept; there are two an epoch."""
    history = [
        {"epoch": number / 2, "step": float(number)} | ({} if score is None else {"f1": score})
        for number, score in enumerate(scores, 1)
    ]
    return replace(
        REPORT,
        history=history,
        objective=Objective("f1", "validation", 0.5, greater_is_better=greater),
        training=replace(REPORT.training, kept_epoch=kept),
    )


def test_an_epoch_that_is_better_by_chance_alone_is_passed_over() -> None:
    scores = (0.5, 0.8, None, 0.7)
    over = with_epochs(scores, 2.0).passed_over()
    assert over is not None
    assert (over["epoch"], over["f1"]) == (1.0, 0.8)
    assert with_epochs(scores, 1.0).passed_over() is None
    assert with_epochs(scores, None).passed_over() is None, "the last weights, unchosen"
    over = with_epochs(scores, 2.0, greater=False).passed_over()
    assert over is not None
    assert over["epoch"] == 0.5
    for kept in (0.5, 1.0):
        assert with_epochs((0.8, 0.8, 0.7), kept).passed_over() is None, "of equal ones, either may be kept"
    thirds = with_epochs((0.5, 0.8, 0.7), 0.67)
    history = [{**line, "epoch": number / 3} for number, line in enumerate(thirds.history, 1)]
    assert replace(thirds, history=history).passed_over() is None, "the kept one is known to two digits"
    averaged = with_epochs(scores, 2.0)
    assert replace(averaged, training=replace(averaged.training, averaged_steps=[2, 4])).passed_over() is None
