"""What somebody has written into the table of an audit stays when the audit is done again."""

from pathlib import Path

import pytest

from recipes.auditing.fix_table import overrides_of, read_fix_table, with_fixes_of
from tasks.errors import InputError
from tests.audited import leave_audit, write_rows


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = write_rows(tmp_path / "rows.csv", [("a", "late"), ("b", "lost"), ("c", "wet")])
    fixes = {2: ("lost", "Yes"), 3: ("wet", ""), 4: ("late", " damp ")}
    return leave_audit(tmp_path / "audit", rows, fixes, "model.path=there")


def cells(table: Path, number: int, given: str, suggested: str) -> dict[str, str]:
    subject = {"file": str(table.parents[1] / "rows.csv"), "line": str(number), "kind": "label"}
    return {"rank": "9", "fix": "", **subject, "given": given, "suggested": suggested, "text": ""}


def test_words_stay_with_their_suspects(table: Path) -> None:
    new = [cells(table, 4, "wet", "late"), cells(table, 2, "late", "lost"), cells(table, 3, "lost", "late")]
    assert [row["fix"] for row in with_fixes_of(table, new)] == [" damp ", "Yes", ""]
    assert with_fixes_of(table.with_name("other.csv"), new) == new


def test_no_word_is_lost(table: Path) -> None:
    """The model has another suggestion for one of them, so that `yes` would mean something else."""
    before = table.read_bytes()
    with pytest.raises(InputError, match=r"is filled for 1 suspect that this audit does not have. To keep the table"):
        with_fixes_of(table, [cells(table, 4, "wet", "late"), cells(table, 2, "late", "wet")])
    assert table.read_bytes() == before


def test_what_a_table_says(table: Path) -> None:
    fixes = read_fix_table(table)
    rows = str(table.parents[1] / "rows.csv")
    assert {place: [fix.word for fix in one.fixes] for place, one in fixes.items()} == {
        (rows, 2): ["yes"],
        (rows, 4): ["damp"],
    }
    assert overrides_of(table)[-2:] == ["model.path=there", "seed=3"]
