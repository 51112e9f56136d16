"""The config: every choice composes, every mistake is named, and nothing in it can call code."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from recipes.command import explain, main, register
from recipes.config import Config, Hparams, Runtime, Tracker, flatten, known_keys, parse, to_dict, validate
from recipes.help import CONF, GROUPS, choices, help_text
from recipes.sweep import Outcome
from tasks.data.options import DataOptions
from tasks.errors import InputError
from tasks.ner import Ner

FILES = sorted(CONF.rglob("*.yaml"))


def composed(*overrides: str) -> Config:
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return parse(compose("config", overrides=list(overrides)))


def test_there_are_files_to_walk() -> None:
    assert len(FILES) > 30
    assert {path.parent.name for path in FILES} == {"conf", *GROUPS}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CONF)))
def test_each_file_opens_with_the_command_that_uses_it(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    lines = lines[1:] if lines[0].startswith("# @package") else lines
    assert lines[0].startswith("# python -m recipes.run")
    assert lines[1].startswith("# ")
    assert "_target_" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("group", "choice"), [(group, choice) for group in GROUPS for choice in choices(group) if group != "data"]
)
def test_each_choice_composes_and_is_valid(group: str, choice: str) -> None:
    config = composed(f"{group}={choice}")
    assert config.hparams.learning_rate > 0


@pytest.mark.parametrize("choice", [choice for choice in choices("data") if choice != "files"])
def test_each_data_set_goes_with_its_task(choice: str) -> None:
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        task = compose("config", overrides=[f"data={choice}"]).data.task
    assert composed(f"task={task}", f"data={choice}").data.name == choice
    other = {"ner": "qa", "qa": "classification", "classification": "ner"}[task]
    with pytest.raises(InputError, match=f"holds {task} rows, but task={other}"):
        composed(f"task={other}", f"data={choice}")


def test_a_task_takes_its_own_sample_and_the_model_its_learning_rate() -> None:
    for task in choices("task"):
        assert composed(f"task={task}").data.name == f"{task}_sample"
    assert composed("model=roberta-base").hparams.learning_rate == composed("model=roberta-base").model.learning_rate
    assert composed("hparams.learning_rate=1e-6").hparams.learning_rate == 1e-6


def test_every_field_says_what_it_means() -> None:
    for kind in (Config, Hparams, Runtime, Tracker, DataOptions, Ner):
        source = Path(sys.modules[kind.__module__].__file__ or "").read_text(encoding="utf-8").splitlines()
        for item in dataclasses.fields(kind):
            places = [n for n, line in enumerate(source) if line.startswith(f"    {item.name}: ")]
            if item.name in ("task", "data", "model", "hparams", "runtime", "tracker") or (kind is Ner and not places):
                continue
            if kind is Ner and item.name == "name":
                continue
            assert any(source[n + 1].lstrip().startswith('"') for n in places), f"{kind.__name__}.{item.name}"


def test_all_errors_come_at_once() -> None:
    config = Config(
        task=Ner(scheme="iob3"), data=DataOptions(), hparams=Hparams(learning_rate=1e-4, schedule="liner", batch_size=0)
    )
    with pytest.raises(InputError) as caught:
        validate(config)
    text = str(caught.value)
    assert "data.train: say which file" in text
    assert "hparams.schedule=liner: choose from linear" in text
    assert "Did you mean 'linear'?" in text
    assert "hparams.batch_size=0: must be 1 or more" in text
    assert "task.scheme=iob3" in text


Quiet = Callable[[Any, Any], Outcome]


def never(*_: Any) -> Outcome:
    raise AssertionError("nothing may run")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("hparams.learning_ratee=1", "No config key 'hparams.learning_ratee'. Did you mean 'hparams.learning_rate'?"),
        ("learning_rate=1", "Did you mean hparams.learning_rate"),
        ("modell=minilm", "No config key 'modell'. Did you mean 'model'?"),
        ("model=robeta-base", "No choice 'robeta-base' in the group 'model'. Did you mean 'roberta-base'?"),
        ("data=wnut71", "Did you mean 'wnut17'?"),
        ("hparams.batch_size=abc", "hparams.batch_size: Value 'abc' is not a whole number"),
        ("hparams.freeze_embeddings=maybe", "hparams.freeze_embeddings: Value 'maybe' is neither true nor false"),
        ("foo", "Can't read the override 'foo'. Write KEY=VALUE"),
        ("seed=1,2", "multirun"),
        ("+data.nonsense=1", "No config key 'data.nonsense'"),
        ("data.train={_target_: os.system}", "never code to call"),
        ("+hparams.x._target_=os.system", "never code to call"),
    ],
)
def test_mistakes_are_named(override: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(never, [override]) == 2
    assert message in capsys.readouterr().err


def test_a_target_in_a_file_of_the_users_own_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "evil.yaml").write_text(
        "# @package _global_\nhparams:\n  class_weights: {_target_: os.system, command: 'touch x'}\n"
    )
    assert main(never, ["--config-dir", str(tmp_path), "experiment=evil"]) == 2
    assert "never code to call" in capsys.readouterr().err


def test_other_exceptions_are_not_explained_away() -> None:
    assert explain(RuntimeError("boom")) is None


def test_keys_are_flat_and_known() -> None:
    keys = set(known_keys())
    assert {"task.scheme", "task.kind", "task.max_answer_tokens", "data.columns.text", "seed"} <= keys
    assert set(flatten(to_dict(Config()))) <= keys


def test_help_names_every_choice_and_answers_without_heavy_imports() -> None:
    text = help_text()
    for group in GROUPS:
        assert all(choice in text for choice in choices(group))
    assert max(map(len, text.splitlines())) <= 120
    assert text.count("python -m recipes.run") >= 6
    run = subprocess.run([sys.executable, "-m", "recipes.run", "-h"], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == text


def test_resolvers_are_left_alone() -> None:
    assert not OmegaConf.has_resolver("recipes")
