"""The Trainer of all recipes: it owns its loss, and keeps of each evaluation batch only what decoding needs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor
from transformers import EvalPrediction, Trainer

from recipes.batching import LengthGroupedSampler
from recipes.consistency import divergence
from recipes.loss import Loss
from tasks.errors import InputError
from tasks.task import Features, Head, Prediction, Row, Task

Reduce: TypeAlias = Callable[[Any, Mapping[str, Tensor]], dict[str, Tensor]]
"From a model's outputs and a batch to the named tensors that `Task.decode` reads, first axis [batch]."

NOT_FOR_THE_MODEL = ("labels", "candidates")


class RecipeTrainer(Trainer):  # type: ignore[misc]
    """A `Trainer` for one task: plain training, with four things settled.

    - The loss is computed here and not by the model's head, as a sum over items divided by the items of the whole
      step (`recipes.loss` says why).
    - Rows of like length make a batch, in an order that seed and epoch alone decide (`recipes.batching`).
    - `prediction_step` returns what `reduce` keeps of the logits (labels, spans), so that a large evaluation set
      does not pile up logits.
    - `predict_rows` decodes whole rows with the same code that scores each epoch.
    """

    def __init__(
        self,
        *,
        task: Task,
        head: Head,
        loss: Loss,
        reduce: Reduce,
        r_drop: float,
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
        self.validation_rows = validation

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> LengthGroupedSampler:
        """Take rows of like length together; transformers' own grouping would reorder evaluation as well."""
        rows = self.train_dataset if train_dataset is None else train_dataset
        lengths = [len(ids) for ids in rows["input_ids"]]
        step = self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size
        return LengthGroupedSampler(lengths, step, self.args.seed)

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
        """Return the loss, what `reduce` keeps, and a stand-in for labels: the gold ones are in the rows."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            items = self._get_num_items_in_batch([inputs], self.args.device)
            loss, outputs = self.compute_loss(model, inputs, return_outputs=True, num_items_in_batch=items)
            if prediction_loss_only:
                return loss.detach(), None, None
            kept = self.reduce(outputs, inputs)
        return loss.detach(), kept, inputs["input_ids"].new_zeros(len(inputs["input_ids"]))

    def predict_rows(self, rows: Sequence[Row], features: Dataset) -> list[Prediction]:
        """Predict every row, in order and in fp32; nothing calibrated is applied yet.

        Full precision, whatever the training's: it is how `from_pretrained` loads the model, so that pipelines and
        other readers of it get these very predictions. For use when training is over.
        """
        self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)  # takes accelerate's autocast off
        self.compute_metrics = None  # the scores of an epoch are those of the validation rows alone
        try:
            outputs = self.predict(features).predictions
        finally:
            self.compute_metrics = self._validation_scores
        return self.task.decode(rows, columns(features), outputs, self.head)

    def _validation_scores(self, evaluated: EvalPrediction) -> dict[str, float]:
        """Score an epoch. Calibration is chosen anew each time, on the same rows."""
        decoded = self.task.decode(self.validation_rows, columns(self.eval_dataset), evaluated.predictions, self.head)
        finished = self.task.finish(decoded, self.task.calibrate(self.validation_rows, decoded))
        scores = self.task.score(self.validation_rows, finished, self.head)
        require_objective(self.task, scores)
        return scores


def require_objective(task: Task, scores: Mapping[str, float]) -> None:
    """Refuse an objective that is none of the scores.

    Raises:
        InputError: it lists the scores there are.
    """
    if task.objective_name() not in scores:
        raise InputError(f"task.objective={task.objective_name()}: no such score. There are: {', '.join(scores)}")


def columns(features: Dataset) -> dict[str, Any]:
    """Return the columns that decoding reads, as plain lists."""
    names = [name for name in features.column_names if name in ("row", "words", "start", "end")]
    return {name: features[name][:] for name in names}


def dataset(features: Features, longest_first: bool) -> Dataset:
    """Put features in a dataset: in the rows' order, or the longest first, which wastes least on padding."""
    order = np.argsort([-len(ids) for ids in features["input_ids"]], kind="stable") if longest_first else None
    if order is not None:
        features = {name: [column[index] for index in order] for name, column in features.items()}
    return Dataset.from_dict(features)
