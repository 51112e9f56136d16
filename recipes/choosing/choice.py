"""The choice itself: every way is cross-validated on the training rows, and the best one trains on all of them."""

import shutil
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recipes.choosing.cost import Cost
from recipes.choosing.cross_validation import CrossValidation, cross_validate
from recipes.choosing.ways import Way, differences, set_by_user, set_in_vain, ways_for
from recipes.config.schema import Config
from recipes.inference.evaluation import OutOfFold, require_usable_objective, units_of
from recipes.levers.linear_head import has_output_layer
from recipes.results.choice import Choice, TriedWay
from recipes.results.run_directory import RunDirectory
from recipes.results.scores import format_score_in
from recipes.speed.apply import is_sharded
from recipes.statistics.bootstrap import (
    FEWEST_UNITS,
    SEED,
    draws_for,
    interval_of,
    resampled_scores,
    standard_error_of_difference,
)
from recipes.system.console import duration, is_main_process, say, say_field
from recipes.system.signals import Interruption
from recipes.training.assembly import Prepared
from recipes.training.stages import first_batch
from tasks.data.splits import folds
from tasks.errors import InputError
from tasks.loading.rejoining import with_validation_in_training
from tasks.loading.rows import AnyRows
from tasks.loading.splitting import split_keys
from tasks.scoring.resampling import Numbers

FEWEST = 2
"Of folds, of training rows, and of rows of the commonest label: with fewer, no row is predicted by a model that could."
FEWEST_TO_CHOOSE_BY = 32
"""Texts to compare ways of training by. With 32, two ways that disagree on three rows in ten must differ by ten
points to be a standard error apart; on 16 rows of SST-2, choosing did worse than the first way (docs/levers.md)."""
NAMED = 5
"Labels that a sentence names."
ONE_LABEL = "single_label_classification"
"What transformers calls a head for one of several classes."


@dataclass(frozen=True)
class Tried:
    """A way with what its models predicted and what that is worth."""

    way: Way
    result: CrossValidation
    told: TriedWay
    draws: Numbers | None
    "The score on draws of the rows, [draws], of the same draws for all ways. None: the rows are too few for that."


@dataclass(frozen=True)
class Chosen:
    """What a choice leaves for the final training."""

    config: Config
    choice: Choice
    out_of_fold: OutOfFold | None
    "Predictions for all training rows, which stand for validation. None: there are validation rows of their own."


def rows_to_choose_on(rows: AnyRows, config: Config) -> AnyRows:
    """Return the rows with those that were cut off for validation back among the training rows.

    Validation rows that were given as such, or where a limit is set on these splits, stay what they are.
    """
    limit = config.data.limit
    if limit.train is not None or limit.validation is not None:
        return rows
    note = "all training rows, each as predicted by the model of a fold without it"
    return with_validation_in_training(rows, note, config.data.deduplicate)


def ways_of(prepared: Prepared) -> list[Way]:
    """Return the ways of training that suit the rows and the model of a run: the first one alone if rows are few."""
    loaded = prepared.loaded
    fits_alone = not is_sharded() and has_output_layer(loaded.model, first_batch(prepared), prepared.recipe.outputs)
    ways = ways_for(prepared.rows.head, loaded.model.config, len(prepared.windows["train"]), fits_alone)
    return ways[:1] if _too_few_to_choose(prepared.rows) else ways


def _too_few_to_choose(rows: AnyRows) -> bool:
    return rows.task.labels_whole_texts and len(rows.splits["train"]) < FEWEST_TO_CHOOSE_BY


def _distinct(ways: Sequence[Way], config: Config, kept: Collection[str]) -> list[Way]:
    """Return the ways without those that are the same as an earlier one, because of what the user has set."""
    found: list[Way] = []
    for way in ways:
        if all(way.applied(config, kept) != other.applied(config, kept) for other in found):
            found.append(way)
    return found


def choose(
    prepared: Prepared,
    config: Config,
    rows: AnyRows,
    command: str,
    directory: RunDirectory,
    interruption: Interruption,
) -> Chosen:
    """Try every way of training on folds of the training rows, say what they reach, and return the best.

    Args:
        prepared: the model and windows of a run on all rows, which tell which ways there are and what they cost.
        config: that of the run.
        rows: what `rows_to_choose_on` returned.
        command: the command line of the run, which tells what the user has set.
        directory: of the run; finished folds are kept there until it is finished.
        interruption: tells whether a signal has asked this process to end.

    Raises:
        InputError: the rows can't be shared among folds.
    """
    train = rows.splits["train"]
    kept = set_by_user(config)
    ways = _distinct(ways_of(prepared), config, kept)
    in_vain = list(set_in_vain(ways, config, command))
    parts = folds(train, config.hparams.choose_by_folds, config.seed, **split_keys(rows.task, train))
    _require_comparable(rows, parts)
    if config.overwrite and is_main_process():
        directory.clear()  # so that what was there is not taken for the result, if this run is killed
        shutil.rmtree(directory.folds, ignore_errors=True)
    applied = {way.name: way.applied(config, kept) for way in ways}
    _say_plan(prepared, rows, applied, len(parts), in_vain)
    tried: list[Tried] = []
    for way in ways:
        own, model = applied[way.name], prepared.loaded.fingerprint
        result = cross_validate(own, way.name, rows, parts, model, prepared.placement, directory.folds, interruption)
        tried.append(_judged(way, differences(config, own), result, rows))
        shown = format_score_in(tried[-1].told.score, tried[-1].told.bounds)
        say(f"  {way.name:<13} {rows.task.objective_score().name} {shown}  {duration(result.seconds)}")
    taken, why = decide(tried, rows.task.objective_score().sign)
    way, result = taken.way, taken.result
    choice = Choice(
        chosen=way.name,
        why=why,
        score=rows.task.objective_score().name,
        folds=len(parts),
        rows=len(train),
        stands_for_validation=rows.splits["validation"] is train,
        ways=[one.told for one in tried],
    )
    say_field("chosen", f"{way.name}: {why}. Now it trains on all {len(train)} rows")
    say_field("", way.words)
    out_of_fold = result.predictions if choice.stands_for_validation else None
    return Chosen(applied[way.name], choice, out_of_fold)


def _say_plan(
    prepared: Prepared, rows: AnyRows, ways: Mapping[str, Config], count: int, in_vain: Sequence[str]
) -> None:
    """Say which ways are tried on so many folds, what that costs, and what is to be known of it.

    Args:
        prepared: the model and windows of a run on all rows.
        rows: the training rows are those that are shared among folds.
        ways: the names of the ways, with the config that each trains by.
        count: of folds.
        in_vain: what the user has set and some ways do not heed.
    """
    for sentence in in_vain:
        say_field("", sentence)
    if labels_alone(rows):
        say_field("", labels_alone(rows))
    if is_main_process():
        cost = Cost.measured(prepared)
        seconds = sum(cost.seconds(config.hparams, count) for config in ways.values())
        (first, *others) = ways
        what = f"{len(ways)} ways of training, each" if others else f"one way of training, {first},"
        train = len(rows.splits["train"])
        say_field("choosing", f"{what} on {count} folds of {train} rows: about {duration(seconds)}")
        if _too_few_to_choose(rows):
            say_field("", f"with fewer than {FEWEST_TO_CHOOSE_BY} rows, nothing tells which of several would be better")


def _require_comparable(rows: AnyRows, parts: Sequence[Sequence[int]]) -> None:
    """Refuse rows on which every way would be as good as any other.

    Raises:
        InputError: the rows all hang together, or no label has two of them.
    """
    train = rows.splits["train"]
    if len(parts) < FEWEST:
        raise InputError(
            f"hparams.choose_by_folds: the {len(train)} training rows have the same content or belong together, and "
            "can't be shared among folds. Give more rows, or take hparams=default"
        )
    strata = Counter(map(rows.task.stratum, train))
    if rows.head.problem_type == ONE_LABEL and max(strata.values()) < FEWEST:
        raise InputError(
            f"hparams.choose_by_folds: each of the {len(train)} training rows has a label of its own, so that nothing "
            "can be held out to compare ways of training. Give two rows of a label at least, or take hparams=default"
        )


def labels_alone(rows: AnyRows) -> str:
    """Return in a sentence which labels have one training row each; nothing if there is none.

    A fold that holds such a row out has no model that could predict it.
    """
    if rows.head.problem_type != ONE_LABEL:
        return ""
    counts = Counter(map(rows.task.stratum, rows.splits["train"]))
    alone = [repr(label) for label, count in counts.items() if count < FEWEST]
    if not alone:
        return ""
    shown = ", ".join(alone[:NAMED]) + (", ..." if len(alone) > NAMED else "")
    return f"one row of {shown} each: where it is held out, no model has learnt its label, and it counts as missed"


def _judged(way: Way, changes: dict[str, Any], result: CrossValidation, rows: AnyRows) -> Tried:
    """Return the score of a way on all training rows, with its interval."""
    task, train, decoded = rows.task, rows.splits["train"], result.predictions.predictions
    name = task.objective_score().name
    finished = task.apply_calibration(decoded, task.calibrate(train, decoded))
    scores = task.score(train, finished, rows.head)
    if name not in scores:
        require_usable_objective(task, scores)
    units = units_of(task, train)
    count = max(units) + 1
    draws = interval = None
    if count >= FEWEST_UNITS:
        rescore = task.rescore(train, finished, rows.head, units)
        draws = resampled_scores(rescore, count, draws_for(count), SEED)[name]
        interval = interval_of(draws, count)
    value = scores[name]
    told = TriedWay(
        name=way.name,
        words=way.words,
        score=None if value != value else value,
        bounds=None if interval is None else [interval.low, interval.high],
        seconds=round(result.seconds, 1),
        hparams=changes,
    )
    return Tried(way, result, told, draws)


def decide(tried: Sequence[Tried], sign: int) -> tuple[Tried, str]:
    """Return the way to take, and why: the first whose distance to the best is within a standard error.

    It is the rule of Breiman et al. 1984 (section 3.4.3), between ways instead of sizes; the standard error is that of
    the difference on the same rows.

    Args:
        tried: the ways in the order of preference.
        sign: 1 if higher scores are better, and otherwise -1.
    """
    best = max(tried, key=lambda one: -np.inf if one.told.score is None else sign * one.told.score)
    taken = next(one for one in tried if one is best or _is_near(one, best, sign))
    if len(tried) == 1:
        return taken, "the only one that was tried"
    if best.told.score is None:
        return taken, f"none of {len(tried)} has a score"
    if taken is best:
        alone = sum(one.told.score == best.told.score for one in tried) == 1
        return taken, f"the best of {len(tried)} by cross-validation" if alone else "no other was better"
    return taken, f"in doubt, as {best.way.name} was better by less than a standard error"


def _is_near(way: Tried, best: Tried, sign: int) -> bool:
    """Tell whether a way is not clearly worse than the best one."""
    if way.told.score is None or best.told.score is None:
        return way.told.score is best.told.score
    lead = sign * (best.told.score - way.told.score)
    if way.draws is None or best.draws is None:
        return lead == 0
    return lead <= standard_error_of_difference(best.draws, way.draws)
