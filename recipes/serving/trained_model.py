"""A trained model that predicts for new rows, by the very code that made the predictions of its run."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recipes.inference.predicting import Predictor
from recipes.machine.devices import Placement
from recipes.model.trained import Trained
from recipes.serving.items import list_of_items, rows_of_items
from recipes.windows.cache import tokenizer_digest
from recipes.windows.columns import Ragged, Windows, to_table
from tasks.portions import portions_of
from tasks.task import AnyTask, Prediction, Row

ROWS_AT_ONCE = 1000
"Rows that are sorted by length together."
CHARACTERS_AT_ONCE = 2_000_000
"Most characters of such rows, so that long texts take no more memory; one that is longer stands alone."
WINDOWS_AT_ONCE = 512
"Most windows in a batch."
TOKENS, UNKNOWN = "tokens", "tokens unknown"
"The names of counts of all tokens, and of those that the tokenizer does not know."
MANY_UNKNOWN = 20
"A twentieth of all tokens is worth a note."


@dataclass(frozen=True, repr=False)
class TrainedModel:
    """A trained model on its device, with its task."""

    trained: Trained
    predictor: Predictor
    placement: Placement

    @property
    def task(self) -> AnyTask:
        """The task that the model was trained for."""
        return self.trained.task

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.describe()}>"

    def fingerprint(self) -> str:
        """Return a hash of everything that predictions depend on: weights, tokenizer, labels, options, thresholds."""
        trained = self.trained
        settings = (trained.fingerprint, trained.head, trained.task, dict(trained.calibration), trained.limit)
        return hashlib.sha256(repr(settings).encode() + tokenizer_digest(trained.tokenizer)).hexdigest()[:16]

    def describe(self) -> str:
        """Return one phrase for the console: `ner, 11 labels, fp32 on cpu, 2 threads`."""
        labels = len(self.trained.head.labels)
        outputs = f"{labels} labels" if labels > 1 else "a number" if labels else "spans"
        variety = self.task.variety()
        return ", ".join(filter(None, (self.task.name, variety, outputs, self.placement.describe())))

    def __call__(self, items: Any) -> Any:
        """Return the prediction for an item, or a list of predictions for a list of items, as plain dicts.

        An item is a text, a tuple (a pair of texts; a question and its passage), a dict with such values by their usual
        or trained column names, or for named entities a list of words. A single text, pair or dict gives a single
        prediction; any other iterable is taken for several items.

        Named entities: `{"entities": [{"type", "start", "end", "text", "score"}]}`, where `start` and `end` count the
        text's characters, or the words if words were given; these get `tags`, too. Classification: `{"label",
        "scores"}`. Questions: `{"answer", "start", "end", "score", "no_answer_score"}`.

        Raises:
            InputError: an item can't be used; names it by its number.
        """
        single = isinstance(items, str | Mapping) or (isinstance(items, tuple) and self.task.takes_pairs)
        rows = rows_of_items(self.task, [items] if single else list_of_items(items), self.trained.stored)
        answers = [
            self.task.answer(row, prediction) for row, prediction in zip(rows, self.predict_rows(rows), strict=True)
        ]
        return answers[0] if single else answers

    def predict_rows(self, rows: Sequence[Row], counts: Counter[str] | None = None) -> list[Prediction]:
        """Return a finished prediction for each row, in order.

        Args:
            rows: the rows, without labels or with them.
            counts: what happened to the rows on their way to windows is added to it; `notes` says it in words.
        """
        return [prediction for portion in portions(self.task, rows) for prediction in self._predict(portion, counts)]

    def notes(self, counts: Mapping[str, int]) -> list[str]:
        """Return what the user should know about rows with these counts: how much was cut off, or is unknown."""
        unknown, tokens = counts.get(UNKNOWN, 0), counts.get(TOKENS, 0)
        notes = list(self.task.window_notes(counts)) if counts else []
        if unknown > tokens / MANY_UNKNOWN:
            notes.append(
                f"{unknown} of {tokens} tokens are unknown to this model's tokenizer: predictions for such texts are "
                "hardly better than guesses"
            )
        return notes

    def windows_of(self, rows: Sequence[Row]) -> Windows:
        """Return the windows of rows, the longest first."""
        trained = self.trained
        length = self.task.window_length(trained.limit)
        table = to_table(self.task.encode(rows, trained.tokenizer, trained.head, length))
        sizes = pc.list_value_length(table["input_ids"]).to_numpy()
        return Windows(table.take(pa.array(np.argsort(-sizes, kind="stable"))))

    def _predict(self, rows: Sequence[Row], counts: Counter[str] | None) -> list[Prediction]:
        windows = self.windows_of(rows)
        if counts is not None:
            counts.update(self.task.window_counts(rows, windows.columns))
            counts.update(self._token_counts(windows))
        decoded = self.predictor.predict_rows(rows, windows)
        return self.task.apply_calibration(decoded, self.trained.calibration)

    def _token_counts(self, windows: Windows) -> dict[str, int]:
        ids = windows.columns["input_ids"]
        assert isinstance(ids, Ragged)
        unknown = self.trained.tokenizer.unk_token_id
        return {TOKENS: len(ids.values), UNKNOWN: int((ids.values == (-1 if unknown is None else unknown)).sum())}


def portions(task: AnyTask, rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Yield neighbouring rows that are encoded and predicted together."""
    yield from portions_of(rows, partial(characters_of, task), CHARACTERS_AT_ONCE, ROWS_AT_ONCE)


def characters_of(task: AnyTask, row: Row) -> int:
    """Return how many characters the texts and words of a row have."""
    values: list[Any] = [getattr(row, name) for name in task.texts]
    return sum(
        len(value) if isinstance(value, str) else sum(len(word) for word in value if isinstance(word, str))
        for value in values
        if value is not None
    )
