"""Loading of all rows of an experiment: reading, interpreting, splitting, limiting and counting them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Generic, TypeAlias, TypedDict

from tasks.balancing import balance, require_balanceable
from tasks.data.column_names import LABEL_COLUMNS, PAIR_COLUMNS, TEXT_COLUMNS
from tasks.data.files import expand_home
from tasks.data.options import SPLITS, DataOptions, Split
from tasks.data.read import read_label_names, read_records
from tasks.data.records import Origin, ReadReport, Record
from tasks.data.sorting_columns import sorting_values, used_columns
from tasks.data.splits import Key, cut, folds, limit, nested, shared
from tasks.data.suggested import labelled_by_now
from tasks.deduplication import deduplicate
from tasks.errors import InputError
from tasks.fixes import Fixes, place_of, read_fixes, require_rows, with_fixes
from tasks.plausibility import FEW_ROWS, apply_findings
from tasks.record_columns import column_names
from tasks.task import AnyTask, Head, Layout, Row, RowType, Task

CHOICES = frozenset({*TEXT_COLUMNS, *LABEL_COLUMNS, *(name for pair in PAIR_COLUMNS for name in pair)})
"Usual names of columns, of which a file may have several."


class SplitKeys(TypedDict):
    """The keys by which rows are shared among splits and folds, as the functions of `tasks.data.splits` take them."""

    stratum: Key[Any] | None
    group: Key[Any] | None
    identity: Key[Any]


@dataclass(frozen=True)
class Rows(Generic[RowType]):
    """The rows of each split, the task with its `auto` options resolved, and the head that fits the labels."""

    task: Task[RowType]
    head: Head
    splits: dict[Split, list[RowType]]
    report: ReadReport
    notes: list[str] = field(default_factory=list)
    "Sentences for the user about splits that were cut off, duplicates across splits, and implausible rows."
    unlabelled: frozenset[Split] = frozenset()
    "Splits whose rows have no labels: they are predicted, and not scored."
    cut: frozenset[Split] = frozenset()
    "Splits that were cut off the training rows."
    columns: Mapping[Origin, Mapping[str, str]] = field(default_factory=dict)
    "Other columns of the files that sort their rows, such as a source, with their value for each row."
    left_out: list[RowType] = field(default_factory=list)
    "Training rows that `data.deduplicate` has left out."
    unbalanced: list[RowType] | None = None
    "The training rows as they were before `data.balance`. None: as they are."

    @property
    def train_as_labelled(self) -> list[RowType]:
        """The training rows in which labels are as frequent as they were found, and each stands once."""
        return self.splits["train"] if self.unbalanced is None else self.unbalanced

    def fingerprint(self, *splits: Split) -> str:
        """Return a hash of the content of the given splits' rows (default: all), without their places in the files."""
        digest = hashlib.sha256()
        for split in splits or SPLITS:
            digest.update(split.encode())
            for row in self.splits[split]:
                # Optional parts that a row lacks are left out, so that a new one changes no fingerprint.
                content = [
                    value
                    for part in fields(row)
                    if part.name != "origin"
                    and ((value := getattr(row, part.name)) is not None or part.default is MISSING)
                ]
                digest.update(json.dumps(content, ensure_ascii=False).encode())
        return digest.hexdigest()[:16]


AnyRows: TypeAlias = Rows[Any]
"Rows of any type."


def load(task: AnyTask, options: DataOptions, seed: int) -> AnyRows:
    """Read every given split, cut the missing ones off the training rows, and compare the splits with each other.

    Raises:
        InputError: a file, row or label can't be used, and the user did not choose to skip such rows.
    """
    report = ReadReport(on_bad_row=options.on_bad_row)
    layout = Layout(options.columns, read_label_names(options.label_names))
    task, given, unlabelled, columns = read_splits(task, options, layout, report)
    require_balanceable(task, options.balance)
    fixes = _read_fixes(task, given["train"], options, report)
    head = task.head([*given["train"], *_corrected(task, given["train"], fixes)], layout)
    implausible = apply_findings(task.findings(given["train"]), options.accept)
    notes: list[str] = []
    in_files, split_seed = frozenset(given), seed if options.split_seed is None else options.split_seed
    if options.folds is not None:
        given, unlabelled = _with_fold(task, given, options, split_seed, notes), frozenset()
    splits = _complete(task, given, options, split_seed, notes)
    left_out = _leave_duplicates_out(task, splits, options, notes)
    seeds: dict[Split, int] = {"train": seed, "validation": split_seed, "test": split_seed}
    splits = {split: _limited(task, split, rows, options, seeds[split]) for split, rows in splits.items()}
    # Only now, so that with and without fixes the same rows are in each split.
    audited = {"train", *({"validation", "test"} - in_files), *(["test"] if options.folds is not None else [])}
    splits = {
        split: _fixed(task, split, rows, fixes if split in audited else {}, notes) for split, rows in splits.items()
    }
    left_out = with_fixes(task, left_out, fixes).rows
    unbalanced = None
    if options.balance is not None:
        unbalanced = splits["train"]
        splits["train"], note = balance(task, unbalanced, head.labels, options.balance, split_seed)
        notes.append(note)
    splits = {split: task.with_groups_that_count(rows) for split, rows in splits.items()}
    notes += [*report.notes, *implausible]
    if unlabelled:
        notes.append("test: the rows have no labels. They are predicted, and not scored")
    held_out: tuple[Split, ...] = ("validation", "test")
    for split in held_out:
        if split not in unlabelled:
            policy = options.unknown_labels or task.unknown_label_policy
            splits[split] = _with_known_labels(task, splits[split], head, report, policy, split, notes)
        strata = {task.stratum(row) for row in splits[split]} if split not in unlabelled else set()
        if len(splits[split]) >= FEW_ROWS and len(strata) == 1 and None not in strata:
            notes.append(
                f"{split}: all {len(splits[split])} rows have the label {strata.pop()!r}. Is it a placeholder?"
            )
        repeated = shared(splits["train"], splits[split], task.identity)
        if repeated:
            notes.append(
                f"{repeated} of {len(splits[split])} {split} rows are also among the training rows. To leave them out "
                "there: data.deduplicate=exact"
            )
    if not splits["validation"]:
        raise InputError("No validation row is left: the best model can't be chosen without one")
    cut_off = frozenset(split for split in held_out if split not in in_files and splits[split])
    return Rows(task, head, splits, report, notes, unlabelled, cut_off, columns, left_out, unbalanced)


def read_splits(
    task: AnyTask, options: DataOptions, layout: Layout, report: ReadReport
) -> tuple[AnyTask, dict[Split, list[Row]], frozenset[Split], dict[Origin, dict[str, str]]]:
    """Return the task with its `auto` options resolved, the rows of each split that is given, the splits without
    labels, and other columns that sort rows.

    Raises:
        InputError: see `load`.
    """
    records = {split: read_records(options, split, report) for split in SPLITS}
    for split, found in records.items():
        if found is not None and split != "test":  # test rows may have no labels
            records[split] = labelled_by_now(found, layout.columns, report, may_be_empty=task.tags_words)
    train = records["train"]
    if train is None:
        raise InputError("data.train: no training rows are given")
    task = task.resolve_auto(train, layout, report)
    for split, found in records.items():
        if split != "train" and found is not None:
            records[split] = _with_columns_of(train, found)
    test = records["test"]
    unlabelled: frozenset[Split] = frozenset({"test"} if test and not task.has_labels(test, layout) else ())
    given = {
        split: task.with_groups_that_count(task.read(found, layout, report, labelled=split not in unlabelled))
        for split, found in records.items()
        if found is not None
    }
    for split, rows in given.items():
        if not rows:
            raise InputError(f"data.{split}: no usable row is left in {_source(options, split)}")
        expected, form = task.form(given["train"][0]), task.form(rows[0])
        if form != expected:
            raise InputError(
                f"data.{split}: the rows are {form}, but those of training are {expected}. See data.columns"
            )
    there = [record for found in records.values() if found is not None for record in task.whole_records(found, layout)]
    return task, given, unlabelled, sorting_values(there, used_columns(layout.columns))


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


def _with_columns_of(train: Sequence[Record], records: list[Record]) -> list[Record]:
    """Return the records of another split without texts and labels that training rows don't have.

    Otherwise one more column, such as a title, may be taken for the text in this split only.
    """
    there, known = column_names(records), column_names(train)
    more = {name for name in there if name not in known and name.strip().casefold() in CHOICES}
    if not more or not set(known) <= set(there):
        return records
    return [
        Record({name: value for name, value in record.values.items() if name not in more}, record.origin)
        for record in records
    ]


def _with_known_labels(
    task: AnyTask, rows: list[Row], head: Head, report: ReadReport, policy: str, split: Split, notes: list[str]
) -> list[Row]:
    """Return the rows of a split, with or without those whose labels no training row has, as the policy says.

    Raises:
        InputError: the policy is "error", and there is such a row.
    """
    kept, counted = [], dict[str, int]()
    for row in rows:
        unknown = task.unknown_labels(row, head)
        for label in unknown if policy == "count" else ():
            counted[label] = counted.get(label, 0) + 1
        if not unknown or policy == "count":
            kept.append(row)
        elif policy == "skip" or report.on_bad_row == "skip":
            report.leave_out("unknown label", task.unknown_label_message(unknown[0], head), row.origin)
        else:
            raise InputError(
                f"{row.origin}: {task.unknown_label_message(unknown[0], head)}\nTo count such labels as missed: "
                "data.unknown_labels=count. To leave the rows out: data.unknown_labels=skip"
            )
    if counted:
        shown = ", ".join(f"{label} ({count} rows)" for label, count in sorted(counted.items())[:5])
        notes.append(
            f"{split}: labels that no training row has count as missed: {shown}" + (", ..." if len(counted) > 5 else "")
        )
    return kept


def _complete(
    task: AnyTask, given: dict[Split, list[Row]], options: DataOptions, seed: int, notes: list[str]
) -> dict[Split, list[Row]]:
    """Cut the missing splits off the training rows, first test, then validation. Each is a share of all given rows."""
    rest = given["train"]
    total = len(rest)
    splits: dict[Split, list[Row]] = {"validation": given.get("validation", []), "test": given.get("test", [])}
    fractions: dict[Split, float] = {"test": options.test_fraction, "validation": options.validation_fraction}
    for split, fraction in fractions.items():
        if split in given or fraction == 0:
            continue
        keys = split_keys(task, rest)
        rest, splits[split] = cut(rest, fraction * total / len(rest), seed, **keys)
        notes.append(f"{split}: {len(splits[split])} rows cut off the training rows with the seed{_how(task, keys)}")
    return {"train": rest, **splits}


def _leave_duplicates_out(
    task: AnyTask, splits: dict[Split, list[Row]], options: DataOptions, notes: list[str]
) -> list[Row]:
    """Take out of the training rows what `data.deduplicate` leaves out, and return it."""
    if options.deduplicate is None:
        return []
    found = deduplicate(task, splits, options.deduplicate)
    splits["train"] = found.kept
    notes.append(found.note)
    return found.left_out


def _with_fold(
    task: AnyTask, given: dict[Split, list[Row]], options: DataOptions, seed: int, notes: list[str]
) -> dict[Split, list[Row]]:
    """Return the given rows with one part of those of training as the test split.

    Raises:
        InputError: the rows can't be shared among so many parts.
    """
    assert options.folds is not None
    assert options.fold is not None
    rows = given["train"]
    keys = split_keys(task, rows)
    parts = folds(rows, options.folds, seed, **keys)
    if len(parts) < options.folds:
        raise InputError(
            f"data.folds={options.folds}: the {len(rows)} training rows can't be shared among more than {len(parts)} "
            f"parts, as rows with the same content{f' and those of one {task.unit}' if keys['group'] else ''} stay "
            "together"
        )
    held = set(parts[options.fold - 1])
    notes.append(
        f"test: {len(held)} rows, fold {options.fold} of {options.folds} of the training rows{_how(task, keys)}"
    )
    if "test" in given:
        notes.append(f"the {len(given['test'])} test rows that are given take no part in a cross-validation")
    return {
        **given,
        "train": [row for place, row in enumerate(rows) if place not in held],
        "test": [row for place, row in enumerate(rows) if place in held],
    }


def _how(task: AnyTask, keys: SplitKeys) -> str:
    return ", stratified by label" if keys["stratum"] else f", by {task.unit}" if keys["group"] else ""


def _limited(task: AnyTask, split: Split, rows: list[Row], options: DataOptions, seed: int) -> list[Row]:
    most = getattr(options.limit, split)
    if split == "train" and options.limit.nested:
        return nested(rows, most, seed, **split_keys(task, rows))
    return limit(rows, most, seed)


def split_keys(task: AnyTask, rows: Sequence[Row]) -> SplitKeys:
    """Return what decides how rows are shared among splits and folds: labels, groups and duplicates."""
    stratified = any(task.stratum(row) is not None for row in rows[:1])
    grouped = any(task.group(row) is not None for row in rows)
    return {
        "stratum": task.stratum if stratified else None,
        "group": task.group if grouped else None,
        "identity": task.identity,
    }


def _source(options: DataOptions, split: Split) -> str:
    return str(getattr(options, split) or options.hub)


def sources(options: DataOptions) -> dict[str, str | Sequence[str] | None]:
    """Return where each split comes from, for the report."""
    if options.hub is not None:
        return {"hub": options.hub, "revision": options.hub_revision}
    return {split: getattr(options, split) for split in SPLITS}
