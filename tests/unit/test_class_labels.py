"""Labels in the forms in which people have them, and what kind of labels they are taken for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.class_labels import multi_hot_length
from tasks.classification import Classification, Text
from tasks.data.options import Columns
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError
from tasks.task import Head, Layout


def records(*rows: dict[str, Any]) -> list[Record]:
    return [Record({"text": f"text {number}", **row}, Origin("a.csv", number)) for number, row in enumerate(rows, 2)]


def read(
    *rows: Any,
    names: list[str] | None = None,
    label: Any = None,
    report: ReadReport | None = None,
    **options: Any,
) -> tuple[Classification, list[Any], Head]:
    """Return the task as resolved, the labels of all rows, and the head. Rows are label cells, or dicts of cells."""
    found = records(*(row if isinstance(row, dict) else {"label": row} for row in rows))
    layout, told = Layout(Columns(label=label), names), report or ReadReport()
    task = Classification(**options).resolve_auto(found, layout, told)
    texts: list[Text] = task.read(found, layout, told)
    return task, [text.label for text in texts], task.head(texts, layout)


def test_lists_of_zeros_and_ones_switch_labels_on() -> None:
    report = ReadReport()
    task, labels, head = read([1, 0, 1], [0, 0, 0], [0, 1.0, 0], report=report)
    assert (task.kind, task.multi_hot) == ("multi_label", 3)
    assert labels == [("label_0", "label_2"), (), ("label_1",)]
    assert head.labels == ("label_0", "label_1", "label_2")
    assert report.notes == [
        "labels are lists of 3 zeros and ones, named label_0, label_1, ... (data.label_names). If not: task.multi_hot=0"
    ]


def test_lists_of_zeros_and_ones_take_names() -> None:
    report = ReadReport()
    _, labels, head = read("[1, 0, 1]", "[1 0 0]", names=["late", "loud", "rude"], report=report)
    assert labels == [("late", "rude"), ("late",)]
    assert head.labels == ("late", "loud", "rude")
    assert "named by data.label_names" in report.notes[0]


def test_a_label_that_no_row_has_keeps_its_output() -> None:
    assert read([1, 0, 0], [1, 1, 0])[2].labels == ("label_0", "label_1", "label_2")


@pytest.mark.parametrize("strange", [[0, 1], [0, 1, 0, 1], [], [0, 2, 1], ["0", "1", "0"]])
def test_lists_of_another_length_or_content_are_bad_rows(strange: list[Any]) -> None:
    rows = [[0, 1, 1], [1, 0, 0], [0, 0, 0], strange]
    with pytest.raises(InputError, match=r"a.csv, line 5: column 'label': \[.* is not a list of 3 zeros and ones"):
        read(*rows)
    report = ReadReport(on_bad_row="skip")
    assert read(*rows, report=report)[1] == [("label_1", "label_2"), ("label_0",), ()]
    assert report.skipped == {"bad label": 1}


def test_lists_of_zeros_and_ones_need_as_many_names() -> None:
    with pytest.raises(InputError, match=r"lists of 3 zeros and ones, but data\.label_names has 2 names"):
        read([0, 1, 1], [1, 0, 0], names=["late", "loud"])


def test_lists_of_class_numbers_are_no_switches() -> None:
    _, labels, _ = read([0], [0, 1], [1], names=["late", "loud"])
    assert labels == [("late",), ("late", "loud"), ("loud",)]
    # Without names, too: 0 and 1 are then names themselves.
    assert read([0], [0, 1], [1])[1] == [("0",), ("0", "1"), ("1",)]
    assert read([0, 2], [0, 1], names=["a", "b", "c"])[1] == [("a", "c"), ("a", "b")]
    assert read([0, 2], [0, 1], [1, 0])[1] == [("0", "2"), ("0", "1"), ("1", "0")]


def test_pairs_of_0_and_1_are_switches_since_all_rows_would_have_both_labels_otherwise() -> None:
    _, labels, _ = read([0, 1], [1, 0], [0, 1], names=["late", "loud"])
    assert labels == ["loud", "late", "loud"]
    # With three names, they are numbers of labels.
    assert read([0, 1], [1, 0], names=["late", "loud", "rude"])[1] == [("late", "loud"), ("loud", "late")]


def test_the_user_says_whether_lists_are_switches() -> None:
    assert read([0, 1], [1, 0], names=["late", "loud"], multi_hot=0)[1] == [("late", "loud"), ("loud", "late")]
    with pytest.raises(InputError, match=r"line 2: .*\['a', 'b'\] is not a list of 2 zeros and ones"):
        read(["a", "b"], ["a", "c"], multi_hot=2)


def test_switches_of_exactly_one_label_each_are_single_labels() -> None:
    report = ReadReport()
    task, labels, head = read([0, 1, 0], [1, 0, 0], report=report)
    assert task.kind == "single_label"
    assert labels == ["label_1", "label_0"]
    assert head.labels == ("label_0", "label_1", "label_2")
    assert "every row lists exactly one label: single label. For several: task.kind=multi_label" in report.notes
    assert read([0, 1, 0], [1, 0, 0], kind="multi_label")[1] == [("label_1",), ("label_0",)]


@given(st.integers(3, 6).flatmap(lambda n: st.lists(st.lists(st.integers(0, 1), min_size=n, max_size=n), min_size=1)))
def test_all_lists_of_three_or_more_zeros_and_ones_are_switches(cells: list[list[int]]) -> None:
    assert multi_hot_length(cells, None) == len(cells[0])


@given(st.lists(st.sets(st.integers(0, 5)).map(sorted), min_size=1))
def test_label_numbers_are_never_switches_unless_all_rows_had_the_same(cells: list[list[int]]) -> None:
    same = all(cell == [0, 1] for cell in cells)
    assert multi_hot_length(cells, None) == (2 if same else None)


def test_one_hot_columns_give_their_names() -> None:
    rows = [
        {"late": 1, "loud": "0", "rude": 1.0},
        {"late": "0.0", "loud": False, "rude": "False"},
        {"late": 0, "loud": "true", "rude": 0},
    ]
    report = ReadReport()
    task, labels, head = read(*rows, label=["late", "Loud", "rude"], report=report)
    assert task.kind == "multi_label"
    assert labels == [("late", "rude"), (), ("loud",)]
    assert head.labels == ("late", "loud", "rude")
    assert report.notes == ["labels are the names of the columns with a 1: late, loud, rude"]


@pytest.mark.parametrize("cell", ["2", "", None, "yes", 0.5])
def test_a_strange_cell_among_zeros_and_ones_is_a_bad_row(cell: Any) -> None:
    rows = [{"late": 1, "loud": 0}, {"late": 1, "loud": 1}, {"late": 0, "loud": cell}]
    with pytest.raises(InputError, match=r"line 4: column 'late, loud': .* in column 'loud' is neither 0 nor 1"):
        read(*rows, label=["late", "loud"])
    report = ReadReport(on_bad_row="skip")
    assert read(*rows, label=["late", "loud"], report=report)[1] == [("late",), ("late", "loud")]
    assert report.skipped == {"bad label": 1}


def test_one_hot_columns_are_suggested() -> None:
    rows = [{"id": 1, "late": 1, "loud": 0, "stars": 3}, {"id": 0, "late": 0, "loud": 0, "stars": 1}]
    with pytest.raises(InputError, match=r"several with 0 and 1 are.*data\.columns\.label=\[late,\s?loud\]"):
        read(*rows)


def test_columns_with_names_are_joined() -> None:
    rows = [{"first": "late", "second": "NONE"}, {"first": "loud", "second": "late"}, {"first": "-", "second": None}]
    report = ReadReport()
    task, labels, _ = read(*rows, label=["first", "second"], report=report)
    assert task.kind == "multi_label"
    assert labels == [("late",), ("loud", "late"), ()]
    assert "labels are those in the columns first, second" in report.notes[0]
    with pytest.raises(InputError, match=r"no column 'third' \(data\.columns\.label\)"):
        read(*rows, label=["first", "third"])


def test_lists_of_exactly_one_label_are_single_labels() -> None:
    report = ReadReport()
    task, labels, _ = read(["late"], ["loud"], report=report)
    assert task.kind == "single_label"
    assert labels == ["late", "loud"]
    assert len(report.notes) == 1
    assert read(["late"], ["loud"], kind="multi_label")[1] == [("late",), ("loud",)]


@pytest.mark.parametrize(
    "cells",
    [
        ("['late', 'loud']", "['late']", "[]"),
        ('["late", "loud"]', '["late"]', "[]"),
        ("['late' 'loud']", "['late']", "[]"),
        (["late", "loud", "late"], ["late"], []),
        ({"choices": ["late", "loud"]}, {"choices": ["late"]}, {"choices": []}),
        ({"late": 1.0, "loud": True}, {"late": 0.5, "loud": 0.0}, {"late": 0, "loud": 0}),
        ("{'late': True, 'loud': 1}", "{'late': True, 'loud': 0}", "{'late': False, 'loud': False}"),
    ],
)
def test_several_labels_in_many_forms(cells: tuple[Any, ...]) -> None:
    task, labels, head = read(*({"label": cell} for cell in cells))
    assert task.kind == "multi_label"
    assert labels == [("late", "loud"), ("late",), ()]
    assert head.labels == ("late", "loud")


def test_labels_are_separated_by_what_the_user_says() -> None:
    task, labels, _ = read("late#loud", "late", "late# loud#", "", label_separator="#")
    assert task.kind == "multi_label"
    assert labels == [("late", "loud"), ("late",), ("late", "loud"), ()]


@pytest.mark.parametrize("one", [1, 1.0, "1", "1.0", " 1 ", "1.00"])
@pytest.mark.parametrize("names", [None, ["ham", "spam"]])
def test_whole_numbers_are_the_same_class_in_any_spelling(one: Any, names: list[str] | None) -> None:
    task, labels, head = read(one, 0, "1", names=names)
    assert task.kind == "single_label"
    assert labels == (["1", "0", "1"] if names is None else ["spam", "ham", "spam"])
    assert head.labels == (("0", "1") if names is None else ("ham", "spam"))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (float("nan"), "no label"),
        (None, "no label"),
        ("  ", "no label"),
        (1.5, r"1\.5 is neither a name nor a whole number \(for numbers: task\.kind=regression\)"),
        ("['late', 'loud'", "begins like a list or dict"),
        ({"late": "yes"}, "is not a label"),
        (["late", "loud"], "is not one label"),
    ],
)
def test_cells_that_are_no_label_are_bad_rows(cell: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"line 4: column 'label': .*{message}"):
        read({"label": "late"}, {"label": "loud"}, {"label": cell}, kind="single_label")
    report = ReadReport(on_bad_row="skip")
    rows = ({"label": "late"}, {"label": cell}, {"label": "loud"})
    assert read(*rows, kind="single_label", report=report)[1] == ["late", "loud"]
    assert report.skipped == {"bad label": 1}


def test_rows_without_a_gold_label_are_left_out_and_counted() -> None:
    rows = [{"gold_label": "neutral"}, {"gold_label": "-"}, {"gold_label": "entailment"}]
    report = ReadReport()
    assert read(*rows, report=report)[1] == ["neutral", "entailment"]
    assert report.skipped == {"no gold label": 1}
    # In any other column, it is a label like others.
    assert read("-", "+", kind="single_label")[1] == ["-", "+"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [((1, "2.5", "-3e-1"), [1.0, 2.5, -0.3]), (("0.25", 1, 2), [0.25, 1.0, 2.0])],
)
def test_fractions_are_numbers(cells: tuple[Any, ...], expected: list[float]) -> None:
    task, labels, head = read(*cells)
    assert task.kind == "regression"
    assert labels == expected
    assert head.labels == ("score",)
    with pytest.raises(InputError, match="'inf' is not a number"):
        read(*cells, "inf", kind="regression")
    with pytest.raises(InputError, match="True is not a number"):
        read(*cells, True, kind="regression")


def test_a_label_that_is_not_among_the_names_is_refused() -> None:
    with pytest.raises(InputError, match=r"label 'spma' is not in data\.label_names\. Did you mean 'spam'\?"):
        read("spma", "ham", names=["ham", "spam"])
    with pytest.raises(InputError, match=r"label -1 has no name: data\.label_names has 2 names, for 0 to 1"):
        read(-1, 0, names=["ham", "spam"])


def test_texts_that_are_lists_are_refused_or_joined() -> None:
    rows = records({"text": ["a", "fine", "day"], "label": "x"}, {"label": "y"})
    layout = Layout(Columns())
    with pytest.raises(InputError, match=r"column 'text' is a list, not a text\. To join .*task\.join_words=true"):
        Classification(kind="single_label").read(rows, layout, ReadReport())
    joined = Classification(kind="single_label", join_words=True).read(rows, layout, ReadReport())
    assert [row.text for row in joined] == ["a fine day", "text 3"]


def test_a_whole_number_may_be_longer_than_any_fraction() -> None:
    assert read(10**400, 1)[1] == [str(10**400), "1"]
