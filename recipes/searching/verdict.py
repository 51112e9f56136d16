"""What the test rows say about the two trials that were best with fresh seeds."""

from pathlib import Path

from recipes.comparing.groups import Group
from recipes.comparing.sentences import sentence
from recipes.comparing.stored_runs import load_run
from recipes.comparing.verdicts import compare
from recipes.searching.confirming import Confirmed
from tasks.errors import InputError


def on_test_rows(best: Confirmed, second: Confirmed) -> str:
    """Return which of two trials is better on the test rows, or why that can't be told.

    The validation rows chose the trials, so that these are too good on them by luck. The test rows had no part in it.
    Both rows and seeds count, as in `recipes.compare`.

    Returns:
        A sentence; an empty one if there are no test scores.
    """
    if not (best.tests and second.tests):
        return ""
    try:
        groups = [_group(one) for one in (best, second)]
        runs = [run for group in groups for run in group.runs]
        if len({tuple(run.row_digests) for run in runs}) > 1:
            return "not compared, as each seed cuts off other test rows: data.split_seed=1 would hold them"
        comparison = compare(groups, best.score_name)
    except InputError as error:
        return f"not compared. {error}"
    return sentence(comparison.pairs[0], comparison.score)


def _group(confirmed: Confirmed) -> Group:
    runs = [load_run(Path(one.directory), "test") for one in confirmed.outcomes if one.test is not None]
    return Group(f"trial {confirmed.trial.number}", runs)
