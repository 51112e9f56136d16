"""The values of the next trial, as a pure function of the search, the trial's number and the trials before it.

Optuna's samplers draw from a generator that lives as long as the process, so that a search that was killed and started
again would go another way. Here each trial is drawn by a sampler of its own, whose seed is made of the search's seed
and the trial's number, from a copy of the history in memory.
"""

import itertools
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, QMCSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from recipes.searching.space import Space, grid_of, rounded
from tasks.errors import InputError

STARTUP_TRIALS = 10
"Trials at random before a sampler is led by results (Bergstra et al. 2011 take 20 for spaces of 32 dimensions)."


@dataclass
class Proposer:
    """Proposes the values of trials.

    Args:
        sampler: its name.
        seed: that of the search.
        space: the distributions by key.
        first: the values of the first trial; none: it is drawn as all others are.
        together: how many trials are chosen at a time, none of them knowing what the others of them give.
    """

    sampler: str
    seed: int
    space: Space
    first: Mapping[str, Any] = field(default_factory=dict)
    together: int = 1
    _states: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    "What CMA-ES keeps with each trial. It is made anew after a restart, since it is stored as a pickle."

    def propose(self, number: int, history: Sequence[FrozenTrial]) -> dict[str, Any]:
        """Return the values of a trial.

        Args:
            number: that of the trial.
            history: the trials with lower numbers, in order.
        """
        if self.sampler == "grid":
            return self._of_grid(number)
        if number == 0 and self.first:
            return dict(self.first)
        drawn = number - bool(self.first)
        if self.sampler == "qmc":
            return rounded(self._of_sequence(drawn), self.space)
        for earlier in range(number if self.sampler == "cmaes" else 0):
            if earlier not in self._states:
                self._draw(earlier, history[:earlier])
        return rounded(self._draw(number, history), self.space)

    def size(self) -> float:
        """Return how many different trials there can be.

        Raises:
            InputError: a grid has an interval, which has no end of values.
        """
        try:
            return math.prod(len(values) for values in grid_of(self.space).values())
        except InputError:
            if self.sampler == "grid":
                raise
            return math.inf

    def _of_grid(self, number: int) -> dict[str, Any]:
        values = grid_of(self.space)
        combination = next(itertools.islice(itertools.product(*values.values()), number, None))
        return dict(zip(values, combination, strict=True))

    def _of_sequence(self, number: int) -> dict[str, Any]:
        """Return a point of a scrambled Sobol sequence. The sampler counts its points, so it is asked for all."""
        with _quiet():
            study = _study(QMCSampler(scramble=True, seed=self.seed, warn_independent_sampling=False))
            # From its first trial, the sampler learns which keys there are.
            study.add_trial(_unfinished(RandomSampler(self.seed), self.space))
            trials = [study.ask(dict(self.space)) for _ in range(number + 1)]
        return dict(trials[-1].params)

    def _draw(self, number: int, history: Sequence[FrozenTrial]) -> dict[str, Any]:
        begin = number - number % self.together
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        with _quiet():
            study = _study(self._sampler(seed))
            for earlier in history[:number]:
                state = self._states.get(earlier.number, {})
                study.add_trial(_known(earlier, state) if earlier.number < begin else _running(earlier, state))
            trial = study.ask(dict(self.space))
        self._states[number] = study.trials[-1].system_attrs
        return dict(trial.params)

    def _sampler(self, seed: int) -> BaseSampler:
        if self.sampler == "tpe":
            return TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS, multivariate=True, constant_liar=True)
        if self.sampler == "cmaes":
            return CmaEsSampler(seed=seed, warn_independent_sampling=False)
        if self.sampler == "gp":
            return GPSampler(seed=seed, n_startup_trials=STARTUP_TRIALS)
        return RandomSampler(seed=seed)


def _study(sampler: BaseSampler) -> Study:
    return optuna.create_study(direction="maximize", sampler=sampler)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep samplers from telling that they are experimental, or fall back to random values at first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _known(trial: FrozenTrial, state: Mapping[str, Any]) -> FrozenTrial:
    """Return a trial with what it gave; one that failed gave nothing."""
    return create_trial(
        state=trial.state,
        value=trial.value,
        params=trial.params,
        distributions=trial.distributions,
        intermediate_values=trial.intermediate_values,
        system_attrs=dict(state),
    )


def _running(trial: FrozenTrial, state: Mapping[str, Any]) -> FrozenTrial:
    """Return a trial as it is known before it gives anything."""
    return create_trial(
        state=TrialState.RUNNING, params=trial.params, distributions=trial.distributions, system_attrs=dict(state)
    )


def _unfinished(sampler: BaseSampler, space: Space) -> FrozenTrial:
    study = _study(sampler)
    study.ask(dict(space))
    return _running(study.trials[0], {})
