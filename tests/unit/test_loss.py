"""Losses equal torch's own means, and do not depend on how a batch is split."""

import math

import numpy as np
import pytest
import torch

from recipes.heads.loss import binary_cross_entropy, class_weights, cross_entropy, span_cross_entropy, squared_error
from tasks.errors import InputError


def test_token_loss_is_the_sum_over_labelled_words() -> None:
    logits = torch.randn(2, 3, 5)
    labels = torch.tensor([[1, -100, 2], [-100, 4, 0]])
    summed = cross_entropy(0.0, None)({"logits": logits}, {"labels": labels})
    mean = torch.nn.functional.cross_entropy(logits.view(-1, 5), labels.view(-1))
    assert torch.allclose(summed / 4, mean)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_parts_of_a_batch_add_up_to_the_whole(smoothing: float) -> None:
    logits, labels = torch.randn(8, 3), torch.randint(0, 3, (8,))
    loss = cross_entropy(smoothing, torch.tensor([1.0, 2.0, 0.5]))
    whole = loss({"logits": logits}, {"labels": labels})
    parts = sum(loss({"logits": logits[i : i + 2]}, {"labels": labels[i : i + 2]}) for i in range(0, 8, 2))
    assert torch.allclose(whole, parts)


def test_several_labels_worked_by_hand() -> None:
    # p = 0.5 for both labels, so each contributes -log(0.5). The positive one has weight 3.
    logits, labels = torch.zeros(1, 2), torch.tensor([[1.0, 0.0]])
    plain = binary_cross_entropy(0.0, None)({"logits": logits}, {"labels": labels})
    weighted = binary_cross_entropy(0.0, torch.tensor([3.0, 1.0]))({"logits": logits}, {"labels": labels})
    assert plain.item() == pytest.approx(2 * math.log(2))
    assert weighted.item() == pytest.approx(4 * math.log(2))


def test_numbers_worked_by_hand() -> None:
    logits = torch.tensor([[1.0], [3.0]])
    assert squared_error({"logits": logits}, {"labels": torch.tensor([0.0, 5.0])}).item() == pytest.approx(1 + 4)


def test_span_loss_is_over_candidates_only() -> None:
    start, end = torch.randn(2, 6), torch.randn(2, 6)
    candidates = torch.tensor([[2, 0, 0, 1, 1, 0], [2, 0, 1, 1, 1, 1]])
    labels = torch.tensor([[3, 4], [0, 0]])
    batch = {"labels": labels, "candidates": candidates}
    total = span_cross_entropy(0.0)({"start_logits": start, "end_logits": end}, batch)
    expected = 0.0
    for row in range(2):
        places = [i for i in range(6) if candidates[row, i] > 0]
        for logits, target in ((start, labels[row, 0]), (end, labels[row, 1])):
            among = torch.log_softmax(logits[row, places], 0)
            expected -= among[places.index(int(target))].item()
    assert total.item() == pytest.approx(expected, rel=1e-5)


def test_span_smoothing_spreads_over_candidates_only() -> None:
    logits = torch.randn(1, 4)
    batch = {"labels": torch.tensor([[1, 1]]), "candidates": torch.tensor([[2, 1, 1, 0]])}
    total = span_cross_entropy(0.3)({"start_logits": logits, "end_logits": logits}, batch)
    among = torch.log_softmax(logits[0, :3], 0)
    each = -(0.7 * among[1] + 0.3 * among.mean())
    assert total.item() == pytest.approx(2 * each.item(), rel=1e-5)
    assert torch.isfinite(total)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    labels = ["a"] * 6 + ["b"] * 3 + ["c"]
    expected = compute_class_weight("balanced", classes=np.array(["a", "b", "c"]), y=labels)
    weights = class_weights("balanced", ["a", "b", "c"], [6, 3, 1])
    assert weights is not None
    assert weights.tolist() == pytest.approx(expected.tolist())


def test_weights_by_name_and_for_an_unknown_name() -> None:
    weights = class_weights({"spam": 3}, ["ham", "spam"], [9, 1])
    assert weights is not None
    assert weights.tolist() == [1.0, 3.0]
    with pytest.raises(InputError, match=r"no label 'spma'.*Did you mean 'spam'"):
        class_weights({"spma": 3}, ["ham", "spam"], [9, 1])
    with pytest.raises(InputError, match="every label has the weight 0"):
        class_weights({"spam": 0, "ham": 0.0}, ["ham", "spam"], [9, 1])


def test_truth_values_and_numbers_are_names_of_classes_too() -> None:
    """YAML reads `true` and `1` as values."""
    weights = class_weights({True: 5, False: 2}, ["false", "true"], [9, 1])
    assert weights is not None
    assert weights.tolist() == [2.0, 5.0]
    assert class_weights({True: 5}, ["True", "true"], [9, 1]).tolist() == [5.0, 1.0]  # type: ignore[union-attr]
    assert class_weights({1: 3}, ["0", "1"], [9, 1]).tolist() == [1.0, 3.0]  # type: ignore[union-attr]


def test_positive_weights_of_several_labels() -> None:
    weights = class_weights("balanced", ["a", "b"], [2, 0, 10], several_labels=True)
    assert weights is not None
    assert weights.tolist() == [4.0, 1.0]
