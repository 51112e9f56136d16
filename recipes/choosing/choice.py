"""The choice itself: every way is cross-validated on the training rows, and the best one trains on all of them."""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recipes.choosing.cost import Cost
from recipes.choosing.cross_validation import CrossValidation, cross_validate, folds_of
from recipes.choosing.ways import Way, ways_for
from recipes.config.schema import Config
from recipes.inference.evaluation import OutOfFold, require_usable_objective, units_of
from recipes.results.choice import Choice, TriedWay
from recipes.results.run_directory import RunDirectory
from recipes.results.scores import format_score_in
from recipes.statistics.bootstrap import FEWEST_UNITS, SEED, draws_for, interval_of, resampled_scores
from recipes.system.console import duration, is_main_process, say, say_field
from recipes.system.signals import Interruption
from recipes.training.assembly import Prepared
from tasks.errors import InputError
from tasks.load import AnyRows
from tasks.scoring.resampling import Numbers

FEWEST_ROWS_OF_A_LABEL = 2
"With fewer, no fold's model knows the labels of the rows that it predicts."


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
    rows: AnyRows
    "The training rows are all that may be trained on."
    choice: Choice
    out_of_fold: OutOfFold | None
    "Predictions for all training rows, which stand for validation. None: there are validation rows of their own."


def rows_to_choose_on(rows: AnyRows, config: Config) -> AnyRows:
    """Return the rows with those that were cut off for validation back among the training rows.

    Validation rows that were given as such, or that a limit on the training rows leaves over, stay what they are.
    """
    if "validation" not in rows.cut or config.data.limit.train is not None:
        return rows
    together = sorted(
        [*rows.splits["train"], *rows.splits["validation"]], key=lambda row: (row.origin.file, row.origin.number)
    )
    told = "cut off the training rows"
    notes = [note for note in rows.notes if not (note.startswith("validation:") and told in note)]
    splits = {**rows.splits, "train": together, "validation": together}
    said = f"validation: all {len(together)} training rows, each as predicted by the model of a fold without it"
    return replace(rows, splits=splits, notes=[*notes, said])


def choose(
    prepared: Prepared, config: Config, rows: AnyRows, directory: RunDirectory, interruption: Interruption
) -> Chosen:
    """Try every way of training on folds of the training rows, say what they reach, and return the best.

    Args:
        prepared: the model and windows of a run on all rows, which tell which ways there are and what they cost.
        config: that of the run.
        rows: what `rows_to_choose_on` returned.
        directory: of the run; finished folds are kept there until it is finished.
        interruption: tells whether a signal has asked this process to end.

    Raises:
        InputError: the rows can't be shared among folds.
    """
    train = rows.splits["train"]
    ways = ways_for(rows.head, prepared.loaded.model.config, len(prepared.windows["train"]))
    parts = folds_of(rows.task, train, config.hparams.choose_by_folds, config.seed)
    _require_comparable(rows, parts)
    if config.overwrite and is_main_process():
        shutil.rmtree(directory.folds, ignore_errors=True)
    cost = Cost.measured(prepared)
    seconds = sum(cost.seconds(way.applied(config).hparams, len(parts)) for way in ways)
    say_field(
        "choosing",
        f"{len(ways)} ways of training, each on {len(parts)} folds of {len(train)} rows: about {duration(seconds)}",
    )
    tried: list[Tried] = []
    for way in ways:
        result = cross_validate(
            way.applied(config),
            way.name,
            rows,
            parts,
            prepared.loaded.fingerprint,
            prepared.placement,
            directory.folds,
            interruption,
        )
        tried.append(_judged(way, result, rows))
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
    return Chosen(way.applied(config), rows, choice, out_of_fold)


def _require_comparable(rows: AnyRows, parts: Sequence[Sequence[int]]) -> None:
    """Refuse rows on which every way would be as good as any other.

    Raises:
        InputError: the rows all hang together, or no label has two of them.
    """
    train = rows.splits["train"]
    if len(parts) < FEWEST_ROWS_OF_A_LABEL:
        raise InputError(
            f"hparams.choose_by_folds: the {len(train)} training rows have the same content or belong together, and "
            "can't be shared among folds. Give more rows, or take hparams=default"
        )
    strata = Counter(map(rows.task.stratum, train))
    if None not in strata and max(strata.values()) < FEWEST_ROWS_OF_A_LABEL:
        raise InputError(
            f"hparams.choose_by_folds: each of the {len(train)} training rows has a label of its own, so that nothing "
            "can be held out to compare ways of training. Give two rows of a label at least, or take hparams=default"
        )


def _judged(way: Way, result: CrossValidation, rows: AnyRows) -> Tried:
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
        hparams=dict(way.changes),
    )
    return Tried(way, result, told, draws)


def decide(tried: Sequence[Tried], sign: int) -> tuple[Tried, str]:
    """Return the way to take, and why.

    In doubt the one that comes first is taken: another has to be better by more than a standard error of the difference
    on the same rows (the rule of Breiman et al. 1984, section 3.4.3, between ways instead of sizes).

    Args:
        tried: the ways in the order of preference.
        sign: 1 if higher scores are better, and otherwise -1.
    """
    taken = tried[0]
    for other in tried[1:]:
        if _is_better(other, taken, sign):
            taken = other
    top = max(tried, key=lambda one: -np.inf if one.told.score is None else sign * one.told.score)
    if top.told.score is None or taken.told.score == top.told.score:
        return taken, f"the best of {len(tried)} by cross-validation"
    return taken, (
        f"{top.way.name} was better by less than a standard error, and in doubt {taken.way.name} comes first"
    )


def _is_better(way: Tried, than: Tried, sign: int) -> bool:
    """Tell whether a way is better than one that is preferred in doubt."""
    if way.told.score is None or than.told.score is None:
        return than.told.score is None and way.told.score is not None
    lead = sign * (way.told.score - than.told.score)
    if way.draws is None or than.draws is None:
        return lead > 0
    error = float(np.nanstd(way.draws - than.draws))
    return lead > error
