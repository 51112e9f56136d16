"""`recipes.audit` from its command to its files, with a tiny model."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from recipes.audit import main
from recipes.auditing.auditing import RECORD, TABLE

SHORT = ("study.folds=2", "hparams.max_steps=2", "hparams.batch_size=8", "runtime.threads=1", "data.test_fraction=0")


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def texts(labels: list[Any]) -> list[dict[str, Any]]:
    words = ("parcel", "letter", "invoice", "refund", "ticket")
    return [
        {"text": f"the {words[number % 5]} number {number} came", "label": label} for number, label in enumerate(labels)
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
    written = list(csv.DictReader((folder / TABLE).read_text().splitlines()))
    assert len(written) == len(record["suspects"])
    for one in written:
        content = json.dumps(rows[int(one["line"]) - 1])
        given = one["given"].rpartition(": ")[2]
        assert all(word in content for word in given.split(" | ") if kind != "numbers"), "its line holds what is given"
        assert Path(one["file"]).name == "rows.jsonl"
    before = {path: path.read_bytes() for path in (folder / RECORD, folder / TABLE)}
    assert main(words) == 0, "given again, it finds its trainings done"
    assert {path: path.read_bytes() for path in before} == before


def test_help_and_mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--help"]) == 0
    assert "python -m recipes.audit" in capsys.readouterr().out
    assert main(["task=classification", "data.train=nowhere.csv"]) == 2
    assert "nowhere.csv" in capsys.readouterr().err
    assert main(["task=classification", "study=seeds"]) == 2
    assert not (tmp_path / "outputs").exists()
