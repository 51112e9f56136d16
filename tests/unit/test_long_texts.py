"""Texts that are longer than a window: nothing of them gets lost, and what is not read is counted."""

import math
import string
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import ByT5Tokenizer

from recipes.training.yardsticks import stock_rows
from recipes.windows.columns import Windows, to_table
from tasks.classification import Classification, Text
from tasks.data.records import Origin, ReadReport
from tasks.loading.rows import AnyRows, Rows
from tasks.long_texts import Item, Tokens, fitting, read, sizes
from tasks.ner import Ner
from tasks.task import AnyTask, Features, Head
from tests import tiny

HEAD = Head("AutoModelForSequenceClassification", ("bad", "good"), "single_label_classification")
LENGTH = 16
TOKENIZERS: dict[str, Callable[[], Any]] = {
    "word pieces": tiny.wordpiece,
    "bytes, as RoBERTa": tiny.byte_level,
    "bytes, as ModernBERT": lambda: tiny.byte_level(tiny.WORDPIECE),
    "unigrams, as XLM-R": lambda: tiny.unigram(tiny.ROBERTA),
    "unigrams, padded on the left": lambda: tiny.unigram(tiny.XLNET),
    "unigrams, no end token": lambda: tiny.unigram(tiny.LLAMA),
}
PIECES = ["in", " Oslo", " ", "naïve", "\n\n", "parcel", "中文", "🙂", "ｶﾞ", "x" * 9, "\u200d", "é", "ﬃ", "?"]
WRITTEN = st.lists(st.sampled_from(PIECES), min_size=1, max_size=60).map("".join)


def row(text: str, pair: str | None = None, label: Any = "good") -> Text:
    return Text("0", text, pair, label, Origin("a.csv", 2))


def encoded(rows: Sequence[Text], way: str, tokenizer: Any = None, length: int = LENGTH) -> Features:
    task = Classification(kind="single_label", long_texts=way)
    return task.encode(rows, tokenizer or tiny.wordpiece(), HEAD, length)


def letters(count: int) -> str:
    """Return as many letters with blanks between them: each is a token of its own."""
    return " ".join(string.ascii_lowercase[number % 26] for number in range(count))


def characters(count: int, first: str) -> str:
    """Return Chinese characters with a blank before each: each is a token, and no two are the same."""
    return "".join(f" {chr(ord(first) + number)}" for number in range(count))


def windows_of(text: str, pair: str | None = None, length: int = LENGTH) -> list[Item]:
    return list(read((text, pair), "windows", tiny.wordpiece(), length).items)


@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=40, deadline=None)
@given(WRITTEN, st.integers(14, 30))
def test_the_windows_of_a_text_hold_all_of_it(name: str, text: str, length: int) -> None:
    tokenizer = TOKENIZERS[name]()
    reading = read((text, None), "windows", tokenizer, length)
    assert "".join(first for first, _ in reading.items) == text
    assert max(sizes(reading.items, tokenizer)) <= length
    features = encoded([row(text)], "windows", tokenizer, length)
    assert features["input_ids"] == tokenizer([first for first, _ in reading.items])["input_ids"]
    assert set(features["cut"]) == {0}


@pytest.mark.parametrize("side", [0, 1])
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(7, 24))
def test_the_windows_of_a_pair_hold_all_of_both(side: int, some: int, more: int, length: int) -> None:
    texts = (characters(some, "一"), characters(more, "耀"))[:: -1 if side else 1]
    items = windows_of(texts[0], texts[1], length)
    assert max(sizes(items, tiny.wordpiece())) <= length
    assert encoded([row(*texts)], "windows", length=length)["cut"] == [0] * len(items)
    for text, parts in zip(texts, zip(*items, strict=True), strict=True):
        assert unrepeated(parts) == text


def unrepeated(parts: Sequence[Any]) -> str:
    """Join parts, those that stand beside several parts of the other text once."""
    return "".join(part for part, before in zip(parts, [None, *parts], strict=False) if part != before)


@pytest.mark.parametrize(("tokens", "parts"), [(14, [14]), (15, [8, 7]), (28, [14, 14]), (30, [10, 10, 10])])
def test_windows_are_as_few_as_can_be_and_of_like_length(tokens: int, parts: list[int]) -> None:
    found = [len(first.split()) for first, _ in windows_of(letters(tokens))]
    assert (len(found), sum(found)) == (len(parts), tokens)
    assert sorted(found, reverse=True) == parts


def test_words_stay_whole_where_a_blank_is_near() -> None:
    assert tiny.wordpiece().tokenize("qqq") == ["q", "##q", "##q"]
    assert windows_of("qqq " * 11, length=34) == [("qqq qqq qqq qqq qqq", None), (" qqq" * 6 + " ", None)]
    assert len(windows_of("q" * 50)) == 4, "50 tokens of one word: cut anywhere"


@pytest.mark.parametrize("text", ["q " + "qqq " * 9, "qqq " * 9 + "q"])
def test_a_word_is_cut_where_whole_ones_would_take_another_window(text: str) -> None:
    """Of 28 tokens, 14 have to stand in each of two windows; a blank is a token before or after that place."""
    assert [len(first.replace(" ", "")) for first, _ in windows_of(text)] == [14, 14]


def test_texts_that_fit_into_no_window_are_tokenized_few_times() -> None:
    aims: list[int] = []

    def made(aim: int) -> list[Item]:
        aims.append(aim)
        return [(letters(99), None)]

    assert fitting(made, 98, 1, tiny.wordpiece(), 100) == ([(letters(99), None)], 101)
    assert aims == [98, 97, 95, 91, 83, 67, 49]


def test_places_of_tokens_never_fall() -> None:
    """A tokenizer may say of a token that it stands at 0, as it stands for nothing in the text."""

    def tokenizer(text: str, **options: Any) -> dict[str, Any]:
        del text, options
        return {"offset_mapping": [(0, 3), (0, 0), (4, 7), (0, 0), (8, 11)]}

    tokens = Tokens.of("the old box", cast("Any", tokenizer))
    assert tokens.parts(5, 1) == ["the", " old", " box"]


def test_a_short_text_of_a_pair_stays_whole_beside_each_part_of_the_other() -> None:
    pairs = windows_of(letters(4), letters(20))  # room for 13 tokens
    assert {first for first, _ in pairs} == {letters(4)}
    assert [len(str(second).split()) for _, second in pairs] == [7, 6, 7]
    turned = windows_of(letters(20), letters(4))
    assert turned == [(second, first) for first, second in pairs]


def test_long_texts_of_a_pair_are_cut_into_equally_many_parts() -> None:
    pairs = windows_of(letters(14), letters(24))  # 38 tokens, in windows of 13
    firsts, seconds = zip(*pairs, strict=True)
    assert len(pairs) == 4, "shares of 4 and 9 tokens"
    assert ["".join(firsts), "".join(seconds)] == [letters(14), letters(24)]
    assert {len(part.split()) for part in firsts} == {3, 4}
    assert {len(part.split()) for part in seconds} == {6}


def test_each_part_stands_beside_several_of_a_text_that_is_much_longer() -> None:
    pairs = windows_of(letters(8), letters(110))  # shares of 2 and 11 tokens
    assert [first.split() for first, _ in pairs] == list(map(list, 3 * ["ab"] + 2 * ["cd"] + 3 * ["ef"] + 2 * ["gh"]))
    assert "".join(str(second) for _, second in pairs) == letters(110)


def test_of_head_and_tail_the_middle_is_left_out_and_counted() -> None:
    features = encoded([row(letters(26))], "head_tail")  # room for 14 tokens: 3 and 11
    kept = tiny.wordpiece().convert_ids_to_tokens(features["input_ids"][0])
    assert kept == ["[CLS]", *"abc", *"pqrstuvwxyz", "[SEP]"]
    assert (features["cut"], features["row"]) == ([12], [0])


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (letters(3), letters(26), f"[CLS] {letters(3)} [SEP] a b s t u v w x y z [SEP]"),
        (letters(26), letters(3), f"[CLS] a b s t u v w x y z [SEP] {letters(3)} [SEP]"),
        (letters(26), letters(8), "[CLS] a u v w x y z [SEP] a d e f g h [SEP]"),
    ],
)
def test_of_a_pair_texts_that_are_longer_than_their_share_lose_their_middle(first: str, second: str, kept: str) -> None:
    features = encoded([row(first, second)], "head_tail")
    assert tiny.wordpiece().convert_ids_to_tokens(features["input_ids"][0]) == kept.split()
    assert features["cut"] == [len(first.split()) + len(second.split()) + 3 - LENGTH]


@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=25, deadline=None)
@given(WRITTEN, WRITTEN | st.none())
def test_head_and_tail_fit_and_what_is_cut_is_counted(name: str, text: str, pair: str | None) -> None:
    tokenizer = TOKENIZERS[name]()
    features = encoded([row(text, pair)], "head_tail", tokenizer, 24)
    whole = sizes([(text, pair)], tokenizer)[0]
    assert len(features["input_ids"][0]) <= 24
    assert features["cut"] == [max(whole - len(features["input_ids"][0]), 0)]
    if whole <= 24:
        assert features["input_ids"] == tokenizer([text], None if pair is None else [pair])["input_ids"]


def test_short_and_long_rows_keep_their_order_and_labels() -> None:
    rows = [row(letters(3)), row(letters(30), label="bad"), row(letters(14)), row(letters(15), label="bad")]
    features = encoded(rows, "windows")
    assert features["row"] == [0, 1, 1, 1, 2, 3, 3]
    assert features["labels"] == [1, 0, 0, 0, 1, 0, 0]
    assert [len(ids) for ids in features["input_ids"]] == [5, 12, 12, 12, 16, 10, 9]
    assert {len(column) for column in features.values()} == {7}


def test_characters_that_fit_into_no_window_are_counted() -> None:
    """A window of four has room for two tokens, and this character has four."""
    tokenizer = tiny.byte_level()
    whole = len(tokenizer("🙂🙂")["input_ids"])
    features = encoded([row("🙂🙂")], "windows", tokenizer, length=4)
    (note,) = notes(features, [row("🙂🙂")], "windows")[1:]
    lost = 2 * (whole - 2) // 2 + 2 * 2 - sum(map(len, features["input_ids"]))
    assert set(features["cut"]) == {lost}
    assert note == f"1 of 1 texts are too long, and {lost} tokens are not read (task.long_texts, task.max_length)"


def notes(features: Features, rows: Sequence[Text], way: str) -> list[str]:
    task = Classification(kind="single_label", long_texts=way)
    return list(task.window_notes(task.window_counts(rows, Windows(to_table(features)).columns)))


def test_the_notes_say_how_long_texts_are_read() -> None:
    rows = [row(letters(count)) for count in (3, 14, 15, 30)]
    assert [notes(encoded(rows, way), rows, way) for way in ("windows", "truncate", "head_tail")] == [
        ["2 of 4 texts are too long for a window: read in 5 windows, whose logits are averaged (task.long_texts)"],
        ["2 of 4 texts are too long, and 17 tokens at their ends are not read (task.long_texts, task.max_length)"],
        ["2 of 4 texts are too long, and 17 tokens in their middles are not read (task.long_texts, task.max_length)"],
    ]
    for way in ("windows", "truncate", "head_tail"):
        assert notes(encoded(rows[:2], way), rows[:2], way) == []


@pytest.mark.parametrize("way", ["windows", "head_tail"])
def test_without_a_fast_tokenizer_ends_are_cut_off_and_the_note_says_why(way: str) -> None:
    rows = [row("in Oslo"), row("where is my parcel, in Oslo")]
    features = encoded(rows, way, ByT5Tokenizer())
    assert (features["row"], features["cut"]) == ([0, 1], [0, len(rows[1].text) + 1 - LENGTH])
    assert notes(features, rows, way) == [
        f"1 of 2 texts are too long, and 12 tokens at their ends are not read (task.long_texts={way} needs a fast "
        "tokenizer, which tells where tokens stand)"
    ]


def test_the_logits_of_a_rows_windows_are_averaged_whatever_their_order() -> None:
    rows = [row("a"), row("b")]
    outputs = {"logits": np.log([[16.0, 1.0], [1.0, 3.0], [1.0, 4.0]])}
    task = Classification(kind="single_label")
    predictions = task.apply_calibration(task.decode(rows, {"row": [0, 1, 0]}, outputs, HEAD), {})
    # Row 0: the geometric means are 4 and 2. The mean of its probabilities, 16/17 and 1/5, would be 0.57.
    assert predictions == [
        {"label": "bad", "scores": {"bad": round(4 / 6, 6), "good": round(2 / 6, 6)}},
        {"label": "good", "scores": {"bad": 0.25, "good": 0.75}},
    ]


def test_of_several_labels_each_logit_is_averaged() -> None:
    rows = [row("a", label=("bad",)), row("b", label=())]
    odds = np.array([[9.0, 0.25], [1.0, 1.0], [1 / 9, 1 / 3]])
    task = Classification(kind="multi_label")
    predictions = task.apply_calibration(task.decode(rows, {"row": [0, 0, 1]}, {"logits": np.log(odds)}, HEAD), {})
    assert predictions == [
        {"label": ["bad"], "scores": {"bad": 0.75, "good": round(1 / 3, 6)}},
        {"label": [], "scores": {"bad": 0.1, "good": 0.25}},
    ]


def test_numbers_of_a_rows_windows_are_averaged() -> None:
    rows = [row("a", label=1.0), row("b", label=2.0)]
    outputs = {"score": np.array([1.0, 7.0, 2.5], dtype=np.float32)}
    head = Head("AutoModelForSequenceClassification", ("score",), "regression")
    predictions = Classification(kind="regression").decode(rows, {"row": [0, 1, 0]}, outputs, head)
    assert predictions == [{"label": 1.75}, {"label": 7.0}]


def test_extreme_logits_are_probabilities_too() -> None:
    logits = {"logits": np.array([[1000.0, -1000.0]])}
    for kind in ("single_label", "multi_label"):
        (prediction,) = Classification(kind=kind).decode([row("a")], {"row": [0]}, logits, HEAD)
        assert prediction["scores"] == {"bad": 1.0, "good": 0.0}
    assert math.isclose(sum(prediction["scores"].values()), 1.0)


def test_another_way_is_refused_with_the_choices() -> None:
    assert list(Classification(long_texts="window").errors()) == [
        "task.long_texts=window: choose from windows, truncate, head_tail. Did you mean 'windows'?"
    ]
    assert not any(list(Classification(long_texts=way).errors()) for way in ("windows", "truncate", "head_tail"))


@pytest.mark.parametrize(("task", "way"), [(Classification(), "truncate"), (Ner(), None)])
def test_the_example_script_cuts_long_texts_off(task: AnyTask, way: str | None) -> None:
    rows: AnyRows = Rows(task, HEAD, {"train": [], "validation": [], "test": []}, ReadReport())
    assert getattr(stock_rows(rows).task, "long_texts", None) == way
    assert getattr(task, "long_texts", None) != "truncate"
