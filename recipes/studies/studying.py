"""A study from its command to its answer: the runs of each setting and seed, and what they say together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from recipes.command.dispatch import JOB_FAILED, Sweep
from recipes.comparing.stored_runs import StoredRun, load_run, require_same_rows
from recipes.jobs.named import NamedJob, do_named_jobs
from recipes.reporting.study_page import RECORD, write_study_page
from recipes.results.run_directory import RunDirectory
from recipes.results.sweep_table import Job
from recipes.results.verdict import judged_split
from recipes.studies import ablation, cross_validation, fixes, learning_curve, seeds
from recipes.studies.answer import Answer, Runs
from recipes.studies.question import Question, Setting, read_question
from recipes.system.console import complain, counted, say, say_field
from recipes.system.files import write_json
from recipes.training.console_lines import show_rows
from tasks.errors import InputError


@dataclass(frozen=True)
class Kind:
    """A kind of study."""

    title: str
    settings: Callable[[Question], list[Setting]]
    answer: Callable[[Question, Runs], Answer]
    same_rows: bool
    "Whether all runs are judged on the same rows."


KINDS: Mapping[str, Kind] = {
    "seeds": Kind("Scores over seeds", seeds.settings, seeds.answer, True),
    "learning_curve": Kind("Learning curve", learning_curve.settings, learning_curve.answer, True),
    "cross_validation": Kind("Cross-validation", cross_validation.settings, cross_validation.answer, False),
    "ablation": Kind("Ablation", ablation.settings, ablation.answer, True),
    "fixes": Kind("What label fixes bring", fixes.settings, fixes.answer, True),
}


def study(sweep: Sweep) -> int:
    """Do the runs of a study, and say what they tell.

    Returns:
        The exit status.

    Raises:
        InputError: the study, the config or the rows can't be used.
        Interrupted: a signal asked the study to end; the same command goes on with it.
    """
    question = read_question(sweep)
    show_rows(question.rows, question.config)
    asked = [(one, seed) for one in KINDS[question.study.kind].settings(question) for seed in question.seeds]
    with alone(question.folder):
        return _study(sweep, question, asked)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other processes from the same study.

    Raises:
        InputError: another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(
            f"{folder} is in use: another process is doing this very study. Wait for it, or take another output_root"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _study(sweep: Sweep, question: Question, asked: Sequence[tuple[Setting, int]]) -> int:
    kind = KINDS[question.study.kind]
    jobs = [NamedJob(_name(setting, seed), question.words(setting, seed)) for setting, seed in asked]
    say_field("study", f"{question.study.kind}, {counted(len(jobs), 'run')}; {question.folder}")
    ended = do_named_jobs(sweep, question.folder, jobs, question.study.parallel, question.study.keep_models)
    found = {(setting.name, seed): stored_run(job) for (setting, seed), job in zip(asked, ended, strict=True)}
    runs = {key: run for key, run in found.items() if run is not None}
    failed = [named.name for named, run in zip(jobs, found.values(), strict=True) if run is None]
    if not runs:
        complain("No run of this study ended well: the messages above say why")
        return JOB_FAILED
    if kind.same_rows:
        require_same_rows(list(runs.values()))
    answer = kind.answer(question, runs)
    answer.show()
    if failed:
        say(f"{len(failed)} of {counted(len(jobs), 'run')} gave no score, and are not among these: {', '.join(failed)}")
    gone = sum(not RunDirectory(run.directory).has_weights for run in runs.values())
    if question.study.keep_models and gone:
        say(f"{counted(gone, 'run')} had been done before, and the weights were removed by a search or another study")
    record = record_of(question, kind.title, answer, runs, jobs, ended)
    write_json(question.folder / RECORD, record)
    say(f"Report: {write_study_page(question.folder)}")
    return JOB_FAILED if failed else 0


def _name(setting: Setting, seed: int) -> str:
    return f"{setting.name}, seed {seed}" if setting.name else f"seed {seed}"


def stored_run(job: Job | None) -> StoredRun | None:
    """Return the run of a job; None if it failed, or if its score is not a number."""
    if job is None or job.outcome is None:
        return None
    directory = RunDirectory(Path(job.outcome.directory))
    report = directory.finished_report()
    assert report is not None
    split = judged_split(report.metrics)
    return None if report.metrics[split][report.objective.name] is None else load_run(directory.path, split)


def record_of(
    question: Question,
    title: str,
    answer: Answer,
    runs: Runs,
    jobs: Sequence[NamedJob],
    ended: Sequence[Job | None],
) -> dict[str, Any]:
    """Return what the study has left, as JSON values."""
    name = next(iter(runs.values())).report.objective.name
    return {
        "study": question.study.kind,
        "title": title,
        "score": name,
        "overrides": list(question.base),
        **answer.plain(),
        "runs": [
            {
                "name": named.name,
                "overrides": list(named.overrides),
                "outcome": None if job is None or job.outcome is None else vars(job.outcome),
                "error": "its process ended without a word" if job is None else job.error,
            }
            for named, job in zip(jobs, ended, strict=True)
        ],
    }
