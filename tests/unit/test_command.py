"""The words of a command line as people type them: what a shell leaves of quotes, and files without `data=files`."""

import shlex
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recipes.command.composing import compose, compose_tree, with_own_files
from recipes.command.dispatch import main
from recipes.command.line import read_command_line
from tasks.overrides import hydra_literal, shell_word
from tests.recorded import Recorded, asked


@pytest.mark.parametrize(
    ("typed", "separator"),
    [
        ("data.separator=';'", ";"),
        ("\"data.separator=';'\"", ";"),
        ("data.separator=,", ","),
        ("data.separator='|'", "|"),
        (r"data.separator='\t'", r"\t"),
        ("data.separator=::", "::"),
        ("data.separator='||'", "||"),
        ("data.separator=' '", " "),
        ("data.separator='\"'", '"'),
    ],
)
def test_a_separator_is_taken_as_it_is_typed_at_a_shell(typed: str, separator: str) -> None:
    config, invocation = asked("task=classification", "data=files", "data.train=a.csv", *shlex.split(typed))
    assert config.data.separator == separator
    again, _ = asked(*shlex.split(invocation.command)[3:])
    assert again == config, "the command that is kept gives the same config"


@pytest.mark.parametrize(
    ("override", "shown"),
    [
        ("data.separator=a;b,c", "\"data.separator='a;b,c'\""),
        ("data.train=[a.csv", "\"data.train='[a.csv'\""),
        ("data.train={it's, here", "'data.train='\"'\"'{it\\'\"'\"'s, here'\"'\"''"),
    ],
)
def test_the_message_shows_the_very_argument_to_type(
    override: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(Recorded(), ["task=ner", override], started=0.0) == 2
    message = capsys.readouterr().err.strip()
    assert message.endswith(shown)
    (word,) = shlex.split(shown)
    key, _, value = override.partition("=")
    assert OVERRIDDEN[key](asked("task=ner", "data.train=a.csv", word)[0]) == value


OVERRIDDEN = {
    "data.separator": lambda config: config.data.separator,
    "data.train": lambda config: config.data.train,
}


@settings(max_examples=25)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
@example("${seed}\\${seed}'\\")
def test_quoted_values_come_back_as_they_were(value: str) -> None:
    override = f"data.columns.text={hydra_literal(value)}"
    assert shlex.split(shell_word(override)) == [override]
    assert compose(["task=classification", "data=files", "data.train=a.csv", override]).data.columns.text == value


@pytest.mark.parametrize("key", ["train", "validation", "test", "hub"])
def test_files_of_ones_own_are_not_mixed_with_the_sample(key: str) -> None:
    overrides = ("task=ner", f"data.{key}=mine", "data.train=mine")
    _, invocation = asked(*overrides)
    assert invocation.choices["data"] == "files"
    config, _ = asked(*overrides)
    assert config.data.name is None
    assert config.data.validation == ("mine" if key == "validation" else None)


@pytest.mark.parametrize("flags", [(), ("-m",)], ids=["run", "sweep"])
def test_files_of_ones_own_need_a_task(flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(Recorded(), [*flags, "data.train=my reviews.csv", "seed=3"], started=0.0) == 2
    message, *commands = capsys.readouterr().err.splitlines()
    assert message.startswith("data.train=my reviews.csv: say with task=...")
    assert len(commands) == 3
    words = shlex.split(commands[0])
    assert words == [
        "python",
        "-m",
        "recipes.run",
        "task=classification",
        *flags,
        "data.train=my reviews.csv",
        "seed=3",
    ]
    assert asked(*(word for word in words[3:] if word != "-m"))[0].data.train == "my reviews.csv"


def test_without_a_task_or_files_the_sample_is_run() -> None:
    assert asked("data.train=null", "data.train=sample:ner/validation.conll")[1].choices["data"] == "ner_sample"


def test_a_sweep_over_files_is_about_these_files() -> None:
    line = read_command_line(["-m", "data.train=a.csv,b.csv"])
    tree = compose_tree(line.overrides, sweeps=True)
    assert with_own_files(line.overrides, tree) == ("data=files", "data.train=a.csv,b.csv")


def test_files_named_by_an_experiment(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\ndata: {train: mine.csv}\n")
    config, invocation = asked("--config-dir", str(tmp_path), "experiment=mine")
    assert (config.data.train, config.data.validation) == ("mine.csv", None)
    assert invocation.choices["data"] == "files"


@pytest.mark.parametrize(
    "words", [["data.limit.train=5"], ["data.test=null"], ["data=ner_sample", "data.encoding=utf-8"]]
)
def test_other_keys_leave_the_sample_alone(words: list[str]) -> None:
    assert asked(*words)[1].choices["data"] == "ner_sample"


def test_a_data_set_that_is_chosen_stays() -> None:
    config, invocation = asked("data=wnut17", "data.train=other.conll")
    assert invocation.choices["data"] == "wnut17"
    assert config.data.train == "other.conll"


def test_a_sample_that_is_chosen_beside_files_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(Recorded(), ["data=ner_sample", "data.train=mine.conll"], started=0.0) == 2
    assert "data=ner_sample and data.train: the sample has rows of its own" in capsys.readouterr().err
    assert asked("data=ner_sample", "data.train=sample:ner/validation.conll")[1].choices["data"] == "ner_sample"


def test_swept_experiments_with_files_of_their_own_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["run"])
    (tmp_path / "experiment").mkdir()
    for name in ("one", "two"):
        (tmp_path / "experiment" / f"{name}.yaml").write_text(f"# @package _global_\ndata: {{train: {name}.csv}}\n")
    words = ["-m", "--config-dir", str(tmp_path), "experiment=one,two"]
    assert main(Recorded(), words, started=0.0) == 1
    assert capsys.readouterr().out.count("failed: The config can't be used") == 2
    recorded = Recorded()
    assert main(recorded, [*words, "data=files"], started=0.0) == 0
    assert [config.data.train for config in recorded.configs] == ["one.csv", "two.csv"]


def test_a_sweep_over_data_sets_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["run"])
    recorded = Recorded()
    assert main(recorded, ["-m", "data=files,wnut17", "data.train=own.conll"], started=0.0) == 0
    assert [invocation.choices["data"] for invocation in recorded.invocations] == ["files", "wnut17"]


def test_the_table_of_a_sweep_lies_where_an_experiment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["run"])
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(
        "# @package _global_\noutput_root: elsewhere/${hydra:runtime.choices.model}\n"
    )
    assert main(Recorded(), ["-m", "--config-dir", str(tmp_path), "experiment=mine", "seed=1,2"], started=0.0) == 0
    (table,) = tmp_path.rglob("sweep.txt")
    assert table.relative_to(tmp_path).parts[:3] == ("elsewhere", "minilm", "sweeps")
    assert not (tmp_path / "outputs").exists()
    assert "57.67 " in table.read_text()
    assert "57.6720" not in capsys.readouterr().out


def test_a_run_is_named_for_what_it_trains_on_what() -> None:
    for words, expected in (
        ((), "ner on ner_sample with minilm"),
        (("data.train=news.conll", "model.path=some/encoder"), "ner on news with some/encoder"),
    ):
        config, invocation = asked("task=ner", *words)
        assert invocation.subject(config) == expected
