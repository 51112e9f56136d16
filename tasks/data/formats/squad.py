"""SQuAD's JSON, versions 1.1 and 2.0: articles hold paragraphs, and paragraphs hold questions.

Other tools write the same with other tops: a list of articles or of paragraphs, or one of them on each line. Haystack
adds keys, which are left out.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from tasks.data.formats.json_values import json_fault, parse
from tasks.data.formats.reader import Confidence, Contents, Reader, certain_if
from tasks.data.formats.source import Source
from tasks.data.options import DataOptions
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError

Placed = tuple[str, Any]
"A value, and its path in the tree such as `data[3].paragraphs[0]`."


def read_squad(source: Source, report: ReadReport) -> list[Record]:
    """Turn each question into a record, in the file's order.

    One question becomes `Record({"id": "q1", "title": "Lodges", "question": "Who signs?", "context": "Ida signs.",
    "answers": [{"text": "Ida", "answer_start": 0}], "is_impossible": False}, origin)`. Missing titles and
    ids become None. The task checks answers, in every format alike.

    Args:
        source: the file.
        report: takes questions that lack a part or have one of the wrong type.

    Raises:
        InputError: the file is not JSON, or not built like SQuAD above its questions.
    """
    records = []
    for number, (path, title, context, item) in enumerate(_questions(source), start=1):
        origin = Origin(source.file, number, "question")
        if not isinstance(item, dict):
            report.bad_row("bad question", f"{path}: an object is needed, not {_kind(item)}", origin)
            continue
        if not isinstance(item.get("question"), str):
            fault = f"{path}.question: a text is needed, not {_kind(item.get('question'))}"
            report.bad_row("bad question", fault, origin)
            continue
        values = {
            "id": None if item.get("id") is None else str(item["id"]),
            "title": title,
            "question": item["question"],
            "context": context,
            "answers": item.get("answers", item.get("answer")),
            "is_impossible": item.get("is_impossible", False),
        }
        if "answer_start" in item:
            values["answer_start"] = item["answer_start"]
        records.append(Record(values, origin))
    return records


def _questions(source: Source) -> Iterator[tuple[str, str | None, str, Any]]:
    """Yield each question with its path in the tree, its article's title and its passage."""
    file = source.file
    for article_path, article in _tops(source):
        if isinstance(article, dict) and "qas" in article:
            paragraphs: Iterator[Placed] = iter([(article_path, article)])
        else:
            paragraphs = _items(article, "paragraphs", file, article_path)
        title = article.get("title") if isinstance(article, dict) else None
        for paragraph_path, paragraph in paragraphs:
            context = paragraph.get("context") if isinstance(paragraph, dict) else None
            if not isinstance(context, str):
                raise InputError(f"{file}: {paragraph_path}.context: a text is needed, not {_kind(context)}")
            for path, item in _items(paragraph, "qas", file, paragraph_path):
                yield path, None if title is None else str(title), context, item


def _tops(source: Source) -> Iterator[Placed]:
    """Yield the articles, or the paragraphs if there is nothing above them, whatever the file's top is."""
    document = source.json
    shape = "whole" if document is None else document.shape
    if shape == "lines":
        values: Iterable[tuple[int, Any]] = _lines(source)
    else:
        try:
            values = [(1, parse(source.text))] if document is None or shape == "whole" else document.values
        except (ValueError, RecursionError) as error:
            raise InputError(f"{source.path}, {json_fault(error)}") from error
    for line, value in values:
        yield from _tops_of_tree(value, source.file, "" if shape == "whole" else f"line {line}: ")


def _lines(source: Source) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(source.text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, parse(line)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{source.path}, line {number}: {json_fault(error, with_line=False)}") from error


def _tops_of_tree(tree: Any, file: str, path: str) -> Iterator[Placed]:
    if isinstance(tree, list):
        for index, item in enumerate(tree):
            yield f"{path}[{index}]", item
    elif isinstance(tree, dict) and ("paragraphs" in tree or "qas" in tree):
        yield path.rstrip(": "), tree
    else:
        yield from _items(tree, "data", file, path)


def _items(tree: Any, key: str, file: str, path: str) -> Iterator[Placed]:
    """Yield the entries of the list `tree[key]`, each with its path."""
    if not isinstance(tree, dict):
        raise InputError(f"{file}: {path or 'the file'}: an object with '{key}' is needed, not {_kind(tree)}")
    items = tree.get(key)
    here = f"{path}.{key}" if path and not path.endswith(" ") else f"{path}{key}"
    if not isinstance(items, list):
        raise InputError(f"{file}: {here}: a list is needed, not {_kind(items)}")
    for index, item in enumerate(items):
        yield f"{here}[{index}]", item


def _kind(value: Any) -> str:
    """Name a JSON value's kind for an error."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    kinds = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds[type(value)]


def _recognise(source: Source) -> Confidence:
    return certain_if(any(map(_holds_questions, source.sample)) or _holds_questions(_only_value(source)))


def _only_value(source: Source) -> Any:
    document = source.json
    return document.whole if document is not None and document.shape == "whole" and document.sample else None


def _holds_questions(value: Any) -> bool:
    """Tell whether a value is a paragraph with questions, an article with such paragraphs, or a whole file of them."""
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("qas"), list) and "context" in value:
        return True
    if isinstance(value.get("data"), list):
        return any(map(_holds_questions, value["data"]))
    paragraphs = value.get("paragraphs")
    return isinstance(paragraphs, list) and any(isinstance(one, dict) and "qas" in one for one in paragraphs)


def _read(source: Source, options: DataOptions, report: ReadReport) -> Contents:
    del options
    return Contents(read_squad(source, report), "SQuAD")


SQUAD = Reader("squad", _recognise, _read)
