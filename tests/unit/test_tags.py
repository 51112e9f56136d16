"""Tag schemes: worked examples, and a check that every scheme spells the same entities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import InputError
from tasks.tags import SCHEMES, detect_scheme, spans, split_tag, to_iob2

TYPES = ("PER", "creative-work")


@st.composite
def entities(draw: st.DrawFn) -> tuple[int, list[tuple[str, int, int]]]:
    """Draw a sentence's length and its entities, in order and without overlap."""
    found, position = [], 0
    for _ in range(draw(st.integers(0, 4))):
        start = position + draw(st.integers(0, 2))
        end = start + draw(st.integers(1, 3))
        found.append((draw(st.sampled_from(TYPES)), start, end))
        position = end
    return position + draw(st.integers(0, 2)), found


def write(length: int, found: list[tuple[str, int, int]], scheme: str) -> list[str]:
    tags = ["O"] * length
    for index, (kind, start, end) in enumerate(found):
        before = found[index - 1] if index else None
        touches = before is not None and before[2] == start and before[0] == kind
        for position in range(start, end):
            first, last = position == start, position == end - 1
            if scheme == "iob2":
                prefix = "B" if first else "I"
            elif scheme == "iob1":
                prefix = "B" if first and touches else "I"
            else:
                prefix = "S" if first and last else "B" if first else "E" if last else "I"
            tags[position] = f"{prefix}-{kind}"
    return tags


@given(entities())
def test_every_scheme_spells_the_same_entities(case: tuple[int, list[tuple[str, int, int]]]) -> None:
    length, found = case
    for scheme in ("iob1", "iob2", "bioes"):
        written, repairs = to_iob2(write(length, found, scheme), scheme)
        assert spans(written) == found
        assert repairs == 0
        assert to_iob2(written, "iob2") == (written, 0)


@pytest.mark.parametrize(
    ("tags", "scheme", "written", "repairs"),
    [
        (["O", "I-PER", "I-PER"], "iob2", ["O", "B-PER", "I-PER"], 1),
        (["B-PER", "I-LOC"], "iob2", ["B-PER", "B-LOC"], 1),
        (["B-PER", "O"], "iob1", ["B-PER", "O"], 1),
        (["B-PER", "O", "E-PER"], "bioes", ["B-PER", "O", "B-PER"], 2),
        (["B-PER", "S-PER"], "bioes", ["B-PER", "B-PER"], 1),
        (["B-PER", "L-PER", "U-LOC"], "bioes", ["B-PER", "I-PER", "B-LOC"], 0),
        (["PER", "PER", "LOC"], "bare", ["B-PER", "I-PER", "B-LOC"], 0),
    ],
)
def test_repairs_are_made_and_counted(tags: list[str], scheme: str, written: list[str], repairs: int) -> None:
    assert to_iob2(tags, scheme) == (written, repairs)


def test_detects_schemes_by_their_marks() -> None:
    assert detect_scheme([["B-PER", "I-PER", "O"], ["B-LOC"]]) == "iob2"
    assert detect_scheme([["I-PER", "I-PER", "B-PER"], ["I-LOC"]]) == "iob1"
    assert detect_scheme([["S-PER", "O"]]) == "bioes"
    assert detect_scheme([["PER", "O", "LOC"]]) == "bare"
    assert detect_scheme([["O", "O"]]) == "iob2"


def test_one_tag_without_prefix_does_not_make_a_file_bare() -> None:
    assert detect_scheme([["B-PER", "I-PER"], ["PER"], ["B-LOC"]]) == "iob2"
    with pytest.raises(ValueError, match="'PER' is neither"):
        to_iob2(["PER"], "iob2")


@pytest.mark.parametrize(
    ("tags", "scheme", "written"),
    [
        (["B_PER", "I_PER", "O", "B_work_of_art"], "iob2", ["B-PER", "I-PER", "O", "B-work_of_art"]),
        (["PER-B", "PER-I", "O", "LOC-B"], "iob2", ["B-PER", "I-PER", "O", "B-LOC"]),
        (["PER_B", "PER_E", "O", "LOC_S"], "bioes", ["B-PER", "I-PER", "O", "B-LOC"]),
        (["B-PER", "I-PER", "0", "0", "B-LOC"], "iob2", ["B-PER", "I-PER", "O", "O", "B-LOC"]),
        (["B-PER", "I-PER", "E-PER", "S-LOC"], "bioes", ["B-PER", "I-PER", "I-PER", "B-LOC"]),
        (["B-PER", "M-PER", "L-PER", "U-LOC"], "bioes", ["B-PER", "I-PER", "I-PER", "B-LOC"]),
        (["B-PER", "I_PER", "O", "LOC-B"], "iob2", ["B-PER", "I-PER", "O", "B-LOC"]),
        (["PER", "PER", "O", "creative-work"], "bare", ["B-PER", "I-PER", "O", "B-creative-work"]),
        (["work_of_art", "O"], "bare", ["B-work_of_art", "O"]),
        (["B--PER", "O"], "iob2", ["B--PER", "O"]),
    ],
)
def test_other_spellings_are_read_as_what_they_mean(tags: list[str], scheme: str, written: list[str]) -> None:
    assert detect_scheme([tags]) == scheme
    assert to_iob2(tags, scheme) == (written, 0)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["0", "1", "2", "10"], r"The tags are numbers \(0, 1, 2, 10\).*data\.label_names=\[O,"),
        (["PER", "LOC", "PER"], r"\(LOC, PER\) have no prefix such as B-, and none is O.*task\.scheme=bare"),
        (["PERSON", "NONE"], "none is O"),
        (["per", "o"], "none is O"),
        (["b-per", "i-per", "o"], r"look as if they had prefixes, but not such as B-person.*write them as B-person"),
        (["B:PER", "I:PER", "O"], r"look as if they had prefixes.*task\.scheme=bare\. Otherwise write them"),
        (["e-mail", "O"], r"look as if they had prefixes.*task\.scheme=bare"),
        # One mark alone may be a part of a name, as in vitamin-B.
        (["vitamin-B", "O"], r"task\.scheme=bare\. If B and I are marks: task\.scheme=iob2"),
        (["B_PER", "O"], r"task\.scheme=bare\. If B and I are marks: task\.scheme=iob2"),
        (["B_PER", "I_LOC", "O"], r"If B and I are marks: task\.scheme=iob2"),
        (["B_PER", "LOC", "O"], r"look as if they had prefixes.*Otherwise write them"),
        (["[B_PER]", "[O]"], r"no entity types: \[B_PER\], \[O\]\. Is data\.columns\.tags the right column"),
        (["['PER'", "'O']"], "no entity types"),
        (["'PER'", "O"], "no entity types: 'PER'"),
        (["(PER*", "*)", "*"], "no entity types"),
        (["1", "O"], "no entity types: 1"),
        (["1.0", "O"], r"no entity types: 1\.0"),
        (["B", "I", "O"], "no entity types: B, I"),
        (["PER", "_", "O"], r"no entity types: _\."),
        (["PER", "-", "O"], r"no entity types: -\."),
    ],
)
def test_doubtful_tags_are_refused_with_what_to_type(tags: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        detect_scheme([tags, tags])
    assert "task.scheme=bare" in str(raised.value) or "data.label_names=" in str(raised.value)


@given(st.lists(st.text(min_size=1), min_size=1))
def test_bare_types_may_have_any_name(tags: list[str]) -> None:
    written, repairs = to_iob2(tags, "bare")
    assert repairs == 0
    for number, (tag, new) in enumerate(zip(tags, written, strict=True)):
        begins = number == 0 or tags[number - 1] != tag
        assert new == ("O" if tag == "O" else f"{'B' if begins else 'I'}-{tag}")


@given(st.lists(st.lists(st.text("BIESO-_0a[", max_size=4))))
def test_schemes_are_detected_or_refused(sentences: list[list[str]]) -> None:
    said = "task.scheme="
    try:
        scheme = detect_scheme(sentences)
    except InputError as error:
        scheme, said = "auto", str(error)
    assert scheme in SCHEMES
    assert "task.scheme=" in said or "data.label_names=" in said


@pytest.mark.parametrize("tag", ["", "B-", "X-PER", "PER", "B"])
def test_strange_tags_are_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        split_tag(tag)


def test_types_may_hold_hyphens() -> None:
    assert spans(["B-creative-work", "I-creative-work"]) == [("creative-work", 0, 2)]
