"""The experiment as one typed value: Hydra's schema on the way in, plain dataclasses from here on.

Each default stands here and nowhere else; the YAML files in `conf/` only say what differs for one choice. `parse` turns
Hydra's tree into a `Config`, and no OmegaConf type goes further.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from recipes.interval import parse_interval
from recipes.no_code import refuse_calls
from tasks.classification import Classification
from tasks.data.options import BAD_ROW_POLICIES, FORMATS, DataOptions
from tasks.errors import InputError, did_you_mean
from tasks.ner import Ner
from tasks.qa import Qa
from tasks.task import Task

MISSING = "???"

TASKS: Mapping[str, type[Task]] = MappingProxyType({"classification": Classification, "ner": Ner, "qa": Qa})
"Every task by name. A new one is a line here, a line in `recipes.run`, and a YAML file in `conf/task`."

SCHEDULES = ("linear", "cosine", "constant", "polynomial")
DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")
TRACKERS = ("none", "tensorboard", "wandb", "mlflow")


@dataclass
class Model:
    """The pretrained encoder."""

    path: str = MISSING
    "A folder with a model in the standard format, or a hub id such as `FacebookAI/roberta-base`."
    revision: str | None = None
    "The hub model's revision (commit, tag or branch). null: the newest. Not used for folders."
    learning_rate: float = 3e-5
    "The learning rate that suits this encoder; `hparams.learning_rate` takes it unless it is set."
    allow_pickled_weights: bool = False
    "Accept `pytorch_model.bin` where a model has no safetensors. A pickle from a stranger is a risk; off by default."


@dataclass
class Hparams:
    """How the network is trained."""

    learning_rate: float = "${model.learning_rate}"  # type: ignore[assignment]
    "Peak learning rate of AdamW. Default: the one that suits the model."
    schedule: str = "linear"
    "How the learning rate falls after warm-up: linear, cosine, constant or polynomial."
    warmup: float = 0.1
    "Share of all steps over which the learning rate rises to its peak (0 to 1)."
    batch_size: int = 16
    "Rows per optimizer step, over all processes and all accumulated parts."
    accumulation: int = 1
    "Parts in which a batch is computed one after the other, to save memory. The result is the same."
    evaluation_batch_size: int = 64
    "Rows per evaluation step and process."
    epochs: float | None = None
    "Passes over the training rows. null: 3, and more on small data, up to 20, so that about 250 steps are taken."
    max_steps: int | None = None
    "Optimizer steps, instead of epochs. null: by epochs."
    weight_decay: float = 0.01
    "Decoupled weight decay, on weight matrices only: not on biases and norms."
    max_grad_norm: float = 1.0
    "Gradients are scaled down to this global norm. 0: no clipping."
    dropout: float | None = None
    "Dropout probability of hidden states. null: the model's own."
    attention_dropout: float | None = 0.0
    """Dropout probability of attention weights. null: the model's own. None by default: over five seeds on two data
    sets it made no difference to the scores, and it costs time (docs/performance.md)."""
    r_drop: float = 0.0
    "R-Drop: weight of the difference between two passes with other dropout. 0: one pass. Costs a second one."
    label_smoothing: float = 0.0
    "Share of each target's probability spread evenly over all classes (QA: over all positions)."
    class_weights: Any = None
    "Classification and NER: `balanced`, or a mapping from label to weight. null: all 1."
    early_stopping: int | None = None
    "Stop after this many evaluations without a better objective. null: never."
    freeze_embeddings: bool = False
    "Keep the embedding matrices as they are."
    freeze_layers: int = 0
    "Keep this many of the lowest encoder layers as they are."
    stock: bool = False
    "Train and evaluate as slowly as the example scripts of transformers do (`recipes/stock.py`), to compare with."


@dataclass
class Runtime:
    """Where and in which precision it is computed."""

    device: str = "auto"
    "auto (a GPU where there is one), cpu, cuda or mps."
    precision: str = "auto"
    "auto (bf16 where the GPU or CPU computes it, fp32 otherwise), fp32, bf16 or fp16. Master weights are fp32 always."
    threads: int | None = None
    "CPU threads per process. null: the cores there are, shared among the processes of this machine."
    tokens_at_once: int | None = None
    """Tokens, padding included, that go through the model at once; a batch with more is computed in parts, which saves
    memory and changes no result. null: 2,048 on a CPU, whole batches on a GPU."""
    checkpoint_every: str = "10min"
    """How often everything is saved that an interrupted run goes on from: 10min, 30s, 2h, 500steps. Ctrl-C and SIGTERM
    save, too."""
    cache: bool = True
    "Keep encoded rows on disk, by content, in RECIPES_CACHE or the user's cache folder, for the next run on them."


@dataclass
class Tracker:
    """Where curves are sent besides the run directory."""

    name: str = "none"
    "none, tensorboard, wandb or mlflow; each needs its extra installed."
    project: str | None = None
    "Project (wandb) or experiment (mlflow) to file runs under. null: the service's default."


@dataclass
class Config:
    """One experiment, completely."""

    task: Task = field(default_factory=Task)
    data: DataOptions = field(default_factory=DataOptions)
    model: Model = field(default_factory=Model)
    hparams: Hparams = field(default_factory=Hparams)
    runtime: Runtime = field(default_factory=Runtime)
    tracker: Tracker = field(default_factory=Tracker)
    seed: int = 1
    "Seed of the head's weights, the order of rows, dropout, and splits that are cut off."
    output_root: str = "outputs"
    "Folder that run directories are made in."
    overwrite: bool = False
    "Do a finished run again, replacing its directory."


def parse(tree: DictConfig) -> Config:
    """Turn Hydra's composed tree into a validated `Config`.

    Raises:
        InputError: a value is missing, of the wrong type or out of range; all such errors are gathered in one message.
    """
    refuse_calls(OmegaConf.to_container(tree, resolve=False))
    _refuse_strangers(tree)
    try:
        config = OmegaConf.to_object(tree)
    except OmegaConfBaseException as error:
        raise InputError(f"Config: {_first_line(error)}") from error
    assert isinstance(config, Config)
    validate(config)
    return config


def plain(tree: DictConfig, leave_out: str) -> dict[str, Any]:
    """Return a composed tree as dotted keys and resolved values, without one top-level key."""
    chosen = OmegaConf.masked_copy(tree, [str(key) for key in tree if key != leave_out])
    container = OmegaConf.to_container(chosen, resolve=True)
    assert isinstance(container, dict)
    return flatten({str(key): value for key, value in container.items()})


def to_dict(config: Config) -> dict[str, Any]:
    """Return the config as plain nested dicts, for `config.yaml` and for comparing."""
    return dataclasses.asdict(config)


def to_yaml(config: Config) -> str:
    """Return the config as YAML text, complete and without interpolations."""
    return OmegaConf.to_yaml(OmegaConf.create(to_dict(config)))


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return dotted keys to leaf values.

    >>> flatten({"seed": 1, "data": {"limit": {"train": 5}}})
    {'seed': 1, 'data.limit.train': 5}
    """
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def known_keys(task: str | None = None) -> list[str]:
    """Return every dotted key that a config of this task (or of any task) can have."""
    tasks = [TASKS[task]] if task is not None and task in TASKS else list(TASKS.values())
    keys = list(flatten(to_dict(Config())))
    return sorted({*keys, *(f"task.{f.name}" for kind in tasks for f in dataclasses.fields(kind))})


def validate(config: Config) -> None:
    """Check ranges, choices and what must fit together.

    Raises:
        InputError: with every error that was found, one a line.
    """
    errors = list(_errors(config))
    if errors:
        raise InputError("\n".join(["The config can't be used:", *(f"  {error}" for error in errors)]))


def _errors(config: Config) -> Iterator[str]:
    yield from _data_errors(config)
    yield from _choice_errors(config)
    yield from _range_errors(config)
    yield from config.task.errors()
    hparams, runtime = config.hparams, config.runtime
    if hparams.accumulation > 0 and hparams.batch_size % hparams.accumulation:
        yield (
            f"hparams.accumulation={hparams.accumulation} must divide hparams.batch_size={hparams.batch_size}: "
            "the batch size is that of the whole step"
        )
    if config.task.name == "qa" and hparams.class_weights is not None:
        yield "hparams.class_weights: for classification and ner only, qa has no classes"
    if hparams.epochs is not None and hparams.max_steps is not None:
        yield "hparams.epochs and hparams.max_steps: set one of them"
    try:
        parse_interval(runtime.checkpoint_every)
    except ValueError as error:
        yield f"runtime.checkpoint_every={error}"
    if runtime.precision == "fp16" and runtime.device == "cpu":
        yield "runtime.precision=fp16: not on a CPU; use bf16 or fp32"


def _data_errors(config: Config) -> Iterator[str]:
    data, task = config.data, config.task.name
    if data.task is not None and data.task != task:
        yield f"data={data.name} holds {data.task} rows, but task={task}: choose task={data.task} or other data"
    if data.hub is None and data.train is None:
        yield "data.train: say which file holds the training rows, e.g. data.train=train.csv (or data.hub=NAME)"
    for split in ("train", "validation", "test"):
        value = getattr(data, split)
        if not (value is None or isinstance(value, str) or _is_strings(value)):
            yield f"data.{split}={value!r}: a path, a glob, or a list of them"
    for share, key in ((data.validation_fraction, "validation_fraction"), (data.test_fraction, "test_fraction")):
        if not 0 <= share < 1:
            yield f"data.{key}={share}: a share of the training rows, from 0 to less than 1"
    if data.validation is None and data.validation_fraction == 0:
        yield "data.validation_fraction=0: a validation split is needed to choose the best model"


def _choice_errors(config: Config) -> Iterator[str]:
    for key, value, choices in (
        ("data.format", config.data.format, FORMATS),
        ("data.on_bad_row", config.data.on_bad_row, BAD_ROW_POLICIES),
        ("hparams.schedule", config.hparams.schedule, SCHEDULES),
        ("runtime.device", config.runtime.device, DEVICES),
        ("runtime.precision", config.runtime.precision, PRECISIONS),
        ("tracker.name", config.tracker.name, TRACKERS),
    ):
        if value not in choices:
            yield f"{key}={value}: choose from {', '.join(choices)}.{did_you_mean(value, choices)}"
    weights = config.hparams.class_weights
    if not (weights is None or weights == "balanced" or _is_weights(weights)):
        yield f"hparams.class_weights={weights!r}: `balanced`, or a mapping such as {{spam: 3, ham: 1}}"


def _range_errors(config: Config) -> Iterator[str]:
    hparams, limit = config.hparams, config.data.limit
    positive: Callable[[float], bool] = lambda value: value > 0  # noqa: E731
    at_least_0: Callable[[float], bool] = lambda value: value >= 0  # noqa: E731
    share: Callable[[float], bool] = lambda value: 0 <= value < 1  # noqa: E731
    for key, value, fits, what in (
        ("seed", config.seed, at_least_0, "0 or more"),
        ("model.learning_rate", config.model.learning_rate, positive, "more than 0"),
        ("hparams.learning_rate", hparams.learning_rate, positive, "more than 0"),
        ("hparams.warmup", hparams.warmup, share, "a share of the steps, from 0 to less than 1"),
        ("hparams.batch_size", hparams.batch_size, positive, "1 or more"),
        ("hparams.accumulation", hparams.accumulation, positive, "1 or more"),
        ("hparams.evaluation_batch_size", hparams.evaluation_batch_size, positive, "1 or more"),
        ("hparams.epochs", hparams.epochs, positive, "more than 0"),
        ("hparams.max_steps", hparams.max_steps, positive, "1 or more"),
        ("hparams.weight_decay", hparams.weight_decay, at_least_0, "0 or more"),
        ("hparams.max_grad_norm", hparams.max_grad_norm, at_least_0, "0 or more"),
        ("hparams.dropout", hparams.dropout, share, "a probability, from 0 to less than 1"),
        ("hparams.attention_dropout", hparams.attention_dropout, share, "a probability, from 0 to less than 1"),
        ("hparams.r_drop", hparams.r_drop, at_least_0, "0 or more"),
        ("hparams.label_smoothing", hparams.label_smoothing, share, "a share, from 0 to less than 1"),
        ("hparams.early_stopping", hparams.early_stopping, positive, "1 or more"),
        ("hparams.freeze_layers", hparams.freeze_layers, at_least_0, "0 or more"),
        ("runtime.threads", config.runtime.threads, positive, "1 or more"),
        ("runtime.tokens_at_once", config.runtime.tokens_at_once, positive, "1 or more"),
        ("data.limit.train", limit.train, positive, "1 or more"),
        ("data.limit.validation", limit.validation, positive, "1 or more"),
        ("data.limit.test", limit.test, positive, "1 or more"),
        ("task.max_length", config.task.max_length, positive, "1 or more"),
    ):
        if value is not None and not fits(value):
            yield f"{key}={value}: must be {what}"


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _is_weights(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(weight, int | float) and not isinstance(weight, bool) and weight >= 0 for weight in value.values()
    )


def _refuse_strangers(tree: DictConfig) -> None:
    """Refuse keys that were added with `+` and that no schema has: nothing would ever read them."""
    known = known_keys()
    container = OmegaConf.to_container(tree, resolve=False)
    assert isinstance(container, dict)
    for name in flatten({str(key): value for key, value in container.items()}):
        if not any(name == key or name.startswith(f"{key}.") for key in known):
            raise InputError(f"No config key '{name}'.{did_you_mean(name, known)}")


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
