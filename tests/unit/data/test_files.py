"""Finding and decoding files."""

from pathlib import Path

import pytest

from tasks.data import files
from tasks.data.decoding import BINARY_SIGNATURES, decode_file
from tasks.data.files import find_files
from tasks.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.csv", "a.csv", "train.tsv", ".hidden.csv"):
        (tmp_path / name).write_text("text,label\n")
    return tmp_path


class TestFindFiles:
    def test_path(self, folder: Path) -> None:
        assert find_files(str(folder / "b.csv"), "data.train") == [folder / "b.csv"]

    def test_glob_is_sorted_and_leaves_hidden_files_out(self, folder: Path) -> None:
        assert find_files(str(folder / "*.csv"), "data.train") == [folder / "a.csv", folder / "b.csv"]

    def test_list_gives_each_file_once(self, folder: Path) -> None:
        found = find_files([str(folder / "train.tsv"), str(folder / "*.csv"), str(folder / "a.csv")], "data.train")
        assert found == [folder / "a.csv", folder / "b.csv", folder / "train.tsv"]

    def test_recursive_glob(self, folder: Path) -> None:
        (folder / "deep" / "er").mkdir(parents=True)
        (folder / "deep" / "er" / "c.csv").touch()
        assert find_files(str(folder / "**" / "c.csv"), "data.train") == [folder / "deep" / "er" / "c.csv"]

    def test_home(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(folder))
        assert find_files("~/a.csv", "data.train") == [folder / "a.csv"]

    def test_unknown_home(self) -> None:
        with pytest.raises(InputError, match="no file"):
            find_files("~no-such-user-here/a.csv", "data.train")

    def test_sample(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files, "SAMPLES", folder)
        assert find_files("sample:a.csv", "data.train") == [folder / "a.csv"]

    def test_brackets_in_a_name(self, folder: Path) -> None:
        (folder / "x[1].csv").touch()
        assert find_files(str(folder / "x[1].csv"), "data.train") == [folder / "x[1].csv"]

    def test_missing_file_names_key_place_and_near_name(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(folder)
        with pytest.raises(InputError) as error:
            find_files("trian.tsv", "data.validation")
        assert str(error.value) == (
            f"data.validation=trian.tsv: there is no file {folder / 'trian.tsv'}. Did you mean 'train.tsv'?"
        )

    def test_glob_without_match(self, folder: Path) -> None:
        with pytest.raises(InputError, match=r"no file matches .*\*\.json"):
            find_files(str(folder / "*.json"), "data.train")

    def test_missing_folder(self, folder: Path) -> None:
        with pytest.raises(InputError, match=f"There is no folder {folder / 'nowhere'} either"):
            find_files(str(folder / "nowhere" / "a.csv"), "data.train")

    def test_default_place_of_public_data_names_the_variable(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folder)
        monkeypatch.delenv("RECIPES_DATA", raising=False)
        with pytest.raises(InputError, match="export RECIPES_DATA="):
            find_files("data/wnut17/wnut17train.conll", "data.train")
        monkeypatch.setenv("RECIPES_DATA", "data")
        with pytest.raises(InputError) as error:
            find_files("data/wnut17/wnut17train.conll", "data.train")
        assert "export" not in str(error.value)

    def test_folder_lists_what_to_write(self, folder: Path) -> None:
        with pytest.raises(InputError) as error:
            find_files(str(folder), "data.train")
        assert str(error.value).split("\n") == [
            f"data.train={folder}: {folder} is a folder. Name files:",
            f"  data.train='{folder}/*.csv' (2 files)",
            f"  data.train={folder}/train.tsv",
        ]

    def test_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="there is no file in it"):
            find_files(str(tmp_path), "data.train")

    @pytest.mark.parametrize("value", [None, "", [], [""], 3, ["a.csv", None], {"a": "b"}])
    def test_other_types(self, value: object) -> None:
        with pytest.raises(InputError, match=r"data\.test=.*: a path, a glob"):
            find_files(value, "data.test")

    def test_impossible_name(self) -> None:
        with pytest.raises(InputError, match=r"data\.train=x+: can't look there: File name too long"):
            find_files("x" * 5000, "data.train")


class TestDecodeFile:
    def decode(self, folder: Path, data: bytes, encoding: str = "utf-8") -> str:
        (folder / "f.csv").write_bytes(data)
        return decode_file(folder / "f.csv", encoding)

    @pytest.mark.parametrize(
        ("data", "encoding", "text"),
        [
            (b"\xef\xbb\xbfa,b\r\nc,d\r\n", "utf-8", "a,b\nc,d\n"),
            (b"a\rb\r", "utf-8", "a\nb\n"),
            (b"a\rb\n", "utf-8", "a\rb\n"),
            ("a\ufeffb".encode(), "utf-8", "a\ufeffb"),
            (b"caf\xe9", "latin-1", "café"),
            ("é\n".encode("utf-16"), "utf-16", "é\n"),
            ("é\n".encode("utf-16"), "utf-8", "é\n"),
            ("é\r\n".encode("utf-16"), "latin-1", "é\n"),
            (b"\xfe\xff" + "é\n".encode("utf-16-be"), "utf-8", "é\n"),
            ("é\n".encode("utf-32"), "utf-8", "é\n"),
            ("\ufeffé\n".encode("utf-16-le"), "utf-16-le", "é\n"),
            (b"", "utf-8", ""),
        ],
    )
    def test_text(self, tmp_path: Path, data: bytes, encoding: str, text: str) -> None:
        assert self.decode(tmp_path, data, encoding) == text

    @pytest.mark.parametrize(
        ("data", "encoding", "place", "suggestion"),
        [
            (b"ok\nfine\nsister\xf0city\n", "utf-8", "line 3: byte 0xf0 is not valid utf-8", "latin-1"),
            (b"it\x92s\n", "utf-8", "line 1: byte 0x92", "cp1252"),
            (b"\x81\xff", "utf-8", "line 1: byte 0x81", "latin-1"),
            (b"\xef\xbb\xbfok\ncaf\xe9\n", "utf-8", "line 2: byte 0xe9", "latin-1"),
            ("é".encode(), "ascii", "line 1: byte 0xc3 is not valid ascii", "utf-8"),
        ],
    )
    def test_wrong_encoding(self, tmp_path: Path, data: bytes, encoding: str, place: str, suggestion: str) -> None:
        with pytest.raises(InputError) as error:
            self.decode(tmp_path, data, encoding)
        assert f"f.csv, {place}" in str(error.value)
        assert str(error.value).endswith(f"data.encoding={suggestion}")

    @pytest.mark.parametrize("encoding", ["utf8x", "latin-11", "base64", "no such"])
    def test_unknown_encoding(self, tmp_path: Path, encoding: str) -> None:
        with pytest.raises(InputError, match=f"data.encoding={encoding}: no such text encoding"):
            self.decode(tmp_path, b"a", encoding)

    @pytest.mark.parametrize("start", BINARY_SIGNATURES)
    def test_not_text(self, tmp_path: Path, start: bytes) -> None:
        with pytest.raises(InputError) as error:
            self.decode(tmp_path, start + b"\xff\xff")
        assert str(error.value).endswith(f"f.csv: is {BINARY_SIGNATURES[start]}")

    @pytest.mark.parametrize(
        ("data", "what"),
        [
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
            (b"\xef\xbb\xbf\n<!DOCTYPE HTML><p>Log in", "an HTML page"),
            (b"  <html>", "an HTML page"),
            (b"<?xml version='1.0'?>", "XML"),
            (b"#FORMAT=WebAnno TSV 3.3\n", "WebAnno"),
            (b"{\\rtf1 warm beds}", "a text with formatting"),
            (b"a" + bytes(range(8)) * 20 + b"\0" * 40, "a binary file, not text"),
        ],
    )
    def test_texts_of_other_kinds(self, tmp_path: Path, data: bytes, what: str) -> None:
        with pytest.raises(InputError, match=f"f.csv: is {what}"):
            self.decode(tmp_path, data)

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    def test_utf_16_without_its_mark_is_suggested_and_the_suggestion_works(self, tmp_path: Path, encoding: str) -> None:
        data = "text,label\nwarm beds,good\n".encode(encoding)
        with pytest.raises(InputError, match=f"data.encoding={encoding}$"):
            self.decode(tmp_path, data)
        assert self.decode(tmp_path, data, encoding) == "text,label\nwarm beds,good\n"

    def test_unreadable(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="can't be read: No such file"):
            decode_file(tmp_path / "none.csv", "utf-8")
