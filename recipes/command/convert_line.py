"""The command line of `recipes.convert`: its help, and from its words to what is asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes.command.words import without_flags
from tasks.errors import InputError, did_you_mean

HELP = """\
Write labelled rows in another format. The file is read again before it takes its name: it gives the same rows.

  python -m recipes.convert IN ... -o OUT [--task TASK] [--format NAME] [--overwrite] [KEY=VALUE ...]

  IN             files that the project reads, or globs of them (docs/formats.md); sample:ner/train.conll comes with it;
                 with data.hub=OWNER/NAME, one of its splits
  -o, --output   the file to write; its extension tells the format
  --task         ner, classification or qa, where the columns don't tell
  --format       ner: jsonl_spans (.jsonl), jsonl_tokens (.jsonl), doccano (.jsonl), conll (.conll)
                 classification: csv (.csv), jsonl (.jsonl)
                 qa: squad (.json), csv (.csv), jsonl (.jsonl)
  --overwrite    write OUT although it is there
  KEY=VALUE      how to read IN, as for recipes.run: data.encoding, data.separator, data.columns.text, data.on_bad_row,
                 task.words, task.label_separator, ...

Examples
  python -m recipes.convert export.jsonl -o names.conll
      an export of doccano, Label Studio, Prodigy, ... as CoNLL
  python -m recipes.convert reviews.csv -o reviews.jsonl data.encoding=latin-1 'data.columns.label=[rude,late]'
      columns of zeros and ones as lists of labels"""

READING_KEYS = (
    "data.hub",
    "data.hub_config",
    "data.hub_revision",
    "data.format",
    "data.encoding",
    "data.separator",
    "data.quoting",
    "data.header",
    "data.skip_lines",
    "data.sheet",
    "data.comment",
    "data.token_prefix",
    "data.label_names",
    "data.on_bad_row",
)
"Keys of `data` that say how a file is read. The others are about splits and runs."
KEY = re.compile(r"(?P<key>(data|task)\.[a-z_.]+)=.*", re.DOTALL)
VALUE_FLAGS = {"-o": "output", "--output": "output", "--task": "task", "--format": "format"}
SWITCHES = ("--overwrite",)


@dataclass(frozen=True)
class ConvertLine:
    """What a command line of `recipes.convert` asks for."""

    inputs: tuple[str, ...]
    output: Path
    task: str | None
    format: str | None
    overwrite: bool
    options: tuple[str, ...]
    "Overrides of `data.*` and `task.*`."


def read_convert_line(arguments: Sequence[str]) -> ConvertLine:
    """Sort the words of the command line.

    Raises:
        InputError: a word is none of its words, or one is missing.
    """
    inputs: list[str] = []
    options: list[str] = []
    rest, values, switched = without_flags(arguments, VALUE_FLAGS, SWITCHES)
    for word in rest:
        flag, equals, value = word.partition("=")
        if flag == "task":
            values["task"] = value
        elif KEY.fullmatch(word):
            _require_reading_key(flag)
            options.append(word)
        elif equals and not Path(word).exists():
            raise InputError(
                f"'{word}': neither a file nor a key. Keys: {', '.join(READING_KEYS)}, data.columns.*, task.*"
            )
        else:
            inputs.append(word)
    if not inputs:
        raise InputError("Which file is to be read? python -m recipes.convert IN -o OUT. What there is: --help")
    if not values.get("output"):
        raise InputError(f"Which file is to be written? python -m recipes.convert {' '.join(inputs)} -o OUT")
    return ConvertLine(
        tuple(inputs),
        Path(values["output"]).expanduser(),
        values.get("task"),
        values.get("format"),
        bool(switched),
        tuple(options),
    )


def _require_reading_key(key: str) -> None:
    if key.startswith(("task.", "data.columns.")) or key in READING_KEYS:
        return
    if key in ("data.train", "data.validation", "data.test"):
        raise InputError(f"{key}: name the file without a key: python -m recipes.convert IN -o OUT")
    near = did_you_mean(key, READING_KEYS)
    raise InputError(
        f"{key}: not a key for reading rows.{near} Keys: {', '.join(READING_KEYS)}, data.columns.*, task.*"
    )
