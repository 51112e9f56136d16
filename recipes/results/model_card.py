"""The card of a trained model, `model/README.md`: what it is for, how good it is, its data, and how to load it.

All numbers are those of report.json. There is no licence in it, as this program can't know one.
"""

import html
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recipes.results.report import Report
from recipes.results.scores import format_bounds, format_score
from recipes.system.characters import visible
from tasks.data.options import Split
from tasks.task import AnyTask

AVERAGES = ("macro_", "micro_", "weighted_", "samples_")
"What stands before the name of a metric."
SHOWN_LABELS = 100


def model_card(report: Report, task: AnyTask, data: str) -> str:
    """Return the text of the card.

    Args:
        report: that of the run.
        task: the task, with its `auto` options resolved.
        data: what the rows are called.
    """
    metadata = _metadata(report, task, data)
    parts = (
        f"# {_plain(task.name)}: {_plain(data)}",
        _summary(report, task),
        "## Use",
        _use(task),
        "## Scores",
        *_scores(report, task),
        "## Labels",
        _labels(report),
        "## Data and training",
        *_facts(report),
    )
    return f"---\n{metadata}\n---\n\n" + "\n\n".join(parts) + "\n"


def data_name(config: Mapping[str, Any]) -> str:
    """Return what the rows of a run are called: their name, that on the hub, or that of the training file.

    Args:
        config: all keys of the run's config, with their values.

    >>> data_name({"data.name": None, "data.hub": None, "data.train": ["parts/reviews.csv.gz", "more.csv"]})
    'reviews'
    """
    train = config.get("data.train")
    first = train[0] if isinstance(train, list) else train
    file = Path(str(first)).name.partition(".")[0]
    return str(config.get("data.name") or config.get("data.hub") or file)


def _metadata(report: Report, task: AnyTask, data: str) -> str:
    """Return the YAML that the hub reads, with `model-index`."""
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type=task.pipeline,
            dataset_type=str(report.data.source.get("hub") or data),
            dataset_name=data,
            dataset_split=split,
            metric_type=_metric_type(name),
            metric_name=name,
            metric_value=report.metrics[split][name],
        )
        for split, name in _shown_scores(report, task)
    ]
    card = ModelCardData(
        model_name=f"{task.name}-{data}",
        library_name="transformers",
        pipeline_tag=task.pipeline,
        base_model=_base_model(report),
        eval_results=results,
    )
    return str(card.to_yaml()).strip()


def _base_model(report: Report) -> str | None:
    """Return the hub name of the pretrained model, None for a folder of this machine."""
    return None if Path(report.model.path).expanduser().exists() else report.model.path


def _metric_type(name: str) -> str:
    """Return the metric that a score is an average of, such as `f1` for `macro_f1`."""
    for average in AVERAGES:
        name = name.removeprefix(average)
    return name


def _shown_scores(report: Report, task: AnyTask) -> Iterator[tuple[Split, str]]:
    for split, scores in report.metrics.items():
        for name in task.headline():
            if scores.get(name) is not None and scores[name] == scores[name]:
                yield split, name


def _summary(report: Report, task: AnyTask) -> str:
    base = _base_model(report)
    start = f"`{_plain(base)}`" if base else "a pretrained encoder"
    text = f"{start} with a head for {_plain(task.name)}, trained on {report.data.rows['train']:,} rows."
    if report.verdict.collapsed:
        text += f"\n\n**This model has learnt nothing**: {_plain('; '.join(report.verdict.collapsed))}."
    return text[0].upper() + text[1:]


def _use(task: AnyTask) -> str:
    if task.has_pipeline:
        load = f'from transformers import pipeline\n\nmodel = pipeline("{task.pipeline}", model="FOLDER_OR_NAME")'
    else:
        names = f"AutoModel{task.head_class}, AutoTokenizer"
        load = (
            f"from transformers import {names}\n\n"
            f'model = AutoModel{task.head_class}.from_pretrained("FOLDER_OR_NAME")\n'
            'tokenizer = AutoTokenizer.from_pretrained("FOLDER_OR_NAME")'
        )
    ours = 'import recipes\n\nmodel = recipes.load("FOLDER_OR_NAME")'
    return (
        f"With transformers alone:\n\n```python\n{load}\n```\n\nWith the program that trained it, which reads words "
        f"and long texts as in training, and applies what was calibrated on validation rows:\n\n```python\n{ours}\n```"
    )


def _scores(report: Report, task: AnyTask) -> Iterator[str]:
    rows = [["split", "score", "value", "95% interval"]]
    for split, name in _shown_scores(report, task):
        bounds = report.verdict.interval(split, name)
        rows.append([split, name, format_score(report.metrics[split][name]), format_bounds(bounds) if bounds else "-"])
    yield _table(rows)
    yield (
        f"{_plain(report.worth_of_validation())} "
        "Intervals are bootstrap intervals over rows; another seed of the training would give other scores."
    )
    judged = report.judged
    baselines = report.verdict.baselines.get(judged, {})
    names = [name for name in task.headline() if any(name in one.scores for one in baselines.values())]
    if names:
        head = [f"baseline, {judged}", *names]
        body = [[who, *(format_score(one.scores.get(name)) for name in names)] for who, one in baselines.items()]
        yield _table([head, *body])


def _labels(report: Report) -> str:
    counts = report.data.label_counts
    if not counts:
        return ", ".join(f"`{_plain(label)}`" for label in report.data.labels) or "None: the model predicts spans."
    shown = list(counts.items())[:SHOWN_LABELS]
    more = f"\n\nand {len(counts) - len(shown)} more" if len(counts) > len(shown) else ""
    return _table([["label", "in training"], *([label, f"{count:,}"] for label, count in shown)]) + more


def _facts(report: Report) -> Iterator[str]:
    data, training, environment = report.data, report.training, report.environment
    rows = ", ".join(f"{count:,} {split}" for split, count in data.rows.items() if count)
    lines = [f"- rows: {rows}", f"- fingerprint of all rows: `{data.fingerprint}`"]
    for what, counted in (("left out", data.skipped), ("repaired", data.repaired)):
        lines += [f"- {what}: {count} x {_plain(reason)}" for reason, count in counted.items()]
    best = "the last one kept" if training.kept_epoch is None else f"number {training.kept_epoch:g} kept"
    if training.averaged_steps:
        best = f"the weights after steps {', '.join(map(str, training.averaged_steps))} averaged"
    epochs = (
        f"{training.epochs:g} epochs, {best}"
        if training.epochs
        else "no epochs: a linear head, fitted to the encoder's outputs"
    )
    if report.choice is not None:
        lines.append(
            f"- trained in the way `{_plain(report.choice.chosen)}`, {_plain(report.choice.why)}: "
            f"{_plain(report.choice.way().words)}"
        )
    lines += [
        f"- learning rate {training.learning_rate:g}, batch {training.batch_size}, {epochs}; "
        f"seed {report.seed}; {_plain(environment.precision)} on {_plain(environment.device)}",
        "- " + ", ".join(f"{name} {version}" for name, version in environment.versions.items() if version),
    ]
    yield "\n".join(lines)


def _table(rows: list[list[Any]]) -> str:
    head, *body = ["| " + " | ".join(map(_plain, row)) + " |" for row in rows]
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body])


def _plain(text: Any) -> str:
    """Return a text that no Markdown and no HTML makes anything else of."""
    escaped = html.escape(" ".join(visible(text).split()), quote=False)
    for sign in "\\`*_[]|#":
        escaped = escaped.replace(sign, f"\\{sign}")
    return escaped
