"""R-Drop's divergence: worked out by hand, zero for equal passes, and limited to what the loss counts."""

import math

import pytest
import torch

from recipes.heads.r_drop import class_divergence, label_divergence, number_divergence, span_divergence


def test_classes_by_hand() -> None:
    # p = (1/2, 1/2) and q = (3/4, 1/4). `forth` is KL(p|q), `back` is KL(q|p).
    one, two = torch.zeros(1, 2), torch.log(torch.tensor([[3.0, 1.0]]))
    forth = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)
    back = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    batch = {"labels": torch.tensor([0])}
    assert class_divergence({"logits": one}, {"logits": two}, batch).item() == pytest.approx(
        (forth + back) / 2, rel=1e-5
    )


def test_several_labels_are_yes_or_no_each() -> None:
    one, two = torch.zeros(1, 1), torch.log(torch.tensor([[3.0]]))  # probabilities 1/2 and 3/4
    batch = {"labels": torch.tensor([[1.0]])}
    forth = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)
    back = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    assert label_divergence({"logits": one}, {"logits": two}, batch).item() == pytest.approx(
        (forth + back) / 2, rel=1e-5
    )


def test_ignored_words_and_positions_do_not_count() -> None:
    one, two = torch.randn(1, 3, 4), torch.randn(1, 3, 4)
    none = {"labels": torch.full((1, 3), -100)}
    assert class_divergence({"logits": one}, {"logits": two}, none).item() == 0
    start = {name: torch.randn(1, 5) for name in ("start_logits", "end_logits")}
    other = {name: logits.clone() for name, logits in start.items()}
    other["start_logits"][0, 4] += 3
    batch = {"labels": torch.tensor([[1, 1]]), "candidates": torch.tensor([[2, 1, 1, 1, 0]])}
    assert span_divergence(start, other, batch).item() == pytest.approx(0, abs=1e-6)
    other["start_logits"][0, 1] += 3
    assert span_divergence(start, other, batch).item() > 0.1


def test_numbers_are_compared_by_their_square() -> None:
    one, two = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [2.0]])
    assert number_divergence({"logits": one}, {"logits": two}, {}).item() == 4
