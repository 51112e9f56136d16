"""CoNLL-U and CoNLL-2012."""

from pathlib import Path

import pytest

from tasks.data.formats.conll2012 import tags_of_brackets
from tasks.data.options import Columns, DataOptions
from tasks.data.records import ReadReport
from tasks.errors import InputError
from tasks.loading.load import load
from tasks.ner import Ner
from tests.unit.data.inputs import recognised, values


def line(number: str, form: str, misc: str = "_", *more: str) -> str:
    return "\t".join([number, form, form.lower(), "X", "_", "_", "0", "dep", "_", misc, *more]) + "\n"


SENTENCE = (
    "# sent_id = 1\n# text = Mara left\n"
    + line("1-2", "Marala", "NER=B-LOC")
    + line("1", "Mara", "SpaceAfter=No|NER=B-PER")
    + line("2", "left", "SpaceAfter=No")
    + line("2.1", "home", "NER=B-LOC")
)


def test_tags_of_misc() -> None:
    report = ReadReport()
    assert values("f.conllu", SENTENCE + "\n# text = Rain\n" + line("1", "Rain"), report) == [
        {"tokens": ["Mara", "left"], "tags": ["B-PER", "O"]},
        {"tokens": ["Rain"], "tags": ["O"]},
    ]
    assert report.notes == ["f.conllu: tags are taken from NER= in the column MISC"]
    assert recognised("f.conllu") == "train: f.conllu: CoNLL-U, 2 sentences"


@pytest.mark.parametrize("key", ["ner", "NE", "Entity", "name", "BIO"])
def test_usual_keys(key: str) -> None:
    assert values("f.conllu", line("1", "Mara", f"{key}=B-PER"))[0]["tags"] == ["B-PER"]


@pytest.mark.parametrize(("where", "name"), [("EntityType", "EntityType"), ("10", "tags"), ("-1", "tags")])
def test_a_key_or_column_that_is_named(where: str, name: str) -> None:
    text = line("1", "Mara", "EntityType=B-PER|NER=B-X", "B-PER") + line("2", "left", "_", "_")
    assert values("f.conllu", text, columns=Columns(tags=where)) == [{"tokens": ["Mara", "left"], name: ["B-PER", "O"]}]
    # The task finds the tags by the very option.
    Path("f.conllu").write_text("\n".join(text.replace("left", f"left{number}") for number in range(10)))
    rows = load(Ner(), DataOptions(train="f.conllu", columns=Columns(tags=where)), 1)
    assert rows.head.labels == ("O", "B-PER", "I-PER")


def test_the_whole_of_misc_is_no_tag() -> None:
    Path("f.conllu").write_text(line("1", "Mara", "EntityType=B-PER") + line("2", "left", "_"))
    with pytest.raises(InputError, match="These are no entity types: EntityType=B-PER"):
        load(Ner(), DataOptions(train="f.conllu", columns=Columns(tags="9")), 1)


def test_an_added_column() -> None:
    text = line("1", "Mara", "SpaceAfter=No", "B-PER") + line("2", "left", "_", "O")
    assert values("f.conllu", text) == [{"tokens": ["Mara", "left"], "tags": ["B-PER", "O"]}]


@pytest.mark.parametrize(
    ("misc", "there"), [("_", "MISC has no keys"), ("SpaceAfter=No|Gloss=x", "MISC has the keys Gloss, SpaceAfter")]
)
def test_no_tags(misc: str, there: str) -> None:
    with pytest.raises(InputError) as error:
        values("f.conllu", line("1", "Mara", misc))
    assert f"f.conllu: no entity tags were found: {there}" in str(error.value)
    assert "data.columns.tags=KEY" in str(error.value)


def test_lines_of_too_few_columns() -> None:
    report = ReadReport("skip")
    text = SENTENCE + "1\tRain\tO\n\n" + SENTENCE
    assert len(values("f.conllu", text, report)) == 1
    assert report.examples == {"bad line in a sentence": ["f.conllu, line 7: fewer than 10 columns"]}


def row(word: str, entity: str) -> str:
    return f"bc/x/00 0 0 {word} NNP (TOP* - - - Speaker#1 {entity} (ARG0*) -\n"


HEAD = "#begin document (bc/x/00); part 000\n"


def test_conll_2012() -> None:
    text = HEAD + row("Mara", "(PERSON*") + row("Lind", "*)") + row("left", "*") + row("Oslo", "(GPE)") + "\n"
    text += row("Rain", "*") + "\n#end document\n"
    assert values("f.txt", text) == [
        {"tokens": ["Mara", "Lind", "left", "Oslo"], "tags": ["B-PERSON", "I-PERSON", "O", "B-GPE"]},
        {"tokens": ["Rain"], "tags": ["O"]},
    ]
    assert recognised("f.txt") == "train: f.txt: CoNLL-2012, 2 sentences"


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["(PERSON*", "(GPE)", "*)"], "'(GPE)' begins inside of a PERSON"),
        (["(PERSON(GPE*", "*))"], "'(PERSON(GPE*' is no bracket such as (PERSON*, * or *)"),
        (["*", "*)"], "'*)' closes a bracket that is not open"),
        (["(PERSON*", "*"], "the bracket of a PERSON is not closed"),
        (["B-PERSON", "O"], "'B-PERSON' is no bracket"),
    ],
)
def test_brackets_that_are_no_tags_are_bad_rows(cells: list[str], message: str) -> None:
    text = HEAD + "".join(row("word", cell) for cell in cells) + "\n" + row("Rain", "*")
    with pytest.raises(InputError) as error:
        values("f.txt", text)
    assert str(error.value).startswith(f"f.txt, line 2: {message}")
    report = ReadReport("skip")
    assert values("f.txt", text, report) == [{"tokens": ["Rain"], "tags": ["O"]}]
    assert report.skipped == {"bad brackets": 1}


def test_conll_2012_lines_of_too_few_columns() -> None:
    with pytest.raises(InputError, match=r"f\.txt, line 2: fewer than 11 columns"):
        values("f.txt", HEAD + "bc/x/00 0 0 Mara\n")


def test_adjacent_entities_stay_apart() -> None:
    assert tags_of_brackets(["(GPE)", "(GPE*", "*)", "(GPE)"]) == ["B-GPE", "B-GPE", "I-GPE", "B-GPE"]
