"""The line that tells those who train on few rows by default that there is another way."""

from recipes.choosing.choice import FEWEST_ROWS_OF_A_LABEL, ways_of
from recipes.choosing.cost import Cost
from recipes.choosing.ways import chosen_by_user
from recipes.system.console import duration, say_field
from recipes.training.assembly import Prepared

FEW_WINDOWS = 400
"With more, training all weights as by default is as good as what `hparams=small_data` chooses (docs/levers.md)."
NO_CHOICE = {"batch_size", "accumulation", "evaluation_batch_size"}
"Who sets these has not chosen how to train."
FOLDS = 3
"Those of `hparams=small_data`."


def hint_at_small_data(prepared: Prepared, command: str) -> None:
    """Say that `hparams=small_data` exists and what it would cost, where rows are few and nothing else was chosen."""
    windows, config = len(prepared.windows["train"]), prepared.config
    if not FEWEST_ROWS_OF_A_LABEL <= windows < FEW_WINDOWS or chosen_by_user(config, command) - NO_CHOICE:
        return
    cost = Cost.measured(prepared)
    ways = ways_of(prepared)
    seconds = sum(cost.seconds(way.applied(config).hparams, FOLDS) for way in ways)
    say_field(
        "few rows",
        f"hparams=small_data tries {len(ways)} ways of training by cross-validation and takes the best, in about "
        f"{duration(seconds)}",
    )
