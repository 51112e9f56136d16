"""The line that tells those who train on few rows by default that there is another way."""

from recipes.choosing.choice import FEWEST, ways_of
from recipes.choosing.cost import Cost
from recipes.choosing.ways import set_by_user
from recipes.system.console import duration, say_field
from recipes.training.assembly import Prepared

FEW_WINDOWS = 400
"With 16 to 48 texts it gained on two sets of three, with 64 to 192 on one of three (docs/levers.md)."
NO_CHOICE = {"batch_size", "accumulation", "evaluation_batch_size"}
"Who sets these has not chosen how to train."
FOLDS = 3
"Those of `hparams=small_data`."


def hint_at_small_data(prepared: Prepared) -> None:
    """Say that `hparams=small_data` exists and what it would cost, where rows are few and nothing else was chosen.

    With several processes nothing is said, as the model may be shared among them.
    """
    windows, config = len(prepared.windows["train"]), prepared.config
    if (
        prepared.placement.processes > 1
        or not FEWEST <= windows < FEW_WINDOWS
        or config.data.balance is not None  # with which there is no choice
        or set_by_user(config) - NO_CHOICE
    ):
        return
    cost = Cost.measured(prepared)
    ways = ways_of(prepared)
    seconds = sum(cost.seconds(way.applied(config).hparams, FOLDS) for way in ways)
    if len(ways) > 1:
        what = f"tries {len(ways)} ways of training by cross-validation and takes the best"
    else:
        what = "trains in a way that needs fewer rows"
    say_field("few rows", f"hparams=small_data {what}, in about {duration(seconds)}")
