"""Kinds of files that once were read wrongly without a word: each is refused now, read right, or noted."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tasks.classification import Classification
from tasks.data.options import Columns, DataOptions
from tasks.errors import InputError
from tasks.loading.load import load
from tasks.loading.rows import AnyRows
from tasks.ner import Ner
from tasks.qa import Qa
from tasks.task import AnyTask

CLASSIFICATION, NER, QA = Classification(), Ner(), Qa()


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def table(rows: Sequence[tuple[object, ...]], header: str = "text,label") -> str:
    return f"{header}\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


def moods(count: int = 20, text: str = "trip") -> list[tuple[object, ...]]:
    return [(f"{text} {number}", "good" if number % 2 else "bad") for number in range(count)]


def loaded(task: AnyTask, train: str | bytes, name: str = "train.csv", **options: object) -> AnyRows:
    """Load rows from training content, and from files that are there already."""
    Path(name).write_bytes(train if isinstance(train, bytes) else train.encode())
    return load(task, DataOptions(train=name, **options), 1)  # type: ignore[arg-type]


def refused(task: AnyTask, train: str | bytes, name: str = "train.csv", **options: object) -> str:
    with pytest.raises(InputError) as error:
        loaded(task, train, name, **options)
    return str(error.value)


def notes(task: AnyTask, train: str | bytes, name: str = "train.csv", **options: object) -> str:
    return "\n".join(loaded(task, train, name, **options).notes)


def test_sound_rows_have_no_notes_but_those_of_the_splits() -> None:
    assert [note.partition(":")[0] for note in loaded(CLASSIFICATION, table(moods())).notes] == ["test", "validation"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("gbk", "这次旅行很愉快"), ("shift_jis", "とても楽しい旅でした"), ("cp1251", "очень хорошая поездка")],
)
def test_no_latin_encoding_is_advised_for_other_scripts_alone(encoding: str, text: str) -> None:
    message = refused(CLASSIFICATION, table(moods(text=text)).encode(encoding))
    assert "is not valid utf-8" in message
    assert text[:4] in message, "the line is shown as the right encoding reads it"


@pytest.mark.parametrize(
    "text",
    ["el niño comió más café".encode().decode("cp1252"), "Ã©tÃ© Ã\xa0 la mer", "caf\N{REPLACEMENT CHARACTER} bar"],
)
def test_texts_of_another_encoding_are_noted(text: str) -> None:
    assert "seem to be in another encoding" in notes(CLASSIFICATION, table(moods(text=text)))


def test_texts_with_accents_are_not_noted() -> None:
    assert "encoding" not in notes(CLASSIFICATION, table(moods(text="Ärger über café, naïve Übung".replace(",", ""))))


def test_other_splits_take_the_columns_of_training() -> None:
    """The test file alone has a column `text`, which comes first among the usual names: a title."""
    Path("test.csv").write_text(table([("a title", "x y z", "good")], "text,content,label"))
    rows = loaded(CLASSIFICATION, table(moods(), "content,label"), test="test.csv")
    assert [row.text for row in rows.splits["test"]] == ["x y z"]


def test_pairs_and_single_texts_do_not_mix() -> None:
    Path("test.csv").write_text(table([("a", "good")]))
    train = table([(f"a {n}", f"b {n}", label) for n, (_, label) in enumerate(moods())], "text,text_pair,label")
    assert "data.test: the rows are single texts, but those of training are pairs of texts" in refused(
        CLASSIFICATION, train, test="test.csv"
    )


def test_types_that_are_the_texts_of_their_entities() -> None:
    rows = "".join(f'{{"text": "Oslo {n} is far", "label": [[0, 4, "Oslo", "LOC"]]}}\n' for n in range(20))
    assert "have their own text for a type" in refused(NER, rows, "train.jsonl")


def test_nested_tags_in_one_cell() -> None:
    rows = "\n".join(f"Ida{n} B-PER|B-LOC\nleft O\n" for n in range(20))
    assert "Entity types begin like tags" in refused(NER, rows, "train.conll")


def test_rows_that_stray_quotes_join_are_noted() -> None:
    rows = moods()
    rows[3] = ('"a quote that opens', "bad")
    rows[5] = ('and one that closes here"', "bad")
    train = "label\ttext\n" + "".join(f"{label}\t{text}\n" for text, label in rows)
    assert "data.quoting=false" in notes(CLASSIFICATION, train, "train.tsv")


def test_a_header_line_that_comes_again_is_left_out_and_counted() -> None:
    rows = loaded(CLASSIFICATION, table(moods()) + "\ufeff" + table(moods(text="way")))
    assert sum(map(len, rows.splits.values())) == 40
    assert sum(rows.report.skipped.values()) == 1
    assert rows.head.labels == ("bad", "good")


def test_bytes_of_parquet_are_texts() -> None:
    columns = {"text": [str(text).encode() for text, _ in moods()], "label": [label for _, label in moods()]}
    parquet.write_table(pa.table(columns), "train.parquet")
    rows = load(CLASSIFICATION, DataOptions(train="train.parquet"), 1)
    assert {row.text for row in rows.splits["train"]} <= {text for text, _ in moods()}


def test_printed_bytes_are_refused() -> None:
    rows = [(f"b'{text}'", label) for text, label in moods()]
    assert "are printed bytes" in refused(CLASSIFICATION, table(rows))


@pytest.mark.parametrize("broken", ['[{"text": "a", "label": "b"},]', '{"text": ["a"], "label": ["b"]'])
def test_broken_json_is_refused_by_its_line(broken: str) -> None:
    assert "train.json, line 1, column" in refused(CLASSIFICATION, broken, "train.json")


def test_objects_one_after_another_on_a_line() -> None:
    line = "".join(f'{{"text": "{text}", "label": "{label}"}}' for text, label in moods())
    assert sum(map(len, loaded(CLASSIFICATION, line, "train.jsonl").splits.values())) == 20


@pytest.mark.parametrize(
    ("rows", "note"),
    [
        ([*moods(), ("trip 1", "bad")], "1 training texts are there with different labels, such as 'trip 1'"),
        ([*moods(), ("nan", "bad")], "1 training texts are 'nan', which programs write where there is nothing"),
        ([*moods(), ("x", "nan"), ("y", "nan")], "2 training rows have the label 'nan'"),
        ([*moods(40), ("x", "godo")], "1 labels stand in a single training row each, such as 'godo'"),
        ([*moods(), *((f"way {n}", n % 2) for n in range(20))], "Some labels are numbers, and some are not"),
        ([(f"x {n}", "cafe\u0301" if n % 2 else "caf\u00e9") for n in range(20)], "labels that differ only by case"),
        ([(n, label) for n, (_, label) in enumerate(moods())], "All 20 training texts are numbers"),
    ],
)  # fmt: skip
def test_doubtful_rows_are_noted(rows: list[tuple[object, ...]], note: str) -> None:
    assert note in notes(CLASSIFICATION, table(rows))


def test_labels_of_the_hub_where_there_is_none_are_noted() -> None:
    rows = [*((f"x {n}", n % 2) for n in range(60)), ("y", -1), ("z", -1)]
    assert "2 training rows have the label -1" in notes(CLASSIFICATION, table(rows))


def test_a_second_column_of_labels_or_texts_is_noted() -> None:
    rows = [(text, label, f"t {n}", n % 2) for n, (text, label) in enumerate(moods())]
    said = notes(CLASSIFICATION, table(rows, "text,label,body,target"))
    assert "labels are taken from the column 'label', though there is 'target', too" in said
    assert "texts are taken from the column 'text', though there is 'body', too" in said
    quiet = notes(CLASSIFICATION, table(rows, "text,label,body,target"), columns=Columns(text="body", label="target"))
    assert "are taken from" not in quiet


def test_placeholders_for_labels_of_test_rows_are_noted() -> None:
    Path("test.csv").write_text(table([(f"x {n}", "bad") for n in range(20)]))
    said = notes(CLASSIFICATION, table(moods()), test="test.csv")
    assert "test: all 20 rows have the label 'bad'. Is it a placeholder?" in said


def test_numbers_with_gaps_are_numbers_to_predict() -> None:
    rows = [(f"x {n}", f"{n}.5") for n in range(20)]
    loaded_rows = loaded(CLASSIFICATION, table([*rows, ("y", "")]), on_bad_row="skip")
    assert loaded_rows.task.variety() == "regression"
    assert "n/a" in notes(CLASSIFICATION, table([*rows, ("y", "n/a")]), accept=["unique_labels"])


def test_texts_without_labels_beside_folders_of_classes() -> None:
    for folder in ("pos", "neg", "unsup"):
        Path("reviews", folder).mkdir(parents=True)
        for number in range(10):
            Path("reviews", folder, f"{number}.TXT").write_text(f"{folder} trip {number}")
            Path("reviews", folder, f"._{number}.TXT").write_text("macOS")
    Path("reviews", "pos", "notes.md").write_text("not read")
    rows = load(CLASSIFICATION, DataOptions(train="reviews"), 1)
    assert rows.head.labels == ("neg", "pos")
    assert sum(map(len, rows.splits.values())) == 20
    said = "\n".join(rows.notes)
    assert "unsup" in said
    assert "notes.md" in said


def test_a_type_in_one_row_is_an_output_wherever_the_row_is_cut() -> None:
    """Rows of entities are cut without strata: for some seeds, the only row of a type is held out."""
    lines = "\n".join(f"Ida{n} B-PER\nleft O\n" for n in range(20)) + "\nOslo B-LOC\nslept O\n"
    Path("train.conll").write_text(lines)
    for seed in range(12):
        rows = load(NER, DataOptions(train="train.conll"), seed)
        assert rows.head.labels == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    assert any(
        not any("B-LOC" in row.tags for row in load(NER, DataOptions(train="train.conll"), seed).splits["train"])
        for seed in range(12)
    ), "a row of the only place was held out"


def test_passages_of_another_encoding_are_noted() -> None:
    line = '{{"question": "where {0}", "context": "El niÃ±o vive en MÃ¡laga {0}.", "answers": ["MÃ¡laga"]}}\n'
    assert "passages seem to be in another encoding" in notes(QA, "".join(line.format(n) for n in range(20)), "q.jsonl")
