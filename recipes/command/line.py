"""The words of a command line: sorted, checked, and quoted, before Hydra reads them.

Hydra can be told to call any function that can be imported: by `_target_`, by callbacks, by the configuration of
logging. It blocks the functions that it knows to be dangerous, which by its own words is no complete boundary. Nothing
of that is of use here, so it is refused altogether.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import InputError, did_you_mean

SWEEPING = ("-m", "--multirun")
FOLDER = ("--config-dir", "-cd")
SHOWING = ("--cfg", "-c", "--info", "-i", "--hydra-help", "--version", "--shell-completion", "-sc")
"Hydra's flags that show something and run nothing."
OF_CFG = ("--package", "-p", "--resolve")
"Further ones, for what `--cfg` shows."

HYDRA_KEYS = ("hydra.launcher", "hydra.sweeper", "hydra.searchpath")
"How jobs of a sweep are launched and chosen, and where further config files are looked for."


@dataclass(frozen=True)
class CommandLine:
    """The arguments, sorted into what they are for."""

    overrides: tuple[str, ...]
    "Everything but flags."
    sweeps: bool
    "Several runs are asked for."
    showing: tuple[str, ...]
    "Flags, with their values, that ask Hydra to show something."

    @property
    def hydra_overrides(self) -> tuple[str, ...]:
        """The overrides that are about Hydra itself."""
        return tuple(override for override in self.overrides if key_of(override).startswith("hydra"))


def read_command_line(arguments: Sequence[str]) -> CommandLine:
    """Sort the arguments, and refuse those that could make Hydra run code.

    Raises:
        InputError: a flag does not exist or lacks its value, or an argument is not allowed.
    """
    overrides: list[str] = []
    showing: list[str] = []
    sweeps, folder = False, None
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        flag, _, value = argument.partition("=")
        if not argument.startswith("-"):
            overrides.append(argument)
        elif flag in SWEEPING:
            sweeps = True
        elif flag in FOLDER:
            folder = value or (rest.pop(0) if rest else "")
        elif flag in (*SHOWING, *OF_CFG):
            showing.append(argument)
            if argument in ("--package", "-p") and rest:
                showing.append(rest.pop(0))
            if argument in ("--cfg", "-c"):
                showing.append(rest.pop(0) if rest and rest[0] in ("job", "hydra", "all") else "job")
        else:
            flags = (*SWEEPING, *FOLDER, *SHOWING, *OF_CFG, "--help")
            raise InputError(f"No flag '{flag}'.{did_you_mean(flag, flags)} What there is: --help")
    if showing and not any(argument.partition("=")[0] in SHOWING for argument in showing):
        raise InputError(f"{showing[0]}: with --cfg only, as in --cfg job {' '.join(showing)}")
    for override in overrides:
        _refuse(override)
    if folder is not None:
        overrides.append(_search(folder, overrides))
    return CommandLine(tuple(overrides), sweeps, tuple(showing))


def hydra_literal(value: str) -> str:
    """Return a value in quotes, so that Hydra's grammar takes it as it stands.

    >>> hydra_literal(";")
    "';'"
    """
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", value)
    return f"'{escaped}'"


def shell_word(text: str) -> str:
    """Return a text as one word of a shell's command line.

    >>> print(shell_word("seed=1"), shell_word("data.separator=';'"))
    seed=1 "data.separator=';'"
    """
    quoted = shlex.quote(text)
    return f'"{text}"' if quoted != text and "'" in text and not set(text) & set('"$`\\!') else quoted


def key_of(override: str) -> str:
    """Return the dotted key that an override is about, such as `hydra.launcher` for `+hydra/launcher=joblib`."""
    return override.lstrip("+~").partition("=")[0].strip().replace("/", ".")


def _refuse(override: str) -> None:
    key = key_of(override)
    if not key.startswith("hydra"):
        return
    if "@" in key or not any(key == known or key.startswith(f"{known}.") for known in HYDRA_KEYS):
        raise InputError(
            f"'{override}' is not allowed: of Hydra's own settings there are only hydra/launcher, hydra/sweeper, their "
            "values, and hydra.searchpath"
        )


def _search(folder: str, overrides: Sequence[str]) -> str:
    path = Path(folder).expanduser().absolute()
    if not folder or not path.is_dir():
        raise InputError(f"--config-dir {folder}: there is no such folder")
    if any(key_of(override) == "hydra.searchpath" for override in overrides):
        raise InputError("--config-dir and hydra.searchpath: use one of them, hydra.searchpath=[file://A,file://B]")
    return f"hydra.searchpath=[{hydra_literal(f'file://{path}')}]"
