"""From the config to transformers' TrainingArguments, and the number of epochs where none was chosen."""

import math
from pathlib import Path

from transformers import TrainingArguments

from recipes.config.schema import Config
from recipes.machine.devices import Placement
from recipes.training.keeping import compares_evaluations
from tasks.errors import InputError
from tasks.scoring.score import Score

USUAL_EPOCHS = 3
MOST_EPOCHS = 40
NEVER = 1_000_000_000
"More steps than any training has."
FEWEST_STEPS = 250

SCHEDULES = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup", "polynomial": "polynomial"}


def default_epochs(windows: int, batch_size: int) -> int:
    """Return 3 epochs, or as many as make 250 steps, but 40 at most.

    Fine-tuning on a few hundred rows is unstable and unfinished after three epochs; training longer is the remedy
    (Mosbach et al. 2021, Zhang et al. 2021, who take 20 epochs or a minimum of steps; docs/levers.md, "How long").

    >>> default_epochs(windows=10_000, batch_size=16), default_epochs(windows=500, batch_size=16)
    (3, 8)
    """
    steps = math.ceil(windows / batch_size)
    return min(max(USUAL_EPOCHS, math.ceil(FEWEST_STEPS / steps)), MOST_EPOCHS)


def device_batch_size(batch_size: int, accumulation: int, processes: int) -> int:
    """Return the rows of one forward pass: the step's rows shared among processes and accumulated parts.

    Raises:
        InputError: they can't be shared evenly.
    """
    parts = accumulation * processes
    if batch_size % parts:
        near = max(batch_size // parts, 1) * parts
        raise InputError(
            f"hparams.batch_size={batch_size} is the size of a whole step, and can't be shared evenly among "
            f"{processes} processes x {accumulation} accumulated parts. Nearest: hparams.batch_size={near}"
        )
    return batch_size // parts


def training_arguments(
    config: Config, placement: Placement, windows: int, validation_rows: int, objective: Score, folder: Path
) -> TrainingArguments:
    """Return the arguments of a run over `windows` training windows, with checkpoints in `folder`."""
    hparams = config.hparams
    epochs = hparams.epochs if hparams.epochs is not None else default_epochs(windows, hparams.batch_size)
    if hparams.max_steps is not None:  # 0 gives no epochs, and no training
        epochs = hparams.max_steps / math.ceil(windows / hparams.batch_size)
    evaluates = bool(epochs) and hparams.keep != "last"
    chooses = evaluates and compares_evaluations(hparams, validation_rows)
    arguments = TrainingArguments(
        output_dir=str(folder),
        seed=config.seed,
        num_train_epochs=epochs,
        max_steps=hparams.max_steps or -1,
        per_device_train_batch_size=device_batch_size(hparams.batch_size, hparams.accumulation, placement.processes),
        per_device_eval_batch_size=hparams.evaluation_batch_size,
        gradient_accumulation_steps=hparams.accumulation,
        learning_rate=hparams.learning_rate,
        lr_scheduler_type=SCHEDULES[hparams.schedule],
        warmup_steps=hparams.warmup,  # below 1, transformers takes it as a share of all steps
        weight_decay=hparams.weight_decay,
        max_grad_norm=hparams.max_grad_norm,
        eval_strategy="no" if not evaluates else "steps" if hparams.evaluations else "epoch",
        eval_steps=NEVER if hparams.evaluations else None,  # `recipes.training.evaluations` says when
        # The Trainer saves the weights that are kept; `recipes.training.resuming` saves the state to resume from.
        save_strategy="best" if chooses else "no",
        load_best_model_at_end=chooses,
        metric_for_best_model=f"eval_{objective.name}",
        greater_is_better=objective.greater_is_better,
        logging_strategy="no" if hparams.evaluations and evaluates else "epoch",
        # The filter would hide a loss that is not a number, and it waits for the GPU at each part of a step.
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        # Otherwise processes besides the main one become talkative with their first Trainer.
        log_level_replica="error",
        remove_unused_columns=False,
        use_cpu=placement.device == "cpu",
        bf16=placement.precision == "bf16",
        fp16=placement.precision == "fp16",
        activation_checkpointing=config.runtime.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False},
        dataloader_pin_memory=placement.device == "cuda",
        ddp_find_unused_parameters=False,
        # Buffers never change in training, and one of them is large: the untrained part of the embedding table.
        ddp_broadcast_buffers=False,
        # Otherwise transformers joins all outputs so far after each batch, which copies them over and over.
        eval_do_concat_batches=False,
        report_to=[],  # `recipes.tracking` tells trackers
    )
    # Plain `python` on a machine with several GPUs would replicate the model on all of them (nn.DataParallel).
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1
    return arguments
