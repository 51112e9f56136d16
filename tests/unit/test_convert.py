"""The command that writes rows in another format."""

import json
from pathlib import Path

import pytest

from recipes.convert import main
from tests.unit.test_layers import HEAVY, loaded_by

LAST = "Read {} rows; wrote {} to {} as {}; {}"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a user, which is the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews.csv").write_text("text,label,date\nwarm beds,good,monday\ncold soup,bad,tuesday\n")
    (tmp_path / "stars.csv").write_text("body;stars\nlits chauds;5\nthé froid;2\n", encoding="latin-1")
    (tmp_path / "names.conll").write_text("Mara\tB-person\nleft\tO\nOslo\tB-place\n\nRain\tO\n")
    (tmp_path / "parts.csv").write_text("text,rude,late\nwhere is it,0,1\nyou fools,1,1\nthanks,0,0\n")
    return tmp_path


def converted(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Run the command, and return the lines that it prints."""
    assert main(arguments) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out.splitlines()


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command, and return the error that it ends with."""
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err.removesuffix("\n")


def test_spans_doccano_and_back(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert converted(capsys, "names.conll", "-o", "spans.jsonl") == [
        "read        names.conll: CoNLL, 2 sentences",
        "note        2 rows have no text: their words are joined with blanks",
        LAST.format("2 ner", 2, "spans.jsonl", "jsonl_spans", "they read back the same"),
    ]
    tokens = [{"text": "Mara", "start": 0, "end": 4}, {"text": "left", "start": 5, "end": 9}]
    assert json.loads((folder / "spans.jsonl").read_text().split("\n")[0]) == {
        "text": "Mara left Oslo",
        "tokens": [*tokens, {"text": "Oslo", "start": 10, "end": 14}],
        "spans": [{"start": 0, "end": 4, "label": "person"}, {"start": 10, "end": 14, "label": "place"}],
    }
    lines = converted(capsys, "spans.jsonl", "-o", "doccano.jsonl", "--format", "doccano")
    assert lines[-1] == LAST.format("2 ner", 2, "doccano.jsonl", "doccano", "they read back the same")
    lines = converted(capsys, "doccano.jsonl", "-o", "again.conll")
    lost = "they read back the same; not held by conll: texts and the places of words in them (2 rows)"
    assert lines[-1] == LAST.format("2 ner", 2, "again.conll", "conll", lost)
    assert (folder / "again.conll").read_text() == (folder / "names.conll").read_text()


def test_the_end_says_how_the_words_come_back(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "names.conll").write_text("New-York\tB-place\n\nRain\tO\n")
    lines = converted(capsys, "names.conll", "-o", "doccano.jsonl", "--format=doccano")
    assert lines[-1].endswith("; they read back the same with task.words=blanks")
    (folder / "names.conll").write_text("New York\tB-place\n\nRain\tO\n")
    lines = converted(capsys, "names.conll", "-o", "doccano.jsonl", "--format=doccano", "--overwrite")
    assert lines[-1].endswith("; 1 of them read back with other words, for doccano has no place for words")


def test_columns_that_are_left_out_are_named(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert converted(capsys, "reviews.csv", "-o", "reviews.jsonl") == [
        "read        reviews.csv: CSV, 2 rows",
        "note        columns that classification rows have no place for, left out: date",
        LAST.format("2 classification", 2, "reviews.jsonl", "jsonl", "they read back the same"),
    ]
    assert (folder / "reviews.jsonl").read_text().split("\n")[1] == '{"text": "cold soup", "label": "bad"}'


def test_options_of_reading(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    columns = ("data.columns.text=body", "data.columns.label=stars")
    lines = converted(capsys, "stars.csv", "-o", "out.csv", "data.encoding=latin-1", *columns, "data.separator=;")
    assert lines[-1] == LAST.format("2 classification", 2, "out.csv", "csv", "they read back the same")
    assert (folder / "out.csv").read_text() == "text,label\nlits chauds,5\nthé froid,2\n"
    lines = converted(capsys, "parts.csv", "-o", "parts.jsonl", "data.columns.label=[rude,late]")
    assert lines[-1].endswith("they read back the same")
    labels = [json.loads(line)["label"] for line in (folder / "parts.jsonl").read_text().splitlines()]
    assert labels == [["late"], ["rude", "late"], []]


def test_kinds_that_can_not_be_seen_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    lines = converted(capsys, "reviews.csv", "-o", "several.csv", "task.kind=multi_label")
    assert lines[-1].endswith("they read back the same with task.kind=multi_label")


def test_several_files_and_rows_without_labels(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "a.csv").write_text("id,text\n1,warm beds\n")
    (folder / "b.csv").write_text("id,text\n2,cold soup\n")
    lines = converted(capsys, "a.csv", "b.csv", "-o", "c.jsonl", "--task", "classification")
    assert lines[-1].startswith("Read 2 classification rows without labels; wrote 2 to c.jsonl as jsonl;")
    assert json.loads((folder / "c.jsonl").read_text().split("\n")[1]) == {"id": "2", "text": "cold soup"}


def test_bad_rows_may_be_left_out(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    rows = [{"tokens": ["a\tb"], "tags": ["O"]}, {"tokens": ["Mara"], "tags": ["B-person"]}]
    (folder / "odd.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert refused(capsys, "odd.jsonl", "-o", "odd.conll") == (
        f"{folder / 'odd.jsonl'}, line 1: conll can't hold this row: 'a\\tb' holds a tab, a line end or a null "
        "character\nTo leave such rows out, and have them counted: data.on_bad_row=skip"
    ).replace(f"{folder}/", "")
    assert not (folder / "odd.conll").exists()
    lines = converted(capsys, "odd.jsonl", "-o", "odd.conll", "data.on_bad_row=skip")
    assert lines[1].startswith("left out    1 x can't be written as conll, e.g. odd.jsonl, line 1: ")
    assert (folder / "odd.conll").read_text() == "Mara\tB-person\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Which file is to be read? python -m recipes.convert IN -o OUT. What there is: --help"),
        (("a.csv",), "Which file is to be written? python -m recipes.convert a.csv -o OUT"),
        (("a.csv", "-o"), "-o: a value is missing"),
        (("a.csv", "--ovrwrite"), "No flag '--ovrwrite'. Did you mean '--overwrite'? What there is: --help"),
        (("reviews.csv", "-o", "names.conll"), "-o names.conll: is there already. To write it anew: --overwrite"),
        (("reviews.csv", "-o", "."), "-o .: is a folder. Name a file"),
        (
            ("reviews.csv", "-o", "out.conll"),
            "No format of classification rows with the extension '.conll'. There are: csv (.csv), jsonl (.jsonl)",
        ),
        (
            ("reviews.csv", "-o", "out.jsonl", "--format", "docano"),
            "--format docano: choose from jsonl_spans, jsonl_tokens, conll, doccano, csv, jsonl, squad. "
            "Did you mean 'doccano'?",
        ),
        (
            ("names.conll", "-o", "out.txt", "--format", "conll"),
            "--format conll: its files end in .conll, not in '.txt'",
        ),
        (
            ("a.csv", "-o", "out.csv", "--task", "nre"),
            "--task nre: choose from classification, ner, qa. Did you mean 'ner'?",
        ),
        (
            ("a.csv", "-o", "out.csv", "data.train=b.csv"),
            "data.train: name the file without a key: python -m recipes.convert IN -o OUT",
        ),
        (
            ("names.conll", "-o", "out.jsonl", "task.version=v2.0"),
            "No config key 'task.version' for this task: it belongs to task=qa",
        ),
    ],
)
def test_errors(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str) -> None:
    assert refused(capsys, *arguments) == message


def test_a_task_that_the_columns_do_not_tell_is_asked_for(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "bare.csv").write_text("id,text\n1,warm beds\n2,cold soup\n")
    assert refused(capsys, "bare.csv", "-o", "out.jsonl") == (
        "bare.csv, line 2: the columns (id, text) don't tell which task the rows are for. Say which: "
        "--task classification or --task ner"
    )


def test_a_file_that_is_there_stays_as_it_is_after_an_error(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "reviews.csv").write_text("text,label\nwarm beds,\n\n,bad\n")
    before = (folder / "parts.csv").read_text()
    refused(capsys, "reviews.csv", "-o", "parts.csv", "--overwrite")
    assert (folder / "parts.csv").read_text() == before
    assert sorted(path.name for path in folder.iterdir()) == ["names.conll", "parts.csv", "reviews.csv", "stars.csv"]


def test_help_imports_nothing_heavy() -> None:
    assert not loaded_by("from recipes.convert import main; main(['--help'])") & {*HEAVY, "hydra", "numpy"}
