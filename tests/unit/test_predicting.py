"""Predicting without a Trainer: what a naive loop over single windows gives, however the batches are cut and shared."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForTokenClassification

from recipes.heads.registry import reduction_for
from recipes.inference import predicting
from recipes.inference.evaluation import evaluate, prediction_lines, with_traits
from recipes.inference.predicting import Predictor, batches_of_process
from recipes.windows.columns import Windows, to_table
from tasks.data.options import DataOptions
from tasks.errors import InputError
from tasks.loading.load import load
from tasks.loading.rows import AnyRows
from tasks.ner import Ner
from tasks.tags import to_iob2
from tests import tiny


@pytest.fixture(scope="module")
def rows() -> AnyRows:
    names = {split: f"sample:ner/{split}.conll" for split in ("train", "validation", "test")}
    options = DataOptions(train=names["train"], validation=names["validation"], test=names["test"])
    options.limit.validation, options.limit.test = 23, 7
    return load(Ner(max_length=24, stride=4), options, seed=1)


@pytest.fixture(scope="module")
def predictor(rows: AnyRows, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tiny.save("bert", tmp_path_factory.mktemp("model"))
    torch.manual_seed(1)
    model = AutoModelForTokenClassification.from_pretrained(folder, num_labels=len(rows.head.labels))
    return Predictor(
        model=model,
        task=rows.task,
        head=rows.head,
        reduce=reduction_for(rows.task, rows.head),
        collate=rows.task.collator(tiny.tokenizer_of("bert")),
        batch_size=5,
        tokens_at_once=None,
    )


@pytest.fixture(scope="module")
def windows(rows: AnyRows) -> Windows:
    tokenizer = rows.task.adapt(tiny.tokenizer_of("bert"))
    found = Windows(to_table(rows.task.encode(rows.splits["validation"], tokenizer, rows.head, 24)))
    assert len(found) > len(rows.splits["validation"]), "long sentences have several windows"
    return found


def plainly(predictor: Predictor, rows: AnyRows, windows: Windows) -> list[list[str]]:
    """Predict window by window: for each word the likeliest label at the token that answers for it."""
    tags = [["O"] * len(row.tokens) for row in rows.splits["validation"]]
    for number in range(len(windows)):
        ids = torch.tensor([windows.columns["input_ids"][number].tolist()])
        with torch.no_grad():
            labels = predictor.model(input_ids=ids).logits[0].argmax(-1).tolist()
        for label, word in zip(labels, windows.columns["words"][number].tolist(), strict=True):
            if word >= 0:
                tags[int(windows.columns["row"][number])][word] = rows.head.labels[label]
    return tags


def tags_of(predictions: Sequence[dict[str, Any]]) -> list[list[str]]:
    return [prediction["tags"] for prediction in predictions]


def test_freed_memory_is_released_now_and_then(
    predictor: Predictor, windows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    released: list[None] = []
    monkeypatch.setattr(predicting, "release_freed_memory", lambda: released.append(None))
    monkeypatch.setattr(predicting, "BATCHES_BETWEEN_RELEASES", 2)
    replace(predictor, batch_size=1).predict_windows(windows)
    assert len(released) == len(windows) // 2


def test_predictions_are_those_of_a_plain_loop(predictor: Predictor, rows: AnyRows, windows: Windows) -> None:
    expected = [to_iob2(tags, "iob2")[0] for tags in plainly(predictor, rows, windows)]
    assert len({tag for tags in expected for tag in tags}) > 2, "predictions that differ, so that this says something"
    for batch_size, tokens_at_once in ((5, None), (64, None), (1, None), (64, 30), (7, 1)):
        cut = replace(predictor, batch_size=batch_size, tokens_at_once=tokens_at_once)
        assert tags_of(cut.predict_rows(rows.splits["validation"], windows)) == expected


@given(st.integers(1, 50), st.integers(1, 9))
def test_every_process_computes_equally_many_batches(count: int, processes: int) -> None:
    shares = [batches_of_process(count, processes, process) for process in range(processes)]
    assert {len(share) for share in shares} == {-(-count // processes)}, "sharded models wait for each other"
    assert {batch for share in shares for batch in share} == set(range(count))


@pytest.mark.parametrize("processes", [2, 3, 8])
def test_several_processes_come_to_the_predictions_of_one(
    processes: int, predictor: Predictor, rows: AnyRows, windows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = predictor.predict_rows(rows.splits["validation"], windows)
    gathered: list[Any] = []

    def gather(here: list[Any]) -> list[Any]:
        gathered.extend(here)
        return here

    monkeypatch.setattr(predicting, "gather_object", gather)
    for process in range(processes):
        replace(predictor, processes=processes, process=process).predict_windows(windows)
    monkeypatch.setattr(predicting, "gather_object", lambda _: gathered)
    together = replace(predictor, processes=processes).predict_rows(rows.splits["validation"], windows)
    assert together == alone


def test_too_little_memory_is_met_with_smaller_parts(
    predictor: Predictor,
    rows: AnyRows,
    windows: Windows,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = predictor.predict_rows(rows.splits["validation"], windows)
    forward, sizes = predicting.forward, []

    def tight(model: Any, batch: Any) -> Any:
        sizes.append(batch["input_ids"].numel())
        if sizes[-1] > limit:
            raise torch.OutOfMemoryError("out of memory")
        return forward(model, batch)

    monkeypatch.setattr(predicting, "forward", tight)
    limit = 40
    assert tags_of(predictor.predict_rows(rows.splits["validation"], windows)) == tags_of(expected)
    assert "out of memory: " in capsys.readouterr().out
    assert sum(size > limit for size in sizes) <= 3, "what did not fit once is not tried again"
    limit = 1
    with pytest.raises(InputError, match="Out of memory with a single row"):
        predictor.predict_rows(rows.splits["validation"], windows)


def test_other_errors_are_raised_as_they_are(
    predictor: Predictor, rows: AnyRows, windows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(predicting, "forward", broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        predictor.predict_rows(rows.splits["validation"], windows)


def test_splits_are_scored_and_written(predictor: Predictor, rows: AnyRows, windows: Windows) -> None:
    tokenizer = rows.task.adapt(tiny.tokenizer_of("bert"))
    test = Windows(to_table(rows.task.encode(rows.splits["test"], tokenizer, rows.head, 24)))
    evaluation = evaluate(predictor, rows, {"validation": windows, "test": test})
    predictions = predictor.predict_rows(rows.splits["test"], test)
    assert evaluation.metrics["test"] == rows.task.score(rows.splits["test"], predictions, rows.head)
    assert evaluation.predictions["test"] == with_traits(
        prediction_lines(rows.task, rows.splits["test"], predictions), rows, "test"
    )
    line, row = evaluation.predictions["test"][0], rows.splits["test"][0]
    assert line["line"] == row.origin.number
    assert (line["tokens"], line["gold"]) == (row.tokens, list(row.tags))


def test_predicting_imports_no_trainer() -> None:
    code = (
        "import sys, recipes.inference.evaluation, recipes.inference.predicting; "
        "loaded = [name for name in sys.modules if name in ('transformers.trainer', 'hydra')]; "
        "assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
