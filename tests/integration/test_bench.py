"""The bench of predicting: texts of the lengths it says, and the same predictions by both ways that it times."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers

from recipes.bench import inference, mixed_texts, predictors
from recipes.bench.__main__ import main
from recipes.bench.predictors import Pass, answer_plainly
from tests import tiny


def count_words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) + 2 for text in texts]


def of_words(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


def test_a_quarter_of_the_texts_has_each_length() -> None:
    pool = [of_words(count) for count in (3, 5, 9, 20, 30, 50, 100)] * 2
    texts = mixed_texts.mixed_texts(pool, count_words, 40, seed=1)
    assert texts == mixed_texts.mixed_texts(pool, count_words, 40, seed=1)
    assert texts != mixed_texts.mixed_texts(pool, count_words, 40, seed=2)
    sizes = count_words(texts)
    for fewest, limit in mixed_texts.LENGTHS:
        # Made texts have up to as many tokens as were drawn: here each word is one, so exactly as many.
        assert sum(fewest <= size < limit for size in sizes) == 10
    assert set(pool[:3]) <= set(texts), "texts that are there are taken before others are made"


def row(question: str, context: str, *answers: str) -> SimpleNamespace:
    return SimpleNamespace(question=question, context=context, answers=answers)


def test_questions_are_on_joined_paragraphs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixed_texts, "PASSAGE_WORDS", 4)
    rows = [
        row("q1", "a b", "a"),
        row("q2", "c d", "d"),
        row("q3", "c d"),
        row("q4", "e f g h", "g"),
        row("q5", "i", "i"),
    ]
    asked = mixed_texts.asked_passages(rows, 10, seed=1)
    passages = {one.question: (one.passage, one.answers) for one in asked}
    assert passages == {"q1": ("a b\n\nc d", ("a",)), "q2": ("a b\n\nc d", ("d",)), "q4": ("e f g h", ("g",))}
    assert len(mixed_texts.asked_passages(rows, 2, seed=1)) == 2
    assert mixed_texts.long_passages(["a", "b"]) == [["a", "b"]], "too few words for a long one: all of them"


def test_the_plain_loop_takes_the_best_span_of_all_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two words of question, and windows of four words of passage that share one: `abcd`, `defg`, `gh`."""
    monkeypatch.setattr(predictors, "MAX_LENGTH", 9)
    monkeypatch.setattr(predictors, "STRIDE", 1)
    monkeypatch.setattr(predictors, "MAX_ANSWER_TOKENS", 2)
    shapes = []

    def model(**inputs: torch.Tensor) -> Any:
        shapes.append(tuple(inputs["input_ids"].shape))
        start, end = torch.zeros(3, 9), torch.zeros(3, 9)
        start[1, 1], end[1, 1] = 90.0, 90.0  # the question
        start[1, 4], end[1, 7] = 50.0, 50.0  # d to g, which are too many
        start[2, 5], end[2, 4] = 80.0, 80.0  # from h back to g
        end[1, 5] = 20.0
        return SimpleNamespace(start_logits=start, end_logits=end)

    model.device = "cpu"  # type: ignore[attr-defined]
    found = answer_plainly(model, tiny.tokenizer_of("bert"), "x y", "a b c d e f g h")
    assert shapes == [(3, 9)]
    # h alone has 80 + 0, as has g; d and e have 50 + 20.
    assert found == {"answer": "h"}


def test_ratio_and_share_of_the_same_predictions() -> None:
    ours = [Pass(2.0, ["a", "b", "c", "d"], 10.0), Pass(1.0, ["a", "b", "c", "d"], 11.0), Pass(4.0, list("abcd"), 11.0)]
    theirs = [Pass(3.0, ["a", "b", "c", "x"], 20.0) for _ in ours]
    compared = inference.Compared("ner", ours, theirs, {1: 5.0, 8: 7.0})
    assert compared.ratio == 1.5, "the median of 1.5, 3 and 0.75"
    assert compared.equal == 0.75


CLASSES = {
    "classification": transformers.AutoModelForSequenceClassification,
    "ner": transformers.AutoModelForTokenClassification,
    "qa": transformers.AutoModelForQuestionAnswering,
}


def leave_a_run(words: Sequence[str]) -> None:
    """Leave what a run would, with random weights that are large enough for predictions to differ."""
    chosen = dict(word.split("=", 1) for word in words)
    labels = {"classification": ["a", "b", "c"], "ner": ["O", "B-x", "I-x"], "qa": ["start", "end"]}[chosen["task"]]
    tokenizer = tiny.tokenizer_of("bert")
    config = tiny.configured("bert", tokenizer, id2label=dict(enumerate(labels)))
    torch.manual_seed(0)
    model = CLASSES[chosen["task"]].from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.3)
    folder = Path(chosen["output_root"], "run")
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    for name in ("report.json", "config.yaml"):
        (folder / name).write_text("{}")


def test_both_ways_predict_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole part, in this process and with tiny models, which take texts of 64 tokens at most."""
    compared: dict[str, inference.Compared] = {}
    compare = inference.compare

    def kept(task: str, *more: Any) -> inference.Compared:
        return compared.setdefault(task, compare(task, *more))

    people = ("Ada", "Mara Lindqvist", "Jon Fox", "Eva Dale")
    rows = [
        row(f"who signs {n}?", f"Claims {n} are signed by {name} in ten days.", name) for n, name in enumerate(people)
    ]
    monkeypatch.delenv("RECIPES_DATA", raising=False)
    monkeypatch.setenv("RECIPES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(inference, "compare", kept)
    monkeypatch.setattr(inference, "run", leave_a_run)
    monkeypatch.setattr(inference, "new_process", lambda: ThreadPoolExecutor(1))
    monkeypatch.setattr(inference, "source_questions", lambda: rows)
    monkeypatch.setattr(inference, "BATCH_SIZES", {"classification": (1, 2), "ner": (2, 1), "qa": (1,)})
    monkeypatch.setattr(mixed_texts, "LENGTHS", ((4, 10), (10, 20), (20, 40), (40, 60)))
    monkeypatch.setattr(mixed_texts, "PASSAGE_WORDS", 16)
    # The length limit of the tiny model is what ours takes if the usual 384 are more.
    monkeypatch.setattr(predictors, "MAX_LENGTH", 64)
    monkeypatch.setattr(predictors, "STRIDE", 14)
    monkeypatch.setattr(predictors, "N_BEST", 64)
    arguments = ["inference", "--rows", "16", "--repetitions", "1", "--output", str(tmp_path), "seed=1"]
    assert main(arguments) == 0
    for task, one in compared.items():
        assert len({str(answer) for answer in one.ours[-1].answers}) > 1, f"{task}: predictions that differ"
    numbers = json.loads((tmp_path / "inference.json").read_text())
    assert {task: numbers[task]["rows"] for task in compared} == {"classification": 16, "ner": 16, "qa": 4}
    assert numbers["classification"]["equal"] == numbers["qa"]["equal"] == 1.0
    assert set(numbers["classification"]["rows_per_second_by_batch_size"]) == {"1", "2"}
    table = (tmp_path / "inference.md").read_text()
    assert "Texts: 16 texts with" in table
    assert "| classification, 16 | text-classification pipeline, batch " in table
    assert "| qa, 4 | loop of the example script |" in table
    assert "Exact match and F1 of the answers: ours " in table
