"""Clean labelled rows of each task, made from word lists, and how they are written to the files of a user."""

# ruff: noqa: S311 (nothing here is a secret)

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

OPENERS = """As far as I remember|Last winter|To be honest|On second thought|After a long talk|By sheer luck
Every now and then
Before breakfast|Without much ado|In the end|Strangely enough|Half an hour later|Once again|For some reason
At the weekend
Just between us|Only yesterday|Much to our relief|According to the note|While it rained""".replace("\n", "|").split("|")
PEOPLE = """Agnes|Bertil|Carmen|Dagny|Emil|Frida|Gustav|Hedda|Ivo|Jolanda|Karim|Lotte|Marek|Nadja|Olek|Paulina|Quentin
Rasmus|Sunniva|Tadeo|Ulla|Viggo|Wanda|Yusuf""".replace("\n", "|").split("|")
VERBS = """mentioned|praised|wanted|described|forgot|remembered|missed|photographed|compared|examined
recommended|criticised
noticed|borrowed|shared|questioned|admired|mistrusted|preferred|rejected""".replace("\n", "|").split("|")
KINDS_OF = """plain|splendid|ordinary|curious|tiny|enormous|cheap|costly|modern|ancient|shabby|cheerful|noisy
quiet|famous|unknown
striped|crooked|handy|clumsy|bright|dim""".replace("\n", "|").split("|")
WHERE = """near the fountain|beside my cousin|in the north|behind the library|across the border|under the arcade
close to the ferry|around the corner|at the fair|on the island|by the old mill|above the valley|next to the bakery
along the canal|opposite the theatre|outside the village""".replace("\n", "|").split("|")
CLOSERS = """and the {noun} was {kind} too|because a {noun} had been {kind} before|but nobody cared about the {noun}
so we asked about some {kind} {noun} once more|although the {noun} seemed {kind} at first
which made the {noun} look {kind}
and later a {kind} {noun} turned up|yet {person} still talks about that {noun}|until {person} brought a {kind} {noun}
since every {noun} needs its time|while {person} {verb} another {noun}""".replace("\n", "|").split("|")
SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "food": ("soup", "bread", "cheese", "pancake", "stew", "salad", "dumpling", "pudding", "omelette", "sauce", "pie"),
    "travel": (
        "train",
        "suitcase",
        "passport",
        "hotel",
        "ticket",
        "harbour",
        "map",
        "tram",
        "voyage",
        "airport",
        "tent",
    ),
    "sport": ("match", "racket", "goalkeeper", "sprint", "medal", "referee", "trophy", "league", "helmet", "stadium"),
    "housing": ("kitchen", "landlord", "balcony", "cellar", "rent", "staircase", "roof", "mortgage", "attic", "window"),
}

Rows: TypeAlias = dict[str, list[Any]]
"The rows of each split, to be changed by a plant."


@dataclass
class Labelled:
    """A text with its label: a name, several names, or a number."""

    text: str
    label: Any


@dataclass
class Tagged:
    """A sentence as words and tags."""

    words: list[str]
    tags: list[str]


@dataclass
class Asked:
    """A question on a passage. Without an answer, `answer` is empty."""

    question: str
    context: str
    answer: str
    start: int
    id: str = ""
    more: dict[str, Any] = field(default_factory=dict)


def sentence(draw: Random, topics: list[str]) -> str:
    """Return a sentence about some topics, without a word that tells the topic in most of its sentences."""
    first, second = (draw.choice(SUBJECTS[topics[place % len(topics)]]) for place in (0, 1))
    closer = draw.choice(CLOSERS).format(
        noun=second, kind=draw.choice(KINDS_OF), person=draw.choice(PEOPLE), verb=draw.choice(VERBS)
    )
    return (
        f"{draw.choice(OPENERS)} {draw.choice(PEOPLE)} {draw.choice(VERBS)} the {draw.choice(KINDS_OF)} {first} "
        f"{draw.choice(WHERE)}, {closer}"
    )


TOPICS = ["food", "travel", "sport", "housing", "food", "travel", "sport", "food", "travel", "housing"]


def single_label() -> Rows:
    draw, sizes = Random(11), {"train": 200, "validation": 100, "test": 100}
    return {
        split: [Labelled(sentence(draw, [topic]), topic) for topic in (TOPICS * 30)[:size]]
        for split, size in sizes.items()
    }


def multi_label() -> Rows:
    draw, sizes = Random(12), {"train": 200, "test": 100}

    def row(place: int) -> Labelled:
        topics = [TOPICS[place % 10], *([TOPICS[(place * 3 + 1) % 10]] if place % 3 == 0 else [])]
        topics = list(dict.fromkeys(topics))
        return Labelled(sentence(draw, topics), topics)

    return {split: [row(place) for place in range(size)] for split, size in sizes.items()}


def regression() -> Rows:
    draw, sizes = Random(13), {"train": 200, "test": 100}
    return {
        split: [Labelled(sentence(draw, [draw.choice(TOPICS)]), round(draw.uniform(1, 5), 2)) for _ in range(size)]
        for split, size in sizes.items()
    }


FIRST = [
    "Ansgar",
    "Birte",
    "Cosima",
    "Detlef",
    "Eskil",
    "Fenja",
    "Gesine",
    "Henrik",
    "Ilka",
    "Joris",
    "Kerstin",
    "Lorenz",
    "Maike",
    "Norbert",
    "Oda",
    "Piet",
]
LAST = [
    "Abelsen",
    "Brockdorf",
    "Clausnitz",
    "Dreyling",
    "Ekholm",
    "Falkenau",
    "Gronvold",
    "Hasselby",
    "Ingerslev",
    "Jorvik",
    "Kallstad",
]
TOWNS = [
    "Aldersund",
    "Brekkeby",
    "Cordelvik",
    "Dunholm",
    "Ellingen",
    "Fjordheim",
    "Grimstadt",
    "Hollervik",
    "Iselmund",
    "Jarlsby",
    "Kvistad",
]
TRADES = ["Shipping", "Timber", "Dairy", "Optics", "Textiles", "Seeds", "Paper", "Glass"]
FIRMS = ["Norvella", "Polarix", "Quantor", "Rivona", "Stelvio", "Tramona", "Umbrix", "Valcora", "Wexling", "Zentaro"]
TEMPLATES = [
    "{PER} left {LOC} {when} to {do} a {kind} {noun} .",
    "The {noun} that {ORG} sold {when} was {kind} and {kind} .",
    "{when} , {ORG} opened a {kind} office in {LOC} and began to {do} each {noun} .",
    "Nobody in {LOC} knows why {PER} used to {do} the {kind} {noun} .",
    "According to {ORG} , {PER} will {do} one {noun} {when} .",
    "A {kind} {noun} from {LOC} reached {PER} {when} .",
    "{PER} and {PER} met {when} because the {noun} of {ORG} was too {kind} .",
    "Has {ORG} decided to {do} any {kind} {noun} in {LOC} ?",
]
WHENS = (
    "yesterday|in spring|two weeks ago|before noon|on Friday|this autumn|at midnight|for years|last month|early today"
)
DOINGS = [
    "repair",
    "collect",
    "inspect",
    "deliver",
    "replace",
    "study",
    "paint",
    "weigh",
    "measure",
    "borrow",
    "advertise",
    "auction",
    "insure",
]


def tagged_sentence(draw: Random) -> Tagged:
    words: list[str] = []
    tags: list[str] = []
    for part in draw.choice(TEMPLATES).split():
        kind = part.strip("{}")
        named = {
            "PER": lambda: f"{draw.choice(FIRST)} {draw.choice(LAST)}",
            "LOC": lambda: draw.choice(TOWNS),
            "ORG": lambda: f"{draw.choice(FIRMS)} {draw.choice(TRADES)}",
            "when": lambda: draw.choice(WHENS.split("|")),
            "do": lambda: draw.choice(DOINGS),
            "kind": lambda: draw.choice(KINDS_OF),
            "noun": lambda: draw.choice([noun for nouns in SUBJECTS.values() for noun in nouns]),
        }
        new = (named[kind]() if kind in named else part).split()
        words += new
        is_named = kind in ("PER", "LOC", "ORG")
        tags += [f"{'I' if place else 'B'}-{kind}" if is_named else "O" for place in range(len(new))]
    return Tagged(words, tags)


def sentences() -> Rows:
    draw = Random(14)
    rows: Rows = {"train": [], "test": []}
    for split, size in (("train", 240), ("test", 110)):
        rows[split] = [tagged_sentence(draw) for _ in range(size)]
    return rows


BUILDINGS = [
    "lighthouse",
    "windmill",
    "chapel",
    "bridge",
    "castle",
    "observatory",
    "brewery",
    "museum",
    "cinema",
    "market",
    "pavilion",
    "aqueduct",
]
STUFF = ["copper coins", "pressed leaves", "porcelain cats", "broken clocks", "railway lamps", "wooden masks"]
STUFF += ["tin soldiers", "old postcards", "sea shells", "music boxes", "paper kites", "glass marbles"]
MATERIALS = ["granite", "sandstone", "oak", "brick", "limestone", "slate", "marble", "iron"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
FACTS: tuple[tuple[str, str, str], ...] = (
    ("The {kind} {building} of {town} was designed by [{person}].", "Who designed the {building} of {town}?", ""),
    ("Workers from {town2} finished it in [{year}], after a {kind2} delay.", "When was the {building} finished?", ""),
    (
        "Its walls are made of [{material}] and look {kind3} from afar.",
        "What are the walls of the {building} made of?",
        "",
    ),
    ("The keeper, {person2}, collects [{stuff}] in the upper rooms.", "What does the keeper {person2} collect?", ""),
    ("Visitors may enter every [{day}], though the door is {kind4}.", "On which day may visitors enter?", ""),
    ("A fire in the {noun} once destroyed the [{noun2}] of the owner.", "What did the fire in {town} destroy?", ""),
    (
        "Children from {town3} like the [{noun3}] best, for it is {kind5}.",
        "What do children from {town3} like best?",
        "",
    ),
    ("The {verb} garden was a gift from [{person3}] to the town.", "From whom was the garden of {town} a gift?", ""),
)


def passage(draw: Random) -> list[Asked]:
    """Return questions on one passage, which stands in each of them."""
    nouns = [noun for some in SUBJECTS.values() for noun in some]
    names: dict[str, Any] = {"building": draw.choice(BUILDINGS), "year": draw.randint(1500, 1990)}
    names |= {"material": draw.choice(MATERIALS), "stuff": draw.choice(STUFF), "day": draw.choice(DAYS)}
    names["verb"] = draw.choice(VERBS)
    for number in ("", "2", "3", "4", "5"):
        names[f"person{number}"] = f"{draw.choice(FIRST)} {draw.choice(LAST)}"
        names[f"town{number}"] = draw.choice(TOWNS)
        names[f"kind{number}"] = draw.choice(KINDS_OF)
        names[f"noun{number}"] = draw.choice(nouns)
    first, *others = FACTS
    facts = [first, *draw.sample(others, 4)]
    context, asked = "", []
    for fact, question, _ in facts:
        before, rest = fact.format_map(names).split("[")
        answer, after = rest.split("]")
        start = len(context) + len(before)
        context += f"{before}{answer}{after} "
        asked.append((question.format_map(names), answer, start))
    return [Asked(question, context.strip(), answer, start) for question, answer, start in asked]


def questions() -> Rows:
    draw = Random(15)
    rows: Rows = {
        split: [row for _ in range(size) for row in passage(draw)] for split, size in (("train", 44), ("test", 24))
    }
    for split, some in rows.items():
        for place, row in enumerate(some):
            row.id = f"{split}-{place}"
    return rows


def csv_text(rows: list[Labelled]) -> tuple[str, list[int]]:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["text", "label"])
    lines = []
    for row in rows:
        lines.append(file.getvalue().count("\n") + 1)
        writer.writerow([row.text, row.label])
    return file.getvalue(), lines


def jsonl_text(rows: list[Labelled]) -> tuple[str, list[int]]:
    lines = [json.dumps({"text": row.text, "labels": row.label}, ensure_ascii=False) for row in rows]
    return "\n".join(lines) + "\n", list(range(1, len(rows) + 1))


def conll_text(rows: list[Tagged]) -> tuple[str, list[int]]:
    text, lines, line = [], [], 1
    for row in rows:
        lines.append(line)
        text += [f"{word}\t{tag}\n" for word, tag in zip(row.words, row.tags, strict=True)] + ["\n"]
        line += len(row.words) + 1
    return "".join(text), lines


def squad_text(rows: list[Asked]) -> tuple[str, list[int]]:
    paragraphs = []
    for context, group in groupby(rows, key=lambda row: row.context):
        asked = [
            {
                "id": row.id,
                "question": row.question,
                "answers": [{"text": row.answer, "answer_start": row.start}] if row.answer else [],
                **({} if row.answer else {"is_impossible": True}),
            }
            for row in group
        ]
        paragraphs.append({"context": context, "qas": asked})
    articles = [{"title": f"Page {place}", "paragraphs": [one]} for place, one in enumerate(paragraphs)]
    return json.dumps({"version": "1", "data": articles}, ensure_ascii=False), list(range(1, len(rows) + 1))


@dataclass(frozen=True)
class Format:
    """A task with a format of files."""

    task: str
    ending: str
    unit: str
    clean: Callable[[], Rows]
    text: Callable[[list[Any]], tuple[str, list[int]]]
    "The content of a file, and the number of each row in it."


FORMATS: Mapping[str, Format] = {
    "single": Format("classification", "csv", "line", single_label, csv_text),
    "multi": Format("classification", "jsonl", "line", multi_label, jsonl_text),
    "regression": Format("classification", "csv", "line", regression, csv_text),
    "ner": Format("ner", "conll", "line", sentences, conll_text),
    "qa": Format("qa", "json", "question", questions, squad_text),
}


@dataclass(frozen=True)
class Written:
    """Files of a user."""

    overrides: tuple[str, ...]
    places: Mapping[str, list[str]]
    "For each split the place of each row, as findings name it."


def write(name: str, rows: Rows, folder: Path) -> Written:
    """Write rows as a user's files, one for each split."""
    kind = FORMATS[name]
    overrides, places = [f"task={kind.task}"], {}
    for split, some in rows.items():
        path = folder / f"{split}.{kind.ending}"
        text, numbers = kind.text(some)
        path.write_bytes(text.encode())
        overrides.append(f"data.{split}={path}")
        places[split] = [f"{path}, {kind.unit} {number}" for number in numbers]
    return Written(tuple(overrides), places)
