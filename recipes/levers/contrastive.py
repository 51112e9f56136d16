"""A contrastive stage: the encoder learns to put texts with the same labels together, before its head learns anything.

With few rows, pairs of texts are many, so that an encoder can be trained where labels alone are too few (SetFit,
Tunstall et al. 2022). Here each step compares all pairs of its texts (supervised contrastive loss, Khosla et al. 2020),
so that a text goes through the encoder once for many pairs. What is compared is what the output layer of the head is
given: it is this that the head is fitted to afterwards.
"""

import math
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import get_linear_schedule_with_warmup

from recipes.config.schema import Hparams
from recipes.inference.predicting import autocast, forward
from recipes.levers.linear_head import output_layer
from recipes.windows.batching import split_by_tokens
from recipes.windows.columns import Windows
from tasks.columns import LABELS
from tasks.task import Collate

TEMPERATURE = 0.1
"What similarities are divided by: that of Khosla et al. 2020."
RATE = 2.0
"Its learning rate, as a multiple of that of the other steps: over three seeds, 10 steps were as good as 20 at half."
MOST_TEXTS = 48
FEWEST_TEXTS = 8
"Of a step."
TOKENS = 8192
"Of a step, padding included: all of them are in memory at once."
TOKENS_OF_PART = 256
"Of a forward pass: short texts go through the encoder without the padding that long ones would need."


def contrastive_stage(
    model: Any, windows: Windows, collate: Collate, hparams: Hparams, seed: int, precision: torch.dtype
) -> None:
    """Train the encoder on all pairs of the training texts, in place.

    Args:
        model: a model for whole texts with an output layer, on its device, with frozen weights marked as such.
        windows: the training windows, with a class [windows] or yes-or-no labels [windows, labels].
        collate: makes batches of them.
        hparams: steps, learning rate, warm-up, weight decay and clipping.
        seed: of the batches and of dropout.
        precision: the type to compute in; weights stay in fp32.
    """
    torch.manual_seed(seed)
    caught = list[Tensor]()
    handle = output_layer(model).register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0]))
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(
        [
            {"params": [weight for weight in trained if weight.dim() > 1], "weight_decay": hparams.weight_decay},
            {"params": [weight for weight in trained if weight.dim() <= 1], "weight_decay": 0.0},
        ],
        lr=RATE * hparams.learning_rate,
        fused=True,
    )
    steps = hparams.contrastive_steps
    schedule = get_linear_schedule_with_warmup(optimizer, math.ceil(hparams.warmup * steps), steps)
    model.train()
    try:
        for places in batches(windows, steps, seed):
            longest_first = sorted(places, key=lambda place: -int(windows.lengths[place]))
            batch = collate([windows[place] for place in longest_first])
            batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
            for part in split_by_tokens(batch, TOKENS_OF_PART, trim=True):
                with autocast(model, precision):
                    forward(model, part)
            features = torch.cat(caught).float()
            caught.clear()
            loss = contrastive_loss(features, batch[LABELS])
            if loss is None:
                continue
            loss.backward()
            if hparams.max_grad_norm:
                torch.nn.utils.clip_grad_norm_(trained, hparams.max_grad_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    finally:
        handle.remove()


def contrastive_loss(features: Tensor, labels: Tensor) -> Tensor | None:
    """Return the supervised contrastive loss of a batch, the mean over texts that share a label with another.

    Args:
        features: [texts, width].
        labels: classes, integers [texts]; or yes-or-no labels [texts, labels], where two texts belong together as far
            as their labels overlap (the Jaccard index).

    Returns:
        None if no two texts share a label, or all do: there is nothing to compare.
    """
    together = alike(labels).to(features.dtype)
    others = ~torch.eye(len(labels), dtype=torch.bool, device=features.device)
    together = together * others
    pulled = together.sum(1) > 0
    if not bool(pulled.any()) or bool((together[others] >= 1).all()):
        return None
    direction = functional.normalize(features, dim=1)
    similarity = (direction @ direction.T / TEMPERATURE).masked_fill(~others, -torch.inf)
    log_probability = (similarity - similarity.logsumexp(1, keepdim=True)).masked_fill(~others, 0.0)
    of_text = -(log_probability * together).sum(1)[pulled] / together.sum(1)[pulled]
    return of_text.mean()


def alike(labels: Tensor) -> Tensor:
    """Return how much the labels of any two texts overlap, 0 to 1 [texts, texts]."""
    if labels.dim() == 1:
        return (labels[:, None] == labels[None]).float()
    chosen = (labels > 0.5).float()
    both = chosen @ chosen.T
    either = chosen.sum(1)[:, None] + chosen.sum(1)[None] - both
    return both / either.clamp(min=1)


def batches(windows: Windows, steps: int, seed: int) -> Iterator[list[int]]:
    """Yield the windows of each step: all of them if they are few, or else as many of each label.

    All windows of a label are drawn once before any is drawn again. The result depends on the arguments alone.
    """
    count = len(windows)
    size = texts_of_step(int(windows.lengths.max()))
    generator = random.Random(seed)  # noqa: S311
    if count <= size:
        for _ in range(steps):
            yield list(range(count))
        return
    queues = [_Queue(members, generator) for members in _by_label(windows)]
    for _ in range(steps):
        order = list(queues)
        generator.shuffle(order)
        chosen = dict.fromkeys(order[turn % len(order)].draw() for turn in range(size))
        yield list(chosen)


def texts_of_step(longest: int) -> int:
    """Return how many texts a step compares at most, if the longest has so many tokens."""
    return max(min(MOST_TEXTS, TOKENS // max(longest, 1)), FEWEST_TEXTS)


def _by_label(windows: Windows) -> list[list[int]]:
    """Return the windows of each label, or of each combination of labels; all windows if most are alone with theirs."""
    found: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for place, labels in enumerate(windows.columns[LABELS]):
        found[tuple(np.atleast_1d(np.asarray(labels)).tolist())].append(place)
    alone = sum(len(members) == 1 for members in found.values())
    return [list(range(len(windows)))] if alone > len(windows) / 2 else list(found.values())


class _Queue:
    """Draws from members in random order, all of them before any again."""

    def __init__(self, members: Sequence[int], generator: random.Random) -> None:
        self._members, self._generator, self._left = members, generator, list[int]()

    def draw(self) -> int:
        if not self._left:
            self._left = list(self._members)
            self._generator.shuffle(self._left)
        return self._left.pop()
