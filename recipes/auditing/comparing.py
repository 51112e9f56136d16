"""`recipes.audit compare`: from a table with fixes to the study of what they bring."""

from collections.abc import Sequence
from pathlib import Path

from recipes.auditing.fix_table import overrides_of, read_fix_table
from recipes.command.groups import GROUPS
from recipes.command.line import SWEEP_FLAGS, key_of
from recipes.studies.fixes import write_fixes
from tasks.errors import InputError

FOLDER = "fixes"
"In the folder of an audit: what was compared."
OF_THE_AUDIT = ("task", "data", "data.train", "data.fixes", "data.folds", "data.fold")
"What a fix is about, besides the keys of data sets of the hub."


def words_of_study(words: Sequence[str]) -> list[str]:
    """Return the overrides of the study that compares training with and without fixes.

    Args:
        words: the table, and what is to be otherwise than in the audit.

    Raises:
        InputError: there is no table, its fixes can't be used, or a word does not go with them.
    """
    table, more = (words[0], list(words[1:])) if words else ("", [])
    if not table or table.startswith("-") or ("=" in table and not Path(table).is_file()):
        raise InputError("Which fixes? python -m recipes.audit compare audit.csv [KEY=VALUE ...]")
    for word in more:
        _require_of_one_comparison(word)
    path = Path(table).expanduser()
    fixes = read_fix_table(path)
    keys = {key_of(word) for word in more}
    # A choice of a group stands for all that the audit had of it, such as model=... for its model.path.
    kept = [
        word
        for word in overrides_of(path)
        if key_of(word) not in keys and key_of(word).partition(".")[0] not in keys & {*GROUPS}
    ]
    return [*kept, *more, f"data.fixes={write_fixes(fixes, path.parent / FOLDER)}", "study.kind=fixes"]


def _require_of_one_comparison(word: str) -> None:
    key = key_of(word)
    if word in SWEEP_FLAGS or key in ("study", "study.kind", "search"):
        raise InputError(
            f"{word}: a comparison trains on given and on corrected labels, with study.n=5 seeds each, and "
            "does nothing else at the same time"
        )
    if key in OF_THE_AUDIT or key.startswith("data.hub"):
        raise InputError(f"{word}: the fixes are for the rows of the audit, which the comparison takes from it")
