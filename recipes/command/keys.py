"""The keys of the config: which of them hold texts and paths, and which one is meant by another name."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, get_type_hints

from recipes.command.groups import GROUPS
from recipes.command.synonyms import COLUMNS_OF_TASKS, SYNONYMS
from recipes.config.flat_keys import known_keys
from recipes.config.schema import TASKS, CommandConfig
from recipes.results.location import INPUT_PATHS

PATHS = ("output_root", *INPUT_PATHS)
"Keys whose value is a path, or can be one."

TEXTS_OR_LISTS = ("data.train", "data.validation", "data.test", "data.label_names", "data.columns.label")
"Keys whose value is a text or a list of texts."

LISTS = ("data.header", "data.accept")
"Keys whose value is a list of texts, and never a single one."

AMBIGUOUS = ("path", "name")
"Names that are the last part of a key, but that users give to other things as well."


@cache
def text_keys() -> frozenset[str]:
    """Return the keys whose value is a text, or can be one."""
    return frozenset(key for key, kind in _typed_keys() if kind in (str, str | None)) | {*TEXTS_OR_LISTS}


def is_switch(key: str) -> bool:
    """Tell whether the values of a key are true and false."""
    return (key, bool) in _typed_keys()


@cache
def _typed_keys() -> tuple[tuple[str, Any], ...]:
    """Return each key of each task with its type."""
    keys = [*_types(CommandConfig, "")]
    for task in TASKS.values():
        keys += _types(task, "task.")
    return tuple(keys)


def _types(schema: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, kind in get_type_hints(schema).items():
        if is_dataclass(kind):
            yield from _types(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", kind


@cache
def _leaves() -> dict[str, list[str]]:
    """Return the keys by the last part of their names, without keys that a more usual one has a default from."""
    found: dict[str, list[str]] = {}
    for key in known_keys():
        if key != "model.learning_rate":
            found.setdefault(key.rpartition(".")[2], []).append(key)
    return found


def is_key(name: str) -> bool:
    """Tell whether a config has this key, or keys below it."""
    below = f"{name}."
    return name.startswith("hparams.class_weights.") or any(
        name == key or key.startswith(below) for key in known_keys()
    )


def meant_key(name: str, task: str | None = None) -> str | None:
    """Return the key or group that a name stands for beyond doubt, or None.

    >>> meant_key("lr"), meant_key("hparams.lr"), meant_key("data.column.text"), meant_key("nonsense")
    ('hparams.learning_rate', 'hparams.learning_rate', 'data.columns.text', None)

    Args:
        name: the name as typed; upper case, dashes and slashes are accepted.
        task: the task that the command chooses. A few names depend on it.
    """
    name = name.lower().replace("-", "_").replace("/", ".")
    if name in GROUPS or is_key(name):
        return name
    parent, _, leaf = name.rpartition(".")
    synonyms = {**SYNONYMS, **COLUMNS_OF_TASKS.get(task or "", {})}
    meant = synonyms.get(name) or synonyms.get(leaf)
    beside = f"{parent}.{(meant or leaf).rpartition('.')[2]}"
    if parent and is_key(beside):
        return beside
    endings = [key for key in known_keys() if key.endswith(f".{name}")]
    if parent and len(endings) == 1:
        return endings[0]
    same_leaf = _leaves().get(leaf, [])
    return meant or (same_leaf[0] if len(same_leaf) == 1 and leaf not in AMBIGUOUS else None)


def nearest_key(name: str) -> str | None:
    """Return the key or group whose spelling is nearest to a name, or None if none is near."""
    leaf = name.rpartition(".")[2]
    if leaf in _leaves():
        return None  # Several keys end so, and which one is nearest in spelling means nothing.
    names = [*known_keys(), *GROUPS]
    near_leaves = get_close_matches(leaf, {known.rpartition(".")[2] for known in names})
    near = get_close_matches(name, [known for known in names if known.rpartition(".")[2] in near_leaves], n=1)
    if near:
        return near[0]
    similar = get_close_matches(leaf, SYNONYMS, n=1, cutoff=0.9)
    return SYNONYMS[similar[0]] if similar else None


def no_key(name: str) -> str:
    """Return the message that there is no key of this name, with the nearest ones."""
    owners = [task for task, kind in TASKS.items() if name in {f"task.{field.name}" for field in fields(kind)}]
    if owners:
        return f"No config key '{name}' for this task: it belongs to task={' and task='.join(owners)}"
    return f"No config key '{name}'.{_near(name)}"


def _near(name: str) -> str:
    meant = meant_key(name) or nearest_key(name)
    if meant is not None:
        return f" Did you mean '{meant}'?"
    same_leaf = _leaves().get(name.rpartition(".")[2], [])
    if same_leaf:
        return f" Did you mean {' or '.join(same_leaf)}?"
    below = f"{name.rpartition('.')[0]}."
    siblings = [key for key in known_keys() if key.startswith(below)]
    return f" Keys there: {', '.join(siblings)}" if siblings else " All keys, with their values: --cfg job"
