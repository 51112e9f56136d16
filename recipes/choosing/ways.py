"""The ways of training that `hparams=small_data` chooses from.

Which is best depends on the rows and on what the encoder was pretrained for. One that was trained to embed texts
(all-MiniLM-L6-v2) says so much in the mean of its tokens that a linear head on it, after a short contrastive stage, is
hard to beat with a handful of rows of a class (docs/levers.md has the figures). Others, and more rows, may be better
served by training all weights, which is why nothing is taken for granted.
"""

import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import Field, dataclass, fields, replace
from typing import Any

from recipes.config.schema import Config, Hparams
from recipes.config.validation import NEED_STEPS
from recipes.model.mean_pooling import WHOLE_TEXT_HEAD, can_pool_mean
from tasks.task import Head

LAST = {"keep": "last"}
"With few rows, no validation is large enough to choose an epoch by."
FEWEST_STEPS, MOST_STEPS, WINDOWS_OF_A_STEP = 10, 40, 10
"Of the contrastive stage: one for each ten windows, so that each is compared about five times."
FEW_WINDOWS, EPOCHS_OF_FEW = 200, 20.0
"So few windows are trained on for so many epochs at high rates; the usual number of them is up to twice as high."
LENGTH = {"epochs", "max_steps"}
HEAD_ALONE = {"linear_head": True, "max_steps": 0}
OF_STEPS = frozenset({*NEED_STEPS, *LENGTH, "layer_decay", "head_learning_rate"})
"Hyperparameters that do nothing in a way that takes no steps."
NO_STEPS = "no effect, as a head is fitted on these rows to an encoder that is not trained by such steps"


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

    @property
    def takes_steps(self) -> bool:
        """Whether all weights are trained, and not the head alone."""
        return self.changes.get("max_steps") != 0

    @property
    def settled(self) -> set[str]:
        """The hyperparameters for which it has values of its own."""
        rates = {"learning_rate"} if self.rate != 1 else set()
        return {*self.changes, *rates, *({"head_learning_rate"} if self.head_rate is not None else ())}

    def applied(self, config: Config, kept: Collection[str] = ()) -> Config:
        """Return the config of a run that is trained in this way. What the user has set stays as it is.

        A number of epochs or steps that the user has set is that of ways that train by steps.

        Args:
            config: that of the run.
            kept: the hyperparameters that the user has set.
        """
        kept = set(kept)
        if kept & LENGTH:
            kept |= LENGTH if self.takes_steps else set()
        rates = {"learning_rate": self.rate * config.model.learning_rate}
        if self.head_rate is not None:
            rates["head_learning_rate"] = self.head_rate * config.model.learning_rate
        changes = {key: value for key, value in {**rates, **self.changes}.items() if key not in kept}
        if not self.takes_steps:
            changes["max_steps"] = 0
        return replace(config, hparams=replace(config.hparams, **changes, choose_by_folds=0))


def set_by_user(config: Config) -> set[str]:
    """Return the hyperparameters that were set to other values than their defaults, in the command or in a file.

    A default that is typed does not count: runs with the same values are the same run, and have the same directory.
    """
    return {one.name for one in fields(Hparams) if getattr(config.hparams, one.name) != _default(one, config)}


def set_in_vain(ways: Collection[Way], config: Config, command: str) -> Iterator[str]:
    """Yield sentences about what the user has set and not all ways heed."""
    own = set_by_user(config)
    typed = {word.partition("=")[0].lstrip("+") for word in shlex.split(command) if "=" in word}
    for name in sorted({name for way in ways for name in way.settled} - own):
        if f"hparams.{name}" in typed:
            yield f"hparams.{name} is set to its default, which leaves it to each way of training"
    of_steps = ", ".join(f"hparams.{name}" for name in sorted(own & OF_STEPS))
    with_steps = [way.name for way in ways if way.takes_steps]
    if of_steps and len(with_steps) < len(ways):
        heeding = f"only for ways that train all weights ({', '.join(with_steps)})" if with_steps else NO_STEPS
        yield f"{of_steps}: {heeding}"


def _default(hyperparameter: Field[Any], config: Config) -> Any:
    return config.model.learning_rate if hyperparameter.name == "learning_rate" else hyperparameter.default


def differences(config: Config, other: Config) -> dict[str, Any]:
    """Return the hyperparameters of another config that are not those of the first."""
    return {
        one.name: value
        for one in fields(Hparams)
        if (value := getattr(other.hparams, one.name)) != getattr(config.hparams, one.name)
        and one.name != "choose_by_folds"
    }


def ways_for(head: Head, model_config: Any, windows: int, fits_alone: bool) -> list[Way]:
    """Return the ways that suit a head and an encoder, the one to take in doubt first.

    Args:
        head: that of the rows.
        model_config: that of the encoder.
        windows: how many there are to train on.
        fits_alone: whether the head has an output layer that can be fitted by itself.
    """
    if head.auto_class == WHOLE_TEXT_HEAD and fits_alone:
        return list(_for_texts(head, model_config, windows))
    return list(_all_weights(windows))


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
        "a linear head first; then all weights are trained, lower layers more slowly",
        {**LAST, **pooled, "linear_head": True, "layer_decay": 0.9, "epochs": 10.0},
    )


def _all_weights(windows: int) -> Iterator[Way]:
    high = {**LAST, "epochs": EPOCHS_OF_FEW} if windows <= FEW_WINDOWS else LAST
    yield Way(
        "high_rates",
        "all weights are trained at twice the usual learning rate, and the head at twenty times the usual one",
        high,
        rate=2.0,
        head_rate=20.0,
    )
    yield Way("high_rate", "all weights are trained at three times the usual learning rate", high, rate=3.0)
    yield Way("fine_tuning", "all weights are trained at the usual learning rate", LAST)
