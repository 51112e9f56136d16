"""What a way of training costs in time, from one batch through the model on this machine."""

import math
import time
from dataclasses import dataclass

import torch

from recipes.config.schema import Hparams
from recipes.inference.predicting import autocast, forward
from recipes.levers import contrastive
from recipes.training.arguments import default_epochs
from recipes.training.assembly import Prepared
from recipes.training.stages import PRECISIONS
from recipes.windows.batching import split_by_tokens

BACKWARD = 3.0
"A forward and a backward pass take about three times as long as the forward pass alone."
OF_MODEL = 1.2
"Seconds that each model takes besides: loading, trying out, evaluating."
OF_STEP = 0.02
"Seconds that an optimizer step takes for 20 million weights, besides its passes."


@dataclass(frozen=True)
class Cost:
    """The time that windows of a data set take on a machine."""

    windows: int
    of_window: float
    "Seconds of a forward and a backward pass of one window."
    of_step: float
    longest: int

    @classmethod
    def measured(cls, prepared: Prepared) -> "Cost":
        """Time a batch of training windows through the model. It changes nothing, the random state neither."""
        windows, model, placement = prepared.windows["train"], prepared.loaded.model, prepared.placement
        model.to(placement.device).eval()
        size = min(prepared.config.hparams.batch_size, len(windows))
        places = range(0, len(windows), max(len(windows) // size, 1))[:size]
        collate = prepared.task.collator(prepared.loaded.tokenizer)
        batch = {name: tensor.to(model.device) for name, tensor in collate([windows[i] for i in places]).items()}
        seconds = []
        for _ in range(2):  # the first time, kernels are made
            started = time.perf_counter()
            with torch.no_grad(), autocast(model, PRECISIONS[placement.precision]):
                for part in split_by_tokens(batch, placement.tokens_at_once):
                    forward(model, part)
            if placement.device == "cuda":
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - started)
        model.train()
        trained = prepared.loaded.trained_parameters / 20e6
        return cls(len(windows), BACKWARD * min(seconds) / size, OF_STEP * trained, int(windows.lengths.max()))

    def seconds(self, hparams: Hparams, folds: int) -> float:
        """Return about how long it takes to train a model for each fold and one on all rows."""
        windows = round(self.windows * (1 - 1 / folds))
        return folds * self._of_model(hparams, windows) + self._of_model(hparams, self.windows)

    def _of_model(self, hparams: Hparams, windows: int) -> float:
        of_contrast = min(contrastive.texts_of_step(self.longest), windows) * self.of_window + self.of_step
        steps = self._steps(hparams, windows)
        of_step = min(hparams.batch_size, windows) * self.of_window + self.of_step
        encoding = windows * self.of_window / BACKWARD if hparams.linear_head else 0.0
        return OF_MODEL + hparams.contrastive_steps * of_contrast + encoding + steps * of_step

    def _steps(self, hparams: Hparams, windows: int) -> int:
        if hparams.max_steps is not None:
            return hparams.max_steps
        epochs = default_epochs(windows, hparams.batch_size) if hparams.epochs is None else hparams.epochs
        return math.ceil(epochs * math.ceil(windows / hparams.batch_size))
