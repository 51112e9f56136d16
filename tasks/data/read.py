"""Reading of one split of a data set, in any format, into records that know their place in the file."""

from pathlib import Path
from typing import Any

from tasks.data.annotation.brat import without_partners
from tasks.data.annotation.spans import CharacterSpan, read_spans
from tasks.data.decoding import decode_file, marked_encoding
from tasks.data.files import SAMPLES, find_files, folder_message
from tasks.data.formats.reader import Confidence
from tasks.data.formats.source import Source
from tasks.data.hub import read_hub
from tasks.data.options import DataOptions, Split
from tasks.data.readers import READERS, choose_reader, require_format
from tasks.data.records import ReadReport, Record
from tasks.errors import InputError

FIRST = 100
"How many records tell what the rows are."


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
        return _require_rows(read_hub(options, split), place, report)
    if options.format == "hub":
        raise InputError("data.format=hub: say which data set, e.g. data.hub=OWNER/NAME")
    value = getattr(options, split)
    if value is None:
        return None
    records: list[Record] = []
    kinds: dict[str, list[Path]] = {}
    for path in without_partners(find_files(value, f"data.{split}", folders=True)):
        found, what = _read_file(path, f"data.{split}", options, report)
        kinds.setdefault(what, []).append(path)
        records += _require_rows(found, str(path), report) or ()
    for what, paths in kinds.items():
        # What the built-in samples are is no news.
        if not all(path.is_relative_to(SAMPLES) for path in paths):
            report.recognised.append(f"{split}: {_names(paths)}: {what}{_described(records)}")
    return records


def _names(paths: list[Path]) -> str:
    return paths[0].name if len(paths) == 1 else f"{len(paths)} files"


def _described(records: list[Record]) -> str:
    """Return how many rows there are, and what they are; for texts with entities by offsets, how many types."""
    columns = set().union(*(record.values for record in records[:FIRST])) if records else set[str]()
    nouns = (("spans", "text"), ("tokens", "sentence"), ("context", "question"))
    noun = next((noun for column, noun in nouns if column in columns), "row")
    counted = f", {len(records)} {noun}{'s' * (len(records) != 1)}"
    if noun == "text":
        types = {span.label for record in records for span in _readable_spans(record)}
        counted += f", {len(types)} type{'s' * (len(types) != 1)}"
    return counted


def _readable_spans(record: Record) -> list[CharacterSpan]:
    try:
        return read_spans(record.values.get("spans"))
    except ValueError:
        return []  # the task reports it


def _require_rows(records: list[Record] | None, place: str, report: ReadReport) -> list[Record] | None:
    if records is not None and not records:
        left_out = ", ".join(f"{count} x {reason}" for reason, count in report.skipped.items())
        raise InputError(f"{place}: holds no usable row" + (f" (left out: {left_out})" if left_out else ""))
    return records


def _read_file(path: Path, key: str, options: DataOptions, report: ReadReport) -> tuple[list[Record], str]:
    """Return the records of a file or folder, and what it was recognised as."""
    source = Source(path, options.encoding)
    if path.is_dir() and options.format == "auto" and not _is_known_folder(source):
        raise InputError(folder_message(path, key))
    contents = choose_reader(source, options.format).read(source, options, report)
    what = contents.what
    if not path.is_dir():
        marked = marked_encoding(source.data)
        if marked is not None and options.encoding.casefold().replace("-", "").startswith("utf8"):
            what += f", {marked.upper()} by its byte order mark"
    return contents.records, what


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
