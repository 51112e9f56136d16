"""What is shown while training goes on: a bar on a terminal, and a line for each evaluation."""

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from tqdm import tqdm
from transformers import TrainerCallback, TrainerState, TrainingArguments

from recipes.results.scores import format_score
from recipes.system.console import duration, is_main_process, say
from recipes.training.keeping import Keeper

PROGRESS_LINE_EVERY = 60.0
"Seconds between lines of progress where there is no terminal for a bar."


class Progress(TrainerCallback):  # type: ignore[misc]
    """Shows the steps and the time left of a run, and one line for each evaluation.

    Args:
        scores: names of the scores worth showing, in order.
        keeper: knows the best evaluation so far. If evaluations are compared, one that is as good as any before it is
            marked with a star.
        what: what is trained, where it is a part of something larger.
    """

    def __init__(self, scores: Sequence[str], keeper: Keeper, what: str = "") -> None:
        self.what = what
        self.scores = scores
        self.keeper = keeper
        self.loss = float("nan")
        self.bar: Any = None
        self.started = self.last_line = 0.0
        self.began_at = 0

    def on_train_begin(self, _: TrainingArguments, state: TrainerState, *__: Any, **___: Any) -> None:
        """Open the bar, where there is a terminal."""
        self.started = self.last_line = time.perf_counter()
        self.began_at = state.global_step
        if is_main_process() and sys.stderr.isatty():
            self.bar = tqdm(
                total=state.max_steps,
                initial=state.global_step,
                desc=self.what or "training",
                unit="step",
                leave=False,
                dynamic_ncols=True,
            )

    def on_step_end(self, _: TrainingArguments, state: TrainerState, *__: Any, **___: Any) -> None:
        """Move the bar, or print a line of progress from time to time."""
        if self.bar is not None:
            self.bar.update(state.global_step - self.bar.n)
            return
        now = time.perf_counter()
        if now - self.last_line >= PROGRESS_LINE_EVERY:
            self.last_line = now
            each = (now - self.started) / (state.global_step - self.began_at)
            left = each * (state.max_steps - state.global_step)
            said = f"step {state.global_step}/{state.max_steps}, about {duration(left)} left"
            say(f"  {self.what}: {said} of this one" if self.what else f"  {said}")

    def on_log(self, *_: Any, **kwargs: Any) -> None:
        """Remember the epoch's training loss for its line."""
        self.loss = (kwargs.get("logs") or {}).get("loss", self.loss)

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, *_: Any, **kwargs: Any) -> None:
        """Print the line of an epoch."""
        metrics = kwargs["metrics"]
        mark = " *" if args.load_best_model_at_end and self.keeper.best_step == state.global_step else ""
        shown = "  ".join(
            f"{name} {format_score(metrics[f'eval_{name}'])}" for name in self.scores if f"eval_{name}" in metrics
        )
        self.write(
            f"  epoch {_epoch(state.epoch):>4}/{args.num_train_epochs:.3g}  loss {self.loss:.4f}  "
            f"validation loss {metrics.get('eval_loss', float('nan')):.4f}  {shown}{mark}"
        )
        self.last_line = time.perf_counter()

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Close the bar."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def write(self, line: str) -> None:
        """Print a line without tearing the bar."""
        if self.bar is not None:
            with tqdm.external_write_mode(file=sys.stdout):
                say(line)
        else:
            say(line)


def _epoch(epoch: float | None) -> str:
    """Write an epoch, or a part of one."""
    epoch = epoch or 0.0
    return f"{epoch:.0f}" if epoch == round(epoch) else f"{epoch:.2f}"


def close_progress(callbacks: Iterable[object]) -> None:
    """Close the bar of a training that was ended from outside, so that the next one has the line to itself."""
    for callback in callbacks:
        if isinstance(callback, Progress):
            callback.on_train_end()
