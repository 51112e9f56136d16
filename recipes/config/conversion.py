"""From Hydra's composed tree to a validated `Config`, and from there to plain dicts and YAML."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from recipes.config.flat_keys import flatten, known_keys
from recipes.config.forbidden import refuse_calls
from recipes.config.schema import Config, Search, Study
from recipes.config.validation import validate, validate_search, validate_study
from tasks.data.options import DataOptions
from tasks.errors import InputError, did_you_mean

Part = TypeVar("Part")


def parse(tree: DictConfig) -> Config:
    """Turn Hydra's composed tree into the validated `Config` of a run, which searches and studies are no part of.

    Raises:
        InputError: a value is missing, of the wrong type or out of range; all such errors are gathered in one message.
    """
    refuse_calls(OmegaConf.to_container(tree, resolve=False))
    _refuse_unknown_keys(tree)
    try:
        config = OmegaConf.to_object(tree)
    except OmegaConfBaseException as error:
        raise InputError(f"Config: {_first_line(error)}") from error
    assert isinstance(config, Config)
    config = Config(**{one.name: getattr(config, one.name) for one in dataclasses.fields(Config)})
    validate(config)
    return config


def parse_search(tree: DictConfig) -> Search:
    """Turn the node `search` of Hydra's composed tree into a validated `Search`.

    Raises:
        InputError: a value is of the wrong type or out of range.
    """
    return _part(tree.search, Search, validate_search)


def parse_study(tree: DictConfig) -> Study:
    """Turn the node `study` of Hydra's composed tree into a validated `Study`.

    Raises:
        InputError: a value is of the wrong type or out of range.
    """
    return _part(tree.study, Study, validate_study)


def data_options(tree: Mapping[str, Any]) -> DataOptions:
    """Return the options of `data` of a run's config.yaml. Keys that this version does not know are left out.

    Raises:
        InputError: a value is of the wrong type.
    """
    known = {field.name for field in dataclasses.fields(DataOptions)}
    kept = {name: value for name, value in tree.items() if name in known}
    try:
        options = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(DataOptions), kept))
    except OmegaConfBaseException as error:
        raise InputError(f"Config: {_first_line(error)}") from error
    assert isinstance(options, DataOptions)
    return options


def _part(node: DictConfig, kind: type[Part], validate_part: Callable[[Part], None]) -> Part:
    """Turn a node of Hydra's composed tree into a validated dataclass."""
    try:
        part = OmegaConf.to_object(node)
    except OmegaConfBaseException as error:
        raise InputError(f"Config: {_first_line(error)}") from error
    assert isinstance(part, kind)
    validate_part(part)
    return part


def to_dict(config: Config) -> dict[str, Any]:
    """Return the config as plain nested dicts, for `config.yaml` and for comparing."""
    return dataclasses.asdict(config)


def to_yaml(config: Config) -> str:
    """Return the config as YAML text, complete and without interpolations."""
    return OmegaConf.to_yaml(OmegaConf.create(to_dict(config)))


def _refuse_unknown_keys(tree: DictConfig) -> None:
    """Refuse keys that were added with `+` and that no schema has: nothing would ever read them."""
    known = known_keys()
    container = OmegaConf.to_container(tree, resolve=False)
    assert isinstance(container, dict)
    for name in flatten({str(key): value for key, value in container.items()}):
        if not any(name == key or name.startswith(f"{key}.") for key in known):
            raise InputError(f"No config key '{name}'.{did_you_mean(name, known)}")


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
