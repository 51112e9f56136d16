"""A run's path is a function of its choices: readable, unique, and inside the output folder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.config.conversion import to_dict, to_yaml
from recipes.config.flat_keys import flatten
from recipes.config.schema import Config, Hparams, Model
from recipes.results.location import choices_name, run_path, safe_name
from recipes.results.run_directory import RunDirectory
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
    assert parts[2:4] == ("reviews", "mine")


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
