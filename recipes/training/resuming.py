"""A Trainer that can be killed at any moment, and that ends with the same model when it is resumed.

transformers writes its checkpoints in place, picks the last one by its name, starts a fresh optimizer where the file is
missing, and reads pickles. Here checkpoints are written to a temporary folder and sealed (`recipes.checkpoints.sealed`)
and hold no pickle (`recipes.checkpoints.training_state`). They hold everything that the next step depends on: weights,
optimizer, schedule, the random state of each process, the position in the epoch, the best evaluation so far, and the
counts of callbacks.
"""

import math
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed
from transformers import Trainer, TrainerState
from transformers.trainer_callback import ExportableState
from transformers.trainer_utils import IntervalStrategy
from typing_extensions import override

from recipes.checkpoints import sealed, training_state
from recipes.checkpoints.room import bytes_of_moments, bytes_of_weights, require_free, require_room
from recipes.checkpoints.sealed import BEST, DONE, STEP, Checkpoint
from recipes.config.interval import Interval
from recipes.machine.memory import release_freed_memory
from recipes.system.console import say
from recipes.system.signals import Interrupted, Interruption
from tasks.errors import InputError

STATE = "trainer_state.json"
"The file name under which transformers looks for its `TrainerState`."

AGREE_EVERY = 8
"""Several processes agree once in this many steps on whether a checkpoint is due or a signal came; each time costs a
message to every process."""


class ResumingTrainer(Trainer):  # type: ignore[misc]
    """A `Trainer` with checkpoints of its own kind, in `args.output_dir`."""

    checkpoint_every: Interval
    interruption: Interruption
    _saved_at = math.inf
    _saved_step = 0
    _held: tuple[int, Mapping[str, Tensor]] | None = None
    "The step whose weights are kept, while they are not on the disk yet; and, in the main process, these weights."

    def train_from(self, start: Checkpoint | None) -> None:
        """Train to the end, from a checkpoint or from the beginning, and then load the best weights if these are kept.

        Raises:
            Interrupted: a signal asked the run to end; the training has been saved.
            InputError: the disk has no room for the weights that are kept.
        """
        self._saved_at, self._saved_step = time.monotonic(), start.step if start else 0
        if self.is_world_process_zero():
            require_room(self._folder, self.accelerator.unwrap_model(self.model))
        if not self.args.num_train_epochs:
            return
        if start is not None and start.path.name.startswith(DONE):
            self.state = TrainerState.load_from_json(str(start.path / STATE))
            self._load_callback_state()
            if self.chooses_weights:
                self._load_best_model()
            else:
                self._load_from_checkpoint(str(start.path))
            return
        with self.interruption.deferred():
            self.train(resume_from_checkpoint=str(start.path) if start else None)
            if not self.chooses_weights:
                self.settle_last_weights()
            self._write(DONE, self._fill_done)

    @property
    def chooses_weights(self) -> bool:
        """Whether evaluations are compared to choose the weights that are kept; otherwise the last ones are."""
        return bool(self.args.load_best_model_at_end)

    @property
    def evaluates(self) -> bool:
        """Whether validation rows are evaluated while training goes on."""
        return bool(self.args.eval_strategy != IntervalStrategy.NO)

    # Writing

    @override
    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Hold the weights of an evaluation that is kept; the Trainer calls this after each (`save_strategy="best"`).

        A later evaluation replaces most of them before a state to resume from refers to them. So they are written with
        the next state, or at the end.
        """
        del model, trial
        step, held_here = self.state.global_step, self.is_world_process_zero() and not self._sharded
        self.state.best_model_checkpoint = str(self._folder / sealed.folder_name(BEST, step))
        self._held = step, self.weights_to_keep() if held_here else {}
        if self._sharded:
            self._require_kept_on_disk()

    def weights_to_keep(self) -> dict[str, Tensor]:
        """Return a copy of the weights that were evaluated."""
        return training_state.copied_weights(self.accelerator.unwrap_model(self.model))

    def _write_held(self) -> OSError | None:
        """Write the weights that are kept, unless they are on the disk. Return the `OSError` if that fails."""
        if self._held is None:
            return None
        step, weights = self._held

        def fill(partial: Path) -> None:
            if self._sharded:
                self.fill_best(partial)
            elif self.is_world_process_zero():
                training_state.save_tensors(partial / training_state.WEIGHTS, weights)

        error = self._write(BEST, fill, step)
        if error is None:
            self._held = None
        return error

    def _require_kept_on_disk(self) -> None:
        error = self._write_held()
        if error is not None:
            raise InputError(
                f"The weights that are kept can't be saved: {error}. Make room and run the same command again: it goes "
                "on from its last checkpoint, if it has one"
            )

    @override
    def _maybe_log_save_evaluate(self, *arguments: Any, **named: Any) -> None:
        """Log, evaluate and save the best weights as the Trainer does; then save the training state if that is due.

        Never save between an epoch's last step and its evaluation: a resumed run would skip the evaluation.
        """
        # Where nothing is evaluated, the epoch ends with its line of the log.
        evaluated = self.control.should_evaluate if self.evaluates else self.control.should_log
        super()._maybe_log_save_evaluate(*arguments, **named)
        ends_epoch = self.state.global_step % self._steps_in_epoch() == 0 or (
            self.state.global_step >= self.state.max_steps
        )
        if (ends_epoch and not evaluated) or self.control.should_training_stop:
            return
        ending, due = self._is_ending_or_due(evaluated)
        if due or ending:
            self.save_training()
        if ending:
            raise Interrupted(self.interruption.received or 15, f"Interrupted after step {self.state.global_step}.")

    def save_training(self) -> None:
        """Save everything needed to resume. If the disk is full, there is no checkpoint, and training goes on."""
        error = self._write_held() or self._write(STEP, self._fill_training)
        self._saved_at, self._saved_step = time.monotonic(), self.state.global_step
        if error is not None:
            say(f"  no checkpoint after step {self.state.global_step}: {error}")

    def _is_ending_or_due(self, at_epoch: bool) -> tuple[bool, bool]:
        """Return whether to end, and whether a checkpoint is due. All processes get the same answer."""
        steps = self.state.global_step - self._saved_step
        if self.args.world_size > 1 and not at_epoch and self.state.global_step % AGREE_EVERY:
            return False, self.checkpoint_every.steps is not None and steps >= self.checkpoint_every.steps
        due = self.checkpoint_every.is_over(time.monotonic() - self._saved_at, steps)
        return self._in_any_process(self.interruption.received is not None), self._in_any_process(due)

    def _in_any_process(self, flag: bool) -> bool:
        """Tell whether a flag is set in any process."""
        if self.args.world_size == 1:
            return flag
        flags = torch.tensor(int(flag), device=self.args.device)
        distributed.all_reduce(flags, distributed.ReduceOp.MAX)
        return bool(flags.item())

    def _write(self, kind: str, fill: Callable[[Path], None], step: int | None = None) -> OSError | None:
        """Write a checkpoint, all processes together. After an `OSError` in any, return one and leave no checkpoint.

        It is that of the last step, or of the one that is given.
        """
        step = self.state.global_step if step is None else step
        main, error = self.is_world_process_zero(), None
        partial = self._folder / f".{sealed.folder_name(kind, step)}.partial"
        try:
            if main:
                require_free(self._folder, self._bytes_of(kind))
                sealed.begin(self._folder, kind, step)
        except OSError as raised:
            error = raised
        if not self._in_any_process(error is not None):
            try:
                fill(partial)
            except OSError as raised:
                error = raised
        if not self._in_any_process(error is not None) and main:
            try:
                sealed.seal(partial, {"step": step, "best_step": self.state.best_global_step})
                sealed.rotate(self._folder, self.state.best_global_step)
            except OSError as raised:
                error = raised
        if self._in_any_process(error is not None):
            if main:
                shutil.rmtree(partial, ignore_errors=True)
            return error or OSError("another process could not write")
        return None

    def _fill_training(self, partial: Path) -> None:
        self._fill_weights(partial)
        if self._sharded:
            self._save_optimizer_and_scheduler(str(partial))
            self._save_scaler(str(partial))
        elif self.is_world_process_zero():
            training_state.save_optimizer(partial, self.optimizer)
            training_state.save_json_state(partial / training_state.SCHEDULER, self.lr_scheduler.state_dict())
            if self.accelerator.scaler is not None:
                training_state.save_json_state(partial / training_state.SCALER, self.accelerator.scaler.state_dict())
        training_state.save_json_state(partial / f"process-{self.args.process_index}.json", self.process_state())
        self._fill_state(partial)

    def process_state(self) -> dict[str, Any]:
        """Return the state that differs between processes, as JSON values."""
        return {
            "random": training_state.random_state(),
            "loss": float(self._tr_loss.item()),
            "logged": self._globalstep_last_logged,
        }

    def set_process_state(self, state: dict[str, Any]) -> None:
        """Restore what `process_state` returned."""
        training_state.set_random_state(state["random"])
        self._tr_loss.fill_(state["loss"])
        self._globalstep_last_logged = state["logged"]

    def _fill_state(self, partial: Path) -> None:
        if self.is_world_process_zero():
            for callback in self.exportable():
                self.state.stateful_callbacks[type(callback).__name__] = callback.state()
            self.state.save_to_json(str(partial / STATE))

    def settle_last_weights(self) -> None:
        """Give the model the weights that it keeps if these are the last ones. By default it has them already."""

    def _fill_done(self, partial: Path) -> None:
        if not self.chooses_weights:
            self._fill_weights(partial)
        self._fill_state(partial)

    def fill_best(self, partial: Path) -> None:
        """Write the weights that were evaluated."""
        self._fill_weights(partial)

    def _fill_weights(self, partial: Path) -> None:
        if self._sharded:
            self.save_model(str(partial), _internal_call=True)
            (partial / "training_args.bin").unlink(missing_ok=True)
        elif self.is_world_process_zero():
            training_state.save_weights(partial, self.accelerator.unwrap_model(self.model))

    def _bytes_of(self, kind: str) -> int:
        """Return about how many bytes a checkpoint of this kind takes."""
        model = self.accelerator.unwrap_model(self.model)
        weights = 0 if kind == DONE and self.chooses_weights else bytes_of_weights(model)
        return weights + (bytes_of_moments(model) if kind == STEP else 0)

    # Reading

    @override
    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        if self._sharded:
            super()._load_from_checkpoint(resume_from_checkpoint, model)
        else:
            training_state.load_weights(Path(resume_from_checkpoint), self.accelerator.unwrap_model(self.model))

    @override
    def _load_best_model(self) -> None:
        """Load the weights that are kept; the Trainer calls this at the end of training.

        Raises:
            InputError: they can't be written, or have been removed or damaged since.
        """
        self._require_kept_on_disk()
        self.load_kept()

    def load_kept(self) -> None:
        """Load the best weights, after verifying every byte of them.

        Raises:
            InputError: they have been removed or damaged since they were written.
        """
        path = self._folder / sealed.folder_name(BEST, int(self.state.best_global_step or 0))
        try:
            sealed.read(path)
        except ValueError as error:
            raise InputError(
                f"{path}: the best weights can't be used: {error}. Run the same command again: it goes on from what is "
                "whole"
            ) from error
        # Make room for the second copy of the weights that loading makes.
        release_freed_memory()
        self._load_from_checkpoint(str(path))

    @override
    def _init_training_state(self, *arguments: Any, **named: Any) -> tuple[int, int]:
        place: tuple[int, int] = super()._init_training_state(*arguments, **named)
        if self.state.best_global_step is not None:
            # The path in the state is wrong if the directory has been moved.
            self.state.best_model_checkpoint = str(self._folder / sealed.folder_name(BEST, self.state.best_global_step))
        return place

    @override
    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None or self._sharded:
            super()._load_optimizer_and_scheduler(checkpoint)
            return
        training_state.load_optimizer(Path(checkpoint), self.optimizer)
        self.lr_scheduler.load_state_dict(training_state.load_json_state(Path(checkpoint, training_state.SCHEDULER)))

    @override
    def _load_scaler(self, checkpoint: str | None) -> None:
        if checkpoint is None or self._sharded:
            super()._load_scaler(checkpoint)
        elif self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(
                training_state.load_json_state(Path(checkpoint, training_state.SCALER))
            )

    @override
    def _load_rng_state(self, checkpoint: str | None) -> None:
        """Restore the state of this process; the Trainer calls this right before the first step."""
        if checkpoint is not None:
            path = Path(checkpoint, f"process-{self.args.process_index}.json")
            self.set_process_state(training_state.load_json_state(path))

    @override
    def _load_callback_state(self) -> None:
        for callback in self.exportable():
            saved = self.state.stateful_callbacks.get(type(callback).__name__, {})
            for name, value in saved.get("attributes", {}).items():
                setattr(callback, name, value)

    def exportable(self) -> list[Any]:
        """Return the callbacks and other counters whose `state()` is saved, and restored when training resumes."""
        return [callback for callback in self.callback_handler.callbacks if isinstance(callback, ExportableState)]

    @property
    def _folder(self) -> Path:
        return Path(self.args.output_dir)

    @property
    def _sharded(self) -> bool:
        """Whether weights and optimizer are sharded over processes. Checkpoints then use transformers' own format."""
        return bool(self.is_fsdp_enabled or self.is_deepspeed_enabled)

    def _steps_in_epoch(self) -> int:
        """Return the optimizer steps of an epoch, as the Trainer counts them."""
        passes, accumulation = len(self.callback_handler.train_dataloader), self.args.gradient_accumulation_steps
        return int(max(-(-passes // accumulation), 1))
