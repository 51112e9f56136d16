"""Levers: each acts in the way that its paper says."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from recipes.config.schema import Hparams
from recipes.heads.loss import binary_cross_entropy, cross_entropy, span_cross_entropy
from recipes.levers.adversarial import moved_embeddings
from recipes.levers.averaging import MovingAverage
from recipes.levers.depth import depths, head_names
from recipes.levers.learning_rates import differ, parameter_groups
from recipes.levers.linear_head import output_layer
from recipes.levers.pretrained_pull import PretrainedPull
from recipes.levers.unfreezing import GradualUnfreezing
from recipes.model.layers import freeze
from recipes.model.mean_pooling import pool_mean
from recipes.model.reinitialisation import reinitialise_top
from tasks.errors import InputError
from tasks.task import Head
from tests import tiny

ARCHITECTURES = ("bert", "roberta", "distilbert", "electra", "deberta-v2", "modernbert")


def tagger(architecture: str = "bert", layers: int = 3) -> Any:
    from transformers import AutoModelForTokenClassification

    torch.manual_seed(1)
    tokenizer = tiny.tokenizer_of(architecture)
    return AutoModelForTokenClassification.from_config(
        tiny.configured(architecture, tokenizer, num_hidden_layers=layers, num_labels=3)
    )


def rates_of(model: Any, **chosen: Any) -> dict[str, tuple[float, float]]:
    names = {id(weight): name for name, weight in model.named_parameters()}
    hparams = Hparams(learning_rate=1.0, weight_decay=0.1, **chosen)
    decayed = [name for name in names.values() if not name.endswith("bias")]
    return {
        names[id(weight)]: (group["lr"], group["weight_decay"])
        for group in parameter_groups(model, decayed, hparams)
        for weight in group["params"]
    }


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_weight_has_a_depth_and_embeddings_are_lowest(architecture: str) -> None:
    model = tagger(architecture)
    found = depths(model)
    assert set(found) == {name for name, _ in model.named_parameters()}
    assert {place for name, place in found.items() if "embeddings" in name} == {0}
    assert set(found.values()) == {0, 1, 2, 3, 4}
    assert head_names(model)
    assert {found[name] for name in head_names(model)} == {4}


def test_layers_learn_more_slowly_the_deeper_they_are() -> None:
    found = rates_of(tagger(), layer_decay=0.5, head_learning_rate=3.0)
    assert found["classifier.weight"] == (3.0, 0.1)
    assert found["classifier.bias"] == (3.0, 0.0)
    assert found["bert.encoder.layer.2.output.dense.weight"] == (0.5, 0.1)
    assert found["bert.encoder.layer.0.output.dense.bias"] == (0.125, 0.0)
    assert found["bert.embeddings.word_embeddings.weight"] == (0.0625, 0.1)


def test_a_rate_for_the_head_leaves_the_encoder_as_it_is() -> None:
    model = tagger()
    found = rates_of(model, head_learning_rate=5.0)
    assert {name for name, (rate, _) in found.items() if rate == 5.0} == head_names(model)
    assert not differ(Hparams())
    assert differ(Hparams(layer_decay=0.9))


def test_frozen_weights_are_in_no_group() -> None:
    model = tagger()
    freeze(model, Hparams(freeze_layers=1, freeze_embeddings=True))
    assert not [name for name in rates_of(model, layer_decay=0.5) if "embeddings" in name or "layer.0." in name]


def test_only_biases_and_the_head_are_trained() -> None:
    model = tagger()
    freeze(model, Hparams(bias_only=True))
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert "classifier.weight" in trained
    assert "bert.encoder.layer.1.output.dense.bias" in trained
    assert all(name.endswith("bias") or name in head_names(model) for name in trained)


def test_a_model_without_biases_is_not_trained_by_its_biases() -> None:
    with pytest.raises(InputError, match=r"hparams\.bias_only: models of the type modernbert have no biases"):
        freeze(tagger("modernbert"), Hparams(bias_only=True))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_only_the_top_is_drawn_anew(architecture: str) -> None:
    model, before = tagger(architecture), tagger(architecture)
    for parameter in (*model.parameters(), *before.parameters()):
        nn.init.constant_(parameter, 7.0)
    torch.manual_seed(5)
    reinitialise_top(model, 2)
    found, old = depths(model), dict(before.named_parameters())
    head = head_names(model)
    for name, weight in model.named_parameters():
        same = bool(torch.equal(weight, old[name]))
        assert same == (found[name] < 2 or name in head or (found[name] == 4 and "pooler" not in name)), name
        if not same and name.endswith("bias"):
            assert not weight.any()
    weights = torch.cat([w.detach().flatten() for n, w in model.named_parameters() if found[n] == 3 and w.dim() > 1])
    assert float(weights.std()) == pytest.approx(0.02, rel=0.15)


def test_more_layers_than_there_are_can_not_be_drawn_anew() -> None:
    with pytest.raises(InputError, match=r"hparams.reinit_layers=4: the model has 3 layers"):
        reinitialise_top(tagger(), 4)


def classifier(architecture: str) -> Any:
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(1)
    tokenizer = tiny.tokenizer_of(architecture)
    settings = tiny.configured(architecture, tokenizer, num_hidden_layers=2, num_labels=3)
    return AutoModelForSequenceClassification.from_config(settings).eval()


TEXT_HEAD = Head("AutoModelForSequenceClassification", ("a", "b", "c"))


@pytest.mark.parametrize("architecture", ["bert", "roberta", "electra"])
def test_the_first_token_becomes_the_mean_of_all(architecture: str, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    model = classifier(architecture)
    batch = {
        "input_ids": torch.randint(5, 20, (3, 8)),
        "attention_mask": torch.tensor([[1] * 8, [1] * 5 + [0] * 3, [1, 1] + [0] * 6]),
    }
    with torch.no_grad():
        before = model.base_model(**batch)[0]
        mask = batch["attention_mask"].unsqueeze(-1)
        mean = (before * mask).sum(1) / mask.sum(1)
    count = len(list(model.parameters()))
    new = {id(weight) for part in pool_mean(model, TEXT_HEAD) for weight in part.parameters()}
    assert len(list(model.parameters())) - count == 16, "one layer more"
    assert len(new) == 16 + 2 * (architecture != "electra"), "and the layer that the head reads it by"
    with torch.no_grad():
        after = model.base_model(**batch)[0][:, 0]
        for one, two in zip(mean, after, strict=True):
            assert float(torch.corrcoef(torch.stack([one, two]))[0, 1]) > 0.99
        read: list[Any] = []
        handle = output_layer(model).register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
        logits = model(**batch).logits
        handle.remove()
        for one, two in zip(mean, read[0], strict=True):
            if architecture != "electra":  # whose head has no tanh, and a layer of its own
                assert float(torch.corrcoef(torch.stack([one, two]))[0, 1]) > 0.99, "and so does what the head reads"
        model.save_pretrained(tmp_path)
        again = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
        assert torch.equal(again(**batch).logits, logits)
    assert again.config.num_hidden_layers == 3


def test_a_model_that_can_pool_the_mean_is_told_so() -> None:
    model = classifier("modernbert")
    pool_mean(model, TEXT_HEAD)
    assert model.config.classifier_pooling == "mean"
    assert model.config.num_hidden_layers == 2


def test_where_the_mean_can_not_be_read() -> None:
    with pytest.raises(InputError, match=r"not for models of the type distilbert, but for bert"):
        pool_mean(classifier("distilbert"), TEXT_HEAD)
    with pytest.raises(InputError, match=r"hparams\.pooling=mean: for classification"):
        pool_mean(tagger(), Head("AutoModelForTokenClassification", ("O",)))


def step(number: int, steps: int = 10) -> Any:
    return SimpleNamespace(global_step=number, max_steps=steps)


def test_layers_are_taken_in_from_the_top() -> None:
    model = tagger()
    unfreezing = GradualUnfreezing(model, 0.8)
    places = depths(model)

    def trained_at(number: int) -> set[int]:
        unfreezing.on_step_begin(None, step(number), None)
        return {places[name] for name, weight in model.named_parameters() if weight.requires_grad}

    assert [min(trained_at(number)) for number in range(10)] == [4, 4, 3, 3, 2, 2, 1, 1, 0, 0]
    assert trained_at(0) == {4}
    assert trained_at(8) == {0, 1, 2, 3, 4}
    trained_at(3)
    unfreezing.on_train_end()
    assert all(weight.requires_grad for weight in model.parameters())


def test_what_is_frozen_for_good_stays_frozen() -> None:
    model = tagger()
    freeze(model, Hparams(freeze_layers=1))
    unfreezing = GradualUnfreezing(model, 0.5)
    unfreezing.on_step_begin(None, step(9), None)
    assert not any(weight.requires_grad for name, weight in model.named_parameters() if "layer.0." in name)


def test_weights_are_pulled_back_by_rate_times_strength() -> None:
    model = nn.Linear(2, 1)
    nn.init.constant_(model.weight, 4.0)
    nn.init.constant_(model.bias, 4.0)
    pull = PretrainedPull(model, frozenset({"bias"}), 0.5)
    optimizer = torch.optim.SGD([{"params": [model.weight], "lr": 0.4}, {"params": [model.bias], "lr": 0.4}])
    nn.init.constant_(model.weight, 5.0)
    nn.init.constant_(model.bias, 5.0)
    pull.on_optimizer_step(optimizer=optimizer)
    assert model.weight.tolist() == [[pytest.approx(4.8)] * 2]
    assert model.bias.tolist() == [5.0]


def test_embeddings_are_moved_along_their_gradient_and_back() -> None:
    model = tagger()
    weight = model.get_input_embeddings().weight
    before = weight.detach().clone()
    with moved_embeddings(model, 0.5) as moved:
        assert not moved
    weight.grad = torch.zeros_like(weight)
    weight.grad[3, 0], weight.grad[4, 1] = 3.0, 4.0
    with moved_embeddings(model, 0.5) as moved:
        assert moved
        change = weight.detach() - before
        assert float(change.norm()) == pytest.approx(0.5, rel=1e-4)
        assert float(change[3, 0]) == pytest.approx(0.3, rel=1e-4)
        assert float(change[4, 1]) == pytest.approx(0.4, rel=1e-4)
    assert torch.equal(weight, before)


def test_a_move_raises_the_loss_more_than_any_other_of_its_length() -> None:
    model = tagger().eval()
    batch = {"input_ids": torch.randint(5, 20, (4, 6)), "attention_mask": torch.ones(4, 6, dtype=torch.int64)}
    labels = torch.randint(0, 3, (4, 6))

    def loss() -> Any:
        return nn.functional.cross_entropy(model(**batch).logits.transpose(1, 2), labels)

    plain = loss()
    plain.backward()
    weight = model.get_input_embeddings().weight
    with moved_embeddings(model, 0.05), torch.no_grad():
        along = float(loss()) - float(plain)
    for seed in range(5):
        other = torch.randn(weight.shape, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            weight += 0.05 * other / other.norm()
            assert along > abs(float(loss()) - float(plain))
            weight -= 0.05 * other / other.norm()


def test_frozen_embeddings_are_not_moved() -> None:
    model = tagger()
    freeze(model, Hparams(freeze_embeddings=True))
    before = model.get_input_embeddings().weight.clone()
    with moved_embeddings(model, 1.0) as moved:
        assert not moved
        assert torch.equal(model.get_input_embeddings().weight, before)


def test_the_average_is_that_of_a_naive_loop() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = MovingAverage(model, 0.9)
    with average.in_place():
        pass
    values, expected = np.random.default_rng(1).normal(size=40).tolist(), 0.0
    for number, value in enumerate(values, 1):
        nn.init.constant_(model.weight, value)
        average.on_step_end(None, step(number))
        keep = min(0.9, (1 + number) / (10 + number))
        expected = value if number == 1 else keep * expected + (1 - keep) * value
    with average.in_place():
        assert model.weight.item() == pytest.approx(expected, rel=1e-5)
    assert model.weight.item() == pytest.approx(values[-1])
    other = MovingAverage(model, 0.9)
    other.restore({name: tensor.clone() for name, tensor in average.average.items()})
    with other.in_place():
        assert model.weight.item() == pytest.approx(expected, rel=1e-5)


def test_an_average_that_is_settled_stays() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = MovingAverage(model, 0.5)
    with torch.no_grad():
        for step_number, value in enumerate((1.0, 2.0), 1):
            model.weight.fill_(value)
            average.on_step_end(SimpleNamespace(), SimpleNamespace(global_step=step_number), None)
    kept = average.average["weight"].item()
    assert 1 < kept < 2
    average.settle()
    assert model.weight.item() == kept


def test_focal_losses_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.9, 0.1], [0.4, 0.6]]))
    batch = {"labels": torch.tensor([0, 0])}
    found = cross_entropy(0.0, None, 2.0)({"logits": logits}, batch)
    assert float(found) == pytest.approx(0.1**2 * -np.log(0.9) + 0.6**2 * -np.log(0.4), rel=1e-4)
    ignored = {"labels": torch.tensor([0, -100])}
    assert float(cross_entropy(0.0, None, 2.0)({"logits": logits}, ignored)) == pytest.approx(
        0.01 * -np.log(0.9), rel=1e-3
    )
    several = {"labels": torch.tensor([[1.0, 0.0]])}
    odds = torch.logit(torch.tensor([[0.8, 0.3]]))
    expected = 0.2**2 * -np.log(0.8) + 0.3**2 * -np.log(0.7)
    assert float(binary_cross_entropy(0.0, None, 2.0)({"logits": odds}, several)) == pytest.approx(expected, rel=1e-4)
    spans = {"start_logits": logits[:1], "end_logits": logits[1:]}
    of_span = {"labels": torch.tensor([[0, 0]]), "candidates": torch.ones(1, 2, dtype=torch.int64)}
    assert float(span_cross_entropy(0.0, 2.0)(spans, of_span)) == pytest.approx(
        0.1**2 * -np.log(0.9) + 0.6**2 * -np.log(0.4), rel=1e-4
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_without_focus_nothing_changes(smoothing: float) -> None:
    logits, labels = torch.randn(5, 3), torch.tensor([0, 1, 2, -100, 1])
    plain = nn.functional.cross_entropy(logits, labels, reduction="sum", label_smoothing=smoothing)
    assert torch.equal(cross_entropy(smoothing, None, 0.0)({"logits": logits}, {"labels": labels}), plain)
