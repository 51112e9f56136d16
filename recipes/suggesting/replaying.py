"""What suggestions would have saved: labelled rows are added round by round, suggested ones and random ones."""

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from recipes.command.dispatch import JOB_FAILED, Sweep
from recipes.command.line import key_of
from recipes.jobs.named import NamedJob, do_named_jobs
from recipes.reporting.study_page import RECORD, write_study_page
from recipes.results.run_directory import RunDirectory
from recipes.results.sweep_table import Job, forget_jobs, save_job
from recipes.serving.loading import load_model
from recipes.studies.question import Question, read_question
from recipes.studies.studying import alone, record_of, stored_run
from recipes.suggesting.choosing import candidates_of, choose
from recipes.suggesting.comparing_lines import RANDOM, SUGGESTED, answer_of, name_of
from recipes.system.console import complain, counted, say, say_field
from recipes.system.files import write_json, write_text
from recipes.training.console_lines import show_rows
from tasks.data.options import HELD_OUT, Columns, DataOptions, Split
from tasks.data.read import read_records
from tasks.data.records import ReadReport
from tasks.errors import InputError
from tasks.overrides import hydra_literal
from tasks.task import Layout, Row
from tasks.writing.writers import choose_writer

SUFFIX = ".jsonl"
TITLE = "What suggestions save"
ROWS = "rows"
"The folder of the files that are trained and judged on,"
POOL = "pool.json"
"with a file that tells which rows they were cut from."
KEPT_DATA_KEYS = (
    "data.validation_fraction",
    "data.unknown_labels",
    "data.split_seed",
    "data.accept",
    "data.deduplicate",
    "data.balance",
)
"Keys of data that hold for the files, too. The others are about how the originals are read and cut."


@dataclass
class Replay:
    """A replay while it goes on."""

    sweep: Sweep
    question: Question
    pool: list[Row]
    "Rows that may be labelled, each once."
    done: dict[tuple[str, int], Job | None] = field(default_factory=dict)
    "What became of each run, by its name and seed."
    planned: dict[tuple[str, int], NamedJob] = field(default_factory=dict)

    @property
    def sizes(self) -> list[int]:
        """How many rows are labelled before and after each round."""
        study = self.question.study
        return [study.start + round_ * study.step for round_ in range(study.rounds + 1)]

    @property
    def held_out(self) -> list[Split]:
        """The splits that files are written of: if validation rows were not given, each run cuts its own off."""
        return [split for split in HELD_OUT if split == "test" or split not in self.question.rows.cut]

    def file(self, arm: str, size: int, seed: int) -> Path:
        """Return the file with the rows that one run trains on."""
        arm = RANDOM if size == self.sizes[0] else arm  # both begin with the same rows
        return self.question.folder / ROWS / f"seed={seed}" / f"{arm}-{size}{SUFFIX}"


def replay(sweep: Sweep) -> int:
    """Train on growing sets of rows, chosen in two ways, and compare their scores. Returns the exit status.

    Raises:
        InputError: the study, the config or the rows can't be used.
        Interrupted: a signal asked it to end; the same command goes on with it.
    """
    question = read_question(sweep)
    show_rows(question.rows, question.config)
    going = Replay(sweep, question, _pool(question))
    _require_room(going)
    say_field("replay", f"{question.folder}")
    with alone(question.folder):
        _write_given(going)
        for size, following in zip(going.sizes, [*going.sizes[1:], None], strict=True):
            _train(going, size)
            if following is not None:
                _suggest(going, size, following)
        return _tell(going)


def _pool(question: Question) -> list[Row]:
    """Return the labelled rows that are not judged on, each once; those cut off for validation are among them."""
    rows = question.rows
    given = [*rows.train_as_labelled, *(rows.splits["validation"] if "validation" in rows.cut else ())]
    return list({rows.task.content(row): row for row in reversed(given)}.values())[::-1]


def _require_room(going: Replay) -> None:
    question, most = going.question, going.sizes[-1]
    if not question.rows.splits["test"] or "test" in question.rows.unlabelled:
        raise InputError("A replay is judged on test rows with labels: give data.test, or a data.test_fraction above 0")
    question.require_enough_rows()
    if most > len(going.pool):
        study = question.study
        raise InputError(
            f"study.start={study.start}, study.step={study.step} and study.rounds={study.rounds} need {most} different "
            f"training rows, and there are {len(going.pool)}"
        )


def _write_given(going: Replay) -> None:
    """Write the rows to begin with, random ones to go on with, and those to judge on.

    Raises:
        InputError: the files are there, of other rows.
    """
    question, task = going.question, going.question.rows.task
    folder = question.folder / ROWS
    contents = [f"{task.content(row)} {task.gold(row)}" for row in going.pool]
    now = {"rows": hashlib.sha256("\n".join(contents).encode()).hexdigest(), "task": repr(task)}
    begun = folder / POOL
    if begun.is_file() and json.loads(begun.read_text(encoding="utf-8")) != now:
        raise InputError(f"The rows have changed since this replay was begun. To begin anew, remove {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(begun, now)
    for seed in question.seeds:
        order = list(going.pool)
        random.Random(seed).shuffle(order)  # noqa: S311
        for size in going.sizes:
            _write(going, going.file(RANDOM, size, seed), order[:size])
    for split in going.held_out:
        _write(going, folder / f"{split}{SUFFIX}", question.rows.splits[split])


def _write(going: Replay, path: Path, rows: Sequence[Row]) -> None:
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = choose_writer(going.question.rows.task.name, SUFFIX, None)
        write_text(path, writer.write(rows, True, ReadReport(on_bad_row="error")).text)


def _train(going: Replay, size: int) -> None:
    """Do the runs on so many rows, of all seeds and both ways."""
    question = going.question
    arms = [RANDOM] if size == going.sizes[0] else [SUGGESTED, RANDOM]
    asked = [(arm, seed) for seed in question.seeds for arm in arms if going.file(arm, size, seed).is_file()]
    jobs = [
        NamedJob(f"{name_of(arm, size)}, seed {seed}", _words(going, going.file(arm, size, seed), seed))
        for arm, seed in asked
    ]
    say(f"{size:,} labelled rows")
    ended = do_named_jobs(going.sweep, question.folder / f"{size}-rows", jobs, question.study.parallel)
    for (arm, seed), planned, job in zip(asked, jobs, ended, strict=True):
        going.planned[name_of(arm, size), seed] = planned
        going.done[name_of(arm, size), seed] = job
    if size == going.sizes[-1]:
        _remove_weights(going, list(going.done.values()))


def _words(going: Replay, train: Path, seed: int) -> tuple[str, ...]:
    """Return the overrides of a run on one of the files."""
    question, task = going.question, going.question.rows.task
    words = [
        word for word in question.base if key_of(word) in KEPT_DATA_KEYS or key_of(word).partition(".")[0] != "data"
    ]
    held_out = [f"data.{split}={hydra_literal(str(train.parents[1] / f'{split}{SUFFIX}'))}" for split in going.held_out]
    settled = [f"task.{option}={getattr(task, option)}" for option in task.settled_options]
    kept = [f"task.{option}" for option in task.audit_options]
    unknown = [] if any(key_of(word) == "data.unknown_labels" for word in words) else ["data.unknown_labels=count"]
    own = {key_of(word) for word in (*settled, *kept)}
    words = [word for word in words if key_of(word) not in own]
    return (
        *words,
        *settled,
        *kept,
        "data=files",
        f"data.train={hydra_literal(str(train))}",
        *held_out,
        *unknown,
        f"seed={seed}",
    )


def _suggest(going: Replay, size: int, following: int) -> None:
    """Add the rows to be labelled next, chosen by the model that was trained on those so far."""
    arm = RANDOM if size == going.sizes[0] else SUGGESTED
    task, runtime = going.question.rows.task, going.question.config.runtime
    for seed in going.question.seeds:
        path = going.file(SUGGESTED, following, seed)
        job = going.done.get((name_of(arm, size), seed))
        if path.is_file() or job is None or job.outcome is None:
            continue
        so_far = _rows_of(going, going.file(arm, size, seed))
        known = {task.content(row) for row in so_far}
        left = [row for row in going.pool if task.content(row) not in known]
        model = load_model(job.outcome.directory, device=runtime.device, threads=runtime.threads)
        chosen = choose(model, candidates_of(model, left), so_far, following - size)
        rows = [one.row for one in chosen.rows]
        if len(rows) < following - size:  # the others are nearly like these
            taken = {task.content(row) for row in rows}
            rows += [row for row in left if task.content(row) not in taken][: following - size - len(rows)]
        _write(going, path, [*so_far, *rows])
    _remove_weights(going, [job for (name, _), job in going.done.items() if name.endswith(name_of("", size))])


def _rows_of(going: Replay, path: Path) -> list[Row]:
    """Return the rows of the pool that a file holds."""
    task = going.question.rows.task
    report = ReadReport(on_bad_row="error")
    records = read_records(DataOptions(train=str(path)), "train", report) or []
    held = {task.content(row) for row in task.read(records, Layout(Columns()), report)}
    return [row for row in going.pool if task.content(row) in held]


def _remove_weights(going: Replay, jobs: Sequence[Job | None]) -> None:
    if not going.question.study.keep_models:
        for job in jobs:
            if job is not None and job.outcome is not None:
                RunDirectory(Path(job.outcome.directory)).remove_weights()


def _tell(going: Replay) -> int:
    """Say what the runs tell, and write it."""
    question = going.question
    found = {key: stored_run(job) for key, job in going.done.items()}
    runs = {key: run for key, run in found.items() if run is not None}
    failed = [going.planned[key].name for key, run in found.items() if run is None]
    if not runs:
        complain("No run of this replay ended well: the messages above say why")
        return JOB_FAILED
    answer = answer_of(going.sizes, question.seeds, runs)
    answer.show()
    if failed:
        say(
            f"{len(failed)} of {counted(len(found), 'run')} gave no score, and are not among these: {', '.join(failed)}"
        )
    planned, ended = list(going.planned.values()), list(going.done.values())
    forget_jobs(question.folder)
    for number, job in enumerate(ended):  # so that the folder names its runs, as those of other studies do
        if job is not None:
            save_job(question.folder, replace(job, number=number))
    write_json(question.folder / RECORD, record_of(question, TITLE, answer, runs, planned, ended))
    say(f"Report: {write_study_page(question.folder)}")
    return JOB_FAILED if failed else 0
