"""The recipe of each task."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from recipes.config.schema import Hparams
from recipes.heads import classification, ner, qa
from recipes.heads.recipe import Recipe, Reduce
from tasks.loading.rows import AnyRows
from tasks.task import AnyTask, Head

RECIPES: Mapping[str, Callable[[AnyRows, Hparams], Recipe]] = MappingProxyType(
    {"classification": classification.recipe, "ner": ner.recipe, "qa": qa.recipe}
)
"The function that makes a recipe from rows and hyperparameters, by the name of the task."

REDUCTIONS: Mapping[str, Callable[[AnyTask, Head], Reduce]] = MappingProxyType(
    {"classification": classification.reduction, "ner": ner.reduction, "qa": qa.reduction}
)
"The function that makes the reduction of a trained model's outputs, by the name of the task."


def reduction_for(task: AnyTask, head: Head) -> Reduce:
    """Return what predictions need of a trained model's outputs."""
    return REDUCTIONS[task.name](task, head)


def recipe_for(rows: AnyRows, hparams: Hparams) -> Recipe:
    """Return the recipe of the rows' task.

    Raises:
        InputError: the hyperparameters and the labels don't go together.
    """
    return RECIPES[rows.task.name](rows, hparams)
