"""From a run directory, or any trained model, to a model that predicts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from recipes.config.schema import DEVICE_CHOICES, PRECISION_CHOICES, Model, Runtime
from recipes.heads.registry import reduction_for
from recipes.inference.predicting import Predictor
from recipes.machine.devices import place
from recipes.model.locating import locate
from recipes.model.trained import load_trained, task_name
from recipes.results.run_directory import RunDirectory
from recipes.serving.trained_model import WINDOWS_AT_ONCE, TrainedModel
from tasks.errors import InputError, did_you_mean

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
LEAST_ROOM = 4
"Tokens of text that a window must have room for, besides special ones."
SHOWN_RUNS = 5
"At most this many run directories are named in an error."
PATH_KEY = "model.path="
"How errors about models name the path of a config, which here is a path by itself."


def load_model(
    path: str | os.PathLike[str],
    *,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    revision: str | None = None,
    allow_pickled_weights: bool = False,
    **options: Any,
) -> TrainedModel:
    """Load a trained model; `recipes.load` is this function.

    Raises:
        InputError: there is no trained model, or an option can't be used.
    """
    for name, value, choices in (("device", device, DEVICE_CHOICES), ("precision", precision, PRECISION_CHOICES)):
        if value not in choices:
            raise InputError(f"{name}={value}: choose from {', '.join(choices)}.{did_you_mean(value, choices)}")
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"{path!r}: the path of a run directory, or of a trained model, is needed")
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise InputError(f"threads={threads!r}: a number from 1 on, or None")
    model = Model(path=os.fspath(path), revision=revision, allow_pickled_weights=allow_pickled_weights)
    _require_likely_run(Path(path).expanduser())
    try:
        with _without_progress_bars():
            trained = load_trained(model, locate(model), options)
    except InputError as error:
        raise InputError(str(error).replace(PATH_KEY, "", 1)) from error
    least = trained.tokenizer.num_special_tokens_to_add(pair=True) + LEAST_ROOM
    if trained.task.window_length(trained.limit) < least:
        raise InputError(f"task.max_length={trained.task.max_length}: windows need {least} tokens at least")
    # In fp32, as the predictions of the run were made.
    chosen = "fp32" if precision == "auto" else precision
    placement = place(Runtime(device=device, precision=chosen, threads=threads))
    task, head = trained.task, trained.head
    predictor = Predictor(
        model=trained.model.to(placement.device),
        task=task,
        head=head,
        reduce=reduction_for(task, head),
        collate=task.collator(trained.tokenizer),
        batch_size=WINDOWS_AT_ONCE,
        tokens_at_once=placement.tokens_at_once,
        precision=DTYPES[placement.precision],
    )
    return TrainedModel(trained, predictor, placement)


def task_of(path: str, *, revision: str | None = None, allow_pickled_weights: bool = False) -> str:
    """Return the name of the task that a model was trained for, without loading its weights.

    Raises:
        InputError: there is no trained model.
    """
    _require_likely_run(Path(path).expanduser())
    model = Model(path=path, revision=revision, allow_pickled_weights=allow_pickled_weights)
    try:
        return task_name(model, locate(model))
    except InputError as error:
        raise InputError(str(error).replace(PATH_KEY, "", 1)) from error


def _require_likely_run(folder: Path) -> None:
    """Refuse a file, a path into a folder that has no such entry, and a folder that only has runs below it.

    Raises:
        InputError: the message names what there is.
    """
    run = RunDirectory(folder)
    if folder.is_file():
        raise InputError(f"{folder}: is a file, not a run. The run comes first, then the input")
    if not folder.exists() and len(folder.parts) > 1 and Path(folder.parts[0]).is_dir():
        known = next(parent for parent in folder.parents if parent.is_dir())
        there = sorted(entry.name for entry in known.iterdir() if entry.is_dir())
        wrong = folder.relative_to(known).parts[0]
        raise InputError(f"{folder}: there is no '{wrong}' in {known}.{did_you_mean(wrong, there)}")
    if not folder.is_dir() or run.config.is_file() or run.model.is_dir() or (folder / "config.json").is_file():
        return
    below = sorted(path.parent for path in folder.rglob("report.json") if RunDirectory(path.parent).model.is_dir())
    if below:
        more = f"\n  and {len(below) - SHOWN_RUNS} more" if len(below) > SHOWN_RUNS else ""
        shown = "".join(f"\n  {path}" for path in below[:SHOWN_RUNS])
        raise InputError(f"{folder}: is no run, but there are {len(below)} below it. Name one of them:{shown}{more}")


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    """Keep transformers from drawing a bar for the few seconds that loading takes."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
