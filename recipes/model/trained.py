"""Loading a model that is trained already, ours or another's: its head, its labels, and the task that it is for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from recipes.config.schema import TASKS, Model
from recipes.model.head import DEFAULT_NAME
from recipes.model.layers import length_limit
from recipes.model.loading import config_and_tokenizer, head_class, read_weights, settle_attention, settle_padding
from recipes.model.stored_task import StoredTask, stored_task
from tasks.classification import LABEL_THRESHOLD
from tasks.errors import InputError, did_you_mean
from tasks.qa import NO_ANSWER_THRESHOLD
from tasks.tags import OUTSIDE, split_tag
from tasks.task import AnyTask, Head

TASK_OF_HEAD = {
    "ForSequenceClassification": "classification",
    "ForTokenClassification": "ner",
    "ForQuestionAnswering": "qa",
}
"The task of each kind of head, by what transformers' class names end in."
IOB2_PREFIXES = {"B": "B", "I": "I", "E": "I", "S": "B", "": "I"}
"How a label of another scheme is read as IOB2. Decoding lets an entity begin with an inside mark where none is open."


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
    stored: StoredTask | None
    "What the model's config keeps of its training. None: it was not trained by this program."
    notes: tuple[str, ...] = ()
    "Sentences for the user."


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
    named = options.get("label_names")
    options = {name: value for name, value in options.items() if name != "label_names"}
    name = _task_name(config, model)
    stored = stored_task(config)
    if stored is not None and stored.task.name != name:
        raise InputError(f"model.path={model.path}: its config says both {stored.task.name} and {name}")
    task = _with_options(_foreign_task(name) if stored is None else stored.task, options)
    head, notes = _head(config, task, named, model)
    notes += [*settle_padding(tokenizer, config, head, model), *settle_attention(config)]
    if not tokenizer.is_fast and name != "classification":
        raise InputError(
            f"model.path={model.path}: its tokenizer has no fast version (a tokenizer.json), by which words and "
            "answers are found in the text"
        )
    auto_class = head_class(config, head, model)
    loaded, info = read_weights(model, auto_class, folder, config, output_loading_info=True)
    missing = sorted(info["missing_keys"])
    if missing:
        raise InputError(
            f"model.path={model.path}: {len(missing)} tensors are not in its weights file, such as {missing[0]}: it is "
            "not a trained model"
        )
    if stored is None:
        task, more = _told_apart(task, config, options)
        notes += more
    return Trained(
        model=loaded.eval(),
        tokenizer=task.adapt(tokenizer),
        task=task,
        head=head,
        calibration=_calibration(task, config, options),
        limit=length_limit(loaded, tokenizer),
        stored=stored,
        notes=tuple(notes),
    )


def _task_name(config: Any, model: Model) -> str:
    """Return the task of a model by the class that its config names.

    Raises:
        InputError: it names none, or one without a head of the three kinds.
    """
    classes = list(config.architectures or ())
    for suffix, task in TASK_OF_HEAD.items():
        if any(suffix in name for name in classes):
            return task
    what = f"a {classes[0]}" if classes else "a model whose config.json does not say what it is for"
    raise InputError(
        f"model.path={model.path}: is {what}. A model that was trained for classification, ner or qa is needed: it "
        "ends in ForSequenceClassification, ForTokenClassification or ForQuestionAnswering. To train it: "
        f"python -m recipes.run task=TASK model.path={model.path}"
    )


def _foreign_task(name: str) -> AnyTask:
    return replace(TASKS[name](), name=name)


def _with_options(task: AnyTask, options: Mapping[str, Any]) -> AnyTask:
    """Return the task with other values for some of its fields.

    Raises:
        InputError: there is no such field, or a value is wrong.
    """
    known = [option.name for option in fields(task) if option.name != "name"]
    for option in options:
        if option not in known:
            raise InputError(f"task.{option}: {task.name} has no such option.{did_you_mean(option, known)}")
    changed = replace(task, **options)
    faults = list(changed.errors())
    if faults:
        raise InputError("\n".join(faults))
    return changed


def _head(config: Any, task: AnyTask, named: Any, model: Model) -> tuple[Head, list[str]]:
    """Return the head that a config describes, and lines for the user.

    Raises:
        InputError: labels have no names, or are none of this task.
    """
    if task.name == "qa":
        return Head("AutoModelForQuestionAnswering"), []
    labels = tuple(str(config.id2label.get(output, f"LABEL_{output}")) for output in range(config.num_labels))
    if named is not None:
        if len(named) != len(labels):
            raise InputError(f"data.label_names: {len(named)} names, but the model has {len(labels)} labels")
        labels = tuple(map(str, named))
    if task.name == "ner":
        return Head("AutoModelForTokenClassification", _iob2_labels(labels, model)), []
    problem_type = config.problem_type
    if problem_type is None:
        problem_type = "regression" if config.num_labels == 1 else "single_label_classification"
    unnamed = problem_type != "regression" and all(map(DEFAULT_NAME.fullmatch, labels))
    notes = ["labels: without names in the model's config. To name them: 'data.label_names=[...]'"] if unnamed else []
    return Head("AutoModelForSequenceClassification", labels, problem_type), notes


def _iob2_labels(labels: tuple[str, ...], model: Model) -> tuple[str, ...]:
    """Return labels of any scheme as those of IOB2 that decoding reads in the same way.

    Raises:
        InputError: the labels have no names, or no `O` is among them.
    """
    if all(map(DEFAULT_NAME.fullmatch, labels)):
        raise InputError(
            f"model.path={model.path}: its labels have no names ({', '.join(labels[:3])}, ...), so that nothing tells "
            "what it finds. To name them in order: 'data.label_names=[O,B-person,I-person]'"
        )
    if not set(labels) & set(OUTSIDE):
        raise InputError(
            f"model.path={model.path}: none of its labels is O ({', '.join(labels[:5])}, ...): it tags all words, as "
            "for parts of speech, and finds no entities"
        )
    return tuple(map(_iob2_label, labels))


def _iob2_label(label: str) -> str:
    try:
        prefix, kind = split_tag(label)
    except ValueError:
        return f"I-{label}"
    return f"{IOB2_PREFIXES[prefix]}-{kind}" if kind else "O"


def _told_apart(task: AnyTask, config: Any, options: Mapping[str, Any]) -> tuple[AnyTask, list[str]]:
    """Return the task of a model that others trained, with what its config tells, and lines for the user."""
    kinds = {"multi_label_classification": "multi_label", "regression": "regression"}
    if task.name == "classification":
        single = config.problem_type is None and config.num_labels == 1
        kind = "regression" if single else kinds.get(config.problem_type, "single_label")
        return replace(task, kind=kind), []  # type: ignore[call-arg]
    if task.name == "ner":
        return (task if "words" in options else replace(task, words="borders")), []  # type: ignore[call-arg]
    if "version" in options:
        return task, []
    if hasattr(config, NO_ANSWER_THRESHOLD):
        return replace(task, version="v2.0"), []  # type: ignore[call-arg]
    note = "it always answers; if it was trained with questions without an answer, as in SQuAD v2.0: task.version=v2.0"
    return replace(task, version="v1.1"), [note]  # type: ignore[call-arg]


def _calibration(task: AnyTask, config: Any, options: Mapping[str, Any]) -> dict[str, float]:
    """Return the thresholds that predictions are finished with. A threshold that the user sets takes their place."""
    return dict(_thresholds(task, config, options))


def _thresholds(task: AnyTask, config: Any, options: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    label = getattr(config, LABEL_THRESHOLD, None)
    if task.name == "classification" and label is not None and options.get("threshold") is None:
        yield LABEL_THRESHOLD, float(label)
    if task.name == "qa" and getattr(task, "version", "") == "v2.0":
        # The official script answers if the answer's score is at least that of no answer.
        yield NO_ANSWER_THRESHOLD, float(getattr(config, NO_ANSWER_THRESHOLD, 0.0))
