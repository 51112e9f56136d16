"""The command line of `recipes.check`: its help, and from its words to what is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes.command.words import without_flags
from tasks.errors import InputError, did_you_mean

HELP = """\
Check labelled rows before training on them: duplicates, conflicting labels, damaged texts, leaks, drift between splits,
what the model would cut off, and more (docs/check.md). Nothing is trained.

  python -m recipes.check [GROUP=CHOICE ...] [KEY=VALUE ...] [--fail-on GRADE] [--ignore KINDS] [--at-most KIND=SHARE]
                          [--no-model] [-o FOLDER]

  GROUP=CHOICE, KEY=VALUE   what recipes.run takes: task=ner data.train=news.conll data.test=... model=...
                            Splits that are not given are not cut off: what is there is checked
  --fail-on      error (the default), warning, note or never: from which grade on the exit status is 1
  --ignore       kinds of findings that do not count, with commas between them
  --at-most      KIND=SHARE, with commas between several: the kind does not count up to this share, as in
                 --at-most near_duplicates=0.05
  --no-model     leave out what the model would cut off or does not know, which takes half of the time
  -o, --output   the folder of check.json and check.html (default: outputs/checks/TASK/DATA)

Exit status: 0 nothing grave, 1 findings, 2 the command or the rows can't be used, or the report can't be written.

Examples
  python -m recipes.check task=classification data.train=reviews.csv data.test=more.csv
  python -m recipes.check task=ner data.train=names.conll model=roberta-base --fail-on warning"""

NO_MODEL = "--no-model"
FAIL_ON = ("error", "warning", "note", "never")
VALUE_FLAGS = {
    "-o": "output",
    "--output": "output",
    "--fail-on": "fail_on",
    "--ignore": "ignore",
    "--at-most": "at_most",
}


@dataclass(frozen=True)
class CheckLine:
    """What a command line of `recipes.check` asks for."""

    overrides: tuple[str, ...]
    "As `recipes.run` takes them."
    output: Path | None
    fail_on: str
    excused: dict[str, float]
    "For kinds of findings the share up to which they do not count."
    with_model: bool
    "Whether it is looked at what the model makes of the rows."


def read_check_line(arguments: Sequence[str], kinds: Sequence[str]) -> CheckLine:
    """Sort the words of the command line.

    Args:
        arguments: the words.
        kinds: the kinds of findings that there are.

    Raises:
        InputError: a word is none of its words, or a value is none of its values.
    """
    if "--cfg" in arguments:
        raise InputError("All keys, with their values: python -m recipes.run --cfg job")
    rest, values, switched = without_flags(arguments, VALUE_FLAGS, (NO_MODEL,))
    wanted = next((word for word in rest if word.startswith(("study=", "search="))), None)
    if wanted is not None:
        raise InputError(f"{wanted}: a check trains nothing. That is for recipes.run")
    for word in rest:
        if "=" not in word:
            near = f"data.train={word}" if Path(word).exists() else "KEY=VALUE"
            raise InputError(f"'{word}': no key. Did you mean {near}?")
    fail_on = values.get("fail_on", "error")
    if fail_on not in FAIL_ON:
        raise InputError(f"--fail-on {fail_on}: choose from {', '.join(FAIL_ON)}.{did_you_mean(fail_on, FAIL_ON)}")
    excused = {_kind("--ignore", name, kinds): 1.0 for name in _listed(values.get("ignore"))}
    for word in _listed(values.get("at_most")):
        name, _, share = word.partition("=")
        excused[_kind("--at-most", name, kinds)] = _share(word, share)
    output = values.get("output")
    folder = None if output is None else Path(output).expanduser()
    return CheckLine(tuple(rest), folder, fail_on, excused, NO_MODEL not in switched)


def _listed(value: str | None) -> list[str]:
    return [part.strip() for part in (value or "").split(",") if part.strip()]


def _kind(flag: str, name: str, kinds: Sequence[str]) -> str:
    if name not in kinds:
        raise InputError(f"{flag} {name}: no kind of findings.{did_you_mean(name, kinds)} Kinds: {', '.join(kinds)}")
    return name


def _share(word: str, share: str) -> float:
    try:
        value = float(share[:-1]) / 100 if share.endswith("%") else float(share)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise InputError(f"--at-most {word}: a share such as KIND=0.05 or KIND=5%")
    return value
