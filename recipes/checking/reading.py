"""Reading rows to check them: what stops a run is a finding here, and reading goes on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import get_args

from recipes.config.schema import Config
from tasks.checks.finding import Finding, Grade, finding, percent
from tasks.classification import EMPTY_LABELS
from tasks.data.options import Split
from tasks.data.read import read_label_names
from tasks.data.records import Origin, ReadReport
from tasks.errors import InputError
from tasks.inspecting.steps import Given
from tasks.loading.reading import read_splits
from tasks.plausibility import FEW_ROWS
from tasks.task import AnyTask, Head, Layout

FEW = 100
"Training rows below which a default training learns little."


@dataclass
class TolerantReport(ReadReport):
    """Leaves out bad rows, and keeps in mind at which a run would stop."""

    refused: set[str] = field(default_factory=set)
    "Reasons for which rows were left out although their files do not say so."

    def bad_row(self, reason: str, message: str, origin: Origin) -> None:
        """Leave out a row that a run would stop at."""
        self.refused.add(reason)
        self.leave_out(reason, message, origin)


@dataclass(frozen=True)
class Read:
    """The rows of a data set, and what was found while reading them."""

    task: AnyTask
    "With its `auto` options resolved."
    given: Given
    head: Head | None
    "None: the labels make no head."
    report: TolerantReport
    findings: tuple[Finding, ...]


def read(config: Config) -> Read:
    """Read all splits that are given. None is cut off.

    Raises:
        InputError: a file or a column can't be found or read, so that there are no rows to check.
    """
    data = config.data
    if data.fixes is not None:
        raise InputError(
            "data.fixes: a check is of rows as they stand in files. To check corrected ones: python -m recipes.audit "
            "apply audit.csv -o FOLDER, and then the files in FOLDER"
        )
    report = TolerantReport(on_bad_row="skip", way_out="")
    layout = Layout(data.columns, read_label_names(data.label_names))
    try:
        found = read_splits(config.task, data, layout, report)
    except InputError as error:
        reasons = [
            f"{count:,} x {reason}, e.g. {report.examples[reason][0]}" for reason, count in report.skipped.items()
        ]
        raise InputError("\n".join([str(error), *reasons])) from error
    if data.deduplicate is not None or data.balance is not None:
        report.note("data.deduplicate and data.balance act on what a run trains on: here rows are checked as they are")
    task = found.task
    splits = {split: found.rows[split] for split in get_args(Split) if split in found.rows}
    policy = data.unknown_labels or task.unknown_label_policy
    given = Given(splits, found.unlabelled, stops=policy == "error")
    findings = [*_unusable(report, given, data.on_bad_row), *_repaired(report, given), *_few(given)]
    head = None
    try:
        head = task.head(given.train, layout)
    except InputError as error:
        findings.append(_implausible("error", str(error), given))
    findings += _gate(task, given, data.accept)
    return Read(task, given, head, report, tuple(findings))


def _rows(given: Given) -> int:
    return sum(map(len, given.splits.values()))


def _unusable(report: TolerantReport, given: Given, policy: str) -> Iterator[Finding]:
    total = _rows(given) + sum(report.skipped.values())
    for reason, count in report.skipped.items():
        refused = reason in report.refused
        grade: Grade = ("error" if policy == "error" else "warning") if refused else "note"
        said = "can't be used" if refused else "are left out, as their file says"
        message = f"{count:,} of {total:,} rows ({percent(count, total)}) {said}: {reason}"
        yield finding("unusable_rows", grade, message, count, total, _told(report, reason))


def _repaired(report: ReadReport, given: Given) -> Iterator[Finding]:
    for reason, count in report.repaired.items():
        if reason == EMPTY_LABELS:  # which is how a table says so; other checks count them
            continue
        message = f"{count:,} repaired: {reason}"
        yield finding("repaired_rows", "warning", message, count, max(_rows(given), count), _told(report, reason))


def _told(report: ReadReport, reason: str) -> Iterator[tuple[str, None]]:
    return ((example, None) for example in report.examples.get(reason, ()))


def _few(given: Given) -> Iterator[Finding]:
    for split, rows in given.splits.items():
        if len(rows) < FEW:
            message = f"{split} has {len(rows):,} row{'' if len(rows) == 1 else 's'}"
            yield finding("few_rows", "note" if len(rows) >= FEW_ROWS else "warning", message, len(rows), len(rows))


def _gate(task: AnyTask, given: Given, accepted: list[str]) -> Iterator[Finding]:
    """Yield what a run would stop at, or note, apart from what other checks tell more fully."""
    for one in task.findings(given.train):
        if one.check is not None and one.check not in accepted:
            end = "" if one.message.endswith("?") else "."
            said = f"{one.message}{end} If it is meant so: 'data.accept=[{one.check}]'"
            yield _implausible("error", said, given)
        elif one.kind is None:
            yield _implausible("note" if one.check else "warning", one.message, given)


def _implausible(grade: Grade, message: str, given: Given) -> Finding:
    count = len(given.train)
    return finding("implausible", grade, message, count, count)
