"""A head that is fitted exactly to the outputs of the encoder as it is, as logistic regression on features.

Kumar et al. 2022 ("Fine-Tuning can Distort Pretrained Features") begin fine-tuning with such a head; on a handful of
rows it is the better model by itself. The loss is the recipe's own, summed over all items, so that it is the same
function for labels, numbers, words and spans; it is convex in the head, and found by L-BFGS.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from recipes.heads.recipe import Recipe
from recipes.inference.predicting import forward
from recipes.windows.batching import consecutive_batches
from recipes.windows.columns import Windows
from tasks.columns import IGNORED_LABEL, LABELS
from tasks.errors import InputError
from tasks.task import Collate

INVERSE_PENALTY = 10.0
"C of scikit-learn's LogisticRegression, for features that are centred and have length 1 on average."
MOST_ITERATIONS = 300
BATCH = 64


@dataclass(frozen=True)
class Encoded:
    """What the output layer is given for one batch, and the batch."""

    features: Tensor
    "float32 [rows, width] or [rows, length, width]."
    batch: Mapping[str, Tensor]

    def scaled(self, middle: float, spread: float) -> Mapping[str, Tensor]:
        """Return the batch with its gold numbers in another scale."""
        if (middle, spread) == (0.0, 1.0):
            return self.batch
        return {**self.batch, LABELS: ((self.batch[LABELS].double() - middle) / spread).float()}

    def items(self) -> Tensor:
        """Return the features that losses read: all of texts, those of labelled words [items, width]."""
        labels = self.batch[LABELS]
        if self.features.dim() == 3 and labels.shape[:2] == self.features.shape[:2]:
            return self.features[labels != IGNORED_LABEL]
        return self.features.flatten(0, -2)


def output_layer(model: Any) -> nn.Linear:
    """Return the last linear layer of a model's head. `has_output_layer` tells whether it gives the outputs.

    Raises:
        InputError: the head has none.
    """
    layer = _last_linear_layer(model)
    if layer is None:
        raise InputError(f"hparams.linear_head: the head of a {model.config.model_type} model has no linear layer")
    return layer


def _last_linear_layer(model: Any) -> nn.Linear | None:
    inside = {id(module) for module in model.base_model.modules()}
    outside = [module for module in model.modules() if isinstance(module, nn.Linear) and id(module) not in inside]
    return outside[-1] if outside else None


def has_output_layer(
    model: Any, batch: Mapping[str, Tensor], outputs: Callable[[Tensor], Mapping[str, Tensor]]
) -> bool:
    """Tell whether a model's outputs are what a linear layer gives, so that this layer can be fitted by itself.

    Heads of models that write text give outputs for each token, and take those of the last one.
    """
    layer, caught = _last_linear_layer(model), list[Tensor]()
    if layer is None:
        return False
    handle = layer.register_forward_hook(lambda _, __, result: caught.append(result.detach()))
    model.eval()
    try:
        with torch.no_grad():
            given = forward(model, batch)
    finally:
        handle.remove()
    named = outputs(caught[-1]) if caught else {}
    return bool(named) and all(
        name in given and given[name].shape == values.shape and torch.equal(given[name], values)
        for name, values in named.items()
    )


def require_output_layer(model: Any, batch: Mapping[str, Tensor], recipe: Recipe) -> None:
    """Refuse a model whose head can't be fitted by itself.

    Raises:
        InputError: it names the type.
    """
    if not has_output_layer(model, batch, recipe.outputs):
        raise InputError(
            "hparams.linear_head and hparams.contrastive_steps: not for the head of models of the type "
            f"{model.config.model_type}, whose outputs are not those of a linear layer for each item"
        )


def features_of(model: Any, windows: Windows, collate: Collate, tokens_at_once: int | None) -> Iterator[Encoded]:
    """Yield what the output layer is given for all windows, without dropout, in fp32. `has_output_layer` must hold."""
    caught = list[Tensor]()
    handle = output_layer(model).register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0].detach().float()))
    model.eval()
    try:
        for places in consecutive_batches(windows.lengths, BATCH, tokens_at_once):
            batch = {name: tensor.to(model.device) for name, tensor in collate([windows[i] for i in places]).items()}
            with torch.no_grad():
                forward(model, batch)
            yield Encoded(caught.pop(), batch)
    finally:
        handle.remove()


def fit_linear_head(
    model: Any, windows: Windows, collate: Collate, recipe: Recipe, tokens_at_once: int | None = None
) -> None:
    """Fit the output layer to all training windows, in place. The rest of the model stays as it is.

    Args:
        model: a model on its device.
        windows: the training windows.
        collate: makes batches of them.
        recipe: its loss, and what its outputs are called.
        tokens_at_once: most tokens in a forward pass.
    """
    encoded = list(features_of(model, windows, collate, tokens_at_once))
    middle, spread = _scale_of_numbers(encoded)
    items = torch.cat([one.items() for one in encoded]).double()
    centre = items.mean(0)
    scale = float((items - centre).norm(dim=1).mean().clamp(min=1e-12))
    layer = output_layer(model)
    # A layer of its own: it starts at 0, in a scale in which one penalty suits all encoders.
    weight = torch.zeros_like(layer.weight, dtype=torch.float64, requires_grad=True)
    start = torch.zeros(layer.out_features) if layer.bias is None else (layer.bias - middle) / spread
    bias = start.detach().to(weight).requires_grad_(layer.bias is not None)
    inputs = [((one.features.double() - centre) / scale, one.scaled(middle, spread)) for one in encoded]

    def loss() -> Tensor:
        data = sum(
            (recipe.loss(recipe.outputs(features @ weight.T + bias), batch) for features, batch in inputs),
            torch.zeros((), dtype=torch.float64),
        )
        return data + weight.square().sum() / (2 * INVERSE_PENALTY)

    _minimise(loss, [tensor for tensor in (weight, bias) if tensor.requires_grad])
    with torch.no_grad():
        fitted = weight / scale
        layer.weight.copy_(fitted * spread)
        if layer.bias is not None:
            layer.bias.copy_((bias - fitted @ centre) * spread + middle)


def _scale_of_numbers(encoded: Sequence[Encoded]) -> tuple[float, float]:
    """Return mean and deviation of gold, if it is a number for each text: losses are in fp32, and prices are not."""
    first = encoded[0].batch[LABELS]
    if first.dim() != 1 or not first.is_floating_point():
        return 0.0, 1.0
    gold = torch.cat([one.batch[LABELS] for one in encoded]).double()
    return float(gold.mean()), float(gold.std(correction=0)) or 1.0


def _minimise(loss: Callable[[], Tensor], weights: list[Tensor]) -> None:
    optimizer = torch.optim.LBFGS(
        weights, max_iter=MOST_ITERATIONS, tolerance_grad=1e-6, tolerance_change=1e-9, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)
