"""How each task's rows are weighed when it is suggested which of them to label next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.suggesting import uncertainty
from tasks.task import AnyTask, Prediction

OF_KINDS: Mapping[str, Callable[[Prediction], float]] = {
    "single_label": uncertainty.of_single_label,
    "multi_label": uncertainty.of_several_labels,
    "regression": uncertainty.of_number,
}


def _whatever_its_words(unsure: float, words: int) -> float:
    del words
    return unsure


@dataclass(frozen=True)
class Weighing:
    """How the rows of a task are weighed."""

    uncertainty: Callable[[Prediction], float]
    "How unsure a model is, from 0."
    priority: Callable[[float, int], float] = _whatever_its_words
    "What a row is ranked by, from its uncertainty and its number of words."
    says_something: bool = True
    "Whether predictions tell how sure they are."
    compares_texts: bool = True
    "Whether rows with nearly the same text are nearly the same: questions about one passage are not."


def _of_texts(task: Any, calibration: Mapping[str, float]) -> Weighing:
    del calibration
    return Weighing(OF_KINDS[task.kind], says_something=task.kind != "regression")


def _of_sentences(task: AnyTask, calibration: Mapping[str, float]) -> Weighing:
    del task, calibration
    return Weighing(uncertainty.of_words, uncertainty.per_word)


def _of_questions(task: Any, calibration: Mapping[str, float]) -> Weighing:
    (name,) = task.thresholds
    threshold = calibration.get(name)  # only models of questions that may have no answer have one
    return Weighing(lambda prediction: uncertainty.of_answer(prediction, threshold), compares_texts=False)


WEIGHINGS: Mapping[str, Callable[[Any, Mapping[str, float]], Weighing]] = {
    "classification": _of_texts,
    "ner": _of_sentences,
    "qa": _of_questions,
}


def weighing_of(task: AnyTask, calibration: Mapping[str, float]) -> Weighing:
    """Return how rows are weighed.

    Args:
        task: with its `auto` options resolved.
        calibration: the thresholds of the model.
    """
    return WEIGHINGS[task.name](task, calibration)
