"""What is doubtful in questions, their passages and their answers."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import regex

from tasks.checks.finding import Finding, finding, percent
from tasks.data.records import Origin
from tasks.scoring.squad import normalize
from tasks.words import WITHOUT_BLANKS

FEW = 0.01
"Below this share of answers, those that cut words are a note: some words are compounds."
MANY_FOREIGN = 0.1
"""Above this share of questions, passages may have been shifted against them. With the passages of SQuAD shuffled it is
60%; questions that paraphrase their passage on purpose reach 8%."""
LETTERS = 4
"Words of at least so many letters are compared, by so many of their letters, so that inflection doesn't matter."
RARE = 0.05
"In at most this share of passages, or in a single one, a short word is taken for more than a function word."
AROUND = 25
"Characters on each side of an end of an answer that an example shows."

WITH_PARTICLES = r"\p{Hangul}\p{Arabic}\p{Hebrew}"
"Scripts that write articles, prepositions or particles onto the words that they belong to."
_INSIDE = regex.compile(rf"(?V1)[\p{{L}}\p{{M}}--[{WITHOUT_BLANKS}{WITH_PARTICLES}]]{{2}}|\p{{N}}{{2}}")
"""Two characters of one word. A letter beside a digit is not meant: the unit of a number, or an ending such as in
`1990s`, is often left out of an answer."""
_WORD = regex.compile(rf"(?V1)[\p{{L}}\p{{N}}\p{{M}}--[{WITHOUT_BLANKS}]]+")
_RUN = regex.compile(rf"[{WITHOUT_BLANKS}]{{2,}}")


class Asked(Protocol):
    """A question about a passage, with its accepted answers and the characters that they start at."""

    @property
    def question(self) -> str:
        """Return the question."""

    @property
    def context(self) -> str:
        """Return the passage."""

    @property
    def answers(self) -> Sequence[str]:
        """Return the accepted answers; none if the question can't be answered."""

    @property
    def starts(self) -> Sequence[int]:
        """Return the place of each answer in the passage, in characters."""

    @property
    def origin(self) -> Origin:
        """Return the place of the question."""


class Answer(NamedTuple):
    """An accepted answer and its question."""

    text: str
    start: int
    row: Asked


def question_checks(train: Sequence[Asked], splits: Mapping[str, Sequence[Asked]]) -> Iterator[Finding]:
    """Yield what is doubtful in questions and answers.

    Args:
        train: the training questions.
        splits: the questions of every split by its name, those of `train` among them.
    """
    yield from _empty_answers(splits)
    yield from _partial_words(train)
    yield from _foreign(train)
    yield from _unanswerable(train)
    yield from _shared_passages(train, splits)


def long_answers(rows: Sequence[Asked], lengths: Sequence[Sequence[int]], most: int) -> Iterator[Finding]:
    """Yield a finding on training questions all of whose answers are longer than a prediction may be.

    Args:
        rows: the training questions.
        lengths: for each question, how many tokens each of its answers has.
        most: the tokens that a prediction may have.
    """
    answered = [(row, min(counts)) for row, counts in zip(rows, lengths, strict=True) if counts]
    long = [(row, fewest) for row, fewest in answered if fewest > most]
    if long:
        yield finding(
            "long_answers",
            "warning",
            f"{len(long):,} of {len(answered):,} training questions with an answer "
            f"({percent(len(long), len(answered))}) have none of at most {most} tokens",
            len(long),
            len(answered),
            (
                (f"{fewest} tokens: {min(row.answers, key=len)}", row.origin)
                for row, fewest in sorted(long, key=lambda pair: -pair[1])
            ),
        )


def _answers(rows: Sequence[Asked]) -> list[Answer]:
    return [Answer(text, start, row) for row in rows for text, start in zip(row.answers, row.starts, strict=True)]


def _empty_answers(splits: Mapping[str, Sequence[Asked]]) -> Iterator[Finding]:
    """Yield a finding on answers of any split: what becomes of them matters to scores."""
    answers = [answer for rows in splits.values() for answer in _answers(rows)]
    empty = [answer for answer in answers if not normalize(answer.text)]
    if empty:
        yield finding(
            "empty_answers",
            "warning",
            f"{len(empty):,} of {len(answers):,} answers of all splits ({percent(len(empty), len(answers))}) have "
            "nothing but articles and punctuation",
            len(empty),
            len(answers),
            ((f"{answer.text!r}, an answer to: {answer.row.question}", answer.row.origin) for answer in empty),
        )


def _partial_words(rows: Sequence[Asked]) -> Iterator[Finding]:
    answers = _answers(rows)
    partial = [answer for answer in answers if _cuts_a_word(answer)]
    if partial:
        yield finding(
            "partial_words",
            "note" if len(partial) < FEW * len(answers) else "warning",
            f"{len(partial):,} of {len(answers):,} training answers ({percent(len(partial), len(answers))}) begin or "
            "end inside a word",
            len(partial),
            len(answers),
            ((_around(answer), answer.row.origin) for answer in partial),
        )


def _cuts_a_word(answer: Answer) -> bool:
    """Tell whether the characters on both sides of an end of an answer belong to one word."""
    end = answer.start + len(answer.text)
    return any(
        place > 0 and _INSIDE.fullmatch(answer.row.context[place - 1 : place + 1]) for place in (answer.start, end)
    )


def _around(answer: Answer) -> str:
    """Return an answer in brackets, with what stands around it."""
    context, end = answer.row.context, answer.start + len(answer.text)
    before, after = context[max(answer.start - AROUND, 0) : answer.start], context[end : end + AROUND]
    text = context[answer.start : end]
    if len(text) > 2 * AROUND:
        text = f"{text[:AROUND]} ... {text[-AROUND:]}"
    return f"{before}[{text}]{after}"


def _foreign(rows: Sequence[Asked]) -> Iterator[Finding]:
    by_passage: dict[str, list[Asked]] = defaultdict(list)
    for row in rows:
        if row.answers:
            by_passage[row.context].append(row)
    rare = _rare_short_words(by_passage)
    compared, foreign = 0, []
    for passage, asked in by_passage.items():
        there = _pairs(passage) | {word[:LETTERS] for word in _words(passage)}
        for row in asked:
            wanted = _content(row.question, rare)
            compared += bool(wanted)
            if wanted and not wanted & there:
                foreign.append(row)
    if foreign:
        yield finding(
            "foreign_questions",
            "warning" if len(foreign) > MANY_FOREIGN * compared else "note",
            f"{len(foreign):,} of {compared:,} training questions with an answer ({percent(len(foreign), compared)}) "
            "share no word with their passage",
            len(foreign),
            compared,
            ((f"{row.question} | {row.context}", row.origin) for row in foreign),
        )


def _rare_short_words(passages: Collection[str]) -> Container[str]:
    """Return the short words that tell something about a passage, such as names and abbreviations."""
    counts = Counter(word for passage in passages for word in set(_words(passage)) if len(word) < LETTERS)
    return {word for word, count in counts.items() if count <= max(RARE * len(passages), 1)}


def _content(question: str, rare: Container[str]) -> set[str]:
    """Return what should be in the passage of a question, too.

    That is the beginnings of long words, short words that are rare, and pairs of characters of scripts without blanks.
    If a question has no long word and no such pair, all its words count.
    """
    words = _words(question)
    long = {word[:LETTERS] for word in words if len(word) >= LETTERS} | _pairs(question)
    return long | {word for word in words if len(word) < LETTERS and (not long or word in rare)}


def _words(text: str) -> list[str]:
    return [match.group() for match in _WORD.finditer(_without_accents(text).casefold())]


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    letters = (sign for sign in unicodedata.normalize("NFKD", text) if unicodedata.category(sign) != "Mn")
    return unicodedata.normalize("NFC", "".join(letters))


def _pairs(text: str) -> set[str]:
    """Return each two characters in a row of scripts without blanks between words."""
    runs = [] if text.isascii() else _RUN.findall(text)
    return {run[place : place + 2] for run in runs for place in range(len(run) - 1)}


def _unanswerable(rows: Sequence[Asked]) -> Iterator[Finding]:
    without = [row for row in rows if not row.answers]
    if 0 < len(without) < len(rows):
        yield finding(
            "unanswerable",
            "note",
            f"{len(without):,} of {len(rows):,} training questions ({percent(len(without), len(rows))}) have no answer",
            len(without),
            len(rows),
            ((row.question, row.origin) for row in without),
        )


def _shared_passages(train: Sequence[Asked], splits: Mapping[str, Sequence[Asked]]) -> Iterator[Finding]:
    learnt = {row.context.strip() for row in train}
    for split, rows in splits.items():
        shared = [row for row in rows if row.context.strip() in learnt] if split != "train" else []
        if shared:
            yield finding(
                "shared_passages",
                "warning",
                f"{len(shared):,} of {len(rows):,} {split} questions ({percent(len(shared), len(rows))}) are about a "
                "passage that training questions are about, too",
                len(shared),
                len(rows),
                ((f"{row.question} | {row.context}", row.origin) for row in shared),
            )
