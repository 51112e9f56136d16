"""What a model that answers questions gets wrong: no answers, question words, lengths, and wrong spans."""

import re
from collections import Counter
from collections.abc import Sequence

from tasks.analysis.parts import (
    Analysis,
    Breakdown,
    Counts,
    Line,
    Mistake,
    RescorePlaces,
    Segment,
    traits,
    varied,
)
from tasks.analysis.slices import by_size, parts_of, slices
from tasks.scoring.resampling import Rescore
from tasks.scoring.squad import normalize, question_scores

SCORES = ("f1", "exact_match")
QUESTION_WORDS = ("who", "whom", "whose", "what", "which", "when", "where", "why", "how many", "how much", "how")
EXACT, PARTLY, SENTENCE, ELSEWHERE = "exact", "some words right", "right sentence, wrong span", "wrong sentence"
NOT_ANSWERED, TOO_BOLD, RIGHTLY_SILENT = "not answered", "answered without an answer", "rightly not answered"
OUTCOMES = (EXACT, RIGHTLY_SILENT, PARTLY, SENTENCE, ELSEWHERE, NOT_ANSWERED, TOO_BOLD)
RIGHT = (EXACT, RIGHTLY_SILENT)
NO_ANSWER = "(no answer)"
SHOWN_ANSWERS = 3


def question_word(question: str) -> str:
    """Return the word that asks, the first one in the question.

    >>> question_word("In which year did it rain?"), question_word("How many rivers?"), question_word("Is it?")
    ('which', 'how many', 'other')
    """
    alternatives = "|".join(sorted(QUESTION_WORDS, key=len, reverse=True))
    found = re.search(rf"\b({alternatives})\b", question.casefold())
    return found[1] if found else "other"


def analyse_answers(lines: Sequence[Line], version: str, rescore: RescorePlaces) -> Analysis:
    """Return the error analysis of a model that answers questions."""
    answered = ["has an answer" if line["gold"] else "has none" for line in lines]
    asked = [question_word(line["question"]) for line in lines]
    breakdowns = []
    if len(set(answered)) > 1:
        breakdowns.append(_breakdown("Questions by whether they have an answer", lines, answered, rescore))
    if len(set(asked)) > 1:
        breakdowns.append(_breakdown("By question word", lines, asked, rescore))
    breakdowns += _by_answer_length(lines, rescore)
    sizes = [traits(line).get("passage_characters") for line in lines]
    if all(size is not None for size in sizes):
        known = [float(size) for size in sizes if size is not None]
        breakdowns += by_size("By length of the passage", lines, known, rescore, SCORES, "characters", "questions")
    breakdowns += slices(lines, rescore, SCORES, "questions")
    outcomes = [_outcome(line, version) for line in lines]
    return Analysis(breakdowns, [_outcomes(asked, outcomes)], mistakes=_mistakes(lines, outcomes))


def _breakdown(title: str, lines: Sequence[Line], names: Sequence[str], rescore: RescorePlaces) -> Breakdown:
    return Breakdown(title, "questions", SCORES, parts_of(lines, names, rescore))


def _by_answer_length(lines: Sequence[Line], rescore: RescorePlaces) -> list[Breakdown]:
    places = [place for place, line in enumerate(lines) if line["gold"]]
    some = [lines[place] for place in places]
    sizes = [len(line["gold"][0].split()) for line in some]

    def of_some(chosen: Sequence[int], units: Sequence[int]) -> Rescore:
        return rescore([places[place] for place in chosen], units)

    return list(by_size("By length of the answer", some, sizes, of_some, SCORES, "words", "questions")) if some else []


def _outcome(line: Line, version: str) -> str:
    answer, gold = line["prediction"]["answer"], line["gold"]
    exact, f1 = question_scores(answer, gold, version)
    says_something = bool(normalize(answer))
    if exact:
        return EXACT if says_something else RIGHTLY_SILENT
    if not says_something:
        return NOT_ANSWERED
    if not any(map(normalize, gold)):
        return TOO_BOLD
    if f1:
        return PARTLY
    start, end = line["prediction"].get("start"), line["prediction"].get("end")
    sentences = traits(line).get("answer_sentences", [])
    inside = start is not None and any(first <= start and end <= last for first, last in sentences)
    return SENTENCE if inside else ELSEWHERE


def _outcomes(asked: Sequence[str], outcomes: Sequence[str]) -> Counts:
    pairs = Counter(zip(asked, outcomes, strict=True))
    rows = [word for word, _ in Counter(asked).most_common()]
    columns = [outcome for outcome in OUTCOMES if outcome in outcomes]
    table = [[pairs[word, outcome] for outcome in columns] for word in rows]
    right = frozenset((word, outcome) for word in rows for outcome in RIGHT)
    return Counts("Kinds of mistakes", "question word", "outcome", rows, columns, table, right)


def _mistakes(lines: Sequence[Line], outcomes: Sequence[str]) -> list[Mistake]:
    """Return the surest mistakes of each kind."""
    found = []
    for place, (line, outcome) in enumerate(zip(lines, outcomes, strict=True)):
        if outcome in RIGHT:
            continue
        answer = line["prediction"]["answer"]
        score = line["prediction"].get("score") if answer else None
        gold = " / ".join(line["gold"][:SHOWN_ANSWERS]) or NO_ANSWER
        mistake = Mistake(place, outcome, gold, answer or NO_ANSWER, score, _text(line), (outcome,))
        found.append((score or 0.0, mistake))
    return varied(found)


def _text(line: Line) -> list[Segment]:
    """Return the question, and the sentence of the answer, if the line has it."""
    sentence = traits(line).get("answer_sentence")
    return [(line["question"], ""), *([(f"\n{sentence}", "")] if sentence else [])]
