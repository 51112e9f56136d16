"""The third rule for words: what stands between blanks, without the punctuation at its ends.

Files of words with tags do not say how their words were cut out of texts. What they keep together, such as `@name`,
`U.S.` or `don't`, shows it: a model should be given the words of a new text as it was given those of its training.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import regex

from tasks.words import WITHOUT_BLANKS, Bounds, words_between_blanks

FEWEST = 3
"""Words and endings that training has less often are no exceptions: they may be slips, and the exceptions are stored
with the model, which should not carry rare words of its training rows."""
MOST_WHOLE_WORDS = 1000
"At most this many words are exceptions, the most frequent ones."
MOST_SIGNS = 100
"At most this many different signs in a row are separated at an end of a word: more are no text."
_SIGN = regex.compile(r"[^\p{L}\p{N}\p{M}\s]")
_LETTERS = regex.compile(rf"(?V1)[{WITHOUT_BLANKS}]\p{{M}}*|[^{WITHOUT_BLANKS}]+")
_LETTER = regex.compile(r"[\p{L}\p{N}]")
_CLUSTER = regex.compile(r"\X")
"A character with the marks, joiners and modifiers that belong to it."
_CLITIC = regex.compile(r"['’]\p{L}{1,3}|n['’]t", regex.IGNORECASE)


@dataclass(frozen=True)
class WordBorders:
    """What is separated from the words between blanks, and what is not. Signs are all but letters, digits and marks."""

    kept_before: str = ""
    "Signs that stay at the beginning of a word, such as the one of `@name`. Others become words of their own."
    kept_after: str = ""
    "Signs that stay at the end of a word."
    split_inside: str = ""
    "Signs that are words of their own inside of a word, too."
    clitics: tuple[str, ...] = ()
    "Endings that are words of their own, such as `'s`, in lower case."
    whole: frozenset[str] = frozenset()
    "Words that stay as they are although the rules would split them."

    def words(self, text: str) -> list[Bounds]:
        r"""Return the bounds of all words. In scripts without blanks between words, each character is a word.

        >>> borders = WordBorders(kept_before="@", clitics=("'s",), whole=frozenset({"U.S."}))
        >>> text = '@mara met Anna\'s "team" (in the U.S.).'
        >>> [text[start:end] for start, end in borders.words(text)]
        ['@mara', 'met', 'Anna', "'s", '"', 'team', '"', '(', 'in', 'the', 'U.S.', ')', '.']
        """
        return [
            word
            for start, end in words_between_blanks(text)
            for part in _LETTERS.finditer(text, start, end)
            for word in self._without_signs(text, *part.span())
        ]

    def _without_signs(self, text: str, start: int, end: int) -> Iterator[Bounds]:
        whole = text[start:end]
        if whole.isalnum() or whole in self.whole:
            yield start, end
            return
        if not _LETTER.search(whole):
            yield from self._inside(text, start, end)
            return
        after: list[Bounds] = []
        for _ in range(MOST_SIGNS):
            if text[start:end] in self.whole or not (size := self._first(text[start:end])):
                break
            yield start, start + size
            start += size
        while len(after) < MOST_SIGNS and text[start:end] not in self.whole and (size := self._last(text[start:end])):
            after.append((end - size, end))
            end -= size
        yield from self._inside(text, start, end)
        yield from reversed(after)

    def _first(self, word: str) -> int:
        """Return how many characters at the beginning are a word of their own: a sign, or several equal ones."""
        if not _SIGN.match(word) or word[0] in self.kept_before:
            return 0
        clusters = _CLUSTER.findall(word)
        # Arabic signs for numbers are one cluster with the letters behind them.
        return 0 if _LETTER.search(clusters[0]) else _run(clusters)

    def _last(self, word: str) -> int:
        """Return how many characters at the end are a word of their own."""
        for clitic in self.clitics:
            if len(word) > len(clitic) and word[-len(clitic) :].casefold() == clitic:
                return len(clitic)
        clusters = _CLUSTER.findall(word)[::-1]
        sign = clusters[0][0]
        if not _SIGN.match(sign) or sign in self.kept_after or _LETTER.search(clusters[0]):
            return 0
        return _run(clusters)

    def _inside(self, text: str, start: int, end: int) -> Iterator[Bounds]:
        if text[start:end] in self.whole:
            yield start, end
            return
        begin = position = start
        for cluster in _CLUSTER.findall(text[start:end]):
            following = position + len(cluster)
            if cluster[0] in self.split_inside:
                if begin < position:
                    yield begin, position
                yield position, following
                begin = following
            position = following
        if begin < end:
            yield begin, end

    def to_json(self) -> dict[str, Any]:
        """Return the borders as JSON values."""
        return {**asdict(self), "clitics": list(self.clitics), "whole": sorted(self.whole)}

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> "WordBorders":
        """Return the borders that `to_json` wrote.

        Raises:
            ValueError: a part is missing or of another type.
        """
        try:
            signs = {name: tree[name] for name in ("kept_before", "kept_after", "split_inside")}
            clitics, whole = tree["clitics"], tree["whole"]
        except (KeyError, TypeError) as error:
            raise ValueError(f"no {error}") from error
        lists = isinstance(clitics, list) and isinstance(whole, list)
        if not lists or not all(isinstance(value, str) for value in (*signs.values(), *clitics, *whole)):
            raise ValueError("a part is no text")
        return cls(**signs, clitics=tuple(clitics), whole=frozenset(whole))


def learn_borders(sentences: Iterable[Sequence[str]]) -> WordBorders:
    """Return the borders by which texts of these words, joined with blanks, fall into nearly the same words.

    A sign is separated at the ends of words if training has it more often as a word than at that end of others, and
    inside of words if it is a word there and next to never inside of one.
    """
    counts = Counter(token for sentence in sentences for token in sentence)
    alone, before, inside, after = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    clitic_alone, clitic_attached = Counter[str](), Counter[str]()
    for token, count in counts.items():
        if _CLITIC.fullmatch(token):
            clitic_alone[token.casefold()] += count
        elif len(set(token)) == 1 and _SIGN.match(token):
            alone[token[0]] += count
        elif _LETTER.search(token):
            before.update({token[0]: count} if _SIGN.match(token[0]) else {})
            after.update({token[-1]: count} if _SIGN.match(token[-1]) else {})
            inside.update(dict.fromkeys(_SIGN.findall(token[1:-1]), count))
            ending = regex.search(rf"(?:{_CLITIC.pattern})$", token, regex.IGNORECASE)
            clitic_attached.update({ending[0].casefold(): count} if ending else {})
    borders = WordBorders(
        kept_before=_signs(sign for sign, count in before.items() if count > alone[sign]),
        kept_after=_signs(sign for sign, count in after.items() if count > alone[sign]),
        split_inside=_signs(sign for sign, count in alone.items() if 100 * inside[sign] < count),
        clitics=tuple(
            sorted(
                clitic for clitic, count in clitic_alone.items() if count >= FEWEST and count > clitic_attached[clitic]
            )
        ),
    )
    whole = [token for token, count in counts.most_common() if count >= FEWEST and _is_split(token, borders)]
    return WordBorders(
        borders.kept_before,
        borders.kept_after,
        borders.split_inside,
        borders.clitics,
        frozenset(whole[:MOST_WHOLE_WORDS]),
    )


def _is_split(token: str, borders: WordBorders) -> bool:
    return bool(_LETTER.search(token)) and not regex.search(r"\s", token) and len(borders.words(token)) > 1


def _run(clusters: Sequence[str]) -> int:
    """Return the length of the equal clusters at the beginning."""
    count = next((number for number, cluster in enumerate(clusters) if cluster != clusters[0]), len(clusters))
    return count * len(clusters[0])


def _signs(found: Iterable[str]) -> str:
    return "".join(sorted(found))
