"""The Trainer of all recipes: it owns its loss, and keeps of each evaluation batch only what decoding needs."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import EvalPrediction

from recipes.heads.loss import Loss
from recipes.heads.r_drop import divergence
from recipes.machine.out_of_memory import fewer_tokens, is_out_of_memory, release
from recipes.system.console import complain_alone, say
from recipes.training.resuming import ResumingTrainer
from recipes.windows.batching import Collate, PaddingCount, StepBatches, StepLoader, portions
from recipes.windows.columns import Windows
from tasks.errors import InputError
from tasks.task import Head, Outputs, Prediction, Row, Task

Reduce: TypeAlias = Callable[[Any, Mapping[str, Tensor]], dict[str, Tensor]]
"From a model's outputs and a batch to the named tensors that `Task.decode` reads, first axis [batch]."

LOOK_EVERY = 100
"Losses and gradient norms on a GPU between two looks at whether they are numbers; each look waits for the GPU."

NOT_FOR_THE_MODEL = ("labels", "candidates")


class RecipeTrainer(ResumingTrainer):
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
        rows: Mapping[str, Sequence[Row]],
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
        self.train_rows, self.validation_rows = rows["train"], rows["validation"]
        self.padding = PaddingCount()
        self._passes: list[dict[str, Any]] = []  # forward passes of the optimizer step so far
        self._losses: list[tuple[int, Tensor]] = []  # steps with their losses and gradient norms, not yet looked at

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

        As each part's loss is its share of the step's mean, their gradients add up to that of the whole. Where memory
        runs out, the step is done again in smaller parts.
        """
        self._passes.append(inputs)
        todo = [inputs]
        while True:
            try:
                losses = [self._pass_in_parts(model, each, num_items_in_batch) for each in todo]
                break
            except (RuntimeError, MemoryError) as error:
                # Other processes wait for this one's gradient and can't be told to begin anew.
                self._use_fewer_tokens(inputs, error, alone=self.args.world_size == 1)
            # What the failed attempt added to the gradient can't be told apart: all parts of the step anew.
            model.zero_grad()
            todo = self._passes
        if self.accelerator.sync_gradients:
            self._passes = []
        self._losses.append((self.state.global_step, losses[-1].detach()))
        return losses[-1]

    def _pass_in_parts(self, model: Any, inputs: dict[str, Any], items: Tensor | int | None) -> Tensor:
        parts = list(portions(inputs, self.tokens_at_once, trim=True))
        losses = []
        for number, part in enumerate(parts, 1):
            # Processes exchange gradients once a step, with the last part.
            alone = self.accelerator.no_sync(model) if number < len(parts) else nullcontext()
            with alone:
                losses.append(super().training_step(model, part, items))
        return torch.stack(losses).sum()

    def _use_fewer_tokens(
        self, inputs: Mapping[str, Tensor], error: RuntimeError | MemoryError, *, alone: bool
    ) -> None:
        """Halve what goes through the model at once, if `error` says that memory ran out, or else raise it again.

        Raises:
            InputError: this process can't do it `alone`, or a single row is too much.
        """
        if not is_out_of_memory(error):
            raise error
        rows, length = inputs["input_ids"].shape
        fewer = fewer_tokens(rows, length, self.tokens_at_once)
        if not alone:
            message = f"Out of memory with {rows} rows of {length} tokens: runtime.tokens_at_once={fewer}"
            if not self.is_world_process_zero():
                complain_alone(message)
            raise InputError(message)
        self.tokens_at_once = fewer
        say(f"  out of memory: {fewer} tokens at once from now on; what makes a step stays the same")
        release()

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        norm = super()._get_grad_norm(model, grad_norm=grad_norm)
        # With a loss scaler, fp16 meets an infinite norm now and then and leaves out the step.
        if norm is not None and self.accelerator.scaler is None:
            self._losses.append((self.state.global_step, torch.as_tensor(norm)))
        return norm

    def _maybe_log_save_evaluate(self, *arguments: Any, **named: Any) -> None:
        if self.args.device.type == "cpu" or len(self._losses) >= LOOK_EVERY or self.control.should_log:
            self._require_finite()
        super()._maybe_log_save_evaluate(*arguments, **named)

    def _require_finite(self) -> None:
        """Look at the losses and gradients since the last look; on a GPU this waits for it.

        Raises:
            InputError: one is not a number; it names the rows of that step.
        """
        seen, self._losses = self._losses, []
        if not seen or bool(torch.stack([value.float() for _, value in seen]).isfinite().all()):
            return
        step, value = next((step, value) for step, value in seen if not bool(value.isfinite()))
        raise InputError(
            f"Training came to {float(value)} at step {step + 1}, and can't go on from there. "
            f"{self._rows_of_step(step)}\n"
            f"What often helps: a lower hparams.learning_rate (it is {self.args.learning_rate:g}), "
            "runtime.precision=fp32, and a look at these rows"
        )

    def _rows_of_step(self, step: int) -> str:
        loader = self.get_train_dataloader()
        if not isinstance(loader.batch_sampler, StepBatches):
            return "Which rows these were is not known with hparams.stock=true."
        epoch, index = divmod(step, self._steps_in_epoch())
        windows = loader.batch_sampler.steps(epoch)[index]
        rows = sorted({int(self.train_dataset.columns["row"][window]) for window in windows})
        places = [str(self.train_rows[row].origin) for row in rows]
        return f"The rows of that step: {'; '.join(places)}."

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
        while True:
            try:
                loss, kept = self._predict_in_parts(model, inputs)
                break
            except (RuntimeError, MemoryError) as error:
                self._use_fewer_tokens(inputs, error, alone=True)
        if prediction_loss_only:
            return loss, None, None
        return loss, kept, inputs["input_ids"].new_zeros(len(inputs["input_ids"]))

    def _predict_in_parts(self, model: Any, inputs: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        losses, kept = [], []
        with torch.no_grad(), self.compute_loss_context_manager():
            items = self._get_num_items_in_batch([inputs], self.args.device)
            for part in portions(inputs, self.tokens_at_once):
                loss, outputs = self.compute_loss(model, part, return_outputs=True, num_items_in_batch=items)
                losses.append(loss.detach())
                kept.append(self.keep(outputs, part))
        return torch.stack(losses).sum(), {name: torch.cat([part[name] for part in kept]) for name in kept[0]}

    def process_state(self) -> dict[str, Any]:  # noqa: D102
        return {**super().process_state(), "tokens_at_once": self.tokens_at_once}

    def set_process_state(self, state: dict[str, Any]) -> None:  # noqa: D102
        super().set_process_state(state)
        self.tokens_at_once = state["tokens_at_once"]

    def exportable(self) -> list[Any]:  # noqa: D102
        return [*super().exportable(), self.padding]

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
    """Refuse an objective that is none of the scores, or not a number.

    Raises:
        InputError: it lists the scores there are.
    """
    name = task.objective_name()
    if name not in scores:
        raise InputError(f"task.objective={name}: no such score. There are: {', '.join(scores)}")
    if scores[name] != scores[name]:
        there = ", ".join(f"{other} {value:.4g}" for other, value in scores.items())
        raise InputError(
            f"task.objective={name} is not a number on the validation rows, so the best epoch can't be chosen.\n"
            f"Scores: {there}\n"
            "Choose another one, or look at the gold values: if they are all the same, a correlation is undefined"
        )
