"""Texts and paths on the command line: taken as typed, whatever they mean in Hydra's grammar, and typed again alike."""

import shlex
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given
from hypothesis import strategies as st

from recipes.command.dispatch import main
from recipes.command.keys import LISTS, PATHS, TEXTS_OR_LISTS, text_keys
from recipes.command.literals import with_literal_values
from recipes.config.conversion import to_dict
from recipes.config.flat_keys import flatten, known_keys
from recipes.config.schema import Config
from tasks.errors import InputError
from tests.recorded import Recorded, asked, swept

RUN = "runs/ner/files/minilm/max_steps=4,train=x.csv/seed=1"


def read(key: str, typed: str, sweeps: bool = False) -> list[object]:
    """Return the values that Hydra reads after all, as its sweeper hands them to the jobs."""
    (override,) = OverridesParser.create().parse_overrides([*with_literal_values([f"{key}={typed}"], sweeps)])
    if not override.is_sweep_override():
        return [override.value()]
    jobs = [f"{key}={value}" for value in override.sweep_string_iterator()]
    return [job.value() for job in OverridesParser.create().parse_overrides(jobs)]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["run"])
    return tmp_path


@pytest.mark.parametrize("key", ["model.path", "output_root", "data.train"])
@pytest.mark.parametrize(
    "path",
    [
        RUN,
        f"{RUN}/model",
        f"../{RUN}",
        f"~/{RUN}/predictions/test.jsonl",
        "my reviews.csv",
        "données/Übersicht.csv",
        "it's.csv",
        'the "best".csv',
        "a (copy).csv",
        "a{1}.csv",
        "parts/[0-9]*.csv",
        r"C:\data\x.csv",
        r"a\[b\].csv",
        "cost$.csv",
        "a$b/c.csv",
        "2024_01",
        "1e5",
        "007",
        "true",
        "a#b;c&d!.csv",
        "-x.csv",
    ],
)
def test_a_path_is_taken_as_it_is_typed(key: str, path: str) -> None:
    assert read(key, path) == [path]


def test_run_directories_can_be_pasted_back(here: Path) -> None:
    words = [f"model.path={RUN}/model", "task=ner", f"data.train={RUN}/x.csv", f"output_root={RUN}"]
    config, invocation = asked(*words)
    assert (config.model.path, config.data.train, config.output_root) == (f"{RUN}/model", f"{RUN}/x.csv", RUN)
    again, _ = asked(*shlex.split(invocation.command)[3:])
    assert again == config
    Path(f"{RUN}/model").mkdir(parents=True)
    jobs = swept(words[0], "seed=1,2")
    assert [config.model.path for config, _ in jobs] == [f"{RUN}/model"] * 2
    for config, invocation in jobs:
        assert asked(*shlex.split(invocation.command)[3:])[0] == config


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("data.validation", "null", None),
        ("model.revision", "null", None),
        ("data.train", "'a,b.csv'", "a,b.csv"),
        ("data.train", '"a=b.csv"', "a=b.csv"),
        ("data.train", "[a.csv, b.csv]", ["a.csv", "b.csv"]),
        ("data.train", "['a,1.csv',b=2.csv,c d.csv]", ["a,1.csv", "b=2.csv", "c d.csv"]),
        ("data.columns.tags", "2", 2),
        ("data.columns.text", "[x]", "[x]"),
        ("data.separator", " ", " "),
        ("data.separator", ";,", ";,"),
        ("task.label_separator", ", ", ", "),
        ("data.label_names", "[0,1]", [0, 1]),
        ("output_root", "${oc.env:NO_SUCH_VARIABLE,here}/a=1", "${oc.env:NO_SUCH_VARIABLE,here}/a=1"),
        ("hparams.class_weights", "{spam: 3}", {"spam": 3}),
        ("hparams.learning_rate", "1e-5", 1e-5),
    ],
)
def test_what_the_grammar_is_for_still_works(key: str, typed: str, value: object) -> None:
    assert read(key, typed) == [value]


@pytest.mark.parametrize("key", ["model.path", "data.columns.text", "data.train", "data.separator", "output_root"])
@given(text=st.text(st.sampled_from("ab1=,;[]{}()'\"\\$é -_:/.#%?*"), min_size=1, max_size=12))
@example(text="${a}")
@example(text="\\${a}\\")
@example(text="'a'")
def test_any_reading_is_stable(key: str, text: str) -> None:
    """What is stored as the command is read like what was typed: as that very text, if nothing else can be meant."""
    try:
        stored = with_literal_values([f"{key}={text}"])
    except InputError:
        assert "," in text
        return
    assert with_literal_values(stored) == stored
    if not set(text) & set("[{'\",") and "${" not in text:
        (value,) = read(key, text)
        assert value == text if key == "data.train" else str(value) == text, "other keys turn numbers into texts"


@given(st.lists(st.text(st.sampled_from("ab=;\\$é -_:/.#%"), min_size=1, max_size=8), min_size=2, max_size=3))
def test_the_values_of_a_sweep_are_taken_as_they_are_typed(values: list[str]) -> None:
    stripped = [value.strip() for value in values]
    if all(stripped):
        assert read("data.columns.text", ",".join(values), sweeps=True) == stripped


def test_a_literal_dollar_sign_stays(here: Path) -> None:
    Path("a${seed}.csv").touch()
    assert asked("task=ner", "data.train=a${seed}.csv")[0].data.train == "a${seed}.csv"
    assert asked("task=ner", "data.train=b${seed}.csv", "seed=7")[0].data.train == "b7.csv"
    assert asked("task=ner", "data.train=b${seed.csv", "seed=7")[0].data.train == "b${seed.csv"


def test_existing_paths_decide_what_a_comma_means(here: Path) -> None:
    both = "epochs=4,lr=1.csv,b.csv"
    for name in ("epochs=4,lr=1.csv", "b.csv"):
        Path(name).touch()
    assert read("data.train", both, sweeps=True) == ["epochs=4,lr=1.csv", "b.csv"]
    assert read("data.train", f"[{both}]") == [["epochs=4,lr=1.csv", "b.csv"]]
    with pytest.raises(InputError, match=r"Two files: \"data.train=\['epochs=4,lr=1.csv',b.csv\]\"; a sweep over"):
        read("data.train", both)
    assert read("model.path", f"owner/name,{both}", sweeps=True) == ["owner/name", "epochs=4,lr=1.csv", "b.csv"]
    Path(both).touch()
    assert read("data.train", both, sweeps=True) == read("data.train", both) == [both]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["task=ner", "data.train=a.csv,b.csv"],
            "data.train=a.csv,b.csv: there is no file of this name. Two files: 'data.train=[a.csv,b.csv]'; a sweep "
            "over them: -m data.train=a.csv,b.csv",
        ),
        (
            ["-m", "model.path=x/epochs=4,lr=1/seed=1"],
            "model.path=x/epochs=4,lr=1/seed=1: there is no such path, and with -m a comma stands between values. One "
            "value as it stands: \"model.path='x/epochs=4,lr=1/seed=1'\"; 2 values: "
            "\"model.path='x/epochs=4','lr=1/seed=1'\"",
        ),
        (
            ["data.columns.label=a,b"],
            "label=a,b: two names: 'data.columns.label=[a,b]'; a sweep over them: -m data.columns.label=a,b",
        ),
        (["data.header=a,b"], "data.header=a,b: a list is written in brackets: 'data.header=[a,b]'"),
        (["hparams.epochs=1,2,3"], "hparams.epochs=1,2,3: three values; a sweep over them: -m hparams.epochs=1,2,3"),
        (["model=minilm,distilbert"], "two values; a sweep over them: -m model=minilm,distilbert"),
        (["seed=range(1,4)"], "seed=range(1,4): several values, for a sweep over them: -m 'seed=range(1,4)'"),
    ],
)
def test_a_comma_that_is_not_understood(
    words: list[str], message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(Recorded(), words, started=0.0) == 2
    printed = capsys.readouterr().err.strip()
    assert printed.endswith(message)
    assert not list(here.iterdir())


def test_a_plus_sign_before_a_key_that_exists_changes_nothing() -> None:
    typed = [
        "+seed=3",
        "++data.train=a.csv",
        "+experiment=smoke",
        "+hydra/launcher=joblib",
        "+hparams.class_weights.x=2",
    ]
    assert with_literal_values(typed) == (
        "seed=3",
        "data.train=a.csv",
        "experiment=smoke",
        "+hydra/launcher=joblib",
        "hparams.class_weights.x=2",
    )


def test_every_key_that_could_be_a_text_is_sorted() -> None:
    """A new key without a type must be added to a table here, or its values are read by Hydra's grammar."""
    untyped = {key for key, value in flatten(to_dict(Config())).items() if key.startswith("data.") and value is None}
    assert set(TEXTS_OR_LISTS) <= untyped
    assert {*PATHS, *TEXTS_OR_LISTS} <= text_keys() <= {*known_keys()}
    assert not text_keys() & {*LISTS, "seed", "hparams.epochs", "hparams.class_weights", "overwrite"}
