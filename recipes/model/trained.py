"""Loading a model that is trained already, ours or another's: its head, its labels, and the task that it is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.config.schema import TASKS, Model
from recipes.config.task_options import with_options
from recipes.model.head import DEFAULT_NAME
from recipes.model.layers import length_limit
from recipes.model.loading import (
    config_and_tokenizer,
    head_class,
    read_weights,
    settle_attention,
    settle_padding,
    weights_digest,
)
from recipes.model.stored_task import StoredTask, stored_task
from tasks.errors import InputError
from tasks.task import AnyTask, Head


@dataclass(frozen=True)
class Trained:
    """A trained model on the CPU in fp32, with everything that says what its outputs mean."""

    model: Any
    tokenizer: Any
    task: AnyTask
    head: Head
    calibration: Mapping[str, float]
    "The thresholds that were chosen on validation rows."
    limit: int
    "Maximum number of tokens that the model accepts at once."
    fingerprint: str
    "A hash of the weights."
    stored: StoredTask | None
    "What the model's config keeps of its training. None: it was not trained by this program."
    notes: tuple[str, ...] = ()
    "Sentences for the user."


def task_name(model: Model, folder: Path) -> str:
    """Return the name of the task that a model was trained for, without its weights.

    Raises:
        InputError: it was trained for none of the three.
    """
    config, _ = config_and_tokenizer(model, folder)
    try:
        return _task(config, model)[0].name
    except InputError as error:
        raise InputError(f"model.path={model.path}: {error}") from error


def load_trained(model: Model, folder: Path, options: Mapping[str, Any]) -> Trained:
    """Load a trained model.

    Args:
        model: where it is, and whether its weights may be a pickle.
        folder: where `locate` found it.
        options: fields of its task to set, instead of the values of its training; `label_names` names its labels.

    Raises:
        InputError: the folder holds no trained model of one of the three kinds, or an option is wrong.
    """
    config, tokenizer = config_and_tokenizer(model, folder)
    try:
        task, stored = _task(config, model)
        named = options.get("label_names")
        task = with_options(task, {name: value for name, value in options.items() if name != "label_names"})
        labels = _labels(config, named)
        head = task.trained_head(labels, config.problem_type)
        thresholds = {name: _number(config, name) for name in task.thresholds if hasattr(config, name)}
        task, notes = task.as_trained(head, thresholds)
    except InputError as error:
        raise InputError(f"model.path={model.path}: {error}") from error
    if all(map(DEFAULT_NAME.fullmatch, labels)) and len(head.labels) > 1:
        notes.append("its labels have no names. To name them: 'data.label_names=[...]'")
    if getattr(config, "auto_map", None):
        notes.append(f"its own code (auto_map in its config.json) is not run: transformers' {config.model_type} is")
    notes += [*settle_padding(tokenizer, config, head, model), *settle_attention(config)]
    _require_tokenizer(tokenizer, config, model)
    auto_class = head_class(config, head, model)
    loaded, info = read_weights(model, auto_class, folder, config, output_loading_info=True)
    missing = sorted(info["missing_keys"])
    if missing:
        raise InputError(
            f"model.path={model.path}: {len(missing)} tensors are not in its weights file, such as {missing[0]}: it is "
            "not a trained model"
        )
    _require_numbers(loaded, model)
    return Trained(
        model=loaded.eval(),
        tokenizer=task.adapt(tokenizer),
        task=task,
        head=head,
        calibration=task.calibration(thresholds),
        limit=length_limit(loaded, tokenizer),
        fingerprint=weights_digest(loaded),
        stored=stored,
        notes=tuple(notes),
    )


def _number(config: Any, name: str) -> float:
    value = getattr(config, name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise InputError(f"{name} in its config.json is {value!r}, not a number")
    return float(value)


def _require_numbers(loaded: Any, model: Model) -> None:
    """Refuse weights of a training that has diverged: whatever such a model predicts means nothing.

    Raises:
        InputError: some are no numbers; names the first tensor.
    """
    for name, weights in loaded.named_parameters():
        if not weights.isfinite().all():
            raise InputError(f"model.path={model.path}: its weights are no numbers in {name}: its training has failed")


def _require_tokenizer(tokenizer: Any, config: Any, model: Model) -> None:
    """Refuse a tokenizer without a vocabulary, which transformers makes where the files of one are missing.

    Raises:
        InputError: it has by far fewer entries than the model's embedding table.
    """
    rows = getattr(config.get_text_config(), "vocab_size", None)
    if isinstance(rows, int) and len(tokenizer) < rows / 2:
        raise InputError(
            f"model.path={model.path}: its tokenizer has {len(tokenizer)} entries, its embedding table {rows} rows. "
            "Are the files of the tokenizer (tokenizer.json) missing?"
        )


def _task(config: Any, model: Model) -> tuple[AnyTask, StoredTask | None]:
    """Return the task of a model by the class that its config names, and what its training stored.

    Raises:
        InputError: it names none, or one without a head of the three kinds.
    """
    classes = list(config.architectures or ())
    fitting = [(name, kind) for name, kind in TASKS.items() for known in classes if kind.head_class in known]
    if not fitting:
        what = f"a {classes[0]}" if classes else "a model whose config.json does not say what it is for"
        raise InputError(
            f"is {what}. One that was trained for {', '.join(TASKS)} is needed, such as a "
            f"{' or '.join(kind.head_class for kind in TASKS.values())}. To train it: "
            f"python -m recipes.run task=TASK model.path={model.path}"
        )
    name, kind = fitting[0]
    stored = stored_task(config)
    if stored is None:
        return kind(name=name), None
    if not isinstance(stored.task, kind):
        raise InputError(f"its config.json says both {classes[0]} and {stored.task.name}")
    return stored.task, stored


def _labels(config: Any, named: Any) -> list[str]:
    """Return the names of a model's outputs: those of its config, or those that the user gives if it has none.

    Raises:
        InputError: two have one name, or the user's names don't go with the model's.
    """
    labels = [str(config.id2label.get(output, f"LABEL_{output}")) for output in range(config.num_labels)]
    unnamed = all(map(DEFAULT_NAME.fullmatch, labels))
    if named is not None and not unnamed and set(map(str, named)) != set(labels):
        raise InputError(f"data.label_names: the model's labels have names already: {', '.join(labels[:20])}")
    if named is not None and unnamed:
        if len(named) != len(labels):
            raise InputError(f"data.label_names has {len(named)} names, but the model {len(labels)} labels")
        labels = list(map(str, named))
    if len(set(labels)) < len(labels):
        twice = next(label for number, label in enumerate(labels) if label in labels[:number])
        raise InputError(f"two of its labels have the name '{twice}'")
    return labels
