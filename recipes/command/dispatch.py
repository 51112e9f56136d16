"""The command: one run or a sweep of many, errors become messages, a sweep ends with its table."""

import os
import shlex
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig

from recipes.command import composing
from recipes.command import line as command_line
from recipes.command.groups import CONF, GROUPS
from recipes.command.hydra_errors import explain
from recipes.command.line import CommandLine
from recipes.config.conversion import parse
from recipes.config.schema import Config
from recipes.results import sweep_table as sweep
from recipes.system.console import complain
from recipes.system.signals import Interrupted, Interruption
from tasks.errors import InputError

INPUT_ERROR = 2
"Exit status where what the user gave can't be used."
JOB_FAILED = 1
"Exit status of a sweep with a failed job."


@dataclass(frozen=True)
class Invocation:
    """How a run was asked for."""

    command: str
    choices: dict[str, str]
    "The choice of each config group."
    interruption: Interruption
    "What a signal asks of this process."
    baseline: Mapping[str, Any]
    "Dotted keys and values that the same task, data and model give with nothing else said."


Run = Callable[[Config, Invocation], sweep.Outcome]


def main(run: Run, arguments: Sequence[str]) -> int:
    """Compose the config of each job, run it, and return the exit status."""
    with Interruption() as interruption:
        try:
            return _main(run, command_line.read(arguments), interruption)
        except Interrupted as interrupted:
            complain(f"{interrupted} To go on from there, run the same command again.")
            return interrupted.exit_status
        except InputError as error:
            complain(str(error))
            return INPUT_ERROR
        except Exception as error:
            message = explain(error)
            if message is None:
                raise
            complain(message)
            return INPUT_ERROR


def _main(run: Run, line: CommandLine, interruption: Interruption) -> int:
    if line.showing:
        _hand_to_hydra([*line.showing, *line.overrides], lambda _: None)
        return 0
    tree = composing.compose_tree(line.overrides, line.sweeps)
    composing.require_no_code(tree, line.hydra_overrides)
    if line.sweeps:
        return _sweep(run, line, interruption)
    HydraConfig.instance().set_config(tree)  # for what refers to `${hydra:...}`
    settings = tree.hydra
    config = parse(composing.without_hydra(tree))
    run(config, _invocation(settings, line.overrides, line.hydra_overrides, interruption))
    return 0


def _sweep(run: Run, line: CommandLine, interruption: Interruption) -> int:
    directory = sweep.directory(_output_root(line.overrides), line.overrides)
    sweep.forget_jobs(directory)
    place = f"hydra.sweep.dir={command_line.quoted(str(directory))}"
    job = partial(_job, run, line.hydra_overrides, interruption)
    _hand_to_hydra(["--multirun", *line.overrides, place], job)
    return 0 if sweep.show_table(directory) else JOB_FAILED


def _hand_to_hydra(arguments: Sequence[str], job: Callable[[Any], Any]) -> None:
    # Hydra then raises its exceptions instead of printing them and leaving.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    sys.argv = [sys.argv[0], *arguments]
    composing.register()
    hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(job)()


def _job(run: Run, hydra_overrides: tuple[str, ...], interruption: Interruption, tree: Any) -> float:
    """Do one job of a sweep and return its objective to Hydra. One that fails leaves the others to go on."""
    settings: Any = HydraConfig.get()
    overrides = list(settings.overrides.task)
    number, directory = int(settings.job.num), Path(str(settings.sweep.dir))
    try:
        composing.require_own_settings(settings, hydra_overrides)
        outcome = run(parse(tree), _invocation(settings, overrides, hydra_overrides, interruption))
    except Exception as error:
        what = str(error) if isinstance(error, InputError) else "".join(traceback.format_exception(error))
        complain(f"Job {number} ({' '.join(overrides)}) failed. {what}")
        sweep.record(directory, number, overrides, error=str(error) or type(error).__name__)
        return float("nan")
    sweep.record(directory, number, overrides, outcome)
    return outcome.objective


def _invocation(
    settings: Any, overrides: Sequence[str], hydra_overrides: tuple[str, ...], interruption: Interruption
) -> Invocation:
    chosen = {group: str(name) for group, name in settings.runtime.choices.items() if group in GROUPS}
    baseline = composing.baseline(chosen["task"], chosen["data"], chosen["model"], hydra_overrides)
    command = " ".join(["python -m recipes.run", *map(shlex.quote, overrides)])
    return Invocation(command, chosen, interruption, baseline)


def _output_root(overrides: Sequence[str]) -> Path:
    given = [override.partition("=")[2] for override in overrides if override.startswith("output_root=")]
    return Path(given[-1].strip("'\"") if given else Config().output_root)
