"""Jobs of a sweep that are not known beforehand, by the launcher of Hydra that the command line chooses."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode

from recipes.command import composing
from recipes.command.dispatch import Invocation, Run, Sweep
from recipes.command.groups import CONF
from recipes.config.schema import Config
from recipes.machine.gpus import take_gpu
from recipes.machine.threads import threads_per_process
from recipes.results.sweep_table import Outcome
from tasks.overrides import hydra_literal

SIDE_BY_SIDE = ("joblib", "submitit_local")
"Launchers that run jobs at the same time on this machine. Slurm gives each job cores of its own."


def runs_of(sweep: Sweep, together: int) -> Run:
    """Return what does a run: with its share of cores and GPUs, if several run at the same time on this machine.

    Args:
        sweep: the command.
        together: how many jobs are launched at a time.
    """
    launcher = str(sweep.tree.hydra.runtime.choices.get("hydra/launcher"))
    return partial(_run_on_a_share, sweep.run, together) if together > 1 and launcher in SIDE_BY_SIDE else sweep.run


def _run_on_a_share(run: Run, together: int, config: Config, invocation: Invocation) -> Outcome:
    if config.runtime.device in ("auto", "cuda"):
        take_gpu()
    if config.runtime.threads is None:
        config = replace(config, runtime=replace(config.runtime, threads=threads_per_process(together)))
    return run(config, invocation)


def launch(
    sweep: Sweep, folder: Path, job: Callable[[Any], Any], overrides: Sequence[Sequence[str]], first: int
) -> None:
    """Launch jobs, and wait for them.

    Args:
        sweep: the command.
        folder: that of the sweep.
        job: takes the composed tree of a job.
        overrides: those of each job.
        first: the number of the first job.
    """
    place = f"hydra.sweep.dir={hydra_literal(str(folder))}"
    composing.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        assert hydra is not None
        config = hydra.compose_config(
            "config", [*sweep.line.hydra_overrides, place], run_mode=RunMode.MULTIRUN, with_log_configuration=False
        )
        context = HydraContext(config_loader=hydra.config_loader, callbacks=Callbacks(config))
        launcher = Plugins.instance().instantiate_launcher(hydra_context=context, task_function=job, config=config)
        for returned in launcher.launch([list(words) for words in overrides], initial_job_idx=first):
            _ = returned.return_value  # raises what the job raised
