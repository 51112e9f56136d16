"""What collators have in common: from encoded windows to the inputs that a model is padded and fed with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def inputs_and_labels(windows: Sequence[dict[str, Any]], tokenizer: "PreTrainedTokenizerBase") -> list[dict[str, Any]]:
    """Return each window without the columns that only decoding reads.

    {"input_ids": [101, 102], "labels": 1, "row": 7} becomes {"input_ids": [101, 102], "labels": 1}.
    """
    names = {*tokenizer.model_input_names, "labels"}
    return [{name: value for name, value in window.items() if name in names} for window in windows]
