"""WNUT-17 through all formats of named entities: the rows, and what a model would be trained on, stay the same."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from recipes.config.schema import Model
from recipes.convert import main
from recipes.model.locating import locate
from tasks.data.options import Columns, DataOptions
from tasks.data.read import read_records
from tasks.data.records import ReadReport
from tasks.ner import Ner, Sentence
from tasks.task import Layout
from tests import tiny
from tests.data.test_public_files import public_file

pytestmark = pytest.mark.data

FILES = {"train": "wnut17train.conll", "validation": "emerging.dev.conll", "test": "emerging.test.annotated"}


def rows_of(path: Path, task: Ner) -> list[Sentence]:
    report = ReadReport()
    records = read_records(DataOptions(train=str(path)), "train", report) or []
    rows = task.resolve_auto(records, Layout(Columns()), report).read(records, Layout(Columns()), report)
    assert (report.skipped, report.repaired) == ({}, {})
    return rows


def words(rows: Sequence[Sentence]) -> list[Any]:
    return [(row.id, row.tokens, row.tags) for row in rows]


@pytest.fixture(scope="module", params=FILES)
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of WNUT-17 as it was published, and converted step by step: spans, doccano, CoNLL, spans, tokens."""
    folder = tmp_path_factory.mktemp("converted")
    steps = {
        "published": Path(public_file(f"wnut17/{FILES[request.param]}")),
        "spans": folder / "spans.jsonl",
        "doccano": folder / "doccano.jsonl",
        "conll": folder / "back.conll",
        "tokens": folder / "tokens.jsonl",
    }
    options = {
        "spans": ["data.format=conll"],
        "doccano": ["--format", "doccano"],
        "conll": ["task.words=blanks"],
        "tokens": ["--format", "jsonl_tokens"],
    }
    paths = list(steps.items())
    for (_, source), (name, target) in pairwise(paths):
        assert main([str(source), "-o", str(target), *options[name]]) == 0
    return steps


def test_the_rows_stay_the_same(files: dict[str, Path]) -> None:
    published = words(rows_of(files["published"], Ner()))
    assert len(published) in (3394, 1009, 1287)
    assert words(rows_of(files["spans"], Ner())) == published
    assert words(rows_of(files["doccano"], Ner(words="blanks"))) == published
    assert words(rows_of(files["conll"], Ner())) == published
    assert words(rows_of(files["tokens"], Ner())) == published


@pytest.mark.parametrize("tokenizer", ["minilm", "bert", "roberta", "xlm-roberta"])
def test_a_model_is_trained_on_the_same(files: dict[str, Path], tokenizer: str) -> None:
    loaded: Any
    if tokenizer == "minilm":
        loaded = AutoTokenizer.from_pretrained(locate(Model(path="sentence-transformers/all-MiniLM-L6-v2")))
    else:
        loaded = tiny.tokenizer_of(tokenizer)
    sets = {
        name: rows_of(files[name], Ner(words=rule))
        for name, rule in (("published", "unicode"), ("spans", "unicode"), ("doccano", "blanks"))
    }
    heads = {name: Ner().head(rows, Layout(Columns())) for name, rows in sets.items()}
    adapted = Ner().adapt(loaded)
    windows = {name: Ner().encode(rows, adapted, heads[name], 64) for name, rows in sets.items()}
    assert heads["spans"] == heads["published"] == heads["doccano"]
    assert len(windows["published"]["input_ids"]) >= len(sets["published"]) > 1000
    assert windows["spans"] == windows["published"]
    assert windows["doccano"] == windows["published"]
