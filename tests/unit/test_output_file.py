"""What speaks against an output file is said before any work is done."""

import os
from pathlib import Path

import pytest

from recipes.command.output_file import require_free
from recipes.convert import main
from tasks.errors import InputError

BESIDE = [Path("beside.xml")]


def test_a_new_file_may_be_written_even_in_a_new_folder(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").touch()
    require_free(tmp_path / "a" / "b" / "out.csv", [str(tmp_path / "*.csv"), "owner/data"], overwrite=False)
    require_free(tmp_path / "rows.csv", [], overwrite=True)


@pytest.mark.parametrize(
    ("output", "overwrite", "message"),
    [
        ("rows.csv", False, "rows.csv: is one of the input's files. Name another one"),
        ("sub/../rows.csv", True, "sub/../rows.csv: is one of the input's files. Name another one"),
        ("sub", True, "sub: is a folder. Name a file"),
        ("old.csv", False, "old.csv: is there already. To write it anew: --overwrite"),
        (
            "new.csv",
            False,
            "new.csv: beside.xml, which is written with it, is there already. To write it anew: --overwrite",
        ),
        ("rows.csv/new.csv", True, "rows.csv/new.csv: can't be written: {folder}/rows.csv is no folder"),
        (f"{'long' * 100}.csv", False, f"{'long' * 100}.csv: can't be written: File name too long"),
    ],
)
def test_what_speaks_against_a_file(
    output: str, overwrite: bool, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("rows.csv", "old.csv", "beside.xml"):
        Path(name).touch()
    Path("sub").mkdir()
    with pytest.raises(InputError) as error:
        require_free(Path(output), ["*.csv" if "rows" in output else "rows.csv"], overwrite=overwrite, beside=BESIDE)
    assert str(error.value) == f"-o {message}".format(folder=tmp_path)


def test_a_folder_that_nobody_may_write_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests may run as root, who may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: not (path == tmp_path and mode & os.W_OK))
    with pytest.raises(InputError, match="no permission to write in"):
        require_free(tmp_path / "new.csv", [], overwrite=False)


def test_a_conversion_does_not_write_over_its_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("text,label\nwarm,a\ncold,b\n")
    assert main([str(rows), "-o", str(rows), "--overwrite"]) == 2
    assert "is one of the input's files" in capsys.readouterr().err
    assert rows.read_text() == "text,label\nwarm,a\ncold,b\n"
