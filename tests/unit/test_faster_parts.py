"""The parts that make training on a CPU fast: each gives the results of the part that it replaces."""

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from torch import nn

from recipes.speed import cpu_attention as attention
from recipes.speed.dropout import SixteenBitDropout, draw_dropout_mask, use_fast_dropout
from recipes.speed.embedding_table import PartlyTrainedEmbedding, restore_table, train_used_rows
from recipes.speed.norms import NarrowLayerNorm, use_narrow_norms
from recipes.training.flops import training_flops
from tests import tiny

ARCHITECTURES = sorted(set(tiny.ARCHITECTURES.values()))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {name: tiny.save(name, root / name) for name in ARCHITECTURES}


def classifier(folder: Path, **settings: Any) -> Any:
    torch.manual_seed(0)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=3, dtype=torch.float32, **settings
    )
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model.train()


def batch(vocabulary: int) -> dict[str, torch.Tensor]:
    """Four rows of unequal length that use even ids only."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, vocabulary // 2, (4, 12), generator=generator) * 2
    mask = torch.ones_like(ids)
    mask[1, 9:] = mask[3, 4:] = 0
    return {"input_ids": ids, "attention_mask": mask}


# Dropout


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_masks_have_the_right_share_and_no_pattern(probability: float) -> None:
    torch.manual_seed(0)
    kept = draw_dropout_mask((1000, 1003), probability).add(1).float()
    size = kept.numel()
    deviation = math.sqrt(probability * (1 - probability) / size)
    assert abs(1 - kept.mean().item() - probability) < 5 * deviation + 1 / (1 << 16)
    # Entries are uncorrelated at each distance: within a draw of four, between neighbouring draws, and between rows.
    flat = kept.flatten() - kept.mean()
    for distance in (1, 2, 3, 4, 1003):
        correlation = (flat[:-distance] * flat[distance:]).mean() / flat.var()
        assert abs(correlation.item()) < 5 / math.sqrt(size)


def test_dropout_keeps_the_mean_and_uses_one_mask_for_both_passes() -> None:
    torch.manual_seed(0)
    layer = SixteenBitDropout(0.25)
    hidden = torch.ones(400, 401, requires_grad=True)
    out = layer(hidden)
    assert out.unique().tolist() == [0.0, pytest.approx(1 / 0.75)]
    assert out.mean().item() == pytest.approx(1, abs=0.01)
    out.sum().backward()
    assert torch.equal(hidden.grad, out.detach())
    assert layer.eval()(hidden) is hidden
    assert SixteenBitDropout(0.0)(hidden) is hidden


def test_the_seed_decides_the_masks() -> None:
    layer, hidden = SixteenBitDropout(0.3), torch.ones(7, 11)
    torch.manual_seed(3)
    first, second = layer(hidden), layer(hidden)
    assert not torch.equal(first, second)
    state = torch.get_rng_state()
    third = layer(hidden)
    torch.manual_seed(3)
    assert torch.equal(first, layer(hidden))
    torch.set_rng_state(state)
    assert torch.equal(third, layer(hidden))


def test_every_dropout_is_replaced_with_its_probability_and_mode(folders: dict[str, Path]) -> None:
    model = transformers.AutoModel.from_pretrained(folders["bert"], hidden_dropout_prob=0.2)
    expected = sum(isinstance(module, nn.Dropout) for module in model.modules())
    use_fast_dropout(model)
    replaced = [module for module in model.modules() if isinstance(module, SixteenBitDropout)]
    assert len(replaced) == expected > 0
    assert not any(isinstance(module, nn.Dropout) for module in model.modules())
    assert {module.p for module in replaced} >= {0.2}
    assert all(module.training == model.training for module in replaced)


# Attention


OWN_ATTENTION = {"deberta-v2"}
"Architectures whose own attention code can't be replaced by ours."


def test_which_architectures_accept_our_attention(folders: dict[str, Path]) -> None:
    takes = {architecture: classifier(folders[architecture])._can_set_attn_implementation() for architecture in folders}
    assert takes == {architecture: architecture not in OWN_ATTENTION for architecture in ARCHITECTURES}


@pytest.mark.parametrize("architecture", sorted(set(ARCHITECTURES) - OWN_ATTENTION))
def test_attention_is_that_of_transformers(architecture: str, folders: dict[str, Path]) -> None:
    attention.register()
    plain = classifier(folders[architecture], attn_implementation="eager")
    ours = copy.deepcopy(plain)
    ours.set_attn_implementation(attention.NAME)
    inputs = batch(plain.config.vocab_size)
    for model in (plain, ours):
        model(**inputs).logits.square().sum().backward()
    assert torch.allclose(plain(**inputs).logits, ours(**inputs).logits, atol=1e-5)
    for (name, theirs), (_, mine) in zip(plain.named_parameters(), ours.named_parameters(), strict=True):
        if theirs.grad is not None:
            assert torch.allclose(theirs.grad, mine.grad, atol=1e-5, rtol=1e-4), name


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("at_once", [1, 2 * 3 * 5 * 5, 1 << 20])
def test_the_gradient_of_attention_is_its_derivative(
    masked: bool, dropout: float, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "SCORES_AT_ONCE", at_once)
    module = nn.Module().train()
    seen = torch.ones(3, 1, 5, 5, dtype=torch.bool)
    seen[1, :, :, 3:] = False

    def attended(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(0)
        mask = seen if masked else None
        return attention.attention(module, query, key, value, mask, dropout=dropout)[0]

    inputs = [torch.randn(3, 3, 5, 4, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    assert torch.autograd.gradcheck(attended, inputs)


def test_attention_drops_out_in_training_only_and_accepts_fully_masked_rows() -> None:
    module = nn.Module().eval()
    query, key, value = torch.randn(3, 1, 2, 6, 4).unbind()
    out, weights = attention.attention(module, query, key, value, None, dropout=0.5)
    assert weights is None
    assert torch.allclose(out, attention.attention(module, query, key, value, None)[0])
    nothing = torch.zeros(1, 1, 6, 6, dtype=torch.bool)
    blind, _ = attention.attention(module, query, key, value, nothing)
    assert torch.allclose(blind, value.mean(2, keepdim=True).expand_as(value).transpose(1, 2), atol=1e-6)


# Norms


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_norms_return_the_precision_of_autocast(architecture: str, folders: dict[str, Path]) -> None:
    plain = classifier(folders[architecture])
    narrow = copy.deepcopy(plain)
    use_narrow_norms(narrow)
    norms = [module for module in narrow.modules() if isinstance(module, NarrowLayerNorm)]
    assert norms
    assert list(plain.state_dict()) == list(narrow.state_dict())
    inputs = batch(plain.config.vocab_size)
    assert torch.equal(plain(**inputs).logits, narrow(**inputs).logits)
    kinds = set()
    for norm in norms:
        norm.register_forward_hook(lambda _module, _inputs, output: kinds.add(output.dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = narrow(**inputs).logits
    assert kinds == {torch.bfloat16}
    assert torch.allclose(logits.float(), plain(**inputs).logits, atol=0.05)
    logits.square().sum().backward()
    assert all(norm.weight.grad is not None and norm.weight.grad.dtype == torch.float32 for norm in norms)


# Vocabulary


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_training_only_used_embedding_rows_gives_the_same_model(architecture: str, folders: dict[str, Path]) -> None:
    plain = classifier(folders[architecture])
    cut = copy.deepcopy(plain)
    inputs = batch(plain.config.vocab_size)
    train_used_rows(cut, np.union1d(inputs["input_ids"].numpy(), [plain.config.pad_token_id]))
    assert isinstance(cut.get_input_embeddings(), PartlyTrainedEmbedding)
    for model in (plain, cut):
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
        for _ in range(3):
            model(**inputs).logits.square().sum().backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
    expected, saved = plain.state_dict(), cut.state_dict()
    assert list(expected) == list(saved)
    restore_table(cut)
    assert type(cut.get_input_embeddings()) is nn.Embedding
    restored = cut.state_dict()
    for name, tensor in expected.items():
        assert torch.allclose(tensor, saved[name], atol=1e-5), name
        assert torch.equal(saved[name], restored[name]), name
    assert sum(p.numel() for p in cut.parameters()) == sum(p.numel() for p in plain.parameters())


def test_ids_that_training_never_saw_are_looked_up_in_evaluation() -> None:
    table = nn.Embedding(10, 4, padding_idx=0)
    cut = PartlyTrainedEmbedding(table, torch.tensor([0, 3, 7]))
    ids = torch.tensor([[3, 9, 0], [7, 1, 3]])
    assert torch.equal(cut.eval()(ids), table(ids))
    with pytest.raises(IndexError):
        cut.train()(ids)
    cut.train()(torch.tensor([3, 0])).sum().backward()
    assert cut.weight.grad.sum(1).tolist() == [0.0, 4.0, 0.0]  # padding gets no gradient


def test_state_loads_back_and_a_missing_one_is_noticed() -> None:
    cut = PartlyTrainedEmbedding(nn.Embedding(6, 2), torch.tensor([1, 4]))
    other = torch.randn(6, 2)
    nn.Sequential(cut).load_state_dict({"0.weight": other})
    assert torch.equal(cut.whole(), other)
    with pytest.raises(RuntimeError, match="Missing key"):
        nn.Sequential(cut).load_state_dict({})


def test_tables_in_full_use_frozen_or_shared_are_left_alone(folders: dict[str, Path]) -> None:
    def left_alone(model: Any, used: Any) -> bool:
        table = model.get_input_embeddings()
        train_used_rows(model, np.array(used))
        return model.get_input_embeddings() is table

    model = classifier(folders["bert"])
    assert left_alone(model, range(model.config.vocab_size))
    model.get_input_embeddings().requires_grad_(False)
    assert left_alone(model, [1, 2])
    tied = transformers.AutoModelForMaskedLM.from_config(model.config)
    tied.tie_weights()
    assert left_alone(tied, [1, 2])


# Arithmetic


def test_operations_are_counted_by_the_formula(folders: dict[str, Path]) -> None:
    model = classifier(folders["bert"])
    weights = 2 * (4 * 32 * 32 + 2 * 32 * 48)  # two layers: query, key, value, output; two of the feed-forward part
    tokens, squares = 5 + 3, 25 + 9
    expected = 3 * (2 * weights * tokens + 4 * 2 * 32 * squares)
    assert training_flops(model, np.array([5, 3])) == expected
