"""CoNLL files."""

from typing import TypedDict, Unpack

import pytest

from tasks.data.formats.conll import read_conll
from tasks.data.options import Columns
from tasks.data.records import Origin, ReadReport
from tasks.errors import InputError
from tests.unit.data.inputs import recognised, values


class Options(TypedDict, total=False):
    """Options of `read_conll`, all of which have defaults."""

    tokens: str
    tags: str
    separator: str
    comment: str


def read(
    text: str, report: ReadReport | None = None, **options: Unpack[Options]
) -> list[tuple[int, list[str], list[str]]]:
    records = read_conll(text, "f.conll", report or ReadReport(), **options)
    assert all(record.origin == Origin("f.conll", record.origin.number, "line") for record in records)
    return [(record.origin.number, record.values["tokens"], record.values["tags"]) for record in records]


def test_blank_lines_and_lines_of_white_space_separate() -> None:
    text = "\nMara\tB-person\nleft\tO\n\t\nRain\tO\n \n\n\nSnow\tO"
    assert read(text) == [(2, ["Mara", "left"], ["B-person", "O"]), (5, ["Rain"], ["O"]), (9, ["Snow"], ["O"])]


def test_first_and_last_column_are_the_default() -> None:
    assert read("Mara NNP  I-NP B-PER\n") == [(1, ["Mara"], ["B-PER"])]


def test_columns_by_number() -> None:
    text = "1\tMara\tB-PER\t-\ts\n2\tleft\tO\t-\ts\n"
    assert read(text, tokens="1", tags="2") == [(1, ["Mara", "left"], ["B-PER", "O"])]
    assert read(text, tokens="-4", tags="-3") == [(1, ["Mara", "left"], ["B-PER", "O"])]


def test_a_tab_separates_before_blanks_do() -> None:
    assert read("New York\tB-LOC\nlies O\n") == [(1, ["New York", "lies"], ["B-LOC", "O"])]


def test_separator() -> None:
    assert read("a b|O\n", separator="|") == [(1, ["a b"], ["O"])]


def test_unusual_characters_stay_in_their_token() -> None:
    assert read("1\u00a0000 O\na\ufeffb O\nc\u2028d O\n") == [
        (1, ["1\u00a0000", "a\ufeffb", "c\u2028d"], ["O", "O", "O"])
    ]


def test_comments() -> None:
    text = "# sent_id = 1\n# text = Rain\n1\tRain\tO\n# more\n2\t#\tO\n\n# only\n\n3\tSnow\tO\n"
    assert read(text, tokens="1", comment="# ") == [(3, ["Rain", "#"], ["O", "O"]), (9, ["Snow"], ["O"])]


def test_document_starts_are_left_out_and_end_a_sentence() -> None:
    text = "-DOCSTART- -X- O O\n\nRain NN O O\n-DOCSTART- -X- O O\nSnow NN O O\n"
    report = ReadReport("skip")
    assert read(text, report) == [(3, ["Rain"], ["O"]), (5, ["Snow"], ["O"])]
    assert report == ReadReport("skip", document_starts={"f.conll": [1, 4]})


def test_conllu_ranges_and_empty_nodes_are_left_out() -> None:
    text = "1-2\tzum\t_\n1\tzu\tO\n2\tdem\tO\n2.1\tx\tO\n\n1-2\tam\t_\n"
    assert read(text, tokens="1", tags="2") == [(2, ["zu", "dem"], ["O", "O"])]
    assert read("1-2\tO\n") == [(1, ["1-2"], ["O"])]


@pytest.mark.parametrize(
    ("line", "options", "message"),
    [
        ("Snow", {}, "f.conll, line 4: 1 column, but 2 are needed: 'Snow'"),
        ("Snow O", {"tags": "2"}, "f.conll, line 4: 2 columns, but 3 are needed: 'Snow O'"),
        ("Snow O", {"tags": "-3"}, "f.conll, line 4: 2 columns, but 3 are needed: 'Snow O'"),
        ("Snow\t", {}, "f.conll, line 4: the tag in column -1 is empty"),
        ("\tO", {}, "f.conll, line 4: the token in column 0 is empty"),
    ],
)
def test_bad_line_drops_its_sentence(line: str, options: Options, message: str) -> None:
    filler = "Rain O O O" if "tags" in options else "Rain O"
    text = f"{filler}\n\n{filler}\n{line}\n{line}\n\n{filler}\n"
    with pytest.raises(InputError) as error:
        read(text, **options)
    assert str(error.value).startswith(message)
    report = ReadReport("skip")
    assert [number for number, _, _ in read(text, report, **options)] == [1, 7]
    assert report.skipped == {"bad line in a sentence": 1}


def test_the_last_column_must_be_the_same_in_all_lines_of_a_sentence() -> None:
    text = "# text = Rain fell\n1\tRain\tO\t-\n2\tfell\tO\t-\n"
    with pytest.raises(InputError, match=r"line 2: 4 columns, but 5 in line 1\. .* data\.comment"):
        read(text, tokens="1")
    assert read(text, tokens="1", comment="# ", tags="2") == [(2, ["Rain", "fell"], ["O", "O"])]
    assert read("Rain NN O\nfell O\n", tags="1") == [(1, ["Rain", "fell"], ["NN", "O"])]


def test_columns_that_cannot_be_used() -> None:
    with pytest.raises(InputError, match=r"data.columns.tags=ner: the columns of CoNLL files are given by number"):
        read("Rain O\n", tags="ner")
    with pytest.raises(InputError, match="are both column 1"):
        read("Rain O\n", tokens="1", tags="1")


@pytest.mark.parametrize("text", ["", "\n \n", "-DOCSTART- O\n"])
def test_no_sentences(text: str) -> None:
    assert read(text) == []


GERMEVAL = "# a page\n1\tMara\tB-PER\tO\n2\tin\tO\tO\n3\tOslo\tB-LOC\tB-LOCpart\n\n# next\n1\tRain\tO\tO\n"


class TestNumbers:
    def test_two_columns_of_tags(self) -> None:
        report = ReadReport()
        assert values("f.tsv", GERMEVAL, report) == [
            {"tokens": ["Mara", "in", "Oslo"], "tags": ["B-PER", "O", "B-LOC"]},
            {"tokens": ["Rain"], "tags": ["O"]},
        ]
        assert report.notes == [
            "f.tsv: the first column counts the tokens; they are in the second",
            "f.tsv: two columns of tags; the first is taken. The second: data.columns.tags=3",
        ]

    def test_the_second_column_of_tags(self) -> None:
        rows = values("f.tsv", GERMEVAL, columns=Columns(tags="3"))
        assert [row["tags"] for row in rows] == [["O", "O", "B-LOCpart"], ["O"]]

    @pytest.mark.parametrize("first", [0, 1])
    def test_counts_restart_in_each_sentence(self, first: int) -> None:
        text = "".join(f"{number + first}\t{word}\tO\n" for number, word in enumerate("abc"))
        assert [tokens for _, tokens, _ in read(f"{text}\n{text}")] == [["a", "b", "c"]] * 2

    @pytest.mark.parametrize(
        "text",
        [
            "1\tO\n2\tO\n3\tO\n",
            "1\ta\tO\n3\tb\tO\n4\tc\tO\n",
            "1\ta\tO\n2\tb\tO\n3\tc\tO\n\n4\td\tO\n",
            "2\ta\tO\n3\tb\tO\n4\tc\tO\n",
            "1\ta\tO\n2\tb\tO\n",
        ],
    )
    def test_numbers_that_do_not_count_are_tokens(self, text: str) -> None:
        assert read(text)[0][1][0] in ("1", "2")

    def test_the_column_of_numbers_is_not_taken_for_tokens(self) -> None:
        with pytest.raises(
            InputError, match=r"data\.columns\.tokens=0: the first column of f\.conll counts the tokens"
        ):
            read("1\ta\tO\n2\tb\tO\n3\tc\tO\n", tokens="0")

    def test_a_hash_is_a_token_where_nothing_is_numbered(self) -> None:
        assert read("#\tO\nMara\tB-x\n") == [(1, ["#", "Mara"], ["O", "B-x"])]


class TestTagsWithBlanks:
    def test_the_rest_of_the_line_is_the_tag(self) -> None:
        report = ReadReport()
        assert read("Mara B-Main Person\nLind I-Main Person\nleft O\n", report) == [
            (1, ["Mara", "Lind", "left"], ["B-Main Person", "I-Main Person", "O"])
        ]
        assert report.notes == ["f.conll: tags hold blanks, such as 'B-Main Person'"]

    def test_with_another_column_between(self) -> None:
        assert read("Mara NN B-Main Person\nleft VB O\n")[0][2] == ["B-Main Person", "O"]

    def test_after_a_tab(self) -> None:
        assert read("Mara\tB-Main Person\nleft\tO\n")[0][2] == ["B-Main Person", "O"]

    def test_other_lines_of_more_columns_stay_faults(self) -> None:
        with pytest.raises(InputError, match="line 2: 3 columns, but 2 in line 1"):
            read("Mara B-x\nNew York B-y\n")


@pytest.mark.parametrize("end", ["\t", "\t\t", "\t \t"])
def test_a_separator_at_the_end_of_every_line_is_ignored(end: str) -> None:
    if end == "\t \t":
        with pytest.raises(InputError, match="the tag in column -1 is empty"):
            read(f"Mara\tB-x{end}\nleft\tO{end}\n")
    else:
        assert read(f"Mara\tB-x{end}\nleft\tO{end}\n") == [(1, ["Mara", "left"], ["B-x", "O"])]


def test_a_file_with_only_tokens_has_no_tags() -> None:
    assert values("f.conll", "Mara\nleft\n\nRain\n") == [{"tokens": ["Mara", "left"]}, {"tokens": ["Rain"]}]


def test_the_prefix_of_wikiann_is_noted_and_can_be_removed() -> None:
    text = "en:Mara\tB-PER\nen:left\tO\n\nen:Rain\tO\n"
    report = ReadReport()
    assert values("f.txt", text, report)[0]["tokens"] == ["en:Mara", "en:left"]
    (note,) = report.notes
    assert note.endswith("as in WikiANN. To remove it: data.token_prefix=en:")
    assert values("f.txt", text, token_prefix="en:")[0]["tokens"] == ["Mara", "left"]


def test_one_sentence() -> None:
    assert values("f.iob", "Mara B-x\nleft O\n") == [{"tokens": ["Mara", "left"], "tags": ["B-x", "O"]}]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends(ends: str) -> None:
    text = "-DOCSTART- -X- O\n\nMara B-x\nleft O\n\nRain O\n".replace("\n", ends)
    assert [row["tokens"] for row in values("f.txt", "\ufeff" + text)] == [["Mara", "left"], ["Rain"]]


def test_label_studios_export_is_named() -> None:
    text = "-DOCSTART- -X- O\nMara -X- _ B-PER\nleft -X- _ O\n\n"
    assert recognised("f.conll", text) == "train: f.conll: CoNLL from Label Studio, 1 sentence"
