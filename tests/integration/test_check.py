"""`recipes.check` on clean files of each task and format, on the same files with planted faults, and on odd calls."""

# ruff: noqa: S311 (nothing here is a secret)

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from recipes.check import main
from tasks.checks.kinds import KINDS
from tests.faulty_rows import FORMATS, Asked, Format, Labelled, Rows, Tagged, Written, sentence, write


class Planted(NamedTuple):
    """What a plant did."""

    least: int
    "What the finding has to count at least."
    rows: list[tuple[str, int]]
    "The rows that examples may name, as their split and number. Empty: the finding has no examples with a place."


class Plant(NamedTuple):
    """A fault of a kind in a format."""

    name: str
    format: str
    kind: str
    make: Callable[[Rows], Planted]
    also: frozenset[str]
    "Other kinds that follow from this fault by nature."
    overrides: tuple[str, ...]


PLANTS: list[Plant] = []
LABELLED = ("single", "multi", "regression")
NAMED = ("single", "multi")
OF_MODELS = ("cut_off", "long_texts", "unknown_tokens", "split_words", "vanishing_words", "long_answers")
"Kinds that a model is needed for. Others are looked for without one, as that takes half of the time."
ABOUT = 0.85
"Share of rows with another word that have to be found. Candidates are found by hashes, of which some miss."
EVERY = ("single",)
"The formats of faults that are planted in texts of all formats at once, too, which takes a single check."


def plant(
    kind: str,
    *formats: str,
    also: str = "",
    overrides: tuple[str, ...] = (),
) -> Callable[[Callable[[Rows], Planted]], Callable[[Rows], Planted]]:
    """Register a function that puts a fault of a kind into rows, for some formats."""

    def register(make: Callable[[Rows], Planted]) -> Callable[[Rows], Planted]:
        for name in formats:
            called = getattr(make, "__name__", kind).strip("_")
            PLANTS.append(Plant(called, name, kind, make, frozenset(also.split()), overrides))
        return make

    return register


def chosen(rows: Rows, split: str = "train", share: float = 0.05) -> list[int]:
    """Return numbers of rows that are spread over a split."""
    step = round(1 / share)
    return list(range(step // 2, len(rows[split]), step))


def places(split: str, numbers: Iterable[int]) -> list[tuple[str, int]]:
    return [(split, number) for number in numbers]


def edit_row(row: Any, edit: Callable[[str], str]) -> None:
    """Edit a text, a question, or a word of a sentence that is no entity."""
    if isinstance(row, Labelled):
        row.text = edit(row.text)
    elif isinstance(row, Asked):
        row.question = edit(row.question)
    else:
        place = next(place for place, tag in enumerate(row.tags) if tag == "O" and row.words[place].isalpha())
        row.words[place] = edit(row.words[place])


def edited(rows: Rows, *edits: Callable[[str], str], share: float = 0.05) -> Planted:
    """Edit some training rows, one after the other in each of several ways."""
    numbers = chosen(rows, share=share)
    for place, number in enumerate(numbers):
        edit_row(rows["train"][number], edits[place % len(edits)])
    return Planted(len(numbers), places("train", numbers))


def edit_passages(rows: Rows, edit: Callable[[str], str], share: float = 0.1) -> Planted:
    """Edit the ends of some training passages, so that answers stay where they are."""
    contexts = list(dict.fromkeys(row.context for row in rows["train"]))
    some = {contexts[number] for number in range(2, len(contexts), round(1 / share))}
    numbers = [number for number, row in enumerate(rows["train"]) if row.context in some]
    for number in numbers:
        rows["train"][number].context = edit(rows["train"][number].context)
    return Planted(len(some), places("train", numbers))


def copied(row: Any) -> Any:
    """Return a row with the same content, as its own object. A question gets another id."""
    if isinstance(row, Labelled):
        return Labelled(row.text, row.label)
    if isinstance(row, Tagged):
        return Tagged(list(row.words), list(row.tags))
    return Asked(row.question, row.context, row.answer, row.start, f"{row.id}-again")


def copy_to(rows: Rows, source: str, target: str, change: Callable[[Any], object] = lambda _: None) -> Planted:
    """Append copies of some rows of a split to another one, or the same."""
    numbers = chosen(rows, source, 0.08)
    start = len(rows[target])
    for number in numbers:
        again = copied(rows[source][number])
        change(again)
        rows[target].append(again)
    return Planted(len(numbers), places(source, numbers) + places(target, range(start, len(rows[target]))))


# Texts


def misread(text: str) -> str:
    return text.encode().decode("cp1252")


@plant("wrong_encoding", *EVERY)
def utf8_read_as_cp1252(rows: Rows) -> Planted:
    return edited(
        rows,
        lambda text: text + misread("brûlée"),
        lambda text: misread("Überfähre") + text,
        lambda text: text + misread("n’est"),
        lambda text: misread("piñata") + text,
    )


@plant("wrong_encoding", "single")
def bytes_that_could_not_be_read(rows: Rows) -> Planted:
    return edited(rows, lambda text: f"{text}caf\ufffd")


@plant("wrong_encoding", "ner")
def cyrillic_read_as_latin1(rows: Rows) -> Planted:
    return edited(rows, lambda text: f"{text}{'переправа'.encode().decode('latin-1')}")


@plant("wrong_encoding", "single")
def windows_quotes_read_as_latin1(rows: Rows) -> Planted:
    return edited(rows, lambda text: f"{text} “so”".encode("cp1252").decode("latin-1"))


@plant("wrong_encoding", "qa")
def misread_passages(rows: Rows) -> Planted:
    return edit_passages(rows, lambda text: f"{text} The café is called {misread('Crème brûlée')}.")


@plant("control_characters", *EVERY)
def control_characters(rows: Rows) -> Planted:
    return edited(rows, lambda text: f"{text}\x08", lambda text: f"\x1b{text}", lambda text: f"{text}\x02")


@plant("control_characters", "qa")
def control_characters_of_passages(rows: Rows) -> Planted:
    return edit_passages(rows, lambda text: f"{text} It\x07 is small.")


@plant("invisible_characters", *EVERY)
def invisible_characters(rows: Rows) -> Planted:
    return edited(
        rows,
        lambda text: f"{text[:2]}\u200b{text[2:]}",
        lambda text: f"{text[:2]}\xad{text[2:]}",
        lambda text: f"{text[:2]}\u202e{text[2:]}",
        lambda text: f"{text[:1]}\u2060{text[1:]}",
    )


@plant("invisible_characters", "single", "qa")
def byte_order_marks_of_joined_files(rows: Rows) -> Planted:
    return edited(rows, lambda text: f"\ufeff{text}")


@plant("invisible_characters", "qa")
def invisible_characters_of_passages(rows: Rows) -> Planted:
    return edit_passages(rows, lambda text: f"{text} The\u200b end.")


@plant("markup", *EVERY)
def left_overs_of_html(rows: Rows) -> Planted:
    return edited(
        rows,
        lambda text: f"{text}<br/>",
        lambda text: f"&quot;{text}",
        lambda text: f"<b>{text}</b>",
        lambda text: f"{text}&#39;s",
        lambda text: f"{text}&nbsp;",
    )


@plant("markup", "single")
def left_overs_of_markdown(rows: Rows) -> Planted:
    return edited(rows, lambda text: f"**Note** {text}", lambda text: f"{text} [here](https://example.org/a)")


@plant("markup", "single")
def named_characters_of_html(rows: Rows) -> Planted:
    return edited(rows, lambda text: f"{text} the owner&rsquo;s caf&eacute; &mdash; so to say&hellip;")


@plant("markup", "single")
def other_tags_of_html(rows: Rows) -> Planted:
    return edited(
        rows,
        lambda text: f"<blockquote>{text}</blockquote>",
        lambda text: f"<small>{text}</small>",
        lambda text: f"<!-- start -->{text}",
        lambda text: f"<section id='x'>{text}</section>",
    )


@plant("markup", "qa")
def markup_of_passages(rows: Rows) -> Planted:
    return edit_passages(rows, lambda text: f"{text} <a href='x'>More</a>")


@plant("padded_texts", "single", "qa")
def padded_texts(rows: Rows) -> Planted:
    return edited(rows, lambda text: f"  {text}", lambda text: f"{text}\t", lambda text: f"{text}\n")


@plant("placeholders", "single", also="conflicting_labels duplicates")
def placeholders(rows: Rows) -> Planted:
    numbers = chosen(rows, share=0.04)
    for place, number in enumerate(numbers):
        rows["train"][number].text = ("nan", "NULL", "[deleted]", "#N/A")[place % 4]
    return Planted(len(numbers), places("train", numbers))


@plant("placeholders", "single")
def other_placeholders(rows: Rows) -> Planted:
    others = ["N/A", "n/a", "[removed]", "NONE", "none", "Null", "<null>", "NA", "Nan", "NAN"]
    for number, text in enumerate(others):
        rows["train"][number].text = text
    return Planted(len(others), places("train", range(len(others))))


@plant("placeholders", "ner")
def placeholder_sentences(rows: Rows) -> Planted:
    for number, word in ((5, "nan"), (50, "NULL"), (95, "None")):
        rows["train"][number] = Tagged([word], ["O"])
    return Planted(3, places("train", (5, 50, 95)))


@plant("placeholders", "qa")
def placeholder_questions(rows: Rows) -> Planted:
    return edited(rows, lambda _: "nan", share=0.03)


@plant("tiny_texts", "single")
def texts_of_punctuation(rows: Rows) -> Planted:
    numbers = chosen(rows, share=0.03)
    for place, number in enumerate(numbers):
        rows["train"][number].text = "." * (place + 1)
    return Planted(len(numbers), places("train", numbers))


@plant("tiny_texts", "ner")
def sentences_of_punctuation(rows: Rows) -> Planted:
    for number in (4, 40, 90):
        rows["train"][number] = Tagged(["-"] * number, ["O"] * number)
    return Planted(3, places("train", (4, 40, 90)))


@plant("tiny_texts", "qa")
def questions_of_punctuation(rows: Rows) -> Planted:
    return edited(rows, lambda _: "?", share=0.03)


def run_together(seed: int, count: int = 40) -> str:
    draw = Random(seed)
    return ". ".join(sentence(draw, [draw.choice(["food", "travel", "sport", "housing"])]) for _ in range(count))


@plant("giant_texts", "single")
def giant_texts(rows: Rows) -> Planted:
    for number in (30, 130):
        rows["train"][number].text = run_together(number)
    return Planted(2, places("train", (30, 130)))


@plant("giant_texts", "ner")
def giant_sentences(rows: Rows) -> Planted:
    some = rows["train"]
    some[20] = Tagged(
        [word for row in some[100:160] for word in row.words], [tag for row in some[100:160] for tag in row.tags]
    )
    del some[100:160]
    return Planted(1, places("train", (20,)))


@plant("giant_texts", "qa", also="foreign_questions")
def giant_passages(rows: Rows) -> Planted:
    return edit_passages(rows, lambda text: f"{text} {run_together(len(text), 90)}", share=0.04)


@plant("other_scripts", *EVERY)
def texts_in_greek_and_russian(rows: Rows) -> Planted:
    texts = ["Πού είναι το παλιό λιμάνι της πόλης", "Завтра мы поедем на рынок за яблоками", "תחנת הרכבת סגורה היום"]
    numbers = chosen(rows, share=0.04)
    for place, number in enumerate(numbers):
        words = [*texts[place % 3].split(), "αβγδεζηθικλμνξ"[place]]
        if isinstance(rows["train"][number], Tagged):
            rows["train"][number] = Tagged(words, ["O"] * len(words))
        else:
            edit_row(rows["train"][number], lambda _, words=words: " ".join(words))  # type: ignore[misc]
    return Planted(len(numbers), places("train", numbers))


@plant("other_scripts", "qa")
def passages_in_another_script(rows: Rows) -> Planted:
    return edit_passages(rows, lambda text: f"{text} {'Старый мост стоит у самой реки и скрипит. ' * 20}")


def to_all(rows: Rows, edit: Callable[[Any, int], object]) -> Planted:
    """Edit all rows of all splits."""
    for some in rows.values():
        for number, row in enumerate(some):
            edit(row, number)
    different = len({row.question if isinstance(row, Asked) else number for number, row in enumerate(rows["train"])})
    return Planted(round(0.95 * different), places("train", range(len(rows["train"]))))


def in_front(*words: str) -> Callable[[Any, int], object]:
    """Return a function that puts words before a text, a question or a sentence. `{}` becomes the number of the row."""

    def edit(row: Any, number: int) -> None:
        new = [word.format(number + 1) for word in words]
        if isinstance(row, Tagged):
            row.words[:0] = new
            row.tags[:0] = ["O"] * len(new)
        else:
            edit_row(row, lambda text: " ".join([*new, text]))

    return edit


@plant("boilerplate", *EVERY)
def the_same_beginning(rows: Rows) -> Planted:
    return to_all(rows, in_front("Dear", "support", "team", ","))


@plant("boilerplate", "single", "ner")
def the_same_end(rows: Rows) -> Planted:
    def edit(row: Any, number: int) -> None:
        if isinstance(row, Tagged):
            row.words += ["Sent", "from", "abroad"]
            row.tags += ["O"] * 3
        else:
            edit_row(row, lambda text: f"{text} Sent from abroad")

    return to_all(rows, edit)


@plant("ids_in_texts", *EVERY)
def counters(rows: Rows) -> Planted:
    return to_all(rows, in_front("{})"))


@plant("ids_in_texts", "single")
def counters_with_letters(rows: Rows) -> Planted:
    return to_all(rows, in_front("[Q-{:05d}]"))


@plant("ids_in_texts", "single")
def counters_and_a_blank(rows: Rows) -> Planted:
    return to_all(rows, in_front("{:05d}"))


@plant("ids_in_texts", "ner")
def counters_a_blank_and_a_sign(rows: Rows) -> Planted:
    return to_all(rows, in_front("{}", "-"))


# Duplicates


@plant("duplicates", *EVERY, "multi")
def rows_that_are_there_twice(rows: Rows) -> Planted:
    return copy_to(rows, "train", "train")


@plant("shared_rows", "single", "regression", "ner")
def rows_of_test_in_training(rows: Rows) -> Planted:
    return copy_to(rows, "test", "train")


@plant("shared_rows", "qa", also="shared_passages")
def questions_of_test_in_training(rows: Rows) -> Planted:
    return copy_to(rows, "test", "train")


@plant("shared_rows", "single")
def validation_rows_in_training(rows: Rows) -> Planted:
    return copy_to(rows, "validation", "train")


@plant("shared_rows", "single")
def rows_of_test_in_validation(rows: Rows) -> Planted:
    return copy_to(rows, "test", "validation")


def another_number(row: Any) -> None:
    if isinstance(row, Tagged):
        row.words[-2:-2] = ["in", "2031"]
        row.tags[-2:-2] = ["O", "O"]
    elif isinstance(row, Labelled):
        row.text += ", in 2031"
    else:
        row.context = re.sub(r"\b1[5-9]\d\d\b", "1491", row.context)


def with_numbers(rows: Rows) -> None:
    """Give all rows a number of their own."""
    for some in rows.values():
        for number, row in enumerate(some):
            another_number(row)
            if isinstance(row, Tagged):
                row.words[row.words.index("2031")] = str(2100 + number)
            else:
                row.text = row.text.replace("2031", str(2100 + number))


def renumbered(row: Any) -> None:
    if isinstance(row, Tagged):
        row.words = ["1987" if word.isdecimal() else word for word in row.words]
    else:
        row.text = re.sub(r"\d{4}", "1987", row.text)


@plant("near_duplicates", "multi", "ner")
def copies_with_another_number(rows: Rows) -> Planted:
    with_numbers(rows)
    return copy_to(rows, "train", "train", renumbered)


@plant("nearly_shared_rows", "multi", "ner")
def rows_of_test_in_training_with_another_number(rows: Rows) -> Planted:
    with_numbers(rows)
    return copy_to(rows, "test", "train", renumbered)


def another_word(row: Any) -> None:
    """Replace one word in the middle, which leaves 84 of 100 words and pairs of a sentence of 18 words."""
    words = row.text.split()
    words[6] = "vermilion"
    row.text = " ".join(words)


@plant("near_duplicates", "single", "regression")
def copies_with_another_word(rows: Rows) -> Planted:
    found = copy_to(rows, "train", "train", another_word)
    return Planted(int(ABOUT * found.least), found.rows)


@plant("nearly_shared_rows", "single")
def rows_of_test_in_training_with_another_word(rows: Rows) -> Planted:
    found = copy_to(rows, "test", "train", another_word)
    return Planted(int(ABOUT * found.least), found.rows)


@plant("near_duplicates", "ner")
def sentences_with_another_word(rows: Rows) -> Planted:
    def change(row: Tagged) -> None:
        row.words[row.tags.index("O")] = "vermilion"

    found = copy_to(rows, "train", "train", change)
    return Planted(round(ABOUT * found.least), found.rows)


@plant("near_duplicates", "single")
def copies_in_other_case_without_punctuation(rows: Rows) -> Planted:
    def change(row: Any) -> None:
        row.text = row.text.upper().replace(",", "") + "!!"

    return copy_to(rows, "train", "train", change)


def copy_passages(rows: Rows, source: str) -> Planted:
    contexts = list(dict.fromkeys(row.context for row in rows[source]))[1::10]
    numbers = [number for number, row in enumerate(rows[source]) if row.context in contexts]
    start = len(rows["train"])
    for number in numbers:
        row = copied(rows[source][number])
        row.context = row.context.replace(" best, ", " most, ").replace(" every ", " each ").replace(" upper ", " old ")
        if row.context == rows[source][number].context:
            row.context += " So it is."
        row.start = row.context.index(row.answer)
        rows["train"].append(row)
    return Planted(len(contexts), places(source, numbers) + places("train", range(start, len(rows["train"]))))


@plant("near_duplicates", "qa")
def passages_with_another_word(rows: Rows) -> Planted:
    return copy_passages(rows, "train")


@plant("nearly_shared_rows", "qa")
def passages_of_test_in_training_with_another_word(rows: Rows) -> Planted:
    return copy_passages(rows, "test")


# Labels


def relabel(rows: Rows, split: str, numbers: Iterable[int], label: str) -> None:
    for number in numbers:
        row = rows[split][number]
        if isinstance(row, Tagged):
            row.tags = [tag if tag == "O" else f"{tag[:2]}{label}" for tag in row.tags]
        else:
            row.label = [label] if isinstance(row.label, list) else label


OTHER_LABELS = {"single": ("food", "Food"), "multi": ("food", "Food"), "ner": ("PER", "Per")}


@plant("labels_alike", *NAMED, "ner", also="ambiguous_entities missing_labels")
def a_label_in_other_case(rows: Rows) -> Planted:
    for row in rows["train"][::5]:
        if isinstance(row, Tagged):
            row.tags = [tag.replace("PER", "Per") for tag in row.tags]
        else:
            row.label = ["Food"] if row.label == ["food"] else "Food" if row.label == "food" else row.label
    return Planted(2, [])


@plant("labels_alike", "single")
def a_label_with_another_hyphen(rows: Rows) -> Planted:
    for split, some in rows.items():
        for number in range(0, len(some), 4):
            relabel(rows, split, [number], "free-time" if number % 8 else "free_time")
    return Planted(2, [])


@plant("rare_labels", *NAMED, "ner", also="ambiguous_entities")
def a_rare_label(rows: Rows) -> Planted:
    relabel(rows, "train", [7], "gardening")
    return Planted(1, [])


@plant("unknown_labels", *NAMED, "ner")
def a_label_of_test_only(rows: Rows) -> Planted:
    relabel(rows, "test", range(0, 100, 20), "gardening")
    return Planted(5, [])


@plant("unknown_labels", "qa")
def questions_without_an_answer_in_test_only(rows: Rows) -> Planted:
    for number in range(0, 100, 20):
        rows["test"][number].answer = ""
    return Planted(5, [])


@plant("missing_labels", *NAMED, "ner", also="label_drift few_rows length_drift")
def a_label_that_test_lacks(rows: Rows) -> Planted:
    for row in rows["test"]:
        if isinstance(row, Tagged):
            row.tags = ["O" if tag[2:] == "LOC" else tag for tag in row.tags]
        elif row.label == "sport" or "sport" in row.label:
            row.label = ["food"] if isinstance(row.label, list) else "food"
    return Planted(1, [])


@plant("imbalance", "single", "multi")
def one_label_for_nearly_all(rows: Rows) -> Planted:
    for split, some in rows.items():
        relabel(rows, split, [number for number in range(len(some)) if number % 20], "food")
        relabel(rows, split, range(0, len(some), 20), "sport")
    return Planted(180, [])


@plant("imbalance", "ner", also="untagged_entities")
def one_type_for_nearly_all(rows: Rows) -> Planted:
    for some in rows.values():
        for number, row in enumerate(some):
            kept = ("PER",) if number % 16 else ("PER", "LOC")
            row.tags = [tag if tag[2:] in kept else "O" for tag in row.tags]
    return Planted(150, [])


def with_another_label(row: Any) -> None:
    if isinstance(row, Tagged):
        row.tags = ["O"] * len(row.tags)
    elif isinstance(row, Asked):
        row.answer = ""
    elif isinstance(row.label, float):
        row.label = 6 - row.label
    else:
        other = "sport" if "housing" in row.label else "housing"
        row.label = [other] if isinstance(row.label, list) else other


@plant("conflicting_labels", *NAMED, "ner", "qa", also="duplicates untagged_entities")
def equal_texts_with_other_labels(rows: Rows) -> Planted:
    found = copy_to(rows, "train", "train", with_another_label)
    return Planted(10, found.rows)  # numbers near the middle stay near each other


@plant("conflicting_labels", *NAMED, "ner", also="shared_rows untagged_entities")
def texts_of_test_with_other_labels_in_training(rows: Rows) -> Planted:
    found = copy_to(rows, "test", "train", with_another_label)
    return Planted(2 * found.least, found.rows)


@plant("conflicting_labels", "regression", also="duplicates")
def equal_texts_with_other_numbers(rows: Rows) -> Planted:
    found = copy_to(rows, "train", "train", with_another_label)
    return Planted(10, found.rows)  # numbers near the middle stay near each other


@plant("unlabelled_rows", "multi", also="repaired_rows")
def rows_without_labels(rows: Rows) -> Planted:
    numbers = chosen(rows, share=0.1)
    for number in numbers:
        rows["train"][number].label = []
    return Planted(len(numbers), places("train", numbers))


@plant("labels_together", "multi")
def two_labels_for_one_thing(rows: Rows) -> Planted:
    for some in rows.values():
        for row in some:
            row.label += ["exercise"] if "sport" in row.label else []
    return Planted(2, [])


@plant("leaking_words", *NAMED)
def a_word_that_tells_the_label(rows: Rows) -> Planted:
    numbers = [number for number, row in enumerate(rows["train"]) if "sport" in row.label]
    for some in rows.values():
        for row in some:
            row.text += " (Sportdesk)" if "sport" in row.label else ""
    return Planted(len(numbers) // 2, places("train", numbers))


@plant("leaking_words", "single")
def a_word_in_most_rows_of_a_label(rows: Rows) -> Planted:
    numbers = [number for number, row in enumerate(rows["train"]) if row.label == "housing"]
    for row in [row for some in rows.values() for row in some if row.label == "housing"][::10]:
        row.label = "food"
    for row in [row for some in rows.values() for row in some if row.label == "housing"]:
        row.text = f"Re: flat 12, {row.text}"
    return Planted(30, places("train", numbers))


@plant("label_in_text", *NAMED)
def labels_in_texts(rows: Rows) -> Planted:
    def edit(row: Any, number: int) -> None:
        shown = row.label if isinstance(row.label, str) else ", ".join(row.label)
        row.text = f"{row.text} [{shown.title()}]" if number % 3 else row.text

    to_all(rows, edit)
    numbers = [number for number in range(len(rows["train"])) if number % 3]
    return Planted(len(numbers), places("train", numbers))


@plant("constant_number", "regression", also="label_drift")
def one_number_for_all(rows: Rows) -> Planted:
    for row in rows["train"]:
        row.label = 3.5
    return Planted(len(rows["train"]), [])


@plant("outliers", "regression")
def numbers_for_missing_values(rows: Rows) -> Planted:
    numbers = chosen(rows, share=0.03)
    for place, number in enumerate(numbers):
        rows["train"][number].label = -999.0 if place % 2 else round(100 * rows["train"][number].label)
    return Planted(len(numbers), places("train", numbers))


@plant("outliers", "regression")
def numbers_far_from_one_that_most_rows_have(rows: Rows) -> Planted:
    for some in rows.values():
        for number, row in enumerate(some):
            row.label = 0.5 if number % 5 else row.label
    numbers = chosen(rows, share=0.03)
    for number in numbers:
        rows["train"][number].label = -999.0
    return Planted(len(numbers), places("train", numbers))


# Rows


@plant("unusable_rows", "single", "multi")
def empty_texts(rows: Rows) -> Planted:
    return edited(rows, lambda _: "", lambda _: "   ")


@plant("unusable_rows", "regression", overrides=("task.kind=regression",))
def labels_that_are_no_numbers(rows: Rows) -> Planted:
    numbers = chosen(rows, share=0.02)
    for number in numbers:
        rows["train"][number].label = "about four"
    return Planted(len(numbers), places("train", numbers))


@plant("unusable_rows", "single")
def empty_labels(rows: Rows) -> Planted:
    numbers = chosen(rows, share=0.02)
    for number in numbers:
        rows["train"][number].label = ""
    return Planted(len(numbers), places("train", numbers))


@plant("unusable_rows", "ner")
def tags_that_are_none(rows: Rows) -> Planted:
    numbers = chosen(rows, share=0.02)
    for number in numbers:
        rows["train"][number].tags[0] = "B-"
    return Planted(len(numbers), places("train", numbers))


@plant("unusable_rows", "qa")
def answers_that_are_not_there(rows: Rows) -> Planted:
    numbers = chosen(rows)
    for number in numbers:
        rows["train"][number].answer = "an answer from another book"
    return Planted(len(numbers), places("train", numbers))


@plant("unusable_rows", "qa")
def answers_by_offsets_in_bytes(rows: Rows) -> Planted:
    numbers = chosen(rows)
    for number in numbers:
        row = rows["train"][number]
        row.context = f"Über Größe: {row.context}"
        row.start += len("Über Größe: ".encode())
    return Planted(len(numbers), places("train", numbers))


@plant("repaired_rows", "ner")
def illegal_transitions(rows: Rows) -> Planted:
    numbers = [
        number for number in chosen(rows, share=0.1) if any(tag[:1] == "B" for tag in rows["train"][number].tags)
    ]
    for number in numbers:
        tags = rows["train"][number].tags
        place = next(place for place, tag in enumerate(tags) if tag[:1] == "B")
        tags[place] = f"I{tags[place][1:]}"
    return Planted(len(numbers), places("train", numbers))


@plant("repaired_rows", "qa")
def one_id_for_several_questions(rows: Rows) -> Planted:
    for number in range(0, 40, 5):
        rows["train"][number].id = rows["train"][number + 1].id
    return Planted(8, places("train", range(40)))


@plant("implausible", "single", "regression")
def printed_lists(rows: Rows) -> Planted:
    return to_all(rows, lambda row, _: edit_row(row, lambda text: repr(text.split())))._replace(rows=[])


@plant("implausible", "single", also="rare_labels")
def labels_that_are_ids(rows: Rows) -> Planted:
    for split, some in rows.items():
        for number, row in enumerate(some):
            row.label = f"{split}{number}" if split == "train" else f"train{number}"
    return Planted(200, [])


@plant("implausible", "ner", also="ambiguous_entities")
def types_that_begin_like_tags(rows: Rows) -> Planted:
    for some in rows.values():
        for row in some:
            row.tags = [tag if tag == "O" else f"{tag[:2]}{'B'}{tag[1:]}" for tag in row.tags]
    return Planted(1, [])


@plant("implausible", "qa")
def no_answers_at_all(rows: Rows) -> Planted:
    for some in rows.values():
        for row in some:
            row.answer = ""
    return Planted(1, [])


@plant("few_rows", *EVERY)
def few_rows(rows: Rows) -> Planted:
    del rows["train"][60:]
    return Planted(60, [])


@plant("few_rows", "single")
def very_few_rows(rows: Rows) -> Planted:
    del rows["test"][8:]
    return Planted(8, [])


# Drift


@plant("length_drift", "single", "regression")
def short_texts_in_test(rows: Rows) -> Planted:
    for row in rows["test"]:
        row.text = " ".join(row.text.split(",")[0].split()[:12])
    return Planted(50, [])


@plant("length_drift", "ner", also="label_drift")
def long_sentences_in_test(rows: Rows) -> Planted:
    some = rows["test"]
    rows["test"] = [
        Tagged(one.words + other.words, one.tags + other.tags)
        for one, other in zip(some, some[1:] + some[:1], strict=True)
    ]
    return Planted(50, [])


@plant("length_drift", "qa")
def long_passages_in_test(rows: Rows) -> Planted:
    for number, row in enumerate(rows["test"]):
        row.context += f" {run_together(number // 5, 3)}."
    return Planted(20, [])


@plant("label_drift", "single", also="few_rows")
def other_shares_of_labels(rows: Rows) -> Planted:
    numbers = [number for number, row in enumerate(rows["test"]) if row.label == "food"]
    relabel(rows, "test", numbers[:22], "housing")
    return Planted(15, [])


@plant("label_drift", "multi")
def other_shares_of_several_labels(rows: Rows) -> Planted:
    relabel(rows, "test", range(0, 100, 2), "housing")
    return Planted(15, [])


@plant("label_drift", "ner")
def other_shares_of_types(rows: Rows) -> Planted:
    for row in rows["test"][::2]:
        row.tags = ["O" if tag[2:] in ("LOC", "ORG") else tag for tag in row.tags]
    return Planted(15, [])


@plant("label_drift", "qa", also="unanswerable")
def other_shares_of_unanswerable_questions(rows: Rows) -> Planted:
    for split, step in (("train", 10), ("test", 2)):
        for row in rows[split][::step]:
            row.answer = ""
    return Planted(30, [])


@plant("label_drift", "regression")
def other_numbers_in_test(rows: Rows) -> Planted:
    for row in rows["test"]:
        row.label = round(4 + row.label / 5, 2)
    return Planted(50, [])


@plant("vocabulary_drift", *EVERY)
def other_words_in_test(rows: Rows) -> Planted:
    for row in rows["test"]:
        if isinstance(row, Tagged):
            row.words = [word[::-1].lower() for word in row.words]
        else:
            edit_row(row, lambda text: re.sub(r"\w+", lambda match: match[0][::-1].lower(), text))
    return Planted(50, [])


# Models


@plant("cut_off", "single", also="giant_texts", overrides=("task.long_texts=truncate",))
def texts_that_are_cut(rows: Rows) -> Planted:
    return giant_texts(rows)._replace(rows=[])


@plant("cut_off", "qa")
def questions_that_are_cut(rows: Rows) -> Planted:
    return edited(rows, lambda text: f"{run_together(len(text), 5)}. {text}", share=0.02)._replace(rows=[])


@plant("long_texts", "single")
def texts_in_windows(rows: Rows) -> Planted:
    return giant_texts(rows)._replace(rows=[])


@plant("long_texts", "ner")
def sentences_in_windows(rows: Rows) -> Planted:
    return giant_sentences(rows)._replace(rows=[])


@plant("long_texts", "qa", also="giant_texts")
def passages_in_windows(rows: Rows) -> Planted:
    return giant_passages(rows)._replace(rows=[])


CHINESE = [
    "渡輪",
    "碼頭",
    "饅頭",
    "蘿蔔",
    "螃蟹",
    "鰻魚",
    "籬笆",
    "燈籠",
    "蠟燭",
    "鑰匙",
    "籃球",
    "網球",
    "腳踏車",
    "護照",
    "帳篷",
    "閣樓",
    "樓梯",
    "廚房",
    "陽臺",
    "房東",
    "鞦韆",
    "麵包",
]
FINNISH = [
    "lentokoneella",
    "kirjastossakin",
    "polkupyörällä",
    "järvenrannalla",
    "mansikkapiirakkaa",
    "saunavihdan",
    "myöhästyneet",
    "ystävällisesti",
    "syntymäpäiväjuhliin",
    "hernekeittoa",
    "pikkukaupungissa",
    "satamalaituri",
    "lumimyrskyn",
    "ikkunalaudalla",
    "kävelykadulta",
    "huvittavasti",
    "tuulimyllynsä",
    "ruisleipää",
    "kesämökillämme",
    "sateenvarjoa",
    "valokuvasimme",
    "ihmettelimme",
]


def in_another_language(rows: Rows, words: list[str], joint: str, count: int) -> None:
    draw = Random(3)
    for some in rows.values():
        for row in some:
            new = joint.join(draw.sample(words, count))
            if isinstance(row, Asked):
                row.question = new
            elif isinstance(row, Labelled):
                row.text = new
            else:
                row.words = [
                    word if tag != "O" else draw.choice(words) for word, tag in zip(row.words, row.tags, strict=True)
                ]


@plant("unknown_tokens", "multi", "ner", also="split_words")
def chinese_for_an_english_model(rows: Rows) -> Planted:
    in_another_language(rows, CHINESE, "", 12)
    return Planted(500, [])


@plant("unknown_tokens", "qa", also="split_words foreign_questions")
def chinese_questions_for_an_english_model(rows: Rows) -> Planted:
    in_another_language(rows, CHINESE, "", 12)
    return Planted(200, [])


@plant("split_words", "regression", "ner")
def finnish_for_an_english_model(rows: Rows) -> Planted:
    in_another_language(rows, FINNISH, " ", 11)
    return Planted(200, [])


@plant("vanishing_words", "ner")
def words_without_a_token(rows: Rows) -> Planted:
    numbers = chosen(rows, share=0.1)
    for number in numbers:
        rows["train"][number].words.append("\ufe0f")
        rows["train"][number].tags.append("O")
    return Planted(len(numbers), [])


# Entities


@plant("token_prefix", "ner")
def language_codes(rows: Rows) -> Planted:
    for some in rows.values():
        for row in some:
            row.words = [f"de:{word}" for word in row.words]
    return Planted(2500, places("train", range(len(rows["train"]))))


@plant("ambiguous_entities", "ner")
def wrong_types(rows: Rows) -> Planted:
    numbers = [number for number in chosen(rows, share=0.1) if "B-LOC" in rows["train"][number].tags]
    for number in numbers:
        rows["train"][number].tags = [tag.replace("LOC", "ORG") for tag in rows["train"][number].tags]
    return Planted(len(numbers), places("train", numbers))


@plant("untagged_entities", "ner")
def overlooked_entities(rows: Rows) -> Planted:
    numbers = [number for number in chosen(rows, share=0.1) if "B-LOC" in rows["train"][number].tags]
    for number in numbers:
        rows["train"][number].tags = ["O" if tag == "B-LOC" else tag for tag in rows["train"][number].tags]
    return Planted(len(numbers), places("train", numbers))


@plant("odd_borders", "ner")
def entities_with_a_comma(rows: Rows) -> Planted:
    numbers = [number for number in chosen(rows, share=0.1) if "I-PER" in rows["train"][number].tags]
    for number in numbers:
        row = rows["train"][number]
        place = row.tags.index("I-PER") + 1
        row.words.insert(place, ",")
        row.tags.insert(place, "I-PER")
    return Planted(len(numbers), places("train", numbers))


@plant("long_entities", "ner", also="odd_borders")
def marks_that_were_not_closed(rows: Rows) -> Planted:
    numbers = [number for number in chosen(rows, share=0.1) if len(rows["train"][number].words) > 12]
    for number in numbers:
        row = rows["train"][number]
        row.tags = ["B-ORG", *["I-ORG"] * (len(row.words) - 1)]
    return Planted(len(numbers), places("train", numbers))


@plant("sparse_entities", "ner", also="untagged_entities label_drift rare_labels")
def sentences_that_nobody_tagged(rows: Rows) -> Planted:
    for number, row in enumerate(rows["train"]):
        row.tags = row.tags if number % 30 == 0 else ["O"] * len(row.tags)
    return Planted(230, places("train", range(len(rows["train"]))))._replace(least=228)


@plant("sparse_entities", "ner", also="missing_labels")
def sentences_of_test_that_nobody_tagged(rows: Rows) -> Planted:
    for number, row in enumerate(rows["test"]):
        row.tags = row.tags if number % 30 == 0 else ["O"] * len(row.tags)
    return Planted(106, places("test", range(len(rows["test"]))))


# Questions


@plant("shared_passages", "qa")
def other_questions_on_the_same_passages(rows: Rows) -> Planted:
    moved = rows["train"][::25]
    rows["train"] = [row for number, row in enumerate(rows["train"]) if number % 25]
    start = len(rows["test"])
    rows["test"] += moved
    return Planted(len(moved), places("test", range(start, len(rows["test"]))))


@plant("long_answers", "qa")
def whole_passages_as_answers(rows: Rows) -> Planted:
    numbers = chosen(rows)
    for number in numbers:
        row = rows["train"][number]
        row.answer, row.start = " ".join(row.context.split()[:45]), 0
    return Planted(len(numbers), places("train", numbers))


@plant("empty_answers", "qa")
def answers_of_punctuation(rows: Rows) -> Planted:
    numbers = chosen(rows)
    for place, number in enumerate(numbers):
        row = rows["train"][number]
        row.answer = "The" if place % 2 else "."
        row.start = row.context.index(row.answer)
    return Planted(len(numbers), places("train", numbers))


@plant("foreign_questions", "qa")
def questions_on_something_else(rows: Rows) -> Planted:
    return edited(rows, lambda _: "How many litres can bathtubs hold?", lambda _: "Is Jupiter bigger?")


@plant("unanswerable", "qa")
def questions_without_an_answer(rows: Rows) -> Planted:
    for some in rows.values():
        for row in some[::10]:
            row.answer = ""
    return Planted(22, places("train", range(0, 220, 10)))


@plant("partial_words", "qa")
def answers_that_begin_inside_a_word(rows: Rows) -> Planted:
    numbers = chosen(rows)
    for number in numbers:
        row = rows["train"][number]
        row.answer, row.start = row.answer[1:], row.start + 1
    return Planted(len(numbers), places("train", numbers))


@plant("partial_words", "qa")
def answers_that_end_inside_a_word(rows: Rows) -> Planted:
    numbers = chosen(rows)
    for number in numbers:
        rows["train"][number].answer = rows["train"][number].answer[:-2]
    return Planted(len(numbers), places("train", numbers))


# The tests


def checked(written: Written, folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Check files, and return the exit status and the record."""
    status = main([*written.overrides, *words, "-o", str(folder / "found")])
    record: dict[str, Any] = json.loads((folder / "found/check.json").read_text())
    return status, record


def of_grade(record: dict[str, Any], grade: str) -> dict[str, str]:
    return {one["kind"]: one["message"] for one in record["findings"] if one["grade"] == grade}


@pytest.mark.parametrize("name", list(FORMATS))
def test_nothing_is_found_in_clean_files(name: str, tmp_path: Path) -> None:
    status, record = checked(write(name, FORMATS[name].clean(), tmp_path), tmp_path, "--fail-on", "note")
    assert record["findings"] == []
    assert status == 0


@pytest.mark.parametrize("planted", PLANTS, ids=lambda one: f"{one.format}-{one.kind}-{one.name}")
def test_a_planted_fault_is_found(planted: Plant, tmp_path: Path) -> None:
    kind: Format = FORMATS[planted.format]
    rows = kind.clean()
    made = planted.make(rows)
    written = write(planted.format, rows, tmp_path)
    without = () if planted.kind in OF_MODELS else ("--no-model",)
    _, record = checked(written, tmp_path, *planted.overrides, *without)
    found = [one for one in record["findings"] if one["kind"] == planted.kind]
    assert found, f"not found; but: {[(one['kind'], one['message']) for one in record['findings']]}"
    assert max(one["count"] for one in found) >= made.least, [one["message"] for one in found]
    named = [named_place(example) for one in found for example in one["examples"]]
    expected = {written.places[split][number] for split, number in made.rows}
    assert bool(named) == bool(made.rows) or not made.rows
    assert set(named) <= expected or not made.rows, sorted(set(named) - expected)
    for grade in ("error", "warning"):
        others = {kind: message for kind, message in of_grade(record, grade).items() if kind != planted.kind}
        assert set(others) <= planted.also, others


def named_place(example: dict[str, Any]) -> str:
    """Return the place that an example has, or that its text begins with."""
    place: str = example["place"] or re.sub(r"(\d): .*", r"\1", example["text"], flags=re.DOTALL)
    return place


def test_every_kind_is_planted() -> None:
    assert {one.kind for one in PLANTS} == set(KINDS)


TOGETHER: dict[str, Callable[[str], str]] = {
    "wrong_encoding": lambda text: f"{text}{misread('Großzügig')}",
    "control_characters": lambda text: f"{text[:3]}\x03{text[3:]}",
    "invisible_characters": lambda text: f"{text[:3]}\u200b{text[3:]}",
    "markup": lambda text: f"{text}&amp;c",
    "padded_texts": lambda text: f" {text}",
    "other_scripts": lambda text: "".join(chr(0x3B1 + ord(sign) % 16) if sign.isalpha() else sign for sign in text),
}
"Faults of single texts, which do not get in each other's way."


@pytest.mark.parametrize("name", list(FORMATS))
def test_faults_of_texts_are_told_apart(name: str, tmp_path: Path) -> None:
    rows = FORMATS[name].clean()
    kinds = [kind for kind in TOGETHER if name != "ner" or kind not in ("padded_texts", "other_scripts")]
    numbers = {kind: list(range(10 + place, 200, 20)) for place, kind in enumerate(kinds)}
    for kind in kinds:
        for number in numbers[kind]:
            edit_row(rows["train"][number], TOGETHER[kind])
    written = write(name, rows, tmp_path)
    _, record = checked(written, tmp_path)
    found = {
        one["kind"]: one for one in record["findings"] if one["kind"] not in ("unknown_tokens", "foreign_questions")
    }
    assert {kind: one["count"] for kind, one in found.items()} == {kind: len(numbers[kind]) for kind in kinds}
    for kind in kinds:
        named = [example["place"] for example in found[kind]["examples"]]
        assert named == [written.places["train"][number] for number in numbers[kind][:3]]


LOOK_ALIKES = """We paid 12 euros for the naïve café tour & the guide's señora sang "Für Elise" – très chic…
If 3 < x and x > 1 holds, is x<y or z>y then true?|#1 on my list: the Smørrebrød at Åse's|Rated **** by AT&T & Co.
Dr. Müller-Lüdenscheidt said: „Nein, danke!“|The price is 5 * 3 ** 2, i.e. £45 or €50 ± 2 %
None of the trains came; null points
My naïveté cost me ¥300 – “never again”, she wrote|👩\u200d🚀 is my favourite emoji, next to 🏳️\u200d🌈
Ask for Ms. Østergård at 12:30, gate 4)
1st we ate, 2nd we slept, 3) we left|C:\\temp\\new is where the file went|N/A was what the form said, twice
¿Dónde está la estación?
The 19°C water felt like −5 °C|Zürich–Genève takes 2¾ h|It's O.K., isn't it?! :-) <3|→ see page 7 ←""".replace(
    "\n", "|"
).split("|")
"What looks like a fault and is none."


def test_look_alikes_are_no_faults(tmp_path: Path) -> None:
    rows = FORMATS["single"].clean()
    for place, text in enumerate(LOOK_ALIKES):
        rows["train"][7 * place].text = text
        rows["test"][5 * place].text = f"{text} Or not"
    # These copies are planted only to have the look-alikes in test, too.
    _, record = checked(write("single", rows, tmp_path), tmp_path, "--ignore", "nearly_shared_rows")
    assert of_grade(record, "error") == {}
    assert set(of_grade(record, "warning")) <= {"nearly_shared_rows"}
    told = {one["kind"] for one in record["findings"]}
    assert told <= {"nearly_shared_rows", "unknown_tokens"}, of_grade(record, "note")


def test_comparisons_are_no_markup(tmp_path: Path) -> None:
    rows = FORMATS["single"].clean()
    rows["train"][9].text = "For all numbers with a<b or c>d the sum is larger"
    _, record = checked(write("single", rows, tmp_path), tmp_path)
    assert record["findings"] == []


# The command


@pytest.fixture
def files(tmp_path: Path) -> Written:
    """Files with a note, two warnings and no error."""
    rows = FORMATS["single"].clean()
    relabel(rows, "train", [7], "gardening")
    for number in range(0, 60, 2):
        rows["train"][number].text += "<br>"
    rows["train"][3].text = "..."
    return write("single", rows, tmp_path)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ([], 0),
        (["--fail-on", "warning"], 1),
        (["--fail-on=note"], 1),
        (["--fail-on", "warning", "--ignore", "markup"], 1),
        (["--fail-on", "warning", "--ignore", "markup, rare_labels"], 0),
        (["--fail-on", "note", "--ignore", "markup,rare_labels,tiny_texts"], 0),
        (["--fail-on", "warning", "--ignore", "rare_labels", "--at-most", "markup=8%"], 0),
        (["--fail-on", "warning", "--ignore", "rare_labels", "--at-most", "markup=0.05"], 1),
        (["--fail-on", "warning", "--at-most", "markup=1,rare_labels=100%"], 0),
    ],
)
def test_exit_status(words: list[str], status: int, files: Written, tmp_path: Path) -> None:
    assert checked(files, tmp_path, *words)[0] == status


def test_errors_fail(tmp_path: Path) -> None:
    rows = FORMATS["single"].clean()
    relabel(rows, "test", [3], "gardening")
    written = write("single", rows, tmp_path)
    assert checked(written, tmp_path)[0] == 1
    assert checked(written, tmp_path, "--fail-on", "never")[0] == 0
    assert checked(written, tmp_path, "--ignore", "unknown_labels")[0] == 0


def test_excused_findings_are_in_the_record_and_do_not_count(
    files: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, record = checked(files, tmp_path, "--ignore", "markup", "--at-most", "rare_labels=0.1")
    assert {one["kind"]: one["excused"] for one in record["findings"]} == {
        "markup": True,
        "rare_labels": False,
        "tiny_texts": False,
    }
    assert record["counts"] == {"error": 0, "warning": 1, "note": 1}
    said = capsys.readouterr().out
    assert "[markup]" not in said
    assert "[rare_labels]" in said
    assert "1 warning, 1 note" in said


WRONG_LINES = {
    "a missing file": (["task=classification", "data.train=absent.csv"], "absent.csv"),
    "an unknown kind to ignore": (["--ignore", "markups"], "markup"),
    "an unknown kind at most": (["--at-most", "markups=0.1"], "markup"),
    "a share that is none": (["--at-most", "markup=many"], "markup=many"),
    "a share above one": (["--at-most", "markup=7"], "markup=7"),
    "a negative share": (["--at-most", "markup=-0.1"], "markup=-0.1"),
    "a share that is no number": (["--at-most", "markup=nan"], "markup=nan"),
    "no share": (["--at-most", "markup"], "markup"),
    "an unknown grade": (["--fail-on", "warnings"], "warning"),
    "an unknown flag": (["--ingore", "markup"], "--ignore"),
    "a flag without its value": (["--ignore"], "--ignore"),
    "an unknown key": (["data.trian=x.csv"], "data.train"),
    "an unknown task": (["task=clasification"], "classification"),
    "an unknown column": (["data.columns.text=body"], "body"),
}


@pytest.mark.parametrize("case", WRONG_LINES)
def test_a_wrong_line_is_refused_and_nothing_is_written(
    case: str, files: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, told = WRONG_LINES[case]
    before = sorted(tmp_path.rglob("*"))
    keys = {word.partition("=")[0] for word in words}
    given = [word for word in files.overrides if word.partition("=")[0] not in keys]
    assert main([*given, "-o", str(tmp_path / "found"), *words]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said
    assert sorted(tmp_path.rglob("*")) == before


def test_a_path_without_a_key(files: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "train.csv")
    assert main(["task=classification", path]) == 2
    assert f"data.train={path}" in capsys.readouterr().err


def test_own_files_need_a_task(files: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word for word in files.overrides if not word.startswith("task=")]) == 2
    said = capsys.readouterr().err
    assert "task=classification" in said


def test_the_commands_in_the_message_about_a_task_are_those_of_a_check(
    files: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word for word in files.overrides if not word.startswith("task=")]) == 2
    said = capsys.readouterr().err
    assert "python -m recipes.check task=classification" in said


def test_what_a_run_trains_on_changes_no_count(
    files: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [*files.overrides, "--no-model", "-o", str(tmp_path / "found")]
    said = []
    for words in ([], ["data.deduplicate=near", "data.balance=oversample"]):
        main([*given, *words])
        said.append(capsys.readouterr().out)
    note = "data.deduplicate and data.balance act on what a run trains on: here rows are checked as they are"
    assert [note in one for one in said] == [False, True]
    assert [line for line in said[1].splitlines() if note not in line] == said[0].splitlines()


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "--at-most" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "text,label\n", "text,label\n,food\n,sport\n", "\x00\x01\x02"])
def test_nothing_is_written_if_no_row_can_be_read(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(content)
    assert main(["task=classification", f"data.train={path}", "-o", str(tmp_path / "found")]) == 2
    assert "rows.csv" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == [path]


def test_the_default_folder(files: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(list(files.overrides)) == 0
    found = sorted(tmp_path.glob("outputs/checks/classification/*/check.*"))
    assert [path.name for path in found] == ["check.html", "check.json"]


def test_two_checks_give_the_same_bytes_and_leave_the_files_alone(files: Written, tmp_path: Path) -> None:
    inputs = {path: path.read_bytes() for path in tmp_path.glob("*.csv")}
    outputs = []
    for _ in range(2):
        checked(files, tmp_path)
        outputs.append({path.name: path.read_bytes() for path in (tmp_path / "found").iterdir()})
    assert outputs[0] == outputs[1]
    assert set(outputs[0]) == {"check.json", "check.html"}
    assert {path: path.read_bytes() for path in tmp_path.glob("*.csv")} == inputs


SCRIPT = "<script>alert('x')</script>"


def test_hostile_content(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = FORMATS["single"].clean()
    for number in range(0, 30, 2):
        rows["train"][number].text += f" {SCRIPT} \x1b[31m\x07"
    relabel(rows, "train", range(1, 4), f"{SCRIPT}\x1b]0;owned\x07")
    relabel(rows, "test", range(1, 4), f"--> {SCRIPT}")
    _, record = checked(write("single", rows, tmp_path), tmp_path)
    assert {"markup", "control_characters", "unknown_labels", "rare_labels"} <= {
        one["kind"] for one in record["findings"]
    }
    page = (tmp_path / "found/check.html").read_text()
    assert "alert(" in page
    assert SCRIPT not in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", page)
    said = capsys.readouterr().out
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", said)
    assert "\\x1b" in said


def test_a_file_with_a_hostile_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = FORMATS["single"].clean()
    rows["train"][5].text += "<br>"
    write("single", rows, tmp_path)
    path = (tmp_path / "train.csv").rename(tmp_path / "<img src=x onerror=alert(1)>\x1b[31m.csv")
    assert main(["task=classification", f"data.train={path}", "-o", str(tmp_path / "found")]) == 0
    assert "<img" not in (tmp_path / "found/check.html").read_text()
    assert "\x1b" not in capsys.readouterr().out


def test_rows_of_which_none_can_be_used_are_refused_with_their_reasons(tmp_path: Path, capsys: Any) -> None:
    train = tmp_path / "rows.csv"
    train.write_text("text,label\n" + "where is it,\n" * 3)
    assert main(["task=classification", f"data.train={train}", "-o", str(tmp_path / "found")]) == 2
    said = capsys.readouterr().err
    assert "no usable row is left" in said
    assert "3 x " in said
    assert "rows.csv, line 2" in said
    assert not (tmp_path / "found").exists()


def test_a_model_that_was_asked_for_must_be_there(tmp_path: Path, capsys: Any) -> None:
    words = ["task=classification", "-o", str(tmp_path / "found")]
    assert main([*words, f"model.path={tmp_path / 'nowhere'}"]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert main([*words, "--no-model"]) == 0
    assert "tokens" not in capsys.readouterr().out
    assert main([*words, "--cfg", "job"]) == 2
    assert "python -m recipes.run --cfg job" in capsys.readouterr().err
    assert main([*words, "study=seeds"]) == 2
