"""Replacing parts of a model in place."""

from collections.abc import Callable
from typing import Any

from torch import nn


def replace_modules(model: Any, replacement: Callable[[Any], nn.Module | None]) -> None:
    """Put another module in the place of some of a model's, in the same mode (training or not).

    Args:
        model: a module; itself it stays.
        replacement: from a module inside it to what takes its place. None: it stays.
    """
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            new = replacement(child)
            if new is not None:
                setattr(parent, name, new.train(child.training))
