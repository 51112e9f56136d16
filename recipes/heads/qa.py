"""The recipe of extractive question answering: where an answer starts and where it ends."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from recipes.config.schema import Hparams
from recipes.heads.loss import span_cross_entropy
from recipes.heads.r_drop import span_divergence
from recipes.heads.recipe import Recipe, Reduce
from tasks.columns import CANDIDATES, NULL, PASSAGE
from tasks.loading.rows import Rows
from tasks.qa import Qa, Question
from tasks.task import AnyTask, Head


def reduction(task: AnyTask, head: Head) -> Reduce:
    """Return what is kept of the outputs of a trained model: the best spans of each window."""
    del head
    assert isinstance(task, Qa)
    return best_spans(task.max_answer_tokens, task.top_k)


def recipe(rows: Rows[Question], hparams: Hparams) -> Recipe:
    """Return a recipe with cross-entropy of start and end, which keeps the best legal span of each window."""
    return Recipe(
        loss=span_cross_entropy(hparams.label_smoothing, hparams.focal),
        divergence=span_divergence,
        reduce=reduction(rows.task, rows.head),
        outputs=start_and_end,
    )


def start_and_end(logits: Tensor) -> Mapping[str, Tensor]:
    """Return the outputs of a model whose output layer gave logits [batch, length, 2]."""
    return {"start_logits": logits[..., 0], "end_logits": logits[..., 1]}


def best_spans(max_answer_tokens: int, top_k: int = 1) -> Reduce:
    """Return a function that finds each window's best span of at most `max_answer_tokens`, over all start-end pairs.

    With `top_k` over 1, it finds this many spans besides (fewer if the window has fewer).
    """

    def reduce(outputs: Any, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Keep five numbers per window, each [batch], from start and end logits [batch, length].

        `span_score` is the best sum of a start and an end logit with start <= end < start + max_answer_tokens, both
        in the passage; `start` and `end` are its first and last token; `null_score` is the sum at the null position;
        `probability` is the span's, with start and end independent, each over all candidate positions. For several
        spans, `top_score`, `top_start`, `top_end` and `top_probability` are [batch, spans], best first.
        """
        start, end = outputs["start_logits"].float(), outputs["end_logits"].float()
        passage, null = batch[CANDIDATES] == PASSAGE, batch[CANDIDATES] == NULL
        legal_start = start.masked_fill(~passage, -torch.inf)
        legal_end = end.masked_fill(~passage, -torch.inf)
        widest = min(max_answer_tokens, start.shape[1])
        # Rounding keeps the order of sums, so each start's best sum is the one with its largest allowed end logit.
        score, first = (legal_start + running_maximum(legal_end, widest)).max(1)
        # Several ends may round to the same sum; the first of them is taken.
        ends = (first[:, None] + torch.arange(widest, device=first.device)).clamp(max=start.shape[1] - 1)
        sums = legal_start.gather(1, first[:, None]) + legal_end.gather(1, ends)
        last = ends.gather(1, sums.argmax(1, keepdim=True)).squeeze(1)
        excluded = ~(passage | null)
        norm = torch.logsumexp(start.masked_fill(excluded, -torch.inf), 1) + torch.logsumexp(
            end.masked_fill(excluded, -torch.inf), 1
        )
        null_score = (start + end).masked_fill(~null, -torch.inf).max(1).values
        kept = {
            "span_score": score,
            "start": first,
            "end": last,
            "null_score": null_score,
            "probability": (score - norm).exp(),
        }
        if top_k > 1:
            scores, starts, ends = top_spans(legal_start, legal_end, widest, top_k)
            probability = (scores - norm[:, None]).exp()
            kept |= {"top_score": scores, "top_start": starts, "top_end": ends, "top_probability": probability}
        return kept

    return reduce


def running_maximum(values: Tensor, width: int) -> Tensor:
    """Return, for each position, the largest of the `width` values that start there; values are [batch, length].

    The width doubles in each step: two maxima over 8 positions give one over 16.
    """
    best, reach = values, 1
    while reach < width:
        step = min(reach, width - reach)
        best = torch.maximum(best, functional.pad(best[:, step:], (0, step), value=-torch.inf))
        reach += step
    return best


def top_spans(start: Tensor, end: Tensor, widest: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return scores, first tokens and last tokens of the best spans, each [batch, count], from logits [batch, length].

    Illegal positions have logits of minus infinity. Spans with such a score fill the places of those that are missing.
    """
    length = start.shape[1]
    # Entry [i, j, w] of the sums is the span from j to j + w.
    ends = functional.pad(end, (0, widest - 1), value=-torch.inf).unfold(1, widest, 1)
    sums = (start[:, :, None] + ends).flatten(1)
    scores, places = sums.topk(min(count, sums.shape[1]), dim=1)
    if scores.shape[1] < count:
        scores = functional.pad(scores, (0, count - scores.shape[1]), value=-torch.inf)
        places = functional.pad(places, (0, count - places.shape[1]))
    first = places // widest
    return scores, first, (first + places % widest).clamp(max=length - 1)
