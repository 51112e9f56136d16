"""Values of cells: blanks, printed lists and dicts, numbers and truth values."""

import ast
import contextlib
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.data.cells import is_blank, read_printed, truth, whole_number

texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = texts | st.integers(-(10**20), 10**20) | st.none() | st.booleans()
nested = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=12)
containers = st.lists(nested) | st.dictionaries(texts, nested)


@settings(max_examples=50)
@given(containers)
def test_what_python_prints_reads_back(value: Any) -> None:
    assert read_printed(repr(value)) == value


@settings(max_examples=50)
@given(containers, st.booleans(), st.sampled_from([None, 1]))
def test_what_json_prints_reads_back(value: Any, ascii_only: bool, indent: int | None) -> None:
    assert read_printed(json.dumps(value, ensure_ascii=ascii_only, indent=indent)) == value


# NumPy drops zeros at the end of texts, and shortens arrays of more than 1000.
@given(st.lists(texts.map(lambda text: text.rstrip("\0")), max_size=20), st.booleans())
def test_what_numpy_prints_of_texts_reads_back(words: list[str], objects: bool) -> None:
    array = np.array(words, dtype=object if objects else str)
    assert read_printed(str(array)) == words
    inside = repr({"words": array, "more": [array]})
    assert read_printed(inside) == {"words": words, "more": [words]}


@given(st.lists(st.integers(-99, 99), max_size=50))
def test_what_numpy_prints_of_numbers_reads_back(numbers: list[int]) -> None:
    assert read_printed(str(np.array(numbers, dtype=int))) == numbers
    assert read_printed(str(np.array(numbers, dtype=float))) == numbers


@given(st.text("[]{}'\"0123456789,:ab \\", min_size=1, max_size=12).map(lambda rest: "[{"[len(rest) % 2] + rest))
def test_a_text_that_parses_is_never_returned_as_it_is(text: str) -> None:
    parses = False
    for parse in (json.loads, ast.literal_eval):
        with contextlib.suppress(ValueError, SyntaxError, TypeError):
            parses = parses or isinstance(parse(text), list | dict | set)
    with contextlib.suppress(ValueError):
        assert not (parses and isinstance(read_printed(text), str))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" ['a', 'b'] ", ["a", "b"]),
        ("('a', 'b')", "('a', 'b')"),
        ("[('a', 1), ('b', 2)]", [["a", 1], ["b", 2]]),
        ("{'a', 'b'}", ["a", "b"]),
        ("{1: 'x'}", {"1": "x"}),
        ("{}", {}),
        ("[nan, None, null, NaT]", [None, None, None, None]),
        ("[True, false]", [True, False]),
        ("[b'warm' b'beds']", ["warm", "beds"]),
        (r"[r'C:\dir', u'x']", [r"C:\dir", "x"]),
        (r"['C:\dir']", [r"C:\dir"]),
        ("['a',\n 'b',]", ["a", "b"]),
        ("[1. 0. 0.5]", [1.0, 0.0, 0.5]),
        ("[array(['May'], dtype=object)]", [["May"]]),
        ("[np.str_('a'), np.int64(3), tensor([1, 2])]", ["a", 3, [1, 2]]),
        (r'["\ud83d\ude00"]', ["\U0001f600"]),
    ],
)
def test_printed(text: str, value: Any) -> None:
    assert read_printed(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "warm beds", "[deleted] by its author", "[1] says so", "[link](page)", "{one of them", "5", "'a', 'b'"],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert read_printed(text) is text


@pytest.mark.parametrize("value", [None, 3, 0.5, ["a"], {"a": 1}])
def test_other_values_stay_as_they_are(value: Any) -> None:
    assert read_printed(value) is value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("['a', 'b'", "it is not closed"),
        ("['a', 'b", "character 6"),
        ("['Ida' ... 'left']", "character 7"),
        ("['don't']", "character 8"),
        ("[1-2]", "character 2"),
        ("['a' 'b', 'c']", "a comma is missing"),
        ("{'a': 1 'b': 2}", "a comma is missing"),
        ("{'a': 1, 'b'}", "keys and values don't match"),
        ("{None: 1}", "keys and values don't match"),
        ("['a'] and more]", "more text follows: and"),
        ("[PER]", "unexpected PER"),
        ("[open('x')]", "unexpected open"),
        ("[date(2020, 1, 2)]", "unexpected date"),
        (r"['\N{NO SUCH NAME}']", "is no text"),
        (r"[b'\xff']", "can't decode"),
        ("[" * 200 + "]" * 200 + ",]", "too deep"),
    ],
)
def test_a_text_that_only_begins_so_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match="begins like a list or dict, but can't be read as one") as error:
        read_printed(text)
    assert why in str(error.value)


@pytest.mark.parametrize("text", [r'["ok \ud83d"]', r"['ok \udc00']"])
def test_half_a_surrogate_pair_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="holds half of a surrogate pair"):
        read_printed(text)


@pytest.mark.parametrize(
    ("value", "blank"),
    [(None, True), (float("nan"), True), ("", True), (" \t\u00a0", True), ("nan", False), (0, False), (False, False),
     ([], False)],
)  # fmt: skip
def test_blank(value: Any, blank: bool) -> None:
    assert is_blank(value) == blank


@pytest.mark.parametrize(
    ("value", "number"),
    [(32, 32), (32.0, 32), ("32", 32), (" 32.0 ", 32), ("32.", 32), ("-1", -1), (32.5, None), ("32.5", None),
     (True, None), (None, None), ("", None), ("x", None), (float("nan"), None), (float("inf"), None), ([3], None)],
)  # fmt: skip
def test_whole_number(value: Any, number: int | None) -> None:
    assert whole_number(value) == number


@pytest.mark.parametrize(
    ("value", "meant"),
    [(True, True), (1, True), (1.0, True), ("1.0", True), ("TRUE", True), ("yes", True), (False, False), (0, False),
     ("0", False), ("False", False), ("n", False), ("", False), (None, False), (2, None), ("perhaps", None)],
)  # fmt: skip
def test_truth(value: Any, meant: bool | None) -> None:
    assert truth(value) is meant
