"""What scores are worth: their intervals, what simple baselines reach, and whether training has failed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isnan

import numpy as np

from recipes.inference.evaluation import Evaluation, OutOfFold, by_fold, units_of
from recipes.results.verdict import Baseline, Certainty, Gain, Verdict, judged_split
from recipes.statistics.bootstrap import CONFIDENCE, Interval, draws_for, intervals
from tasks.data.options import HELD_OUT, Split
from tasks.loading.rows import AnyRows
from tasks.scoring.resampling import Numbers, Rescore
from tasks.scoring.score import score_named
from tasks.task import Prediction, Row

MODEL = "model"
LEAST_FALL = 0.01
"A training loss that falls by less than this share has not fallen."


def judge(rows: AnyRows, evaluation: Evaluation, history: Sequence[Mapping[str, float]]) -> Verdict:
    """Return what the scores of an evaluation are worth.

    Args:
        rows: the rows of all splits.
        evaluation: the scores and predictions of the model.
        history: the learning curve, with `loss`, the training loss, in each line.
    """
    verdict = Verdict(uncalibrated_error=evaluation.uncalibrated_error)
    baselines = _predicted_by_baselines(rows, evaluation)
    for split, by_baselines in baselines.items():
        some = rows.splits[split]
        predictions = {MODEL: [line["prediction"] for line in evaluation.predictions[split]], **by_baselines}
        units = units_of(rows.task, some)
        found = intervals(_all(rows, some, predictions, units), max(units) + 1)
        verdict.certainty[split] = Certainty(
            unit=rows.task.unit if any(rows.task.group(row) is not None for row in some) else "row",
            units=max(units) + 1,
            draws=draws_for(max(units) + 1),
            confidence=CONFIDENCE,
            intervals={score: _bounds(interval) for (who, score), interval in _named(found) if who == MODEL},
        )
        verdict.baselines[split] = _baselines(rows, some, evaluation.metrics[split], predictions, found)
        held_out = split != "validation" or evaluation.out_of_fold is None
        unseen = rows.task.unseen_share(rows.splits["train"], some) if held_out else None
        if unseen is not None:
            verdict.unseen_share[split] = unseen
    verdict.collapsed.extend(_signs_of_failure(rows, evaluation, verdict, history))
    return verdict


def _predicted_by_baselines(rows: AnyRows, evaluation: Evaluation) -> dict[Split, dict[str, list[Prediction]]]:
    """Return the predictions of each baseline for each split. All splits are predicted with one training.

    Where validation rows are those of training, each fold is predicted with a training on the others.
    """
    splits: list[Split] = [split for split in HELD_OUT if split in evaluation.metrics]
    if evaluation.out_of_fold is not None:
        others = replace(evaluation, out_of_fold=None, metrics={**evaluation.metrics})
        others.metrics.pop("validation")
        return {
            "validation": _baselines_by_fold(rows, evaluation.out_of_fold),
            **_predicted_by_baselines(rows, others),
        }
    if not splits:
        return {}
    bounds = [0, *np.cumsum([len(rows.splits[split]) for split in splits]).tolist()]
    found = rows.task.baselines(rows.train_as_labelled, [row for split in splits for row in rows.splits[split]])
    return {
        split: {who: of_who[first:last] for who, of_who in found.items()}
        for split, first, last in zip(splits, bounds[:-1], bounds[1:], strict=True)
    }


def _baselines_by_fold(rows: AnyRows, out_of_fold: OutOfFold) -> dict[str, list[Prediction]]:
    def predicted(train: Sequence[Row], held: Sequence[Row]) -> list[dict[str, Prediction]]:
        found = rows.task.baselines(train, held)
        return [{who: of_who[place] for who, of_who in found.items()} for place in range(len(held))]

    by_row = by_fold(rows, predicted, out_of_fold.folds)
    return {who: [of_row[who] for of_row in by_row] for who in by_row[0]}


SEPARATOR = "\n"
"Stands between who predicted and the name of a score, or of a gain."


def _all(rows: AnyRows, some: Sequence[Row], predictions: Mapping[str, list[Prediction]], units: list[int]) -> Rescore:
    """Return what scores the model and all baselines with the same weights, and what the model gains over each."""
    task = rows.task
    rescores = {who: task.rescore(some, of_who, rows.head, units) for who, of_who in predictions.items()}

    def rescored(weights: Numbers) -> dict[str, Numbers]:
        scores = {who: rescore(weights) for who, rescore in rescores.items()}
        found = {f"{MODEL}{SEPARATOR}{name}": values for name, values in scores[MODEL].items()}
        for who in scores:
            for name in task.headline():
                if who != MODEL and name in scores[MODEL]:
                    gain = score_named(name).sign * (scores[MODEL][name] - scores[who][name])
                    found[f"{who}{SEPARATOR}{name}"] = gain
        return found

    return rescored


def _named(found: Mapping[str, Interval | None]) -> Iterator[tuple[tuple[str, str], Interval | None]]:
    for key, interval in found.items():
        who, _, name = key.partition(SEPARATOR)
        yield (who, name), interval


def _bounds(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def _baselines(
    rows: AnyRows,
    some: Sequence[Row],
    of_model: Mapping[str, float],
    predictions: Mapping[str, list[Prediction]],
    found: Mapping[str, Interval | None],
) -> dict[str, Baseline]:
    ones = np.ones((1, len(some)))
    baselines = {}
    for who, of_who in predictions.items():
        if who == MODEL:
            continue
        rescored = rows.task.rescore(some, of_who, rows.head, range(len(some)))(ones)
        scores = {name: float(values[0]) for name, values in rescored.items()}
        gains = {}
        for name in rows.task.headline():
            if name in scores and name in of_model:
                value = score_named(name).sign * (of_model[name] - scores[name])
                gains[name] = Gain(None if isnan(value) else value, _bounds(found.get(f"{who}{SEPARATOR}{name}")))
        baselines[who] = Baseline(scores, gains)
    return baselines


def _is_perfect(rows: AnyRows, split: Split, baseline: Baseline, name: str) -> bool:
    """Tell whether a baseline can't be beaten, as where all gold is the majority class: it says nothing of a model."""
    some = rows.splits[split]
    best = rows.task.score(some, list(map(rows.task.gold_prediction, some)), rows.head)
    return baseline.scores[name] == best[name]


def _signs_of_failure(
    rows: AnyRows, evaluation: Evaluation, verdict: Verdict, history: Sequence[Mapping[str, float]]
) -> Iterator[str]:
    """Yield what shows that a model has learnt nothing, each once for the split that says most."""
    split = judged_split(evaluation.metrics)
    same = rows.task.sameness(rows.splits[split], [line["prediction"] for line in evaluation.predictions[split]])
    if same is not None:
        yield f"{same} of {split}"
    who, simplest = next(iter(verdict.baselines[split].items()))
    known = [(name, gain.value) for name, gain in simplest.gains.items() if gain.value is not None]
    if known and known[0][1] <= 0 and not _is_perfect(rows, split, simplest, known[0][0]):
        yield f"its {known[0][0]} on {split} is no better than that of the simplest baseline ({who})"
    losses = [line["loss"] for line in history if line.get("loss") is not None]
    if len(losses) > 1 and min(losses[1:]) > (1 - LEAST_FALL) * losses[0]:
        yield f"its training loss never fell: {losses[0]:.3g} at first, {losses[-1]:.3g} at last"
