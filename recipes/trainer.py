"""The Trainer of all recipes: it owns its loss, and keeps of each evaluation batch only what decoding needs."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import EvalPrediction, Trainer

from recipes.batching import Collate, PaddingCount, StepBatches, StepLoader, portions
from recipes.consistency import divergence
from recipes.features import Windows
from recipes.loss import Loss
from tasks.errors import InputError
from tasks.task import Head, Outputs, Prediction, Row, Task

Reduce: TypeAlias = Callable[[Any, Mapping[str, Tensor]], dict[str, Tensor]]
"From a model's outputs and a batch to the named tensors that `Task.decode` reads, first axis [batch]."

NOT_FOR_THE_MODEL = ("labels", "candidates")


class RecipeTrainer(Trainer):  # type: ignore[misc]
    """A `Trainer` for one task: plain training, with four things settled.

    - The loss is computed here and not by the model's head, as a sum over items divided by the items of the whole
      step (`recipes.loss` says why).
    - Rows of like length make a batch, in an order that seed and epoch alone decide (`recipes.batching`).
    - `prediction_step` returns what `keep` makes of the logits (labels, spans), so that a large evaluation set
      does not pile up logits.
    - `predict_rows` decodes whole rows with the same code that scores each epoch.
    """

    data_collator: Collate

    def __init__(
        self,
        *,
        task: Task,
        head: Head,
        loss: Loss,
        reduce: Reduce,
        r_drop: float,
        tokens_at_once: int | None,
        validation: Sequence[Row],
        **kwargs: Any,
    ) -> None:
        # A `compute_loss_func` makes the Trainer count the items of each step; `compute_loss` below is what runs.
        super().__init__(compute_loss_func=loss, compute_metrics=self._validation_scores, **kwargs)
        self.task = task
        self.head = head
        self.loss = loss
        self.reduce = reduce
        self.r_drop = r_drop
        self.tokens_at_once = tokens_at_once
        self.validation_rows = validation
        self.padding = PaddingCount()

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return the steps of an epoch, shared among processes here: accelerate would repeat rows to fill the last one.

        Tokens and padding are counted on their way.
        """
        arguments = self.args
        batches = StepBatches(
            self.train_dataset.lengths,
            arguments.train_batch_size * arguments.gradient_accumulation_steps * arguments.world_size,
            arguments.seed,
            arguments.gradient_accumulation_steps,
            arguments.world_size,
            arguments.process_index,
        )
        collate = self.padding.counting(self.data_collator)
        pinned = arguments.dataloader_pin_memory
        return StepLoader(self.train_dataset, batch_sampler=batches, collate_fn=collate, pin_memory=pinned)

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Return 0: transformers would walk all modules in each step for a figure that counts padding as work."""
        del inputs
        return 0

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """Add the gradient of a batch and return its loss; a batch of many tokens goes through the model in parts.

        As each part's loss is its share of the step's mean, their gradients add up to that of the whole.
        """
        parts = list(portions(inputs, self.tokens_at_once, trim=True))
        losses = []
        for number, part in enumerate(parts, 1):
            # Processes exchange gradients once a step, with the last part.
            alone = self.accelerator.no_sync(model) if number < len(parts) else nullcontext()
            with alone:
                losses.append(super().training_step(model, part, num_items_in_batch))
        return torch.stack(losses).sum()

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Return the batch's share of the step's mean loss, with the outputs if they are asked for."""
        twice = self.r_drop > 0 and model.training
        batch = {name: torch.cat([tensor, tensor]) for name, tensor in inputs.items()} if twice else inputs
        outputs = model(**{name: tensor for name, tensor in batch.items() if name not in NOT_FOR_THE_MODEL})
        total = self.loss(outputs, batch)
        if twice:
            rows = len(inputs["labels"])
            first = {name: tensor[:rows] for name, tensor in outputs.items()}
            second = {name: tensor[rows:] for name, tensor in outputs.items()}
            total = total / 2 + self.r_drop * divergence(first, second, inputs)
        items = inputs["labels"].ne(-100).sum() if num_items_in_batch is None else num_items_in_batch
        # Gradients are averaged over processes, while `items` counts those of all of them.
        scale = self.accelerator.num_processes if num_items_in_batch is not None else 1
        loss = total * scale / items
        return (loss, outputs) if return_outputs else loss

    def prediction_step(
        self,
        model: Any,
        inputs: dict[str, Any],
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,  # noqa: ARG002
    ) -> tuple[Tensor, dict[str, Tensor] | None, Tensor | None]:
        """Return the loss, what `keep` makes of it, and a stand-in for labels: the gold ones are in the rows."""
        inputs = self._prepare_inputs(inputs)
        losses, kept = [], []
        with torch.no_grad(), self.compute_loss_context_manager():
            items = self._get_num_items_in_batch([inputs], self.args.device)
            for part in portions(inputs, self.tokens_at_once):
                loss, outputs = self.compute_loss(model, part, return_outputs=True, num_items_in_batch=items)
                losses.append(loss.detach())
                if not prediction_loss_only:
                    kept.append(self.keep(outputs, part))
        loss = torch.stack(losses).sum()
        if prediction_loss_only:
            return loss, None, None
        whole = {name: torch.cat([part[name] for part in kept]) for name in kept[0]}
        return loss, whole, inputs["input_ids"].new_zeros(len(inputs["input_ids"]))

    def keep(self, outputs: Any, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return of a batch what is gathered from all processes and kept to the end of the evaluation."""
        return self.reduce(outputs, inputs)

    def outputs(self, kept: list[dict[str, Any]], features: Windows) -> Outputs:
        """Join what was kept of every batch; values for each token stay with their window, however long its batch."""
        del features
        return {name: _joined([batch[name] for batch in kept]) for name in kept[0]}

    def predict_rows(self, rows: Sequence[Row], features: Windows) -> list[Prediction]:
        """Predict every row, in order and in fp32; nothing calibrated is applied yet.

        Full precision, whatever the training's: it is how `from_pretrained` loads the model, so that pipelines and
        other readers of it get these very predictions. For use when training is over.
        """
        self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)  # takes accelerate's autocast off
        self.compute_metrics = None  # the scores of an epoch are those of the validation rows alone
        try:
            kept = self.predict(features).predictions
        finally:
            self.compute_metrics = self._validation_scores
        return self.task.decode(rows, features.columns, self.outputs(kept, features), self.head)

    def _validation_scores(self, evaluated: EvalPrediction) -> dict[str, float]:
        """Score an epoch. Calibration is chosen anew each time, on the same rows."""
        rows, features = self.validation_rows, self.eval_dataset
        outputs = self.outputs(evaluated.predictions, features)
        decoded = self.task.decode(rows, features.columns, outputs, self.head)
        finished = self.task.finish(decoded, self.task.calibrate(rows, decoded))
        scores = self.task.score(rows, finished, self.head)
        require_objective(self.task, scores)
        return scores


def _joined(batches: list["np.ndarray[Any, Any]"]) -> "Sequence[Any] | np.ndarray[Any, Any]":
    if all(batch.shape[1:] == batches[0].shape[1:] for batch in batches):
        return np.concatenate(batches)
    return [window for batch in batches for window in batch]


def require_objective(task: Task, scores: Mapping[str, float]) -> None:
    """Refuse an objective that is none of the scores.

    Raises:
        InputError: it lists the scores there are.
    """
    if task.objective_name() not in scores:
        raise InputError(f"task.objective={task.objective_name()}: no such score. There are: {', '.join(scores)}")
