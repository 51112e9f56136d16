"""Rows that are hard to write: for hypothesis, of each task."""

from hypothesis import strategies as st

from tasks.classification import Label, Text
from tasks.data.records import Origin
from tasks.ner import Sentence
from tasks.qa import Question
from tasks.words import unicode_words, words_between_blanks

AWKWARD = (
    '"',
    "''",
    '""',
    ",",
    ";",
    "|",
    " ",
    "  ",
    "\u00a0",
    "\u2028",
    "\u0085",
    "\ufeff",
    "[",
    "{",
    "]",
    "}",
    "['a', 'b']",
    '{"a": 1}',
    "#",
    "\\",
    "\\n",
    "=",
    "1.0",
    "0",
    "NONE",
    "nan",
    "O",
    "B-x",
    "-DOCSTART-",
    "__label__x",
    "BZh",
    "PAR1",
    "-X-",
    "\U0001f469\u200d\U0001f680",
    "\U0001f1f3\U0001f1f4",
    "e\u0301",
    "שלום",
    "مرحبا",
    "柏林",
    "Mara",
    "don't",
)
"Parts of texts that readers or programs take for something else."

LINE_ENDS = ("\n", "\r", "\r\n", "\t", "\0")
"Parts that a format of lines can't hold."

ANY_CHARACTER = st.characters(exclude_categories=["Cs"])
NO_CONTROL_CHARACTER = st.characters(exclude_categories=("Cs", "Cc"))

NOWHERE = Origin("rows", 1)


def texts(*, line_ends: bool = True) -> st.SearchStrategy[str]:
    """Texts that are not blank."""
    parts = st.sampled_from((*AWKWARD, *(LINE_ENDS if line_ends else ()))) | st.text(
        ANY_CHARACTER if line_ends else NO_CONTROL_CHARACTER, min_size=1, max_size=4
    )
    return st.lists(parts, min_size=1, max_size=4).map("".join).filter(str.strip)


def names() -> st.SearchStrategy[str]:
    """Names of labels and types: texts without blanks around them."""
    usual = st.sampled_from(("person", "creative-work", "Main Person", "a,b", "7", "1.0", "NONE", "-", "O"))
    return usual | texts().map(str.strip)


@st.composite
def ids(draw: st.DrawFn, count: int) -> list[str]:
    """Either the positions, or an own id for each row."""
    if draw(st.booleans()):
        return [str(position) for position in range(count)]
    return draw(st.lists(texts(line_ends=False), min_size=count, max_size=count, unique=True))


def tags_for(draw: st.DrawFn, count: int) -> tuple[str, ...]:
    """IOB2 tags for so many words."""
    tags: list[str] = []
    types = draw(st.lists(names(), min_size=1, max_size=3))
    for _ in range(count):
        kind = draw(st.sampled_from(types))
        goes_on = tags[-1:] and tags[-1] != "O"
        choices = ["O", f"B-{kind}", *([f"I-{tags[-1][2:]}"] if goes_on else [])]
        tags.append(draw(st.sampled_from(choices)))
    return tuple(tags)


@st.composite
def sentences(draw: st.DrawFn, labelled: bool = True) -> list[Sentence]:
    """Sentences of words, or of texts cut into words by either rule."""
    count = draw(st.integers(1, 4))
    rows = []
    for name in draw(ids(count)):
        text, offsets = None, None
        if draw(st.booleans()):
            cut = draw(st.sampled_from((unicode_words, words_between_blanks)))
            text = draw(texts().filter(unicode_words).filter(words_between_blanks))
            offsets = tuple((start, end) for start, end in cut(text) if text[start:end].strip())
            words = [text[start:end] for start, end in offsets]
        if text is None or not offsets:
            text, offsets = None, None
            words = draw(st.lists(texts(line_ends=draw(st.booleans())), min_size=1, max_size=5))
        tags = tags_for(draw, len(words)) if labelled else None
        rows.append(Sentence(name, tuple(words), tags, NOWHERE, text, offsets))
    return rows


@st.composite
def labelled_texts(draw: st.DrawFn) -> list[Text]:
    """Texts with labels of one kind, or without any."""
    count = draw(st.integers(2, 4))
    pairs = draw(st.booleans())
    kinds: tuple[st.SearchStrategy[Label | None], ...] = (
        names(),
        st.lists(names(), max_size=3, unique=True).map(tuple),
        st.floats(allow_nan=False, allow_infinity=False),
        st.none(),
    )
    label = draw(st.sampled_from(kinds))
    return [
        Text(name, draw(texts()), draw(texts()) if pairs else None, draw(label), NOWHERE) for name in draw(ids(count))
    ]


@st.composite
def questions(draw: st.DrawFn, labelled: bool = True) -> list[Question]:
    """Questions whose answers are parts of their passages, or that have none."""
    count = draw(st.integers(1, 4))
    passages = draw(st.lists(texts(), min_size=1, max_size=2))
    titles = draw(st.lists(st.none() | texts(), min_size=1, max_size=2))
    rows = []
    for name in draw(ids(count)):
        passage = draw(st.sampled_from(passages))
        answers, starts = [], []
        for _ in range(draw(st.integers(0, 2)) if labelled else 0):
            start = draw(st.integers(0, len(passage) - 1))
            answer = passage[start : draw(st.integers(start + 1, len(passage)))]
            if answer.strip():
                answers.append(answer)
                starts.append(start)
        title = draw(st.sampled_from(titles))
        rows.append(Question(name, draw(texts()), passage, tuple(answers), tuple(starts), title, NOWHERE))
    return rows
