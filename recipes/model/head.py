"""The output layer of a model that was trained before: which of its rows go on, by the names of their labels."""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tasks.task import Head

DEFAULT_NAME = re.compile(r"LABEL_\d+")
"Names that transformers gives to labels that have none."
SHOWN = 8
"At most this many labels are named in a line."


@dataclass(frozen=True)
class OutputLayer:
    """Where the rows of a model's output layer come from."""

    taken: Mapping[int, int] = field(default_factory=dict)
    "For each output that goes on from the trained model: which of the trained model's outputs it is."
    tensors: Mapping[str, int] = field(default_factory=dict)
    "The tensors of the output layer, by name, and which of their axes counts outputs."
    known: bool = False
    "Whether all outputs go on from the trained model."
    note: str = ""
    "What was taken over and what was drawn anew, for the user. Empty for a model that was never trained for a task."

    @contextmanager
    def kept(self, model: Any) -> Iterator[None]:
        """Let an initialisation change the new rows only: the others get their values back."""
        before = {name: model.get_parameter(name).detach().clone() for name in self.tensors} if self.taken else {}
        yield
        for name, values in before.items():
            _put_rows(model.get_parameter(name), values, {row: row for row in self.taken}, self.tensors[name])


def label_names(config: Any) -> list[str]:
    """Return the names of a saved model's labels, in the order of its outputs; "" for one without a name of its own."""
    names = [str(config.id2label.get(output, "")) for output in range(config.num_labels)]
    return ["" if DEFAULT_NAME.fullmatch(name) else name for name in names]


def tensors_per_label(auto_class: Any, config: Any) -> dict[str, int]:
    """Return the tensors of the output layer by name, each with the axis that counts labels.

    The model is made twice without weights, for different numbers of labels; the output layer is what differs.
    """
    import torch

    shapes = []
    for count in (config.num_labels, config.num_labels + 1):
        other = copy.deepcopy(config)
        other.num_labels = count
        with torch.device("meta"):
            model = auto_class.from_config(other, trust_remote_code=False)
        shapes.append({name: tensor.shape for name, tensor in model.named_parameters()})
    return {
        name: next(axis for axis, (one, two) in enumerate(zip(shape, shapes[1][name], strict=True)) if one != two)
        for name, shape in shapes[0].items()
        if shape != shapes[1][name]
    }


def take_over(
    auto_class: Any, model: Any, head: Head, before: Any, absent: Sequence[str], mismatched: Sequence[str], reload: Any
) -> OutputLayer:
    """Give each output of a loaded model the weights of the trained model's output of the same name, or new ones.

    The other layers of a head, such as a pooler, stay as they were loaded.

    Args:
        auto_class: the transformers auto class of the head.
        model: the model as loaded. Where its output layer had the size of the trained one, it has its weights, by
            position; otherwise new ones.
        head: the outputs that the task needs.
        before: the config as the trained model was saved with.
        absent: the names of the tensors that the file does not have.
        mismatched: the names of the tensors that it has in another size.
        reload: returns the trained model as it was saved.
    """
    outside = [name for name, _ in model.named_parameters() if not name.startswith(f"{model.base_model_prefix}.")]
    if not outside or set(outside) <= set(absent):
        return OutputLayer()
    if not head.labels:
        if set(outside) & {*absent, *mismatched}:
            return OutputLayer()
        return OutputLayer(known=True, note="head: taken over from the trained model")
    tensors = tensors_per_label(auto_class, model.config)
    if not tensors or set(tensors) & set(absent):
        return OutputLayer()
    taken, note = _matched(head, before)
    other_size = bool(set(tensors) & set(mismatched))
    if taken:
        trained = reload() if other_size else model
        values = {name: trained.get_parameter(name).detach().clone() for name in tensors}
    if not other_size and len(taken) < len(head.labels):
        _draw_anew(model, tensors)
    for name, axis in tensors.items() if taken else ():
        _put_rows(model.get_parameter(name), values[name], taken, axis)
    return OutputLayer(taken, tensors, len(taken) == len(head.labels), note)


def _matched(head: Head, before: Any) -> tuple[dict[int, int], str]:
    """Return the trained model's output for each output that it has, and a line for the user."""
    number = head.problem_type == "regression"
    single = head.problem_type is not None and before.num_labels == 1
    was_number = before.problem_type == "regression" or (before.problem_type is None and single)
    if number != was_number:
        return {}, f"head: drawn anew, as the trained model predicts {'a number' if was_number else 'classes'}"
    if number:
        return {0: 0}, "head: taken over from the trained model, which predicts a number too"
    names = label_names(before)
    if not any(names):
        return {}, "head: drawn anew, as the trained model's labels have no names"
    taken = {output: names.index(label) for output, label in enumerate(head.labels) if label in names}
    new = [label for label in head.labels if label not in names]
    if not taken:
        others = _listed([name for name in names if name])
        return {}, f"head: drawn anew, as the trained model has other labels ({others})"
    if not new:
        return taken, f"head: all {len(taken)} labels taken over by name from the trained model"
    count = f"{len(taken)} of {len(head.labels)}"
    return taken, f"head: {count} labels taken over by name from the trained model; new: {_listed(new)}"


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    return ", ".join(labels[:SHOWN]) + more


def _draw_anew(model: Any, tensors: Mapping[str, int]) -> None:
    """Draw some tensors of a loaded model as transformers draws those that a file does not have.

    transformers marks what must keep its values, and initialises the rest as each architecture does.
    """
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        tensor._is_hf_initialized = name not in tensors
    for path, module in model.named_modules():
        module._is_hf_initialized = not any(name.startswith(f"{path}." if path else "") for name in tensors)
    model.initialize_weights()


def _put_rows(tensor: Any, values: Any, rows: Mapping[int, int], axis: int) -> None:
    """Copy rows of `values` to other places in a tensor: `rows` maps places to rows, along an axis."""
    import torch

    with torch.no_grad():
        for place, row in rows.items():
            tensor.select(axis, place).copy_(values.select(axis, row))
