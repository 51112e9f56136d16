"""The part of the checks that each run does."""

from pathlib import Path

from recipes.command.composing import compose
from tasks.inspecting.quick import TOLD, quick_findings
from tasks.loading.load import load
from tasks.loading.rejoining import with_validation_in_training
from tasks.loading.rows import AnyRows

OPENINGS = ("parcel", "the letter", "a crate number", "box", "my order")
ENDINGS = ("monday", "the week", "last year", "two shops", "our street", "his", "the sea")


def read(lines: list[str], folder: Path) -> AnyRows:
    path = folder / "rows.csv"
    path.write_text("text,label\n" + "".join(f"{line}\n" for line in lines))
    config = compose(["task=classification", "data=files", f"data.train={path}", "data.test_fraction=0"])
    return load(config.task, config.data, 1)


def lines(marked: int) -> list[str]:
    return [
        f"{'<br>' if number < marked else ''}{OPENINGS[number % 5]} {number} of {ENDINGS[number % 7]},"
        f"{'late' if number % 2 else 'lost'}"
        for number in range(40)
    ]


def test_errors_and_warnings_are_told(tmp_path: Path) -> None:
    (found,) = quick_findings(read(lines(20), tmp_path))
    assert (found.kind, found.count, found.of) == ("markup", 18, 36)  # four rows are held back for validation
    assert list(quick_findings(read(lines(0), tmp_path))) == []


def test_rows_that_are_training_and_validation_count_once(tmp_path: Path) -> None:
    rows = with_validation_in_training(read(lines(20), tmp_path), "all of them")
    (found,) = quick_findings(rows)
    assert (found.count, found.of) == (20, 40)


def test_what_reading_tells_is_not_told_twice(tmp_path: Path) -> None:
    rows = read([*lines(0), lines(0)[1].replace("late", "lost")], tmp_path)
    assert any("different labels" in note for note in rows.notes)
    assert "conflicting_labels" in TOLD
    assert list(quick_findings(rows)) == []
