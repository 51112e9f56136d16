"""Words that people bring from elsewhere: each is named with what to type instead, and all of them at once."""

import re
import shlex
from pathlib import Path

import pytest

from recipes.command.dispatch import main
from recipes.command.groups import GROUPS, choices
from recipes.command.hints import refuse_mistyped
from recipes.command.keys import is_key, meant_key
from recipes.command.synonyms import COLUMNS_OF_TASKS, NEEDLESS, OTHER_UNITS, SWITCHES, SYNONYMS, TASK_NAMES
from recipes.config.flat_keys import known_keys
from tasks.errors import InputError
from tests.recorded import Recorded, asked


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(line: str) -> list[str]:
    """Return the lines of the answer to a mistyped command line."""
    with pytest.raises(InputError) as caught:
        refuse_mistyped(shlex.split(line))
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("typed", "instead"),
    [
        ("--task ner", "task=ner"),
        ("--task=ner", "task=ner"),
        ("-task ner", "task=ner"),
        ("--lr 1e-5", "hparams.learning_rate=1e-5"),
        ("--learning_rate 1e-5", "hparams.learning_rate=1e-5"),
        ("--learning-rate=1e-5", "hparams.learning_rate=1e-5"),
        ("--epochs=3", "hparams.epochs=3"),
        ("--seed 3", "seed=3"),
        ("--output_dir x", "output_root=x"),
        ("--model_name_or_path roberta-base", "model=roberta-base"),
        ("--model_name_or_path FacebookAI/roberta-base", "model.path=FacebookAI/roberta-base"),
        ("--model bert-base-multilingual-cased", "model.path=bert-base-multilingual-cased"),
        ("--num_train_epochs 3", "hparams.epochs=3"),
        ("--per_device_train_batch_size 8", "hparams.batch_size=8"),
        ("--max_seq_length 128", "task.max_length=128"),
        ("--fp16", "runtime.precision=fp16"),
        ("--overwrite", "overwrite=true"),
        ("--save_steps 500", "runtime.checkpoint_every=500steps"),
        ("--report_to wandb", "tracker=wandb"),
        ("hparams.lr=1e-5", "hparams.learning_rate=1e-5"),
        ("lr=1e-5", "hparams.learning_rate=1e-5"),
        ("LR=1e-5", "hparams.learning_rate=1e-5"),
        ("learning_rate=1e-5", "hparams.learning_rate=1e-5"),
        ("epochs=3", "hparams.epochs=3"),
        ("training.epochs=3", "hparams.epochs=3"),
        ("+batch_size=8", "hparams.batch_size=8"),
        ("bs=8", "hparams.batch_size=8"),
        ("warmup=0.1", "hparams.warmup=0.1"),
        ("wd=0.1", "hparams.weight_decay=0.1"),
        ("max_length=128", "task.max_length=128"),
        ("data.columns.labels=a", "data.columns.label=a"),
        ("data.column.text=a", "data.columns.text=a"),
        ("columns.text=a", "data.columns.text=a"),
        ("text_column=a", "data.columns.text=a"),
        ("data.limit.val=9", "data.limit.validation=9"),
        ("limit.train=9", "data.limit.train=9"),
        ("model=/path/to/folder", "model.path=/path/to/folder"),
        ("model=./x", "model.path=./x"),
        ("model=someorg/name", "model.path=someorg/name"),
        ("model.name=roberta-base", "model=roberta-base"),
        ("task=token-classification", "task=ner"),
        ("task=regression", "task=classification task.kind=regression"),
        ("experiment=a/experiment/mine.yaml", "--config-dir a experiment=mine"),
        ("ner", "task=ner"),
        ("roberta-base", "model=roberta-base"),
    ],
)
def test_each_word_has_its_replacement(typed: str, instead: str) -> None:
    assert answer(typed) == [f"{typed}: write {instead}"]


@pytest.mark.parametrize(
    "typed",
    ["data.train = x.csv", "data.train= x.csv", "data.train =x.csv", "'data.train = x.csv'", "data.train:x.csv"],
)
def test_blanks_and_other_signs_for_the_equals_sign(typed: str) -> None:
    said, *command = answer(f"{typed} task=ner")
    assert said == f"{typed}: no blanks around '=' and no other sign for it: write data.train=x.csv"
    assert command == ["The whole command:", "  python -m recipes.run data.train=x.csv task=ner"]


def test_a_folder_with_a_model_is_told_from_files(here: Path) -> None:
    (here / "mine").mkdir()
    assert answer("model=mine") == ["model=mine: write model.path=mine"]
    assert answer("mine task=ner")[0] == "mine: write data.train=mine"
    (here / "mine" / "config.json").touch()
    assert answer("mine") == ["mine: write model.path=mine"]


@pytest.mark.parametrize(
    ("typed", "instead"),
    [
        ("train=x.csv", "data.train=x.csv"),
        ("--train_file x.csv", "data.train=x.csv"),
        ("--data.train 'x y.csv'", "'data.train=x y.csv'"),
        ("data=reviews.csv", "data.train=reviews.csv"),
        ("data=/path", "data.train=/path"),
        ("task=reviews.csv", "data.train=reviews.csv"),
        ("reviews.csv", "data.train=reviews.csv"),
        ("data=owner/name", "data.hub=owner/name"),
        ("data.val=x.csv", "data.validation=x.csv"),
        ("data.dev=x.csv", "data.validation=x.csv"),
    ],
)
def test_files_without_a_task_come_with_a_command_for_each(typed: str, instead: str) -> None:
    commands = [f"  python -m recipes.run task={task} {instead}" for task in choices("task")]
    assert answer(typed) == [f"{typed}: write {instead}", "The whole command, with the task that is meant:", *commands]
    if "task=" not in typed:
        assert answer(f"{typed} task=ner")[-1] == f"  python -m recipes.run {instead} task=ner"


def test_a_command_of_the_example_scripts_is_translated_at_once() -> None:
    typed = (
        "--model_name_or_path bert-base-cased --task_name ner --train_file a.json --validation_file b.json "
        "--text_column_name words --label_column_name ner --per_device_train_batch_size 8 "
        "--gradient_accumulation_steps 4 --learning_rate 2e-5 --num_train_epochs 3 --output_dir out --do_train --seed 7"
    )
    first, *lines, title, command = answer(typed)
    assert (first, title) == ("Words that can't be used:", "The whole command:")
    assert len(lines) == 13
    assert (
        lines[6] == "  --per_device_train_batch_size 8: write hparams.batch_size=32, the rows of a whole step (4 x 8)"
    )
    assert lines[11] == "  --do_train: leave it out, each run trains, validates and tests"
    words = shlex.split(command)[3:]
    config, _ = asked(*words)
    assert words[:3] == ["model=bert-base-cased", "task=ner", "data.train=a.json"]
    assert (config.data.validation, config.data.columns.tokens, config.data.columns.tags) == ("b.json", "words", "ner")
    assert (config.hparams.batch_size, config.hparams.accumulation, config.seed) == (32, 4, 7)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("task", "task: write task=CHOICE, one of classification, ner, qa"),
        ("data.train", "data.train: write data.train=VALUE"),
        ("--lr", "--lr: write hparams.learning_rate=VALUE"),
        ("~data.train", "~data.train: nothing can be taken out of the config. No value is: data.train=null"),
        ("--warmup_steps 100", "--warmup_steps 100: write hparams.warmup=SHARE, a share of all steps such as 0.1"),
        ("-m model=minilm,/x", "model=minilm,/x: '/x' is no choice of model. Write model.path=/x"),
        ("name=x", "No config key 'name'. Did you mean data.name or search.name or task.name or tracker.name?"),
        ("hparams.learning_ratee=1", "No config key 'hparams.learning_ratee'. Did you mean 'hparams.learning_rate'?"),
        ("num_train_epoch=1", "No config key 'num_train_epoch'. Did you mean 'hparams.epochs'?"),
        ("nonsense=1", "No config key 'nonsense'. All keys, with their values: --cfg job"),
        ("task=nerr", "No choice 'nerr' in the group 'task'. Did you mean 'ner'? Choices: classification, ner, qa."),
        ("nothing", "Can't read the override 'nothing'. Write KEY=VALUE"),
    ],
)
def test_where_nothing_certain_can_be_typed_instead(typed: str, message: str) -> None:
    assert answer(typed) == [message]


def test_several_mistakes_are_named_together() -> None:
    assert answer("--lr 1e-4 hparams.epoch=3 --nonsense 4 seed=2") == [
        "Words that can't be used:",
        "  --lr 1e-4: write hparams.learning_rate=1e-4",
        "  hparams.epoch=3: write hparams.epochs=3",
        "  No flag '--nonsense'. What there is: --help",
    ]
    assert answer("-m --lr 1e-4,1e-5 hparams.batchsize=3 seed=1,2")[-1] == (
        "  python -m recipes.run -m hparams.learning_rate=1e-4,1e-5 hparams.batch_size=3 seed=1,2"
    )


@pytest.mark.parametrize(
    "line",
    [
        "task=ner model=minilm,roberta-base -m seed=1,2 hparams.learning_rate=-1",
        "--cfg job -p hparams task=ner",
        "--cfg=job",
        "--info defaults",
        "-sc query=bash lr=",
        "--nonsense",
        "+hydra/launcher=joblib ~hydra.sweeper hydra.searchpath=[file://x] model=other mygroup=x",
        "--config-dir folder experiment=mine +mygroup=x",
        "-cd folder data=null data.columns={text:a} data.limit={train:5} hparams.class_weights.spam=3",
        "'data=${task}_sample' +hparams._target_=os.system +hparams.x._target_=os.system experiment@x=y",
        "model.path=runs/a=1,b=2 'data.train=my file.csv' data.separator= output_root=x",
        "'data=glob(*)' \"data='wnut17'\" data=wnut17.yaml",
    ],
)
def test_what_is_right_or_is_judged_later_passes(line: str, here: Path) -> None:
    (here / "folder" / "experiment").mkdir(parents=True)
    (here / "folder" / "experiment" / "mine.yaml").touch()
    refuse_mistyped(shlex.split(line))


def test_the_command_ends_with_the_hint_and_runs_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(Recorded(), ["--lr", "1e-5", "task=qa"], started=0.0) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "--lr 1e-5: write hparams.learning_rate=1e-5"
    assert said[-1] == "  python -m recipes.run hparams.learning_rate=1e-5 task=qa"
    assert not list(here.iterdir())


def test_the_tables_name_keys_that_exist() -> None:
    targets = {*SYNONYMS.values(), *(key for columns in COLUMNS_OF_TASKS.values() for key in columns.values())}
    targets |= {
        word.partition("=")[0] for words in (*SWITCHES.values(), *TASK_NAMES.values()) for word in words.split()
    }
    targets |= {words.partition("=")[0] for forms in OTHER_UNITS.values() for words in forms if words}
    assert targets <= {*known_keys(), *GROUPS}
    assert set(COLUMNS_OF_TASKS) <= set(choices("task"))
    assert {words.split()[0].removeprefix("task=") for words in TASK_NAMES.values()} <= set(choices("task"))
    for text in NEEDLESS.values():
        for key in re.findall(r"\b[a-z]+\.[a-z_]+\b", text):
            assert is_key(key), key
    # The more usual reading of a name is a matter of the table, but a name must not hide a key of ours.
    assert not {name for name in SYNONYMS if name in known_keys()}


def test_every_key_is_found_by_its_last_part_or_is_ambiguous() -> None:
    for key in known_keys():
        parent, _, leaf = key.rpartition(".")
        assert meant_key(key) == key
        if parent:
            assert meant_key(f"nonsense.{leaf}") in (None, *known_keys())
    assert meant_key("path") is None
    assert meant_key("stride") == "task.stride"
