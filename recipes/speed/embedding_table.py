"""Training only those rows of the embedding table that the training data use.

A vocabulary has 30,000 to 250,000 entries, a data set uses a few thousand. The others get no gradient, and yet a plain
table allocates, clears, measures and updates all of them in each step: up to a third of a small model's step on a CPU,
and two thirds of all optimizer memory for a multilingual model. What training does is the same, but for weight decay,
which plain AdamW would also apply to entries that never occur; here those keep their pretrained values.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recipes.speed.module_replacement import replace_modules

MOST_USED = 0.9
"Share of rows in use from which on a plain table does as well."


class PartlyTrainedEmbedding(nn.Module):  # type: ignore[misc]
    """An embedding table cut in two: `weight` [used, width] is trained, `rest` [others, width] is as it was.

    Its state dict holds one `weight` [vocabulary, width], as that of the `nn.Embedding` it stands for.
    """

    def __init__(self, table: nn.Embedding, used: Tensor) -> None:
        super().__init__()
        in_use = torch.zeros(table.num_embeddings, dtype=torch.bool)
        in_use[used] = True
        # Entry i stands in row place[i]: of `weight` below len(weight), of `rest` from there on.
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
        """Look up ids of any shape. In training all of them must be in use; in evaluation any entry will do."""
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


def train_used_rows(model: Any, used: "np.ndarray[Any, Any]") -> None:
    """Cut a model's embedding table in place, so that only the rows of the ids in `used` are trained.

    Left alone: frozen tables, tables of which nearly all is in use, and tables that another module shares.

    Args:
        model: a transformers model on its way to training.
        used: the distinct token ids [used] that occur in the training windows, padding included.
    """
    table = model.get_input_embeddings()
    shared = sum(parameter is table.weight for _, parameter in model.named_parameters(remove_duplicate=False)) > 1
    if type(table) is not nn.Embedding or not table.weight.requires_grad or shared:
        return
    if len(used) <= MOST_USED * table.num_embeddings:
        cut = PartlyTrainedEmbedding(table, torch.as_tensor(used, dtype=torch.int64))
        replace_modules(model, lambda module: cut if module is table else None)


def restore_table(model: Any) -> None:
    """Give a model its plain embedding table back, with the trained rows in their places."""
    replace_modules(model, lambda module: module.plain() if isinstance(module, PartlyTrainedEmbedding) else None)
