"""What a study asks: the settings that it runs, each with the same seeds."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recipes.choosing.choice import rows_to_choose_on
from recipes.command import composing
from recipes.command.dispatch import Sweep
from recipes.command.line import is_about_many, key_of
from recipes.config.conversion import parse_study
from recipes.config.schema import Config, Study
from recipes.results.sweep_table import sweep_directory
from recipes.results.verdict import judged_split
from recipes.statistics.bootstrap import FEWEST_UNITS
from recipes.system.console import counted
from tasks.data.options import DataOptions, Split
from tasks.errors import InputError
from tasks.loading.load import load
from tasks.loading.rows import AnyRows


@dataclass(frozen=True)
class Setting:
    """One of the ways of training that a study compares."""

    name: str
    "Empty if it is the only one."
    overrides: tuple[str, ...]
    "What it adds to those of the command."


@dataclass(frozen=True)
class Question:
    """A study with the rows and the config that it starts from."""

    study: Study
    folder: Path
    "Where its results are written."
    base: tuple[str, ...]
    "The overrides of the command that are about runs, without the seed."
    config: Config
    rows: AnyRows
    seeds: tuple[int, ...]

    @property
    def judged(self) -> Split:
        """The split that its runs are judged on."""
        return judged_split([split for split, rows in self.rows.splits.items() if rows and split != "train"])

    def words(self, setting: Setting, seed: int) -> tuple[str, ...]:
        """Return the overrides of a run."""
        keys = {key_of(word) for word in setting.overrides}
        kept = (word for word in self.base if key_of(word) not in keys)
        return (*kept, *setting.overrides, *self.same_splits(), f"seed={seed}")

    def require_enough_rows(self) -> None:
        """Refuse rows on which no two settings could be told apart.

        Raises:
            InputError: there are fewer than any interval needs.
        """
        split = self.judged
        count = len(self.rows.splits[split])
        if count < FEWEST_UNITS:
            raise InputError(
                f"study={self.study.kind}: {counted(count, f'{split} row')}, on which nothing can be told apart; at "
                f"least {FEWEST_UNITS}. Give more rows, or a larger data.{split}_fraction"
            )

    def same_splits(self) -> tuple[str, ...]:
        """Return the override that gives all seeds the same validation and test rows, if these are drawn."""
        limit = self.config.data.limit
        limited = limit.validation is not None or limit.test is not None
        drawn = self.rows.cut or limited or self.config.data.balance is not None
        if len(self.seeds) < 2 or self.config.data.split_seed is not None or not drawn:
            return ()
        if self.study.kind == "cross_validation":  # repeated: each time with other folds
            return ()
        return (f"data.split_seed={self.seeds[0]}",)


def read_question(sweep: Sweep) -> Question:
    """Return what a command's study asks, and read the rows that it is about.

    Raises:
        InputError: the study, the config or the rows can't be used.
    """
    study = parse_study(sweep.tree)
    _require_alone(sweep, study)
    words = [word for word in sweep.line.overrides if not is_about_many(word)]
    base = [word for word in words if not key_of(word).startswith("hydra") and key_of(word) != "seed"]
    config = composing.compose([word for word in words if not key_of(word).startswith("hydra.launcher")])
    _require_unset(study, config)
    data = config.data
    if study.kind == "cross_validation":  # every fold has the rows of the first, in other splits
        data = fold_of(data, study.folds, 1)
    rows = rows_of(config, data)
    return Question(
        study=study,
        folder=folder_of(sweep),
        base=tuple(base),
        config=config,
        rows=rows,
        seeds=tuple(range(config.seed, config.seed + study.n)),
    )


def rows_of(config: Config, data: DataOptions) -> AnyRows:
    """Return the rows of a run with some options of data."""
    rows = load(config.task, data, config.seed)
    return rows_to_choose_on(rows, config) if config.hparams.choose_by_folds else rows


def folder_of(sweep: Sweep) -> Path:
    """Return the folder of a command's study."""
    return sweep_directory(sweep.output_root, _defining(sweep.line.overrides))


def fold_of(data: DataOptions, folds: int, fold: int) -> DataOptions:
    """Return the options of a fold's run, all of whose held-out rows count."""
    return replace(data, folds=folds, fold=fold, limit=replace(data.limit, test=None))


def _require_alone(sweep: Sweep, study: Study) -> None:
    """Refuse a study together with what makes several runs in another way."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError("A study runs each training in one process: start it without accelerate launch")
    if sweep.tree.search.sampler != "none":
        raise InputError(f"study={study.kind} and search={sweep.tree.search.sampler}: one of them at a time")
    if sweep.line.sweeps:
        raise InputError(
            f"-m and study={study.kind}: a study makes its runs itself, for one setting: leave out -m. For the mean "
            "and the deviation of several settings: -m KEY=A,B seed=1,2,3"
        )
    if study.parallel > 1 and str(sweep.tree.hydra.runtime.choices.get("hydra/launcher")) == "basic":
        raise InputError(
            f"study.parallel={study.parallel}: with a launcher that runs jobs side by side, such as "
            "hydra/launcher=joblib"
        )


def _require_unset(study: Study, config: Config) -> None:
    """Refuse values of keys that a study sets by itself, or that its answer could make no sense of."""
    if study.kind == "cross_validation" and config.data.folds is not None:
        raise InputError(
            f"study=cross_validation and data.folds={config.data.folds}: the study does every fold by itself. "
            f"study.folds={config.data.folds} says how many there are"
        )
    if study.kind == "learning_curve" and config.data.balance is not None:
        raise InputError(
            f"study=learning_curve and data.balance={config.data.balance}: the curve is one over labelled rows, none "
            "of which is repeated or left out. To count rare labels more: hparams.class_weights=balanced"
        )


def _defining(words: Sequence[str]) -> list[str]:
    """Return the words that decide which study it is: not how it is launched."""
    return [word for word in words if key_of(word) not in ("study.parallel", "study.keep_models", "hydra.launcher")]
