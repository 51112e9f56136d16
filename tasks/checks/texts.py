"""Checks of texts by themselves: what is no text, what is hidden in them, and what they all have in common."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html.entities import name2codepoint
from itertools import pairwise
from statistics import median

import regex
from ftfy.badness import is_bad

from tasks.checks.finding import Finding, Grade, finding, percent
from tasks.checks.names import MISSING
from tasks.data.records import Origin

FEW = 20
"With fewer texts, what they have in common says little."
NEARLY_ALL = 0.95
"Share of texts from which on a beginning or an end is one that all have."
MANY = 0.1
"Share of texts from which on signs of a wrong encoding make all scores doubtful."
NOTABLE = 0.01
"Share of texts from which on left-overs are worth a warning."
GIANT = 20
"How many times the usual length makes a text a giant,"
GIANT_CHARACTERS = 2000
"and how many characters it has at least."
LONGEST_BOILERPLATE = 30
"Words at the beginning or end that are compared."

WORD = regex.compile(r"[\p{L}\p{N}\p{So}\p{Extended_Pictographic}]")
"A sign that says something: a letter, a digit, an emoji."
CONTROL = regex.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
DAMAGE = regex.compile(r"[\x80-\x84\x86-\x9f\N{REPLACEMENT CHARACTER}]")
"What Windows' own signs become if they are read as Latin-1, and what is put where bytes could not be read."
WITH_ZERO_WIDTH = r"\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"Scripts in which zero-width spaces tell where words end."
INVISIBLE = regex.compile(
    rf"""[\N{{WORD JOINER}}\N{{ZERO WIDTH NO-BREAK SPACE}}\N{{SOFT HYPHEN}}]
    | (?<![{WITH_ZERO_WIDTH}]\p{{M}}*)\N{{ZERO WIDTH SPACE}}(?![{WITH_ZERO_WIDTH}])
    | (?<=[\p{{Latin}}\p{{Cyrillic}}\p{{Greek}}\s])[\N{{ZERO WIDTH NON-JOINER}}\N{{ZERO WIDTH JOINER}}]""",
    regex.VERBOSE,
)
"Joiners have a meaning in the scripts of Persian and Hindi and within emoji, but not after these letters."
DIRECTION = regex.compile(r"[\u202a-\u202e\u2066-\u2069]")
RIGHT_TO_LEFT = regex.compile(r"[\p{Hebrew}\p{Arabic}\p{Syriac}\p{Thaana}]")
"Letters beside which marks of the direction have a meaning."
TAGS = """abbr|article|blockquote|body|br|button|center|code|div|em|font|h[1-6]|head|hr|html|iframe|img|label|li
|link|meta|ol|pre|script|section|small|span|strong|style|sub|sup|table|tbody|td|th|title|tr|ul""".replace("\n", "")
SIGNS = "|".join(sorted(name2codepoint))
MARKUP = regex.compile(
    rf"""(?:</?(?:{TAGS})|</[abipsu]|(?<!\w)<[abipsu])    # tags of HTML; in code, <a> stands behind a word
      (?:\s+[\w:-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s<>]+))*\s*/?> | <!--
    | &(?:(?-i:{SIGNS}|apos)|\#\d+|\#x[0-9a-f]+);          # its characters
    | \[[^\[\]\n]+\]\(https?://[^\s()]+\)                  # links of Markdown
    | (?m:^\#{{2,6}}\ \w)                                  # its headlines
    | \*\*\w[^*\n]*\w\*\*                                  # its bold words
    | ```""",
    regex.VERBOSE | regex.IGNORECASE,
)
NOTHING = MISSING | {"N/A", "n/a", "NA", "NAN", "Nan", "none", "NONE", "Null", "<null>", "[removed]", "[redacted]"}
"As whole texts, these stand for nothing, too; as labels, they may be meant so."
COUNTER = regex.compile(r"\W*([\p{L}]{0,4}[-_#]?(\d+))(?:\s?([\])}.:;,|\t-])|\s)")
"A number at the beginning of a text that may count rows, such as `12)`, `Q-0017:` or `00017 `."
SCRIPTS = {
    name: regex.compile(pattern)
    for name, pattern in {
        "Latin": r"\p{Latin}",
        "Cyrillic": r"\p{Cyrillic}",
        "Greek": r"\p{Greek}",
        "Arabic": r"\p{Arabic}",
        "Hebrew": r"\p{Hebrew}",
        "Chinese or Japanese": r"[\p{Han}\p{Hiragana}\p{Katakana}]",
        "Korean": r"\p{Hangul}",
        "Devanagari": r"\p{Devanagari}",
        "Bengali": r"\p{Bengali}",
        "Tamil": r"\p{Tamil}",
        "Thai": r"\p{Thai}",
        "Georgian": r"\p{Georgian}",
        "Armenian": r"\p{Armenian}",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a row."""

    text: str
    origin: Origin


def text_checks(texts: Sequence[Text], what: str) -> Iterator[Finding]:
    """Yield findings about texts of all splits.

    Args:
        texts: the texts.
        what: what they are, such as `texts` or `passages`.
    """
    yield from _matching(texts, what, "placeholders", lambda text: text.strip() in NOTHING, "stand for nothing")
    yield from _matching(texts, what, "tiny_texts", lambda text: not WORD.search(text), "hold no word", "note")
    yield from _giants(texts, what)
    yield from _padded(texts, what)
    damaged = list(_matching(texts, what, "wrong_encoding", _is_damaged, "seem to be in a wrong encoding"))
    yield from (_graver(one) for one in damaged)
    yield from _signs(texts, what, "control_characters", CONTROL, "hold control characters")
    yield from _signs(texts, what, "invisible_characters", INVISIBLE, "hold characters that nobody sees")
    yield from _markup(texts, what)
    yield from _other_scripts(texts, what)


def shape_checks(train: Sequence[Text], what: str) -> Iterator[Finding]:
    """Yield findings about what all training texts have in common, apart from what they say."""
    yield from _boilerplate(train, what)
    yield from _counters(train, what)


def script_of(text: str) -> str | None:
    """Return the script that most letters of a text are in; None if it has no letter of a known one.

    >>> script_of("Привет, Bob"), script_of("12.5 %")
    ('Cyrillic', None)
    """
    if text.isascii():
        return "Latin" if any(map(str.isalpha, text)) else None
    counts = {name: len(pattern.findall(text)) for name, pattern in SCRIPTS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else None


def _matching(
    texts: Sequence[Text], what: str, kind: str, matches: Callable[[str], object], do: str, grade: Grade = "warning"
) -> Iterator[Finding]:
    found = [one for one in texts if matches(one.text)]
    if found:
        yield finding(kind, grade, _sentence(found, texts, what, do), len(found), len(texts), _shown(found))


def _sentence(found: Sequence[Text], texts: Sequence[Text], what: str, do: str) -> str:
    return f"{len(found):,} of {len(texts):,} {what} ({percent(len(found), len(texts))}) {do}"


def _shown(found: Sequence[Text]) -> Iterator[tuple[str, Origin]]:
    return ((repr(one.text[:100]), one.origin) for one in found)


def _padded(texts: Sequence[Text], what: str) -> Iterator[Finding]:
    found = [one for one in texts if one.text != one.text.strip()]
    if found:
        message = _sentence(found, texts, what, "begin or end with blanks")
        ends = ((f"{one.text[:20]!r} ... {one.text[-20:]!r}", one.origin) for one in found)
        yield finding("padded_texts", "note", message, len(found), len(texts), ends)


def _is_damaged(text: str) -> bool:
    """Tell whether a text was read, once or before, in another encoding than it was written in."""
    return not text.isascii() and bool(DAMAGE.search(text) or is_bad(text))


def _graver(found: Finding) -> Finding:
    grade: Grade = "error" if found.share >= MANY else "warning"
    return Finding(found.kind, grade, found.message, found.count, found.of, found.examples)


def _giants(texts: Sequence[Text], what: str) -> Iterator[Finding]:
    if len(texts) < FEW:
        return
    usual = median(len(one.text) for one in texts)
    most = max(GIANT * usual, GIANT_CHARACTERS)
    found = sorted((one for one in texts if len(one.text) > most), key=lambda one: -len(one.text))
    if found:
        message = _sentence(found, texts, what, f"are over {most:,.0f} characters long, the usual one {usual:,.0f}")
        shown = ((f"{len(one.text):,} characters: {one.text[:80]!r}", one.origin) for one in found)
        yield finding("giant_texts", "note", message, len(found), len(texts), shown)


def _signs(texts: Sequence[Text], what: str, kind: str, pattern: "regex.Pattern[str]", do: str) -> Iterator[Finding]:
    """Yield a finding on signs, of which the most frequent ones are named by their numbers."""
    signs, found = Counter[str](), list[Text]()
    for one in texts:
        here = pattern.findall(one.text)
        if pattern is INVISIBLE and not RIGHT_TO_LEFT.search(one.text):
            here += DIRECTION.findall(one.text)
        if here:
            signs.update(here)
            found.append(one)
    if found:
        named = ", ".join(f"U+{ord(sign):04X} ({count:,})" for sign, count in signs.most_common(3))
        message = f"{_sentence(found, texts, what, do)}: {named}"
        yield finding(kind, "warning", message, len(found), len(texts), _shown(found))


def _markup(texts: Sequence[Text], what: str) -> Iterator[Finding]:
    signs, found = Counter[str](), list[Text]()
    for one in texts:
        here = MARKUP.findall(one.text)
        if here:
            signs.update(here)
            found.append(one)
    if found:
        named = ", ".join(sign[:30] for sign, _ in signs.most_common(3))
        message = f"{_sentence(found, texts, what, 'have left-overs of HTML or Markdown')}, such as {named}"
        grade: Grade = "warning" if len(found) >= NOTABLE * len(texts) else "note"
        yield finding("markup", grade, message, len(found), len(texts), _shown(found))


def _other_scripts(texts: Sequence[Text], what: str) -> Iterator[Finding]:
    scripts = [script_of(one.text) for one in texts]
    counts = Counter(script for script in scripts if script is not None)
    if len(counts) < 2:
        return
    (main, _), *others = counts.most_common()
    found = [one for one, script in zip(texts, scripts, strict=True) if script not in (None, main)]
    named = ", ".join(f"{name} ({count:,})" for name, count in others)
    message = f"{_sentence(found, texts, what, f'are not mostly {main}')}: {named}"
    yield finding("other_scripts", "note", message, len(found), len(texts), _shown(found))


def _boilerplate(train: Sequence[Text], what: str) -> Iterator[Finding]:
    texts = list({one.text: one for one in train}.values())
    if len(texts) < FEW:
        return
    words = [one.text.split() for one in texts]
    first = _common([some[:LONGEST_BOILERPLATE] for some in words])
    last = _common([some[::-1][:LONGEST_BOILERPLATE] for some in words])[::-1]
    for common, where in ((first, "begin"), (last, "end")):
        if any(map(str.isalnum, "".join(common))):
            same = common if where == "begin" else common[::-1]
            found = [
                one
                for one, some in zip(texts, words, strict=True)
                if (some if where == "begin" else some[::-1])[: len(same)] == same
            ]
            message = _sentence(found, texts, f"different training {what}", f"{where} with {' '.join(common)!r}")
            yield finding("boilerplate", "warning", message, len(found), len(texts), _shown(found))


def _common(some: Sequence[Sequence[str]]) -> list[str]:
    """Return the words with which nearly all begin, and after which most of them go on."""
    common: list[str] = []
    left = list(some)
    while left:
        following = Counter(words[len(common)] for words in left if len(words) > len(common))
        if not following:
            break
        word, count = following.most_common(1)[0]
        if count < NEARLY_ALL * len(some):
            break
        left = [words for words in left if len(words) > len(common) and words[len(common)] == word]
        common.append(word)
    return common


def _counters(train: Sequence[Text], what: str) -> Iterator[Finding]:
    if len(train) < FEW:
        return
    begun = [(match, one) for one in train if (match := COUNTER.match(one.text))]
    numbers = [int(match[2]) for match, _ in begun]
    # Without a sign behind it, a number may be a part of what is said, unless it goes up from row to row.
    rising = sum(one < other for one, other in pairwise(numbers)) >= NEARLY_ALL * (len(numbers) - 1)
    begun = [(match, one) for match, one in begun if match[3] or rising]
    if len(begun) >= NEARLY_ALL * len(train) and len({match[1] for match, _ in begun}) >= NEARLY_ALL * len(begun):
        found = [one for _, one in begun]
        message = _sentence(found, train, f"training {what}", "begin with a number of their own")
        yield finding("ids_in_texts", "warning", message, len(found), len(train), _shown(found))
