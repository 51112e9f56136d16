"""Faster parts stay in a model only if it computes the same with them; the user is told of those that go."""

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers.masking_utils import sdpa_mask

from recipes.machine.devices import Placement
from recipes.model.layers import embedding_table as embedding_table_of
from recipes.model.loading import Loaded
from recipes.speed import apply as speed
from recipes.speed import cpu_attention, embedding_table, norms
from recipes.speed.dropout import SixteenBitDropout
from recipes.speed.embedding_table import train_used_rows
from recipes.speed.proof import SHORT, Proof, compute, short_windows
from recipes.windows.columns import Windows
from tests import tiny

ALL = [*sorted(set(tiny.ARCHITECTURES.values())), *tiny.FAMILIES]
OWN_ATTENTION = {"deberta-v2", "xlnet", "mpnet", "big_bird", "funnel"}
"Architectures whose attention can't be replaced."
OTHER_ATTENTION = {"t5", "gemma2"}
"Those whose attention is something else: scores with a bias by distance, scores within a bound."
FP32 = Placement(device="cpu", precision="fp32", threads=1, processes=1)
BF16 = Placement(device="cpu", precision="bf16", threads=1, processes=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """A model with a head for three classes, whose attention is far from even. Ask for a copy."""
    root = tmp_path_factory.mktemp("models")
    kept: dict[str, Any] = {}

    def model(family: str) -> Any:
        if family not in kept:
            folder = (tiny.save_family if family in tiny.FAMILIES else tiny.save)(family, root / family)
            torch.manual_seed(1)
            # The end token stands for padding where there is none, as `load` has it.
            end = {"pad_token_id": 0 if family == "gpt2" else 2} if family in ("gpt2", "llama", "llama-grouped") else {}
            auto = transformers.AutoModelForSequenceClassification
            kept[family] = auto.from_pretrained(folder, num_labels=3, dtype=torch.float32, **end).eval()
            if family in tiny.ARCHITECTURES.values():
                _sharpen(kept[family])
        return copy.deepcopy(kept[family])

    return model


def _sharpen(model: Any) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(8)


def batch(model: Any, lengths: tuple[int, ...], side: str = "right") -> dict[str, Tensor]:
    """Rows of random tokens of these lengths; each ends with an end token, and no other token of a row is one."""
    config = model.config
    generator = torch.Generator().manual_seed(2)
    ids = torch.full((len(lengths), max(lengths)), config.pad_token_id)
    mask = torch.zeros_like(ids)
    for row, length in enumerate(lengths):
        tokens = torch.randint(10, config.vocab_size, (length,), generator=generator)
        if config.is_encoder_decoder:
            tokens[-1] = config.eos_token_id
        places = slice(0, length) if side == "right" else slice(max(lengths) - length, None)
        ids[row, places], mask[row, places] = tokens, 1
    return {"input_ids": ids, "attention_mask": mask}


def hidden_states(model: Any, inputs: dict[str, Tensor]) -> Tensor:
    states: Tensor = model.base_model(**inputs)[0]
    return states[inputs["attention_mask"].bool()] if states.shape[:2] == inputs["attention_mask"].shape else states


@pytest.mark.parametrize("family", ALL)
def test_our_attention_gives_the_plain_result_and_gradient_or_is_refused(
    family: str, made: Callable[[str], Any]
) -> None:
    plain = made(family)
    assert plain._can_set_attn_implementation() == (family not in OWN_ATTENTION)
    if family in OWN_ATTENTION:
        return
    plain.set_attn_implementation("eager")
    ours = copy.deepcopy(plain)
    cpu_attention.register()
    ours.set_attn_implementation(cpu_attention.NAME)
    batches = [batch(plain, (5, 20)), batch(plain, (7,)), batch(plain, (6, 6)), batch(plain, (4, 9), "left")]
    proof = Proof.of(plain, batches[:2])
    assert proof.objection() == ""
    objection = Proof(ours, proof.cases).objection()
    if family in OTHER_ATTENTION:
        assert objection.startswith(f"differs for {family} (by ")
        return
    assert objection == ""
    for inputs in batches:
        expected, found = hidden_states(plain, inputs), hidden_states(ours, inputs)
        scale = max(1.0, expected.abs().max().item())
        assert (expected - found).abs().max().item() <= 1e-5 * scale
    for model in (plain, ours):
        model(**batches[0]).logits.square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in plain.named_parameters() if parameter.grad is not None}
    largest = max(gradient.abs().max().item() for gradient in gradients.values())
    for name, mine in ours.named_parameters():
        if name in gradients:
            assert torch.allclose(gradients[name], mine.grad, atol=1e-5 * largest, rtol=1e-3), name


def windows(*lengths: int, highest: int = 150) -> Windows:
    generator = np.random.default_rng(0)
    ids = [generator.integers(10, highest, length).tolist() for length in lengths]
    return Windows(pa.table({"input_ids": ids, "row": list(range(len(lengths)))}))


def applied(model: Any, placement: Placement = FP32, *, longest: int = 20) -> tuple[str, ...]:
    """Put the parts into a model as a run does, and return what the user is told."""
    tokenizer = SimpleNamespace(pad_token_id=model.config.pad_token_id)
    train = windows(5, longest)
    loaded = Loaded(model, tokenizer, (), 64, "", 0, 0)
    rows = [torch.tensor(window) for window in train.columns["input_ids"]]
    padded = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=model.config.pad_token_id)
    mask = torch.arange(longest)[None] < torch.tensor([[5], [longest]])
    whole = {"input_ids": padded.long(), "attention_mask": mask.long()}
    alone = {name: tensor[:1, :5] for name, tensor in whole.items()}
    if model.config.is_encoder_decoder:
        for inputs in (whole, alone):
            inputs["input_ids"][torch.arange(len(inputs["input_ids"])), inputs["attention_mask"].sum(1) - 1] = (
                model.config.eos_token_id
            )
    return speed.apply(loaded, {"train": train}, placement, Proof.of(model, [whole, alone]))


def parts_of(model: Any) -> set[str]:
    kinds = {
        "embedding table": embedding_table.PartlyTrainedEmbedding,
        "dropout": SixteenBitDropout,
        "norms": norms.NarrowLayerNorm,
    }
    found = {name for name, kind in kinds.items() if any(isinstance(module, kind) for module in model.modules())}
    return found | ({"attention"} if model.config._attn_implementation == cpu_attention.NAME else set())


EVERYTHING = {"embedding table", "dropout", "norms", "attention"}


@pytest.mark.parametrize("placement", [FP32, BF16], ids=["fp32", "bf16"])
def test_bert_gets_every_part_without_a_word(placement: Placement, made: Callable[[str], Any]) -> None:
    model = made("bert")
    assert applied(model, placement) == ()
    assert parts_of(model) == EVERYTHING


@pytest.mark.parametrize("family", ["t5", "gemma2", "deberta-v2", "xlnet", "llama-grouped", "bart"])
def test_what_a_family_can_not_have_is_said(family: str, made: Callable[[str], Any]) -> None:
    model = made(family)
    own = model.config._attn_implementation
    notes = applied(model)
    if family in OWN_ATTENTION:
        assert notes == (f"attention: the model's own, as {family} takes no other",)
    elif family in OTHER_ATTENTION:
        (note,) = notes
        assert note.startswith(f"attention: the model's own, as ours differs for {family} (by ")
    else:
        assert notes == ()
    ours = not notes
    assert model.config._attn_implementation == (cpu_attention.NAME if ours else own)


@pytest.mark.parametrize("placement", [FP32, BF16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("part", sorted(EVERYTHING))
def test_a_part_that_changes_the_result_is_taken_out_alone(
    part: str, placement: Placement, made: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, name, factor = {
        "embedding table": (embedding_table.PartlyTrainedEmbedding, "forward", 0.5),
        "dropout": (SixteenBitDropout, "forward", 0.5),
        "norms": (norms.NarrowLayerNorm, "forward", 0.5),
        "attention": (cpu_attention, "_additive_mask", 0),
    }[part]
    right = getattr(place, name)
    monkeypatch.setattr(place, name, lambda *arguments: right(*arguments) * factor)
    model = made("bert")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    inputs = batch(model, (5, 20))
    expected = model(**inputs).logits
    (note,) = applied(model, placement)
    assert note.startswith(f"{part}: the model's own, as ours differs for bert (by ")
    assert parts_of(model) == EVERYTHING - {part}
    monkeypatch.undo()
    assert torch.allclose(model(**inputs).logits, expected, atol=1e-5)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_part_that_fails_is_taken_out(made: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Tensor:
        raise RuntimeError("no such shape")

    monkeypatch.setattr(norms.NarrowLayerNorm, "forward", fail)
    model = made("bert")
    assert applied(model) == ("norms: the model's own, as ours fails for bert (RuntimeError: no such shape)",)
    assert parts_of(model) == EVERYTHING - {"norms"}


def test_norms_that_go_wrong_under_autocast_only_are_found(
    made: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = norms.NarrowLayerNorm.forward

    def wrong(self: Any, hidden: Tensor) -> Tensor:
        return right(self, hidden) * (0.5 if torch.is_autocast_enabled("cpu") else 1.0)

    monkeypatch.setattr(norms.NarrowLayerNorm, "forward", wrong)
    assert applied(made("bert"), FP32) == ()
    (note,) = applied(made("bert"), BF16)
    assert note.startswith("norms: the model's own")


def test_a_wrong_gradient_is_found(made: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    right = cpu_attention._Attention.backward

    def without_keys(context: Any, incoming: Tensor) -> tuple[Tensor | None, ...]:
        query, key, *others = right(context, incoming)
        return query, torch.zeros_like(key), *others

    monkeypatch.setattr(cpu_attention._Attention, "backward", staticmethod(without_keys))
    (note,) = applied(made("bert"))
    assert note.startswith("attention: the model's own, as ours differs for bert (in its gradient, by ")


def test_a_causal_mask_that_is_left_to_the_kernel_is_found(
    made: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without padding, transformers makes no causal mask for kernels that have one: only a batch of one shows it."""
    monkeypatch.setattr(cpu_attention, "mask", sdpa_mask)
    (note,) = applied(made("llama"))
    assert note.startswith("attention: the model's own, as ours differs for llama (by ")


def test_an_id_that_no_window_has_but_the_model_adds_is_found(made: Callable[[str], Any]) -> None:
    """Some decoders begin with a start token of their own, whose row our table would not have in training."""
    model = made("bert")
    original = model.bert.forward

    def with_a_start(input_ids: Tensor, **named: Any) -> Any:
        return original(input_ids=input_ids.index_fill(1, torch.tensor([0]), 7), **named)

    model.bert.forward = with_a_start
    (note,) = applied(model)
    assert note.startswith("embedding table: the model's own, as ours fails for bert (IndexError")


def test_computing_leaves_no_trace(made: Callable[[str], Any]) -> None:
    model = made("bert").train()
    model.bert.pooler.eval()
    modes = [module.training for module in model.modules()]
    state = torch.get_rng_state()
    first = compute(model, batch(model, (5, 9)))
    assert torch.equal(torch.get_rng_state(), state)
    assert [module.training for module in model.modules()] == modes
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model.get_input_embeddings()._forward_hooks
    again = compute(model, batch(model, (5, 9)))
    assert all(torch.equal(tensor, again.outputs[name]) for name, tensor in first.outputs.items()), "no dropout"
    assert first.outputs["hidden"].shape == (14, 32), "padding is left out"
    assert first.outputs["logits"].shape == (2, 3)


def test_a_model_without_an_embedding_table_is_computed_too() -> None:
    """CANINE reads characters, which it embeds by hashes."""
    sizes = {**tiny.SIZES, "max_position_embeddings": 64, "num_hash_buckets": 32, "num_hash_functions": 2}
    model = transformers.CanineForSequenceClassification(transformers.CanineConfig(**sizes)).eval()
    assert embedding_table_of(model) is None
    inputs = {"input_ids": torch.randint(40, 99, (2, 9)), "attention_mask": torch.ones(2, 9, dtype=torch.long)}
    computed = compute(model, inputs)
    assert computed.gradients == ()
    assert torch.allclose(computed.outputs["logits"], model(**inputs).logits)
    assert train_used_rows(model, np.array([40, 41]))() is None


@given(st.lists(st.integers(1, 300), min_size=1, max_size=20))
def test_the_chosen_windows_are_short_and_of_unequal_length_where_there_are_any(lengths: list[int]) -> None:
    chosen = short_windows(windows(*lengths), special=[3])
    found = [len(window["input_ids"]) for window in chosen]
    assert len(found) == min(2, len(lengths))
    assert found[0] == min(SHORT // 2, min(lengths))
    if len(lengths) > 1:
        assert found[1] == min(SHORT, max(lengths))


def test_a_long_window_loses_ordinary_tokens_of_its_middle() -> None:
    ids = [1, *range(100, 199), 2, *range(200, 299), 2]
    table = {"input_ids": [ids], "candidates": [list(range(len(ids)))], "labels": [[0] * len(ids)], "row": [0]}
    (window,) = short_windows(Windows(pa.table(table)), special=[1, 2])
    half = SHORT // 4
    expected = [*range(half), 100, *range(len(ids) - half, len(ids))]
    assert window["candidates"].tolist() == expected
    assert window["input_ids"].tolist() == [ids[place] for place in expected]
    assert len(window["labels"]) == len(ids), "as many labels as tokens may be a coincidence, and no model reads them"
