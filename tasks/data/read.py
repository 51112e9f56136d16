"""Reading of one split of a data set, in any format, into records that know their place in the file."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.data.annotation.brat import without_partners
from tasks.data.counted import Counted
from tasks.data.decoding import decode_file, marked_encoding
from tasks.data.files import SAMPLES, find_files, folder_message
from tasks.data.formats.reader import Confidence, Contents
from tasks.data.formats.source import Source
from tasks.data.hub import read_hub
from tasks.data.options import DataOptions, Split
from tasks.data.readers import READERS, choose_reader, require_format
from tasks.data.records import ReadReport, Record
from tasks.errors import InputError


def read_records(options: DataOptions, split: Split, report: ReadReport) -> list[Record] | None:
    """Return the rows of a split in the order of its files, or None if the split is not given.

    >>> read_records(DataOptions(train="sample:ner/train.conll"), "train", ReadReport())[0].values
    {'tokens': ['Mara', 'Lindqvist', ...], 'tags': ['B-person', 'I-person', ...]}

    Raises:
        InputError: a file is missing, can't be read or is empty.
    """
    require_format(options.format)
    if options.hub is not None:
        place = f"{options.hub}, split {getattr(options, split) or split}"
        rows = read_hub(options, split)
        if rows is not None:
            require_rows(len(rows), place, report)
        return rows
    if options.format == "hub":
        raise InputError("data.format=hub: say which data set, e.g. data.hub=OWNER/NAME")
    value = getattr(options, split)
    if value is None:
        return None
    records: list[Record] = []
    kinds: dict[str, list[Path]] = {}
    counted: dict[str, Counted] = defaultdict(Counted)
    for path in without_partners(find_files(value, f"data.{split}", folders=True)):
        contents = read_source(Source(path, options.encoding), f"data.{split}", options, report)
        kinds.setdefault(contents.what, []).append(path)
        require_rows(len(contents.records), str(path), report)
        counted[contents.what].add(contents.records)
        records += contents.records
    report.recognised += recognised(split, kinds, counted)
    return records


def recognised(split: str, kinds: Mapping[str, Sequence[Path]], counted: Mapping[str, Counted]) -> list[str]:
    """Return a line for each kind of files: what they were recognised as, and how many rows there are in them."""
    return [
        f"{split}: {_names(paths)}: {what}, {counted[what]}"
        for what, paths in kinds.items()
        # What the built-in samples are is no news.
        if not all(path.is_relative_to(SAMPLES) for path in paths)
    ]


def _names(paths: Sequence[Path]) -> str:
    return paths[0].name if len(paths) == 1 else f"{len(paths)} files"


def require_rows(count: int, place: str, report: ReadReport) -> None:
    """Raise an error if a file has no rows.

    Raises:
        InputError: there are none.
    """
    if not count:
        left_out = ", ".join(f"{count} x {reason}" for reason, count in report.skipped.items())
        raise InputError(f"{place}: holds no usable row" + (f" (left out: {left_out})" if left_out else ""))


def read_source(
    source: Source, key: str, options: DataOptions, report: ReadReport, fallback: str | None = None
) -> Contents:
    """Return the records of a file or folder, and what it was recognised as.

    Args:
        source: the file or folder.
        key: the config key that names it, for errors.
        options: how it is read.
        report: takes bad rows.
        fallback: the format of a file that is of no other one; see `choose_reader`.

    Raises:
        InputError: it can't be read.
    """
    if source.is_folder and options.format == "auto" and not _is_known_folder(source):
        raise InputError(folder_message(source.path, key))
    contents = choose_reader(source, options.format, fallback).read(source, options, report)
    if source.is_folder:
        return contents
    return Contents(contents.records, contents.what + by_mark(source.data, options.encoding))


def by_mark(data: bytes, encoding: str) -> str:
    """Return words about the encoding that a byte order mark stands for, if it is not the one that is expected."""
    marked = marked_encoding(data)
    is_expected = not encoding.casefold().replace("-", "").startswith("utf8")
    return "" if marked is None or is_expected else f", {marked.upper()} by its byte order mark"


def _is_known_folder(source: Source) -> bool:
    return any(reader.folders and reader.recognise(source) is not Confidence.NO for reader in READERS)


def read_label_names(value: Any) -> list[str] | None:
    r"""Return the names of integer labels: a list unchanged, or the lines of a file.

    >>> read_label_names("labels.txt")  # "negative\npositive\n"
    ['negative', 'positive']

    Raises:
        InputError: a name is blank, not a text, or there twice.
    """
    if value is None:
        return None
    if isinstance(value, str):
        names, place = _lines(value)
    else:
        names, place = value, "data.label_names"
    if not isinstance(names, list | tuple) or not names:
        raise InputError(f"data.label_names={value!r}: a list of names, or a file with one name a line")
    for number, name in enumerate(names):
        # YAML reads a bare yes, no, on or off as true or false.
        if isinstance(name, bool) or not isinstance(name, str | int):
            raise InputError(f"{place}: name {number} is {name!r}, not a text: write it in quotes")
        if not str(name).strip():
            raise InputError(f"{place}: name {number} is blank")
        if name in names[:number]:
            raise InputError(f"{place}: the name '{name}' is there twice")
    return [str(name) for name in names]


def _lines(value: str) -> tuple[list[str], str]:
    files = find_files(value, "data.label_names")
    if len(files) > 1:
        raise InputError(f"data.label_names={value}: one file is needed, not {len(files)}")
    text = decode_file(files[0], "utf-8")
    return [line.strip() for line in text.rstrip().split("\n")], str(files[0])
