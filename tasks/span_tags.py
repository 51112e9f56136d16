"""From entities by character offsets to IOB2 tags of words."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.data.annotation.spans import CharacterSpan
from tasks.data.records import Origin, ReadReport
from tasks.words import Bounds

CUT_WORDS = ("widen", "error")
OVERLAPPING = ("error", "longest")
DISCONTINUOUS = ("error", "cover", "skip")
WIDENED = "entity widened to whole words"
"What such repairs are counted under."


@dataclass(frozen=True)
class SpanPolicy:
    """What to do with entities that tags can't hold as they are. The values are those of the `task` options."""

    cut_words: str
    overlapping: str
    discontinuous: str


def tags_of_spans(
    text: str,
    words: Sequence[Bounds],
    spans: Sequence[CharacterSpan],
    policy: SpanPolicy,
    report: ReadReport,
    origin: Origin,
) -> list[str]:
    """Return a tag for each word. Repairs are counted in `report`.

    Blanks at the ends of an entity are cut off. An entity that is there twice counts once.

    Args:
        text: the text.
        words: the bounds of its words, in order.
        spans: its entities, in any order.
        policy: says what to do with borders inside of words, and with overlapping and discontinuous entities.
        report: counts the repairs.
        origin: the place of the row.

    Raises:
        ValueError: an entity is not in the text, covers no word, or is not allowed by the policy.
    """
    located = []
    for span in dict.fromkeys(spans):
        bounds = _bounds(text, span, policy, report, origin)
        if bounds is not None:
            located.append((_words_of(text, words, bounds, span, policy, report, origin), span))
    if len(spans) > len(set(spans)):
        report.repair("entity given twice", f"{text[:40]!r}", origin, len(spans) - len(set(spans)))
    tags = ["O"] * len(words)
    for (first, last), span in _without_overlaps(text, located, policy, report, origin):
        tags[first:last] = [f"B-{span.label}"] + [f"I-{span.label}"] * (last - first - 1)
    return tags


def _bounds(text: str, span: CharacterSpan, policy: SpanPolicy, report: ReadReport, origin: Origin) -> Bounds | None:
    """Return the first and last character of an entity without blanks around it, or None if it is to be left out."""
    start, end = span.start, span.end
    if not 0 <= start < end <= len(text):
        raise ValueError(f"the {span.label} from {start} to {end} is not in the text, which has {len(text)} characters")
    if len(span.fragments) > 1:
        if policy.discontinuous == "error":
            raise ValueError(
                f"the {span.label} {_shown(text, span)} has a gap. To take it with what is in the gap: "
                "task.discontinuous_spans=cover; to leave such entities out: task.discontinuous_spans=skip"
            )
        report.repair(
            "entity with a gap", f"{_shown(text, span)}: task.discontinuous_spans={policy.discontinuous}", origin
        )
        if policy.discontinuous == "skip":
            return None
    else:
        _require_text(text, span)
    covered = text[start:end]
    if not covered.strip():
        raise ValueError(f"the {span.label} from {start} to {end} covers only blanks")
    if covered != covered.strip():
        report.repair("blanks at the end of an entity", f"{covered!r}", origin)
    return start + len(covered) - len(covered.lstrip()), start + len(covered.rstrip())


def _require_text(text: str, span: CharacterSpan) -> None:
    """Compare an entity with the text that the file gives for it: other offsets would teach nonsense."""
    if span.text is None:
        return
    covered = text[span.start : span.end]
    if covered == span.text or " ".join(covered.split()) == " ".join(span.text.split()):
        return
    why = ""
    units = text.encode("utf-16-le")[2 * span.start : 2 * span.end]
    if units.decode("utf-16-le", "replace") == span.text:
        why = ". The offsets seem to count UTF-16 units, as JavaScript does, in which an emoji is two"
    raise ValueError(
        f"the {span.label} {span.text!r} is not at {span.start} to {span.end}, where {covered!r} stands{why}"
    )


def _words_of(
    text: str,
    words: Sequence[Bounds],
    bounds: Bounds,
    span: CharacterSpan,
    policy: SpanPolicy,
    report: ReadReport,
    origin: Origin,
) -> tuple[int, int]:
    """Return the first word of an entity, and the one after its last."""
    start, end = bounds
    inside = [index for index, (begin, finish) in enumerate(words) if begin < end and finish > start]
    if not inside:
        raise ValueError(f"the {span.label} {_shown(text, span)} covers no word")
    first, last = inside[0], inside[-1] + 1
    if words[first][0] != start or words[last - 1][1] != end:
        whole = text[words[first][0] : words[last - 1][1]]
        message = f"the {span.label} {_shown(text, span)} ends inside of a word: {whole!r}"
        if policy.cut_words == "error":
            raise ValueError(f"{message}. To take the whole words: task.cut_words=widen")
        report.repair(WIDENED, message, origin)
    return first, last


Located = tuple[tuple[int, int], CharacterSpan]
"The words of an entity, and the entity."


def _without_overlaps(
    text: str, located: Sequence[Located], policy: SpanPolicy, report: ReadReport, origin: Origin
) -> list[Located]:
    """Return entities that share no word. Of two that do, the longer one stays, and the earlier of equal ones."""
    kept: list[Located] = []
    for (first, last), span in sorted(located, key=lambda item: (item[0][0] - item[0][1], item[0][0])):
        other = next((held for held in kept if held[0][0] < last and first < held[0][1]), None)
        if other is None:
            kept.append(((first, last), span))
            continue
        message = f"the {span.label} {_shown(text, span)} overlaps the {other[1].label} {_shown(text, other[1])}"
        if policy.overlapping == "error":
            raise ValueError(f"{message}. A word has one tag. To keep the longer ones: task.overlapping_spans=longest")
        report.repair("entity inside or across another one left out", message, origin)
    return kept


def _shown(text: str, span: CharacterSpan) -> str:
    covered = " ... ".join(text[start:end] for start, end in span.fragments)
    return repr(covered if len(covered) <= 40 else f"{covered[:40]}...")
