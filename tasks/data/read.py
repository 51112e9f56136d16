"""Reading of one split of a data set, in any format, into records that know their place in the file."""

from pathlib import Path
from typing import Any

from tasks.data.decoding import Source, decode_file
from tasks.data.files import find_files
from tasks.data.formats.detection import detect_format, suffix_format
from tasks.data.formats.readers import FORMATS, READERS
from tasks.data.hub import read_hub
from tasks.data.options import DataOptions, Split
from tasks.data.records import ReadReport, Record
from tasks.errors import InputError, did_you_mean


def read_records(options: DataOptions, split: Split, report: ReadReport) -> list[Record] | None:
    """Return the rows of a split in the order of its files, or None if the split is not given.

    >>> read_records(DataOptions(train="sample:ner/train.conll"), "train", ReadReport())[0].values
    {'tokens': ['Mara', 'Lindqvist', ...], 'tags': ['B-person', 'I-person', ...]}

    Raises:
        InputError: a file is missing, can't be read or is empty.
    """
    if options.format not in FORMATS:
        near = did_you_mean(options.format, FORMATS)
        raise InputError(f"data.format={options.format}: choose from {', '.join(FORMATS)}.{near}")
    if options.hub is not None:
        return _require_rows(read_hub(options, split), f"{options.hub}, split {getattr(options, split) or split}")
    if options.format == "hub":
        raise InputError("data.format=hub: say which data set, e.g. data.hub=OWNER/NAME")
    value = getattr(options, split)
    if value is None:
        return None
    records: list[Record] = []
    for path in find_files(value, f"data.{split}"):
        records += _require_rows(_read_file(path, options, report), str(path)) or ()
    return records


def _require_rows(records: list[Record] | None, place: str) -> list[Record] | None:
    if records is not None and not records:
        raise InputError(f"{place}: holds no usable row")
    return records


def _read_file(path: Path, options: DataOptions, report: ReadReport) -> list[Record]:
    source = Source(path, options.encoding)
    kind = options.format
    if kind == "auto":
        kind = suffix_format(path) or detect_format(path, source.text)
    return READERS[kind].read(source, options, report)


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
