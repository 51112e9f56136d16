"""The levers for few rows: the contrastive stage, the linear head, low-rank changes, the soup of good epochs."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor, nn

from recipes.config.schema import Hparams
from recipes.heads.loss import binary_cross_entropy, cross_entropy, span_cross_entropy, squared_error
from recipes.heads.qa import start_and_end
from recipes.heads.r_drop import class_divergence
from recipes.heads.recipe import Recipe, as_logits
from recipes.levers import contrastive
from recipes.levers.contrastive import alike, batches, contrastive_loss, contrastive_stage
from recipes.levers.linear_head import INVERSE_PENALTY, features_of, fit_linear_head, has_output_layer, output_layer
from recipes.levers.low_rank import add_low_rank, has_low_rank, merge_low_rank, save_low_rank
from recipes.levers.soup import Ingredients, greedy_soup
from recipes.model.layers import encoder_layers
from recipes.model.mean_pooling import WHOLE_TEXT_HEAD, pool_mean
from recipes.windows.columns import Windows
from tasks.columns import CANDIDATES, IGNORED_LABEL, LABELS, NO_CANDIDATE, NULL, PASSAGE
from tasks.task import Head
from tests import tiny

ARCHITECTURES = ("bert", "roberta", "distilbert", "electra", "deberta-v2", "modernbert")
ROWS, LENGTH = 24, 7


def model_of(auto_class: str, architecture: str = "bert", labels: int = 3, **more: Any) -> Any:
    import transformers

    torch.manual_seed(1)
    configured = tiny.configured(architecture, tiny.tokenizer_of(architecture), num_labels=labels, **more)
    return getattr(transformers, auto_class).from_config(configured).eval()


def windows_of(labels: Any, rows: int = ROWS) -> Windows:
    generator = np.random.default_rng(2)
    return Windows(
        pa.table(
            {
                "row": pa.array(range(rows)),
                "input_ids": pa.array(generator.integers(5, 60, size=(rows, LENGTH)).tolist(), pa.list_(pa.int32())),
                LABELS: pa.array(labels),
            }
        )
    )


def collate(windows: list[dict[str, Any]]) -> dict[str, Tensor]:
    batch = {name: torch.tensor(np.array([window[name] for window in windows])) for name in windows[0]}
    batch["input_ids"] = batch["input_ids"].long()
    return {**batch, "attention_mask": torch.ones_like(batch["input_ids"])}


def recipe_of(loss: Any, outputs: Any = as_logits) -> Recipe:
    return Recipe(loss=loss, divergence=class_divergence, reduce=lambda _, __: {}, outputs=outputs)


def scaled_features(model: Any, windows: Windows) -> tuple[Any, Any]:
    """Return the features of all texts as a penalty sees them, and their labels, in the windows' order."""
    found = list(features_of(model, windows, collate, None))
    features = torch.cat([one.features for one in found]).double().numpy()
    centred = features - features.mean(0)
    return centred / np.linalg.norm(centred, axis=1).mean(), torch.cat([one.batch[LABELS] for one in found]).numpy()


# A linear head


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_head_is_that_of_scikit_learn(architecture: str) -> None:
    model, windows = model_of("AutoModelForSequenceClassification", architecture), windows_of([0, 1, 2] * (ROWS // 3))
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    features, labels = scaled_features(model, windows)
    fit_linear_head(model, windows, collate, recipe_of(cross_entropy(0.0, None)))
    batch = collate([windows[place] for place in range(ROWS)])
    with torch.no_grad():
        ours = model(**{name: batch[name] for name in ("input_ids", "attention_mask")}).logits.softmax(-1).numpy()
    theirs = LogisticRegression(C=INVERSE_PENALTY, tol=1e-9, max_iter=5000).fit(features, labels)
    assert np.abs(ours - theirs.predict_proba(features)).max() < 2e-3
    changed = {name for name, weight in model.named_parameters() if not torch.equal(weight, before[name])}
    layer = next(name for name, module in model.named_modules() if module is output_layer(model))
    assert changed == {f"{layer}.weight", f"{layer}.bias"}


@pytest.mark.parametrize(("first", "last"), [(-2, 5), (1.2e7, 1.4e7), (0, 1e-6)])
def test_a_head_for_numbers_is_ridge_regression(first: float, last: float) -> None:
    """Losses are in fp32, in which prices in cents would all look the same."""
    numbers = np.linspace(first, last, ROWS)
    model = model_of("AutoModelForSequenceClassification", labels=1)
    windows = windows_of(numbers.tolist())
    features, _ = scaled_features(model, windows)
    fit_linear_head(model, windows, collate, recipe_of(squared_error))
    batch = collate([windows[place] for place in range(ROWS)])
    with torch.no_grad():
        ours = model(**{name: batch[name] for name in ("input_ids", "attention_mask")}).logits[:, 0].numpy()
    # Ridge minimises the same with alpha in place of 1 / (2 C).
    theirs = Ridge(alpha=1 / (2 * INVERSE_PENALTY)).fit(features, numbers).predict(features)
    assert np.abs(ours - theirs).max() < 2e-3 * (last - first)


def test_a_head_for_several_labels_is_one_regression_a_label() -> None:
    labels = np.array([[place % 2, place % 3 == 0] for place in range(ROWS)], dtype=float)
    model = model_of("AutoModelForSequenceClassification", labels=2)
    windows = windows_of(labels.tolist())
    features, _ = scaled_features(model, windows)
    fit_linear_head(model, windows, collate, recipe_of(binary_cross_entropy(0.0, None)))
    batch = collate([windows[place] for place in range(ROWS)])
    with torch.no_grad():
        ours = model(**{name: batch[name] for name in ("input_ids", "attention_mask")}).logits.sigmoid().numpy()
    for label in range(2):
        theirs = LogisticRegression(C=INVERSE_PENALTY, tol=1e-9, max_iter=5000).fit(features, labels[:, label])
        assert np.abs(ours[:, label] - theirs.predict_proba(features)[:, 1]).max() < 2e-3


def test_a_head_for_words_reads_the_labelled_ones() -> None:
    labels = np.full((ROWS, LENGTH), IGNORED_LABEL)
    labels[:, 1:5] = np.arange(ROWS * 4).reshape(ROWS, 4) % 3
    model, windows = model_of("AutoModelForTokenClassification"), windows_of(labels.tolist())
    fit_linear_head(model, windows, collate, recipe_of(cross_entropy(0.0, None)))
    (first,) = features_of(model, windows, collate, None)
    words, gold = first.items().double().numpy(), labels[labels != IGNORED_LABEL]
    centred = words - words.mean(0)
    scaled = centred / np.linalg.norm(centred, axis=1).mean()
    theirs = LogisticRegression(C=INVERSE_PENALTY, tol=1e-9, max_iter=5000).fit(scaled, gold).predict_proba(scaled)
    batch = collate([windows[place] for place in range(ROWS)])
    with torch.no_grad():
        logits = model(**{name: batch[name] for name in ("input_ids", "attention_mask")}).logits
    ours = logits.softmax(-1)[torch.tensor(labels != IGNORED_LABEL)].numpy()
    assert np.abs(ours - theirs).max() < 2e-3


def test_a_head_for_spans_is_at_its_minimum() -> None:
    model = model_of("AutoModelForQuestionAnswering", labels=2)
    windows = windows_of([[2 + place % 3, 4 + place % 2] for place in range(ROWS)])
    marks = torch.tensor([NULL] + [NO_CANDIDATE] + [PASSAGE] * (LENGTH - 2))

    def with_marks(some: list[dict[str, Any]]) -> dict[str, Tensor]:
        return {**collate(some), CANDIDATES: marks.expand(len(some), -1)}

    recipe = recipe_of(span_cross_entropy(0.0), start_and_end)
    (encoded,) = features_of(model, windows, with_marks, None)
    items = encoded.features.double().flatten(0, 1)
    scale = float((items - items.mean(0)).norm(dim=1).mean())

    def objective() -> float:
        layer = output_layer(model)
        with torch.no_grad():
            loss = recipe.loss(recipe.outputs(layer(encoded.features)), encoded.batch)
            penalty = (layer.weight.double() * scale).square().sum() / (2 * INVERSE_PENALTY)
        return float(loss + penalty)

    before = objective()
    fit_linear_head(model, windows, with_marks, recipe)
    fitted = objective()
    assert fitted < before - 1
    generator = torch.Generator().manual_seed(3)
    layer = output_layer(model)
    for _ in range(20):
        step = torch.randn(layer.weight.shape, generator=generator) * 0.05
        with torch.no_grad():
            layer.weight.add_(step)
            assert objective() > fitted - 1e-3
            layer.weight.sub_(step)


# The contrastive stage


def naive_contrastive_loss(features: Any, weights: Any) -> float:
    """Return the loss of Khosla et al. 2020 (their equation 2), each pair counted by its weight."""
    directions = [row / np.linalg.norm(row) for row in features]
    losses = []
    for i, anchor in enumerate(directions):
        others = [j for j in range(len(directions)) if j != i]
        total = sum(weights[i][j] for j in others)
        if not total:
            continue
        norm = math.log(sum(math.exp(anchor @ directions[j] / 0.1) for j in others))
        losses.append(-sum(weights[i][j] * (anchor @ directions[j] / 0.1 - norm) for j in others) / total)
    return float(np.mean(losses))


def test_the_loss_is_that_of_a_naive_loop() -> None:
    features = torch.randn(6, 5, generator=torch.Generator().manual_seed(4))
    labels = torch.tensor([0, 0, 1, 1, 1, 2])
    found = contrastive_loss(features, labels)
    assert found is not None
    same = [[float(a == b) for b in labels.tolist()] for a in labels.tolist()]
    assert float(found) == pytest.approx(naive_contrastive_loss(features.numpy(), same), rel=1e-5)
    several = torch.tensor([[1.0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 0], [1, 0, 1]])
    found = contrastive_loss(features, several)
    assert found is not None
    assert float(found) == pytest.approx(naive_contrastive_loss(features.numpy(), alike(several).tolist()), rel=1e-5)


def test_labels_overlap_by_hand() -> None:
    assert alike(torch.tensor([3, 1, 3])).tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    found = alike(torch.tensor([[1.0, 1, 0], [0, 1, 1], [0, 0, 0]]))
    assert found[0, 1] == pytest.approx(1 / 3)
    assert found[0, 0] == 1
    assert found[2].tolist() == [0, 0, 0]


@pytest.mark.parametrize("labels", [[0, 1, 2], [1, 1, 1], [0]])
def test_where_there_is_nothing_to_compare(labels: list[int]) -> None:
    assert contrastive_loss(torch.randn(len(labels), 4), torch.tensor(labels)) is None


def test_texts_of_a_class_come_together() -> None:
    labels = [place % 2 for place in range(ROWS)]
    model, windows = model_of("AutoModelForSequenceClassification", labels=2), windows_of(labels)
    hparams = Hparams(learning_rate=3e-3, contrastive_steps=30)

    def gap() -> float:
        features, _ = scaled_features(model, windows)
        directions = features / np.linalg.norm(features, axis=1, keepdims=True)
        similar = directions @ directions.T
        same = np.equal.outer(labels, labels)
        return float(similar[same].mean() - similar[~same].mean())

    before, head = gap(), output_layer(model).weight.clone()
    contrastive_stage(model, windows, collate, hparams, seed=1, precision=torch.float32)
    assert gap() > before + 0.5
    assert torch.equal(output_layer(model).weight, head), "the head learns nothing in this stage"


def test_the_stage_depends_on_its_arguments_alone() -> None:
    windows = windows_of([place % 2 for place in range(ROWS)])
    trained = []
    for noise in (1, 2):
        model = model_of("AutoModelForSequenceClassification", labels=2)
        torch.manual_seed(noise)
        hparams = Hparams(learning_rate=1e-3, contrastive_steps=3)
        contrastive_stage(model, windows, collate, hparams, seed=1, precision=torch.float32)
        trained.append(torch.cat([weight.flatten() for weight in model.parameters()]))
    assert torch.equal(trained[0], trained[1])


def test_few_texts_are_all_compared_and_many_by_label() -> None:
    few = windows_of([place % 2 for place in range(ROWS)])
    assert list(batches(few, 2, seed=1)) == [list(range(ROWS))] * 2
    rows, rare = 240, 12
    labels = [int(place < rare) for place in range(rows)]
    drawn = list(batches(windows_of(labels, rows), 10, seed=1))
    assert drawn == list(batches(windows_of(labels, rows), 10, seed=1))
    assert all(len(set(batch)) == len(batch) <= contrastive.MOST_TEXTS for batch in drawn)
    counts = Counter(place for batch in drawn for place in batch)
    assert max(counts[place] for place in range(rare, rows)) <= 2
    shares = [sum(labels[place] for place in batch) / len(batch) for batch in drawn]
    assert min(shares) > 2 * rare / rows, "a rare label is not lost among the others"


# Low-rank changes


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft asks by an older name
@pytest.mark.parametrize("dora", [False, True])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_low_rank_changes_are_added_up(architecture: str, dora: bool, tmp_path: Path) -> None:
    import transformers

    tokenizer = tiny.tokenizer_of(architecture)
    name = "AutoModelForSequenceClassification"
    model = model_of(name, architecture, max_position_embeddings=64)
    model.save_pretrained(tmp_path / "base")
    plain = set(model.state_dict())
    add_low_rank(model, Hparams(lora_rank=2, dora=dora))
    trained = [each for each, weight in model.named_parameters() if weight.requires_grad]
    encoder = [each for each in trained if "lora_" in each]
    head = {each for each in trained if "lora_" not in each}
    assert encoder
    assert head
    assert not any(each.startswith(f"{model.base_model_prefix}.") for each in head)
    with torch.no_grad():
        for each, weight in model.named_parameters():
            if each in trained:
                weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(len(each))) * 0.1)
    ids = torch.tensor([tokenizer("where is my parcel")["input_ids"]])
    expected = model.eval()(input_ids=ids).logits
    save_low_rank(model, tmp_path / "adapter", str(tmp_path / "base"))
    assert has_low_rank(model)
    merge_low_rank(model)
    assert not has_low_rank(model)
    assert set(model.state_dict()) == plain
    torch.testing.assert_close(model(input_ids=ids).logits, expected, rtol=1e-4, atol=1e-5)
    model.save_pretrained(tmp_path / "merged")
    again = getattr(transformers, name).from_pretrained(tmp_path / "merged").eval()
    torch.testing.assert_close(again(input_ids=ids).logits, expected, rtol=1e-4, atol=1e-5)
    from peft import PeftModel

    torch.manual_seed(99)  # the head of the base is drawn anew, and comes from the adapter
    base = getattr(transformers, name).from_pretrained(tmp_path / "base")
    with torch.no_grad():
        output_layer(base).weight.normal_()
    loaded = PeftModel.from_pretrained(base, str(tmp_path / "adapter")).eval()
    torch.testing.assert_close(loaded(input_ids=ids).logits, expected, rtol=1e-4, atol=1e-5)
    assert json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())["r"] == 2


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_the_layer_that_pools_the_mean_gets_no_low_rank_changes() -> None:
    """It is trained as a whole, and some of its matrices are 0, whose length DoRA would divide by."""
    model = model_of("AutoModelForSequenceClassification")
    drawn = {id(weight) for module in pool_mean(model, Head(WHOLE_TEXT_HEAD)) for weight in module.parameters()}
    new = {name for name, weight in model.named_parameters() if id(weight) in drawn}
    add_low_rank(model, Hparams(lora_rank=2, dora=True), new)
    changed = {name for name, _ in model.named_parameters() if "lora_" in name}
    last = len(encoder_layers(model)) - 1
    assert changed
    assert not any(f"layer.{last}." in name for name in changed)
    assert all(weight.requires_grad for name, weight in model.named_parameters() if f"layer.{last}." in name)
    ids = torch.full((2, LENGTH), 7)
    assert model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.isfinite().all()


def test_low_rank_changes_are_of_that_rank() -> None:
    model = model_of("AutoModelForTokenClassification")
    matrices = {name: weight.clone() for name, weight in model.named_parameters() if weight.dim() == 2}
    add_low_rank(model, Hparams(lora_rank=2, lora_alpha=6))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_()
    merge_low_rank(model)
    ranks = {
        name: int(torch.linalg.matrix_rank((weight - matrices[name]).double(), rtol=1e-5))
        for name, weight in model.named_parameters()
        if name in matrices
    }
    layers = {name: rank for name, rank in ranks.items() if ".layer." in name}
    assert set(layers.values()) == {2}
    assert not any(rank for name, rank in ranks.items() if name not in layers)


def test_weights_that_are_not_pretrained_are_trained_and_saved(tmp_path: Path) -> None:
    """Of a model for masked words, as BERT is published, the pooler is drawn at random: it must not stay so."""
    model = model_of("AutoModelForSequenceClassification")
    new = {name for name, _ in model.named_parameters() if "pooler" in name}
    add_low_rank(model, Hparams(lora_rank=2), new)
    assert all(model.get_parameter(name).requires_grad for name in new)
    assert not model.bert.embeddings.word_embeddings.weight.requires_grad
    save_low_rank(model, tmp_path, "base")
    saved = set(load_file(tmp_path / "adapter_model.safetensors"))
    assert {f"base_model.model.{name}" for name in new} <= saved
    assert "bert.pooler.dense" in json.loads((tmp_path / "adapter_config.json").read_text())["modules_to_save"]


# The soup


def test_the_best_evaluations_stay() -> None:
    kept = Ingredients(2)
    assert kept.add(10, 0.5) == []
    assert kept.add(20, 0.7) == []
    assert kept.add(30, 0.4) is None
    assert kept.add(40, 0.7) == [10]
    assert kept.steps() == [40, 20], "of equal ones, the last comes first"
    assert kept.state()["attributes"]["scores"] == {"20": 0.7, "40": 0.7}


def test_a_soup_takes_what_makes_it_no_worse() -> None:
    weights = {step: {"w": torch.tensor([value])} for step, value in ((1, 4.0), (2, 0.0), (3, 100.0), (4, 5.0))}
    tried: list[float] = []

    def score(some: Mapping[str, Tensor]) -> float:
        tried.append(float(some["w"]))
        return -abs(float(some["w"]) - 3)

    average, taken = greedy_soup([1, 2, 3, 4], weights.__getitem__, score)
    assert tried == pytest.approx([4.0, 2.0, (4 + 0 + 100) / 3, (4 + 0 + 5) / 3])
    assert taken == [1, 2, 4]
    assert float(average["w"]) == pytest.approx(3.0)


def test_output_layers_are_those_with_an_output_each() -> None:
    for architecture in ARCHITECTURES:
        layer = output_layer(model_of("AutoModelForSequenceClassification", architecture, labels=5))
        assert isinstance(layer, nn.Linear)
        assert layer.out_features == 5


NOT_ALONE = {
    *((family, "SequenceClassification") for family in ("gpt2", "llama", "llama-grouped", "gemma2", "eurobert")),
    ("t5", "QuestionAnswering"),  # the whole model counts as its encoder
}
"The first give outputs for each token, and pick one."


@pytest.mark.parametrize("family", [*sorted(set(tiny.ARCHITECTURES.values())), *tiny.FAMILIES])
def test_whose_head_can_be_fitted_alone(family: str, tmp_path: Path) -> None:
    """The default asks this of any model with few rows, so that it must have an answer for all of them."""
    import transformers

    folder = (tiny.save_family if family in tiny.FAMILIES else tiny.save)(family, tmp_path / family)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    for kind, outputs in (
        ("SequenceClassification", as_logits),
        ("TokenClassification", as_logits),
        ("QuestionAnswering", start_and_end),
    ):
        auto_class = getattr(transformers, f"AutoModelFor{kind}")
        config = transformers.AutoConfig.from_pretrained(folder)
        if type(config) not in auto_class._model_mapping:
            continue
        model = auto_class.from_pretrained(folder).eval()
        batch = dict(tokenizer("where is my parcel", return_tensors="pt"))
        assert has_output_layer(model, batch, outputs) is ((family, kind) not in NOT_ALONE), kind
