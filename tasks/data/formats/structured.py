"""Rows with typed values: JSON in its usual shapes."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tasks.data.formats.json_values import LINE_SUFFIXES, JsonText, Shape, json_fault, parse, top_list
from tasks.data.formats.portions import Portions, PortionsOfLines
from tasks.data.formats.reader import Confidence, Contents, InPortions, Read, Reader
from tasks.data.formats.source import Beginning, Source
from tasks.data.options import DataOptions
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError

SHAPES = 'an array of objects, {"data": [objects]}, an object of equally long columns, or what pandas.to_json writes'


def json_rows(source: Source, report: ReadReport) -> Iterator[tuple[Any, Origin]]:
    """Yield the values of a JSON file's rows, with their places. Lines that are not JSON go to `report`.

    Raises:
        InputError: the file is not JSON, or its rows can't be found.
    """
    document = _document(source)
    if document.shape == "lines":
        yield from _lines(source, report)
    elif document.shape == "concatenated":
        try:
            values = document.values
        except (ValueError, RecursionError) as error:
            raise InputError(f"{source.path}, {json_fault(error)}") from error
        for line, value in values:
            yield value, Origin(source.file, line)
    else:
        try:
            tree = document.whole
        except (ValueError, RecursionError) as error:
            raise InputError(f"{source.path}, {json_fault(error)}") from error
        for number, value in enumerate(rows_of_tree(tree, source.file), start=1):
            yield value, Origin(source.file, number, "row")


def _document(source: Source) -> JsonText:
    return source.json or JsonText(source.text, "lines" if source.suffix in LINE_SUFFIXES else "whole")


def json_shape(source: Source) -> Shape:
    """Return how the values of a JSON file stand in it."""
    return _document(source).shape


def _lines(source: Source, report: ReadReport) -> Iterator[tuple[Any, Origin]]:
    # Not splitlines(): it also splits at U+2028 and others, which JSON allows in a string.
    for number, line in enumerate(source.text.split("\n"), start=source.first_line):
        if line.strip():
            origin = Origin(source.file, number)
            try:
                value = parse(line)
            except (ValueError, RecursionError) as error:
                report.bad_row("not JSON", f"not valid JSON, {json_fault(error, with_line=False)}", origin)
                continue
            yield value, origin


def read_json(source: Source, report: ReadReport) -> list[Record]:
    """Turn a JSON file into records. Rows that are not objects go to `report`.

    These are read: a value on each line, values one after another, and one value in one of `SHAPES`.

    Raises:
        InputError: the file is not JSON or has another shape.
    """
    records = []
    for values, origin in json_rows(source, report):
        if isinstance(values, dict):
            records.append(Record(values, origin))
        else:
            report.bad_row("not an object", f"a JSON object is needed, not {json.dumps(values)[:40]}", origin)
    return records


def rows_of_tree(tree: Any, file: str) -> list[Any]:
    """Return the rows of one JSON value, whatever shape they are stored in.

    >>> rows_of_tree({"columns": ["text", "label"], "index": [0], "data": [["warm beds", "good"]]}, "lodge.json")
    [{'text': 'warm beds', 'label': 'good'}]
    >>> rows_of_tree({"text": {"0": "warm beds"}, "label": {"0": "good"}}, "lodge.json")
    [{'text': 'warm beds', 'label': 'good'}]

    Raises:
        InputError: the rows can't be found, or the columns are not equally long.
    """
    if isinstance(tree, list):
        return tree
    if not isinstance(tree, dict):
        raise InputError(f"{file}: the file holds a single value. These shapes can be read: {SHAPES}")
    names, data = tree.get("columns"), tree.get("data")
    if isinstance(names, list) and isinstance(data, list):
        return _split_rows(names, data, file)
    if tree and all(isinstance(value, dict) for value in tree.values()):
        return _nested_rows(tree, file)
    tables = [key for key, value in tree.items() if _is_table(value)]
    if len(tables) > 1 and len(tables) == len(tree):
        raise InputError(
            f"{file}: there are several lists of rows: {', '.join(tables)}. Save each in a file of its own"
        )
    rows = top_list(tree)
    if rows is not None:
        return rows
    strange = next((key for key, column in tree.items() if not isinstance(column, list)), None)
    lists = [key for key, value in tree.items() if isinstance(value, list)]
    if strange is not None:
        if len(lists) > 1:
            raise InputError(
                f"{file}: there are several lists: {', '.join(lists)}. Save the one that is meant by itself"
            )
        raise InputError(f"{file}: '{strange}' is not a list. These shapes can be read: {SHAPES}")
    lengths = {key: len(column) for key, column in tree.items()}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{key} {length}" for key, length in lengths.items())
        raise InputError(f"{file}: the columns are not equally long: {counts}")
    return [dict(zip(tree, cells, strict=True)) for cells in zip(*tree.values(), strict=True)]


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _split_rows(names: list[Any], data: list[Any], file: str) -> list[Any]:
    """Return the rows of pandas' orient "split": the columns' names once, and the cells of each row as a list."""
    for number, cells in enumerate(data, start=1):
        if not isinstance(cells, list) or len(cells) != len(names):
            raise InputError(
                f"{file}, row {number}: a list of {len(names)} cells is needed: {', '.join(map(str, names))}"
            )
    return [dict(zip(map(str, names), cells, strict=True)) for cells in data]


def _nested_rows(tree: Mapping[str, Mapping[str, Any]], file: str) -> list[Any]:
    """Return the rows of an object of objects: pandas' orient "index" (by row), or "columns" (by column)."""
    inner = list(dict.fromkeys(key for values in tree.values() for key in values))
    if any(list(values) != inner for values in tree.values()):
        raise InputError(f"{file}: the objects in it have different keys. These shapes can be read: {SHAPES}")
    by_column, by_row = all(map(_is_number, inner)), all(map(_is_number, tree))
    if by_column == by_row:
        raise InputError(
            f"{file}: an object of objects. It is not plain which are the rows: {', '.join(list(tree)[:3])}, ... or "
            f"{', '.join(inner[:3])}, .... Save it with pandas as to_json(..., orient='records')"
        )
    if by_row:
        return list(tree.values())
    return [{name: values[key] for name, values in tree.items()} for key in inner]


def _is_number(key: str) -> bool:
    return key.lstrip("-").isdecimal()


def _recognise_lines(source: Source) -> Confidence:
    shape = source.json.shape if source.json else None
    return Confidence.LIKELY if shape == "lines" or source.suffix in LINE_SUFFIXES else Confidence.NO


def _recognise_json(source: Source) -> Confidence:
    if _recognise_lines(source):
        return Confidence.NO
    return Confidence.LIKELY if source.json is not None or source.suffix == ".json" else Confidence.NO


def _read_json(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    del options
    shape = source.json.shape if source.json else "whole"
    what = {"lines": "JSON lines", "whole": "JSON", "concatenated": "JSON objects one after another"}[shape]
    return Contents(read_json(source, report), what)


def json_lines_in_portions(read: Read) -> InPortions:
    """Return how a reader that treats each row of JSON by itself reads files with a value on each line in portions."""

    def in_portions(source: Beginning, options: DataOptions, report: ReadReport) -> Portions | None:
        if json_shape(source) != "lines":
            return None
        what = read(source, options, ReadReport("skip")).what
        return PortionsOfLines(what, lambda portion: read(portion, options, report).records)

    return in_portions


JSON_LINES = Reader("jsonl", _recognise_lines, _read_json, in_portions=json_lines_in_portions(_read_json))
JSON = Reader("json", _recognise_json, _read_json, in_portions=json_lines_in_portions(_read_json))
