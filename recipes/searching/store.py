"""The trials of a search, in an Optuna study: in a file of the search's folder, or in a database that machines share.

All that a search knows is here. A trial is written with all its values at once, so that a kill leaves it whole or not
there at all; it then runs until it is completed, pruned or failed. One that runs although nobody works on it was
interrupted, and is gone on with.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock, Timeout
from optuna.exceptions import DuplicatedStudyError, StorageInternalError
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from recipes.config.schema import Search
from recipes.results.sweep_table import Outcome
from recipes.searching.space import Space
from tasks.errors import InputError

FACTS, OUTCOME, ERROR, HOME, SURPLUS = "search", "outcome", "error", "home", "surplus"
DIRECTORY, FOUND_DONE = "directory", "found done"
"Names of attributes of studies and trials."
SECONDS_FOR_A_LOCK = 60
STARTUP_TRIALS = 5
"Trials that must be complete before the median of others ends one."

ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


@dataclass(frozen=True)
class Store:
    """The trials of one search.

    Values are stored so that higher is better: those of which lower is better, with the other sign.
    """

    storage: BaseStorage
    study: int
    "The study's id in the storage."
    name: str
    folder: Path
    pruner: BasePruner

    @classmethod
    def open(cls, search: Search, folder: Path) -> "Store":
        """Open the store of a search, and make it if there is none.

        Raises:
            InputError: the storage can't be reached.
        """
        name = search.name or folder.name
        # Two processes that make the tables of a database at the same moment would hinder each other.
        with explaining(search.storage), lock_of(folder):
            storage = _storage(search.storage, folder)
            try:
                study = storage.create_new_study([StudyDirection.MAXIMIZE], name)
            except DuplicatedStudyError:
                study = storage.get_study_id_from_name(name)
        return cls(storage, study, name, folder, pruner_of(search.pruner))

    def trials(self) -> list[FrozenTrial]:
        """Return all trials, by their numbers, without those that were one too many."""
        found = self.storage.get_all_trials(self.study)
        return sorted((trial for trial in found if SURPLUS not in trial.user_attrs), key=lambda trial: trial.number)

    def facts(self) -> dict[str, Any]:
        """Return what the search was begun with; nothing, if it is new."""
        return dict(self.storage.get_study_user_attrs(self.study).get(FACTS, {}))

    def set_facts(self, facts: Mapping[str, Any]) -> None:
        """Keep what the search is begun with."""
        self.storage.set_study_user_attr(self.study, FACTS, dict(facts))

    def begin(self, params: Mapping[str, Any], space: Space, home: str) -> int:
        """Write a new trial that runs, and return its number."""
        trial = create_trial(
            state=TrialState.RUNNING, params=dict(params), distributions=dict(space), user_attrs={HOME: home}
        )
        trial.datetime_start = datetime.now()
        return self.storage.get_trial_number_from_id(self.storage.create_new_trial(self.study, trial))

    def drop(self, number: int) -> None:
        """Mark a trial as one too many: another process began it at the same moment."""
        trial = self._id(number)
        self.storage.set_trial_user_attr(trial, SURPLUS, True)
        self.storage.set_trial_state_values(trial, TrialState.FAIL)

    def trial(self, number: int) -> FrozenTrial:
        """Return a trial as it stands."""
        return self.storage.get_trial(self._id(number))

    def note(self, number: int, facts: Mapping[str, Any]) -> None:
        """Keep facts about a trial."""
        for name, value in facts.items():
            self.storage.set_trial_user_attr(self._id(number), name, value)

    def report(self, number: int, evaluation: int, value: float) -> None:
        """Keep the value of an evaluation (counted from 1) of a trial."""
        self.storage.set_trial_intermediate_value(self._id(number), evaluation, value)

    def is_to_end(self, number: int) -> bool:
        """Tell whether the pruner ends a trial, by what has been reported of it and of others."""
        trial = self.trial(number)
        if isinstance(self.pruner, NopPruner) or not trial.intermediate_values:
            return False
        study = optuna.load_study(study_name=self.name, storage=self.storage, pruner=self.pruner)
        return bool(self.pruner.prune(study, trial))

    def complete(self, number: int, outcome: Outcome, value: float) -> None:
        """Keep what a trial gave."""
        trial = self._id(number)
        self.storage.set_trial_user_attr(trial, OUTCOME, asdict(outcome))
        self.storage.set_trial_state_values(trial, TrialState.COMPLETE, [value])

    def prune(self, number: int) -> None:
        """End a trial with the value that it reported last."""
        last = self.trial(number)
        assert last.last_step is not None
        self.storage.set_trial_state_values(
            self._id(number), TrialState.PRUNED, [last.intermediate_values[last.last_step]]
        )

    def fail(self, number: int, error: str) -> None:
        """Keep why a trial gave nothing."""
        trial = self._id(number)
        self.storage.set_trial_user_attr(trial, ERROR, error)
        self.storage.set_trial_state_values(trial, TrialState.FAIL)

    def _id(self, number: int) -> int:
        return self.storage.get_trial_id_from_study_id_trial_number(self.study, number)


@contextmanager
def lock_of(folder: Path) -> Iterator[None]:
    """Keep other processes that share a search's folder from beginning trials meanwhile.

    Raises:
        InputError: another process has the lock, and keeps it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=SECONDS_FOR_A_LOCK)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(
            f"{folder} is locked by another process for over {SECONDS_FOR_A_LOCK} s. If none is at work there, its "
            "file system does not tell that a process has ended: take another output_root"
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def explaining(storage: str | None) -> Iterator[None]:
    """Turn errors of a storage into a sentence.

    Raises:
        InputError: the storage can't be reached, is locked, or is none.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, StorageInternalError, ImportError, OSError) as error:
        shown = storage or "sqlite"
        cause = error.__cause__ or error
        raise InputError(
            f"search.storage={shown}: can't be used: {' '.join(str(cause).split())[:300]}. sqlite and journal are "
            "files in the search's folder; others are URLs as SQLAlchemy has them, such as postgresql://user@host/name"
        ) from error


def _storage(wanted: str | None, folder: Path) -> BaseStorage:
    if wanted == "journal":
        return JournalStorage(JournalFileBackend(str(folder / "trials.log")))
    if wanted in (None, "sqlite"):
        wanted = f"sqlite:///{(folder / 'trials.db').absolute()}"
    assert wanted is not None
    # SQLite waits so long for another process that writes.
    waiting = {"connect_args": {"timeout": SECONDS_FOR_A_LOCK}} if wanted.startswith("sqlite") else {}
    return RDBStorage(wanted, engine_kwargs=waiting)


def pruner_of(name: str) -> BasePruner:
    """Return what ends trials early, by its name in `search.pruner`."""
    if name == "median":
        return MedianPruner(n_startup_trials=STARTUP_TRIALS)
    if name == "hyperband":
        return HyperbandPruner()
    if name == "halving":
        return SuccessiveHalvingPruner()
    return NopPruner()
