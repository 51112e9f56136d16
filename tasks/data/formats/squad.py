"""SQuAD's JSON, versions 1.1 and 2.0: articles hold paragraphs, and paragraphs hold questions."""

from collections.abc import Iterator
from typing import Any

from tasks.data.formats.structured import load_json
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError


def read_squad(text: str, file: str, report: ReadReport) -> list[Record]:
    """Turn each question into a record, in the file's order.

    One question becomes `Record({"id": "q1", "title": "Lodges", "question": "Who signs?", "context": "Ida signs.",
    "answers": {"text": ["Ida"], "answer_start": [0]}, "is_impossible": False}, origin)`. Missing titles and
    ids become None. This function does not check whether an answer stands at its offset.

    Args:
        text: the file's content.
        file: its name, for errors.
        report: takes questions that lack a part or have one of the wrong type.

    Raises:
        InputError: the file is not JSON, or not built like SQuAD above its questions.
    """
    records = []
    for number, (path, title, context, item) in enumerate(_questions(load_json(text, file), file), start=1):
        origin = Origin(file, number, "question")
        fault = _fault(item)
        if fault is not None:
            report.bad_row("bad question", f"{path}{fault}", origin)
            continue
        values = {
            "id": None if item.get("id") is None else str(item["id"]),
            "title": title,
            "question": item["question"],
            "context": context,
            "answers": {key: [answer[key] for answer in item["answers"]] for key in ("text", "answer_start")},
            "is_impossible": item.get("is_impossible", False),
        }
        records.append(Record(values, origin))
    return records


def _questions(tree: Any, file: str) -> Iterator[tuple[str, str | None, str, Any]]:
    """Yield each question with its path in the tree, its article's title and its passage."""
    for article_path, article in _items(tree, "data", file, ""):
        title = article.get("title") if isinstance(article, dict) else None
        for paragraph_path, paragraph in _items(article, "paragraphs", file, article_path):
            context = paragraph.get("context") if isinstance(paragraph, dict) else None
            if not isinstance(context, str):
                raise InputError(f"{file}: {paragraph_path}.context: a text is needed, not {_kind(context)}")
            for path, item in _items(paragraph, "qas", file, paragraph_path):
                yield path, None if title is None else str(title), context, item


def _items(tree: Any, key: str, file: str, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the entries of the list `tree[key]`, each with its path such as `data[3].paragraphs[0]`."""
    if not isinstance(tree, dict):
        raise InputError(f"{file}: {path or 'the file'}: an object with '{key}' is needed, not {_kind(tree)}")
    items = tree.get(key)
    here = f"{path}.{key}" if path else key
    if not isinstance(items, list):
        raise InputError(f"{file}: {here}: a list is needed, not {_kind(items)}")
    for index, item in enumerate(items):
        yield f"{here}[{index}]", item


def _fault(item: Any) -> str | None:
    """Return the place and description of the first fault in a question, or None."""
    if not isinstance(item, dict):
        return f": an object is needed, not {_kind(item)}"
    if not isinstance(item.get("question"), str):
        return f".question: a text is needed, not {_kind(item.get('question'))}"
    if not isinstance(item.get("is_impossible", False), bool):
        return f".is_impossible: true or false is needed, not {_kind(item['is_impossible'])}"
    answers = item.get("answers")
    if not isinstance(answers, list):
        return f".answers: a list is needed, not {_kind(answers)}"
    for index, answer in enumerate(answers):
        if not isinstance(answer, dict):
            return f".answers[{index}]: an object is needed, not {_kind(answer)}"
        if not isinstance(answer.get("text"), str):
            return f".answers[{index}].text: a text is needed, not {_kind(answer.get('text'))}"
        start = answer.get("answer_start")
        if not isinstance(start, int) or isinstance(start, bool):
            return f".answers[{index}].answer_start: a whole number is needed, not {_kind(start)}"
    return ".answers: there are some, but is_impossible is true" if answers and item.get("is_impossible") else None


def _kind(value: Any) -> str:
    """Name a JSON value's kind for an error."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    kinds = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds[type(value)]
