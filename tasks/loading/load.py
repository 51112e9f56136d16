"""All rows of an experiment: read, shared out, corrected, and held against each other."""

from collections.abc import Sequence
from typing import Any

from tasks.data.files import expand_home
from tasks.data.options import HELD_OUT, DataOptions, Split
from tasks.data.read import read_label_names
from tasks.data.records import ReadReport
from tasks.errors import InputError
from tasks.loading.balancing import balance, require_balanceable
from tasks.loading.fixes import Fixes, place_of, read_fixes, require_rows, with_fixes
from tasks.loading.held_out import doubts, with_known_labels
from tasks.loading.reading import read_splits
from tasks.loading.rows import AnyRows, Rows
from tasks.loading.splitting import Shared, share_out, split_seed_of
from tasks.plausibility import apply_findings
from tasks.task import AnyTask, Layout, Row


def load(task: AnyTask, options: DataOptions, seed: int) -> AnyRows:
    """Read every given split, cut the missing ones off the training rows, and compare the splits with each other.

    Raises:
        InputError: a file, row or label can't be used, and the user did not choose to skip such rows.
    """
    report = ReadReport(on_bad_row=options.on_bad_row)
    layout = Layout(options.columns, read_label_names(options.label_names))
    given = read_splits(task, options, layout, report)
    task, train = given.task, given.rows["train"]
    require_balanceable(task, options.balance)
    fixes = _read_fixes(task, train, options, report)
    head = task.head([*train, *_corrected(task, train, fixes)], layout)
    implausible = apply_findings(task.findings(train), options.accept)
    notes: list[str] = []
    shared = share_out(task, given.rows, options, seed, notes)
    # Only now, so that with and without fixes the same rows are in each split.
    shared = _with_fixes(task, shared, fixes, _audited(given.rows, options), notes)
    splits, unbalanced = shared.splits, None
    if options.balance is not None:
        unbalanced = splits["train"]
        splits["train"], note = balance(task, unbalanced, head.labels, options.balance, split_seed_of(options, seed))
        notes.append(note)
    splits = {split: task.with_groups_that_count(rows) for split, rows in splits.items()}
    notes += [*report.notes, *implausible]
    unlabelled = given.unlabelled if options.folds is None else frozenset[Split]()  # a fold has the labels of training
    if unlabelled:
        notes.append("test: the rows have no labels. They are predicted, and not scored")
    for split in HELD_OUT:
        if split not in unlabelled:
            splits[split] = with_known_labels(task, split, splits[split], head, options, report, notes)
        notes += doubts(task, split, splits[split], splits["train"], split not in unlabelled)
    if not splits["validation"]:
        raise InputError("No validation row is left: the best model can't be chosen without one")
    labelled = [splits[split] for split in HELD_OUT if splits[split] and split not in unlabelled]
    task, said = task.judged_on(min(map(len, labelled)))
    notes += [said] if said else []
    cut_off = frozenset(split for split in HELD_OUT if split not in given.rows and splits[split])
    return Rows(task, head, splits, report, notes, unlabelled, cut_off, given.columns, shared.left_out, unbalanced)


def _read_fixes(task: AnyTask, train: Sequence[Row], options: DataOptions, report: ReadReport) -> Fixes:
    """Return the fixes of the options, which are for these very rows.

    Raises:
        InputError: they can't be read, or are for others.
    """
    if options.fixes is None:
        return {}
    path = expand_home(options.fixes)
    fixes = read_fixes(path)
    require_rows(task, train, fixes)
    report.files.append(str(path))
    return fixes


def _corrected(task: AnyTask, train: Sequence[Row], fixes: Fixes) -> list[Row]:
    """Return the rows that are other ones with their fixes, which may have labels that no row had."""
    return with_fixes(task, [row for row in train if place_of(row) in fixes], fixes).rows


def _audited(given: dict[Split, list[Any]], options: DataOptions) -> set[Split]:
    """Return the splits whose rows are those of training in the files."""
    audited: set[Split] = {"train", *(split for split in HELD_OUT if split not in given)}
    return audited if options.folds is None else audited | {"test"}


def _with_fixes(task: AnyTask, shared: Shared, fixes: Fixes, audited: set[Split], notes: list[str]) -> Shared:
    """Return the rows with the fixes of the splits that were audited."""
    splits = {
        split: _fixed(task, split, rows, fixes, notes) if split in audited else rows
        for split, rows in shared.splits.items()
    }
    return Shared(splits, with_fixes(task, shared.left_out, fixes).rows)


def _fixed(task: AnyTask, split: Split, rows: list[Row], fixes: Fixes, notes: list[str]) -> list[Row]:
    """Return the rows of a split with their fixes.

    Raises:
        InputError: no row is left.
    """
    found = with_fixes(task, rows, fixes)
    counts = {"corrected": found.changed, "left out": found.left_out}
    if any(counts.values()):
        said = " and ".join(f"{count} {what}" for what, count in counts.items() if count)
        notes.append(f"{split}: {said} of {len(rows)} rows, by data.fixes")
    if rows and not found.rows:
        raise InputError(f"data.fixes leaves out each of the {len(rows)} {split} rows")
    return found.rows
