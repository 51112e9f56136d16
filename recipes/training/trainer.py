"""The Trainer of all recipes: it computes the loss itself, and an evaluation keeps only what decoding needs."""

import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import EvalPrediction
from typing_extensions import override

from recipes.checkpoints import sealed, training_state
from recipes.checkpoints.sealed import SOUP
from recipes.config.interval import Interval
from recipes.config.schema import Hparams
from recipes.heads.recipe import Recipe
from recipes.inference.evaluation import require_usable_objective
from recipes.inference.predicting import Predictor, fewer_tokens_at_once, forward
from recipes.levers.adversarial import moved_embeddings
from recipes.levers.averaging import MovingAverage
from recipes.levers.learning_rates import differ, parameter_groups
from recipes.levers.soup import Ingredients, Weights, greedy_soup
from recipes.machine import out_of_memory
from recipes.system.console import complain_in_any_process
from recipes.system.signals import Interruption
from recipes.training.keeping import Keeper, drawn_scores, tolerance_of
from recipes.training.resuming import ResumingTrainer
from recipes.windows.batching import PaddingCount, StepBatches, StepLoader, split_by_tokens
from tasks.columns import IGNORED_LABEL, LABELS, ROW
from tasks.data.options import Split
from tasks.errors import InputError
from tasks.task import AnyTask, Collate, Head, Row

AVERAGE = "average.safetensors"
"The file of a checkpoint that holds the moving average of the weights."
CHECK_FINITE_EVERY = 100
"Losses and gradient norms on a GPU between two checks that they are finite; each check waits for the GPU."


class RecipeTrainer(ResumingTrainer):
    """A `Trainer` for one task, which differs from transformers' in three ways.

    - The loss is computed here and not by the model's head, as a sum over items divided by the items of the whole
      step (`recipes.heads.loss` says why).
    - Rows of like length make a batch, in an order that seed and epoch alone decide (`recipes.windows.batching`).
    - `prediction_step` returns what the recipe keeps of the logits (labels, spans), and each epoch is scored by the
      task's own `decode` and `score`.
    """

    data_collator: Collate

    def __init__(
        self,
        *,
        task: AnyTask,
        head: Head,
        recipe: Recipe,
        hparams: Hparams,
        new_weights: Collection[str],
        tokens_at_once: int | None,
        rows: Mapping[Split, Sequence[Row]],
        checkpoint_every: Interval,
        interruption: Interruption,
        **kwargs: Any,
    ) -> None:
        # With a `compute_loss_func`, the Trainer counts each step's items; `compute_loss` below computes the loss.
        super().__init__(compute_loss_func=recipe.loss, compute_metrics=self._validation_scores, **kwargs)
        self.task = task
        self.head = head
        self.recipe = recipe
        self.hparams = hparams
        self.new_weights = frozenset(new_weights)
        self.tokens_at_once = tokens_at_once
        self.train_rows, self.validation_rows = rows["train"], rows["validation"]
        self.checkpoint_every, self.interruption = checkpoint_every, interruption
        # It decides before the line of an evaluation is shown.
        self.keeper = Keeper(task.objective_score(), tolerance_of(hparams))
        self.add_callback(self.keeper)
        self.average = MovingAverage(self.model, hparams.average_weights) if hparams.average_weights else None
        if self.average is not None:
            self.add_callback(self.average)
        self.ingredients = Ingredients(hparams.soup) if hparams.soup else None
        self.soup: list[int] = []
        "The steps whose weights were averaged in the end."
        self.padding = PaddingCount()
        self._passes: list[dict[str, Any]] = []  # inputs of the optimizer step so far
        self._losses: list[tuple[int, Tensor]] = []  # steps with their losses and gradient norms, not yet checked

    @property
    def rows_per_step(self) -> int:
        """The windows of an optimizer step, over all processes and accumulated parts."""
        arguments = self.args
        return int(arguments.train_batch_size * arguments.gradient_accumulation_steps * arguments.world_size)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return a loader over the steps of an epoch, already split among processes.

        accelerate would repeat rows to fill the last step. The loader also counts tokens and padding.
        """
        arguments = self.args
        batches = StepBatches(
            self.train_dataset.lengths,
            self.rows_per_step,
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

    # Training

    @override
    def create_optimizer(self, model: Any = None) -> Any:
        """Create the optimizer, with a learning rate for each layer or the head where these differ."""
        trained = self.model if model is None else model
        existing: Any = self.optimizer
        if existing is None and (differ(self.hparams) or self.hparams.pretrained_pull):
            decayed = set(self.get_decay_parameter_names(trained))
            if self.hparams.pretrained_pull:
                decayed &= self.new_weights
            kind, settings = self.get_optimizer_cls_and_kwargs(self.args, trained)
            self.optimizer: Any = kind(parameter_groups(trained, decayed, self.hparams), **settings)
            return self.optimizer
        return super().create_optimizer(model)

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """Add the gradient of a batch and return its loss; a batch of many tokens goes through the model in parts.

        Each part's loss is its share of the step's mean loss, so the gradients of the parts add up to that of the
        batch. If memory runs out, the step is repeated in smaller parts.
        """
        self._passes.append(inputs)
        todo = [inputs]
        while True:
            try:
                losses = [self._passes_of(model, each, num_items_in_batch) for each in todo]
                break
            except (RuntimeError, MemoryError) as error:
                if self.args.world_size > 1:
                    self._end_all_processes(inputs, error)
                self.tokens_at_once = fewer_tokens_at_once(inputs, self.tokens_at_once, error)
            # The failed attempt may have added to the gradient, so repeat all batches of the step.
            model.zero_grad()
            todo = self._passes
        if self.accelerator.sync_gradients:
            self._passes = []
        self._losses.append((self.state.global_step, losses[-1].detach()))
        return losses[-1]

    def _passes_of(self, model: Any, inputs: dict[str, Any], items: Tensor | int | None) -> Tensor:
        """Add the gradient of a batch, and with adversarial training that of the batch with moved embeddings."""
        loss = self._pass_in_parts(model, inputs, items)
        if self.hparams.adversarial:
            with moved_embeddings(self.accelerator.unwrap_model(model), self.hparams.adversarial) as moved:
                if moved:
                    self._pass_in_parts(model, inputs, items)
        return loss

    def _pass_in_parts(self, model: Any, inputs: dict[str, Any], items: Tensor | int | None) -> Tensor:
        parts = list(split_by_tokens(inputs, self.tokens_at_once, trim=True))
        losses = []
        for number, part in enumerate(parts, 1):
            # Processes exchange gradients once a step, with the last part.
            alone = self.accelerator.no_sync(model) if number < len(parts) else nullcontext()
            with alone:
                losses.append(super().training_step(model, part, items))
        return torch.stack(losses).sum()

    def _end_all_processes(self, inputs: Mapping[str, Tensor], error: Exception) -> None:
        """End the run after memory ran out: other processes wait for this one's gradient and can't repeat the step.

        Raises:
            InputError: it says with which setting the step fits.
        """
        if not out_of_memory.is_out_of_memory(error):
            raise error
        rows, length = inputs["input_ids"].shape
        fewer = out_of_memory.fewer_tokens(rows, length, self.tokens_at_once)
        message = f"Out of memory with {rows} rows of {length} tokens: runtime.tokens_at_once={fewer}"
        if not self.is_world_process_zero():
            complain_in_any_process(message)
        raise InputError(message)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Return the batch's share of the step's mean loss, with the outputs if they are asked for."""
        twice = self.hparams.r_drop > 0 and model.training
        batch = {name: torch.cat([tensor, tensor]) for name, tensor in inputs.items()} if twice else inputs
        outputs = forward(model, batch)
        total = self.recipe.loss(outputs, batch)
        if twice:
            rows = len(inputs[LABELS])
            first = {name: tensor[:rows] for name, tensor in outputs.items()}
            second = {name: tensor[rows:] for name, tensor in outputs.items()}
            total = total / 2 + self.hparams.r_drop * self.recipe.divergence(first, second, inputs)
        items = inputs[LABELS].ne(IGNORED_LABEL).sum() if num_items_in_batch is None else num_items_in_batch
        # Gradients are averaged over processes, while `items` counts the items of all processes.
        scale = self.accelerator.num_processes if num_items_in_batch is not None else 1
        loss = total * scale / items
        return (loss, outputs) if return_outputs else loss

    # Losses that are not finite

    @override
    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        norm = super()._get_grad_norm(model, grad_norm=grad_norm)
        # With the loss scaler of fp16, a norm is infinite now and then; the scaler then skips the step.
        if norm is not None and self.accelerator.scaler is None:
            self._losses.append((self.state.global_step, torch.as_tensor(norm)))
        return norm

    @override
    def _maybe_log_save_evaluate(self, *arguments: Any, **named: Any) -> None:
        if self.args.device.type == "cpu" or len(self._losses) >= CHECK_FINITE_EVERY or self.control.should_log:
            self._require_finite()
        super()._maybe_log_save_evaluate(*arguments, **named)

    def _require_finite(self) -> None:
        """Check the losses and gradient norms since the last check. On a GPU, this waits for the GPU.

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
            return "Which rows these were is not known with hparams.stock=true or hparams.plain=true."
        epoch, index = divmod(step, self._steps_in_epoch())
        windows = loader.batch_sampler.steps(epoch)[index]
        rows = sorted({int(self.train_dataset.columns[ROW][window]) for window in windows})
        places = [str(self.train_rows[row].origin) for row in rows]
        return f"The rows of that step: {'; '.join(places)}."

    # Evaluating

    def prediction_step(
        self,
        model: Any,
        inputs: dict[str, Any],
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,  # noqa: ARG002
    ) -> tuple[Tensor, dict[str, Tensor] | None, Tensor | None]:
        """Return the loss, what the recipe keeps, and a stand-in for labels: the gold ones are in the rows."""
        inputs = self._prepare_inputs(inputs)
        while True:
            try:
                loss, kept = self._evaluate_in_parts(model, inputs)
                break
            except (RuntimeError, MemoryError) as error:
                self.tokens_at_once = fewer_tokens_at_once(inputs, self.tokens_at_once, error)
        if prediction_loss_only:
            return loss, None, None
        return loss, kept, inputs["input_ids"].new_zeros(len(inputs["input_ids"]))

    def _evaluate_in_parts(self, model: Any, inputs: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        losses, kept = [], []
        with torch.no_grad(), self.compute_loss_context_manager():
            items = self._get_num_items_in_batch([inputs], self.args.device)
            for part in split_by_tokens(inputs, self.tokens_at_once):
                loss, outputs = self.compute_loss(model, part, return_outputs=True, num_items_in_batch=items)
                losses.append(loss.detach())
                kept.append(self.recipe.reduce(outputs, part))
        return torch.stack(losses).sum(), {name: torch.cat([part[name] for part in kept]) for name in kept[0]}

    def _validation_scores(self, evaluated: EvalPrediction) -> dict[str, float]:
        """Score an epoch. Each time, the thresholds are calibrated anew on the same rows."""
        rows, windows = self.validation_rows, self.eval_dataset
        outputs = self.recipe.join(evaluated.predictions, windows)
        decoded = self.task.decode(rows, windows.columns, outputs, self.head)
        finished = self.task.apply_calibration(decoded, self.task.calibrate(rows, decoded))
        scores = self.task.score(rows, finished, self.head)
        require_usable_objective(self.task, scores)
        if self.chooses_weights and self.keeper.tolerance:
            self.keeper.draws = drawn_scores(self.task, rows, finished, self.head)
        return scores

    @override
    def evaluate(self, *arguments: Any, **named: Any) -> dict[str, float]:
        with self._averaged():
            scores: dict[str, float] = super().evaluate(*arguments, **named)
        return scores

    def _averaged(self) -> AbstractContextManager[None]:
        """Return a context in which the model has the moving average of its weights, if there is one."""
        return nullcontext() if self.average is None else self.average.in_place()

    # The greedy soup

    @override
    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        """Tell whether an evaluation's weights are kept, and put them aside if several are averaged in the end."""
        if not self.chooses_weights:
            return False
        value = metrics[str(self.args.metric_for_best_model)]
        if self.ingredients is not None:
            out = self.ingredients.add(self.state.global_step, value if self.args.greater_is_better else -value)
            if out is not None:
                error = self._write(SOUP, self.fill_best)
                if error is not None:
                    raise InputError(
                        f"The weights for hparams.soup can't be saved: {error}. Make room and run it again"
                    )
            for step in out or ():
                shutil.rmtree(self._folder / sealed.folder_name(SOUP, step), ignore_errors=True)
        best = bool(super()._determine_best_metric(metrics, trial))
        # Yardsticks keep the first of equally good ones, as transformers does.
        if self.hparams.method == "recipe" and self.keeper.kept_step == self.state.global_step:
            self.state.best_global_step = self.state.global_step
            return True
        return best

    @override
    def load_kept(self) -> None:
        """Load the best weights, or the greedy soup of several."""
        if self.ingredients is None or not self.ingredients.scores:
            super().load_kept()
            return
        model = self.accelerator.unwrap_model(self.model)

        def read(step: int) -> Weights:
            path = self._folder / sealed.folder_name(SOUP, step)
            try:
                sealed.read(path)
            except ValueError as error:
                raise InputError(f"{path}: weights for hparams.soup can't be used: {error}") from error
            return training_state.load_tensors(path / training_state.WEIGHTS)

        def score(weights: Weights) -> float:
            model.load_state_dict(weights, strict=False)
            loop = self.evaluation_loop(self.get_eval_dataloader(), "soup", metric_key_prefix="eval")
            value = float(loop.metrics[str(self.args.metric_for_best_model)])
            return value if self.args.greater_is_better else -value

        average, self.soup = greedy_soup(self.ingredients.steps(), read, score)
        model.load_state_dict(average, strict=False)

    @override
    def settle_last_weights(self) -> None:
        if self.average is not None:
            self.average.settle()

    def predictor(self) -> Predictor:
        """Return a predictor with the trained model, in fp32 whatever the training's precision. Call it after training.

        `from_pretrained` loads the model in fp32 too, so pipelines and other users of the saved model get the same
        predictions.
        """
        self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)  # takes accelerate's autocast off
        return Predictor(
            model=self.model,
            task=self.task,
            head=self.head,
            reduce=self.recipe.reduce,
            join=self.recipe.join,
            collate=self.data_collator,
            batch_size=self.args.per_device_eval_batch_size,
            tokens_at_once=self.tokens_at_once,
            processes=self.args.world_size,
            process=self.args.process_index,
        )

    # What a checkpoint holds

    @override
    def weights_to_keep(self) -> dict[str, Tensor]:
        with self._averaged():
            return super().weights_to_keep()

    @override
    def fill_best(self, partial: Path) -> None:
        with self._averaged():
            super().fill_best(partial)

    @override
    def _fill_training(self, partial: Path) -> None:
        super()._fill_training(partial)
        if self.average is not None and self.is_world_process_zero():
            training_state.save_tensors(partial / AVERAGE, self.average.average)

    @override
    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if self.average is not None and checkpoint is not None:
            self.average.restore(training_state.load_tensors(Path(checkpoint) / AVERAGE))

    @override
    def process_state(self) -> dict[str, Any]:
        return {**super().process_state(), "tokens_at_once": self.tokens_at_once}

    @override
    def set_process_state(self, state: dict[str, Any]) -> None:
        super().set_process_state(state)
        self.tokens_at_once = state["tokens_at_once"]

    @override
    def exportable(self) -> list[Any]:
        counted = [self.padding] if self.ingredients is None else [self.padding, self.ingredients]
        return [*super().exportable(), *counted]
