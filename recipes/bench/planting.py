"""Labels that are changed on purpose and by chance, so that it is known which are wrong."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tasks.classification import Text
from tasks.ner import Sentence
from tasks.qa import Question
from tasks.scoring.squad import overlap_f1
from tasks.tags import Span, spans


@dataclass(frozen=True)
class Plant:
    """A label, an entity or an answer that was changed."""

    row: int
    kind: str
    "What was done: label, or one of TO_ENTITIES and TO_ANSWERS."
    start: int = 0
    "Of an entity: the first word of what it was and is,"
    end: int = 1
    "and the one after the last."


LENGTH = 3
"Words of an answer to a question that has none."
TO_ENTITIES = ("type", "borders", "dropped")
TO_ANSWERS = ("another span", "borders", "taken away")


def plant(task: str, rows: Sequence[Any], rate: float, seed: int) -> tuple[list[Any], list[Plant]]:
    """Change labels of rows. Return all rows, and what was changed.

    Args:
        task: its name.
        rows: labelled ones; they stay as they are.
        rate: the share of rows, or of entities, whose label is changed.
        seed: that of the choice.
    """
    return PLANTERS[task](rows, rate, random.Random(seed))  # noqa: S311


def _in_texts(rows: Sequence[Text], rate: float, chance: random.Random) -> tuple[list[Text], list[Plant]]:
    """Give rows another label; of rows with several labels one of them."""
    names = sorted({name for row in rows for name in row.labels})
    changed = list(rows)
    places = [place for place, row in enumerate(rows) if row.labels]
    chosen = sorted(chance.sample(places, int(rate * len(rows))))
    for place in chosen:
        row = rows[place]
        others = [name for name in names if name not in row.labels]
        if isinstance(row.label, str):
            changed[place] = replace(row, label=chance.choice(others))
        else:
            left = list(row.labels)
            left[chance.randrange(len(left))] = chance.choice(others)
            changed[place] = replace(row, label=tuple(left))
    return changed, [Plant(place, "label") for place in chosen]


def _in_sentences(rows: Sequence[Sentence], rate: float, chance: random.Random) -> tuple[list[Sentence], list[Plant]]:
    """Give entities another type or other borders, or drop them."""
    entities = [(place, span) for place, row in enumerate(rows) for span in spans(row.tags or ())]
    types = sorted({kind for _, (kind, _, _) in entities})
    tags = [list(row.tags or ()) for row in rows]
    plants = []
    for place, span in sorted(chance.sample(entities, int(rate * len(entities)))):
        kind, changed = _changed(span, tags[place], types, chance)
        _, start, end = span
        tags[place][start:end] = ["O"] * (end - start)
        if changed is not None:
            tags[place][changed[1] : changed[2]] = _tags_of(changed)
            end = max(end, changed[2])
        plants.append(Plant(place, kind, start, end))
    return [replace(row, tags=tuple(of_row)) for row, of_row in zip(rows, tags, strict=True)], plants


def _changed(span: Span, tags: Sequence[str], types: Sequence[str], chance: random.Random) -> tuple[str, Span | None]:
    """Return what is done to an entity, and what becomes of it. None: nothing."""
    kind, start, end = span
    longer = end < len(tags) and tags[end] == "O"
    possible = {"type": len(types) > 1, "borders": longer or end - start > 1, "dropped": True}
    what = chance.choice([name for name in TO_ENTITIES if possible[name]])
    if what == "dropped":
        return what, None
    if what == "type":
        return what, (chance.choice([other for other in types if other != kind]), start, end)
    return what, (kind, start, end + 1 if longer and (end - start == 1 or chance.random() < 0.5) else end - 1)


def _tags_of(span: Span) -> list[str]:
    kind, start, end = span
    return [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]


def _in_questions(rows: Sequence[Question], rate: float, chance: random.Random) -> tuple[list[Question], list[Plant]]:
    """Give questions another answer or one with other borders, or none; those without an answer any span."""
    changed, plants = list(rows), []
    for place in sorted(chance.sample(range(len(rows)), int(rate * len(rows)))):
        row = rows[place]
        spans_of = {what: _other_spans(row, what) for what in TO_ANSWERS[:2]}
        what = chance.choice([what for what in TO_ANSWERS if spans_of.get(what, row.answers)])
        if what == "taken away":
            changed[place] = replace(row, answers=(), starts=())
        else:
            start, end = chance.choice(spans_of[what])
            changed[place] = replace(row, answers=(row.context[start:end],), starts=(start,))
        plants.append(Plant(place, what))
    return changed, plants


def _other_spans(row: Question, what: str) -> list[tuple[int, int]]:
    """Return spans of a passage that are no answer, in characters.

    Args:
        row: the question.
        what: `borders` for those of the answer with a word more or less, and else spans as long as it that share no
            word with it.
    """
    words = [match.span() for match in re.finditer(r"\w+", row.context)]
    first, last = 0, min(LENGTH, len(words)) - 1
    if row.answers:
        begin, finish = row.starts[0], row.starts[0] + len(row.answers[0])
        within = [place for place, (start, end) in enumerate(words) if start < finish and end > begin]
        first, last = (within[0], within[-1]) if within else (first, last)
    if what == "borders":
        steps = [(first - 1, last), (first, last + 1), (first + 1, last), (first, last - 1)] if row.answers else []
        bounds = [(one, other) for one, other in steps if 0 <= one <= other < len(words)]
    else:
        bounds = [(at, at + last - first) for at in range(len(words) - (last - first))]
    found = []
    for one, other in bounds:
        start, end = words[one][0], words[other][1]
        shared = max((overlap_f1(row.context[start:end], answer) for answer in row.answers), default=0.0)
        if 0 < shared < 1 if what == "borders" else shared == 0:
            found.append((start, end))
    return found


PLANTERS: Mapping[str, Callable[[Sequence[Any], float, random.Random], tuple[list[Any], list[Plant]]]] = {
    "classification": _in_texts,
    "ner": _in_sentences,
    "qa": _in_questions,
}
