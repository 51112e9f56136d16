"""As many training rows of each label: which rows are left out or repeated, what is said, and where it is refused."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.inference.evaluation import Evaluation
from recipes.inference.judging import judge
from tasks.classification import Classification, Text
from tasks.data.options import DataOptions, Limit
from tasks.data.records import Origin
from tasks.errors import InputError
from tasks.inspecting.quick import quick_findings
from tasks.loading.balancing import balance
from tasks.loading.load import load
from tasks.loading.rows import AnyRows
from tasks.ner import Ner
from tasks.qa import Qa
from tasks.task import AnyTask

ONE = Classification(kind="single_label")


def rows_of(labels: str) -> list[Text]:
    return [
        Text(str(number), f"text {number}", None, label, Origin("rows.csv", number))
        for number, label in enumerate(labels)
    ]


def balanced(labels: str, how: str, seed: int = 1) -> tuple[list[int], str]:
    rows, note = balance(ONE, rows_of(labels), sorted(set(labels)), how, seed)
    return [int(row.id) for row in rows], note


def test_the_rarest_label_decides_how_many_rows_stay() -> None:
    places, note = balanced("aabaabacaaabc", "undersample")
    assert Counter("aabaabacaaabc"[place] for place in places) == {"a": 2, "b": 2, "c": 2}
    assert places == sorted(set(places)), "in their order, each once"
    assert {7, 12} < set(places), "the rarest keeps its rows"
    assert note == "data.balance=undersample: labels a 8, b 3 and c 2 became 2 each; 7 left out"


def test_rarer_labels_are_repeated_as_a_whole_and_some_rows_once_more() -> None:
    places, note = balanced("aabaaaabc", "oversample")
    counts = Counter(places)
    assert {counts[place] for place in (0, 1, 3, 4, 5, 6)} == {1}
    assert counts[2] == counts[7] == 3
    assert counts[8] == 6
    assert note == "data.balance=oversample: labels a 6, b 2 and c 1 became 6 each; 9 repetitions"
    places, _ = balanced("aaaaabb", "oversample")
    assert sorted(Counter(places)[place] for place in (5, 6)) == [2, 3], "five times two rows: one of them once more"
    assert places == sorted(places)


@given(st.text("abcd", min_size=1, max_size=60), st.integers(0, 5))
def test_each_label_has_as_many_rows(labels: str, seed: int) -> None:
    had = Counter(labels)
    for how, wanted in (("undersample", min(had.values())), ("oversample", max(had.values()))):
        places, _ = balanced(labels, how, seed)
        assert Counter(labels[place] for place in places) == dict.fromkeys(had, wanted)
        times = Counter(places)
        for label in had:
            of_label = [times[place] for place, one in enumerate(labels) if one == label]
            assert max(of_label) - min(of_label) <= 1
        assert (places, _) == balanced(labels, how, seed), "the same with the same seed"


def test_the_seed_decides_which_rows() -> None:
    labels = "a" * 50 + "b" * 20
    for how in ("undersample", "oversample"):
        assert balanced(labels, how, 1)[0] != balanced(labels, how, 2)[0]


def test_what_is_said() -> None:
    assert balanced("abab", "oversample")[1] == (
        "data.balance=oversample: nothing to do, each label of the training rows has 2"
    )
    assert balanced("aaabb", "oversample")[1].endswith("; 1 repetition")
    _, single = balanced("aaab", "undersample")
    assert (
        "; 2 left out. 'b' has a single row, which leaves hardly any to learn from: data.balance=oversample" in single
    )
    many = "".join(letter * count for count, letter in enumerate("abcdefg", 1))
    assert "labels g 7, f 6, e 5, 3 more and a 1 became" in balanced(many, "oversample")[1]
    _, note = balance(ONE, rows_of("aab"), ["a", "b", "rare", "rarer"], "oversample", 1)
    assert note.endswith("; 1 repetition; no training row has rare, rarer")


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (Classification(kind="multi_label"), "several labels.*hparams.class_weights=balanced.*hparams.focal=2"),
        (Classification(kind="regression"), "numbers"),
        (Ner(), "entities of several types.*hparams.class_weights=balanced.*hparams.focal=2"),
        (Qa(), "no labels.*hparams.focal=2"),
    ],
)
def test_labels_that_cannot_be_balanced_say_what_can_be_done(task: AnyTask, said: str) -> None:
    assert re.search(said, str(task.why_unbalanced()))
    assert Classification(kind="auto").why_unbalanced() is ONE.why_unbalanced() is None


# In the rows of a run


def read(folder: Path, labels: list[str], seed: int = 1, **options: Any) -> AnyRows:
    path = folder / "rows.csv"
    path.write_text("text,label\n" + "".join(f"row {number} of many,{label}\n" for number, label in enumerate(labels)))
    return load(Classification(), DataOptions(train=str(path), **options), seed)


MOSTLY = ["ham"] * 40 + ["spam"] * 10


def numbers(rows: AnyRows, split: Any = "train") -> list[int]:
    return [row.origin.number for row in rows.splits[split]]


def test_rows_are_repeated_after_splits_are_cut_so_that_none_is_on_two_sides(tmp_path: Path) -> None:
    plain, rows = read(tmp_path, MOSTLY), read(tmp_path, MOSTLY, balance="oversample")
    for split in ("validation", "test"):
        assert numbers(rows, split) == numbers(plain, split)
    assert set(numbers(rows)) == set(numbers(plain))
    assert rows.task.label_counts(rows.splits["train"]) == {"ham": 32, "spam": 32}
    assert rows.train_as_labelled == plain.splits["train"] == plain.train_as_labelled
    assert "data.balance=oversample: labels ham 32 and spam 8 became 32 each; 24 repetitions" in rows.notes


def test_folds_hold_each_row_out_once(tmp_path: Path) -> None:
    held = []
    for fold in (1, 2, 3):
        rows = read(tmp_path, MOSTLY, balance="oversample", folds=3, fold=fold)
        held += numbers(rows, "test")
        assert len(set(rows.task.label_counts(rows.splits["train"]).values())) == 1
        assert not set(numbers(rows)) & {*numbers(rows, "test"), *numbers(rows, "validation")}
    assert sorted(held) == list(range(2, 52))


def test_balancing_follows_duplicates_and_limits(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    lines = [f"row {number} of many,{label}\n" for number, label in enumerate(MOSTLY)]
    path.write_text("text,label\n" + "".join([*lines, *lines[:40]]))
    options = DataOptions(train=str(path), test_fraction=0, deduplicate="exact", balance="undersample")
    rows = load(Classification(), options, 1)
    counts = rows.task.label_counts(rows.train_as_labelled)
    assert counts["ham"] <= 40
    assert rows.task.label_counts(rows.splits["train"]) == dict.fromkeys(counts, counts["spam"])
    limited = read(tmp_path, MOSTLY, balance="oversample", limit=Limit(train=20))
    assert len(limited.train_as_labelled) == 20
    assert len(set(limited.task.label_counts(limited.splits["train"]).values())) == 1


def test_the_seed_of_splits_draws(tmp_path: Path) -> None:
    def drawn(seed: int, split_seed: int | None) -> list[int]:
        path = str(tmp_path / "rows.csv")
        options = {"validation": path, "test": path, "split_seed": split_seed, "balance": "undersample"}
        return numbers(read(tmp_path, MOSTLY, seed, **options))

    assert drawn(1, None) != drawn(2, None)
    assert drawn(1, 7) == drawn(2, 7) == drawn(7, None)


@pytest.mark.parametrize("labels", [["0.5", "0.25"] * 20, ["a;b", "a"] * 20])
def test_kinds_of_labels_that_reading_finds_out_are_refused(labels: list[str], tmp_path: Path) -> None:
    task = Classification(label_separator=";", kind="multi_label" if ";" in labels[0] else "auto")
    (tmp_path / "rows.csv").write_text("text,label\n" + "".join(f"row {n},{label}\n" for n, label in enumerate(labels)))
    options = DataOptions(train=str(tmp_path / "rows.csv"), balance="undersample")
    with pytest.raises(InputError, match=r"data\.balance=undersample: "):
        load(task, options, 1)


def test_the_checks_of_a_run_see_each_row_once(tmp_path: Path) -> None:
    rows = read(tmp_path, MOSTLY, balance="oversample")
    assert len(rows.splits["train"]) > len(rows.train_as_labelled)
    assert not [one for one in quick_findings(rows) if one.kind == "duplicates"]


def test_baselines_know_which_label_is_the_commonest(tmp_path: Path) -> None:
    """Of balanced rows, the majority class would be whichever comes first, or one that is rare."""
    labels = [*["spam"] * 10, *["ham"] * 40]  # spam comes first
    rows = read(tmp_path, labels, balance="oversample")
    assert rows.splits["train"][0].label == "spam"
    lines = [{"prediction": {"label": row.label}} for row in rows.splits["test"]]
    scores = rows.task.score(rows.splits["test"], [line["prediction"] for line in lines], rows.head)
    evaluation = Evaluation(metrics={"test": scores}, predictions={"test": lines})
    baselines = judge(rows, evaluation, []).baselines["test"]
    ham = Counter(row.label for row in rows.splits["test"])["ham"]
    assert baselines["majority class"].scores["accuracy"] == ham / len(lines) > 0.5
