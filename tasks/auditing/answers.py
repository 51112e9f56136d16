"""Suspicious answers: another one, one where none is given, or none where one is given."""

from collections.abc import Iterator, Sequence
from math import exp

from tasks.auditing.suspect import Line, Suspect, worst_first
from tasks.scoring.squad import overlap_f1

ANOTHER = 0.3
"F1 in words below which an answer is another one, and not the same with other borders."


def audit_answers(lines: Sequence[Line]) -> list[Suspect]:
    """Rank answers where the model disagrees, by how sure it is of its own.

    Args:
        lines: with `gold` answers, and `answer`, `score` and `no_answer_score` in their predictions.
    """
    return worst_first(one for place, line in enumerate(lines) for one in _of_line(place, line))


def _of_line(place: int, line: Line) -> Iterator[Suspect]:
    gold, prediction = line["gold"], line["prediction"]
    answer, given = prediction["answer"], " | ".join(line["gold"])
    # The difference of the logits of no answer and of the best one, as a probability.
    at = (prediction["start"], prediction["end"]) if answer else None
    none = 1 / (1 + exp(-min(max(prediction["no_answer_score"], -50), 50)))
    if not gold and answer:
        yield Suspect(place, "answer overlooked", "", answer, none, suggested_at=at)
    elif gold and not answer:
        yield Suspect(place, "no answer", given, "", 1 - none)
    elif gold and max(overlap_f1(answer, one) for one in gold) < ANOTHER:
        yield Suspect(place, "another answer", given, answer, 1 - prediction["score"], suggested_at=at)
