"""Sorts, checks and quotes the arguments of a command line before Hydra reads them.

Hydra can be told to call any function that can be imported: by `_target_`, by callbacks, by the configuration of
logging. It blocks functions that it knows to be dangerous, but says itself that this is no complete boundary. This
program needs none of these calls, so it refuses them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import InputError, did_you_mean
from tasks.overrides import hydra_literal

SWEEP_FLAGS = ("-m", "--multirun")
CONFIG_DIR_FLAGS = ("--config-dir", "-cd")
INFO_FLAGS = ("--cfg", "-c", "--info", "-i", "--hydra-help", "--version", "--shell-completion", "-sc")
"Hydra's flags that show something and run nothing."
CFG_FLAGS = ("--package", "-p", "--resolve")
"Hydra's flags that change what `--cfg` shows."

HYDRA_KEYS = ("hydra.launcher", "hydra.sweeper", "hydra.searchpath")
"Hydra's settings that may be set: how a sweep launches and chooses jobs, and where Hydra looks for config files."


NOT_OF_A_RUN = ("search", "study")
"Groups that say what several runs are for, and nothing of a run."


@dataclass(frozen=True)
class CommandLine:
    """The arguments of a command line, sorted by purpose."""

    overrides: tuple[str, ...]
    "All arguments that are not flags."
    sweeps: bool
    "Whether the command asks for several runs."
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
        elif flag in SWEEP_FLAGS:
            sweeps = True
        elif flag in CONFIG_DIR_FLAGS:
            folder = value or (rest.pop(0) if rest else "")
        elif flag in (*INFO_FLAGS, *CFG_FLAGS):
            showing.append(argument)
            if argument in ("--package", "-p") and rest:
                showing.append(rest.pop(0))
            if argument in ("--cfg", "-c"):
                showing.append(rest.pop(0) if rest and rest[0] in ("job", "hydra", "all") else "job")
        else:
            raise InputError(no_flag(flag))
    if showing and not any(argument.partition("=")[0] in INFO_FLAGS for argument in showing):
        raise InputError(f"{showing[0]}: with --cfg only, as in --cfg job {' '.join(showing)}")
    if showing and sweeps:
        raise InputError(f"--multirun and {showing[0]}: leave out one of them; {showing[0]} is about a single run")
    for override in overrides:
        _refuse_hydra_setting(override)
    if folder is not None:
        overrides.append(_searchpath_override(folder, overrides))
    return CommandLine(tuple(overrides), sweeps, tuple(showing))


def no_flag(flag: str) -> str:
    """Return the message that there is no such flag."""
    flags = (*SWEEP_FLAGS, *CONFIG_DIR_FLAGS, *INFO_FLAGS, *CFG_FLAGS, "--help")
    return f"No flag '{flag}'.{did_you_mean(flag, flags)} What there is: --help"


def key_of(override: str) -> str:
    """Return the dotted key that an override is about, such as `hydra.launcher` for `+hydra/launcher=joblib`."""
    return override.lstrip("+~").partition("=")[0].strip().replace("/", ".")


def is_about_many(override: str) -> bool:
    """Tell whether an override is about what several runs are for, and not about a run."""
    return key_of(override).partition(".")[0] in NOT_OF_A_RUN


def _refuse_hydra_setting(override: str) -> None:
    key = key_of(override)
    if not key.startswith("hydra"):
        return
    if "@" in key or not any(key == known or key.startswith(f"{known}.") for known in HYDRA_KEYS):
        raise InputError(
            f"'{override}' is not allowed: of Hydra's own settings there are only hydra/launcher, hydra/sweeper, their "
            "values, and hydra.searchpath"
        )


def _searchpath_override(folder: str, overrides: Sequence[str]) -> str:
    path = Path(folder).expanduser().absolute()
    if not folder or not path.is_dir():
        raise InputError(f"--config-dir {folder}: there is no such folder")
    if any(key_of(override) == "hydra.searchpath" for override in overrides):
        raise InputError("--config-dir and hydra.searchpath: use one of them, hydra.searchpath=[file://A,file://B]")
    return f"hydra.searchpath=[{hydra_literal(f'file://{path}')}]"
