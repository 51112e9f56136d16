"""Suspicious entities: overlooked, none at all, of another type, or with other borders."""

from collections.abc import Iterator, Sequence

from tasks.auditing.suspect import Line, Suspect, worst_first
from tasks.tags import Span, spans


def audit_entities(lines: Sequence[Line]) -> list[Suspect]:
    """Rank entities where the model disagrees, by how sure it is of its own tags there.

    Args:
        lines: with `gold` tags, and `tags` and `scores` (the probability of each tag) in their predictions.
    """
    return worst_first(one for place, line in enumerate(lines) for one in _of_line(place, line))


def _of_line(place: int, line: Line) -> Iterator[Suspect]:
    words, scores = line["tokens"], line["prediction"]["scores"]
    gold, found = spans(line["gold"]), spans(line["prediction"]["tags"])
    left = [span for span in found if span not in gold]
    for span in gold:
        if span in found:
            continue
        others = [other for other in left if _overlap(span, other)]
        best = max(others, key=lambda other: _overlap(span, other), default=None)
        if best is None:
            yield _suspect(place, "spurious", span, None, words, scores)
            continue
        left.remove(best)
        kind = "border" if best[0] == span[0] else "type" if best[1:] == span[1:] else "type and border"
        yield _suspect(place, kind, span, best, words, scores)
    for span in left:
        # What overlaps an entity that another one was compared with is a part of the same doubt.
        if not any(_overlap(span, other) for other in gold):
            yield _suspect(place, "missed", None, span, words, scores)


def _overlap(one: Span, other: Span) -> int:
    return max(min(one[2], other[2]) - max(one[1], other[1]), 0)


def _suspect(
    place: int, kind: str, given: Span | None, suggested: Span | None, words: Sequence[str], scores: Sequence[float]
) -> Suspect:
    both = [span for span in (given, suggested) if span is not None]
    sure = min(scores[min(span[1] for span in both) : max(span[2] for span in both)])
    return Suspect(
        line=place,
        kind=kind,
        given=_named(given, words),
        suggested=_named(suggested, words),
        quality=1 - sure,
        given_at=None if given is None else given[1:],
        suggested_at=None if suggested is None else suggested[1:],
    )


def _named(span: Span | None, words: Sequence[str]) -> str:
    return "" if span is None else f"{span[0]}: {' '.join(words[span[1] : span[2]])}"
