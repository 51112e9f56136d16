"""`recipes.audit` from its command to its files, with a tiny model."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from recipes.audit import main
from recipes.auditing.auditing import TABLE
from recipes.auditing.comparing import words_of_study
from recipes.auditing.fix_table import read_fix_table
from recipes.check import main as check_main
from recipes.command.composing import compose
from recipes.reporting.audit_page import PAGE, RECORD
from tasks.loading.load import load

SHORT = ("study.folds=2", "hparams.max_steps=2", "hparams.batch_size=8", "runtime.threads=1", "data.test_fraction=0")


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def texts(labels: list[Any]) -> list[dict[str, Any]]:
    words = ("parcel", "letter", "invoice", "refund", "ticket")
    return [
        {"text": f"the {words[number % 5]} number\u2028{number} came", "label": label}
        for number, label in enumerate(labels)
    ]


ROWS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "single": ("classification", texts(["late", "lost", "wet"] * 12)),
    "several": ("classification", texts([["late"], ["late", "wet"], ["wet"], ["lost"]] * 9)),
    "numbers": ("classification", texts([float(number % 7) + 0.5 for number in range(36)])),
    "ner": (
        "ner",
        [{"tokens": ["Ada", "left", "Oslo", str(n)], "tags": ["B-PER", "O", "B-LOC", "O"]} for n in range(36)],
    ),
    "qa": (
        "qa",
        [
            {
                "question": f"Who left in {1900 + n}?",
                "context": f"Ada {n} left in {1900 + n}.",
                "answers": {"text": [f"Ada {n}"], "answer_start": [0]},
            }
            for n in range(36)
        ],
    ),
}


@pytest.mark.parametrize("kind", ROWS)
def test_an_audit_of_each_kind(
    kind: str, models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    task, rows = ROWS[kind]
    train = write_rows(tmp_path / "rows.jsonl", rows)
    objective = ["task.objective=rmse"] if kind == "numbers" else []  # in two steps, all predictions are alike
    words = [*objective, f"task={task}", f"data.train={train}", f"model.path={models['bert']}", *SHORT]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "Audit of 36 rows, each judged by a model trained without it (2 folds)" in out
    (folder,) = (tmp_path / "outputs" / "sweeps").iterdir()
    record = json.loads((folder / RECORD).read_text())
    assert record["rows"] == 36
    assert (record["noise"] is not None) == (kind in ("single", "several"))
    assert record["data"] == "rows"
    assert (folder / PAGE).is_file()
    written = list(csv.DictReader(StringIO((folder / TABLE).read_text())))
    assert len(written) == len(record["suspects"])
    for one in written:
        content = json.dumps(rows[int(one["line"]) - 1])
        given = one["given"].rpartition(": ")[2]
        assert all(word in content for word in given.split(" | ") if kind != "numbers"), "its line holds what is given"
        assert Path(one["file"]).name == "rows.jsonl"
    for one in record["suspects"] if kind == "qa" else ():
        row = rows[one["line"]]
        assert one["before"] + one["here"] + one["after"] == f"{row['question']} | {row['context']}", "with its passage"
        assert one["here"] in (one["suggested"], one["given"])
    before = {path: path.read_bytes() for path in (folder / RECORD, folder / TABLE)}
    assert main(words) == 0, "given again, it finds its trainings done"
    assert {path: path.read_bytes() for path in before} == before
    if written:
        decide(folder / TABLE, "drop")
        assert main(words) == 0
        fixes = read_fix_table(folder / TABLE)
        assert [[fix.word for fix in one.fixes] for one in fixes.values()] == [["drop"]], "and leaves the decisions"
        config = compose([word for word in words_of_study([str(folder / TABLE)]) if not word.startswith("study.")])
        left = load(config.task, config.data, config.seed)
        assert sum(map(len, left.splits.values())) == 35, "the row of the table is that of the file"


def test_help_and_mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--help"]) == 0
    assert "python -m recipes.audit" in capsys.readouterr().out
    assert main(["task=classification", "data.train=nowhere.csv"]) == 2
    assert "nowhere.csv" in capsys.readouterr().err
    assert main(["task=classification", "study=seeds"]) == 2
    assert not (tmp_path / "outputs").exists()


@pytest.fixture
def audited(models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The table of an audit of a CSV file."""
    monkeypatch.chdir(tmp_path)
    lines = [f"the parcel number {number} came,{('late', 'lost', 'wet')[number % 3]}" for number in range(36)]
    (tmp_path / "rows.csv").write_text("text,label\n" + "\n".join(lines) + "\n")
    assert main(["task=classification", "data.train=rows.csv", f"model.path={models['bert']}", *SHORT]) == 0
    (folder,) = (tmp_path / "outputs" / "sweeps").iterdir()
    return folder / TABLE


def decide(table: Path, *words: str) -> list[dict[str, str]]:
    """Write words into the column `fix` of the first rows, and return these rows."""
    rows = list(csv.DictReader(table.read_text().splitlines()))
    for row, word in zip(rows, words, strict=False):
        row["fix"] = word
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return rows[: len(words)]


def test_fixes_are_applied_to_a_copy(audited: Path, tmp_path: Path, capsys: Any) -> None:
    original = (tmp_path / "rows.csv").read_text()
    yes, other, drop = decide(audited, "Yes", "damp", "drop")
    assert main(["apply", str(audited), "-o", str(tmp_path / "fixed")]) == 0
    out = capsys.readouterr().out
    assert "2 rows changed" in out
    assert "1 row left out" in out
    assert f"To see what the fixes bring: python -m recipes.audit compare {audited}" in out
    assert (tmp_path / "rows.csv").read_text() == original
    wanted = original.splitlines()
    for row, label in ((yes, yes["suggested"]), (other, "damp")):
        place = int(row["line"]) - 1
        wanted[place] = f"{wanted[place].partition(',')[0]},{label}"
    del wanted[int(drop["line"]) - 1]
    assert (tmp_path / "fixed" / "rows.csv").read_text().splitlines() == wanted


def test_fixes_that_cannot_be_applied(audited: Path, tmp_path: Path, capsys: Any) -> None:
    def refused(said: str, *words: str) -> None:
        assert main(["apply", *words]) == 2
        assert said in capsys.readouterr().err
        assert not (tmp_path / "fixed").exists()

    to = ("-o", str(tmp_path / "fixed"))
    refused("the column fix is empty", str(audited), *to)
    refused("there is no such file", "nowhere.csv", *to)
    refused("into which folder?", str(audited))
    decide(audited, "yes")
    (tmp_path / "lone.csv").write_text(audited.read_text())
    refused("beside it there is no audit.json", str(tmp_path / "lone.csv"), *to)
    audited.write_text(audited.read_text().replace("rows.csv", "other.csv"))
    refused("line 2: rank, file and line are not those of the audit", str(audited), *to)
    audited.write_text(audited.read_text().replace("other.csv", "rows.csv"))
    rows = (tmp_path / "rows.csv").read_text().splitlines()
    (tmp_path / "rows.csv").write_text("\n".join([rows[0], "one more row,late", *rows[1:]]))
    refused("this is not the row that was audited", str(audited), *to)
    (tmp_path / "rows.csv").write_text("text,label\na,late\nb,lost\n")
    refused("Were the files changed since the audit?", str(audited), *to)


def test_a_copy_is_not_written_over_anything(audited: Path, tmp_path: Path, capsys: Any) -> None:
    decide(audited, "yes")
    assert main(["apply", str(audited), "-o", str(tmp_path)]) == 2
    assert "rows.csv is there already" in capsys.readouterr().err


def test_a_copy_says_what_it_lacks_and_how_it_is_read(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = ("late", "late+wet", "wet", "lost")
    lines = [f"the parcel number {number} came;{labels[number % 4]};Ada" for number in range(36)]
    (tmp_path / "rows.csv").write_text("text;label;clerk\n" + "\n".join([*lines, ";late;Bo"]) + "\n")
    own = ["data.train=rows.csv", "data.separator=;", "task.label_separator=+", "data.on_bad_row=skip"]
    assert main(["task=classification", *own, f"model.path={models['bert']}", *SHORT]) == 0
    (folder,) = (tmp_path / "outputs" / "sweeps").iterdir()
    decide(folder / TABLE, "yes")
    capsys.readouterr()
    assert main(["apply", str(folder / TABLE), "-o", "fixed"]) == 0
    said = capsys.readouterr().out
    assert "have no place for are not in the copies: clerk" in said
    assert "as they were no part of the audit: 1 x empty text" in said
    assert "To be read without the options of data.* that told how the originals are written" in said
    check = ["task=classification", "data.train=fixed/rows.csv", "--no-model", "--fail-on", "never"]
    assert check_main(check) == 0
    assert "36 train rows; multi label" in capsys.readouterr().out
