"""The plausibility gate: rows that can be read, but hardly mean what they say.

A model that was trained on printed lists, on ids or on the wrong column may score well, and is worth nothing. Checks
look at training rows only, and at each row once.
"""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasks.checks.names import MISSING, bare
from tasks.data.cells import begins_like_printed, read_printed
from tasks.errors import InputError

CHECKS = {
    "printed_texts": "texts that are printed lists or dicts",
    "equal_texts": "all texts are the same",
    "unique_labels": "nearly every row has a label of its own",
    "numbered_words": "nearly all words are numbers",
    "one_word_sentences": "nearly all sentences have a single word",
    "prefixed_types": "entity types that begin like tags",
    "many_types": "nearly every entity has a type of its own",
    "no_answers": "no question has an answer",
    "unknown_tokens": "more than half of the tokens are unknown to the model",
}
"The checks whose findings stop a run, by the names that `data.accept` takes."

LONG_SENTENCE = 400
"Sentences of more words on average are documents, or were never cut."
HARDLY_KNOWN = 0.5
"Share of tokens that are unknown to the model from which on there is nothing to learn from."
FEW_ROWS = 10
"With fewer rows, shares say little."
PREFIX = re.compile(r"(?:^|(?<=[|,;+]))[BILUESM]-")
"The beginning of a tag, or of a second one, as files with nested entities have it: `B-PER|B-LOC`."
PRINTED_BYTES = re.compile(r"b(['\"]).*\1", re.DOTALL)
"What Python writes for bytes, such as `b'warm beds'`."
MISREAD = re.compile(
    r"""[ÂÃÄÅÐÑ][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]  # two bytes of UTF-8
    | â€ | [àáãäåæçèé][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]{2}  # three
    | (?:([\xa1-\xff])(?!\1)){4}  # Cyrillic, Chinese, ...
    | \N{REPLACEMENT CHARACTER}""",
    re.VERBOSE,
)
"Signs of a text that was written in one encoding and read in another."
JOINING = ("#", "|", ";", ",", "+", "/", "&")
"Signs that tools put between several labels of a row."


@dataclass(frozen=True)
class Finding:
    """Something implausible. With the name of a check it stops the run; without one it is a note."""

    message: str
    check: str | None = None
    kind: str | None = None
    "The kind of findings of `recipes.check` that says the same more fully."


def apply_findings(findings: Iterable[Finding], accepted: Sequence[str]) -> list[str]:
    """Return the messages of the findings that do not stop a run, as notes.

    Raises:
        InputError: a finding stops the run, and the user has not accepted it.
    """
    notes = []
    for finding in findings:
        if finding.check is not None and finding.check not in accepted:
            raise InputError(f"{finding.message}\nIf it is meant so: 'data.accept=[{finding.check}]'")
        notes.append(finding.message)
    return notes


def text_findings(texts: Sequence[str]) -> Iterator[Finding]:
    """Yield findings about the texts of a classification."""
    printed = [text for text in texts if _is_printed(text)]
    if len(printed) > max(len(texts) / 10, 1):
        yield Finding(
            f"{len(printed)} of {len(texts)} training texts are printed lists or dicts, such as {_short(printed[0])}. "
            "Is data.columns.text the right column?",
            "printed_texts",
        )
    elif printed:
        yield Finding(f"{len(printed)} training texts are printed lists or dicts, such as {_short(printed[0])}")
    if len(texts) >= FEW_ROWS and all(text.strip().replace(".", "", 1).isdecimal() for text in texts):
        yield Finding(
            f"All {len(texts)} training texts are numbers, such as {texts[0]}. Is data.columns.text the right column?"
        )
    bytes_ = [text for text in texts if PRINTED_BYTES.fullmatch(text)]
    if bytes_:
        yield Finding(
            f"{len(bytes_)} of {len(texts)} training texts are printed bytes, such as {_short(bytes_[0])}. Decode them "
            "where the file is written",
            "printed_texts" if len(bytes_) > len(texts) / 10 else None,
        )
    empty = [text for text in texts if text.strip() in MISSING]
    if empty:
        yield Finding(
            f"{len(empty)} training texts are {empty[0].strip()!r}, which programs write where there is nothing",
            kind="placeholders",
        )
    yield from _misread(texts, "texts")
    if len(texts) > 1 and len(set(texts)) == 1:
        yield Finding(
            f"All {len(texts)} training texts are the same: {_short(texts[0])}. Is data.columns.text the right column?",
            "equal_texts",
        )


def _misread(texts: Iterable[str], what: str) -> Iterator[Finding]:
    """Yield a note if texts seem to have been read in another encoding than they were written in."""
    foreign = [text for text in texts if not text.isascii()]
    odd = [match for text in foreign if (match := MISREAD.search(text))]
    if len(odd) > len(foreign) / 10:
        yield Finding(
            f"{len(odd)} training {what} seem to be in another encoding than they were read or saved in, such as "
            f"{_short(odd[0].string[max(odd[0].start() - 10, 0) :])}. See data.encoding",
            kind="wrong_encoding",
        )


def _is_printed(text: str) -> bool:
    if not begins_like_printed(text):
        return False
    try:
        return not isinstance(read_printed(text), str)
    except ValueError:
        return False


def contradictions(labels: Iterable[tuple[Hashable, str]]) -> Iterator[Finding]:
    """Yield a note if the same content has different labels. `labels` are the contents of rows, with their labels."""
    found: dict[Hashable, set[str]] = {}
    for content, label in labels:
        found.setdefault(content, set()).add(label)
    several = [(content, names) for content, names in found.items() if len(names) > 1]
    if several:
        content, names = several[0]
        yield Finding(
            f"{len(several)} training texts are there with different labels, such as {_short(str(content))}: "
            f"{', '.join(sorted(names)[:5])}",
            kind="conflicting_labels",
        )


def class_findings(counts: Mapping[str, int], several: bool) -> Iterator[Finding]:
    """Yield findings about the names of classes.

    Args:
        counts: how many rows have each label.
        several: whether a row may have several labels.
    """
    labels = sum(counts.values())
    if labels >= FEW_ROWS and len(counts) > labels / 2:
        examples = ", ".join(list(counts)[:3])
        yield Finding(
            f"The training rows have {labels} labels, and {len(counts)} different ones, such as {examples}. "
            "Is data.columns.label the right column? For numbers: task.kind=regression",
            "unique_labels",
        )
    missing = [name for name in counts if name in MISSING]
    if missing:
        yield Finding(
            f"{counts[missing[0]]} training rows have the label {missing[0]!r}, which programs write where there is "
            "none. If they have none: empty the cells, and data.on_bad_row=skip"
        )
    yield from _rare(counts)
    yield from _near_equal(counts, "labels")
    if not several:
        yield from _joined(counts)


def _rare(counts: Mapping[str, int]) -> Iterator[Finding]:
    """Yield notes on labels of few rows that may be no labels."""
    rows = sum(counts.values())
    single = [name for name, count in counts.items() if count == 1]
    if single and rows >= 10 * len(counts):
        yield Finding(
            f"{len(single)} labels stand in a single training row each, such as {single[0]!r}. Are they labels, and "
            "spelt right?",
            kind="rare_labels",
        )
    numbers = [name for name in counts if re.fullmatch(r"-?\d+", name)]
    names = [name for name in counts if name not in numbers]
    if numbers and names:
        yield Finding(f"Some labels are numbers, and some are not: {numbers[0]}, {names[0]}. Do they mean the same?")
    if not names and {"-1", "0", "1"} <= counts.keys() and counts["-1"] < rows / 20:
        yield Finding(
            f"{counts['-1']} training rows have the label -1, which data sets of the hub have where there is none. "
            "If they have none: empty the cells, and data.on_bad_row=skip"
        )


def _near_equal(names: Iterable[str], what: str) -> Iterator[Finding]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(bare(name), []).append(name)
    alike = [" / ".join(map(repr, group)) for group in groups.values() if len(group) > 1]
    if alike:
        message = f"{what} that differ only by case, blanks or hyphens are different ones: {'; '.join(alike[:5])}"
        yield Finding(message, kind="labels_alike")


def _joined(counts: Mapping[str, int]) -> Iterator[Finding]:
    """Yield a note if labels seem to be several labels in one cell, such as `rude#wet`."""
    for sign in JOINING:
        joined = [name for name in counts if sign in name.strip(sign)]
        parts = Counter(part.strip() for name in joined for part in name.split(sign))
        shared = [
            name
            for name in joined
            if any(part.strip() in counts or parts[part.strip()] > 1 for part in name.split(sign))
        ]
        if shared or (sign in "#|;" and joined):
            yield Finding(
                f"{len(joined)} labels look like several labels in one cell, such as {(shared or joined)[0]!r}. "
                f"If they are: task.label_separator='{sign}'"
            )
            return


def word_findings(sentences: Sequence[Sequence[str]]) -> Iterator[Finding]:
    """Yield findings about the words of sentences."""
    words = sum(map(len, sentences))
    numbers = sum(word.isdecimal() for sentence in sentences for word in sentence)
    if words >= FEW_ROWS and numbers > 0.9 * words:
        yield Finding(
            f"{numbers} of {words} training words are numbers, such as {' '.join(sentences[0][:5])}. "
            "Is data.columns.tokens the right column?",
            "numbered_words",
        )
    single = sum(len(sentence) == 1 for sentence in sentences)
    if len(sentences) >= FEW_ROWS and single > 0.9 * len(sentences):
        yield Finding(
            f"{single} of {len(sentences)} training sentences have a single word, such as {sentences[0][0]!r}. In a "
            "table with a token in each row, data.columns.sentence=NAME says which sentence it belongs to",
            "one_word_sentences",
        )
    yield from _misread((word for sentence in sentences for word in sentence), "words")
    if words > LONG_SENTENCE * len(sentences):
        yield Finding(
            f"training sentences have {words // len(sentences)} words on average. In files with a word on each line, "
            "an empty line ends a sentence: are these lines missing?"
        )
    odd = [word for sentence in sentences for word in sentence if word[:2] in ("['", '["') or word[-2:] in ("']", '"]')]
    if len(odd) > len(sentences) / 10 and odd:
        yield Finding(
            f"{len(odd)} training words look like parts of a printed list, such as {odd[0]!r}. "
            "Is data.columns.tokens the right column?",
            "printed_texts",
        )


def entity_findings(sentences: Sequence[Sequence[str]]) -> Iterator[Finding]:
    """Yield findings about the types of entities, given the IOB2 tags of each sentence."""
    counts = Counter(tag[2:] for tags in sentences for tag in tags if tag.startswith("B-"))
    prefixed = [kind for kind in counts if PREFIX.search(kind)]
    if prefixed:
        yield Finding(
            f"Entity types begin like tags: {', '.join(sorted(prefixed)[:5])}. Types are needed here, such as "
            f"{PREFIX.split(prefixed[0])[-1]}",
            "prefixed_types",
        )
    entities = sum(counts.values())
    if len(counts) > 20 and len(counts) > entities / 2:
        yield Finding(
            f"The {entities} training entities have {len(counts)} types, such as {', '.join(list(counts)[:3])}. "
            "Is data.columns.tags the right column?",
            "many_types",
        )
    yield from _near_equal(counts, "entity types")


def own_type_findings(entities: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Yield a finding if the types of entities are the entities. `entities` are texts without blanks, with types."""
    all_entities = own = 0
    example = ""
    for text, kind in entities:
        all_entities += 1
        if text == "".join(kind.split()):
            own += 1
            example = kind
    if own > all_entities / 2:
        yield Finding(
            f"{own} of {all_entities} training entities have their own text for a type, such as {_short(example)}. A "
            "list such as [0, 9, 'person'] holds the start, the end and the type of an entity, in this order",
            "many_types",
        )


def question_findings(questions: Sequence[tuple[str, str]], answered: int) -> Iterator[Finding]:
    """Yield findings about questions and their passages, of which `answered` have an answer."""
    if questions and not answered:
        yield Finding(
            f"None of the {len(questions)} training questions has an answer. Is data.columns.answers the right column?",
            "no_answers",
        )
    yield from _misread({passage for _, passage in questions}, "passages")
    if len(questions) > 1 and len(set(questions)) == 1:
        yield Finding(f"All {len(questions)} training questions are the same", "equal_texts")


def unknown_token_findings(unknown: int, tokens: int, example: str) -> Iterator[Finding]:
    """Yield a finding if the model's tokenizer does not know many tokens of the training rows."""
    if unknown > HARDLY_KNOWN * tokens:
        yield Finding(
            f"{unknown} of {tokens} training tokens are unknown to this model's tokenizer, in {_short(example)}. It "
            "was made for another language or script: choose another model, such as model=xlm-roberta-base",
            "unknown_tokens",
        )
    elif unknown > tokens / 20:
        yield Finding(f"{unknown} of {tokens} training tokens are unknown to this model's tokenizer")


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}...")
