"""What a search leaves in its folder: the table as text, everything as JSON, and the report as a page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState, create_trial

from recipes.config.schema import Search
from recipes.reporting.search_page import RECORD, write_search_page
from recipes.searching.confirming import Confirmed, lead_in_words
from recipes.searching.space import Space
from recipes.searching.store import ERROR
from recipes.searching.trial import outcome_of
from recipes.system.console import say
from recipes.system.files import write_json

FEWEST_TO_EXPLAIN = 5
"Completed trials, below which nothing can be said on what mattered."


def write_record(
    folder: Path,
    search: Search,
    space: Space,
    trials: Sequence[FrozenTrial],
    confirmed: Sequence[Confirmed],
    best: FrozenTrial | None,
    command: str | None,
    on_test: str = "",
) -> None:
    """Write all that is known of a search, without times, which differ when it is done again; and its page.

    Args:
        folder: that of the search.
        search: its settings.
        space: the values that were tried.
        trials: all that have ended, best first.
        confirmed: those that were run again, best first.
        best: the winner; None if no trial has a score.
        command: the one that trains with the winner's values.
        on_test: what the test rows say about the first two of `confirmed`.
    """
    outcomes = [outcome for outcome in map(outcome_of, trials) if outcome is not None]
    lead = lead_in_words(confirmed[0], confirmed[1]) if len(confirmed) > 1 else ""
    told = {"lead": lead, "on_test": on_test}
    record = {
        "search": {**asdict(search), "storage": None},  # a URL may hold a password
        "space": {key: _plain_values(values) for key, values in space.items()},
        "objective": outcomes[0].objective_name if outcomes else "objective",
        "greater is better": outcomes[0].greater_is_better if outcomes else True,
        "trials": list(map(_plain, trials)),
        "importance": importance(trials),
        "confirmed": [one.plain() for one in confirmed],
        "best": None if best is None else {"number": best.number, "values": best.params, **told},
        "command": command,
    }
    write_json(folder / RECORD, record)
    say(f"Report: {write_search_page(folder)}")


def _plain(trial: FrozenTrial) -> dict[str, Any]:
    outcome = outcome_of(trial)
    return {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "values": trial.params,
        "value": trial.value,
        "evaluations": {str(step): value for step, value in sorted(trial.intermediate_values.items())},
        "outcome": None if outcome is None else asdict(outcome),
        "error": trial.user_attrs.get(ERROR),
    }


def _plain_values(values: Any) -> dict[str, Any]:
    if isinstance(values, CategoricalDistribution):
        return {"choices": [str(choice) for choice in values.choices]}
    assert isinstance(values, FloatDistribution | IntDistribution)
    return {"low": values.low, "high": values.high, "log": values.log}


def importance(trials: Sequence[FrozenTrial]) -> Mapping[str, float]:
    """Return the share of each key in how much the score varies; nothing if too few trials tell.

    By functional ANOVA over regression trees (Hutter et al. 2014), as Optuna computes it.
    """
    done = sorted((trial for trial in trials if trial.state == TrialState.COMPLETE), key=lambda trial: trial.number)
    tried = {key for trial in done for key in trial.params}
    varied = [key for key in tried if len({trial.params[key] for trial in done}) > 1]
    if len(done) < FEWEST_TO_EXPLAIN or len(varied) < 2 or len({trial.value for trial in done}) < 2:
        return {}
    study = optuna.create_study(direction="maximize")
    for trial in done:
        study.add_trial(create_trial(value=trial.value, params=trial.params, distributions=trial.distributions))
    return get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
