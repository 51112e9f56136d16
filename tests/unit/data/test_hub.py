"""Data sets of the hub: local folders, offline mode, a hub that refuses connections, and one that never answers."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub
import pytest
from datasets import ClassLabel, Dataset, Features, Value

from tasks import network
from tasks.data.hub import read_hub
from tasks.data.options import DataOptions
from tasks.data.records import Origin
from tasks.errors import InputError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lodge"
    write(folder, "train.jsonl", [{"text": "warm beds", "label": "good"}, {"text": "cold soup", "label": "bad"}])
    write(folder, "test.jsonl", [{"text": "dry boots", "label": "good"}])
    return folder


def test_splits_of_a_local_folder(folder: Path) -> None:
    options = DataOptions(hub=str(folder))
    train = read_hub(options, "train")
    assert train is not None
    assert [record.values for record in train] == [
        {"text": "warm beds", "label": "good"},
        {"text": "cold soup", "label": "bad"},
    ]
    assert train[1].origin == Origin(f"{folder}:train", 2, "row")
    test = read_hub(options, "test")
    assert test is not None
    assert len(test) == 1
    assert read_hub(options, "validation") is None


def test_named_split(folder: Path) -> None:
    train = read_hub(DataOptions(hub=str(folder), train="test"), "train")
    assert train is not None
    assert train[0].origin == Origin(f"{folder}:test", 1, "row")


def test_labels_get_their_names(tmp_path: Path) -> None:
    features = Features({"text": Value("string"), "label": ClassLabel(names=["bad", "good"])})
    (tmp_path / "lodge").mkdir()
    rows = Dataset.from_dict({"text": ["warm beds"], "label": [1]}, features=features)
    rows.to_parquet(tmp_path / "lodge" / "train.parquet")
    train = read_hub(DataOptions(hub=str(tmp_path / "lodge")), "train")
    assert train is not None
    assert train[0].values == {"text": "warm beds", "label": "good"}


def test_unknown_split(folder: Path) -> None:
    with pytest.raises(InputError, match=r"data.validation=tets: .*/lodge has no such split. Splits: train, test."):
        read_hub(DataOptions(hub=str(folder), validation="tets"), "validation")
    with pytest.raises(InputError, match="name of one split"):
        read_hub(DataOptions(hub=str(folder), train=["train", "test"]), "train")


def test_folder_that_cannot_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"data.hub=.*/empty: can't be loaded from .*/empty\."):
        read_hub(DataOptions(hub=str(tmp_path / "empty")), "train")


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        read_hub(DataOptions(hub=str(tmp_path / "nowhere")), "train")


def test_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    options = DataOptions(hub="owner/lodge", hub_config="de", hub_revision="v1")
    with pytest.raises(InputError) as error:
        read_hub(options, "train")
    assert str(error.value).startswith(
        "data.hub=owner/lodge data.hub_config=de data.hub_revision=v1: can't be loaded from the local cache, "
        "since HF_HUB_OFFLINE is set.\n"
    )


def test_refused_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    check_unreachable(port, "refused", monkeypatch)


def test_silent_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        check_unreachable(server.getsockname()[1], "timed out|no answer within 0.3 seconds", monkeypatch)


def check_unreachable(port: int, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{port}")
    started = time.monotonic()
    message = f"data.hub=owner/lodge: the hub at http.* can't be reached .*({why})"
    with pytest.raises(InputError, match=message) as error:
        read_hub(DataOptions(hub="owner/lodge"), "train")
    assert time.monotonic() - started < 10
    assert "HF_HUB_OFFLINE=1" in str(error.value)
