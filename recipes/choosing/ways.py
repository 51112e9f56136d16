"""The ways of training that `hparams=small_data` chooses from.

Which is best depends on the rows and on what the encoder was pretrained for. One that was trained to embed texts
(all-MiniLM-L6-v2) says so much in the mean of its tokens that a linear head on it, after a short contrastive stage, is
hard to beat with a handful of rows of a class; others, and more rows, are better served by training all weights for
long (docs/levers.md has the figures).
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from recipes.config.schema import Config, Hparams
from recipes.model.mean_pooling import WHOLE_TEXT_HEAD, can_pool_mean
from tasks.task import Head

LAST = {"keep": "last"}
"With few rows, no validation is large enough to choose an epoch by."
FEWEST_STEPS, MOST_STEPS, WINDOWS_OF_A_STEP = 10, 40, 10
"Of the contrastive stage: one for each ten windows, so that each is compared about five times."
LENGTH = {"epochs", "max_steps"}
HEAD_ALONE = {"linear_head": True, "max_steps": 0}


@dataclass(frozen=True)
class Way:
    """A way of training: what it changes in the hyperparameters, and what it is in words."""

    name: str
    words: str
    changes: Mapping[str, Any]
    rate: float = 1.0
    "The learning rate, as a multiple of the model's own."
    head_rate: float | None = None
    "That of the head, as a multiple of the model's own. None: as the encoder's."

    def applied(self, config: Config) -> Config:
        """Return the config of a run that is trained in this way. What the user has set stays as it is.

        A number of epochs or steps that the user has set is that of ways that train by steps.
        """
        kept = set(chosen_by_user(config))
        if kept & LENGTH:
            kept |= LENGTH if self.changes.get("max_steps") != 0 else set()
        rates = {"learning_rate": self.rate * config.model.learning_rate}
        if self.head_rate is not None:
            rates["head_learning_rate"] = self.head_rate * config.model.learning_rate
        changes = {key: value for key, value in {**rates, **self.changes}.items() if key not in kept}
        if self.changes.get("max_steps") == 0:
            changes["max_steps"] = 0
        return replace(config, hparams=replace(config.hparams, **changes, choose_by_folds=0))


def chosen_by_user(config: Config) -> Iterator[str]:
    """Yield the hyperparameters that differ from the defaults."""
    for one in fields(Hparams):
        default = config.model.learning_rate if one.name == "learning_rate" else one.default
        if default is not MISSING and getattr(config.hparams, one.name) != default:
            yield one.name


def ways_for(head: Head, model_config: Any, windows: int) -> list[Way]:
    """Return the ways that suit a head and an encoder, the one to take in doubt first.

    Args:
        head: that of the rows.
        model_config: that of the encoder.
        windows: how many there are to train on.
    """
    if head.auto_class == WHOLE_TEXT_HEAD:
        return list(_for_texts(head, model_config, windows))
    return list(_for_tokens())


def _for_texts(head: Head, model_config: Any, windows: int) -> Iterator[Way]:
    pooled = {"pooling": "mean"} if can_pool_mean(model_config) else {}
    if head.problem_type != "regression":
        steps = min(max(windows // WINDOWS_OF_A_STEP, FEWEST_STEPS), MOST_STEPS)
        yield Way(
            "contrastive",
            "the encoder learns to put texts with the same label together; then a linear head",
            {**LAST, **HEAD_ALONE, **pooled, "contrastive_steps": steps},
        )
    yield Way("linear", "a linear head on the encoder as it is", {**LAST, **HEAD_ALONE, **pooled})
    yield Way(
        "fine_tuning",
        "a linear head first; then all weights are trained for long, lower layers more slowly",
        {**LAST, **pooled, "linear_head": True, "layer_decay": 0.9, "epochs": 10.0},
    )


def _for_tokens() -> Iterator[Way]:
    yield Way(
        "high_rates",
        "all weights are trained at twice the usual learning rate, the head at twenty times that rate",
        LAST,
        rate=2.0,
        head_rate=20.0,
    )
    yield Way("high_rate", "all weights are trained at three times the usual learning rate", LAST, rate=3.0)
    yield Way("fine_tuning", "all weights are trained at the usual learning rate", LAST)
