"""The examples in docstrings give what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEED_FILES = {
    "recipes.load",
    "tasks.data.formats.arrow_tables.name_labels",
    "tasks.data.formats.conll.read_conll",
    "tasks.data.formats.delimited.read_delimited",
    "tasks.data.formats.plain_text.read_plain_text",
    "tasks.data.read.read_label_names",
}
"These show files of their own, which are not there."
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for room in ("tasks", "recipes")
    for path in sorted((ROOT / room).rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module(module: str) -> None:
    found = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module))
    said: list[str] = []
    for one in found:
        if one.name not in NEED_FILES:
            doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(one, out=said.append)
    assert not said, "\n".join(said)


def test_the_examples_are_found() -> None:
    assert len(MODULES) > 50
    names = {one.name for module in MODULES for one in doctest.DocTestFinder().find(importlib.import_module(module))}
    assert names >= NEED_FILES
