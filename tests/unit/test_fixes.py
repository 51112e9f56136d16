"""Rows that are loaded with fixes: the same ones in each split, and other labels where somebody has decided so."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recipes.auditing.comparing import words_of_study
from recipes.auditing.fix_table import read_fix_table
from recipes.command.composing import compose
from recipes.config.schema import Study
from recipes.studies.fixes import CORRECTED, GIVEN, settings, write_fixes
from recipes.studies.question import Question
from tasks.data.options import Split
from tasks.errors import InputError
from tasks.loading.fixes import place_of, read_fixes
from tasks.loading.load import load
from tasks.loading.rows import AnyRows
from tests.audited import leave_audit, write_rows

ROWS = [(f"parcel number {number}", ("late", "lost", "wet")[number % 3]) for number in range(60)]
FIXES = {
    **dict.fromkeys(range(2, 62, 6), ("wet", "yes")),  # which were late
    **dict.fromkeys(range(3, 62, 12), ("wet", "rude")),  # which were lost
    **dict.fromkeys(range(4, 62, 12), ("lost", "drop")),  # which were wet
}


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return leave_audit(Path("audit"), write_rows(Path("rows.csv"), ROWS), FIXES, "data.test_fraction=0.3")


def question_of(table: Path, *more: str) -> Question:
    """Return the question that a comparison asks."""
    words = [word for word in words_of_study([str(table), *more]) if not word.startswith("study.")]
    config = compose(words)
    rows = load(config.task, config.data, config.seed)
    return Question(Study("fixes"), Path("study"), tuple(words), config, rows, (3, 4))


def sides_of(question: Question) -> dict[str, AnyRows]:
    """Return the rows that both sides train on and are judged by."""
    found = {}
    for setting in settings(question):
        config = compose(question.words(setting, 3))
        found[setting.name] = load(config.task, config.data, config.seed)
    return found


def labels(rows: AnyRows, split: Split) -> dict[int, Any]:
    return {row.origin.number: row.label for row in rows.splits[split]}


def test_both_sides_differ_in_the_fixed_training_rows_and_in_nothing_else(table: Path) -> None:
    question = question_of(table)
    sides = sides_of(question)
    before = load(question.config.task, replace(question.config.data, fixes=None), 3)
    given, fixed = labels(sides[GIVEN], "train"), labels(sides[CORRECTED], "train")
    assert given == labels(before, "train"), "as they stand in the file, in the same split"
    dropped = {number for number in given if FIXES.get(number, ("", ""))[1] == "drop"}
    assert dropped
    assert fixed.keys() == given.keys() - dropped
    for number, label in fixed.items():
        suggested, word = FIXES.get(number, ("", ""))
        assert label == {"yes": suggested, "": given[number]}.get(word, word)
    for split in ("validation", "test"):
        assert sides[GIVEN].splits[split] == sides[CORRECTED].splits[split]
        kept = {number for number in labels(before, split) if FIXES.get(number, ("", ""))[1] != "drop"}
        assert labels(sides[GIVEN], split).keys() == kept
    assert any(number in FIXES for number in labels(sides[GIVEN], "test")), "and there are fixed ones among them"
    assert sides[CORRECTED].head.labels == ("late", "lost", "rude", "wet"), "one of them is brought by fixes alone"
    assert sides[CORRECTED].report.files == [question.config.data.fixes], "so that a change of it is noticed"


def test_with_files_of_their_own_validation_and_test_rows_stay(table: Path) -> None:
    """And the side with the given labels is an ordinary run, which may be there already."""
    write_rows(Path("test.csv"), ROWS[:30])
    question = question_of(table, "data.test=test.csv", "data.validation=rows.csv")
    given, corrected = settings(question)
    assert given.overrides == ("data.fixes=null",)
    assert corrected.overrides == ()
    sides = sides_of(question)
    assert [row.label for row in sides[CORRECTED].splits["test"]] == [label for _, label in ROWS[:30]]
    assert [row.label for row in sides[CORRECTED].splits["validation"]] == [label for _, label in ROWS]


def test_rows_that_stand_for_validation_and_training_are_training_rows(table: Path) -> None:
    question = question_of(table, "hparams=small_data")
    given, _ = settings(question)
    path = Path(given.overrides[0].removeprefix("data.fixes=").strip("'"))
    of_test = load(question.config.task, replace(question.config.data, fixes=None), 3).splits["test"]
    assert read_fixes(path).keys() == {place_of(row) for row in of_test} & read_fix_table(table).keys()


def test_rows_beyond_a_limit_stay_out(table: Path) -> None:
    """What is left out takes no other row in."""
    sides = sides_of(question_of(table, "data.limit.train=30"))
    given, fixed = (labels(sides[side], "train") for side in (GIVEN, CORRECTED))
    assert len(given) == 30
    assert fixed.keys() < given.keys()


def test_a_file_of_fixes_is_named_by_what_is_in_it(table: Path, tmp_path: Path) -> None:
    fixes = read_fix_table(table)
    path = write_fixes(fixes, tmp_path / "fixes")
    assert read_fixes(path) == fixes
    assert write_fixes(fixes, tmp_path / "fixes") == path
    less = dict(list(fixes.items())[1:])
    assert write_fixes(less, tmp_path / "fixes") != path, "so that no run of before is taken for one with these"


def test_no_row_is_left(table: Path) -> None:
    leave_audit(Path("other"), Path("rows.csv"), dict.fromkeys(range(2, 62), ("wet", "drop")))
    with pytest.raises(InputError, match=r"data\.fixes leaves out each of the \d+ train rows"):
        question_of(Path("other/audit.csv"))


def test_what_is_typed_comes_instead_of_what_the_audit_had(table: Path) -> None:
    folder = Path("with_model")
    own = ("model.path=somewhere", "hparams.epochs=2", "runtime.threads=1")
    leave_audit(folder, Path("rows.csv"), FIXES, *own)
    words = words_of_study([str(folder / "audit.csv"), "model=roberta-base", "hparams.epochs=5"])
    assert "model.path=somewhere" not in words, "which would be trained instead of what is asked for"
    assert "hparams.epochs=2" not in words
    assert {"model=roberta-base", "hparams.epochs=5", "runtime.threads=1", "seed=3", "study.kind=fixes"} < {*words}
    assert "seed=3" not in words_of_study([str(folder / "audit.csv"), "seed=8"])


def test_an_audit_of_an_older_version_says_what_to_do(table: Path) -> None:
    record = table.with_name("audit.json")
    record.write_text(record.read_text().replace('"row": ', '"other": '))
    with pytest.raises(InputError, match=r"of an older version of this program\. The audit's command makes it anew"):
        read_fix_table(table)
