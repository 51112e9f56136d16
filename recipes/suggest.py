"""Suggest which rows to label next: `python -m recipes.suggest RUN unlabelled.csv -o to_label.csv`."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recipes.command.suggest_line import SuggestLine
    from recipes.serving.trained_model import TrainedModel
    from recipes.suggesting.choosing import Candidate, Chosen
    from tasks.data.records import Origin, ReadReport, Record
    from tasks.task import Row


def main(arguments: Sequence[str] | None = None) -> int:
    """Print help, suggest, or replay. Returns the exit status."""
    started = time.perf_counter()
    words = sys.argv[1:] if arguments is None else list(arguments)
    from recipes.command.suggest_line import HELP, REPLAY, read_suggest_line
    from recipes.command.words import do

    if REPLAY in words and not {"--help", "-h"} & set(words):
        return _replay([word for word in words if word != REPLAY], started)
    return int(do(words, HELP, lambda rest: suggest(read_suggest_line(rest))))


def _replay(words: Sequence[str], started: float) -> int:
    from recipes.command import dispatch
    from recipes.command.words import BAD_INPUT
    from recipes.run import run
    from recipes.suggesting.replaying import replay
    from recipes.system.console import complain

    other = next((word for word in words if word.startswith("study=") and word != "study=suggestions"), None)
    if other is not None:
        complain(f"{other}: --replay is a study by itself, study=suggestions. Leave out {other}")
        return BAD_INPUT
    words = [*(word for word in words if word != "study=suggestions"), "study=suggestions"]
    return dispatch.main(run, words, started, dispatch.Sweepers(study=replay))


def suggest(line: "SuggestLine") -> None:
    """Choose rows to label next, and write them.

    Raises:
        InputError: the model, a file or a row can't be used, or there is no row to choose from.
    """
    from recipes.command.output_file import require_free
    from recipes.predict import loaded
    from recipes.results.run_directory import RunDirectory
    from recipes.suggesting.choosing import choose, unknown_rows
    from recipes.suggesting.known_rows import known_rows
    from recipes.suggesting.suggestion_files import Suggestions, write_suggestions
    from recipes.system.console import say, say_field
    from tasks.data.records import ReadReport
    from tasks.errors import InputError
    from tasks.writing.to_label import LABEL, require_fillable, require_fillable_variety

    suffix = line.output.suffix.lower()
    beside = [line.output.with_suffix(".xml")] if suffix == ".json" else []
    require_free(line.output, line.inputs, overwrite=line.overwrite, beside=beside)
    model = loaded(line.model, line.options, say_field, lambda task: require_fillable(task, suffix), True)
    require_fillable_variety(model.task, suffix)
    report = ReadReport(line.on_bad_row, way_out="To leave such rows out, and have them counted: --on-bad-row skip")
    rows, records = _read(line, model, report)
    directory = RunDirectory(Path(line.model).expanduser())
    known = known_rows(directory, model.task)
    unknown, labelled, repeated = unknown_rows(model.task, rows, known.rows)
    _show_rows(rows, report, labelled, repeated, known.doubt)
    trained = directory.finished_report()
    if trained is not None and trained.verdict.collapsed:
        say_field("note", "this model has learnt nothing (docs/verdict.md): what it is unsure of tells nothing")
    if not unknown:
        raise InputError("No row is left to suggest: all have a label already")
    candidates, notes = _weighed(model, unknown)
    for note in (*report.notes, *notes):
        say_field("note", note)
    count = len(candidates) if line.count is None else line.count
    chosen = choose(model, candidates, known.rows, count, line.words)
    if not chosen.rows:
        raise InputError(f"--words {line.words}: no row has so few words. Allow more")
    found = Suggestions(model.task, model.trained.head, line.model, known.place, chosen.rows, records)
    paths = write_suggestions(line.output, found)
    _show_chosen(candidates, chosen, line.count)
    if suffix != ".csv" and model.task.has_classes and not model.task.tags_words and known.place != LABEL:
        say_field(
            "note",
            f"labels will stand in the column 'label', and in training it was '{known.place}'. Give it this name "
            "before the files are joined: in one training, all files have the same columns",
        )
    say(f"Written: {', '.join(map(str, paths))}")


def _read(line: "SuggestLine", model: "TrainedModel", report: "ReadReport") -> "tuple[list[Row], dict[Origin, Record]]":
    """Return the rows of the input, and what each was read from."""
    from recipes.predict import config_of
    from recipes.serving.reading_files import FileReader
    from tasks.data.read import require_rows
    from tasks.data.streaming import stream_records

    data = config_of(line.options, None).data
    rows: list[Row] = []
    records: dict[Origin, Record] = {}
    reader = FileReader(model.trained, data, report)
    for portion in reader.portions(stream_records(list(line.inputs), data, report, key="INPUT", fallback="txt")):
        rows += portion.rows
        records |= portion.records
    require_rows(len(rows), "INPUT", report)
    return rows, records


def _weighed(model: "TrainedModel", rows: "Sequence[Row]") -> "tuple[list[Candidate], list[str]]":
    """Predict for rows, show how far that is, and return how worthwhile each is and what is to be known of them all."""
    from collections import Counter

    from recipes.predict import progress
    from recipes.serving.trained_model import portions
    from recipes.suggesting.choosing import candidates_of

    found: list[Candidate] = []
    counts = Counter[str]()
    with progress() as show:
        for some in portions(model.task, rows):
            found += candidates_of(model, some, counts)
            show(len(found))
    return found, model.notes(counts)


def _show_rows(rows: "Sequence[Row]", report: "ReadReport", labelled: int, repeated: int, why_none: str) -> None:
    from recipes.system.console import say_field

    for what in report.recognised:
        say_field("read", what.partition(": ")[2])
    for what, told in report.told():
        say_field(what, told)
    left_out = [
        f"{what}: {count:,}" for what, count in (("labelled already", labelled), ("repeated", repeated)) if count
    ]
    say_field("rows", "; ".join([f"{len(rows):,}", *left_out]))
    if why_none:
        say_field("note", why_none)


def _show_chosen(candidates: "Sequence[Candidate]", chosen: "Chosen", wanted: int | None) -> None:
    from statistics import fmean

    from recipes.system.console import counted, say_field

    words = sum(one.words for one in chosen.rows)
    fewer = f" of {wanted:,} asked for" if wanted is not None and len(chosen.rows) < wanted else ""
    say_field("suggested", f"{counted(len(chosen.rows), 'row')}{fewer}, {words:,} words")
    if chosen.near:
        say_field("", f"passed over: {chosen.near:,} nearly like another one or like a labelled one")
    if chosen.says_something:
        mean, among = (fmean(one.uncertainty for one in some) for some in (chosen.rows, candidates))
        say_field("", f"mean uncertainty {mean:.3f}; of all rows {among:.3f}")
    else:
        say_field("", "a predicted number does not tell how sure it is: the rows are those that differ most")


if __name__ == "__main__":
    sys.exit(main())
