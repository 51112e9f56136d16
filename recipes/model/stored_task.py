"""What a trained model's config keeps about its task, so that new texts are read as those of its training were."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from recipes.config.schema import TASKS
from recipes.config.task_options import with_options
from tasks.data.options import Columns
from tasks.errors import InputError
from tasks.task import AnyTask

TASK_KEY = "recipe_task"
"Key of the config.json of a trained model."


@dataclass(frozen=True)
class StoredTask:
    """The task that a model was trained for."""

    task: AnyTask
    "With the values that `auto` options came to."
    form: str = ""
    "What all rows have in common, by `Task.form`: single texts, or pairs."
    columns: Mapping[str, Any] = field(default_factory=dict)
    "The columns that the user named, by the fields of `Columns`."
    label_names: Sequence[str] | None = None
    "The names of integer labels in files, if the user gave them."

    @classmethod
    def of(cls, task: AnyTask, form: str, columns: Columns, label_names: Sequence[str] | None = None) -> "StoredTask":
        """Return what to keep of a run."""
        named = {name: value for name, value in asdict(columns).items() if value is not None}
        return cls(task, form, named, label_names)

    def to_config(self) -> dict[str, Any]:
        """Return it as JSON values, for the model's config."""
        options = asdict(self.task)
        kept = {"name": options.pop("name"), "options": options, "form": self.form, "columns": self.columns}
        return {TASK_KEY: {**kept, "label_names": None if self.label_names is None else list(self.label_names)}}


def stored_task(config: Any) -> StoredTask | None:
    """Return the task that a model's config keeps, or None if none of our runs trained the model.

    Raises:
        InputError: it can't be read: the config was changed, or is of another version of this program.
    """
    tree = getattr(config, TASK_KEY, None)
    if tree is None:
        return None
    try:
        kind = TASKS[tree["name"]]
        known = {option.name for option in fields(kind)} - {"name"}
        options, columns = tree["options"], tree["columns"]
        strange = sorted({*options} - known) + sorted({*columns} - {column.name for column in fields(Columns)})
        if strange:
            raise ValueError(f"there is no '{strange[0]}'")
        task = with_options(kind(), options)
        return StoredTask(task, str(tree["form"]), dict(columns), tree.get("label_names"))
    except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
        raise InputError(
            f"{TASK_KEY} in its config.json can't be read ({error}): it was changed, or another version of this "
            "program wrote it"
        ) from error
