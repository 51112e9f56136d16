"""Turns Hydra's errors while composing a config into messages that the user understands."""

import re

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from yaml import YAMLError

from recipes.command.groups import no_choice
from recipes.command.keys import no_key
from recipes.config.flat_keys import known_keys
from tasks.overrides import hydra_literal, shell_word


def explain(error: Exception) -> str | None:
    """Return a message that the user understands, or None if the error is not about the config."""
    if isinstance(error, MissingConfigException):
        return _missing_choice(str(error))
    if isinstance(error, YAMLError):
        return f"Config: {_place_in_yaml(error)}"
    if isinstance(error, OverrideParseException):
        return _unreadable(str(error.override))
    cause = error.__cause__ if isinstance(error, HydraException) else error
    text = " ".join(str(part) for part in (error, cause) if part is not None)
    key = re.search(r"Key '([^']+)' is not in struct|Key '([^']+)' not in '", text)
    if key:
        where = re.search(r"full_key: (\S+)", text)
        full = where.group(1) if where else (key.group(1) or key.group(2))
        return f"{_file_of(text)}{no_key(full)}"
    unknown = re.search(r"Could not override '([^']+)'", text)
    if unknown:
        return no_key(unknown.group(1))
    merging = re.search(r"Error merging override ([^=\s]+)=(.*)", str(error))
    if merging and cause is not None:
        return _wrong_type(merging.group(1), merging.group(2), str(cause))
    if isinstance(error, HydraException) or type(error).__module__.startswith("omegaconf"):
        return "Config: " + _with_file_and_key(str(error))
    return None


def _unreadable(override: str) -> str:
    key, equals, value = override.partition("=")
    if not equals or not key:
        return f"Can't read the override '{override}'. Write KEY=VALUE"
    literal = shell_word(f"{key}={hydra_literal(value)}")
    return f"Can't read the override '{override}'. If its value is meant as it stands, write: {literal}"


def _missing_choice(message: str) -> str:
    missing = re.search(r"Could not find '([^']+)/([^'/]+)'", message)
    if missing is None:
        return message.strip()
    group, name = missing.groups()
    return no_choice(group, name)


def _with_file_and_key(message: str) -> str:
    """Put the config file and the key in front of a message, and drop OmegaConf's lines about its own types."""
    told = [line for line in message.strip().splitlines() if not re.match(r"\s+(full_key|\w+_type):?=?", line)]
    key = re.search(r"full_key: (\S+)", message)
    if key is None or not _file_of(message):
        return "\n".join(told)
    return f"{_file_of(message)}{key.group(1)}: {_plain_type(told[-1])}"


def _file_of(message: str) -> str:
    """Return the beginning of a sentence that names the config file in a message of Hydra's; "" if it names none."""
    place = re.search(r"In '([^']+)': ", message)
    return f"In {place.group(1)}.yaml: " if place else ""


def _place_in_yaml(error: YAMLError) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or error
    where = f"{mark.name}, line {mark.line + 1}: " if mark is not None else ""
    return f"{where}this is no valid YAML: {problem}"


def _wrong_type(key: str, value: str, message: str) -> str:
    """Say what a key takes, after OmegaConf's message about a value that it can't take."""
    key = key.lstrip("+")
    within = [known.removeprefix(f"{key}.") for known in known_keys() if known.startswith(f"{key}.")]
    if within:
        return f"{key}={value}: it holds keys of its own. Write {key}.NAME=VALUE; NAME is one of {', '.join(within)}"
    if "is not a ListConfig" in message or "Cannot merge" in message:
        return f"{key}={value}: a list, such as {shell_word(f'{key}=[FIRST,SECOND]')}"
    return f"{key}: {_plain_type(message)}"


def _plain_type(message: str) -> str:
    """Return the first line of OmegaConf's message about a wrong value, in plain words."""
    first = message.strip().split("\n", 1)[0]
    if re.fullmatch(r"field '.*' is not Optional|Incompatible value 'None' for field.*", first):
        return "it can't be null. Leave it out for its default"
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
