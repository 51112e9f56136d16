"""The values of the best trial as a file that `experiment=` takes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from recipes.command.groups import GROUPS
from recipes.command.line import key_of
from recipes.command.own_rows import shell_command
from recipes.searching.space import overrides_of
from recipes.system.files import write_text

NAME = "best"


def write_winner(folder: Path, params: Mapping[str, Any], words: list[str], said: str) -> str:
    """Write the values of a trial into the search's folder, and return the command that trains with them.

    Args:
        folder: that of the search.
        params: the values by key.
        words: the overrides of every trial, and where else config files are looked for.
        said: a line about where they are from.
    """
    tree = OmegaConf.create()
    for key, value in params.items():
        if key not in GROUPS:
            OmegaConf.update(tree, key, yaml.safe_load(str(value)) if isinstance(value, str) else value)
    defaults = [{f"override /{key}": value} for key, value in params.items() if key in GROUPS]
    content = {**({"defaults": defaults} if defaults else {}), **_plain(tree)}
    if any(key_of(word) in ("experiment", "hydra.searchpath") for word in words):  # there can be one only of each
        command = shell_command([*words, *overrides_of(params), "search.sampler=none"])
    else:
        command = shell_command(["--config-dir", str(folder), *words, f"experiment={NAME}"])
    text = f"# @package _global_\n# {command}\n# {said}\n{yaml.safe_dump(content, sort_keys=False)}"
    (folder / "experiment").mkdir(exist_ok=True)
    write_text(folder / "experiment" / f"{NAME}.yaml", text)
    return command


def _plain(tree: Any) -> dict[str, Any]:
    container = OmegaConf.to_container(tree)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}
