"""Every public data set, read with the options that its config gives."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.data.options import Columns, DataOptions, Split
from tasks.data.read import read_label_names, read_records
from tasks.data.records import ReadReport, Record

pytestmark = pytest.mark.data

CONFIGS = Path(__file__).parents[2] / "conf" / "data"
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def options_of(name: str) -> DataOptions:
    text = (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8")
    values: dict[str, Any] = yaml.safe_load(text.replace("${oc.env:RECIPES_DATA,data}", os.environ["RECIPES_DATA"]))
    del values["defaults"]
    return DataOptions(**{**values, "columns": Columns(**values.get("columns", {}))})


def read(options: DataOptions) -> dict[Split, list[Record] | None]:
    report = ReadReport()
    splits = {split: read_records(options, split, report) for split in SPLITS}
    assert report.skipped == report.repaired == {}
    assert report.notes == []
    return splits


def rows_of(name: str, split: Split = "train") -> list[Record]:
    rows = read_records(options_of(name), split, ReadReport())
    assert rows is not None
    return rows


def public_file(path: str) -> str:
    return str(Path(os.environ["RECIPES_DATA"]) / path)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("wnut17", (3394, 1009, 1287)),
        ("ncbi_disease", (5424, 923, 940)),
        ("uner_danish", (4383, 564, 565)),
        ("sst2", (6920, 872, 1821)),
        ("sms_spam", (5574, None, None)),
        ("trec6", (5452, None, 500)),
        ("goemotions", (43410, 5426, 5427)),
        ("squad_slice", (4639, None, None)),
        ("squadshifts", (7938, None, None)),
        ("squad_v2", (6078, None, None)),
    ],
)
def test_rows(name: str, counts: tuple[int | None, ...]) -> None:
    splits = read(options_of(name))
    assert tuple(None if rows is None else len(rows) for rows in splits.values()) == counts


@pytest.mark.parametrize(
    ("name", "tokens", "types"),
    [
        ("wnut17", (62730, 15733, 23394), 6),
        ("ncbi_disease", (135701, 23969, 24497), 1),
        ("uner_danish", (80378, 10332, 10023), 3),
    ],
)
def test_tokens(name: str, tokens: tuple[int, ...], types: int) -> None:
    splits = [rows_of(name, split) for split in SPLITS]
    assert tuple(sum(len(row.values["tokens"]) for row in rows) for rows in splits) == tokens
    assert len({tag[2:] for rows in splits for row in rows for tag in row.values["tags"]} - {""}) == types


def test_wnut17_keeps_a_byte_order_mark_inside_a_token() -> None:
    assert sum("\ufeff" in token for row in rows_of("wnut17", "validation") for token in row.values["tokens"]) == 1


@pytest.mark.parametrize("name", ["wnut17", "ncbi_disease", "squad_slice", "squadshifts", "squad_v2"])
def test_auto_finds_the_format(name: str) -> None:
    options = options_of(name)
    found = read_records(DataOptions(train=options.train), "train", ReadReport())
    assert found == rows_of(name)


def test_sst2() -> None:
    assert Counter(row.values["label"] for row in rows_of("sst2")) == {"1": 3610, "0": 3310}
    assert rows_of("sst2")[0].values["text"].startswith("a stirring , funny and finally transporting")
    assert read_label_names(options_of("sst2").label_names) == ["negative", "positive"]


def test_sms_spam() -> None:
    rows = rows_of("sms_spam")
    assert Counter(row.values["label"] for row in rows) == {"ham": 4827, "spam": 747}
    assert sum(row.values["text"].count('"') % 2 for row in rows) == 17
    assert len(rows) - len({(row.values["label"], row.values["text"]) for row in rows}) == 403


def test_trec6() -> None:
    assert rows_of("trec6")[65].values["text"].startswith("Which city has the oldest relationship as a sister\xf0city")
    assert {row.values["label"] for row in rows_of("trec6")} == set("012345")


def test_goemotions() -> None:
    labels = Counter(len(row.values["label"].split(",")) for row in rows_of("goemotions"))
    assert labels == {1: 36308, 2: 6541, 3: 532, 4: 28, 5: 1}
    names = read_label_names(options_of("goemotions").label_names)
    assert names is not None
    assert (len(names), names[0], names[27]) == (28, "admiration", "neutral")


def test_squad_v2() -> None:
    rows = rows_of("squad_v2")
    assert sum(row.values["is_impossible"] for row in rows) == 3168
    assert all(row.values["is_impossible"] != bool(row.values["answers"]) for row in rows)


@pytest.mark.parametrize(("name", "articles"), [("squad_slice", 20), ("squadshifts", 48), ("squad_v2", 16)])
def test_articles_and_offsets(name: str, articles: int) -> None:
    rows = rows_of(name)
    assert len({row.values["title"] for row in rows}) == articles
    assert len({row.values["id"] for row in rows}) == len(rows)
    for row in rows:
        for answer in row.values["answers"]:
            assert row.values["context"].startswith(answer["text"], answer["answer_start"])


@pytest.mark.parametrize("language", ["en", "de"])
def test_xquad(language: str) -> None:
    options = DataOptions(test=public_file(f"xquad/xquad.{language}.json"))
    rows = read(options)["test"]
    assert rows is not None
    assert (len(rows), len({row.values["title"] for row in rows})) == (1190, 48)
