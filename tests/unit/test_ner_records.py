"""Rows of NER in the forms in which people have them, and how what a tokenizer drops is decoded."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.data.options import Columns, DataOptions
from tasks.data.read import read_records
from tasks.data.records import Origin, ReadReport, Record
from tasks.data.streaming import stream_records
from tasks.errors import InputError
from tasks.loading.load import load
from tasks.ner import Ner, Sentence
from tasks.task import Head, Layout
from tests import tiny

HEAD = Head("AutoModelForTokenClassification", ("O", "B-PER", "I-PER", "B-LOC", "I-LOC"))
PLAIN = (("Ida", "left"), ("B-PER", "O"), None)
WITH_OFFSETS = (("Ida", "left"), ("B-PER", "O"), ((0, 3), (4, 8)))


def records(*rows: dict[str, Any]) -> list[Record]:
    return [Record(row, Origin("a.jsonl", number)) for number, row in enumerate(rows, start=1)]


def read(
    *rows: dict[str, Any],
    columns: Columns | None = None,
    names: list[str] | None = None,
    report: ReadReport | None = None,
    labelled: bool = True,
    **options: Any,
) -> list[Sentence]:
    layout, found = Layout(columns or Columns(), names), report or ReadReport()
    task = Ner(**options)
    if labelled:
        task = task.resolve_auto(records(*rows), layout, found)
    return task.read(records(*rows), layout, found, labelled=labelled)


def parts(row: Sentence) -> tuple[Any, ...]:
    return row.tokens, row.tags, row.offsets


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"tokens": ["Ida", "left"], "tags": ["B-PER", "O"]}, PLAIN),
        ({"Words": ("Ida", "left"), "NER_tags": ("B-PER", "O")}, PLAIN),
        ({"tokens": "Ida left", "tags": "B-PER O"}, PLAIN),
        ({"tokens": "['Ida', 'left']", "tags": '["B-PER", "O"]'}, PLAIN),
        ({"tokens": "['Ida' 'left']", "tags": "['B-PER' 'O']"}, PLAIN),
        ({"tokens": [{"text": "Ida"}, {"text": "left"}], "labels": ["B-PER", "O"]}, PLAIN),
        ({"tokens": ["Ida", "left"], "tags": ["B-PER ", "O"]}, PLAIN),
        ({"text": "Ida left", "entities": [[0, 3, "PER"]]}, WITH_OFFSETS),
        ({"text": "Ida left", "entities": "[(0, 3, 'PER')]"}, WITH_OFFSETS),
        ({"text": "Ida left", "labels": [{"start": 0, "end": 3, "label": "PER"}]}, WITH_OFFSETS),
        ({"data": "Ida left", "label": [[0, 3, "PER"]]}, WITH_OFFSETS),
        # Words without offsets say nothing about where they stand in the text: it is cut by the rule.
        ({"text": "Ida left", "tokens": ["Ida left"], "spans": [[0, 3, "PER"]]}, WITH_OFFSETS),
    ],
)
def test_one_sentence_in_many_forms(row: dict[str, Any], expected: Any) -> None:
    report = ReadReport()
    assert [parts(sentence) for sentence in read(row, report=report)] == [expected]
    assert not report.repaired


def test_a_text_is_cut_where_the_files_own_tokens_have_offsets() -> None:
    row = {
        "text": "re-enter Oslo",
        "tokens": [{"text": "re-enter", "start": 0, "end": 8}, {"text": "Oslo", "start": 9, "end": 13}],
        "spans": [{"start": 9, "end": 13, "label": "LOC"}],
    }
    assert parts(read(row)[0]) == (("re-enter", "Oslo"), ("O", "B-LOC"), ((0, 8), (9, 13)))
    without = {**row, "tokens": None}
    assert read(without)[0].tokens == ("re", "-", "enter", "Oslo")


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"start": 7, "end": 13}, "the token from 7 to 13 is not in the text, or not after the one before"),
        ({"start": 9, "end": 14}, "the token from 9 to 14 is not in the text"),
        ({"start": 9, "end": None}, r"the token \{'start': 9, 'end': None\} has no start and end"),
        ({"start": 9, "end": 13, "text": "Rome"}, "the token 'Rome' is not at 9 to 13, where 'Oslo' stands"),
    ],
)
def test_tokens_that_are_not_in_the_text_are_refused(second: dict[str, Any], message: str) -> None:
    row = {"text": "re-enter Oslo", "tokens": [{"start": 0, "end": "8"}, second], "spans": [[9, 13, "LOC"]]}
    with pytest.raises(InputError, match=f"a.jsonl, line 1: {message}"):
        read(row)


def test_blank_tokens_are_no_words() -> None:
    tokens = [{"start": 0, "end": 3}, {"start": 3, "end": 5}, {"start": 5, "end": 9}]
    row = {"text": "Ida  left", "tokens": tokens, "spans": [[0, 3, "PER"]]}
    assert parts(read(row)[0]) == (("Ida", "left"), ("B-PER", "O"), ((0, 3), (5, 9)))
    assert read({**row, "tokens": 7})[0].tokens == ("Ida", "left"), "no tokens with offsets: the text is cut"


def test_words_are_cut_by_the_rule_that_the_user_chose() -> None:
    row = {"text": "Ida's hat", "spans": [[0, 3, "PER"]]}
    assert read(row, words="unicode")[0].tokens == ("Ida", "'", "s", "hat")
    report = ReadReport()
    assert parts(read(row, words="blanks", report=report)[0])[:2] == (("Ida's", "hat"), ("B-PER", "O"))
    assert report.repaired == {"entity widened to whole words": 1}
    assert report.notes == ["1 entities end inside of words: is the end in the file that of the last character?"]


def test_tags_by_number_need_names() -> None:
    row = {"tokens": ["Ida", "left"], "ner_tags": [1, 0.0]}
    with pytest.raises(InputError, match=r"The tags are numbers \(0, 1\).*data\.label_names="):
        read(row)
    assert read(row, names=["O", "B-PER"])[0].tags == ("B-PER", "O")
    with pytest.raises(InputError, match=r"tag 1 has no name: data\.label_names has 1 names, for 0 to 0"):
        read(row, names=["O"], scheme="iob2")


@pytest.mark.parametrize("again", [None, "", float("nan"), "s1"])
def test_a_token_in_each_row_makes_sentences(again: Any) -> None:
    cells = [("s1", "Ida", "B-PER"), (again, "left", "O"), ("s2", "Oslo", "B-LOC"), ("s1", "He", "O")]
    rows = [{"Sentence #": number, "Word": word, "POS": "X", "Tag": tag} for number, word, tag in cells]
    found = read(*rows)
    assert [(row.id, row.tokens, row.tags) for row in found] == [
        ("s1", ("Ida", "left"), ("B-PER", "O")),
        ("s2", ("Oslo",), ("B-LOC",)),
        ("s1", ("He",), ("O",)),
    ]
    assert [row.origin.number for row in found] == [1, 3, 4], "the row of a sentence's first token"


def test_a_token_in_each_row_without_a_sentence_column_is_refused() -> None:
    rows = [{"word": word, "tag": "O", "nr": 1} for word in ("Ida", "left", "for", "Oslo")]
    with pytest.raises(InputError, match=r"each row holds one token.*Columns: word, tag, nr.*data\.columns\.sentence="):
        read(*rows)
    assert [row.tokens for row in read(*rows, columns=Columns(sentence="nr"))] == [("Ida", "left", "for", "Oslo")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"tokens": ["Ida", None], "tags": ["O", "O"]}, "token 2 is None, not a text"),
        ({"tokens": ["Ida", True], "tags": ["O", "O"]}, "token 2 is True, not a text"),
        ({"tokens": ["Ida", float("nan")], "tags": ["O", "O"]}, "token 2 is nan, not a text"),
        ({"tokens": ["Ida", "left"], "tags": ["O", None]}, "tag 2 is None, not a tag"),
        ({"tokens": ["Ida", "left"], "tags": ["O", 1.5]}, r"tag 2 is 1\.5, not a tag"),
        ({"tokens": ["Ida", "left"], "tags": ["O"]}, "2 tokens but 1 tags"),
        ({"tokens": "['Ida', 'left'", "tags": ["O", "O"]}, "begins like a list or dict"),
        ({"tokens": [" ", ""], "tags": ["O", "O"]}, "all words are blank"),
    ],
)
def test_bad_rows_of_words_are_errors_or_counted(row: dict[str, Any], message: str) -> None:
    good = {"tokens": ["Ida", "left"], "tags": ["B-PER", "O"]}
    with pytest.raises(InputError, match=f"a.jsonl, line 2: .*{message}"):
        read(good, row)
    report = ReadReport(on_bad_row="skip")
    assert [parts(found) for found in read(good, row, good, report=report)] == [PLAIN, PLAIN]
    assert sum(report.skipped.values()) == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": " ", "spans": []}, "column 'text' is empty"),
        ({"text": ["Ida"], "spans": []}, r"column 'text' is \"\['Ida'\]\", not a text"),
        ({"text": "\u200b", "spans": []}, "the text has no words"),
        ({"text": "Ida", "spans": "nobody"}, "'nobody' is not a list of entities"),
        ({"text": "Ida", "spans": [[0, 3]]}, r"\[0, 3\] is not an entity such as"),
        ({"text": "Ida", "spans": [[0, 4, "PER"]]}, "the PER from 0 to 4 is not in the text"),
    ],
)
def test_bad_rows_of_texts_are_errors_or_counted(row: dict[str, Any], message: str) -> None:
    good = {"text": "Ida left", "spans": [[0, 3, "PER"]]}
    with pytest.raises(InputError, match=f"a.jsonl, line 2: {message}"):
        read(good, row, good)
    report = ReadReport(on_bad_row="skip")
    assert [parts(found) for found in read(good, row, good, report=report)] == [WITH_OFFSETS, WITH_OFFSETS]
    assert sum(report.skipped.values()) == 1


def test_rows_without_labels() -> None:
    task, layout = Ner(), Layout(Columns())
    for row in ({"tokens": ["Ida", "left"]}, {"tokens": ["Ida", "left"], "tags": None}):
        assert not task.has_labels(records(row), layout)
        assert [parts(found) for found in read(row, labelled=False)] == [(("Ida", "left"), None, None)]
    for text in ({"text": "Ida left"}, {"text": "Ida left", "spans": None}):
        assert not task.has_labels(records(text), layout)
        assert [parts(found) for found in read(text, labelled=False)] == [(("Ida", "left"), None, ((0, 3), (4, 8)))]
    assert task.has_labels(records({"text": "Ida left", "spans": []}), layout), "it says that there is no entity"


def test_labels_that_are_missing_from_training_are_refused() -> None:
    with pytest.raises(InputError, match=r"none of the usual columns tags, .* data\.columns\.tags=NAME"):
        read({"tokens": ["Ida", "left"]})
    with pytest.raises(InputError, match=r"none of the usual columns spans, .* data\.columns\.spans=NAME"):
        read({"text": "Ida left"})


def decoded(row: Sentence, *labels: str) -> tuple[dict[str, Any], list[str]]:
    """Return the prediction for a row, and the notes, if the model answers with a label for each word that it sees."""
    task, tokenizer = Ner(), tiny.wordpiece()
    features = task.encode([row], tokenizer, HEAD, 64)
    (words,) = features["words"]
    seen = [position for position, word in enumerate(words) if word >= 0]
    output = np.zeros((1, len(words)), dtype=int)
    output[0, seen] = [HEAD.labels.index(label) for label in labels]
    prediction = task.decode([row], features, {"label": output, "probability": np.full(output.shape, 0.5)}, HEAD)[0]
    return prediction, list(task.window_notes(task.window_counts([row], features)))


def test_words_that_are_nothing_to_the_tokenizer_go_on_with_the_entity_before_them() -> None:
    words = ("\u200d", "New", "\u200d", "York", "in", "\u200d")
    row = Sentence("0", words, None, Origin("a.jsonl", 1))
    prediction, notes = decoded(row, "B-LOC", "I-LOC", "O")
    assert prediction["tags"] == ["O", "B-LOC", "I-LOC", "I-LOC", "O", "O"]
    assert [(entity["start"], entity["end"]) for entity in prediction["entities"]] == [(1, 4)]
    assert notes == [
        "3 of 6 words are nothing to this tokenizer, such as zero-width characters. "
        "They go on with the entity of the word before them"
    ]


def test_there_is_no_note_if_the_tokenizer_sees_every_word() -> None:
    row = Sentence("0", ("New", "York"), None, Origin("a.jsonl", 1))
    assert decoded(row, "B-LOC", "I-LOC")[1] == []


def test_entities_of_a_text_are_cut_out_of_it() -> None:
    text = "In New\u00a0York\u200b, Mara  Lindqvist left."
    (row,) = read({"text": text, "spans": [[3, 11, "LOC"]]})
    assert row.tokens == ("In", "New", "York", ",", "Mara", "Lindqvist", "left", ".")
    prediction, _ = decoded(row, "O", "B-LOC", "I-LOC", "O", "B-PER", "I-PER", "O", "O")
    shown = [(entity["type"], entity["text"], entity["start"], entity["end"]) for entity in prediction["entities"]]
    assert shown == [("LOC", "New\u00a0York", 3, 11), ("PER", "Mara  Lindqvist", 14, 29)]
    for entity in prediction["entities"]:
        assert text[entity["start"] : entity["end"]] == entity["text"]
    assert Ner().score([row], [Ner().gold_prediction(row)], HEAD)["f1"] == 1.0


@pytest.mark.parametrize("name", ["Tag", "tag", "ner_tags", "NE tag"])
def test_a_table_of_tokens_has_its_labels_under_any_name(name: str) -> None:
    """Once, the labels of such a table were lost unless their column was called `tags`."""
    rows = [("s1", "Ida", "B-PER"), ("", "left", "O"), ("s2", "Oslo", "B-LOC"), ("", "slept", "O")]
    table = [
        Record({"Sentence #": sentence, "Word": word, name: tag}, Origin("a.csv", number))
        for number, (sentence, word, tag) in enumerate(rows, start=2)
    ]
    layout = Layout(Columns(tags=name))
    assert Ner().has_labels(table, layout)
    read = Ner(scheme="iob2").read(table, layout, ReadReport())
    assert [(row.id, row.tokens, row.tags) for row in read] == [
        ("s1", ("Ida", "left"), ("B-PER", "O")),
        ("s2", ("Oslo", "slept"), ("B-LOC", "O")),
    ]


def marked(documents: int, ends: str = "\n") -> str:
    """Return a CoNLL file of documents of two sentences each."""
    return "".join(f"-DOCSTART- -X- O\n\nIda{n} O\n\nOslo{n} B-LOC\n\n" for n in range(documents)).replace("\n", ends)


def documents_in(path: Path, columns: Columns | None = None) -> list[str | None]:
    options = DataOptions(train=str(path), columns=columns or Columns())
    report = ReadReport()
    found = read_records(options, "train", report)
    assert found is not None
    layout = Layout(options.columns)
    rows = Ner().resolve_auto(found, layout, report).read(found, layout, report)
    return [row.document for row in Ner().with_groups_that_count(rows)]


def test_documents_are_what_a_file_marks(tmp_path: Path) -> None:
    file = tmp_path / "a.conll"
    file.write_text(marked(10))
    documents = documents_in(file)
    assert documents == [f"{file}, line {1 + 6 * (n // 2)}" for n in range(20)]
    assert Ner().group(Sentence("1", ("a",), None, Origin("f", 1), document="d")) == "d"


@pytest.mark.parametrize("documents", [0, 1, 9])
def test_few_marks_make_no_documents(tmp_path: Path, documents: int) -> None:
    file = tmp_path / "a.conll"
    file.write_text(marked(documents) + "Ida O\n\nOslo B-LOC\n" * 12)
    assert set(documents_in(file)) == {None}


def test_documents_in_a_column(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    lines = [f"{n},d{n // 2},{word},{tag}" for n in range(24) for word, tag in (("Ida", "O"), ("Oslo", "B-LOC"))]
    table.write_text("\n".join(["sentence_id,doc_id,token,tag", *lines]))
    assert documents_in(table) == [f"{table}, d{n // 2}" for n in range(24)]
    named = tmp_path / "b.jsonl"
    rows = [{"tokens": ["Ida"], "tags": ["B-PER"], "letter": n % 12} for n in range(24)]
    named.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert documents_in(named, Columns(document="letter")) == [f"{named}, {n % 12}" for n in range(24)]
    with pytest.raises(InputError, match=r"no column 'leter' \(data.columns.document\)"):
        documents_in(named, Columns(document="leter"))


@pytest.mark.parametrize("portion", [1, 30, 100, 10_000])
def test_portions_have_the_documents_of_the_whole(tmp_path: Path, portion: int) -> None:
    file = tmp_path / "a.conll"
    file.write_text(marked(12))
    whole, parts = ReadReport(), ReadReport()
    read_records(DataOptions(train=str(file)), "train", whole)
    list(stream_records(str(file), DataOptions(), parts, portion_bytes=portion))
    assert whole.document_starts == parts.document_starts == {str(file): [1 + 6 * n for n in range(12)]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.conllu", "# newdoc id = d{n}\n1\tIda\t_\t_\t_\t_\t_\t_\t_\tEntity=B-PER\n\n"),
        ("a.gold_conll", "#begin document (d{n}); part 000\nd 0 0 Ida NN * - - - * (PER) -\n\n#end document\n"),
    ],
)
def test_documents_of_other_formats(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text("".join(text.format(n=n) for n in range(11)))
    assert len(set(documents_in(file))) == 11


def test_documents_stay_in_one_split_and_few_of_them_are_no_units(tmp_path: Path) -> None:
    file = tmp_path / "a.conll"
    file.write_text("Head O\n\n" + marked(40))  # the first sentence is in no document
    options = DataOptions(train=str(file), test_fraction=0.3, validation_fraction=0.1, accept=["one_word_sentences"])
    rows = load(Ner(), options, 1)
    numbers = {
        split: {(row.origin.number - 3) // 6 for row in some if row.tokens != ("Head",)}
        for split, some in rows.splits.items()
    }
    assert not numbers["test"] & numbers["train"]
    assert not numbers["validation"] & (numbers["train"] | numbers["test"])
    assert any("by document" in note for note in rows.notes)
    assert len({row.document for row in rows.splits["test"]}) >= 10
    assert {row.document for row in rows.splits["validation"]} == {None}, "four documents tell no interval"
