"""How a model is trained, judged and used. Modules at the top are verbs, one command each; folders are rooms.

A room imports only from rooms below it; `tests/unit/test_layers.py` holds the table of ranks. In Python, `recipes.load`
gives a trained model that predicts.
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recipes.serving.trained_model import TrainedModel


def load(path: str | os.PathLike[str], **options: Any) -> "TrainedModel":
    """Load a trained model, to be called with new texts.

    >>> model = load("outputs/ner/ner_sample/minilm/default/seed=1")
    >>> model("Mara Lindqvist joined Northgate.")
    {'entities': [{'type': 'person', 'start': 0, 'end': 14, 'text': 'Mara Lindqvist', 'score': 0.99}, ...]}

    Args:
        path: a run directory, a folder with a trained model, or a hub id.
        options: `device`, `precision` (auto: fp32, as the run's own predictions were made) and `threads`; `revision`
            and `allow_pickled_weights` of a hub model; `label_names`, a list, if its labels have none; and the options
            of its task, such as `words="blanks"` or `top_k=3`, instead of those of its training.

    Raises:
        tasks.errors.InputError: there is no trained model, or an option can't be used.
    """
    from recipes.serving.loading import load_model

    return load_model(path, **options)
