"""Attention without padding: the layout around the kernel, tested with a plain loop in the kernel's place."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from recipes.speed import apply as speed
from recipes.speed import unpadded_attention
from tests import tiny


def loop(
    query: Tensor, key: Tensor, value: Tensor, bounds: Tensor, longest: int, scaling: float | None, side: int
) -> Tensor:
    """Compute attention text by text, as the kernel's documentation describes it."""
    texts = []
    for first, last in zip(bounds.tolist(), bounds.tolist()[1:], strict=False):
        assert last - first <= longest
        place = torch.arange(last - first)
        distance = place[None] - place[:, None]
        seen = torch.ones_like(distance, dtype=torch.bool)
        if side >= 0:
            seen &= distance.abs() <= side
        queries, keys, values = (part[first:last].transpose(0, 1) for part in (query, key, value))
        mixed = scaled_dot_product_attention(queries, keys, values, attn_mask=seen, scale=scaling)
        texts.append(mixed.transpose(0, 1))
    return torch.cat(texts)


@pytest.mark.parametrize("architecture", ["bert", "roberta", "modernbert"])
@pytest.mark.parametrize("padded", [True, False])
def test_logits_and_gradients_are_those_of_padded_attention(
    architecture: str, padded: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpadded_attention.register()
    monkeypatch.setattr(unpadded_attention, "kernel", loop)
    folder = tiny.save(architecture, tmp_path)

    def loaded(implementation: str) -> Any:
        torch.manual_seed(0)
        auto = transformers.AutoModelForTokenClassification
        model = auto.from_pretrained(folder, num_labels=3, dtype=torch.float32)
        model.set_attn_implementation(implementation)
        return model.eval()

    ids = torch.randint(5, 150, (3, 40), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    if padded:
        mask[1, 29:] = mask[2, 3:] = 0
    real = mask.bool()
    plain, ours = loaded("eager"), loaded(unpadded_attention.NAME)
    for model in (plain, ours):
        model(input_ids=ids, attention_mask=mask).logits[real].square().sum().backward()
    with torch.no_grad():
        expected, found = (model(input_ids=ids, attention_mask=mask).logits[real] for model in (plain, ours))
    assert torch.allclose(expected, found, atol=1e-5)
    for (name, theirs), (_, mine) in zip(plain.named_parameters(), ours.named_parameters(), strict=True):
        if theirs.grad is not None:
            assert torch.allclose(theirs.grad, mine.grad, atol=1e-4, rtol=1e-3), name
    speed.restore(ours)
    assert ours.config._attn_implementation == "sdpa"
    assert torch.allclose(expected, ours(input_ids=ids, attention_mask=mask).logits[real], atol=1e-5)


def test_a_torch_whose_kernel_knows_no_windows_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def older(query: Tensor, key: Tensor, value: Tensor, *_: Any, is_causal: bool = False) -> Tensor:
        return scaled_dot_product_attention(query, key, value, is_causal=is_causal)

    for name in ("randn", "tensor"):
        make = getattr(torch, name)
        monkeypatch.setattr(torch, name, lambda *given, make=make, **named: make(*given, **named | {"device": "cpu"}))
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", older)
    assert not unpadded_attention.is_available(16, torch.bfloat16)


def test_the_layout_of_a_batch() -> None:
    mask = torch.tensor([[1, 1, 1], [1, 0, 0], [0, 1, 1]], dtype=torch.bool)
    found = unpadded_attention.layout(3, 3, attention_mask=mask)
    assert found.places.tolist() == [0, 1, 2, 3, 7, 8]
    assert found.bounds.tolist() == [0, 3, 4, 6]
    assert found.bounds.dtype == torch.int32
    whole = unpadded_attention.layout(2, 3, device="cpu")
    assert whole.places.tolist() == list(range(6))
    assert whole.bounds.tolist() == [0, 3, 6]
