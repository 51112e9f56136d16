"""Reading in portions: the same records and the same report as reading at once, in the memory of a portion."""

import bz2
import gzip
import io
import itertools
import json
import lzma
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tasks.data.formats.arrow_tables import stream_parquet
from tasks.data.formats.source import Source
from tasks.data.options import Columns, DataOptions
from tasks.data.read import read_records
from tasks.data.readers import choose_reader
from tasks.data.records import Origin, ReadReport, Record
from tasks.data.streaming import stream_records
from tasks.data.text_stream import TextStream
from tasks.errors import InputError
from tests.unit.data.inputs import json_lines, written
from tests.unit.data.test_readers import NATURAL, packed_table, workbook

SIZES = st.integers(1, 200)
"How many characters a portion has."
CHUNKS = st.sampled_from([1, 2, 3, 7, 64])
"How many bytes are decoded at a time."
PACK: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def portions(
    name: Any, size: int = 1, report: ReadReport | None = None, fallback: str | None = None, **options: Any
) -> list[list[Record]]:
    how = replace(DataOptions(), **options)
    return list(stream_records(name, how, report or ReadReport(), portion_bytes=size, fallback=fallback))


def texts(found: Sequence[Sequence[Record]]) -> list[list[Any]]:
    return [[record.values.get("text") for record in records] for records in found]


def assert_same(name: str, size: int, **options: Any) -> int:
    """Compare with what is read at once: records, report, or what is refused. Return the number of portions."""
    whole, parts = ReadReport("skip"), ReadReport("skip")
    try:
        records = read_records(replace(DataOptions(train=name), **options), "train", whole)
    except InputError as error:
        with pytest.raises(InputError) as refused:
            portions(name, size, parts, **options)
        # The encodings that are suggested depend on the bytes that are there.
        beginning = str(error).partition(" is not valid ")[0]
        assert str(refused.value).partition(" is not valid ")[0] == beginning
        return 0
    found = portions(name, size, parts, **options)
    assert list(itertools.chain(*found)) == records
    assert replace(parts, notes=other_notes(parts)) == replace(whole, notes=other_notes(whole))
    return len(found)


def other_notes(report: ReadReport) -> list[str]:
    """Return the notes but for the one that is found by the rows of a portion."""
    return sorted(note for note in report.notes if "quotes join" not in note)


CELL = st.sampled_from(["a", 'b"', '"q,""\n"', '"a;\r\nb"', "é", ' "s p" ', "", "😀\u2028", '5" disk', "\ufeff"])
END = st.sampled_from(["\n", "\r\n", "\n\n", "\r"])
ROWS = st.lists(st.tuples(CELL, CELL, END).map(lambda row: f"{row[0]},{row[1]}{row[2]}"), max_size=12)
HEADERS = ("a,b\n", "a;b\r\n", "sep=;\na;b\n", "title\na,b\n", "a,b,\n", '"a\nx",b\n', "\n\ntext,label\n", "text\n", "")
TABLE = st.fixed_dictionaries(
    {},
    optional={
        "skip_lines": st.integers(0, 3),
        "header": st.just(["h", "i"]),
        "quoting": st.just(False),
        "separator": st.sampled_from([",", ";", "\\t", " "]),
        "format": st.sampled_from(["csv", "tsv", "txt"]),
    },
)


@settings(max_examples=300)
@given(st.sampled_from(HEADERS), ROWS, TABLE, SIZES, CHUNKS)
@example("a,b\n", ["a,b\n", '"q\n\nr",c\n', "d,e"], {}, 1, 1)
def test_tables(header: str, rows: list[str], options: dict[str, Any], size: int, chunk: int) -> None:
    written("f.csv", header + "".join(rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.data.text_stream.CHUNK", chunk)
        assert_same("f.csv", size, **options)


MISC = "\tx\tX\t_\t_\t2\tn\t_\t"
LINES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "f.jsonl": (
        ['{"text": "a"}\n', "\n", '{"text": "\u2028é", "spans": [[0, 1, "x"]]}\r\n', "[1]\n", "{bad\n", "\ufeff"],
        {"format": st.sampled_from(["auto", "jsonl", "doccano", "spacy", "cluener"])},
    ),
    "prodigy.jsonl": (
        [
            f'{{"text": "é", "_task_hash": 1, "answer": "{answer}", {other}}}\n'
            for answer in ("accept", "reject", "ignore")
            for other in ('"label": "L"', '"label": "M"', '"accept": ["c"]', '"spans": []')
        ],
        {},
    ),
    "spacy.jsonl": (
        ['["é", {"entities": [[0, 1, "x"]]}]\n', '["b", {"cats": {"x": 1}}]\r\n', '{"text": "c", "ents": []}\n', "3\n"],
        {},
    ),
    "f.conll": (
        ["a\tO\n", "b\tB-x\n", "\n", "c O\r\n", "# x\n", "-DOCSTART-\n", "é\tO\t\n", " \n", "d\n", "M B-Main Person\n",
         "1\ta\tO\n2\tb\tO\n3\tc\tO\n", "en:a\tO\n"],
        {"comment": st.sampled_from([None, "# ", " "]), "columns": st.sampled_from([Columns(), Columns(tags="1")])},
    ),
    "counted.conll": (["# x\n", "1\ta\tO\tO\n2\tb\tB-x\tO\n3\té\tO\tB-y\n", "\n", "4-5\tc\tO\tO\n", "\r\n"], {}),
    "tokens.conll": (["en:a\n", "en:é\n", "\n", "\r\n", "de:b\n"], {"token_prefix": st.sampled_from([None, "en:"])}),
    "f.conllu": (
        ["# c\n", f"1\ta{MISC}NER=B-P\n", f"2\té{MISC}_\n", "\n", "\r\n", "x\n", f"3\tb{MISC}_\tO\n", "2-3\tab\n"],
        {"columns": st.sampled_from([Columns(), Columns(tags="NER"), Columns(tags="10")])},
    ),
    "f.gold_conll": (
        ["#begin document (x)\n", "x 0 0 a NNP (TOP* - - - A (PER) -\n", "x 0 1 é VBD * - - - A * -\n", "\n", "bad\n"],
        {},
    ),
    "f.txt": (["__label__x a\n", "\n", "__label__y __label__z é\r\n", "none\n"], {"format": st.just("fasttext")}),
    "g.txt": (
        ["a b\n", "\n", "é\r\n", "\r", "\u2028\u0085", "😀\n", " c \n", "\ufeff", '{"a"\n'],
        {"format": st.just("txt")},
    ),
}  # fmt: skip
"Pieces of files of each format, and options that they are read with."


@pytest.mark.parametrize("name", LINES)
@given(st.data(), SIZES, CHUNKS)
def test_lines(name: str, data: st.DataObject, size: int, chunk: int) -> None:
    pieces, options = LINES[name]
    written(name, "".join(data.draw(st.lists(st.sampled_from(pieces), max_size=25))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.data.text_stream.CHUNK", chunk)
        assert_same(name, size, **data.draw(st.fixed_dictionaries(options)))


@pytest.mark.parametrize(
    ("name", "row", "options"),
    [
        ("f.csv", "a,b\n", {"header": ["text", "label"]}),
        ("f.tsv", "a\tb\n", {"header": ["text", "label"], "quoting": False}),
        ("f.jsonl", json_lines({"text": "a"}), {}),
        ("f.jsonl", json_lines({"text": "a", "label": [[0, 1, "x"]]}), {}),
        ("f.jsonl", json_lines({"text": "a", "answer": "accept"}), {}),
        ("f.jsonl", json_lines(["a", {"entities": []}]), {}),
        ("f.jsonl", json_lines({"text": "a", "label": {"x": {"a": [[0, 0]]}}}), {}),
        ("f.conll", "a O\n\n", {}),
        ("f.conllu", f"1\ta{MISC}NER=O\n\n", {}),
        ("f.gold_conll", "x 0 1 left VBD * - - - A * -\n\n", {}),
        ("f.txt", "__label__x a\n", {}),
        ("f.txt", "a\n", {"format": "txt"}),
    ],
)
def test_each_of_these_formats_is_read_in_portions(name: str, row: str, options: dict[str, Any]) -> None:
    written(name, row * 20)
    assert assert_same(name, 3 * len(row), **options) >= 6


TEXT = '\ufefftext;label\r\n"é;\r\n""x""";ü\r\n\r\nж😀;b\r\n'


@pytest.mark.parametrize("chunk", [1, 2, 3, 64])
@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", TEXT),
        ("utf-8", TEXT[1:]),
        ("utf-16", TEXT[1:]),
        ("utf-16-le", TEXT),
        ("utf-16-be", TEXT[1:]),
        ("utf-32", TEXT[1:]),
        ("gb18030", TEXT),
        ("cp1252", TEXT[1:].replace("ж😀", "€")),
        ("shift_jis", "text;label\n日本;ソ\n表;b\n"),
    ],
)
def test_encodings(encoding: str, text: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.data.text_stream.CHUNK", chunk)
    written("f.csv", text.encode(encoding))
    assert assert_same("f.csv", 1, encoding=encoding) == 2
    if encoding in ("utf-16", "utf-32"):
        assert assert_same("f.csv", 1) == 2  # the mark tells


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-7"])
def test_bytes_that_are_no_text(encoding: str) -> None:
    written("f.csv", "text,label\n".encode(encoding) + b"warm,good\n\xff\xfe\xff,bad\n")
    assert assert_same("f.csv", 1, encoding=encoding) == 0
    assert assert_same("f.csv", 1, encoding="base64") == 0
    assert assert_same("f.csv", 1, encoding="utf-99") == 0


def test_a_fault_is_found_when_its_portion_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.data.text_stream.CHUNK", 8)
    monkeypatch.setattr("tasks.data.streaming.LOOKED_AT", 20)
    written("f.csv", b"text,label\n" + b"warm,good\n" * 10 + b"caf\xe9,bad\n")
    found = stream_records("f.csv", DataOptions(), ReadReport(), portion_bytes=20)
    assert [record.origin.number for record in next(found)] == [2]
    with pytest.raises(InputError, match=r"f\.csv, line 12: byte 0xe9 is not valid utf-8\. .*data\.encoding="):
        list(found)


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("size", [1, 1000])
def test_packed_files(kind: str, size: int) -> None:
    written(f"f.csv.{kind}", PACK[kind](TEXT.encode()))
    assert assert_same(f"f.csv.{kind}", size) == (2 if size == 1 else 1)
    packed = PACK[kind](b"text,label\n" + bytes(range(32, 127)) * 5000)
    for length in (len(packed) - 1, len(packed) // 2, 12):
        written(f"f.csv.{kind}", packed[:length])
        with pytest.raises(InputError, match=rf"f\.csv\.{kind}: can't be unpacked: "):
            portions(f"f.csv.{kind}", size)


def test_packed_parts_that_were_joined() -> None:
    written("f.csv.gz", gzip.compress(b"text,label\nwarm,") + gzip.compress(b"good\ncold,bad\n"))
    assert assert_same("f.csv.gz", 1) == 2


class TestWhereItIsCut:
    def test_between_rows_whose_quotes_hold_line_ends(self) -> None:
        written("f.csv", 'text,label\n"a\n\nb",x\n5" disk,"y"\n"c\n",z\n')
        found = portions("f.csv", 1)
        assert texts(found) == [["a\n\nb"], ['5" disk'], ["c\n"]]
        assert [records[0].origin for records in found] == [Origin("f.csv", number) for number in (2, 5, 6)]

    def test_between_sentences(self) -> None:
        written("f.conll", "a O\n\n\nb O\n-DOCSTART- O\nc O\n")
        found = portions("f.conll", 1)
        assert [[record.values["tokens"] for record in records] for records in found] == [[["a"]], [["b"]], [["c"]]]
        assert [records[0].origin.number for records in found] == [1, 4, 6]

    def test_not_at_blank_lines_that_are_comments(self) -> None:
        written("f.conll", "a O\n  \nb O\n\n" * 9)
        assert assert_same("f.conll", 1, comment=" ") > 2

    def test_as_large_as_is_asked_for_rounded_up_to_rows(self) -> None:
        written("f.txt", "1234\n" * 10)
        assert [len(records) for records in portions("f.txt", 11, format="txt")] == [3, 3, 3, 1]

    def test_where_carriage_returns_alone_end_lines(self) -> None:
        written("f.csv", "text,label\rwarm,good\rcold,bad\r")
        assert assert_same("f.csv", 1) == 2

    def test_not_where_carriage_returns_are_part_of_a_text(self) -> None:
        written("f.csv", "text,label\nwarm\rbeds,good\ncold\rsoup,bad")
        assert texts(portions("f.csv", 1)) == [["warm\rbeds"], ["cold\rsoup"]]

    def test_a_long_row_is_not_looked_at_again_for_each_of_its_lines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        written("f.csv", 'text,label\n"' + "a\n" * 5000 + '",x\n')
        taken = []
        take = TextStream.take

        def counted(text: TextStream, size: int) -> tuple[str, bool]:
            taken.append(size)
            return take(text, size)

        monkeypatch.setattr(TextStream, "take", counted)
        assert sum(map(len, portions("f.csv", 1))) == 1
        assert len(taken) < 30

    def test_not_in_files_that_are_read_at_once(self) -> None:
        rows = [{"text": "warm", "label": "good"}, {"text": "cold", "label": "bad"}]
        written("f.json", json.dumps(rows))
        written("f.xlsx", workbook())
        written("articles.jsonl", json_lines(*[{"context": "a", "qas": [{"question": "b"}]}] * 2))
        written("brat/f.txt", "Mara left\nRain\n")
        written("brat/f.ann", "T1\tPER 0 4\tMara\n")
        written("folder/a/1.txt", "warm\n")
        written("folder/b/1.txt", "cold\n")
        with zipfile.ZipFile("f.zip", "w") as packed:
            packed.writestr("f.iob2", "Mara B-PER\n")  # only this name tells the format
        for name in ("f.json", "f.xlsx", "articles.jsonl", "brat/f.txt", "brat/*", "folder", "f.zip"):
            assert assert_same(name, 1) == 1

    @pytest.mark.parametrize(("expected", "name", "text"), NATURAL)
    def test_each_natural_file(self, expected: str, name: str, text: str) -> None:
        written(name, text)
        assert_same(name, 1)
        assert choose_reader(Source(Path(name)), "auto", "txt").name == expected


def test_a_header_that_cannot_be_used_is_refused_before_the_rows_are_read() -> None:
    written("f.csv", "text,text\n" + "warm,good\n" * 20 + '"cold\n')
    with pytest.raises(InputError, match="two columns have the name 'text'"):
        portions("f.csv")
    assert assert_same("f.csv", 1) == 0


def test_names_of_columns_are_compared_with_all_rows_looked_at() -> None:
    written("f.csv", "text,label\n" + "warm,good\n" * 12 + "text,good\n")
    assert assert_same("f.csv", 1, header=["a", "b"]) == 14


class TestTheBeginningDecides:
    """A file of which only the first characters are looked at."""

    @pytest.fixture(autouse=True)
    def _looked_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tasks.data.streaming.LOOKED_AT", 40)
        monkeypatch.setattr("tasks.data.text_stream.CHUNK", 5)

    @settings(max_examples=50)
    @given(st.lists(st.sampled_from(['"a\n;b",x\n', "c,y\n", '"d""\r\n",z\r\n', '5" e,x\n']), min_size=8), SIZES)
    def test_tables(self, rows: list[str], size: int) -> None:
        written("f.csv", "text,label\n" + "".join(rows))
        assert_same("f.csv", size)
        assert_same("f.csv", size, header=["i", "j"], skip_lines=0)

    @pytest.mark.parametrize("size", [1, 50, 1000])
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("f.conll", "Mara B-PER\nleft O\n\n" * 9),
            ("f.conll", "en:Mara B-PER\nen:left O\n\n" * 9),
            ("f.conll", "en:Mara B-PER\nen:left O\n\n" * 9 + "de:Rain O\n"),
            ("f.conll", "Mara B-Main Person\nleft O\n\n" * 9),
            ("f.conll", "Mara\nleft\n\n" * 9),
            ("f.conll", "# a\n1\tMara\tO\n2\tleft\tO\n3\t.\tO\n\n" * 9),
            ("f.conllu", f"# a\n1\ta{MISC}NER=B-P\n\n" * 9),
            ("f", "#begin document (x)\n" + "x 0 0 Mara NNP (TOP* - - - A (PER) -\n\n" * 9),
            ("f", "__label__x warm beds\n" * 9),
            ("f.json", json_lines({"text": "warm"}) * 9),
            ("f.jsonl", json_lines({"text": "Mara", "label": [[0, 4, "PER"]]}) * 9),
            ("f.jsonl", json_lines({"text": "Mara", "answer": "reject", "label": "x"}) * 9),
            ("f.json", json.dumps([{"text": "warm"}] * 9)),
            ("f", json.dumps([{"text": "warm"}] * 9, indent=1)),
            ("f", json.dumps({"data": [{"text": "warm"}] * 9}, indent=1)),
            ("f.jsonl", json.dumps({"text": "warm" * 99}) * 2),
            ("f.tsv", "text\tlabel\t\n" + "warm\tgood\tx\n" * 9),
        ],
    )
    def test_files_that_go_on_as_they_begin(self, name: str, text: str, size: int) -> None:
        written(name, text)
        assert_same(name, size)

    def test_many_lines_are_skipped(self) -> None:
        written("f.csv", "a title; of a line\n" * 30 + "text;label\nwarm, dry;good\ncold, wet;bad\n")
        assert assert_same("f.csv", 1, skip_lines=30) == 2

    @pytest.mark.parametrize(
        ("name", "text", "line", "reason"),
        [
            ("f.csv", "text,label\n" + "warm,good\n" * 9 + "cold,wet,bad\n", 11, "too many cells"),
            ("f.conll", "Mara\nleft\n\n" * 9 + "Rain O\n", 28, "bad line in a sentence"),
            ("f.conll", "Mara O\nleft O\n\n" * 9 + "Mara B-Main Person\nleft O\n", 29, "bad line in a sentence"),
            ("f.jsonl", '{"text": "a", "label": "x", "answer": "accept"}\n' * 9
             + '{"text": "b", "label": "y", "answer": "accept"}', 10, "another label"),
        ],
    )  # fmt: skip
    def test_rows_that_do_not_fit_are_bad_rows(self, name: str, text: str, line: int, reason: str) -> None:
        written(name, text)
        report = ReadReport("skip")
        assert sum(map(len, portions(name, 50, report))) == 9
        assert report.skipped == {reason: 1}
        with pytest.raises(InputError, match=rf"^{name}, line {line}: "):
            portions(name, 50)

    def test_a_later_line_may_lack_the_separator_at_its_end(self) -> None:
        written("f.conll", "Mara\tO\t\n\n" * 9 + "Rain\tB-x\n")
        assert portions("f.conll", 50)[-1][-1].values == {"tokens": ["Rain"], "tags": ["B-x"]}

    def test_a_header_line_that_is_named_again_is_seen_by_the_rows_looked_at(self) -> None:
        written("f.csv", "text,label\n" + "warm,good\n" * 9)
        with pytest.raises(InputError, match="look like the file's own names"):
            portions("f.csv", 1, header=["a", "b"])

    def test_a_later_portion_may_begin_like_a_header_line(self) -> None:
        rows = ["warm,good\n"] * 9 + ["text,label\n"] + ["warm,good\n"] * 9
        written("f.csv", "".join(rows))
        assert sum(map(len, portions("f.csv", 90, header=["a", "b"]))) == 19


def test_quotes_that_seem_to_join_rows_are_noted_once() -> None:
    written("f.csv", "text,label\n" + ("warm,good\n" * 4 + '"a,good\nb",bad\n') * 12)
    whole, parts = ReadReport(), ReadReport()
    read_records(DataOptions(train="f.csv"), "train", whole)
    assert len(portions("f.csv", 150, parts)) > 2
    (note,) = parts.notes
    assert [note] == whole.notes
    assert note.startswith("f.csv: quotes join 12 lines with the next ones, as in line 6")


def test_a_quote_that_is_open_for_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.data.formats.cells_of_lines.LONGEST_ROW", 100)
    monkeypatch.setattr("tasks.data.streaming.LOOKED_AT", 20)
    written("f.csv", 'text,label\nwarm,good\n"cold,bad\n' + "warm,good\n" * 1000 + 'late","x"\n')
    with pytest.raises(InputError, match=r"f\.csv, line 3: the quote that opens here is never closed"):
        portions("f.csv", 1)
    # Behind blanks, a quote that is not closed is an ordinary character.
    written("f.csv", 'text,label\nwarm,good\na, "b\n' + "warm,good\n" * 1000 + 'late","x"\n')
    assert portions("f.csv", 10, ReadReport("skip"))[1][0].values == {"text": "a", "label": ' "b'}


class TestFallback:
    @pytest.mark.parametrize("name", ["f.txt", "f", "f.md"])
    def test_prose_is_a_text_on_each_line(self, name: str) -> None:
        written(name, "The beds were warm.\n\n  The soup, alas, was cold. \n")
        report = ReadReport()
        (records,) = portions(name, 100, report, fallback="txt")
        assert records == [
            Record({"text": "The beds were warm."}, Origin(name, 1)),
            Record({"text": "  The soup, alas, was cold. "}, Origin(name, 3)),
        ]
        assert report == ReadReport(recognised=[f"train: {name}: a text on each line, 2 rows"])

    def test_without_one_it_is_refused_as_for_training(self) -> None:
        written("f.txt", "The beds were warm.\n")
        with pytest.raises(InputError, match="neither name nor content tells the format"):
            portions("f.txt")
        assert assert_same("f.txt", 1) == 0

    @pytest.mark.parametrize("text", ['{"text": "warm"\n', '[{"text": "warm"},\n{"text": \n', ' [\n["a"\n'])
    def test_json_that_is_damaged_is_no_prose(self, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        written("f", text)
        with pytest.raises(InputError, match="neither name nor content tells the format"):
            portions("f", fallback="txt")
        monkeypatch.setattr("tasks.data.streaming.LOOKED_AT", 5)
        with pytest.raises(InputError, match="neither name nor content tells the format"):
            portions("f", fallback="txt")

    def test_a_text_may_begin_with_a_bracket(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tasks.data.streaming.LOOKED_AT", 5)
        written("f", "[1] The beds were warm.\n[2] The soup was cold.\n")
        assert texts(portions("f", 1, fallback="txt")) == [["[1] The beds were warm."], ["[2] The soup was cold."]]

    def test_a_file_that_is_no_text_is_refused(self) -> None:
        written("f", b"%PDF-1.7")
        with pytest.raises(InputError, match="f: is a PDF"):
            portions("f", fallback="txt")


class Pipe:
    """Standard input that gives a few bytes at a time, as a pipe may."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, size: int) -> bytes:
        return self._content.read(min(size, 7) if size >= 0 else 7)


class TestStandardInput:
    @pytest.fixture
    def pipe(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
        return lambda content: monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Pipe(content)))

    def test_rows_come_from_stdin(self, pipe: Callable[[bytes], None]) -> None:
        Path("stdin").mkdir()  # no file or folder of this name is looked at
        pipe(b"text,label\nwarm,good\ncold,bad\n")
        report = ReadReport()
        assert portions("-", 1, report) == [
            [Record({"text": "warm", "label": "good"}, Origin("stdin", 2))],
            [Record({"text": "cold", "label": "bad"}, Origin("stdin", 3))],
        ]
        assert report == ReadReport(recognised=["train: stdin: CSV, 2 rows"])

    @pytest.mark.parametrize(
        "content",
        [
            b'[{"text": "warm beds", "label": "good"}]',
            b'{"text": "warm beds", "label": "good"}\n' * 2,
            packed_table(),
            workbook(),
            gzip.compress(b"text,label\nwarm beds,good\n", mtime=0),
            gzip.compress(packed_table(), mtime=0),
            "text,label\nwarm beds,good".encode("utf-16"),
        ],
    )
    def test_all_that_a_file_may_hold(self, content: bytes, pipe: Callable[[bytes], None]) -> None:
        pipe(content)
        assert portions(["-"], 1)[0][0].values == {"text": "warm beds", "label": "good"}

    def test_an_archive(self, pipe: Callable[[bytes], None]) -> None:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as packed:
            packed.writestr("f.csv", "text,label\nwarm,good\n")
        pipe(file.getvalue())
        assert texts(portions("-", 1)) == [["warm"]]

    def test_an_arrow_file(self, pipe: Callable[[bytes], None]) -> None:
        file = io.BytesIO()
        table = pa.Table.from_pylist([{"text": "warm", "label": "good"}])
        with pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
        pipe(file.getvalue())
        assert texts(portions("-", 1, format="arrow")) == [["warm"]]

    def test_nothing(self, pipe: Callable[[bytes], None]) -> None:
        pipe(b"")
        with pytest.raises(InputError, match="stdin: neither name nor content tells the format"):
            portions("-")
        pipe(b"")
        with pytest.raises(InputError, match="stdin: holds no usable row"):
            portions("-", fallback="txt")

    def test_prose(self, pipe: Callable[[bytes], None]) -> None:
        pipe("warm beds\ncold söup".encode())
        assert texts(portions("-", 1, fallback="txt")) == [["warm beds"], ["cold söup"]]


class TestParquet:
    @pytest.mark.parametrize("size", [1, 1000, 1 << 20])
    def test_batches(self, size: int) -> None:
        table = pa.Table.from_pylist([{"text": f"{number:050}", "n": number, "b": b"x"} for number in range(50)])
        parquet.write_table(table, "f.parquet", row_group_size=20, compression="none")
        found = assert_same("f.parquet", size)
        assert found == 50 if size == 1 else 1 <= found < 50

    def test_names_of_labels(self) -> None:
        from datasets import ClassLabel, Dataset, Features, Value

        features = Features({"text": Value("string"), "label": ClassLabel(names=["bad", "good"])})
        Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features).to_parquet("f.parquet")
        assert [[record.values["label"] for record in records] for records in portions("f.parquet")] == [
            ["good"],
            ["bad"],
        ]
        assert assert_same("f.parquet", 1) == 2

    def test_packed(self) -> None:
        written("f.parquet.gz", gzip.compress(packed_table()))
        assert assert_same("f.parquet.gz", 1) == 1

    def test_damaged(self) -> None:
        written("f.parquet", packed_table()[:-20])
        with pytest.raises(InputError, match=r"f\.parquet: can't be read as Parquet"):
            portions("f.parquet")
        written("f.parquet", "text,label\n")
        with pytest.raises(InputError, match=r"f\.parquet: can't be read as Parquet"):
            list(stream_parquet(Path("f.parquet"), 1))


class TestFiles:
    def test_their_order_is_that_of_their_names(self) -> None:
        for name in ("b.csv", "a.csv", "c.csv"):
            written(name, f"text,label\n{name},x\n{name},y\n")
        report = ReadReport()
        assert texts(portions(["b.csv", "*.csv"], 1, report)) == [
            [name] for name in "aabbcc" for name in [f"{name}.csv"]
        ]
        assert report.recognised == ["train: 3 files: CSV, 6 rows"]

    def test_a_file_without_rows_is_refused(self) -> None:
        written("a.csv", "text,label\nwarm,good\n")
        written("b.csv", "text,label\n")
        found = stream_records("*.csv", DataOptions(), ReadReport())
        assert len(next(found)) == 1
        with pytest.raises(InputError, match=r"b\.csv: holds no usable row"):
            next(found)

    def test_a_file_that_is_missing_is_refused_at_once_by_its_key(self) -> None:
        with pytest.raises(InputError, match=r"^input=none\.csv: there is no file"):
            stream_records("none.csv", DataOptions(), ReadReport(), "input")
        Path("empty").mkdir()
        with pytest.raises(InputError, match=r"^input=empty: .* is a folder\. Name files:"):
            list(stream_records("empty", DataOptions(), ReadReport(), "input"))
        with pytest.raises(InputError, match=r"^data\.format=cvs: choose from"):
            stream_records("none.csv", DataOptions(format="cvs"), ReadReport())

    def test_bad_rows_are_refused(self) -> None:
        written("f.csv", "text,label\nwarm,good\ncold\n")
        found = stream_records("f.csv", DataOptions(), ReadReport(), portion_bytes=1)
        assert len(next(found)) == 1
        with pytest.raises(InputError, match=r"f\.csv, line 3: 1 cell, but 2 columns"):
            next(found)

    def test_a_data_set_of_the_hub_is_one_portion(self) -> None:
        written("lodge/train.jsonl", json_lines({"text": "warm", "label": "good"}, {"text": "cold", "label": "bad"}))
        assert texts(portions("train", 1, hub="lodge")) == [["warm", "cold"]]


class Generated:
    """Bytes that are made when they are read, as many as are asked for, and then the end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""
        self.given = 0

    def read(self, size: int) -> bytes:
        while len(self._rest) < size and (piece := next(self._pieces, b"")):
            self._rest += piece
        data, self._rest = self._rest[:size], self._rest[size:]
        self.given += len(data)
        return data


MILLION = 1 << 20


@pytest.mark.parametrize(
    ("beginning", "row", "rows"),
    [
        ("text,label\n", '"{0:02000}\n""{0:02000}""",x\n', 7500),
        ("", '{{"text": "{0:02000}"}}\n', 7500),
        ("", "a{0:01000} O\nb{0:01000} B-x\n\n", 5000),
        ("", "The number is {0:02000}\n", 7500),
    ],
)
def test_memory_is_that_of_a_portion(beginning: str, row: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = itertools.chain([beginning.encode()], (row.format(number).encode() for number in range(rows)))
    generated = Generated(pieces)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=generated))
    monkeypatch.setattr("tasks.data.streaming.LOOKED_AT", MILLION // 2)
    assert counted_within("-", 6 * MILLION) == rows
    assert generated.given > 10_000_000


def test_memory_is_that_of_a_portion_of_what_is_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.data.streaming.LOOKED_AT", MILLION // 2)
    written("f.txt.gz", gzip.compress((b"warm beds" * 220 + b"\n") * 7500))
    assert counted_within("f.txt.gz", 6 * MILLION) == 7500


def counted_within(name: str, most: int) -> int:
    """Return how many records are read in portions, and fail if this takes more bytes of memory than `most`."""
    counted = 0
    tracemalloc.start()
    try:
        for records in stream_records(name, DataOptions(), ReadReport(), portion_bytes=MILLION // 2, fallback="txt"):
            counted += len(records)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < most
    return counted


@pytest.mark.parametrize(
    ("content", "options", "values"),
    [
        ("Ada, hello\nJon, bye\n", {}, [{"text": "Ada, hello"}, {"text": "Jon, bye"}]),
        ("text,label\nwarm,good\n", {}, [{"text": "warm", "label": "good"}]),
        ("body;x\nwarm;good\n", {"columns": Columns(text="body")}, [{"body": "warm", "x": "good"}]),
        ("Ada,hello\nJon,\n", {"header": ["a", "b"]}, [{"a": "Ada", "b": "hello"}, {"a": "Jon", "b": ""}]),
    ],
)
def test_prose_is_no_table_though_its_lines_have_equally_many_commas(
    content: str, options: dict[str, Any], values: list[dict[str, str]], tmp_path: Path
) -> None:
    path = tmp_path / "news.txt"
    path.write_text(content)
    portions = stream_records(str(path), DataOptions(**options), ReadReport(), fallback="txt")
    assert [record.values for records in portions for record in records] == values
