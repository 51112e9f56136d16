"""The command line of `recipes.suggest`: its help, and from its words to what is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes.command.predict_line import STANDARD, on_bad_row, sort_words
from recipes.command.words import without_flags
from tasks.errors import InputError

HELP = """\
Suggest which rows to label next: those that a trained model is least sure of, without those that say the same.

  python -m recipes.suggest RUN INPUT ... -o OUT [--count N] [--words N] [--on-bad-row error|skip] [--overwrite]
                            [KEY=VALUE ...]
  python -m recipes.suggest --replay GROUP=CHOICE ... [KEY=VALUE ...]

  RUN             a run directory, a folder with a trained model, or a hub id
  INPUT           files with rows that have no label, of any format that training reads
  -o, --output    the file to write: .csv with an empty column to fill; .jsonl, which doccano imports; or .json, which
                  Label Studio imports, with an .xml beside it for its labelling interface
  --count         how many rows (default: 100)
  --words         how many words they may have together, for those who pay or wait by the word
  --on-bad-row    what to do with a row that can't be read: error (the default) names it and stops, skip leaves it out
                  and counts it
  --overwrite     write OUT although it is there
  --replay        try it on rows that have labels already: train on a few, add those that are suggested and again, and
                  compare with rows taken at random, over seeds (docs/suggest.md). Takes what recipes.run takes
  KEY=VALUE       as for recipes.predict: data.format, data.columns.text, runtime.threads, ...

Rows that the run was trained on, repetitions and near duplicates are left out, and counted.

Examples
  python -m recipes.suggest outputs/ner/ner_sample/minilm/default/seed=1 news.txt -o to_label.jsonl --count 50
  python -m recipes.suggest --replay task=classification data.train=reviews.csv study.step=20"""

REPLAY = "--replay"
VALUE_FLAGS = {
    "-o": "output",
    "--output": "output",
    "--count": "count",
    "--words": "words",
    "--on-bad-row": "on_bad_row",
}
SWITCHES = ("--overwrite",)
SUFFIXES = (".csv", ".jsonl", ".json")


@dataclass(frozen=True)
class SuggestLine:
    """What a command line of `recipes.suggest` asks for."""

    model: str
    inputs: tuple[str, ...]
    output: Path
    count: int | None
    "How many rows at most. None: as many as fit into `words`."
    words: int | None
    on_bad_row: str
    overwrite: bool
    options: tuple[str, ...]
    "Overrides of `data.*`, `task.*`, `runtime.*` and `model.*`."


DEFAULT_COUNT = 100


def read_suggest_line(arguments: Sequence[str]) -> SuggestLine:
    """Sort the words of the command line.

    Raises:
        InputError: a word is none of its words, or one is missing.
    """
    rest, values, switched = without_flags(arguments, VALUE_FLAGS, SWITCHES, words=(STANDARD,))
    names, options = sort_words(rest)
    if len(names) < 2:
        missing = "Which model is to suggest, and from which file?" if not names else "Which file has the rows?"
        raise InputError(
            f"{missing} python -m recipes.suggest {names[0] if names else 'RUN'} INPUT -o OUT. What there is: --help"
        )
    if STANDARD in names:
        raise InputError("-: rows to choose from are read from files, not from standard input")
    if "output" not in values:
        raise InputError(f"-o is missing: the file to write, {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    output = Path(values["output"]).expanduser()
    if output.suffix.lower() not in SUFFIXES:
        raise InputError(f"-o {output}: the extension tells the format: {', '.join(SUFFIXES)}")
    count, words = (_number(name, values.get(name)) for name in ("count", "words"))
    return SuggestLine(
        model=names[0],
        inputs=tuple(names[1:]),
        output=output,
        count=DEFAULT_COUNT if count is None and words is None else count,
        words=words,
        on_bad_row=on_bad_row(values),
        overwrite=bool(switched),
        options=tuple(options),
    )


def _number(name: str, value: str | None) -> int | None:
    if value is None:
        return None
    number = value.replace(",", "").replace("_", "")
    if not (number.isascii() and number.isdecimal() and int(number) > 0):
        raise InputError(f"--{name} {value}: a number from 1 on")
    return int(number)
