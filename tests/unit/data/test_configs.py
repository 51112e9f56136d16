"""The YAML files of the data group."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.data.options import Columns, DataOptions
from tasks.data.readers import FORMATS

FOLDER = Path(__file__).parents[3] / "conf" / "data"
FILES = sorted(FOLDER.rglob("*.yaml"))
COMMAND = "# python -m recipes.run task="


def load(path: Path) -> dict[str, Any]:
    options = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert options.pop("defaults") == ["base_data", "_self_"]
    return dict(options)


def test_there_are_files() -> None:
    assert {"files", "classification_sample", "ner_sample", "qa_sample"} < {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file(path: Path) -> None:
    options = load(path)
    columns = options.pop("columns", {})
    assert set(options) <= {field.name for field in dataclasses.fields(DataOptions)}
    assert set(columns) <= {field.name for field in dataclasses.fields(Columns)}
    assert all(isinstance(value, str) for value in columns.values())
    assert options["name"] == (None if path.stem == "files" else path.stem)
    assert options.get("format", "auto") in FORMATS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_first_lines(path: Path) -> None:
    command, what, *_ = path.read_text(encoding="utf-8").split("\n")
    assert command.startswith(COMMAND)
    task = command.removeprefix(COMMAND).split()[0]
    assert load(path).get("task", task) == task
    if path.stem != f"{task}_sample":
        assert f" data={path.stem}" in command
    assert what.startswith("# ")
