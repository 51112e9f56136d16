"""The command line of `recipes.compare`: its help, and from its words to what is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes.command.words import without_flags
from tasks.data.options import Split
from tasks.errors import InputError, did_you_mean

HELP = """\
Compare finished runs on the same rows: which is better, and how sure that is. Runs that differ in their seed only are
taken together. Nothing is trained or predicted.

  python -m recipes.compare RUNS [RUNS ...] [-o OUT] [--split SPLIT] [--score NAME]

  RUNS           run directories, globs of them, folders with runs below, or the folder of a sweep (outputs/sweeps/ID)
  -o, --output   a file to write besides: OUT.html, OUT.md, OUT.csv or OUT.json
  --split        test or validation (test, unless a run has no scores on it)
  --score        the score, such as accuracy (that which chose the epochs)
  --overwrite    write OUT although it is there

Examples
  python -m recipes.compare outputs/ner/wnut17/minilm outputs/ner/wnut17/roberta-base
      all seeds of two models
  python -m recipes.compare outputs/sweeps/e542bad3 -o sweep.html
      all settings of a sweep"""

VALUE_FLAGS = {"-o": "output", "--output": "output", "--split": "split", "--score": "score"}
SWITCHES = ("--overwrite",)
SPLITS: dict[str, Split] = {"test": "test", "validation": "validation"}
OUTPUT_SUFFIXES = (".html", ".md", ".csv", ".json")


@dataclass(frozen=True)
class CompareLine:
    """What a command line of `recipes.compare` asks for."""

    runs: tuple[str, ...]
    output: Path | None
    split: Split | None
    score: str | None
    overwrite: bool


def read_compare_line(arguments: Sequence[str]) -> CompareLine:
    """Sort the words of the command line.

    Raises:
        InputError: a word is none of its words, or one is missing.
    """
    runs, values, switched = without_flags(arguments, VALUE_FLAGS, SWITCHES)
    if not runs:
        raise InputError("Which runs are to be compared? python -m recipes.compare RUN RUN. What there is: --help")
    split = values.get("split")
    if split is not None and split not in SPLITS:
        raise InputError(f"--split {split}: choose from {', '.join(SPLITS)}.{did_you_mean(split, SPLITS)}")
    output = Path(values["output"]).expanduser() if "output" in values else None
    if output is not None and output.suffix.lower() not in OUTPUT_SUFFIXES:
        raise InputError(f"-o {output}: the extension tells the format: {', '.join(OUTPUT_SUFFIXES)}")
    return CompareLine(
        tuple(runs), output, None if split is None else SPLITS[split], values.get("score"), bool(switched)
    )
