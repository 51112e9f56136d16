"""Train only the rows of the embedding table that occur in the training data.

A vocabulary has 30,000 to 250,000 entries, a data set uses a few thousand. The others get no gradient; yet with a plain
table, each step allocates and clears a gradient for all entries, takes its norm and updates them all. This takes up to
a third of a small model's step on a CPU, and two thirds of all optimizer memory for a multilingual model. Training
differs only in weight decay: plain AdamW would also decay entries that never occur; here those keep their pretrained
values.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recipes.model.layers import embedding_table
from recipes.speed.module_replacement import replace_modules

MOST_USED = 0.9
"Above this share of rows in use, a plain table is as good."


class PartlyTrainedEmbedding(nn.Module):  # type: ignore[misc]
    """An embedding table cut in two: `weight` [used, width] is trained, `rest` [others, width] is frozen.

    Its state dict holds one `weight` [vocabulary, width], like that of the `nn.Embedding` it replaces.
    """

    def __init__(self, table: nn.Embedding, used: Tensor) -> None:
        super().__init__()
        in_use = torch.zeros(table.num_embeddings, dtype=torch.bool)
        in_use[used] = True
        # Entry i is row place[i] of the table that consists of `weight` followed by `rest`.
        order = torch.cat([torch.nonzero(in_use), torch.nonzero(~in_use)]).squeeze(1)
        place = torch.empty_like(order)
        place[order] = torch.arange(len(order))
        count = int(in_use.sum())
        weight = table.weight.detach()
        self.weight = nn.Parameter(weight[order[:count]].clone())
        self.register_buffer("rest", weight[order[count:]].clone(), persistent=False)
        self.register_buffer("place", place, persistent=False)
        padding = table.padding_idx
        self.padding_idx = padding
        self._padding_place = int(place[padding]) if padding is not None and in_use[padding] else None

    def forward(self, input_ids: Tensor) -> Tensor:
        """Look up ids of any shape. In training, all must be among the trained rows; in evaluation, any id will do."""
        place = self.place[input_ids]
        if self.training:
            return functional.embedding(place, self.weight, self._padding_place)
        count = len(self.weight)
        trained = functional.embedding(place.clamp(max=count - 1), self.weight)
        others = functional.embedding((place - count).clamp(min=0), self.rest)
        return torch.where((place < count).unsqueeze(-1), trained, others)

    def whole(self) -> Tensor:
        """Return the whole table [vocabulary, width]."""
        return torch.cat([self.weight.detach(), self.rest])[self.place]

    def plain(self) -> nn.Embedding:
        """Return an `nn.Embedding` with the same entries."""
        table: nn.Embedding = nn.Embedding.from_pretrained(self.whole(), freeze=False, padding_idx=self.padding_idx)
        return table

    def _save_to_state_dict(self, destination: dict[str, Tensor], prefix: str, keep_vars: bool) -> None:
        del keep_vars
        destination[f"{prefix}weight"] = self.whole()

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Tensor],
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        *others: Any,
    ) -> None:
        del local_metadata, others
        weight = state_dict.get(f"{prefix}weight")
        if weight is None:
            if strict:
                missing_keys.append(f"{prefix}weight")
            return
        order = torch.argsort(self.place).to(weight.device)
        count = len(self.weight)
        with torch.no_grad():
            self.weight.copy_(weight[order[:count]])
            self.rest.copy_(weight[order[count:]])


def train_used_rows(model: Any, used: "np.ndarray[Any, Any]") -> Callable[[], None]:
    """Cut a model's embedding table in place, so that only the rows of the ids in `used` are trained.

    Some tables stay as they are: frozen ones, those with nearly all rows in use, and those that another module shares.

    Args:
        model: a transformers model that is about to be trained.
        used: the distinct token ids [used] that occur in the training windows, padding included.

    Returns:
        A function that puts the old table back, untrained.
    """
    table: Any = embedding_table(model)
    if type(table) is not nn.Embedding or not table.weight.requires_grad or _is_shared(table, model):
        return replace_modules(model, lambda _: None)
    if len(used) > MOST_USED * table.num_embeddings:
        return replace_modules(model, lambda _: None)
    cut = PartlyTrainedEmbedding(table, torch.as_tensor(used, dtype=torch.int64))
    return replace_modules(model, lambda module: cut if module is table else None)


def _is_shared(table: nn.Embedding, model: Any) -> bool:
    return sum(parameter is table.weight for _, parameter in model.named_parameters(remove_duplicate=False)) > 1


def restore_table(model: Any) -> None:
    """Give a model its plain embedding table back, with the trained rows in their places."""
    replace_modules(model, lambda module: module.plain() if isinstance(module, PartlyTrainedEmbedding) else None)
