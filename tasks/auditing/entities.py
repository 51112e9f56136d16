"""Suspicious entities: overlooked, none at all, of another type, or with other borders."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import exp

from tasks.auditing.suspect import Line, Suspect, worst_first
from tasks.tags import Span, spans

SMALLEST = 1e-3
"Of how sure a model usually is of a tag, so that a tag that it never finds is not divided by nothing."


def audit_entities(lines: Sequence[Line]) -> list[Suspect]:
    """Rank entities where the model disagrees.

    A model is less sure of rare tags than of O. So the probabilities of the given and of the predicted tag are compared
    in units of how sure it usually is of words with this tag, as in confident learning (Northcutt et al. 2021). The
    word that speaks most against an entity decides.

    Args:
        lines: with `gold` tags, and `tags` and `scores` (the probability of each tag) in their predictions.
    """
    usual = _usual_confidence(lines)
    return worst_first(one for place, line in enumerate(lines) for one in _of_line(place, line, usual))


def _usual_confidence(lines: Sequence[Line]) -> dict[str, float]:
    """Return the mean probability of each tag over the words that are given it."""
    labels = {tag for line in lines for tag in (*line["gold"], *line["prediction"]["tags"])}
    sums, counts = defaultdict[str, float](float), Counter[str]()
    for line in lines:
        for gold, found, score in zip(
            line["gold"], line["prediction"]["tags"], line["prediction"]["scores"], strict=True
        ):
            counts[gold] += 1
            sums[gold] += _probability(gold, found, score, len(labels))
    return {tag: max(sums[tag] / counts[tag], SMALLEST) if counts[tag] else 1.0 for tag in labels}


def _probability(tag: str, found: str, score: float, labels: int) -> float:
    """Return the probability of a tag: what the predicted one has left is shared among the others."""
    return score if tag == found else (1 - score) / max(labels - 1, 1)


def _of_line(place: int, line: Line, usual: Mapping[str, float]) -> Iterator[Suspect]:
    gold, found = spans(line["gold"]), spans(line["prediction"]["tags"])
    left = [span for span in found if span not in gold]
    for span in gold:
        if span in found:
            continue
        others = [other for other in left if _overlap(span, other)]
        best = max(others, key=lambda other: _overlap(span, other), default=None)
        if best is None:
            yield _suspect(place, "spurious", span, None, line, usual)
            continue
        left.remove(best)
        kind = "border" if best[0] == span[0] else "type" if best[1:] == span[1:] else "type and border"
        yield _suspect(place, kind, span, best, line, usual)
    for span in left:
        # What overlaps an entity that another one was compared with is a part of the same doubt.
        if not any(_overlap(span, other) for other in gold):
            yield _suspect(place, "missed", None, span, line, usual)


def _overlap(one: Span, other: Span) -> int:
    return max(min(one[2], other[2]) - max(one[1], other[1]), 0)


def _suspect(
    place: int, kind: str, given: Span | None, suggested: Span | None, line: Line, usual: Mapping[str, float]
) -> Suspect:
    both = [span for span in (given, suggested) if span is not None]
    start, end = min(span[1] for span in both), max(span[2] for span in both)
    return Suspect(
        line=place,
        kind=kind,
        given=_named(given, line["tokens"]),
        suggested=_named(suggested, line["tokens"]),
        quality=min(_quality(line, word, usual) for word in range(start, end)),
        given_at=None if given is None else given[1:],
        suggested_at=None if suggested is None else suggested[1:],
    )


def _quality(line: Line, word: int, usual: Mapping[str, float]) -> float:
    """Return how well a word's given tag stands against the predicted one, 0 to 1; 0.5 where they stand equally."""
    gold, found, score = line["gold"][word], line["prediction"]["tags"][word], line["prediction"]["scores"][word]
    margin = _probability(gold, found, score, len(usual)) / usual[gold] - score / usual[found]
    return 1 / (1 + exp(-min(max(margin, -50), 50)))


def _named(span: Span | None, words: Sequence[str]) -> str:
    return "" if span is None else f"{span[0]}: {' '.join(words[span[1] : span[2]])}"
