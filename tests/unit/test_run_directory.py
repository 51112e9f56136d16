"""A run's path is a function of its choices: readable, unique, and inside the output folder."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.config.conversion import to_dict, to_yaml
from recipes.config.flat_keys import flatten
from recipes.config.schema import Config, Hparams, Model
from recipes.results import location
from recipes.results.location import choices_name, run_path, safe_name
from recipes.results.run_directory import RunDirectory
from recipes.system.files import write_json_lines
from tasks.data.options import DataOptions
from tasks.errors import InputError
from tasks.ner import Ner


def config(**changes: Any) -> Config:
    base = Config(
        task=Ner(),
        data=DataOptions(name="wnut17", train="a.conll"),
        model=Model(path="hub/minilm", learning_rate=1e-4),
        hparams=Hparams(learning_rate=1e-4),
    )
    return replace(base, **changes)


BASELINE = flatten(to_dict(config()))


def place(changed: Config, data: str = "wnut17", model: str = "minilm") -> str:
    return run_path(changed, data, model, BASELINE).as_posix()


def test_defaults_have_a_plain_name() -> None:
    assert place(config()) == "outputs/ner/wnut17/minilm/default/seed=1"


def test_swept_values_are_readable() -> None:
    changed = config(hparams=Hparams(learning_rate=2e-5, epochs=5), seed=3)
    assert place(changed) == "outputs/ner/wnut17/minilm/epochs=5,learning_rate=2e-05/seed=3"


def test_the_order_of_overrides_does_not_matter_but_their_values_do() -> None:
    one, two = {"hparams.epochs": 2.0, "hparams.dropout": 0.1}, {"hparams.dropout": 0.1, "hparams.epochs": 2.0}
    assert choices_name(one) == choices_name(two) != choices_name(one | {"hparams.epochs": 3.0})


def test_long_and_odd_values_get_a_hash() -> None:
    long = choices_name({f"hparams.key{i}": i for i in range(40)})
    assert len(long) <= 80
    assert long != choices_name({f"hparams.key{i}": i for i in range(39)})
    odd, other = choices_name({"data.train": "/home/a b/x.csv"}), choices_name({"data.train": "/home/a:b/x.csv"})
    assert odd != other
    assert "/" not in odd


def test_settings_that_change_no_result_do_not_count_as_choices() -> None:
    assert place(config(output_root="elsewhere")) == "elsewhere/ner/wnut17/minilm/default/seed=1"
    assert place(config(overwrite=True)) == place(config())


def test_own_files_and_models_give_their_names(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    data = DataOptions(train="rows/reviews.csv")
    changed = config(data=data, model=Model(path=str(tmp_path / "mine"), learning_rate=1e-4))
    parts = Path(place(changed, data="files")).parts
    assert parts[2:4] == ("rows-reviews", "mine")


@pytest.mark.parametrize(
    ("train", "name"),
    [
        ("reviews.csv", "reviews"),
        ("./reviews.csv", "reviews"),
        ("train.csv.gz", "train"),
        ("reviews.v2.csv", "reviews.v2"),
        ("fr/train.csv", "fr-train"),
        ("fr/2024/train.csv", "fr-2024-train"),
        ("all/fr/2024/train.csv", "fr-2024-train"),
        ("/home/you/fr/train.csv", "you-fr-train"),
        ("data/*.csv", "data"),
        ("parts/train-*.jsonl", "parts-train"),
        ("parts/[0-9]/**/x.csv", "x"),
        ("*.csv", "files"),
        (["fr/train.csv"], "fr-train"),
        (["fr/train.csv", "de/train.csv", "x.csv"], "fr-train+2"),
        ("sample:ner/train.conll", "sample-ner-train"),
        ("données/notes d'été.csv", "donn-es-notes-d-t"),
        ("数据.csv", "files"),
    ],
)
def test_data_are_named_after_their_file_and_folders(train: Any, name: str) -> None:
    assert Path(place(config(data=DataOptions(train=train)), data="files")).parts[2] == name


def test_data_in_a_folder_and_above_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "flowers.2" / "rose").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    for train in ("../flowers.2", "../flowers.2/", str(tmp_path / "flowers.2")):
        assert (
            Path(place(config(data=DataOptions(train=train)), data="files"))
            .parts[2]
            .endswith(f"{tmp_path.name}-flowers.2")
        )
    hub = Path(place(config(data=DataOptions(hub="../flowers.2")), data="files"))
    assert hub.parts[2].endswith(f"{tmp_path.name}-flowers.2")
    assert Path(place(config(data=DataOptions(hub="owner/name")), data="files")).parts[2] == "owner-name"


@pytest.mark.parametrize("key", ["train", "validation", "test", "label_names"])
def test_files_of_one_name_in_two_folders_are_told_apart(key: str) -> None:
    changes: list[dict[str, Any]] = [{"train": "x.csv", key: f"{name}/rows.csv"} for name in ("fr", "de")]
    one, other = (config(data=DataOptions(**change)) for change in changes)
    assert place(one, data="files") != place(other, data="files")


def test_runs_from_two_places_do_not_meet_in_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same words mean other files elsewhere, and the runs of both may go to the same folder."""
    places: dict[str, set[str]] = {}
    for name in ("fr", "de"):
        (tmp_path / name / "mine").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / name)
        for root in (str(tmp_path / "runs"), "../runs", "outputs"):
            for changed in (
                config(data=DataOptions(train="train.csv"), output_root=root),
                config(data=DataOptions(train=["a.csv", "b.csv"], name="mine"), output_root=root),
                config(data=DataOptions(train="/x/train.csv", validation="dev.csv"), output_root=root),
                config(model=Model(path="mine", learning_rate=1e-4), output_root=root),
            ):
                path = place(changed, data="files" if changed.data.name != "wnut17" else "wnut17")
                assert path == place(changed, data="files" if changed.data.name != "wnut17" else "wnut17")
                places.setdefault(root, set()).add(path)
        shared = place(config(data=DataOptions(train="train.csv"), output_root="../runs"), data="files")
        assert Path(shared).parts[3].endswith(f"{name}-train")
    assert {root: len(found) for root, found in places.items()} == {
        str(tmp_path / "runs"): 8,
        "../runs": 8,
        "outputs": 4,
    }


def test_what_the_hub_or_the_package_holds_is_the_same_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = set()
    for name in ("fr", "de"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        for data in (DataOptions(hub="owner/name", train="train"), DataOptions(train="sample:ner/train.conll")):
            model = Model(path="owner/model", learning_rate=1e-4)
            found.add(place(config(data=data, model=model, output_root="/runs"), data="files"))
    assert len(found) == 2


def test_names_fit_into_a_file_system() -> None:
    long = ["a" * 200 + ".csv", "a" * 201 + ".csv"]
    names = {Path(place(config(data=DataOptions(train=f"{name}")), data="files")).parts[2] for name in long}
    assert len(names) == 2
    assert max(map(len, names)) <= 80


def test_the_output_folder_may_be_in_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place(config(output_root="~/runs")).startswith(f"{tmp_path}/runs/ner/wnut17/")


@given(st.text())
def test_a_name_is_always_one_component(name: str) -> None:
    result = safe_name(name)
    assert result
    assert result not in (".", "..")
    assert not set("/\\\0 ") & set(result)
    assert Path("a", result).parent == Path("a")


def test_a_finished_run_is_told_by_its_report(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    assert directory.finished_report() is None
    directory.report.write_text('{"status": "started"}')
    assert directory.finished_report() is None


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "Expecting value"),
        (b'{"status": "finis', "Unterminated string"),
        (b"[]", "it is no JSON object"),
        (b"\xff\xfe", "can't decode"),
        (b'{"status": "finished", "task": "ner"}', "no ModelFacts.path"),
    ],
)
def test_a_damaged_report_is_refused_and_not_taken_for_none(content: bytes, fault: str, tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    directory.report.write_bytes(content)
    with pytest.raises(InputError, match=f"report.json is damaged, or of another version of this program: .*{fault}"):
        directory.finished_report()


@pytest.mark.parametrize("content", [b"", b"[]", b"seed: 1\n", b"a: [b\n", b"\xff\xfe"])
def test_a_damaged_config_is_refused(content: bytes, tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    directory.config.write_bytes(content)
    with pytest.raises(InputError, match=r"config.yaml is damaged, .* overwrite=true"):
        directory.require_same_config(config())


@pytest.mark.parametrize("content", [None, b"", b"[1]", b'{"seed": '])
def test_checkpoints_without_their_identity_are_refused(content: bytes | None, tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    assert directory.differences({"seed": 1}) == []
    (directory.checkpoints / "step-00000004").mkdir(parents=True)
    if content is not None:
        directory.identity.write_bytes(content)
    with pytest.raises(InputError, match=r"identity.json is damaged"):
        directory.require_same_identity({"seed": 1})
    directory.identity.write_text('{"seed": 2}')
    with pytest.raises(InputError, match=r"seed: 2 then, 1 now"):
        directory.require_same_identity({"seed": 1})
    directory.identity.write_text('{"seed": 1}')
    directory.require_same_identity({"seed": 1})


def test_another_config_is_refused_by_its_keys(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    directory.config.write_text(to_yaml(config()))
    directory.require_same_config(config())
    directory.require_same_config(config(overwrite=True))
    with pytest.raises(InputError, match=r"hparams.weight_decay: 0.01 there, 0.5 now"):
        directory.require_same_config(config(hparams=Hparams(learning_rate=1e-4, weight_decay=0.5)))


def test_a_key_missing_from_an_older_config_counts_as_its_default(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    directory.config.write_text(to_yaml(config()).replace("  plain: false\n", "").replace("  stride: 64\n", ""))
    directory.require_same_config(config())
    with pytest.raises(InputError, match=r"hparams.plain: False there, True now"):
        directory.require_same_config(config(hparams=Hparams(learning_rate=1e-4, plain=True)))
    with pytest.raises(InputError, match=r"task.stride: 64 there, 32 now"):
        directory.require_same_config(config(task=Ner(stride=32)))


def test_a_model_that_goes_on_from_a_run_is_named_after_its_data_and_model(tmp_path: Path) -> None:
    run = tmp_path / "outputs" / "ner" / "mails" / "minilm" / "default" / "seed=1"
    (run / "model").mkdir(parents=True)
    (run / "report.json").touch()
    assert location._model_name(str(run)) == location._model_name(str(run / "model")) == "mails-minilm"
    assert location._model_name(str(tmp_path)) == tmp_path.name
    assert location._model_name("org/model") == "org/model"


def test_a_name_that_is_no_utf_8_is_written_and_read_back(tmp_path: Path) -> None:
    name = b"caf\xe9.csv".decode("utf-8", "surrogateescape")
    write_json_lines(tmp_path / "a.jsonl", [{"file": name}])
    assert json.loads((tmp_path / "a.jsonl").read_text(encoding="utf-8")) == {"file": name}
