"""Two ways to predict with one trained model: `recipes.load`, and what is written with transformers alone.

Both run in processes of their own (`recipes.bench.inference`), so that neither has the settings or the memory of the
other.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np

MAX_LENGTH, STRIDE, MAX_ANSWER_TOKENS = 384, 128, 30
"Of questions, as in the example script of transformers and in our defaults."
N_BEST = 20
"The likeliest starts and ends of a window that the example script pairs with each other."

Predict: TypeAlias = Callable[[Sequence[Any], int], list[Any]]
"Maps items and a batch size to a prediction for each item."


@dataclass(frozen=True)
class Way:
    """A way to predict."""

    side: str
    "ours or theirs."
    task: str
    run: str
    "The run directory of the model."
    threads: int


@dataclass(frozen=True)
class Pass:
    """What one pass over some items took and gave."""

    seconds: float
    answers: list[Any]
    "For each item what both ways should agree on, see `COMPARABLE`."
    peak_memory_mb: float
    "Of the process so far, see `recipes.machine.memory`."


def predict(way: Way, items: Sequence[Any], batch_size: int) -> Pass:
    """Predict for items, and time it. The model is loaded before the first pass of a process, and kept."""
    from recipes.machine.memory import peak_memory_mb

    predictor = _loaded(way)
    started = time.perf_counter()
    predictions = predictor(items, batch_size)
    seconds = time.perf_counter() - started
    return Pass(seconds, list(map(COMPARABLE[way.task], predictions)), peak_memory_mb())


@lru_cache(maxsize=1)
def _loaded(way: Way) -> Predict:
    import torch

    from recipes.system.quiet_libraries import quiet_libraries

    quiet_libraries()
    torch.set_num_threads(way.threads)
    return _ours(way) if way.side == "ours" else THEIRS[way.task](f"{way.run}/model")


def _ours(way: Way) -> Predict:
    import recipes

    model = recipes.load(way.run, threads=way.threads, **OUR_OPTIONS[way.task])

    def predicted(items: Sequence[Any], batch_size: int) -> list[Any]:
        del batch_size
        predictions: list[Any] = model(items)
        return predictions

    return predicted


def classifier(folder: str) -> Predict:
    """Return the pipeline of transformers that classifies texts."""
    import torch
    from transformers import pipeline

    pipe = pipeline("text-classification", model=folder, dtype=torch.float32, truncation=True, max_length=512)
    return lambda items, batch_size: list(pipe(list(items), batch_size=batch_size))


def tagger(folder: str) -> Predict:
    """Return the pipeline of transformers that finds entities."""
    import torch
    from transformers import pipeline

    pipe = pipeline("token-classification", model=folder, dtype=torch.float32, aggregation_strategy="first")
    return lambda items, batch_size: list(pipe(list(items), batch_size=batch_size))


def reader(folder: str) -> Predict:
    """Return a loop over questions. transformers has no pipeline for them any more."""
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    model = AutoModelForQuestionAnswering.from_pretrained(folder, dtype=torch.float32)
    model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return lambda items, _: [answer_plainly(model, tokenizer, *item) for item in items]


def answer_plainly(model: Any, tokenizer: Any, question: str, passage: str) -> dict[str, str]:
    """Answer one question with its windows in one batch, and loops over the likeliest starts and ends.

    This is what the example script of transformers does with trained models that always answer.
    """
    import torch

    inputs = tokenizer(
        question,
        passage,
        truncation="only_second",
        max_length=MAX_LENGTH,
        stride=STRIDE,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        padding=True,
        return_tensors="pt",
    )
    offsets = inputs.pop("offset_mapping").tolist()
    inputs.pop("overflow_to_sample_mapping")
    parts = [inputs.sequence_ids(window) for window in range(len(offsets))]
    with torch.no_grad():
        outputs = model(**inputs.to(model.device))
    start_logits, end_logits = outputs.start_logits.cpu().numpy(), outputs.end_logits.cpu().numpy()
    best, answer = -float("inf"), ""
    for window, part in enumerate(parts):
        starts = np.argsort(start_logits[window])[-1 : -N_BEST - 1 : -1].tolist()
        ends = np.argsort(end_logits[window])[-1 : -N_BEST - 1 : -1].tolist()
        for start in starts:
            for end in ends:
                if part[start] != 1 or part[end] != 1 or not start <= end < start + MAX_ANSWER_TOKENS:
                    continue
                score = start_logits[window][start] + end_logits[window][end]
                if score > best:
                    best, answer = score, passage[offsets[window][start][0] : offsets[window][end][1]]
    return {"answer": answer}


def entities(prediction: Any) -> list[tuple[str, int, int]]:
    """Return the sorted types and bounds of the entities of a text, in our form or in that of the pipeline.

    >>> entities([{"entity_group": "firm", "score": 0.9, "word": "northgate", "start": 7, "end": 16}])
    [('firm', 7, 16)]
    """
    if isinstance(prediction, dict):
        return sorted((entity["type"], entity["start"], entity["end"]) for entity in prediction["entities"])
    return sorted((entity["entity_group"], entity["start"], entity["end"]) for entity in prediction)


OUR_OPTIONS: dict[str, dict[str, str]] = {"classification": {}, "ner": {}, "qa": {"version": "v1.1"}}
"For questions: always answer, as theirs does."

THEIRS: dict[str, Callable[[str], Predict]] = {"classification": classifier, "ner": tagger, "qa": reader}
"What makes a predictor of a folder with a model, by the name of the task."

COMPARABLE: dict[str, Callable[[Any], Any]] = {
    "classification": itemgetter("label"),
    "ner": entities,
    "qa": itemgetter("answer"),
}
"What both ways should agree on."
