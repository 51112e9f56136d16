"""From predicted rows to the lines of a file: JSON lines, CSV, and CoNLL for words with tags."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from recipes.config.schema import TASKS
from recipes.serving.journal import Line
from tasks.errors import InputError
from tasks.task import AnyTask
from tasks.writing.csv_cells import csv_text
from tasks.writing.writer import as_cell, to_json

Lines: TypeAlias = Callable[[], Iterable[Line]]
"A function that goes through all rows from the beginning; formats may need to do so twice."


@dataclass(frozen=True)
class Layout:
    """What the columns of the output are called."""

    columns: tuple[str, ...]
    "Those of the input, in order."
    with_places: bool
    "Whether file and line of each row are told, as there are several files."

    def free(self, name: str) -> str:
        """Return a name for a column of ours that the input does not have.

        >>> Layout(("text", "prediction"), False).free("prediction")
        'prediction_2'
        """
        taken, number = {*self.columns}, 2
        free = name
        while free in taken:
            free, number = f"{name}_{number}", number + 1
        return free


def layout_of(lines: Iterable[Line], with_places: bool) -> Layout:
    """Return the layout for these rows."""
    columns = dict.fromkeys(name for line in lines for name in line["values"])
    return Layout(tuple(columns), with_places)


def json_lines(lines: Iterable[Line], task: AnyTask, layout: Layout) -> Iterator[str]:
    """Yield a JSON object for each row: the columns of the input, and `prediction`."""
    del task
    name = layout.free("prediction")
    for line in lines:
        yield f"{to_json({**_place(line, layout), **line['values'], name: line['answer']})}\n"


def csv_lines(lines: Iterable[Line], task: AnyTask, layout: Layout) -> Iterator[str]:
    """Yield the lines of a table: the columns of the input, and those of the answer."""
    ours: dict[str, str] = {}
    head: list[str] = []
    for line in lines:
        cells = task.cells(line["answer"])
        if not head:
            ours = {name: layout.free(name) for name in cells}
            places = [*_place(line, layout)]
            head = [*places, *layout.columns, *ours.values()]
            yield csv_text(head, [])
        row = {**_place(line, layout), **line["values"], **{ours[name]: cell for name, cell in cells.items()}}
        yield csv_text(head, [{name: as_cell(value) for name, value in row.items()}]).partition("\n")[2]


def conll_lines(lines: Iterable[Line], task: AnyTask, layout: Layout) -> Iterator[str]:
    """Yield a word on each line, its tag if the input has one, and its predicted tag; an empty line after a sentence.

    Raises:
        InputError: a word holds what a line can't.
    """
    del layout, task
    for line in lines:
        tags = line["tags"]
        gold = line.get("gold") or [None] * len(tags)
        for token, before, tag in zip(line["tokens"], gold, tags, strict=True):
            if set(token) & set("\t\n\r") or not token.strip():
                raise InputError(f"{line['file']}, {line['place']}: CoNLL can't hold the word {token!r}: -o FILE.jsonl")
            yield "\t".join(part for part in (token, before, tag) if part is not None) + "\n"
        yield "\n"


FORMATS: dict[str, Callable[[Iterable[Line], AnyTask, Layout], Iterator[str]]] = {
    ".jsonl": json_lines,
    ".csv": csv_lines,
    ".conll": conll_lines,
}
"The function that makes a file's lines, by its extension."


def require_format(output: Path, task: str) -> None:
    """Refuse a format that can't hold the predictions of a task, before any is made.

    Raises:
        InputError: the message says which can.
    """
    if output.suffix.lower() == ".conll" and not TASKS[task].tags_words:
        raise InputError(f"-o {output}: CoNLL is for named entities, not for {task}: -o FILE.jsonl or FILE.csv")


def _place(line: Line, layout: Layout) -> dict[str, Any]:
    return {layout.free("file"): line["file"], layout.free("place"): line["place"]} if layout.with_places else {}
