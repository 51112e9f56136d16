"""What a classifier gets wrong: classes, confusions, calibration, and its surest mistakes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tasks.analysis.calibration import probabilities_of, reliability
from tasks.analysis.parts import (
    Analysis,
    Breakdown,
    Counts,
    Line,
    Mistake,
    Part,
    Reliability,
    RescorePlaces,
    Segment,
    unit_numbers,
    unused_name,
    varied,
)
from tasks.analysis.slices import by_size, slices
from tasks.scoring.found import found_rescore

MOST_SCORED = 200
"Of more classes only the most frequent ones have scores of their own."
MOST_CLASSES = 20
"A confusion matrix of more classes has those with most mistakes, and one for all others."
OTHER_CLASSES = "(all others)"
SHOWN_CHARACTERS = 400
SLICED_BY = {"single_label": ("accuracy",), "multi_label": ("micro_f1",), "regression": ("rmse",)}
"The score of slices: macro averages over the classes of a slice would be over other classes in each."


def analyse_texts(lines: Sequence[Line], kind: str, rescore: RescorePlaces, temperature: float | None) -> Analysis:
    """Return the error analysis of a classifier.

    Args:
        lines: the lines of a predictions file.
        kind: single_label, multi_label or regression.
        rescore: scores some of the lines.
        temperature: what logits were divided by.
    """
    shown = SLICED_BY[kind]
    breakdowns = [] if kind == "regression" else [_by_class(lines)]
    lengths = [len(line.get("text", "")) + len(line.get("text_pair") or "") for line in lines]
    breakdowns += by_size("By length of the text", lines, lengths, rescore, shown, "characters")
    if kind == "regression":
        gold = [float(line["gold"]) for line in lines]
        breakdowns += by_size("By gold number", lines, gold, rescore, shown, "")
    breakdowns += slices(lines, rescore, shown)
    return Analysis(
        breakdowns,
        [_confusions(lines)] if kind == "single_label" else [],
        None if kind == "regression" else _reliability(lines, kind, temperature),
        _mistakes(lines, kind),
    )


def _labels(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _by_class(lines: Sequence[Line]) -> Breakdown:
    units = unit_numbers(lines)
    gold = [_labels(line["gold"]) for line in lines]
    predicted = [_labels(line["prediction"]["label"]) for line in lines]
    counts = Counter(label for labels in gold for label in labels)
    every = [name for name, _ in counts.most_common()]
    every += sorted({label for labels in predicted for label in labels} - {*every})
    names = every[:MOST_SCORED]
    parts, size = [], max(units) + 1
    of_all = [len({*one} & {*two}) for one, two in zip(gold, predicted, strict=True)]
    totals = [np.array(sizes, dtype=float) for sizes in (of_all, list(map(len, predicted)), list(map(len, gold)))]
    for name in names:
        there = np.array([name in labels for labels in gold], dtype=float)
        found = np.array([name in labels for labels in predicted], dtype=float)
        own = there * found, found, there
        right, predicted_ones, gold_ones = (whole - part for whole, part in zip(totals, own, strict=True))
        rest = found_rescore(right, predicted_ones, gold_ones, units)
        parts.append(Part(name, counts[name], size, found_rescore(*own, units), rest, size))
    more = f"And {len(every) - len(names)} rarer ones." if len(every) > len(names) else ""
    return Breakdown("By class", "gold rows", ("precision", "recall", "f1"), parts, more)


def _confusions(lines: Sequence[Line]) -> Counts:
    pairs = Counter((line["gold"], line["prediction"]["label"]) for line in lines)
    wrong = Counter[str]()
    for (gold, predicted), count in pairs.items():
        for name in (gold, predicted):
            wrong[name] += count if gold != predicted else 0
    kept = [name for name, _ in wrong.most_common()]
    others = unused_name(OTHER_CLASSES, kept)
    shown = sorted(kept) if len(kept) <= MOST_CLASSES else [*kept[: MOST_CLASSES - 1], others]
    places = {name: place for place, name in enumerate(shown)}
    table = [[0] * len(shown) for _ in shown]
    for (gold, predicted), count in pairs.items():
        row, column = (places.get(name, len(shown) - 1) for name in (gold, predicted))
        table[row][column] += count
    note = "" if len(kept) == len(shown) else f"The {len(shown) - 1} classes with most mistakes, and all others."
    right = frozenset((name, name) for name in shown if name != others)
    return Counts(
        "Confusion matrix", "gold", "predicted", shown, shown, table, right, frozenset({(others, others)}), note
    )


def _reliability(lines: Sequence[Line], kind: str, temperature: float | None) -> Reliability | None:
    scores = [line["prediction"].get("scores") for line in lines]
    if not all(scores):
        return None
    probabilities = probabilities_of(scores)
    labels = list(scores[0])
    if kind == "multi_label":
        gold = np.array([[label in line["gold"] for label in labels] for line in lines])
        return reliability(probabilities.ravel().tolist(), gold.ravel().tolist())
    right = [line["prediction"]["label"] == line["gold"] for line in lines]
    sure = [line["prediction"]["scores"][line["prediction"]["label"]] for line in lines]
    found = reliability(sure, right)
    return replace(found, temperature=temperature)


def _mistakes(lines: Sequence[Line], kind: str) -> list[Mistake]:
    found = {"single_label": _wrong_class, "multi_label": _wrong_labels, "regression": _wrong_number}[kind]
    return varied(found(lines))


def _wrong_class(lines: Sequence[Line]) -> Iterator[tuple[float, Mistake]]:
    for place, line in enumerate(lines):
        gold, label = line["gold"], line["prediction"]["label"]
        if gold != label:
            scores = line["prediction"].get("scores", {})
            sure = scores.get(label)
            yield sure or 0.0, Mistake(place, "wrong class", gold, label, sure, _text(line), (gold, label))


def _wrong_labels(lines: Sequence[Line]) -> Iterator[tuple[float, Mistake]]:
    for place, line in enumerate(lines):
        gold, labels = line["gold"], line["prediction"]["label"]
        scores = line["prediction"].get("scores", {})
        odd = [
            *((1 - scores.get(label, 0.0), f"{label} is missing") for label in gold if label not in labels),
            *((scores.get(label, 1.0), f"{label} is too much") for label in labels if label not in gold),
        ]
        if odd:
            telling, what = max(odd)
            yield telling, Mistake(place, what, ", ".join(gold), ", ".join(labels), telling, _text(line), (what,))


def _wrong_number(lines: Sequence[Line]) -> Iterator[tuple[float, Mistake]]:
    for place, line in enumerate(lines):
        if line["prediction"]["label"] is None:
            continue  # it was no number
        gold, number = float(line["gold"]), float(line["prediction"]["label"])
        distance = number - gold
        what = "too high" if distance > 0 else "too low"
        if distance:
            yield abs(distance), Mistake(place, what, f"{gold:g}", f"{number:.4g}", abs(distance), _text(line), (what,))


def _text(line: Line) -> list[Segment]:
    texts = [line.get("text", ""), *([line["text_pair"]] if line.get("text_pair") else [])]
    return [
        (" | ".join(text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} …" for text in texts), "")
    ]
