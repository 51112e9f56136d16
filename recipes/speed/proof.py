"""Proof that a changed model still computes what transformers' plain code computes, on a few real windows.

No list of architectures says where our parts fit. A part stays in a model only if that very model, with its own
weights, gives the same hidden states, logits and gradient with it as without it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from recipes.model.layers import embedding_table
from recipes.windows.columns import Windows
from tasks.columns import FOR_LOSS, LABELS

TOLERANCE = 1e-5
"""In fp32, no hidden state or logit may differ by more than this times the largest of them, or by more than this where
all of them are below 1."""
GRADIENT_TOLERANCE = 1e-4
"In fp32, no entry of the gradient may differ by more than this times the largest entry."
ROUNDINGS = 8
"In bf16 and fp16, this many times the type's precision takes the place of `TOLERANCE`, and gradients must be finite."
OWN_ERROR = 4
"There, a difference may also be this many times the one that transformers' code has by itself."
SHORT = 80
"""The proof should take a fraction of a second, so windows are shortened to about this many tokens. Local attention of
ModernBERT reaches 64 tokens to each side."""

Batch: TypeAlias = Mapping[str, Tensor]


@dataclass(frozen=True)
class Computed:
    """What a model computes for a batch."""

    outputs: Mapping[str, Tensor]
    "Hidden states of the last layer, as `hidden`, and logits; those of padding are left out."
    gradients: tuple[Tensor, ...]
    "The gradient of a fixed combination of the outputs by the embedded tokens: it has come back through all layers."


def short_windows(windows: Windows, special: Sequence[int]) -> list[dict[str, Any]]:
    """Return the shortest window, of about half of `SHORT` tokens at most, and a longer one of `SHORT`.

    Unequal lengths make padding, which is what attention most likely gets wrong. The longer one is as long as there is,
    up to `SHORT`; if all have the same length, it is another of that length.

    Args:
        windows: the windows to choose from.
        special: ids of special tokens, which are not taken out: a head may look for them.
    """
    lengths = windows.lengths
    order = np.argsort(lengths, kind="stable")
    rest = order[1:]
    enough = rest[lengths[rest] >= SHORT]
    longer = enough[:1] if len(enough) else rest[-1:]
    return [
        _shortened(windows[int(window)], tokens, special)
        for window, tokens in zip([order[0], *longer], (SHORT // 2, SHORT), strict=False)
    ]


def _shortened(window: Mapping[str, Any], tokens: int, special: Sequence[int]) -> dict[str, Any]:
    """Take tokens out of the middle of a window until `tokens` are left, besides the special tokens there."""
    ids = window["input_ids"]
    kept = np.isin(ids, special)
    kept[: tokens // 2] = kept[max(len(ids) - tokens // 2, 0) :] = True
    return {
        name: column[kept] if name != LABELS and np.shape(column) == np.shape(ids) else column
        for name, column in window.items()
    }


def compute(model: Any, batch: Batch, precision: torch.dtype = torch.float32, gradient: bool = True) -> Computed:
    """Run a model forward and backward without dropout. Random numbers, gradients and modes stay as they are.

    Args:
        model: a transformers model with its head.
        batch: what the task's collator made: `input_ids` [rows, length] and more.
        precision: fp32, or the type of an autocast region.
        gradient: whether to run backward too.
    """
    inputs = {name: tensor.to(model.device) for name, tensor in batch.items() if name not in FOR_LOSS}
    lower = torch.autocast(model.device.type, dtype=precision) if precision != torch.float32 else nullcontext()
    with _watched(model) as seen, _without_dropout(model), torch.random.fork_rng(devices=[]):
        with torch.set_grad_enabled(gradient), lower:
            answer = model(**inputs)
        outputs = {name: _real(name, tensor, inputs) for name, tensor in _outputs(answer, seen.hidden)}
        gradients = _gradients(outputs, seen.embedded) if gradient else ()
    return Computed({name: output.detach() for name, output in outputs.items()}, gradients)


def _gradients(outputs: Mapping[str, Tensor], embedded: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the gradients of the same random combination of the outputs each time."""
    generator = torch.Generator().manual_seed(0)
    combined = sum(
        (output * torch.randn(output.shape, generator=generator).to(output.device)).sum() for output in outputs.values()
    )
    found = torch.autograd.grad(combined, embedded, allow_unused=True) if embedded else ()
    return tuple(gradient for gradient in found if gradient is not None)


def furthest(ours: Computed, plain: Computed) -> float:
    """Return the largest difference of any hidden state or logit."""
    return max(largest_difference(ours.outputs[name], output) for name, output in plain.outputs.items())


def largest_value(computed: Computed) -> float:
    """Return the largest absolute value of all hidden states and logits, or 1 if all are smaller."""
    return max(1.0, *(float(output.abs().max()) for output in computed.outputs.values()))


@dataclass(frozen=True)
class Case:
    """A batch, and what a model must compute for it."""

    batch: Batch
    expected: Computed
    tolerance: float
    "The largest difference of a hidden state or logit."
    precision: torch.dtype = torch.float32
    gradient: bool = True

    def objection(self, model: Any) -> str:
        """Return how the model differs, such as `by 0.3`; empty if it counts as equal."""
        now = compute(model, self.batch, self.precision, self.gradient)
        far = furthest(now, self.expected)
        if not far <= self.tolerance:
            return f"by {far:.1g}"
        if not all(bool(gradient.isfinite().all()) for gradient in now.gradients):
            return "in its gradient, which is not finite"
        exact = self.gradient and self.precision == torch.float32
        for ours, plain in zip(now.gradients, self.expected.gradients, strict=True) if exact else ():
            largest = float(plain.abs().max())
            if not largest_difference(ours, plain) <= GRADIENT_TOLERANCE * largest:
                return f"in its gradient, by {largest_difference(ours, plain) / max(largest, 1e-30):.1g} of its size"
        return ""


@dataclass(frozen=True)
class Proof:
    """What a model computed before anything was changed, to compare with."""

    model: Any
    cases: Sequence[Case]

    @classmethod
    def of(cls, model: Any, batches: Sequence[Batch]) -> "Proof":
        """Compute batches in fp32 with transformers' plain attention, and the gradient of the first of them."""
        cases = []
        with plain_attention(model):
            for number, batch in enumerate(batches):
                expected = compute(model, batch, gradient=number == 0)
                cases.append(Case(batch, expected, TOLERANCE * largest_value(expected), gradient=number == 0))
        return cls(model, cases)

    def also_in(self, precision: torch.dtype) -> "Proof":
        """Return a proof with a case more: in a lower precision, the last batch must come out near its fp32 result."""
        last = self.cases[-1]
        own_error = furthest(compute(self.model, last.batch, precision, gradient=False), last.expected)
        tolerance = max(ROUNDINGS * torch.finfo(precision).eps * largest_value(last.expected), OWN_ERROR * own_error)
        return replace(self, cases=[*self.cases, Case(last.batch, last.expected, tolerance, precision)])

    def objection(self) -> str:
        """Return how the model as it is now differs from before, as a phrase; empty if it does not."""
        kind = self.model.config.model_type
        try:
            for case in self.cases:
                differs = case.objection(self.model)
                if differs:
                    return f"differs for {kind} ({differs})"
        except Exception as error:  # what a model's own code raises with a part that it was not written for
            return f"fails for {kind} ({type(error).__name__}: {' '.join(str(error).split())[:100]})"
        return ""


@contextmanager
def plain_attention(model: Any) -> Iterator[None]:
    """Make a model use transformers' plain attention for a while, if it can use another than its own at all."""
    before = model.config._attn_implementation
    settable = model._can_set_attn_implementation()
    if settable:
        model.set_attn_implementation("eager")
    try:
        yield
    finally:
        if settable:
            model.set_attn_implementation(before)


@dataclass
class _Seen:
    """What hooks have seen in a forward pass."""

    embedded: list[Tensor]
    "The embedded tokens, made the leaves of the graph; an encoder and a decoder may each embed some."
    hidden: Tensor | None = None


@contextmanager
def _watched(model: Any) -> Iterator[_Seen]:
    """Look at the output of a model's embedding table and of its body without its head."""
    seen = _Seen([])

    def embed(_module: Any, _inputs: Any, output: Any) -> Any:
        if not isinstance(output, Tensor):
            return output  # a quantised table gives its scale along
        leaf = output.detach().requires_grad_()
        seen.embedded.append(leaf)
        return leaf.clone()  # a leaf itself can't be changed in place, as some models do

    def read(_module: Any, _inputs: Any, output: Any) -> None:
        seen.hidden = output["last_hidden_state"] if isinstance(output, Mapping) else output[0]

    with ExitStack() as hooks:
        table = embedding_table(model)
        if table is not None:
            hooks.callback(table.register_forward_hook(embed).remove)
        if model.base_model is not model:
            hooks.callback(model.base_model.register_forward_hook(read).remove)
        yield seen


@contextmanager
def _without_dropout(model: Any) -> Iterator[None]:
    """Put a model into evaluation mode for a while, except its embedding table, whose parts of ours act in training."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    table = embedding_table(model)
    if table is not None:
        table.train()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _outputs(answer: Any, hidden: Tensor | None) -> Iterator[tuple[str, Tensor]]:
    if hidden is not None:
        yield "hidden", hidden
    yield from ((name, tensor) for name, tensor in answer.items() if name.endswith("logits"))


def _real(name: str, output: Tensor, inputs: Batch) -> Tensor:
    """Return an output as fp32, without the values at padding if it has one for each token."""
    mask = inputs.get("attention_mask")
    by_token = mask is not None and output.shape[:2] == mask.shape and (output.ndim == 3 or name != "logits")
    return output[mask.bool()].float() if by_token and mask is not None else output.float()


def largest_difference(one: Tensor, two: Tensor) -> float:
    """Return the largest difference, or infinity if the shapes differ or a value is not a number."""
    if one.shape != two.shape:
        return float("inf")
    largest = float((one - two).abs().max()) if one.numel() else 0.0
    return largest if largest == largest else float("inf")
