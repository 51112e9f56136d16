"""Encoded windows are compact, come in the requested order, and are cached on disk by content."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer

from recipes.model.loading import Loaded
from recipes.windows import cache
from recipes.windows import encoder as encoder_module
from recipes.windows.columns import Ragged, Windows
from recipes.windows.encoder import Encoder
from tasks.columns import SMALL
from tasks.data.options import DataOptions, Split
from tasks.loading.load import load
from tasks.loading.rows import Rows
from tasks.ner import Ner, Sentence
from tests import tiny

SENTENCES = [
    "Mara B-person|Lindqvist I-person|joined O|Northgate B-firm",
    "It O|rains O",
    "in O|Oslo B-place|on O|day O",
]
TEXT = "\n\n".join(sentence.replace("|", "\n") for sentence in SENTENCES) + "\n"


@pytest.fixture
def rows(tmp_path: Path) -> Rows[Sentence]:
    path = tmp_path / "train.conll"
    path.write_text(TEXT)
    return load(Ner(name="ner"), DataOptions(train=str(path), validation=str(path), test_fraction=0.0), seed=1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECIPES_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module", autouse=True)
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Save one tokenizer, which all tests and their subprocesses load."""
    path = tmp_path_factory.mktemp("tokenizer")
    tiny.wordpiece().save_pretrained(path)
    os.environ["TOKENIZER_OF_THIS_TEST"] = str(path)
    yield path
    del os.environ["TOKENIZER_OF_THIS_TEST"]


def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(os.environ["TOKENIZER_OF_THIS_TEST"])


def loaded(its_tokenizer: Any, limit: int = 64) -> Loaded:
    """Return a `Loaded` without a model, since encoding needs none."""
    return Loaded(
        model=None,
        tokenizer=its_tokenizer,
        new_weights=(),
        limit=limit,
        fingerprint="",
        parameters=0,
        trained_parameters=0,
    )


def encoder(rows: Rows[Sentence], keep: bool = True, limit: int = 64) -> Encoder:
    return Encoder.of(rows, loaded(tokenizer(), limit), keep)


def contents(windows: Windows) -> dict[str, list[Any]]:
    return {name: [np.asarray(entry).tolist() for entry in column] for name, column in windows.columns.items()}


def never(*_: Any, **__: Any) -> Any:
    raise AssertionError("these rows were encoded before")


def test_windows_are_what_the_task_encodes(rows: Rows[Sentence]) -> None:
    expected = rows.task.encode(rows.splits["train"], tokenizer(), rows.head, 64)
    windows = encoder(rows, keep=False).windows("train", longest_first=False)
    assert contents(windows) == expected
    assert windows.lengths.tolist() == [len(ids) for ids in expected["input_ids"]]
    assert set(windows.token_ids.tolist()) == {token for ids in expected["input_ids"] for token in ids}
    assert set(windows[0]) == set(expected) - {"row", "words"}
    assert len(windows) == 3


def test_portions_make_no_difference(rows: Rows[Sentence], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = contents(encoder(rows, keep=False).windows("train", longest_first=False))
    monkeypatch.setattr(encoder_module, "ROWS_AT_ONCE", 1)
    assert contents(encoder(rows, keep=False).windows("train", longest_first=False)) == whole


def test_the_longest_come_first_and_know_their_rows(rows: Rows[Sentence]) -> None:
    windows = encoder(rows, keep=False).windows("validation", longest_first=True)
    sizes = windows.lengths.tolist()
    assert sizes == sorted(sizes, reverse=True)
    plain = encoder(rows, keep=False).windows("validation", longest_first=False)
    for window, row in enumerate(windows.columns["row"]):
        assert windows[window]["input_ids"].tolist() == plain[int(row)]["input_ids"].tolist()


def test_columns_take_little_memory(rows: Rows[Sentence]) -> None:
    columns = encoder(rows, keep=False).windows("train", longest_first=False).columns
    kinds = {
        name: (column.values if isinstance(column, Ragged) else column).dtype.name for name, column in columns.items()
    }
    assert kinds["attention_mask"] == kinds["token_type_ids"] == "int8"
    assert {kind for name, kind in kinds.items() if name not in SMALL} == {"int32"}


def test_the_second_time_comes_from_disk(rows: Rows[Sentence], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = contents(encoder(rows).windows("train", longest_first=False))
    assert len(list(folder.glob("*.arrow"))) == 1
    monkeypatch.setattr(Encoder, "_encode", never)
    assert contents(encoder(rows).windows("train", longest_first=False)) == first


def other_rows(rows: Rows[Sentence]) -> Rows[Sentence]:
    changed = replace(rows.splits["train"][0], tokens=("Marta", "Lindqvist", "joined", "Northgate"))
    return replace(rows, splits={**rows.splits, "train": [changed, *rows.splits["train"][1:]]})


@pytest.mark.parametrize(
    "other",
    [
        lambda rows: encoder(other_rows(rows)),
        lambda rows: encoder(rows, limit=8),
        lambda rows: encoder(replace(rows, task=replace(rows.task, label_all_subwords=True))),
        lambda rows: encoder(replace(rows, head=replace(rows.head, labels=rows.head.labels[::-1]))),
        lambda rows: Encoder.of(rows, loaded(tiny.unigram(tiny.WORDPIECE)), True),
    ],
    ids=["rows", "length", "option", "labels", "tokenizer"],
)
def test_whatever_changes_the_windows_is_encoded_anew(
    rows: Rows[Sentence], folder: Path, other: Callable[[Rows[Sentence]], Encoder]
) -> None:
    encoder(rows).windows("train", longest_first=False)
    other(rows).windows("train", longest_first=False)
    assert len(list(folder.glob("*.arrow"))) == 2


@pytest.mark.parametrize(
    "damage", [lambda _: b"", lambda content: content[:-9], lambda content: content[:80] + b"x" + content[81:]]
)
def test_a_damaged_file_is_made_anew(rows: Rows[Sentence], folder: Path, damage: Callable[[bytes], bytes]) -> None:
    first = contents(encoder(rows).windows("train", longest_first=False))
    (path,) = folder.glob("*.arrow")
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert contents(encoder(rows).windows("train", longest_first=False)) == first
    assert path.read_bytes() == whole


def test_encoding_works_without_a_writable_cache(rows: Rows[Sentence], folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    assert len(encoder(rows).windows("train", longest_first=False)) == 3


def test_nothing_is_kept_unless_wanted(rows: Rows[Sentence], folder: Path) -> None:
    encoder(rows, keep=False).windows("train", longest_first=False)
    assert not folder.exists()


def test_unused_cache_files_are_removed_after_a_month(rows: Rows[Sentence], folder: Path) -> None:
    folder.mkdir()
    old, young = folder / "old.arrow", folder / "young.arrow"
    old.write_bytes(b"")
    young.write_bytes(b"")
    month = time.time() - (cache.UNUSED_DAYS + 1) * 86_400
    os.utime(old, (month, month))
    encoder(rows).windows("train", longest_first=False)
    assert not old.exists()
    assert young.exists()


def encode_in_process(rows: Rows[Sentence], marks: Path) -> None:
    original = Encoder._encode

    def marking(self: Encoder, split: Split) -> Any:
        (marks / str(os.getpid())).touch()
        return original(self, split)

    Encoder._encode = marking  # type: ignore[method-assign]
    encoder(rows).windows("train", longest_first=False)


def test_of_two_processes_at_once_only_one_encodes(rows: Rows[Sentence], folder: Path, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=encode_in_process, args=(rows, marks)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(list(marks.iterdir())) == 1
    assert not list(folder.glob(".*partial"))


def test_ragged_lists() -> None:
    ragged = Ragged(np.arange(6), np.array([0, 2, 2, 6]))
    assert len(ragged) == 3
    assert [entry.tolist() for entry in ragged] == [[0, 1], [], [2, 3, 4, 5]]
    assert [entry.tolist() for entry in ragged[1:]] == [[], [2, 3, 4, 5]]
