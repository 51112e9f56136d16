"""What the windows of a run show about its rows: texts that were cut, and tokens that the model does not know."""

from collections.abc import Mapping, Sequence
from typing import Any

from recipes.windows.columns import Ragged, Windows
from tasks.columns import ROW
from tasks.data.options import Split
from tasks.loading.rows import AnyRows
from tasks.plausibility import apply_findings, unknown_token_findings


def judge_windows(
    rows: AnyRows, windows: Mapping[Split, Windows], tokenizer: Any, accepted: Sequence[str]
) -> list[str]:
    """Return sentences about the windows of all splits, for the console and the report.

    Raises:
        InputError: more than half of the training tokens are unknown to the model, and the user did not accept it.
    """
    notes = [
        f"{split}: {note}"
        for split, of_split in windows.items()
        for note in rows.task.window_notes(rows.task.window_counts(rows.splits[split], of_split.columns))
    ]
    ids = windows["train"].columns["input_ids"]
    assert isinstance(ids, Ragged)
    unknown = ids.values == (-1 if tokenizer.unk_token_id is None else tokenizer.unk_token_id)
    if unknown.any():
        window = int(ids.bounds.searchsorted(unknown.argmax(), side="right")) - 1
        row = rows.splits["train"][int(windows["train"].columns[ROW][window])]
        example = rows.task.content(row)
        findings = unknown_token_findings(int(unknown.sum()), len(ids.values), example)
        notes += apply_findings(findings, accepted)
    return notes
