"""Executes the command: one run, or a sweep that ends with its table. Errors become messages."""

import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig

from recipes.command import composing
from recipes.command.groups import CONF, GROUPS
from recipes.command.hints import refuse_mistyped
from recipes.command.hydra_errors import explain
from recipes.command.line import CommandLine, is_about_many, read_command_line
from recipes.command.literals import with_literal_values
from recipes.command.own_rows import require_task, shell_command
from recipes.config.conversion import parse
from recipes.config.schema import Config
from recipes.reporting.sweep_page import write_sweep_page
from recipes.results.location import data_name, model_name, run_path
from recipes.results.run_directory import RunDirectory
from recipes.results.sweep_table import Job, Outcome, forget_jobs, jobs_of, print_table, save_job, sweep_directory
from recipes.results.watching import Watch
from recipes.system.console import complain, say
from recipes.system.signals import Interrupted, Interruption
from tasks.data.files import expand_home
from tasks.errors import InputError
from tasks.overrides import hydra_literal

INPUT_ERROR = 2
"Exit status if the user's input can't be used."
JOB_FAILED = 1
"Exit status of a sweep with a failed job."


@dataclass(frozen=True)
class Invocation:
    """The command that a run belongs to."""

    command: str
    "The shell command that does this run again."
    choices: dict[str, str]
    "The choice of each config group."
    baseline: Mapping[str, Any]
    "Dotted keys and values that the same task, data and model give without further overrides."
    interruption: Interruption
    "Tells whether a signal told this process to end."
    started: float
    "Reading of `time.perf_counter` when the command, or this job of its sweep, began."
    watch: Watch | None = None
    "Is told of each evaluation, and may end the run."

    def directory_of(self, config: Config) -> RunDirectory:
        """Return the directory of the run."""
        return RunDirectory(run_path(config, self.choices["data"], self.choices["model"], self.baseline))

    def subject(self, config: Config) -> str:
        """Return what the run trains on what."""
        data = data_name(config, self.choices["data"], self.baseline)
        return f"{config.task.name} on {data} with {model_name(config, self.choices['model'], self.baseline)}"


Run = Callable[[Config, Invocation], Outcome]


@dataclass(frozen=True)
class Sweep:
    """The command of a sweep."""

    run: Run
    "Does one run."
    line: CommandLine
    tree: Any
    "The composed tree, in which overrides with several values are left out."
    output_root: Path
    interruption: Interruption


Sweeper = Callable[[Sweep], int]
"Does a sweep of its own kind, and returns the exit status."


@dataclass(frozen=True)
class Sweepers:
    """What does the sweeps that Hydra itself has no way to do. None: there are none of this kind."""

    search: Sweeper | None = None
    "Chooses each run by what those before it gave."
    study: Sweeper | None = None
    "Answers a question by several runs."


def main(run: Run, arguments: Sequence[str], started: float, sweepers: Sweepers = Sweepers()) -> int:
    """Compose the config of each job, run it, and return the exit status.

    Args:
        run: does one run.
        arguments: the words of the command line.
        started: reading of `time.perf_counter` when the command began.
        sweepers: do searches and studies.
    """
    with Interruption() as interruption:
        try:
            refuse_mistyped(arguments)
            return _main(run, read_command_line(arguments), interruption, started, sweepers)
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


def _main(run: Run, line: CommandLine, interruption: Interruption, started: float, sweepers: Sweepers) -> int:
    typed = line.overrides
    line = replace(line, overrides=with_literal_values(typed, line.sweeps))
    tree = composing.compose_tree(line.overrides, line.sweeps)
    overrides = composing.with_own_files(line.overrides, tree)
    if overrides != line.overrides:
        line = replace(line, overrides=overrides)
        tree = composing.compose_tree(line.overrides, line.sweeps)
    if line.showing:
        _hand_to_hydra([*line.showing, *line.overrides], lambda _: None)
        return 0
    composing.require_no_code(tree, line.hydra_overrides)
    require_task(typed, ("-m",) if line.sweeps else ())
    HydraConfig.instance().set_config(tree)  # for values that refer to `${hydra:...}`
    sweep = Sweep(run, line, tree, expand_home(str(tree.output_root)), interruption)
    if tree.study.kind != "none" and sweepers.study is not None:
        return sweepers.study(sweep)
    if line.sweeps:
        return _sweep(sweep) if sweepers.search is None or tree.search.sampler == "none" else sweepers.search(sweep)
    if tree.search.sampler != "none":
        raise InputError(f"search={tree.search.sampler}: a search makes several runs: -m search={tree.search.sampler}")
    settings = tree.hydra
    composing.require_one_length(tree.hparams, settings.runtime.choices, line.overrides)
    config = parse(composing.without_hydra(tree))
    run(config, _invocation(settings, line.overrides, line.hydra_overrides, interruption, started))
    return 0


def _sweep(sweep: Sweep) -> int:
    line = sweep.line
    directory = sweep_directory(sweep.output_root, line.overrides)
    forget_jobs(directory)
    place = f"hydra.sweep.dir={hydra_literal(str(directory))}"
    job = partial(do_job, sweep.run, line.hydra_overrides, sweep.interruption)
    _hand_to_hydra(["--multirun", *line.overrides, place], job)
    succeeded = print_table(directory)
    if jobs_of(directory):
        say(f"Report: {write_sweep_page(directory)}")
    return 0 if succeeded else JOB_FAILED


def _hand_to_hydra(arguments: Sequence[str], job: Callable[[Any], Any]) -> None:
    # Otherwise Hydra prints its exceptions and exits, instead of raising them.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    sys.argv = [sys.argv[0], *arguments]
    composing.register()
    hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(job)()


def do_job(run: Run, hydra_overrides: tuple[str, ...], interruption: Interruption, tree: Any) -> float:
    """Do one job of a sweep and return its objective to Hydra. If it fails, the other jobs still run."""
    settings: Any = HydraConfig.get()
    overrides = list(settings.overrides.task)
    number, directory = int(settings.job.num), Path(str(settings.sweep.dir))
    try:
        outcome = run(*read_job(hydra_overrides, interruption, tree))
    except Exception as error:
        complain(f"Job {number} ({' '.join(overrides)}) failed. {details_of(error)}")
        save_job(directory, Job(number, overrides, outcome=None, error=str(error) or type(error).__name__))
        return float("nan")
    save_job(directory, Job(number, overrides, outcome))
    return float("nan") if outcome.objective is None else outcome.objective


def read_job(hydra_overrides: tuple[str, ...], interruption: Interruption, tree: Any) -> tuple[Config, Invocation]:
    """Return the config of a job of a sweep, as Hydra composed it, and the command that it is.

    Raises:
        InputError: the config can't be used.
    """
    started = time.perf_counter()
    settings: Any = HydraConfig.get()
    overrides = [word for word in settings.overrides.task if not is_about_many(word)]
    composing.require_own_settings(settings, hydra_overrides)
    composing.require_one_length(tree.hparams, settings.runtime.choices, overrides)
    return parse(tree), _invocation(settings, overrides, hydra_overrides, interruption, started)


def details_of(error: Exception) -> str:
    """Return what is shown of an error that ends a job: a sentence, if one was made for it."""
    return str(error) if isinstance(error, InputError) else "".join(traceback.format_exception(error))


def _invocation(
    settings: Any,
    overrides: Sequence[str],
    hydra_overrides: tuple[str, ...],
    interruption: Interruption,
    started: float,
) -> Invocation:
    chosen = {group: str(name) for group, name in settings.runtime.choices.items() if group in GROUPS}
    return Invocation(
        command=shell_command(overrides),
        choices=chosen,
        baseline=composing.baseline(chosen["task"], chosen["data"], chosen["model"], hydra_overrides),
        interruption=interruption,
        started=started,
    )
