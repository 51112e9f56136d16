"""From overrides to a config: Hydra merges the files of `conf/`, but calls no code that they name.

Of the code that Hydra itself calls, only launchers and sweepers can be chosen, and on the command line alone. A config
file from elsewhere is refused if it changes anything under `hydra`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any

from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from recipes.command.groups import CONF
from recipes.command.line import NOT_OF_A_RUN, key_of
from recipes.command.own_rows import sets_own_rows
from recipes.config.conversion import parse
from recipes.config.flat_keys import flat_values
from recipes.config.forbidden import refuse_calls, refuse_made_up
from recipes.config.schema import TASKS, CommandConfig, Config, Hparams, Model, Runtime, Search, Study, Tracker
from recipes.config.validation import ROW_SOURCE_KEYS, SAMPLES, names_own_rows
from tasks.data.options import DataOptions
from tasks.errors import InputError

PLUGIN_PREFIXES = ("hydra_plugins.", "hydra._internal.core_plugins.")
"Prefixes of the modules with Hydra's launchers and sweepers, the only objects that a config may name."

PER_JOB_SETTINGS = ("runtime", "overrides", "mode", "sweep")
"Parts of `hydra` that Hydra or this program sets anew for each job."


def register() -> None:
    """Store the schema of every config group, so that wrong keys and types fail while composing."""
    store = ConfigStore.instance()
    store.store(name="base_config", node=CommandConfig)
    for name, task in TASKS.items():
        store.store(group="task", name=f"base_{name}", node=task)
    store.store(group="data", name="base_data", node=DataOptions)
    store.store(group="model", name="base_model", node=Model)
    store.store(group="hparams", name="base_hparams", node=Hparams)
    store.store(group="runtime", name="base_runtime", node=Runtime)
    store.store(group="tracker", name="base_tracker", node=Tracker)
    store.store(group="search", name="base_search", node=Search)
    store.store(group="study", name="base_study", node=Study)


def compose(overrides: Sequence[str]) -> Config:
    """Return the config that the command would run with these overrides."""
    return parse(without_hydra(compose_tree(overrides)))


def compose_tree(overrides: Sequence[str], sweeps: bool = False) -> DictConfig:
    """Return the tree that Hydra composes from the overrides, with its own settings under `hydra`.

    Args:
        overrides: those on the command line.
        sweeps: whether an override may list several values to try. Such overrides are not applied.

    Raises:
        InputError: a config file can't be read.
        HydraException: the overrides don't fit the schema or `conf/`; `recipes.command.hydra_errors` explains it.
    """
    register()
    try:
        within_a_sweep = GlobalHydra.instance().is_initialized()
        with nullcontext() if within_a_sweep else initialize_config_dir(str(CONF), version_base="1.3"):
            loader = GlobalHydra.instance().config_loader()
            mode = RunMode.MULTIRUN if sweeps else RunMode.RUN
            tree: DictConfig = loader.load_configuration("config", list(overrides), run_mode=mode)
    except (PermissionError, UnicodeDecodeError) as error:
        raise InputError(f"Config: a file can't be read as text: {error}") from error
    return tree


def without_hydra(tree: DictConfig) -> DictConfig:
    """Return a composed tree without Hydra's own settings."""
    with read_write(tree), open_dict(tree):
        del tree["hydra"]
    return tree


def with_own_files(overrides: tuple[str, ...], tree: DictConfig) -> tuple[str, ...]:
    """Return the overrides with `data=files` if they name rows of the user's own and choose no data set.

    Without this, the user's training rows would stand beside the validation and test rows of the built-in sample. A
    sample that is chosen all the same is refused with the other errors of a config.

    Args:
        overrides: the words of the command line.
        tree: what `compose_tree` made of them.
    """
    keys = {key_of(override) for override in overrides}
    values: Any = OmegaConf.to_container(tree.data, resolve=False)
    own = any(names_own_rows(values.get(key)) for key in ROW_SOURCE_KEYS) or any(map(sets_own_rows, overrides))
    if own and "data" not in keys and str(tree.hydra.runtime.choices.get("data")) in SAMPLES:
        return ("data=files", *overrides)
    return overrides


def require_one_length(hparams: Any, choices: Mapping[str, str | None], overrides: Sequence[str]) -> None:
    """Refuse epochs and steps together if an override sets one of them and a config file the other.

    Args:
        hparams: the composed hyperparameters.
        choices: the choice of each config group.
        overrides: those on the command line.

    Raises:
        InputError: the message names the file's choice, and what to write besides.
    """
    given = {key: hparams[key] for key in ("epochs", "max_steps") if hparams[key] is not None}
    typed = {key_of(override) for override in overrides} & {f"hparams.{key}" for key in given}
    if len(given) < 2 or len(typed) != 1:
        return
    (key,) = typed
    (other,) = given.keys() - {key.rpartition(".")[2]}
    for group in ("experiment", "hparams"):
        without = [override for override in overrides if key_of(override) not in (key, group)]
        if choices.get(group) and compose_tree(without).hparams[other] is None:
            raise InputError(
                f"{key}: {group}={choices[group]} sets hparams.{other}={given[other]:g}, "
                f"and only one of the two can be set. Write also: hparams.{other}=null"
            )


@cache
def baseline(task: str, data: str, model: str, hydra_overrides: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the dotted keys and values that these three choices give without further overrides."""
    same = (f"task={task}", f"data={data}", f"model={model}", *hydra_overrides)
    return flat_values(compose_tree(same), leave_out=("hydra", *NOT_OF_A_RUN))


def require_no_code(tree: DictConfig, hydra_overrides: tuple[str, ...]) -> None:
    """Refuse a tree that names code to call, or whose Hydra settings were changed outside of the command line.

    Args:
        tree: the tree that `compose_tree` returned.
        hydra_overrides: those on the command line that are about Hydra.

    Raises:
        InputError: the settings are refused; the message names the keys.
    """
    everything = OmegaConf.to_container(tree, resolve=False)
    assert isinstance(everything, dict)
    refuse_calls({key: value for key, value in everything.items() if key != "hydra"})
    require_own_settings(tree.hydra, hydra_overrides)


def require_own_settings(hydra: DictConfig, hydra_overrides: tuple[str, ...]) -> None:
    """Refuse Hydra's settings (the node `hydra`) for the same reasons. Each job of a sweep needs this check again.

    Raises:
        InputError: the settings are refused; the message names the keys.
    """
    settings, expected = _settings(hydra), _expected_settings(hydra_overrides)
    strange = [key for key in sorted({*settings, *expected}) if settings.get(key) != expected.get(key)]
    if strange:
        raise InputError(
            f"Config: hydra.{', hydra.'.join(strange)}: not allowed in a config file. Hydra's own settings can be "
            "chosen on the command line only: hydra/launcher, hydra/sweeper, and their values"
        )
    for key, value in settings.items():
        refuse_made_up(value, f"hydra.{key}")
        if key.rpartition(".")[2] == "_target_" and not str(value).startswith(PLUGIN_PREFIXES):
            raise InputError(f"Config: hydra.{key}={value} is not allowed: a config holds values, never code to call")


@cache
def _expected_settings(hydra_overrides: tuple[str, ...]) -> Mapping[str, Any]:
    return _settings(compose_tree(hydra_overrides).hydra)


def _settings(hydra: DictConfig) -> dict[str, Any]:
    container = OmegaConf.to_container(hydra, resolve=False)
    assert isinstance(container, dict)
    kept = {str(key): value for key, value in container.items() if key not in PER_JOB_SETTINGS}
    kept["job"] = {key: kept["job"][key] for key in ("env_set", "env_copy", "chdir")}
    return dict(_leaves(kept))


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list) and tree:
        for index, value in enumerate(tree):
            yield from _leaves(value, f"{path}.{index}")
    else:
        yield path, tree
