"""Questions on passages: as SQuAD's JSON, as CSV and as JSON lines."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from tasks.data.records import ReadReport
from tasks.qa import Question
from tasks.writing.csv_cells import cell_fault, csv_text
from tasks.writing.writer import Writer, Written, has_own_ids, holdable, json_lines, renumbered, to_json


def write_squad(rows: Sequence[Question], labelled: bool, report: ReadReport) -> Written:
    """Write SQuAD's JSON: version 2.0 if a question has no answer, and else 1.1.

    Questions that follow each other share an article if they have the same title, and a paragraph if they have the same
    passage. SQuAD's files have ids, so that rows without get their positions.
    """
    del report
    has_impossible = labelled and any(not row.answers for row in rows)
    articles = []
    for title, of_article in groupby(rows, key=lambda row: row.title):
        paragraphs = [
            {"context": context, "qas": [_question(row, labelled, has_impossible) for row in of_paragraph]}
            for context, of_paragraph in groupby(of_article, key=lambda row: row.context)
        ]
        articles.append({**({} if title is None else {"title": title}), "paragraphs": paragraphs})
    tree = {"version": "v2.0" if has_impossible else "1.1", "data": articles}
    return Written(f"{to_json(tree)}\n", rows)


def _question(row: Question, labelled: bool, has_impossible: bool) -> dict[str, Any]:
    answers = [{"text": text, "answer_start": start} for text, start in zip(row.answers, row.starts, strict=True)]
    return {
        "id": row.id,
        "question": row.question,
        **({"answers": answers} if labelled else {}),
        **({"is_impossible": not answers} if has_impossible else {}),
    }


def write_json_lines(rows: Sequence[Question], labelled: bool, report: ReadReport) -> Written:
    """Write `{"id", "title", "question", "context", "answers": {"text", "answer_start"}}`, as far as there are any."""
    del report
    own_ids = has_own_ids(rows)
    return Written(json_lines(_values(row, labelled, own_ids, _some_impossible(rows, labelled)) for row in rows), rows)


def write_csv(rows: Sequence[Question], labelled: bool, report: ReadReport) -> Written:
    """Write the columns id, title, question, context and answers, as far as there are any; answers are JSON in a cell.

    Raises:
        InputError: a row can't be held; see `holdable`.
    """
    own_ids = has_own_ids(rows)
    kept = holdable(rows, _csv_fault, "csv", report)
    written = kept if own_ids else renumbered(kept)
    impossible = _some_impossible(written, labelled)
    cells = [
        {name: value if isinstance(value, str) else to_json(value) for name, value in values.items()}
        for values in (_values(row, labelled, own_ids, impossible) for row in written)
    ]
    usual = ("id", "title", "question", "context", "answers", "is_impossible")
    return Written(csv_text([name for name in usual if any(name in row for row in cells)], cells), written)


def _some_impossible(rows: Sequence[Question], labelled: bool) -> bool:
    return labelled and any(not row.answers for row in rows)


def _values(row: Question, labelled: bool, own_ids: bool, impossible: bool) -> dict[str, Any]:
    return {
        **({"id": row.id} if own_ids else {}),
        **({} if row.title is None else {"title": row.title}),
        "question": row.question,
        "context": row.context,
        **({"answers": {"text": list(row.answers), "answer_start": list(row.starts)}} if labelled else {}),
        **({"is_impossible": not row.answers} if impossible else {}),
    }


def _csv_fault(row: Question) -> str | None:
    cells = (row.id, row.title or "", row.question, row.context)
    return next((fault for fault in map(cell_fault, cells) if fault is not None), None)


QUESTION_WRITERS = (
    Writer("squad", "qa", ".json", write_squad),
    Writer("csv", "qa", ".csv", write_csv),
    Writer("jsonl", "qa", ".jsonl", write_json_lines),
)
