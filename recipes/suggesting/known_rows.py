"""The rows that a run was trained and judged on, which need no label any more."""

import yaml

from recipes.config.conversion import data_options
from recipes.results.run_directory import RunDirectory
from tasks.errors import InputError
from tasks.load import load
from tasks.task import AnyTask, Row


def known_rows(directory: RunDirectory, task: AnyTask) -> tuple[list[Row], str]:
    """Return the labelled rows of a run, and why there are none if they can't be read any more.

    Args:
        directory: that of the run, or of any other trained model.
        task: that of the model.
    """
    path = directory.config
    if not path.is_file():
        return [], f"{directory} is no run directory: rows that have a label already can't be told"
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        rows = load(task, data_options(tree["data"]), int(tree["seed"]))
    except (InputError, OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        first = str(error).splitlines()[0]
        return [], f"rows that have a label already can't be told, as those of the run can't be read: {first}"
    return [row for split, of_split in rows.splits.items() if split not in rows.unlabelled for row in of_split], ""
