"""`recipes.audit compare` from the command to its answer, with a tiny model and a table that is filled by hand."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from recipes.audit import main
from recipes.check import main as check_main
from recipes.run import main as run_main
from recipes.studies.fixes import CORRECTED, GIVEN
from tests.audited import leave_audit, write_rows
from tests.conftest import INTENTS
from tests.unit.test_pages import checked

# A head on the outputs of the encoder as it is, which learns such rows in no time.
SHORT = (
    "hparams.linear_head=true",
    "hparams.max_steps=0",
    "runtime.precision=fp32",
    "runtime.device=cpu",
    "runtime.threads=1",
    "task.objective=accuracy",
)
LABELS = ("billing", "praise")
RIGHT = [(f"{text} {number}", label) for number in range(10) for label in LABELS for text in INTENTS[label]]
LINE_OF = {text: number for number, (text, _) in enumerate(RIGHT, 2)}


def wrong(label: str) -> str:
    return LABELS[1 - LABELS.index(label)]


@pytest.fixture
def table(models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The table of an audit of rows that all have the wrong label, with the right one as what is suggested."""
    monkeypatch.chdir(tmp_path)
    rows = write_rows(Path("rows.csv"), [(text, wrong(label)) for text, label in RIGHT])
    fixes = {LINE_OF[text]: (label, "yes") for text, label in RIGHT}
    fixes |= dict.fromkeys((2, 3), ("", "drop"))  # of which one comes to training, and one to test
    return leave_audit(Path("audit"), rows, fixes, f"model.path={models['bert']}", "data.test_fraction=0.3", *SHORT)


def test_labels_that_were_all_wrong(table: Path, tmp_path: Path, capsys: Any) -> None:
    asked = ["compare", str(table), "study.n=2"]
    assert main(asked) == 0
    said = capsys.readouterr().out
    (path,) = tmp_path.rglob("sweeps/*/study.json")
    record = json.loads(path.read_text())
    assert [run["name"] for run in record["runs"]] == [
        f"{side}, seed {seed}" for side in (GIVEN, CORRECTED) for seed in (3, 4)
    ], "the seeds begin with that of the audit"
    given, corrected = (line["cells"] for line in record["tables"][0]["lines"])
    assert given == [GIVEN, "48", "2", "0.0000", "0.0000", "", "", ""]
    assert corrected[:6] == [CORRECTED, "47", "2", "1.0000", "0.0000", "+1.0000"]
    assert record["sentences"][:4] == [
        "The fixes bring +1.0000 accuracy (1.000 to 1.000), p < 0.001",
        "48 training rows: 47 corrected and 1 left out",
        "8 validation rows: 8 corrected, for both sides",
        "24 test rows: 23 corrected and 1 left out, for both sides",
    ]
    judged = "Judged on 23 test rows that were audited, too. By their labels as given, the fixes bring -1.0000 (-1.000"
    assert record["sentences"][4].startswith(judged)
    assert judged in said
    tests = [[json.loads(line) for line in of.read_text().splitlines()] for of in tmp_path.rglob("test.jsonl")]
    assert len(tests) == 4
    shown = [[(line["text"], line["gold"]) for line in lines] for lines in tests]
    assert all(one == shown[0] for one in shown), "the same rows for all, in the same order"
    assert set(shown[0]) < set(RIGHT), "with the right labels"
    checked(path.with_name("report.html").read_text())

    times = sorted(one.stat().st_mtime_ns for one in tmp_path.rglob("report.json"))
    assert main(asked) == 0
    assert json.loads(path.read_text()) == record
    assert times == sorted(one.stat().st_mtime_ns for one in tmp_path.rglob("report.json")), "nothing is trained again"


def fill(table: Path, lines: Sequence[int], word: str = "yes") -> None:
    """Leave a word at the rows of some lines alone."""
    rows = list(csv.DictReader(table.read_text().splitlines()))
    for row in rows:
        row["fix"] = word if int(row["line"]) in lines else ""
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Which fixes? python -m recipes.audit compare audit.csv"),
        (["data.test=rows.csv"], "Which fixes?"),
        (["nowhere.csv"], "nowhere.csv: there is no such file"),
        (["rows.csv"], "rows.csv: beside it there is no audit.json"),
        (["audit/audit.csv", "study.n=1"], "study.n=1: at least 2"),
        (["audit/audit.csv", "hparams.epocs=3"], "Did you mean 'hparams.epochs'?"),
        (["audit/audit.csv", "model=robreta-base"], "Did you mean 'roberta-base'?"),
        (["audit/audit.csv", "corrected"], "corrected"),
        (["audit/audit.csv", "-m"], "does nothing else at the same time"),
        (["audit/audit.csv", "search=tpe"], "search=tpe: a comparison trains on given and on corrected labels"),
        (["audit/audit.csv", "study=seeds"], "study=seeds: a comparison trains on given and on corrected labels"),
        (["audit/audit.csv", "seed=1,2"], "seed=1,2"),
        (["audit/audit.csv", "data.train=more.csv"], "data.train=more.csv: the fixes are for the rows of the audit"),
        (["audit/audit.csv", "data.test=nowhere.csv"], "nowhere.csv"),
        (["audit/audit.csv", "data.limit.test=3"], "3 test rows, on which nothing can be told apart"),
        (
            ["audit/audit.csv", "hparams=small_data", "data.test_fraction=0"],
            "The validation rows are the training rows",
        ),
    ],
)
def test_what_is_refused(words: list[str], said: str, table: Path, tmp_path: Path, capsys: Any) -> None:
    assert table == Path("audit/audit.csv")
    assert main(["compare", *words]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.rglob("report.json"))


def test_fixes_that_do_not_fit(table: Path, tmp_path: Path, capsys: Any) -> None:
    def refused(said: str) -> None:
        assert main(["compare", str(table)]) == 2
        assert said in capsys.readouterr().err
        assert not list(tmp_path.rglob("report.json"))

    rows = Path("rows.csv").read_text()
    fill(table, [2])
    first, second, *more = rows.splitlines()
    Path("rows.csv").write_text("\n".join([first, "one more row,praise", second, *more]))
    refused("rows.csv, line 2: this is not the row that was audited")
    Path("rows.csv").write_text("\n".join([first, f"{second.rpartition(',')[0]},billing", *more]))
    refused("rows.csv, line 2: this is not the row that was audited")
    Path("rows.csv").write_text(rows)
    # Line 3 comes to test, as the test above tells.
    fill(table, [3])
    refused("Each row with a fix is a validation or a test row")
    fill(table, [])
    refused("the column fix is empty")
    fill(table, [2], "neither")
    table.with_name("study.json").write_text('{"overrides": [')
    refused("study.json is damaged")
    table.with_name("study.json").unlink()
    refused("beside it there is no study.json. The table must stay in the folder of its audit")
    table.with_name("audit.json").write_text("[]")
    refused("audit.json is damaged")


def test_fixes_are_for_comparisons(table: Path, capsys: Any) -> None:
    own = ["task=classification", "data.train=rows.csv"]
    for command, words, said in (
        (run_main, [*own, "study.kind=fixes"], "fixes of what? python -m recipes.audit compare audit.csv"),
        (run_main, [*own, "data.fixes=nowhere.json"], "data.fixes=nowhere.json: there is no such file"),
        (run_main, [*own, f"data.fixes={table}"], f"data.fixes={table}: no such file as it is made for a comparison"),
        (check_main, [*own, "data.fixes=x.json"], "a check is of rows as they stand in files"),
        (main, [*own, "data.fixes=x.json"], "an audit is of rows as they stand in files"),
    ):
        assert command(words) == 2
        assert said in capsys.readouterr().err
