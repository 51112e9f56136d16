"""Predict for new rows with a trained model: `python -m recipes.predict RUN reviews.csv -o labelled.csv`."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recipes.command.predict_line import PredictLine
    from recipes.config.schema import Config
    from recipes.serving.predicting_files import FilePredictor
    from recipes.serving.trained_model import TrainedModel

PROGRESS_LINE_EVERY = 60.0
"Seconds between lines of progress where there is no terminal for a bar."
CLOSED_PIPE = 141
"Exit status of a program whose output nobody reads any more: 128 and the number of SIGPIPE."


def main(arguments: Sequence[str] | None = None) -> int:
    """Print help, or predict. Returns the exit status."""
    from recipes.command.predict_line import HELP, read_predict_line
    from recipes.command.words import status_of
    from recipes.system.console import complain, say
    from recipes.system.signals import Interrupted, Interruption

    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if {"--help", "-h"} & set(arguments):
        say(HELP)
        return 0
    with Interruption():
        try:
            return status_of(lambda: predict(read_predict_line(arguments)))
        except Interrupted as interrupted:
            complain(str(interrupted))
            return interrupted.exit_status
        except BrokenPipeError:
            complain("Nobody reads the output any more: stopped")
            return CLOSED_PIPE


def predict(line: "PredictLine") -> None:
    """Predict for the rows of the input, and say what was read, predicted and scored.

    Raises:
        InputError: the model, a file or a row can't be used.
        BrokenPipeError: nobody reads standard output any more.
    """
    from recipes.command.output_file import require_free
    from recipes.command.predict_line import STANDARD
    from recipes.serving.predicting_files import FilePredictor
    from recipes.serving.writing import write_file, write_standard_output
    from recipes.system.signals import Interrupted
    from tasks.data.records import ReadReport
    from tasks.data.streaming import stream_records

    if line.output is not None:
        inputs = [name for name in line.inputs if name != STANDARD]
        require_free(line.output, inputs, overwrite=line.overwrite)
    data = config_of(line.options, None).data
    report = ReadReport(line.on_bad_row, way_out="To leave such rows out, and have them counted: --on-bad-row skip")
    portions = stream_records(list(line.inputs), data, report, key="INPUT", fallback="txt")
    first = list(islice(portions, 1))  # what is wrong with the input is said before the model is loaded
    model = loaded(line.model, line.options, partial(_tell, line), partial(_require_format, line))
    predictor = FilePredictor(model, data, report)
    portions = chain(first, portions)
    started, before = time.perf_counter(), 0
    with progress() as show:
        if line.output is None:
            write_standard_output(predictor, portions, show)
        else:
            try:
                again = line.overwrite or STANDARD in line.inputs
                identity = _identity(line, predictor.model)
                before = write_file(predictor, portions, line.output, identity, overwrite=again, progress=show)
            except Interrupted as interrupted:
                kept = f"{predictor.rows} rows are predicted and kept. To go on, give the same command again"
                raise Interrupted(interrupted.exit_status - 128, f"Interrupted: {kept}") from None
    _show_end(line, predictor, before, time.perf_counter() - started)


def _require_format(line: "PredictLine", task: str) -> None:
    from recipes.serving.output_formats import require_format

    if line.output is not None:
        require_format(line.output, task)


def config_of(options: Sequence[str], task: str | None) -> "Config":
    """Return the config that the command's keys make. Without a task, those of a task are left out."""
    from recipes.command.composing import compose
    from recipes.command.literals import with_literal_values

    words = with_literal_values([word for word in options if task is not None or not word.startswith("task.")])
    return compose(["data=files", "data.train=INPUT", *([] if task is None else [f"task={task}"]), *words])


def loaded(
    path: str,
    options: Sequence[str],
    tell: Callable[[str, str], None],
    require: Callable[[str], None],
    with_all_scores: bool = False,
) -> "TrainedModel":
    """Return a model, with the options of its task that a command sets, and tell what it is.

    Args:
        path: a run directory, a folder with a trained model, or a hub id.
        options: the overrides of the command.
        tell: prints a line with a name and a text.
        require: is given the name of the model's task before its weights are read, and may refuse it.
        with_all_scores: whether predictions say how sure the model is of everything, such as each word.

    Raises:
        InputError: the model or an option can't be used.
    """
    from recipes.config.schema import TASKS
    from recipes.serving.loading import load_model, task_of
    from recipes.system.quiet_libraries import quiet_libraries
    from tasks.data.read import read_label_names

    quiet_libraries()
    typed = {word.partition("=")[0] for word in options}
    given = config_of(options, None).model
    revision = given.revision if "model.revision" in typed else None  # else it is that of the default model
    pickled = given.allow_pickled_weights if "model.allow_pickled_weights" in typed else False
    task = task_of(path, revision=revision, allow_pickled_weights=pickled)
    require(task)
    if with_all_scores:
        options = [*options, *(f"task.{option}" for option in TASKS[task].audit_options)]
        typed = {word.partition("=")[0] for word in options}
    config = config_of(options, task)
    fields = {key: getattr(config.task, key) for word in typed if (key := word.removeprefix("task.")) != word}
    names = read_label_names(config.data.label_names)
    model = load_model(
        path,
        device=config.runtime.device,
        precision=config.runtime.precision,
        threads=config.runtime.threads,
        revision=revision,
        allow_pickled_weights=pickled,
        **fields,
        **({} if names is None else {"label_names": names}),
    )
    tell("model", f"{path}: {model.describe()}")
    for note in model.trained.notes:
        tell("", note)
    return model


def _identity(line: "PredictLine", model: "TrainedModel") -> dict[str, object]:
    """Return what the predictions depend on, as JSON values."""
    from recipes.command.predict_line import STANDARD
    from recipes.system.files import fingerprint
    from tasks.data.files import find_files

    files = [] if STANDARD in line.inputs else find_files(list(line.inputs), "INPUT", folders=True)
    return {
        "model": model.fingerprint(),
        **{f"input {path}": fingerprint(path) if path.is_file() else "a folder" for path in files},
        "options": sorted(word for word in line.options if not word.startswith("runtime.")),
    }


@contextmanager
def progress() -> "Iterator[Callable[[int], None]]":
    """Yield a function that is told how many rows are done, and shows it: a bar, or a line each minute."""
    from tqdm import tqdm

    from recipes.system.console import complain

    bar = tqdm(desc="predicting", unit=" rows", leave=False, dynamic_ncols=True, disable=None)
    last = time.perf_counter()

    def show(rows: int) -> None:
        nonlocal last
        if not bar.disable:
            bar.update(rows - bar.n)
        elif time.perf_counter() - last >= PROGRESS_LINE_EVERY:
            last = time.perf_counter()
            complain(f"  {rows} rows are done")

    with bar:
        yield show


def _show_end(line: "PredictLine", predictor: "FilePredictor", before: int, seconds: float) -> None:
    from recipes.results.scores import format_score_in
    from recipes.system.console import duration

    report, gold = predictor.report, predictor.gold
    for what in report.recognised:
        _tell(line, "read", what.partition(": ")[2])
    for what, told in report.told():
        _tell(line, what, told)
    for note in (*report.notes, *predictor.model.notes(predictor.counts)):
        _tell(line, "note", note)
    scores = gold.scores()
    if scores:
        bounds = gold.intervals()
        shown = "  ".join(f"{name} {format_score_in(scores[name], bounds.get(name))}" for name in gold.task.headline())
        _tell(line, "scores", f"{shown}  ({len(gold.rows)} rows with labels)")
    for note in gold.notes():
        _tell(line, "" if scores else "note", note)
    new = predictor.rows - before
    went_on = f", {before} of them before the interruption" if before else ""
    rate = f"{duration(seconds)} ({new / seconds:.3g} a second)"
    rows = f"{predictor.rows} row{'s' * (predictor.rows != 1)}"
    where = "" if line.output is None else f": {line.output}"
    _tell(line, "", f"Predicted {rows}{went_on} in {rate}{where}")


def _tell(line: "PredictLine", name: str, text: str) -> None:
    """Print a line about the work; to standard error if the predictions themselves go to standard output."""
    from recipes.system.console import complain, say_field

    if line.output is None:
        complain(f"{name:<11} {text}")
    else:
        say_field(name, text)


if __name__ == "__main__":
    sys.exit(main())
