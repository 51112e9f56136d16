"""Suspicious entities: overlooked, none at all, of another type, or with other borders."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasks.auditing.suspect import Line, Suspect, worst_first
from tasks.errors import InputError
from tasks.tags import Span, spans

SUREST = 0.98
"""Of a probability; the smallest is what it leaves of 1. Models are often surer than they are right, so that how much
surer than this they are doesn't tell a wrong label from an error of the model."""


@dataclass(frozen=True)
class _Doubt:
    """Where the given and the predicted entities differ."""

    line: int
    kind: str
    given: Span | None
    suggested: Span | None

    @property
    def words(self) -> range:
        """The words of what is given and of what is suggested."""
        both = [span for span in (self.given, self.suggested) if span is not None]
        return range(min(span[1] for span in both), max(span[2] for span in both))


def audit_entities(lines: Sequence[Line]) -> list[Suspect]:
    """Rank entities where the model disagrees, by the odds that it is right and what is given is an error.

    By Bayes' rule these are the odds of what the model says against what is given, times how often the one is written
    as the other. The first are those of the word that speaks most against what is given. The second is not known, but
    errors of the kind are at most the share of what the model says that is given otherwise: of its entities for
    overlooked ones, other types and other borders; of its words outside of entities for those where it sees none, which
    are a small share. So the many entities that a weak model overlooks don't come first.

    Args:
        lines: with `gold` tags, and `tags` and `scores` in their predictions, which are for each word the
            probabilities of its tags, except those near zero.

    Raises:
        InputError: the predictions hold but one probability for each word.
    """
    if any(not isinstance(scores, Mapping) for line in lines for scores in line["prediction"]["scores"]):
        raise InputError(
            "The predictions were made by an earlier version of this program, and hold but one probability for each "
            "word. Train anew, in another folder: output_root=FOLDER"
        )
    doubts = [doubt for place, line in enumerate(lines) for doubt in _of_line(place, line)]
    said = [line["prediction"]["tags"] for line in lines]
    entities, outside = sum(len(spans(tags)) for tags in said), sum(tags.count("O") for tags in said)
    shares = {
        kind: count / (outside if kind == "spurious" else entities)
        for kind, count in Counter(doubt.kind for doubt in doubts).items()
    }
    return worst_first(_suspect(doubt, lines[doubt.line], shares[doubt.kind]) for doubt in doubts)


def _of_line(place: int, line: Line) -> Iterator[_Doubt]:
    gold, found = spans(line["gold"]), spans(line["prediction"]["tags"])
    left = [span for span in found if span not in gold]
    for span in gold:
        if span in found:
            continue
        others = [other for other in left if _overlap(span, other)]
        best = max(others, key=lambda other: _overlap(span, other), default=None)
        if best is None:
            yield _Doubt(place, "spurious", span, None)
            continue
        left.remove(best)
        kind = "border" if best[0] == span[0] else "type" if best[1:] == span[1:] else "type and border"
        yield _Doubt(place, kind, span, best)
    for span in left:
        # What overlaps an entity that another one was compared with is a part of the same doubt.
        if not any(_overlap(span, other) for other in gold):
            yield _Doubt(place, "missed", None, span)


def _overlap(one: Span, other: Span) -> int:
    return max(min(one[2], other[2]) - max(one[1], other[1]), 0)


def _suspect(doubt: _Doubt, line: Line, share: float) -> Suspect:
    """Return a suspect, whose quality is the probability that what is given is right."""
    odds = share * max(_odds(line, word) for word in doubt.words)
    given, suggested = doubt.given, doubt.suggested
    return Suspect(
        line=doubt.line,
        kind=doubt.kind,
        given=_named(given, line["tokens"]),
        suggested=_named(suggested, line["tokens"]),
        quality=1 / (1 + odds),
        given_at=None if given is None else given[1:],
        suggested_at=None if suggested is None else suggested[1:],
    )


def _odds(line: Line, word: int) -> float:
    """Return how many times as probable a word's predicted tag is as the given one. 0: they are the same."""
    prediction, given = line["prediction"], line["gold"][word]
    if prediction["tags"][word] == given:
        return 0.0
    scores = prediction["scores"][word]
    # The predicted tag may be the most probable one made legal: I-PER at the beginning of an entity becomes B-PER.
    return float(min(max(scores.values()), SUREST) / max(scores.get(given, 0.0), 1 - SUREST))


def _named(span: Span | None, words: Sequence[str]) -> str:
    return "" if span is None else f"{span[0]}: {' '.join(words[span[1] : span[2]])}"
