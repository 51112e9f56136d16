"""Every format that a file can be in: its name on the command line, its extensions, and how it is read.

A new format is a module beside this one and a line in `READERS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from tasks.data.decoding import Source
from tasks.data.formats.conll import read_conll
from tasks.data.formats.delimited import read_delimited
from tasks.data.formats.squad import read_squad
from tasks.data.formats.structured import read_json, read_jsonl, read_parquet
from tasks.data.options import DataOptions
from tasks.data.records import ReadReport, Record

Read: TypeAlias = Callable[[Source, DataOptions, ReadReport], list[Record]]
"A function that turns a file into records and reports bad rows. It raises `InputError` if the file can't be read."


@dataclass(frozen=True)
class Reader:
    """How files of one format are read."""

    read: Read
    suffixes: tuple[str, ...] = ()
    "Extensions, in lower case, that decide the format without a look at the content."


def _delimited(usual_separator: str) -> Read:
    def read(source: Source, options: DataOptions, report: ReadReport) -> list[Record]:
        return read_delimited(
            source.text,
            str(source.path),
            report,
            separator=usual_separator if options.separator is None else _unescaped(options.separator),
            quoting=options.quoting,
            header=options.header,
        )

    return read


def _conll(source: Source, options: DataOptions, report: ReadReport) -> list[Record]:
    return read_conll(
        source.text,
        str(source.path),
        report,
        tokens=options.columns.tokens,
        tags=options.columns.tags,
        separator=None if options.separator is None else _unescaped(options.separator),
        comment=options.comment,
    )


def _of_text(read_text: Callable[[str, str, ReadReport], list[Record]]) -> Read:
    return lambda source, _, report: read_text(source.text, str(source.path), report)


def _unescaped(separator: str) -> str:
    """Return the separator as it is in the file: on the command line, a tab is written as backslash and t."""
    return separator.replace("\\t", "\t")


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "csv": Reader(_delimited(","), (".csv",)),
        "tsv": Reader(_delimited("\t")),
        "jsonl": Reader(_of_text(read_jsonl), (".jsonl", ".ndjson")),
        "json": Reader(_of_text(read_json)),
        "parquet": Reader(lambda source, *_: read_parquet(source.path), (".parquet",)),
        "conll": Reader(_conll, (".conll", ".iob", ".iob2", ".bio")),
        "squad": Reader(_of_text(read_squad)),
    }
)

FORMATS = ("auto", *READERS, "hub")
"The values of `data.format`: a format, `hub` for a data set of the hub, or `auto` to detect the format."
