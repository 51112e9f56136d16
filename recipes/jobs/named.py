"""Runs that are planned together, each with a name, done by a launcher with a line for each."""

import hashlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig

from recipes.command.dispatch import Invocation, Run, Sweep, do_job
from recipes.config.schema import Config
from recipes.jobs.launching import launch, runs_of
from recipes.results.scores import format_score
from recipes.results.sweep_table import Job, Outcome, forget_jobs, jobs_of, path_of_job
from recipes.system.console import duration, quietly, say
from recipes.system.files import write_text
from recipes.system.signals import Interruption

BEGUN = "begun"
"The folder of marks for runs whose weights are to be removed."


@dataclass(frozen=True)
class NamedJob:
    """A run that is planned."""

    name: str
    "What its line on the console begins with."
    overrides: tuple[str, ...]


def do_named_jobs(
    sweep: Sweep, folder: Path, jobs: Sequence[NamedJob], together: int, keep_models: bool = True
) -> list[Job | None]:
    """Do runs, and return what became of each, in their order. None: its process ended without a word.

    Runs that were finished before are found again, and interrupted ones go on.

    Args:
        sweep: the command.
        folder: where it is kept what became of each run.
        jobs: the runs.
        together: how many are launched at a time.
        keep_models: whether the weights stay. Those of runs that were there before stay anyway.
    """
    forget_jobs(folder)
    width = max(len(job.name) for job in jobs)
    names = [f"{number:>{len(str(len(jobs)))}}/{len(jobs)}  {job.name:<{width}}" for number, job in enumerate(jobs, 1)]
    run = runs_of(sweep, together)
    if not keep_models:
        run = partial(_do_and_remove_weights, run, folder)
    job = partial(_do_quietly, run, names, sweep.line.hydra_overrides, sweep.interruption)
    for begin in range(0, len(jobs), together):
        launch(sweep, folder, job, [list(one.overrides) for one in jobs[begin : begin + together]], begin)
    shutil.rmtree(folder / BEGUN, ignore_errors=True)  # weights that somebody trains from now on are not ours
    ended = {one.number: one for one in jobs_of(folder)}
    return [ended.get(number) for number in range(len(jobs))]


def _do_quietly(
    run: Run, names: Sequence[str], hydra_overrides: tuple[str, ...], interruption: Interruption, tree: Any
) -> float:
    started = time.perf_counter()
    with quietly():
        value = do_job(run, hydra_overrides, interruption, tree)
    number, folder = int(HydraConfig.get().job.num), Path(str(HydraConfig.get().sweep.dir))
    outcome = Job.load(path_of_job(folder, number)).outcome
    told = "failed" if outcome is None else f"{outcome.objective_name} {format_score(outcome.objective)}"
    say(f"  {names[number]}  {told}  ({duration(time.perf_counter() - started)})")
    return value


def _do_and_remove_weights(run: Run, folder: Path, config: Config, invocation: Invocation) -> Outcome:
    """Do a run, and remove its weights unless it was finished before. A mark tells that after a kill, too."""
    directory = invocation.directory_of(config)
    mark = folder / BEGUN / hashlib.sha256(str(directory).encode()).hexdigest()[:16]
    if (config.overwrite or directory.finished_report() is None) and not mark.exists():
        mark.parent.mkdir(parents=True, exist_ok=True)
        write_text(mark, str(directory))
    outcome = run(config, invocation)
    if mark.exists():
        directory.remove_weights()
    return outcome
