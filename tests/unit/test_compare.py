"""`recipes.compare` on directories as runs leave them."""

import csv
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from recipes import compare, report
from recipes.command.compare_line import OUTPUT_SUFFIXES
from recipes.command.composing import compose
from recipes.comparing.groups import Group
from recipes.comparing.page import FORMATS
from recipes.comparing.stored_runs import StoredRun
from recipes.comparing.verdicts import compare as compare_groups
from recipes.config.conversion import to_yaml
from recipes.results.sweep_table import Job, Outcome
from recipes.system.files import write_json
from tasks.scoring.labels import label_scores
from tests.unit.test_report import REPORT

GOLD = [("yes", "no")[number % 2] for number in range(60)]


def line_of(number: int, gold: Any, label: Any) -> dict[str, Any]:
    place = {"id": str(number), "file": "a.csv", "line": number}
    return {**place, "text": f"text {number}", "gold": gold, "prediction": {"label": label}}


def leave_run(
    folder: Path,
    right: float,
    seed: int = 1,
    choices: Sequence[str] = (),
    split: str = "test",
    gold: Sequence[str] = tuple(GOLD),
    objective: str = "accuracy",
) -> Path:
    """Leave a run that has a share of the rows right, other rows for each seed."""
    generator = random.Random(f"{right} {seed} {choices}")  # noqa: S311
    hits = set(generator.sample(range(len(gold)), round(right * len(gold))))
    lines = [
        line_of(number, label, label if number in hits else "no" if label == "yes" else "yes")
        for number, label in enumerate(gold)
    ]
    config = compose(["task=classification", "data=classification_sample", f"seed={seed}", *choices])
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(to_yaml(config))
    (folder / "predictions").mkdir()
    (folder / "predictions" / f"{split}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    score = label_scores([line["prediction"]["label"] for line in lines], list(gold))[objective]
    metrics: Any = {"validation": {objective: score}, split: {objective: score}}
    rows: Any = {"train": 3, "validation": len(gold), split: len(gold)}
    finished = replace(
        REPORT,
        task="classification",
        seed=seed,
        metrics=metrics,
        objective=replace(REPORT.objective, name=objective, value=score),
        data=replace(REPORT.data, labels=["no", "yes"], rows=rows),
    )
    write_json(folder / "report.json", asdict(finished))
    return folder


def compared(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = compare.main(list(map(str, arguments)))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Three seeds of two settings, of which the one with more epochs is far better."""
    for epochs, right in ((2, 0.6), (9, 0.95)):
        for seed in (1, 2, 3):
            leave_run(tmp_path / f"epochs={epochs}" / f"seed={seed}", right, seed, [f"hparams.epochs={epochs}"])
    return tmp_path


def test_seeds_of_a_setting_are_taken_together_and_the_better_one_is_named(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = compared(capsys, two)
    assert status == 0
    assert "accuracy on 60 test rows" in out
    best, worst = (
        next(line.split() for line in out.splitlines() if line.startswith(name)) for name in ("epochs=9", "epochs=2")
    )
    assert (best[1:3], worst[1:3]) == (["3", "0.9500"], ["3", "0.6000"])
    assert "epochs=9.0 is better than epochs=2.0: +0.3500 accuracy (0." in out
    assert out.index("epochs=9.0") < out.index("epochs=2.0")


def test_a_run_against_itself_or_its_copy_is_never_better(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = leave_run(tmp_path / "a", 0.8)
    status, out, _ = compared(capsys, one, one)
    assert (status, "One group of runs: nothing to compare it with" in out) == (0, True)
    leave_run(tmp_path / "b", 0.8)
    status, out, _ = compared(capsys, one, tmp_path / "b")
    assert status == 0
    assert "too few to tell (+0.0000, 0.000 to 0.000, p = 1): about 300 rows would tell a difference of 0.01" in out
    assert "better than" not in out
    many = ["yes", "no"] * 200
    for name in ("c", "d"):
        leave_run(tmp_path / name, 0.8, gold=many)
    assert "are tied: they differ by less than 0.01 (+0.0000" in compared(capsys, tmp_path / "c", tmp_path / "d")[1]


def test_of_few_rows_it_says_how_many_would_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leave_run(tmp_path / "a", 0.80, choices=["hparams.epochs=2"])
    leave_run(tmp_path / "b", 0.85, choices=["hparams.epochs=3"])
    _, out, _ = compared(capsys, tmp_path / "a", tmp_path / "b")
    assert "epochs=3.0 against epochs=2.0: too few to tell (+0.0500, -0." in out
    assert " rows would tell a difference of 0.01" in out
    assert "McNemar's exact test, epochs=3.0 against epochs=2.0: p = " in out


def test_with_one_seed_a_better_run_may_owe_it_to_the_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leave_run(tmp_path / "a", 0.5, choices=["hparams.epochs=2"])
    leave_run(tmp_path / "b", 1.0, choices=["hparams.epochs=3"])
    _, out, _ = compared(capsys, tmp_path)
    assert "is better than" in out
    assert "With one seed, it may be the seed" in out


def test_right_everywhere_is_better_than_right_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leave_run(tmp_path / "a", 0.0, choices=["hparams.epochs=2"])
    leave_run(tmp_path / "b", 1.0, choices=["hparams.epochs=3"])
    _, out, _ = compared(capsys, tmp_path)
    assert "epochs=3.0 is better than epochs=2.0: +1.0000 accuracy (1.000 to 1.000), p < 0.001" in out


@pytest.mark.parametrize("rows", [1, 4])
def test_a_handful_of_rows_tells_nothing(rows: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = leave_run(tmp_path / "a", 1.0, gold=["yes"] * rows)
    status, _, err = compared(capsys, one)
    assert (status, f"has {rows} rows on test, which are too few to tell anything" in err) == (2, True)


def test_three_groups_have_all_pairs_and_corrected_chances(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leave_run(two / "epochs=5" / "seed=1", 0.7, 1, ["hparams.epochs=5"])
    _, out, _ = compared(capsys, two / "epochs=*")
    assert "Chances are corrected for 3 pairs (Holm)" in out
    assert out.count("epochs=9.0 is better than") == 2


def test_five_seeds_have_an_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for epochs, right in ((2, 0.5), (3, 0.8)):
        for seed in range(5):
            leave_run(tmp_path / f"{epochs} {seed}", right + seed / 60, seed, [f"hparams.epochs={epochs}"])
    _, out, _ = compared(capsys, tmp_path)
    assert "almost stochastic order over seeds, epochs=3.0 against epochs=2.0: violation at most 0.00" in out


@pytest.mark.parametrize("suffix", [".md", ".csv", ".json"])
def test_a_comparison_is_written(suffix: str, two: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    output = tmp_path / f"out{suffix}"
    assert compared(capsys, two, "-o", output)[0] == 0
    text = output.read_text()
    if suffix == ".json":
        tree = json.loads(text)
        assert tree["pairs"][0]["verdict"] == "better"
        assert tree["pairs"][0]["difference"] == pytest.approx(0.35)
        assert [group["seeds"] for group in tree["groups"]] == [[1, 2, 3], [1, 2, 3]]
    elif suffix == ".csv":
        (row,) = csv.DictReader(text.splitlines())
        assert (row["ahead"], row["difference"], row["verdict"]) == ("epochs=9.0", "0.3500", "better")
    else:
        assert "| epochs=9.0 | 3 | 0.9500 | " in text
        assert "epochs=9.0 is better than epochs=2.0" in text
    status, _, err = compared(capsys, two, "-o", output)
    assert (status, "is there already. To write it anew: --overwrite" in err) == (2, True)


def test_a_comparison_does_not_write_over_a_report_of_its_runs(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = sorted(two.rglob("report.json"))[0]
    before = report.read_bytes()
    status, _, err = compared(capsys, two, "-o", report, "--overwrite")
    assert (status, "is one of the input's files" in err) == (2, True)
    assert report.read_bytes() == before


def test_a_sweep_is_compared_by_its_folder(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = two / "sweeps" / "ab" / "jobs"
    jobs.mkdir(parents=True)
    for number, run in enumerate(sorted(two.glob("epochs=*/seed=*"))):
        write_json(jobs / f"{number}.json", asdict(Job(number, [], Outcome(str(run), "validation accuracy", 0.5, 0.5))))
    write_json(jobs / "9.json", asdict(Job(9, [], None)))
    _, out, err = compared(capsys, jobs.parent)
    assert "epochs=9.0 is better than epochs=2.0" in out
    assert err == f"{jobs.parent}: left out, failed: job 9\n"
    moved = Outcome(str(two / "moved"), "validation accuracy", 0.5, 0.5)
    write_json(jobs / "10.json", asdict(Job(10, [], moved)))
    assert f"its run {two / 'moved'} is not there" in compared(capsys, jobs.parent)[2]


def test_unfinished_runs_below_a_folder_are_told(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (two / "epochs=2" / "seed=3" / "report.json").unlink()
    _, out, err = compared(capsys, two)
    assert "epochs=9.0 is better than epochs=2.0" in out
    assert err == f"{two}: left out, not finished: {two / 'epochs=2' / 'seed=3'}\n"


def test_questions_without_their_articles_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = leave_run(tmp_path / "a", 0.5)
    tree = json.loads((run / "report.json").read_text())
    write_json(run / "report.json", {**tree, "task": "qa"})
    assert "did not store what belongs to one article" in compared(capsys, run)[2]


def test_runs_on_other_rows_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = leave_run(tmp_path / "a", 0.5)
    two = leave_run(tmp_path / "b", 0.5, gold=[*GOLD[:-1], "yes"])
    status, _, err = compared(capsys, one, two)
    assert status == 2
    assert f"{two} and {one} have other test rows: row 60 is not the same" in err
    three = leave_run(tmp_path / "c", 0.5, gold=GOLD[:50])
    assert "have other test rows: 50 and 60" in compared(capsys, one, three)[2]


def test_what_can_not_be_compared_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = leave_run(tmp_path / "a", 0.5)
    only = leave_run(tmp_path / "b", 0.5, split="validation")
    unfinished = leave_run(tmp_path / "c", 0.5)
    (unfinished / "report.json").unlink()
    damaged = leave_run(tmp_path / "d", 0.5)
    (damaged / "predictions" / "test.jsonl").write_text('{"id": "1"}\n')
    (tmp_path / "empty").mkdir()
    for arguments, message in (
        ((), "Which runs are to be compared?"),
        ((tmp_path / "aa",), "is not there. Did you mean 'a'?"),
        ((tmp_path / "empty",), "there is no finished run"),
        ((one, unfinished), "this run is not finished"),
        ((one, damaged), "test.jsonl, line 1: is not what a run writes"),
        ((only, "--split", "test"), "has no scores on test, but on validation (--split validation)"),
        ((one, "--score", "acuracy"), "--score acuracy: no such score. There are: accuracy, "),
        ((one, "--split", "dev"), "--split dev: choose from test, validation"),
        ((one, "-o", "out.xlsx"), "the extension tells the format: .html, .md, .csv, .json"),
    ):
        status, _, err = compared(capsys, *arguments)
        assert status == 2
        assert message in err, err
    assert "accuracy on 60 validation rows" in compared(capsys, only)[1]


def test_runs_of_other_tasks_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = leave_run(tmp_path / "a", 0.5), leave_run(tmp_path / "b", 0.5)
    tree = json.loads((two / "report.json").read_text())
    scores = {"validation": {"f1": 0.0}, "test": {"f1": 0.0}}
    objective = {**tree["objective"], "name": "f1"}
    write_json(two / "report.json", {**tree, "task": "ner", "metrics": scores, "objective": objective})
    line = json.dumps({"id": "1", "tokens": ["a"], "gold": ["O"], "prediction": {"tags": ["O"], "entities": []}})
    (two / "predictions" / "test.jsonl").write_text(f"{line}\n" * len(GOLD))
    assert f"{two} is for ner, but {one} for classification" in compared(capsys, one, two)[2]


def test_a_card_is_written_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = leave_run(tmp_path / "a", 0.5)
    assert report.main([str(run)]) == 0
    assert "there is no model to write a card for" in capsys.readouterr().out
    assert "<h1>" in (run / "report.html").read_text()
    (run / "model").mkdir()
    assert report.main([str(tmp_path)]) == 0
    assert "| test | accuracy | 0.5000 | - |" in (run / "model" / "README.md").read_text()
    assert report.main([]) == 2
    assert report.main([str(run), "-o", "x"]) == 2
    assert "No flag '-o'" in capsys.readouterr().err
    assert report.main(["--help"]) == 0


def test_help_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert "python -m recipes.compare RUNS" in compared(capsys, "--help")[1]


def test_predictions_that_are_not_those_of_the_report_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = leave_run(tmp_path / "a", 0.5)
    file = one / "predictions" / "test.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:40]))
    assert "test.jsonl has 40 lines, but 60 rows were predicted" in compared(capsys, one)[2]
    file.write_text("".join(lines[:59]) + lines[0])
    assert "test.jsonl: gives accuracy 0." in compared(capsys, one)[2]
    file.write_text("".join(lines[:7]) + "{" + "".join(lines[8:]))
    assert "test.jsonl, line 8: is damaged" in compared(capsys, one)[2]
    file.unlink()
    assert "test.jsonl: can't be read: it is not there" in compared(capsys, one)[2]


@pytest.mark.parametrize(
    "broken", [{"prediction": None}, {"prediction": []}, {"gold": None}, {"unit": "x"}, {"unit": None}]
)
def test_values_that_no_run_writes_are_refused(broken: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = leave_run(tmp_path / "a", 0.5)
    file = one / "predictions" / "test.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps({**line, **broken}) + "\n" for line in lines))
    for verb in (compare.main, report.main):
        assert verb([str(one)]) == 2
        assert "test.jsonl" in capsys.readouterr().err


def test_a_key_that_an_older_config_lacks_has_its_default(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    older = two / "epochs=2" / "seed=3" / "config.yaml"
    tree = yaml.safe_load(older.read_text())
    del tree["hparams"]["r_drop"]
    older.write_text(yaml.safe_dump(tree))
    assert "epochs=2.0      3  0.6000" in compared(capsys, two)[1]


def test_errors_are_worth_telling_by_a_share_of_them() -> None:
    def run(numbers: Any, seed: int) -> StoredRun:
        lines = [
            {"id": str(n), "gold": float(n), "prediction": {"label": n + error}} for n, error in enumerate(numbers)
        ]
        found = replace(REPORT, task="classification", seed=seed, objective=replace(REPORT.objective, name="rmse"))
        rmse = float(np.sqrt(np.mean(np.square(numbers))))
        return StoredRun(Path(str(seed)), replace(found, metrics={"test": {"rmse": rmse}}), {}, "test", lines)

    generator = np.random.default_rng(1)
    one, two = run(generator.normal(size=80) * 100, 1), run(generator.normal(size=80) * 120, 2)
    (pair,) = compare_groups([Group("a", [one]), Group("b", [two])], "rmse").pairs
    assert pair.size == 1.0
    assert pair.verdict != "tied"


def test_runs_that_do_not_agree_on_documents_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = leave_run(tmp_path / "a", 0.5), leave_run(tmp_path / "b", 0.6)
    file = two / "predictions" / "test.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps({**line, "unit": n // 2}) + "\n" for n, line in enumerate(lines)))
    assert "do not agree on which rows are one row" in compared(capsys, one, two)[2]


def test_where_nothing_can_be_written(two: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, _, err = compared(capsys, two, "-o", tmp_path / "file" / "out.html")
    assert status == 2
    assert "file" in err
    (two / "epochs=2" / "seed=1" / "report.html").mkdir()
    assert report.main([str(two / "epochs=2" / "seed=1")]) == 2
    assert "report.html" in capsys.readouterr().err


def test_labels_that_one_model_alone_has_are_compared() -> None:
    gold = [["a"], ["b"], ["a", "c"]] * 10

    def run(labels: list[str], right: int, seed: int) -> StoredRun:
        lines = [
            {"id": str(n), "gold": one, "prediction": {"label": one if n < right else labels[2:]}}
            for n, one in enumerate(gold)
        ]
        found = replace(REPORT, task="classification", seed=seed, data=replace(REPORT.data, labels=labels))
        metrics: Any = {"test": {"micro_f1": 0.5}}
        return StoredRun(Path(str(seed)), replace(found, metrics=metrics), {}, "test", lines)

    groups = [Group("one", [run(["a", "b"], 15, 1)]), Group("two", [run(["a", "b", "d"], 28, 2)])]
    (pair,) = compare_groups(groups, "micro_f1").pairs
    assert pair.verdict == "better"


def test_the_command_line_knows_all_forms() -> None:
    assert set(OUTPUT_SUFFIXES) == set(FORMATS)
