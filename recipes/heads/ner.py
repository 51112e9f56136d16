"""The recipe of named-entity recognition: a label for each sub-word that begins a word."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from recipes.config.schema import Hparams
from recipes.heads.loss import class_weights, cross_entropy
from recipes.heads.r_drop import class_divergence
from recipes.heads.recipe import Recipe, Reduce
from tasks.loading.rows import Rows
from tasks.ner import Ner, Sentence
from tasks.task import AnyTask, Head


def reduction(task: AnyTask, head: Head) -> Reduce:
    """Return what is kept of the outputs of a trained model: the most probable label of each token, or all of them."""
    del head
    assert isinstance(task, Ner)
    return all_probabilities if task.word_scores else most_probable_labels


def recipe(rows: Rows[Sentence], hparams: Hparams) -> Recipe:
    """Return a recipe with cross-entropy over labelled sub-words, and what is kept of the outputs."""
    labels, train = rows.head.labels, rows.splits["train"]
    tags = Counter(tag for row in train for tag in row.tags or ())
    weights = class_weights(hparams.class_weights, labels, [tags[label] for label in labels])
    return Recipe(
        loss=cross_entropy(hparams.label_smoothing, weights, hparams.focal),
        divergence=class_divergence,
        reduce=reduction(rows.task, rows.head),
    )


def most_probable_labels(outputs: Any, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keep the best label and its probability, both [batch, length], from logits [batch, length, labels]."""
    del batch
    probability, label = outputs["logits"].float().softmax(-1).max(-1)
    return {"label": label, "probability": probability}


def all_probabilities(outputs: Any, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keep also the probabilities of all labels, [batch, length, labels], in half precision as there are many."""
    kept = most_probable_labels(outputs, batch)
    return {**kept, "probabilities": outputs["logits"].float().softmax(-1).half()}
