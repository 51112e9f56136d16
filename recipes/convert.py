"""Write labelled rows in another format: `python -m recipes.convert export.jsonl -o names.conll`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recipes.command.convert_line import ConvertLine
    from recipes.config.schema import Config
    from tasks.data.records import ReadReport
    from tasks.writing.rereading import Reading
    from tasks.writing.writer import Writer, Written


def main(arguments: Sequence[str] | None = None) -> int:
    """Print help, or convert. Returns the exit status."""
    from recipes.command.convert_line import HELP, read_convert_line
    from recipes.command.words import do

    return do(sys.argv[1:] if arguments is None else arguments, HELP, lambda words: convert(read_convert_line(words)))


def convert(line: "ConvertLine") -> None:
    """Read rows, write them in another format, and say what was done and what was lost.

    Raises:
        InputError: a file, row or choice can't be used, or a row can't be held by the format.
    """
    from recipes.command.output_file import require_free
    from recipes.config.schema import TASKS
    from tasks.data.read import read_label_names, read_records
    from tasks.data.records import ReadReport
    from tasks.errors import InputError, did_you_mean
    from tasks.task import Layout
    from tasks.writing.fitting import only_task, unused_columns
    from tasks.writing.rereading import reading_of, rows_of
    from tasks.writing.writers import choose_writer, require_written_format

    require_free(line.output, line.inputs, overwrite=line.overwrite)
    if line.format is not None:
        require_written_format(line.format)
    if line.task is not None and line.task not in TASKS:
        raise InputError(f"--task {line.task}: choose from {', '.join(TASKS)}.{did_you_mean(line.task, TASKS)}")
    data = _config(line, line.task).data
    report = ReadReport(on_bad_row=data.on_bad_row)
    records = read_records(data, "train", report) or []
    task = line.task or only_task(records, data.columns)
    writer = choose_writer(task, line.output.suffix.lower(), line.format)
    layout = Layout(data.columns, read_label_names(data.label_names))
    rows, labelled = rows_of(records, _config(line, task).task, layout, report)
    read = len(rows)
    written = writer.write(rows, labelled, report)
    reading = reading_of(written, labelled, writer, TASKS[task], line.output.name)
    unused = unused_columns(records, data.columns, task)
    if unused:
        report.note(f"columns that {task} rows have no place for, left out: {', '.join(unused)}")
    _write(line.output, written.text)
    _show(report, written)
    _show_end(line, writer, written, reading, f"{read} {task} rows{'' if labelled else ' without labels'}")


def _config(line: "ConvertLine", task: str | None) -> "Config":
    """Return the config that says how to read. Without a task, only the options of `data` are looked at."""
    from recipes.command.composing import compose
    from recipes.command.literals import with_literal_values
    from tasks.overrides import hydra_literal

    options = with_literal_values([word for word in line.options if task is not None or word.startswith("data.")])
    inputs = ",".join(map(hydra_literal, line.inputs))
    train = inputs if len(line.inputs) == 1 else f"[{inputs}]"  # of a data set of the hub, the name of one split
    chosen = () if task is None else (f"task={task}",)
    return compose([*chosen, "data=files", f"data.train={train}", *options])


def _write(path: Path, text: str) -> None:
    from recipes.system.files import write_text
    from tasks.errors import InputError

    try:
        write_text(path, text)
    except OSError as error:
        raise InputError(f"-o {path}: can't be written: {error.strerror}") from error


def _show(report: "ReadReport", written: "Written") -> None:
    from recipes.system.console import say_field

    for line in report.recognised:
        say_field("read", line.removeprefix("train: "))
    for what, told in report.told():
        say_field(what, told)
    for note in (*report.notes, *written.notes):
        say_field("note", note)


def _show_end(line: "ConvertLine", writer: "Writer", written: "Written", reading: "Reading", read: str) -> None:
    from recipes.system.console import say

    options = " ".join(f"task.{key}={value}" for key, value in reading.options.items())
    how = f" with {options}" if options else ""
    if reading.different:
        same = f"{reading.different} of them read back with other words{how}, for {writer.name} has no place for words"
    else:
        same = f"they read back the same{how}"
    lost = [f"{what} ({count} rows)" for what, count in written.losses.items()]
    losses = f"; not held by {writer.name}: {', '.join(lost)}" if lost else ""
    say(f"Read {read}; wrote {len(written.rows)} to {line.output} as {writer.name}; {same}{losses}")


if __name__ == "__main__":
    sys.exit(main())
