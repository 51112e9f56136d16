"""The command line: Hydra composes, errors become messages, a sweep ends with its table.

The only module that imports hydra.
"""

import os
import re
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import hydra
from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from hydra.types import RunMode

from recipes import config as schema
from recipes import sweep
from recipes.config import Config
from recipes.console import complain
from recipes.help import CONF, GROUPS, choices
from recipes.interruption import Interrupted, Interruption
from tasks.data.options import DataOptions
from tasks.errors import InputError, did_you_mean

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
    baseline: dict[str, Any]
    "Dotted keys and values that the same task, data and model give with nothing else said."


def register() -> None:
    """Store the schema of every config group, so that wrong keys and types fail while composing."""
    store = ConfigStore.instance()
    store.store(name="base_config", node=Config)
    for name, task in schema.TASKS.items():
        store.store(group="task", name=f"base_{name}", node=task)
    store.store(group="data", name="base_data", node=DataOptions)
    store.store(group="model", name="base_model", node=schema.Model)
    store.store(group="hparams", name="base_hparams", node=schema.Hparams)
    store.store(group="runtime", name="base_runtime", node=schema.Runtime)
    store.store(group="tracker", name="base_tracker", node=schema.Tracker)


def compose(overrides: Sequence[str]) -> Config:
    """Return the config that the command would run with these overrides."""
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        return schema.parse(hydra.compose("config", overrides=list(overrides)))


def main(run: Callable[[Config, Invocation], sweep.Outcome], arguments: Sequence[str]) -> int:
    """Compose the config of each job, run it, and return the exit status."""
    with Interruption() as interruption:
        try:
            return _compose_and_run(run, arguments, interruption)
        except Interrupted as interrupted:
            complain(f"{interrupted} To go on from there, run the same command again.")
            return interrupted.exit_status


def _compose_and_run(
    run: Callable[[Config, Invocation], sweep.Outcome], arguments: Sequence[str], interruption: Interruption
) -> int:
    # Hydra then raises its exceptions instead of printing them and leaving.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # Hydra reads flags before overrides only.
    arguments = sorted(arguments, key=lambda argument: argument not in ("-m", "--multirun"))
    sweep_directory = None
    if {"-m", "--multirun"} & set(arguments):
        sweep_directory = sweep.directory(_output_root(arguments), arguments)
        arguments = [*arguments, f"hydra.sweep.dir={_hydra_quoted(str(sweep_directory))}"]
        sweep.forget_jobs(sweep_directory)
    sys.argv = [sys.argv[0], *arguments]
    register()
    # Hydra announces an exception of a job in words of its own, so that a job's input error is kept here instead.
    errors: list[InputError] = []
    try:
        _refuse_code(arguments)
        job = partial(_job, run, errors, interruption)
        hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(job)()
    except InputError as error:
        errors.append(error)
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        errors.append(InputError(message))
    if errors:
        complain(str(errors[0]))
        return INPUT_ERROR
    if sweep_directory is not None and not sweep.show_table(sweep_directory):
        return JOB_FAILED
    return 0


def _job(
    run: Callable[[Config, Invocation], sweep.Outcome], errors: list[InputError], interruption: Interruption, tree: Any
) -> float:
    """Do one job and return its objective to Hydra. In a sweep, a job that fails leaves the others to go on."""
    hydra_config = HydraConfig.get()
    overrides = list(hydra_config.overrides.task)
    if hydra_config.mode != RunMode.MULTIRUN:
        try:
            return run(schema.parse(tree), _invocation(overrides, interruption)).objective
        except InputError as error:
            errors.append(error)
            return float("nan")
    number, directory = int(hydra_config.job.num), Path(str(hydra_config.sweep.dir))
    try:
        outcome = run(schema.parse(tree), _invocation(overrides, interruption))
    except Exception as error:
        what = str(error) if isinstance(error, InputError) else "".join(traceback.format_exception(error))
        complain(f"Job {number} ({' '.join(overrides)}) failed. {what}")
        sweep.record(directory, number, overrides, error=str(error) or type(error).__name__)
        return float("nan")
    sweep.record(directory, number, overrides, outcome)
    return outcome.objective


def _invocation(overrides: Sequence[str], interruption: Interruption) -> Invocation:
    chosen = {group: str(name) for group, name in HydraConfig.get().runtime.choices.items() if group in GROUPS}
    loader = GlobalHydra.instance().config_loader()
    same = [f"{group}={chosen[group]}" for group in ("task", "data", "model")]
    tree = loader.load_configuration(config_name="config", overrides=same, run_mode=RunMode.RUN)
    command = " ".join(["python -m recipes.run", *map(shlex.quote, overrides)])
    return Invocation(command, chosen, interruption, schema.plain(tree, leave_out="hydra"))


def explain(error: Exception) -> str | None:
    """Say in the user's words what went wrong while composing; None if the error is not about the config."""
    if isinstance(error, MissingConfigException):
        return _missing_choice(str(error))
    if isinstance(error, OverrideParseException):
        return (
            f"Can't read the override '{error.override}'. Write KEY=VALUE, and quote special characters: 'KEY=\"a b\"'"
        )
    cause = error.__cause__ if isinstance(error, HydraException) else error
    text = " ".join(str(part) for part in (error, cause) if part is not None)
    key = re.search(r"Key '([^']+)' is not in struct|Key '([^']+)' not in '", text)
    if key:
        where = re.search(r"full_key: (\S+)", text)
        full = where.group(1) if where else (key.group(1) or key.group(2))
        return f"No config key '{full}'.{_near_key(full)}"
    unknown = re.search(r"Could not override '([^']+)'", text)
    if unknown:
        return f"No config key or group '{unknown.group(1)}'.{_near_key(unknown.group(1))}"
    merging = re.search(r"Error merging override ([^=\s]+)=", str(error))
    if merging and cause is not None:
        return f"{merging.group(1)}: {_plain_type(str(cause))}"
    if isinstance(error, HydraException) or type(error).__module__.startswith("omegaconf"):
        return "Config: " + str(error).strip()
    return None


def _missing_choice(message: str) -> str:
    missing = re.search(r"Could not find '([^']+)/([^'/]+)'", message)
    if missing is None:
        return message.strip()
    group, name = missing.groups()
    offered = choices(group)
    if not offered:
        return f"No config group '{group}'.{did_you_mean(group, GROUPS)} Groups: {', '.join(GROUPS)}"
    hint = " For a folder or hub id: model.path=NAME." if group == "model" else ""
    hint = " For your own files: data=files data.train=PATH." if group == "data" else hint
    return (
        f"No choice '{name}' in the group '{group}'.{did_you_mean(name, offered)} Choices: {', '.join(offered)}.{hint}"
    )


def _near_key(key: str) -> str:
    known = schema.known_keys()
    leaf = key.rsplit(".", 1)[-1]
    same_leaf = [name for name in known if name.rsplit(".", 1)[-1] == leaf]
    if same_leaf:
        return f" Did you mean {' or '.join(sorted(same_leaf, key=_group_order))}?"
    near = did_you_mean(key, [*known, *GROUPS])
    if near:
        return near
    siblings = [name for name in known if name.startswith(key.rsplit(".", 1)[0] + ".")] if "." in key else []
    return f" Keys there: {', '.join(siblings)}" if siblings else " All keys, with their values: --cfg job"


def _group_order(key: str) -> bool:
    """Name hyperparameters before what the model merely suggests for them."""
    return key.startswith("model.")


def _plain_type(message: str) -> str:
    """Say in plain words what OmegaConf says of a wrong value, without its further lines."""
    first = message.strip().split("\n", 1)[0]
    words = {
        " of type 'str'": "",
        " (type str)": "",
        "could not be converted to Integer": "is not a whole number",
        "could not be converted to Float": "is not a number",
        "is not a valid bool": "is neither true nor false",
    }
    for theirs, ours in words.items():
        first = first.replace(theirs, ours)
    return first


def _refuse_code(arguments: Sequence[str]) -> None:
    for argument in arguments:
        if re.search(r"_(target|args|partial|recursive|convert)_", argument):
            raise InputError(f"'{argument}' is not allowed: a config holds values, never code to call")


def _output_root(arguments: Sequence[str]) -> Path:
    given = [argument.partition("=")[2] for argument in arguments if argument.startswith("output_root=")]
    return Path(given[-1].strip("'\"") if given else Config().output_root)


def _hydra_quoted(value: str) -> str:
    return "'" + value.replace("'", "\\'") + "'"
