"""Bad data files: the run ends with a message that names file and line, or it skips, counts and reports the rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from recipes.run import main
from tests.faults.conftest import Command, Harm

Text = list[str]
GOOD = [f"a fine text {number},{('good', 'bad')[number % 2]}" for number in range(20)]

SENTENCES = [json.dumps({"tokens": ["in", "Oslo", str(n)], "tags": ["O", "B-place", "O"]}) for n in range(20)]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(path: str, *lines: str, newline: str = "\n", encoding: str = "utf-8") -> str:
    Path(path).write_bytes(newline.join(lines).encode(encoding))
    return f"data.train={path}"


def report() -> dict[str, Any]:
    (path,) = Path().rglob("report.json")
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def predictions(split: str) -> list[dict[str, Any]]:
    (path,) = Path().rglob(f"predictions/{split}.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the error message of a command that must fail and write nothing."""
    assert main(arguments) == 2
    assert not Path("outputs").exists()
    message = capsys.readouterr().err
    assert "Traceback" not in message
    return message


@pytest.mark.parametrize("cell", ["", "   ", '" \t "'])
def test_texts_without_content(cell: str, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    mine = command("classification", written("a.csv", "text,label", *GOOD, f"{cell},good"))
    assert "a.csv, line 22: column 'text' is empty" in refused(mine, capsys)
    assert main([*mine, "data.on_bad_row=skip"]) == 0
    assert report()["data"]["skipped"] == {"empty text": 1}
    assert "left out: 1 x empty text, e.g. a.csv, line 22" in capsys.readouterr().out


def test_null_texts(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.dumps({"text": text, "label": label}) for text, label in (line.split(",") for line in GOOD)]
    mine = command("classification", written("a.jsonl", *rows, '{"text": null, "label": "good"}'))
    assert "a.jsonl, line 21" in refused(mine, capsys)
    assert main([*mine, "data.on_bad_row=skip"]) == 0
    assert sum(report()["data"]["skipped"].values()) == 1


def test_not_utf_8(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    mine = command("classification", written("a.csv", "text,label", *GOOD, "café,good", encoding="latin-1"))
    message = refused(mine, capsys)
    assert "a.csv, line 22: byte 0xe9 is not valid utf-8" in message
    assert "data.encoding=" in message
    assert main([*mine, "data.encoding=latin-1"]) == 0


@pytest.mark.parametrize("task", ["classification", "ner", "qa"])
def test_a_million_characters(task: str, harm: Harm, command: Command) -> None:
    long = "word " * 200_000
    if task == "classification":
        source = written("a.csv", "text,label", *GOOD, f"{long},good")
    elif task == "ner":
        rows = SENTENCES
        words = long.split()[:100_000]
        source = written("a.jsonl", *rows, json.dumps({"tokens": words, "tags": ["O"] * len(words)}))
    else:
        context = f"{long} The office is in Oslo."
        answers = {"text": ["Oslo"], "answer_start": [context.index("Oslo")]}
        rows = [
            json.dumps(
                {
                    "id": str(number),
                    "question": "where?",
                    "context": f"It is in Oslo {number}.",
                    "answers": {"text": ["Oslo"], "answer_start": [9]},
                }
            )
            for number in range(20)
        ]
        source = written(
            "a.jsonl", *rows, json.dumps({"id": "x", "question": "where?", "context": context, "answers": answers})
        )
    fixed = ["data.validation_fraction=0.2", "hparams.accumulation=1", "hparams.max_steps=2", "hparams.epochs=null"]
    done = harm({}, *command(task, source), *fixed)
    assert done.returncode == 0, done.stderr
    assert sum(report()["data"]["rows"].values()) == 21
    assert report()["training"]["peak_memory_mb"] < 1500


def test_a_label_that_training_has_not(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    written("test.csv", "text,label", "a text,god", "another,good")
    mine = command("classification", written("a.csv", "text,label", *GOOD), "data.test=test.csv")
    assert "test.csv, line 2: label 'god' does not occur in training" in refused(mine, capsys)
    assert main([*mine, "data.on_bad_row=skip"]) == 0
    assert report()["data"]["rows"]["test"] == 1


def test_tokens_and_tags_of_unequal_number(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    mine = command("ner", written("a.jsonl", *SENTENCES, '{"tokens": ["in", "Oslo"], "tags": ["O"]}'))
    assert "a.jsonl, line 21: 2 tokens but 1 tags" in refused(mine, capsys)
    assert main([*mine, "data.on_bad_row=skip"]) == 0
    assert report()["data"]["skipped"] == {"unequal tokens and tags": 1}


def test_a_tag_without_its_prefix(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    good = "In\tO\nOslo\tB-place\nNorth\tI-place\n"
    mine = command("ner", written("a.conll", *[good] * 20, "Per\tPER\n"))
    message = refused(mine, capsys)
    assert "a.conll, line 81" in message
    assert "PER" in message


def test_a_sentence_longer_than_the_model(command: Command) -> None:
    sentence = "\n".join(f"word{number % 7}\t{'B-place' if number % 9 == 0 else 'O'}" for number in range(300))
    written("test.conll", sentence, "")
    assert (
        main(
            command(
                "ner",
                "data.test=test.conll",
                written("a.conll", *(f"in\tO\nOslo\tB-place\n{number}\tO\n" for number in range(20))),
            )
        )
        == 0
    )
    (line,) = predictions("test")
    assert len(line["prediction"]["tags"]) == 300, "each word gets its tag"


def question(number: int, **changes: Any) -> str:
    row = {"id": str(number), "question": "where is it?", "context": f"It is in Oslo {number}."}
    return json.dumps({**row, "answers": {"text": ["Oslo"], "answer_start": [9]}, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"answers": {"text": ["Oslo"], "answer_start": ["late"]}},
            "the offset 'late' of answer 'Oslo' is not a whole",
        ),
        ({"answers": {"text": ["Oslo"], "answer_start": [3]}}, "answer 'Oslo' is not at offset 3"),
        ({"answers": {"text": ["Oslo", "It"], "answer_start": [9]}}, "2 answer texts but 1 offsets"),
        ({"id": "3", "context": "It is in Oslo 3."}, "id '3'"),
    ],
)
def test_questions_that_are_wrong(
    changes: dict[str, Any], message: str, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    source = written("a.jsonl", *(question(number) for number in range(20)), question(20, **changes))
    said = refused(command("qa", source), capsys)
    assert "a.jsonl, line 21" in said
    assert message in said
    assert main([*command("qa", source), "data.on_bad_row=skip"]) == 0
    assert sum(report()["data"]["skipped"].values()) == 1


def test_questions_without_answers_and_with_very_long_ones(command: Command) -> None:
    words = " ".join(f"word{number}" for number in range(120))
    long = question(20, context=words, answers={"text": [words], "answer_start": [0]})
    none = question(21, answers={"text": [], "answer_start": []})
    source = written("a.jsonl", *(question(number) for number in range(20)), long, none)
    assert main(command("qa", source)) == 0
    assert sum(report()["data"]["rows"].values()) == 22


def test_rows_in_two_splits_are_reported(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    written("test.csv", "text,label", GOOD[0], GOOD[1], "a text of its own,good")
    assert main(command("classification", written("a.csv", "text,label", *GOOD), "data.test=test.csv")) == 0
    # The number is not checked: rows cut off for validation are no longer among the training rows.
    assert "of 3 test rows are also among the training rows" in capsys.readouterr().out
    assert any("also among the training rows" in note for note in report()["data"]["notes"])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "a.csv"),
        (["text,label"], "a.csv"),
        (["text,label", "a text,good"], "row"),
        (["text,label", *(f"text {number},good" for number in range(20))], "good"),
    ],
)
def test_too_little_to_learn_from(
    lines: Text, message: str, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refused(command("classification", written("a.csv", *lines)), capsys)


def test_a_byte_order_mark_and_windows_line_ends(command: Command) -> None:
    rows = ["text,label", *GOOD, '"two\r\nlines, and a comma",good']
    assert main(command("classification", written("a.csv", *rows, newline="\r\n", encoding="utf-8-sig"))) == 0
    assert report()["data"]["labels"] == ["bad", "good"]
    assert sum(report()["data"]["rows"].values()) == 21


def test_a_quote_that_never_ends(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(command("classification", written("a.csv", "text,label", *GOOD, '"open,good', *GOOD)), capsys)
    assert "a.csv, line 22" in message
