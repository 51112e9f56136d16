"""What a tagger gets wrong: missed and invented entities, wrong types and borders, unseen ones, and long ones.

Entities are matched as the strict evaluation of the package nervaluate matches them: an entity that overlaps no other
one is missed or invented; of overlapping ones the first is taken, and the type, the borders or both are wrong.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.analysis.parts import (
    Analysis,
    Breakdown,
    Counts,
    Line,
    Mistake,
    Part,
    RescorePlaces,
    Segment,
    traits,
    unit_numbers,
    unused_name,
    varied,
)
from tasks.analysis.slices import by_size, slices
from tasks.scoring.found import found_rescore, recall_rescore
from tasks.scoring.resampling import Numbers
from tasks.tags import Span, spans

CORRECT, TYPE, BORDERS, BOTH = "correct", "wrong type", "wrong borders", "wrong type and borders"
MISSED, INVENTED = "missed", "invented"
KINDS = (CORRECT, TYPE, BORDERS, BOTH, MISSED, INVENTED)
NOTHING = "(nothing)"
LONGEST = 4
"Entities of as many words or more are one part."
MOST_ENTITIES = 1_000
"More than any sentence has."
WORDS_AROUND = 12
"How many words before and after what is wrong are shown."
F1 = ("f1",)
RECALL = ("recall",)


@dataclass(frozen=True)
class Match:
    """A gold entity and the predicted one that it was matched with; one of them may be missing."""

    kind: str
    gold: Span | None
    predicted: Span | None


def matches(gold: Sequence[Span], predicted: Sequence[Span]) -> list[Match]:
    """Return each entity of a sentence once, in a match.

    >>> [match.kind for match in matches([("person", 0, 2), ("place", 5, 6)], [("person", 1, 2), ("firm", 8, 9)])]
    ['wrong borders', 'invented', 'missed']
    """
    free = list(gold)
    found = []
    for one in predicted:
        other = next((span for span in free if span[1] < one[2] and one[1] < span[2]), None)
        if other is None:
            found.append(Match(INVENTED, None, one))
            continue
        free.remove(other)
        same_type, same_borders = one[0] == other[0], one[1:] == other[1:]
        kinds = {(True, True): CORRECT, (False, True): TYPE, (True, False): BORDERS, (False, False): BOTH}
        found.append(Match(kinds[same_type, same_borders], other, one))
    return [*found, *(Match(MISSED, span, None) for span in free)]


def analyse_entities(lines: Sequence[Line], rescore: RescorePlaces) -> Analysis:
    """Return the error analysis of a tagger."""
    gold = [spans(line["gold"]) for line in lines]
    predicted = [spans(line["prediction"]["tags"]) for line in lines]
    matched = [matches(one, two) for one, two in zip(gold, predicted, strict=True)]
    units = unit_numbers(lines)
    words = [len(line["gold"]) for line in lines]
    breakdowns = [
        _by_type(gold, predicted, units),
        *_by_novelty(lines, gold, predicted, units),
        *_by_length(gold, predicted, units),
        *by_size("By length of the sentence", lines, words, rescore, F1, "words"),
        *slices(lines, rescore, F1),
    ]
    return Analysis(breakdowns, [_kinds(matched), _types(matched)], mistakes=_mistakes(lines, matched) if lines else [])


def _by_type(gold: Sequence[list[Span]], predicted: Sequence[list[Span]], units: Sequence[int]) -> Breakdown:
    counts = Counter(kind for entities in gold for kind, _, _ in entities)
    names = [name for name, _ in counts.most_common()]
    names += sorted({kind for entities in predicted for kind, _, _ in entities} - {*names})
    parts, size = [], max(units) + 1
    every = [{*one} & {*two} for one, two in zip(gold, predicted, strict=True)]
    totals = _sizes(every), _sizes(predicted), _sizes(gold)
    for name in names:
        wanted = [{span for span in entities if span[0] == name} for entities in gold]
        found = [{span for span in entities if span[0] == name} for entities in predicted]
        right = [one & two for one, two in zip(wanted, found, strict=True)]
        own = _sizes(right), _sizes(found), _sizes(wanted)
        elsewhere, others, more = (whole - part for whole, part in zip(totals, own, strict=True))
        rest = found_rescore(elsewhere, others, more, units)
        parts.append(Part(name, counts[name], size, found_rescore(*own, units), rest, size))
    return Breakdown("By type", "gold entities", ("precision", "recall", "f1"), parts)


def _sizes(sets: Sequence[Collection[Span]]) -> Numbers:
    return np.array(list(map(len, sets)), dtype=float)


def _by_novelty(
    lines: Sequence[Line], gold: Sequence[list[Span]], predicted: Sequence[list[Span]], units: Sequence[int]
) -> Iterator[Breakdown]:
    flags = [traits(line).get("unseen") for line in lines]
    if any(of_line is None for of_line in flags):
        return
    names = [
        ["not in training" if unseen else "in training" for unseen in of_line]
        for of_line in flags
        if of_line is not None
    ]
    yield _recall_of("Entities by whether training has the same words as an entity", names, gold, predicted, units)


def _by_length(
    gold: Sequence[list[Span]], predicted: Sequence[list[Span]], units: Sequence[int]
) -> Iterator[Breakdown]:
    names = [[_length(end - start) for _, start, end in entities] for entities in gold]
    if len({name for of_line in names for name in of_line}) > 1:
        yield _recall_of("Entities by their length", names, gold, predicted, units)


def _length(words: int) -> str:
    if words >= LONGEST:
        return f"{LONGEST} words or more"
    return "1 word" if words == 1 else f"{words} words"


def _recall_of(
    title: str,
    names: Sequence[Sequence[str]],
    gold: Sequence[list[Span]],
    predicted: Sequence[list[Span]],
    units: Sequence[int],
) -> Breakdown:
    """Return the recall of parts of the gold entities, by the name of each entity's part."""
    parts = []
    for name in sorted({name for of_line in names for name in of_line}):
        chosen = [
            {span for span, one in zip(entities, of_line, strict=True) if one == name}
            for entities, of_line in zip(gold, names, strict=True)
        ]
        hits = [len(one & {*two}) for one, two in zip(chosen, predicted, strict=True)]
        whole = np.array(list(map(len, chosen)), dtype=float)
        rescore = recall_rescore(np.array(hits, dtype=float), whole, units)
        parts.append(Part(name, int(whole.sum()), max(units) + 1, rescore))
    return Breakdown(title, "gold entities", RECALL, parts)


def _kinds(matched: Sequence[list[Match]]) -> Counts:
    """Return how many entities of each type were found, missed and so on. Invented ones count for their own type."""
    counts = Counter(
        ((match.gold or match.predicted or ("",))[0], match.kind) for of_line in matched for match in of_line
    )
    names = sorted({name for name, _ in counts}, key=lambda name: -sum(counts[name, kind] for kind in KINDS[:-1]))
    table = [[counts[name, kind] for kind in KINDS] for name in names]
    right = frozenset((name, CORRECT) for name in names)
    note = "Counted as the strict evaluation of nervaluate counts; its “incorrect” are the three wrong ones together."
    return Counts("Kinds of mistakes", "type", "outcome", names, list(KINDS), table, right, note=note)


def _types(matched: Sequence[list[Match]]) -> Counts:
    """Return how often an entity of one type was taken for another, or for nothing."""
    of_sides = [(match.gold, match.predicted) for of_line in matched for match in of_line]
    types = sorted({span[0] for sides in of_sides for span in sides if span is not None})
    nothing = unused_name(NOTHING, types)
    pairs = Counter(
        (nothing if gold is None else gold[0], nothing if predicted is None else predicted[0])
        for gold, predicted in of_sides
    )
    names = [*types, nothing]
    table = [[pairs[gold, predicted] for predicted in names] for gold in names]
    note = "By type alone: an entity with the right type and wrong borders counts as its type."
    return Counts(
        "Types taken for others",
        "gold",
        "predicted",
        names,
        names,
        table,
        frozenset((name, name) for name in types),
        note=note,
    )


def _mistakes(lines: Sequence[Line], matched: Sequence[list[Match]]) -> list[Mistake]:
    """Return the surest mistakes of each kind; of missed entities, sentences with most of them."""
    found = []
    for place, (line, of_line) in enumerate(zip(lines, matched, strict=True)):
        wrong = [match for match in of_line if match.kind != CORRECT]
        if wrong:
            scores = _scores(line)
            for kind in dict.fromkeys(match.kind for match in wrong):
                of_kind = [match for match in wrong if match.kind == kind]
                surest = max(of_kind, key=lambda match: scores.get(match.predicted, 0.0))  # type: ignore[arg-type]
                sure = None if surest.predicted is None else scores.get(surest.predicted)
                shown = _with_overlapping_gold(surest, wrong)
                mistake = Mistake(
                    place,
                    shown.kind,
                    _shown(line, shown.gold),
                    _shown(line, shown.predicted),
                    sure,
                    _segments(line, wrong, shown),
                    (shown.kind,),
                )
                # Nothing says how sure the model was that there is no entity; where several are missed, it is worse.
                found.append((sure if sure is not None else len(of_kind) / MOST_ENTITIES, mistake))
    return varied(found)


def _with_overlapping_gold(match: Match, others: Sequence[Match]) -> Match:
    """Return what to show of a match: an invented entity inside of a gold one that has its match has wrong borders."""
    if match.kind != INVENTED or match.predicted is None:
        return match
    kind, start, end = match.predicted
    gold = next((one.gold for one in others if one.gold and one.gold[1] < end and start < one.gold[2]), None)
    return match if gold is None else Match(BORDERS if gold[0] == kind else BOTH, gold, match.predicted)


def _scores(line: Line) -> dict[Span, float]:
    """Return the score of each predicted entity. Entities in a line are in the order of its tags."""
    tagged = spans(line["prediction"]["tags"])
    entities = line["prediction"]["entities"]
    return {span: entity["score"] for span, entity in zip(tagged, entities, strict=True)}


def _shown(line: Line, span: Span | None) -> str:
    if span is None:
        return NOTHING
    kind, start, end = span
    return f"{kind}: {' '.join(line['tokens'][start:end])}"


def _segments(line: Line, wrong: Sequence[Match], around: Match) -> list[Segment]:
    """Return the words around a mistake, with gold and predicted entities marked."""
    words = line["tokens"]
    at = around.predicted or around.gold
    assert at is not None
    first, last = max(at[1] - WORDS_AROUND, 0), min(at[2] + WORDS_AROUND, len(words))
    gold, predicted = (
        {place for span in side if span is not None for place in range(span[1], span[2])}
        for side in ([match.gold for match in wrong], [match.predicted for match in wrong])
    )
    names = {(True, True): "both", (True, False): "gold", (False, True): "predicted", (False, False): ""}
    marks = [names[place in gold, place in predicted] for place in range(len(words))]
    segments: list[Segment] = [("… ", "")] if first else []
    for place in range(first, last):
        if segments and segments[-1][1] == marks[place]:
            segments[-1] = (f"{segments[-1][0]} {words[place]}", marks[place])
        else:
            segments += [(" ", "")] if segments else []
            segments.append((words[place], marks[place]))
    return [*segments, (" …", "")] if last < len(words) else segments
