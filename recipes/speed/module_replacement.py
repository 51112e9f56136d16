"""Replacing parts of a model in place."""

from collections.abc import Callable
from typing import Any

from torch import nn


def replace_modules(model: Any, replacement: Callable[[Any], nn.Module | None]) -> Callable[[], None]:
    """Replace some submodules of a model in place. A new module gets the mode of the old one (training or not).

    Args:
        model: a module, which is not replaced itself.
        replacement: returns the new module for a submodule. None: keep the old one.

    Returns:
        A function that puts the old modules back.
    """
    replaced = []
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            new = replacement(child)
            if new is not None:
                setattr(parent, name, new.train(child.training))
                replaced.append((parent, name, child))

    def put_back() -> None:
        for parent, name, child in replaced:
            setattr(parent, name, child.train(getattr(parent, name).training))

    return put_back
