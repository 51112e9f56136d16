"""The command line of `recipes.predict`: its help, and from its words to what is asked for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from recipes.command.convert_line import READING_KEYS
from recipes.command.words import without_flags
from tasks.data.options import Columns
from tasks.errors import InputError, did_you_mean

HELP = """\
Predict for new rows with a trained model.

  python -m recipes.predict RUN INPUT ... [-o OUT] [--on-bad-row error|skip] [--overwrite] [KEY=VALUE ...]

  RUN             a run directory, a folder with a trained model, or a hub id
  INPUT           files of any format that training reads, labels not needed; .txt files with a text on each line;
                  globs; - for standard input
  -o, --output    the file to write: .jsonl, .csv, or for named entities .conll. Without it, JSON lines go to standard
                  output and everything else to standard error
  --on-bad-row    what to do with a row that can't be read: error (the default) names it and stops, skip leaves it out
                  and counts it
  --overwrite     write OUT although it is there, and begin anew where an interrupted prediction would go on
  KEY=VALUE       how to read: data.format, data.columns.text, data.separator, data.encoding, ...
                  how to predict, if not as in training: task.words=blanks, task.top_k=3, task.long_texts=truncate, ...
                  where to compute: runtime.device, runtime.precision, runtime.threads

The columns of the input are kept. If it has labels, scores are printed at the end. A prediction that was interrupted
goes on when the same command is given again.

Examples
  python -m recipes.predict outputs/ner/ner_sample/minilm/default/seed=1 news.txt -o entities.jsonl
  python -m recipes.predict outputs/classification/reviews/minilm/default/seed=1 'new/*.csv' -o labelled.csv
  echo "where is my parcel??" | python -m recipes.predict RUN -"""

RUNTIME_KEYS = ("runtime.device", "runtime.precision", "runtime.threads")
MODEL_KEYS = ("model.revision", "model.allow_pickled_weights")
KEY = re.compile(r"(?P<key>(data|task|runtime|model)\.[a-z_.]+)=.*", re.DOTALL)
FOREIGN_KEY = re.compile(r"[a-z_]+(\.[a-z_.]+)?")
FIXED = ("task.name", "data.on_bad_row", "data.hub", "data.hub_config", "data.hub_revision")
"Keys of `data` and `task` that have no place here."
VALUE_FLAGS = {"-o": "output", "--output": "output", "--on-bad-row": "on_bad_row"}
SWITCHES = ("--overwrite",)
STANDARD = "-"
"Standard input, as an INPUT, or standard output."
OUTPUT_SUFFIXES = (".jsonl", ".csv", ".conll")


@dataclass(frozen=True)
class PredictLine:
    """What a command line of `recipes.predict` asks for."""

    model: str
    inputs: tuple[str, ...]
    output: Path | None
    "None: standard output."
    on_bad_row: str
    overwrite: bool
    options: tuple[str, ...]
    "Overrides of `data.*`, `task.*`, `runtime.*` and `model.*`."


def read_predict_line(arguments: Sequence[str]) -> PredictLine:
    """Sort the words of the command line.

    Raises:
        InputError: a word is none of its words, or one is missing.
    """
    rest, values, switched = without_flags(arguments, VALUE_FLAGS, SWITCHES, words=(STANDARD,))
    words, options = sort_words(rest)
    if len(words) < 2:
        missing = "Which model is to predict, and for which file?" if not words else "Which file is to be read?"
        named = words[0] if words else "RUN"
        raise InputError(f"{missing} python -m recipes.predict {named} INPUT -o OUT. What there is: --help")
    last = Path(words[-1])
    if len(words) > 2 and "output" not in values and last.suffix in OUTPUT_SUFFIXES and not last.exists():
        raise InputError(f"{last}: there is no such file. If it is the one to be written: -o {last}")
    policy = on_bad_row(values)
    return PredictLine(
        words[0], tuple(words[1:]), _output(values.get("output")), policy, bool(switched), tuple(options)
    )


def on_bad_row(values: Mapping[str, str]) -> str:
    """Return what is to be done with a row that can't be read, from the values of flags.

    Raises:
        InputError: it is nothing that can be done.
    """
    policy = values.get("on_bad_row", "error")
    if policy not in ("error", "skip"):
        raise InputError(f"--on-bad-row {policy}: choose from error, skip")
    return policy


def sort_words(rest: Sequence[str]) -> tuple[list[str], list[str]]:
    """Sort words that are no flags into names, of models and files, and overrides.

    Raises:
        InputError: a word sets a key that has no place when a trained model predicts.
    """
    words: list[str] = []
    options: list[str] = []
    for word in rest:
        key, equals, _ = word.partition("=")
        if KEY.fullmatch(word):
            _require_key(key)
            options.append(word)
        elif equals and FOREIGN_KEY.fullmatch(key) and not Path(word).exists():
            raise InputError(f"{key}: not a key for predicting. {_keys()}")
        else:
            words.append(word)
    return words, options


def _output(value: str | None) -> Path | None:
    if value in (None, STANDARD):
        return None
    path = Path(str(value)).expanduser()
    if path.suffix.lower() not in OUTPUT_SUFFIXES:
        raise InputError(f"-o {value}: the extension tells the format: {', '.join(OUTPUT_SUFFIXES)}")
    return path


def _require_key(key: str) -> None:
    if key.startswith(("task.", "data.columns.")) and key not in FIXED:
        return
    known = _known()
    if key in known:
        return
    if key == "data.on_bad_row":
        raise InputError("data.on_bad_row: is --on-bad-row here")
    if key in ("data.train", "data.validation", "data.test"):
        raise InputError(f"{key}: name the file without a key: python -m recipes.predict RUN FILE -o OUT")
    near = did_you_mean(key, (*known, *(f"data.columns.{column.name}" for column in fields(Columns))))
    raise InputError(f"{key}: not a key for predicting.{near} {_keys()}")


def _keys() -> str:
    return f"Keys: {', '.join(_known())}, data.columns.*, task.*"


def _known() -> tuple[str, ...]:
    return (*(key for key in READING_KEYS if key not in FIXED), *RUNTIME_KEYS, *MODEL_KEYS)
