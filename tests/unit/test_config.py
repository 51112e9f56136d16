"""The config: every choice composes, every mistake is named, and nothing in it can call code."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from recipes.command.composing import compose_tree, register, require_no_code, without_hydra
from recipes.command.dispatch import main
from recipes.command.groups import CONF, GROUPS, choices
from recipes.command.help import help_text
from recipes.command.hydra_errors import explain
from recipes.command.line import CommandLine, read_command_line
from recipes.config.conversion import parse, to_dict
from recipes.config.flat_keys import flatten, known_keys
from recipes.config.schema import Config, Hparams, Runtime, Tracker
from recipes.config.validation import validate
from recipes.results.sweep_table import Outcome
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
    assert {path.parent.name for path in FILES} == {"conf", "space", *GROUPS}


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


def test_balanced_rows_are_none_to_choose_a_way_of_training_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["task=classification", "hparams=small_data", "data.balance=undersample"]) == 2
    said = capsys.readouterr().err
    assert "data.balance=undersample and hparams.choose_by_folds: ways of training are compared on" in said
    assert "hparams.class_weights=balanced" in said
    assert composed("task=classification", "hparams=small_data", "data.deduplicate=near").data.deduplicate == "near"
    assert composed("task=classification", "data.balance=oversample").data.balance == "oversample"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "hparams.keep=best",
            "hparams.keep=best and hparams.choose_by_folds: rows that judge a way of training must not",
        ),
        ("hparams.max_steps=0", "hparams.max_steps=0 and hparams.choose_by_folds: each of the ways to choose from has"),
    ],
)
def test_what_ways_of_training_settle_themselves(
    override: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(["task=classification", "hparams=small_data", "hparams.linear_head=true", override]) == 2
    assert message in capsys.readouterr().err


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


def test_epochs_and_steps_together_say_how_to_choose() -> None:
    config = Config(task=Ner(), data=DataOptions(train="x"), hparams=Hparams(1e-4, epochs=3.0, max_steps=2))
    with pytest.raises(
        InputError, match=r"hparams.epochs=3 and hparams.max_steps=2: only one of them can be set. hpar"
    ):
        validate(config)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["hparams=stock", "hparams.max_steps=2"],
            "hparams.max_steps: hparams=stock sets hparams.epochs=3, and only one of the two can be set. Write also: "
            "hparams.epochs=null",
        ),
        (
            ["experiment=smoke", "hparams.epochs=2"],
            "hparams.epochs: experiment=smoke sets hparams.max_steps=8, and only one of the two can be set. Write "
            "also: hparams.max_steps=null",
        ),
        (["hparams.epochs=2", "hparams.max_steps=2"], "hparams.epochs=2 and hparams.max_steps=2: only one of them"),
        (["experiment=smoke", "hparams=stock"], "hparams.epochs=3 and hparams.max_steps=8: only one of them"),
    ],
)
def test_the_file_that_sets_epochs_or_steps_is_named(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(words) == 2
    assert message in capsys.readouterr().err


def never(*_: Any) -> Outcome:
    raise AssertionError("nothing may run")


def status_of(arguments: list[str]) -> int:
    """Return the exit status of the command for arguments with which nothing may run."""
    return main(never, arguments, started=0.0)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("hparams.learning_ratee=1", "No config key 'hparams.learning_ratee'. Did you mean 'hparams.learning_rate'?"),
        ("learning_rate=1", "learning_rate=1: write hparams.learning_rate=1"),
        ("modell=minilm", "No config key 'modell'. Did you mean 'model'?"),
        ("model=robeta-base", "No choice 'robeta-base' in the group 'model'. Did you mean 'roberta-base'?"),
        ("data=wnut71", "Did you mean 'wnut17'?"),
        ("hparams.batch_size=abc", "hparams.batch_size: Value 'abc' is not a whole number"),
        ("hparams.freeze_embeddings=maybe", "hparams.freeze_embeddings: Value 'maybe' is neither true nor false"),
        ("hparams.pooling=null", "hparams.pooling: it can't be null. Leave it out for its default"),
        ("seed=null", "seed: it can't be null. Leave it out for its default"),
        (
            "data.limit=5",
            "data.limit=5: it holds keys of its own. Write data.limit.NAME=VALUE; NAME is one of nested, test, train, "
            "validation",
        ),
        ("study.sizes=5", "study.sizes=5: a list, such as 'study.sizes=[FIRST,SECOND]'"),
        ("study.sizes={a:1}", "study.sizes={a:1}: a list, such as"),
        ("data.limit=[5]", "data.limit=[5]: it holds keys of its own"),
        ("data.limit=null", "data.limit=null: it holds keys of its own"),
        ("++data.limit=5", "data.limit=5: it holds keys of its own"),
        ("foo", "Can't read the override 'foo'. Write KEY=VALUE"),
        ("seed=1,2", "seed=1,2: two values; a sweep over them: -m seed=1,2"),
        ("task.kind=auto", "No config key 'task.kind' for this task: it belongs to task=classification"),
        ("+data.nonsense=1", "No config key 'data.nonsense'"),
        ("data.train={_target_: os.system}", "never code to call"),
        ("hparams.r_drop=inf", "hparams.r_drop=inf: must be 0 or more, and finite"),
        ("hparams.learning_rate=inf", "hparams.learning_rate=inf: must be more than 0"),
        ("hparams.focal=1e9", "hparams.focal=1000000000.0: must be from 0 to 10"),
        ("hparams.class_weights={PER:inf}", "hparams.class_weights={'PER': inf}: `balanced`, or numbers for some"),
        ("hparams.class_weights={}", "hparams.class_weights={}: `balanced`, or numbers for some labels"),
        ("data.deduplicate=exakt", "data.deduplicate=exakt: choose from exact, near. Did you mean 'exact'?"),
        ("data.balance=over", "data.balance=over: choose from undersample, oversample."),
        ("data.balance=oversample", "data.balance=oversample: a sentence may have entities of several types, or none."),
        ("+hparams.x._target_=os.system", "never code to call"),
    ],
)
def test_mistakes_are_named(override: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of([override]) == 2
    assert message in capsys.readouterr().err


def test_a_target_in_a_file_of_the_users_own_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "evil.yaml").write_text(
        "# @package _global_\nhparams:\n  class_weights: {_target_: os.system, command: 'touch x'}\n"
    )
    assert status_of(["--config-dir", str(tmp_path), "experiment=evil"]) == 2
    assert "never code to call" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("hparams: {epochs: [3", "l.yaml, line 2: this is no valid YAML"),
        ("hparams: {learning_ratee: 3}", "In experiment/l.yaml: No config key 'hparams.learning_ratee'. Did you mean"),
        ("hparams: {batch_size: abc}", "In experiment/l.yaml: hparams.batch_size: Value 'abc' is not a whole number"),
        ("defaults: [{override /model: robrta}]", "No choice 'robrta' in the group 'model'"),
        ("model: {path: '${nothing}'}", "Interpolation key 'nothing' not found"),
        ("tracker: {project: '${oc.env:HF_TOKEN}'}", "HF_TOKEN looks like a secret"),
        ("tracker: {project: '${oc.env:\"HF_TOKEN\"}'}", "write the name of the variable itself"),
        ("tracker: {project: '${oc.env:${tracker.name}}'}", "write the name of the variable itself"),
    ],
)
def test_mistakes_in_files_are_named(
    content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "l.yaml").write_text(f"# @package _global_\n{content}")
    assert status_of(["--config-dir", str(tmp_path), "experiment=l"]) == 2
    assert message in capsys.readouterr().err


def test_config_files_that_are_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "l.yaml").write_bytes(b"\xff\xfe")
    assert status_of([f"--config-dir={tmp_path}", "experiment=l"]) == 2
    assert "can't be read as text" in capsys.readouterr().err


def test_environment_variables_in_paths() -> None:
    tree = compose_tree(["output_root=${oc.env:NO_SUCH_VARIABLE,here}/outputs"])
    require_no_code(tree, ())
    assert parse(without_hydra(tree)).output_root == "here/outputs"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config-dirr=x"], "No flag '--config-dirr'. Did you mean '--config-dir'?"),
        (["--config-dir", "nowhere"], "--config-dir nowhere: there is no such folder"),
        (["-cd", ".", "hydra.searchpath=[file://x]"], "use one of them"),
        (["-p", "hparams"], "-p: with --cfg only, as in --cfg job -p hparams"),
        (["-m", "--cfg", "job", "seed=1,2"], "--multirun and --cfg: leave out one of them"),
    ],
)
def test_flags_that_are_wrong(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(arguments) == 2
    assert message in capsys.readouterr().err


def test_flags_may_stand_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    line = read_command_line(["seed=1,2", "--cfg=job", "-p", "hparams", "task=ner", "+hydra/launcher=joblib"])
    assert line == CommandLine(
        ("seed=1,2", "task=ner", "+hydra/launcher=joblib"), sweeps=False, showing=("--cfg=job", "-p", "hparams")
    )
    assert line.hydra_overrides == ("+hydra/launcher=joblib",)
    assert read_command_line(["seed=1,2", "-m", "task=ner"]).sweeps
    assert status_of(["hparams.epochs=7", "--cfg", "-p", "hparams"]) == 0
    assert "epochs: 7" in capsys.readouterr().out


def test_a_folder_with_quotes_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "it's a \\' folder"
    (folder / "experiment").mkdir(parents=True)
    (folder / "experiment" / "mine.yaml").write_text("# @package _global_\nseed: 77\n")
    line = read_command_line(["-cd", str(folder), "experiment=mine"])
    assert compose_tree(line.overrides).seed == 77


def test_exceptions_that_are_not_about_the_config_get_no_explanation() -> None:
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
