"""Values that are no choice of a config group, but a file, a folder or the name of something else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes.command.groups import choices, no_choice
from recipes.command.synonyms import TASK_NAMES
from tasks.data.files import expand_home


@dataclass(frozen=True)
class Meant:
    """What a value of a config group means."""

    instead: tuple[str, ...] | None
    "The words to write; None: nothing is known to be meant."
    message: str = ""
    "What is wrong, if `instead` does not say it all."


def meant_choice(group: str, value: str, folders: Sequence[Path]) -> Meant | None:
    """Return what to write instead of `group=value`, or None if the choice exists.

    Args:
        group: the config group.
        value: a single value, as typed.
        folders: folders that have more config files.
    """
    name = value.removesuffix(".yaml")
    if (
        name in choices(group)
        or value == "null"
        or any((place / group / f"{name}.yaml").is_file() for place in folders)
    ):
        return None
    if group == "model" and (is_path(value) or "/" in value):
        return Meant((f"model.path={value}",))
    if group in ("data", "task") and is_path(value):
        return Meant((f"data.train={value}",))
    if group == "data" and re.fullmatch(r"[\w.-]+/[\w.-]+", value):
        return Meant((f"data.hub={value}",))
    plain = value.lower().replace("_", "-")
    if group == "task" and plain in TASK_NAMES:
        return Meant(tuple(TASK_NAMES[plain].split()))
    if group == "experiment" and value.endswith((".yaml", ".yml")):
        return _experiment(value)
    return Meant(None, no_choice(group, value))


def _experiment(value: str) -> Meant:
    """Return how to name an experiment by the folder that holds it."""
    path = Path(value)
    if path.suffix == ".yaml" and path.parent.name == "experiment":
        return Meant(("--config-dir", str(path.parent.parent), f"experiment={path.stem}"))
    return Meant(
        None,
        f"experiment={value}: put the file at FOLDER/experiment/{path.stem}.yaml, then write "
        f"--config-dir FOLDER experiment={path.stem}",
    )


def is_path(value: str) -> bool:
    """Tell whether a value exists as a file or folder, or looks like a path or glob. A hub id does not.

    >>> is_path("reviews.csv"), is_path("./x"), is_path("owner/name"), is_path("wnut17")
    (True, True, False, False)
    """
    return exists(value) or bool(re.match(r"[~/.\[]|[A-Za-z]:\\", value) or re.search(r"\.\w+$|[*?]", value))


def exists(value: str) -> bool:
    """Tell whether there is a file or folder of this name."""
    try:
        return expand_home(value).exists()
    except (OSError, ValueError):
        return False
