"""Folders: one for each class, what datasets saves, and folders of neither kind."""

import re
import shlex
from pathlib import Path

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from tasks.data.records import Origin, ReadReport
from tasks.errors import InputError
from tests.unit.data.inputs import recognised, values, written

FEATURES = Features({"text": Value("string"), "label": ClassLabel(names=["bad", "good"])})
COLUMNS = {"text": ["warm beds", "cold soup", "rain"], "label": [1, 0, -1]}
READ = [
    {"text": "warm beds", "label": "good"},
    {"text": "cold soup", "label": "bad"},
    {"text": "rain", "label": None},
]


def class_folders(*names: str) -> None:
    for name in names:
        written(f"reviews/{name}/1.txt", f"a {name} text\n")


def test_a_folder_for_each_class() -> None:
    class_folders("pos", "neg", ".hidden", "_unsup")
    written("reviews/neg/2.txt", "\ufeffanother\r\ntext\r\n")
    written("reviews/urls.txt", "of no class")
    assert values("reviews") == [
        {"id": "neg/1", "text": "a neg text", "label": "neg"},
        {"id": "neg/2", "text": "another\ntext", "label": "neg"},
        {"id": "pos/1", "text": "a pos text", "label": "pos"},
    ]
    assert recognised("reviews") == "train: reviews: a folder for each class, 3 rows"


def test_an_empty_file_is_a_bad_row() -> None:
    class_folders("pos", "neg")
    written("reviews/neg/2.txt", " \n")
    with pytest.raises(InputError, match=re.escape(f"{Path('reviews/neg/2.txt')}, text 1: the file is empty")):
        values("reviews")
    report = ReadReport("skip")
    assert len(values("reviews", None, report)) == 2
    assert report.skipped == {"empty text": 1}


@pytest.mark.parametrize(
    "names", [("train", "test"), ("Train", "other"), ("pos", "validation"), ("dev", "x"), ("pos",)]
)
def test_folders_of_splits_are_no_classes(names: tuple[str, ...]) -> None:
    class_folders(*names)
    with pytest.raises(InputError, match=r"data\.train=reviews: .* is a folder\. Name files:"):
        values("reviews")


def test_other_folders_list_what_to_type() -> None:
    written("rows/a.csv", "text,label\nrain,bad\n")
    with pytest.raises(InputError) as error:
        values("rows")
    (way_out,) = re.findall(r"\n  data\.train=(\S+)", str(error.value))
    assert values(way_out) == [{"text": "rain", "label": "bad"}]


def test_what_datasets_saves() -> None:
    Dataset.from_dict(COLUMNS, features=FEATURES).save_to_disk("saved")
    report = ReadReport()
    assert values("saved", None, report) == READ
    assert report.recognised == ["train: saved: an Arrow folder of datasets, 3 rows"]
    # Nothing is written beside the data.
    (file,) = Path("saved").glob("*.arrow")
    assert report.files == [str(file)]
    assert values(str(file)) == READ


def test_rows_that_were_selected_and_sorted_are_read_so() -> None:
    Dataset.from_dict(COLUMNS, features=FEATURES).select([2, 0]).save_to_disk("saved")
    assert values("saved") == [READ[2], READ[0]]


def test_several_splits_are_refused_with_what_to_type() -> None:
    whole = Dataset.from_dict(COLUMNS, features=FEATURES)
    DatasetDict({"train": whole.select([0, 1]), "test": whole.select([2]), "extra": whole}).save_to_disk("saved")
    with pytest.raises(InputError, match=r"holds several splits\. Name them one by one: ") as error:
        values("saved")
    typed = dict(word.split("=") for word in shlex.split(str(error.value).partition("one by one: ")[2]))
    assert values(typed["data.test"]) == READ[2:]
    assert "saved/extra" in str(error.value)


@pytest.mark.parametrize("damage", ["state.json", "dataset_info.json"])
def test_a_damaged_folder_is_refused(damage: str) -> None:
    Dataset.from_dict(COLUMNS, features=FEATURES).save_to_disk("saved")
    Path("saved", damage).write_text("{")
    with pytest.raises(InputError, match="saved: can't be read as what datasets saves: "):
        values("saved")


def test_a_damaged_arrow_file_is_refused() -> None:
    with pytest.raises(InputError, match=r"f\.arrow: can't be read as what datasets saves: "):
        values("f.arrow", "text,label\nrain,bad\n")


def test_a_file_in_a_folder_that_is_no_text_is_named() -> None:
    class_folders("pos", "neg")
    written("reviews/neg/2.txt", b"caf\xe9")
    with pytest.raises(InputError, match=re.escape(f"{Path('reviews/neg/2.txt')}, line 1: byte 0xe9")):
        values("reviews")


def test_places_are_those_of_the_files() -> None:
    class_folders("pos", "neg")
    assert str(Origin(str(Path("reviews/neg/1.txt")), 1, "text")) == "reviews/neg/1.txt, text 1"
