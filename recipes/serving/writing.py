"""Where predicted lines go: into a file that can be gone on with, or to standard output as they are made."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from recipes.serving.journal import Journal, plain
from recipes.serving.output_formats import FORMATS, layout_of
from recipes.serving.predicting_files import FilePredictor
from tasks.data.records import Record
from tasks.errors import InputError

Portions: TypeAlias = Iterable[list[Record]]
"The records of the input, a portion at a time."
Progress: TypeAlias = Callable[[int], object]
"A function that is told how many rows are done so far."


def write_file(
    predictor: FilePredictor,
    portions: Portions,
    output: Path,
    identity: Mapping[str, Any],
    *,
    overwrite: bool,
    progress: Progress,
) -> int:
    """Predict all rows and write them to a file, which takes its name once it is complete.

    Args:
        predictor: predicts the records.
        portions: the records of the input.
        output: the file; its extension is one of `FORMATS`.
        identity: what the predictions depend on. With the same one, an interrupted prediction goes on.
        overwrite: whether to begin anew in any case.
        progress: is told how many rows are done.

    Returns:
        How many rows had been predicted before an interruption.

    Raises:
        InputError: a row or the file can't be used.
    """
    # A link stays one: what it leads to is written.
    journal = Journal(output.resolve() if output.is_symlink() else output)
    with journal.lock():
        if output.exists() and not overwrite:
            raise InputError(f"-o {output}: another command has written it meanwhile. To write it anew: --overwrite")
        before = journal.begin(identity, overwrite)
        progress(before)
        try:
            for lines in predictor.lines(portions, journal.lines() if before else iter(())):
                journal.append(lines)
                progress(predictor.rows)
        except BaseException:
            journal.remove_if_empty()
            raise
        if predictor.rows < before:
            raise InputError(
                f"-o {output}: an interrupted prediction had {before} rows, but the input has {predictor.rows} now: "
                "--overwrite begins anew"
            )
        _finish(predictor, journal)
    return before


def _finish(predictor: FilePredictor, journal: Journal) -> None:
    """Write the output in its format from the journal, and remove that."""
    output, task = journal.output, predictor.model.task
    several = len({line["file"] for line in journal.lines()}) > 1
    layout = layout_of(journal.lines(), with_places=several)
    # The lock keeps others away, so that the name may be the same each time: what a kill leaves is written over.
    partial = output.with_name(f".{output.name}.whole")
    try:
        with partial.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.writelines(FORMATS[output.suffix.lower()](journal.lines(), task, layout))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(output)
    except OSError as error:
        raise InputError(
            f"-o {output}: can't be written: {error.strerror}. All rows are predicted: make room, and give the same "
            "command again"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    journal.path.unlink()


def write_standard_output(predictor: FilePredictor, portions: Portions, progress: Progress) -> None:
    """Predict all rows, and print a JSON object for each as soon as it is there.

    Raises:
        BrokenPipeError: nobody reads the output any more.
        InputError: a row can't be used.
    """
    for lines in predictor.lines(portions, iter(())):
        lines = [{**line, "values": plain(line["values"])} for line in lines]
        layout = layout_of(lines, with_places=False)
        sys.stdout.writelines(FORMATS[".jsonl"](lines, predictor.model.task, layout))
        sys.stdout.flush()
        progress(predictor.rows)
