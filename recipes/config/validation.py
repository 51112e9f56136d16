"""Validates a config: ranges, choices, and values that must fit together. All errors are reported at once."""

from collections.abc import Callable, Iterator
from math import inf, isfinite
from typing import Any

from recipes.config.interval import parse_interval
from recipes.config.schema import (
    DEVICE_CHOICES,
    KEPT,
    POOLINGS,
    PRECISION_CHOICES,
    PRUNERS,
    SAMPLERS,
    SCHEDULES,
    STUDIES,
    TASKS,
    TRACKERS,
    Config,
    Hparams,
    Search,
    Study,
)
from tasks.data.files import SAMPLE_PREFIX
from tasks.data.options import (
    BAD_ROW_POLICIES,
    BALANCES,
    DEDUPLICATIONS,
    SPLITS,
    UNKNOWN_LABEL_POLICIES,
    DataOptions,
)
from tasks.data.readers import FORMATS
from tasks.errors import InputError, did_you_mean
from tasks.plausibility import CHECKS
from tasks.task import AnyTask

ROW_SOURCE_KEYS = (*SPLITS, "hub")
"Keys of `data` that say where rows come from."

FEWEST_FOLDS = 2
FEWEST_SIZES = 3
"Of training rows, below which no curve has a shape."

SAMPLES = tuple(f"{task}_sample" for task in TASKS)
"The choices of `data` that come with the package."


def validate(config: Config) -> None:
    """Check ranges, choices, and values that must fit together.

    Raises:
        InputError: with every error that was found, one a line.
    """
    _refuse("config", _errors(config))


def validate_search(search: Search) -> None:
    """Check ranges and choices of how a sweep chooses its runs.

    Raises:
        InputError: with every error that was found, one a line.
    """
    _refuse("search", _search_errors(search))


def validate_study(study: Study) -> None:
    """Check ranges and choices of a study.

    Raises:
        InputError: with every error that was found, one a line.
    """
    _refuse("study", _study_errors(study))


def _refuse(what: str, found: Iterator[str]) -> None:
    errors = list(found)
    if errors:
        raise InputError("\n".join([f"The {what} can't be used:", *(f"  {error}" for error in errors)]))


def _study_errors(study: Study) -> Iterator[str]:
    if study.kind not in STUDIES:
        yield f"study.kind={study.kind}: {', '.join(STUDIES)}.{did_you_mean(study.kind, STUDIES)}"
    least = {"seeds": 2, "ablation": 2, "suggestions": 2, "fixes": 2}.get(study.kind, 1)
    if study.n < least:
        yield f"study.n={study.n}: at least {least}"
    if study.folds < FEWEST_FOLDS:
        yield f"study.folds={study.folds}: at least {FEWEST_FOLDS}"
    for key in ("start", "step", "rounds"):
        if getattr(study, key) < 1:
            yield f"study.{key}={getattr(study, key)}: at least 1"
    if study.parallel < 1:
        yield f"study.parallel={study.parallel}: at least 1"
    if study.sizes is not None and any(size < 1 for size in study.sizes):
        yield f"study.sizes={study.sizes}: numbers of rows, of 1 at least"
    elif study.sizes is not None and len({*study.sizes}) < FEWEST_SIZES:
        yield f"study.sizes={study.sizes}: at least {FEWEST_SIZES} different numbers of rows, such as [100,200,400]"


def _search_errors(search: Search) -> Iterator[str]:
    for key, value, choices in (("sampler", search.sampler, SAMPLERS), ("pruner", search.pruner, PRUNERS)):
        if value not in choices:
            yield f"search.{key}={value}: {', '.join(choices)}.{did_you_mean(value, choices)}"
    if search.storage not in (None, "sqlite", "journal") and "://" not in str(search.storage):
        yield (
            f"search.storage={search.storage}: sqlite, journal, or a URL as SQLAlchemy has them, such as "
            "postgresql://user@host/name"
        )
    least = (
        ("trials", search.trials, 1),
        ("parallel", search.parallel, 1),
        ("keep_models", search.keep_models, 1),
        ("seed", search.seed, 0),
        ("confirm.top", search.confirm.top, 0),
        ("confirm.seeds", search.confirm.seeds, 1),
    )
    for key, number, lowest in least:
        if number < lowest:
            yield f"search.{key}={number}: at least {lowest}"


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
    if hparams.class_weights is not None and not config.task.has_classes:
        with_classes = " and ".join(name for name, task in TASKS.items() if task.has_classes)
        yield f"hparams.class_weights: for {with_classes} only, {config.task.name} has no classes"
    yield from _lever_errors(hparams, config.task)
    yield from _ways_errors(config.hparams)
    if hparams.epochs is not None and hparams.max_steps is not None:
        yield (
            f"hparams.epochs={hparams.epochs:g} and hparams.max_steps={hparams.max_steps}: only one of them can be "
            "set. hparams.epochs=null takes the first away, hparams.max_steps=null the second"
        )
    try:
        parse_interval(runtime.checkpoint_every)
    except ValueError as error:
        yield f"runtime.checkpoint_every={error}"
    if runtime.precision == "fp16" and runtime.device == "cpu":
        yield "runtime.precision=fp16: not on a CPU; use bf16 or fp32"


MOST_FOCAL = 10
"Lin et al. 2017 try up to 5. With much more, nothing is left of the loss."
TOGETHER = (
    ("bias_only", ("unfreeze_over", "adversarial", "lora_rank"), "the first leaves nothing for the second to train"),
    ("freeze_embeddings", ("adversarial",), "the second needs embeddings that are trained"),
    (
        "lora_rank",
        ("freeze_layers", "reinit_layers", "unfreeze_over", "adversarial", "pretrained_pull"),
        "the first freezes the encoder, of which the second changes weights",
    ),
    ("stock", ("plain", "choose_by_folds"), "set one of them"),
    ("plain", ("choose_by_folds",), "set one of them"),
    (
        "choose_by_folds",
        ("early_stopping", "soup", "evaluations"),
        "the ways to choose from have no epochs to choose from",
    ),
)
"Keys of hparams, others that can't be set with them, and why."


NEED_STEPS = (
    "early_stopping",
    "evaluations",
    "soup",
    "average_weights",
    "adversarial",
    "r_drop",
    "unfreeze_over",
    "pretrained_pull",
)
"Keys of hparams that do nothing where no steps are taken."


def _lever_errors(hparams: Hparams, task: AnyTask) -> Iterator[str]:
    for key, others, why in TOGETHER:
        for other in others:
            if getattr(hparams, key) and getattr(hparams, other):
                yield f"hparams.{key} and hparams.{other}: {why}"
    for key in ("soup", "early_stopping", "evaluations") if hparams.keep == "last" else ():
        if not getattr(hparams, key):
            continue
        yield f"hparams.keep=last and hparams.{key}: the second needs evaluations during training, the first has none"
    if hparams.max_steps == 0 and not hparams.linear_head:
        yield "hparams.max_steps=0: nothing would be trained. Only with hparams.linear_head=true"
    for key in NEED_STEPS if hparams.max_steps == 0 else ():
        if getattr(hparams, key):
            yield f"hparams.max_steps=0 and hparams.{key}: the second needs steps, the first leaves none"
    if hparams.adversarial and hparams.accumulation > 1:
        yield (
            f"hparams.adversarial and hparams.accumulation={hparams.accumulation}: embeddings are moved along the "
            "gradient of a whole batch. To save memory: runtime.tokens_at_once"
        )
    if not hparams.lora_rank and (hparams.dora or hparams.lora_alpha is not None):
        yield f"hparams.{'dora' if hparams.dora else 'lora_alpha'}: only with hparams.lora_rank, such as 8"
    if hparams.contrastive_steps and not task.labels_whole_texts:
        of_texts = " and ".join(name for name, kind in TASKS.items() if kind.labels_whole_texts)
        yield f"hparams.contrastive_steps: for {of_texts}, where a label is that of a whole text, not for {task.name}"


def _ways_errors(hparams: Hparams) -> Iterator[str]:
    """Yield what can't be chosen together with a choice of ways of training."""
    if not hparams.choose_by_folds:
        return
    if hparams.max_steps == 0:
        yield "hparams.max_steps=0 and hparams.choose_by_folds: each of the ways to choose from has a length of its own"
    if hparams.keep == "best":
        yield (
            "hparams.keep=best and hparams.choose_by_folds: rows that judge a way of training must not choose its "
            "epoch, too. Leave the first out"
        )


def _data_errors(config: Config) -> Iterator[str]:
    data, task = config.data, config.task.name
    if data.task is not None and data.task != task:
        yield f"data={data.name} holds {data.task} rows, but task={task}: choose task={data.task} or other data"
    if data.hub is None and data.train is None:
        yield "data.train: say which file holds the training rows, e.g. data.train=train.csv (or data.hub=NAME)"
    own = next((f"data.{key}" for key in ROW_SOURCE_KEYS if names_own_rows(getattr(data, key))), None)
    if own is not None and data.name in SAMPLES:
        yield (
            f"data={data.name} and {own}: the sample has rows of its own, which would be mixed with yours. For your "
            "own files: data=files"
        )
    for split in SPLITS:
        value = getattr(data, split)
        if not (value is None or isinstance(value, str) or _is_strings(value)):
            yield f"data.{split}={value!r}: a path, a glob, or a list of them"
    for share, key in ((data.validation_fraction, "validation_fraction"), (data.test_fraction, "test_fraction")):
        if not 0 <= share < 1:
            yield f"data.{key}={share}: a share of the training rows, from 0 to less than 1"
    yield from _fold_errors(data)
    yield from _balance_errors(config)
    if data.validation is None and data.validation_fraction == 0 and config.hparams.choose_by_folds:
        yield (
            "data.validation_fraction=0: not with hparams.choose_by_folds, which puts the rows that are cut off back "
            "among those of training by itself"
        )
    elif data.validation is None and data.validation_fraction == 0:
        yield "data.validation_fraction=0: a validation split is needed to choose the best model"


def _balance_errors(config: Config) -> Iterator[str]:
    balance, why = config.data.balance, config.task.why_unbalanced()
    if balance not in BALANCES:
        return
    if why is not None:
        yield f"data.balance={balance}: {why}"
    elif config.hparams.choose_by_folds:
        yield (
            f"data.balance={balance} and hparams.choose_by_folds: ways of training are compared on all training rows, "
            "each once. To count rare labels more: hparams.class_weights=balanced"
        )


def _fold_errors(data: DataOptions) -> Iterator[str]:
    if (data.folds is None) != (data.fold is None):
        there, other = ("folds", "fold") if data.fold is None else ("fold", "folds")
        yield f"data.{there}: only with data.{other}, as in data.folds=5 data.fold=1; all folds: study=cross_validation"
    elif data.folds is not None and data.fold is not None:
        if data.folds < FEWEST_FOLDS:
            yield f"data.folds={data.folds}: at least {FEWEST_FOLDS}"
        elif not 1 <= data.fold <= data.folds:
            yield f"data.fold={data.fold}: from 1 to data.folds={data.folds}"
    if data.split_seed is not None and data.split_seed < 0:
        yield f"data.split_seed={data.split_seed}: 0 or more"


def _choice_errors(config: Config) -> Iterator[str]:
    for key, value, choices in (
        ("data.format", config.data.format, FORMATS),
        ("data.on_bad_row", config.data.on_bad_row, BAD_ROW_POLICIES),
        ("data.deduplicate", config.data.deduplicate, (None, *DEDUPLICATIONS)),
        ("data.balance", config.data.balance, (None, *BALANCES)),
        ("data.unknown_labels", config.data.unknown_labels, (None, *UNKNOWN_LABEL_POLICIES)),
        *(("data.accept", check, tuple(CHECKS)) for check in config.data.accept),
        ("hparams.schedule", config.hparams.schedule, SCHEDULES),
        ("hparams.pooling", config.hparams.pooling, POOLINGS),
        ("hparams.keep", config.hparams.keep, (None, *KEPT)),
        ("runtime.device", config.runtime.device, DEVICE_CHOICES),
        ("runtime.precision", config.runtime.precision, PRECISION_CHOICES),
        ("tracker.name", config.tracker.name, TRACKERS),
    ):
        if value not in choices:
            names = [choice for choice in choices if choice is not None]
            yield f"{key}={value}: choose from {', '.join(names)}.{did_you_mean(str(value), names)}"
    label = config.data.columns.label
    if not (label is None or isinstance(label, str) or _is_strings(label)):
        yield f"data.columns.label={label!r}: the name of a column, or a list of names"
    weights = config.hparams.class_weights
    if not (weights is None or weights == "balanced" or _is_weights(weights)):
        yield f"hparams.class_weights={weights!r}: `balanced`, or numbers for some labels, as in {{spam: 3, ham: 1}}"


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
        ("hparams.max_steps", hparams.max_steps, at_least_0, "0 or more"),
        ("hparams.weight_decay", hparams.weight_decay, at_least_0, "0 or more"),
        ("hparams.max_grad_norm", hparams.max_grad_norm, at_least_0, "0 or more"),
        ("hparams.dropout", hparams.dropout, share, "a probability, from 0 to less than 1"),
        ("hparams.attention_dropout", hparams.attention_dropout, share, "a probability, from 0 to less than 1"),
        ("hparams.r_drop", hparams.r_drop, at_least_0, "0 or more"),
        ("hparams.label_smoothing", hparams.label_smoothing, share, "a share, from 0 to less than 1"),
        ("hparams.focal", hparams.focal, lambda value: 0 <= value <= MOST_FOCAL, f"from 0 to {MOST_FOCAL}"),
        ("hparams.layer_decay", hparams.layer_decay, lambda value: 0 < value <= 1, "more than 0, and 1 at most"),
        ("hparams.head_learning_rate", hparams.head_learning_rate, positive, "more than 0"),
        ("hparams.reinit_layers", hparams.reinit_layers, at_least_0, "0 or more"),
        ("hparams.unfreeze_over", hparams.unfreeze_over, lambda value: 0 <= value <= 1, "a share of the steps, 0 to 1"),
        ("hparams.pretrained_pull", hparams.pretrained_pull, at_least_0, "0 or more"),
        ("hparams.adversarial", hparams.adversarial, at_least_0, "0 or more"),
        ("hparams.average_weights", hparams.average_weights, share, "a share, from 0 to less than 1"),
        ("hparams.soup", hparams.soup, lambda value: value == 0 or value > 1, "0, or 2 or more"),
        ("hparams.contrastive_steps", hparams.contrastive_steps, at_least_0, "0 or more"),
        ("hparams.lora_rank", hparams.lora_rank, at_least_0, "0 or more"),
        ("hparams.lora_alpha", hparams.lora_alpha, positive, "more than 0"),
        ("hparams.choose_by_folds", hparams.choose_by_folds, lambda value: value == 0 or value > 1, "0, or 2 or more"),
        ("hparams.evaluations", hparams.evaluations, positive, "1 or more"),
        ("hparams.early_stopping", hparams.early_stopping, positive, "1 or more"),
        ("hparams.freeze_layers", hparams.freeze_layers, at_least_0, "0 or more"),
        ("runtime.threads", config.runtime.threads, positive, "1 or more"),
        ("runtime.tokens_at_once", config.runtime.tokens_at_once, positive, "1 or more"),
        ("data.skip_lines", config.data.skip_lines, at_least_0, "0 or more"),
        ("data.limit.train", limit.train, positive, "1 or more"),
        ("data.limit.validation", limit.validation, positive, "1 or more"),
        ("data.limit.test", limit.test, positive, "1 or more"),
        ("task.max_length", config.task.max_length, positive, "1 or more"),
    ):
        if value is not None and not (fits(value) and isfinite(value)):
            yield f"{key}={value}: must be {what}{'' if isfinite(value) else ', and finite'}"


def names_own_rows(source: Any) -> bool:
    """Tell whether a source of rows, or one of several, is the user's own and not a file of a built-in sample."""
    sources = source if isinstance(source, list) else [source]
    return any(item is not None and not str(item).startswith(SAMPLE_PREFIX) for item in sources)


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _is_weights(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(
            isinstance(weight, int | float) and not isinstance(weight, bool) and 0 <= weight < inf
            for weight in value.values()
        )
    )
