"""Options of a task from Python or from a file, held to the same types as those of a command line."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tasks.errors import InputError, did_you_mean
from tasks.task import AnyTask


def with_options(task: AnyTask, options: Mapping[str, Any]) -> AnyTask:
    """Return a task with other values for some of its fields.

    Raises:
        InputError: there is no such field, or a value is wrong.
    """
    known = [option.name for option in fields(task) if option.name != "name"]
    changed = OmegaConf.structured(task)
    for name, value in options.items():
        if name not in known:
            raise InputError(f"task.{name}: {task.name} has no such option.{did_you_mean(name, known)}")
        try:
            OmegaConf.update(changed, name, value, merge=False)
        except OmegaConfBaseException as error:
            raise InputError(f"task.{name}={value}: {str(error).splitlines()[0]}") from error
    made: Any = OmegaConf.to_object(changed)
    faults = list(made.errors())
    if faults:
        raise InputError("\n".join(faults))
    checked: AnyTask = made
    return checked
