"""Every command in the documents, run as a shell runs it, on few rows with a tiny model; every file named exists."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from recipes.command.groups import GROUPS
from recipes.config.flat_keys import known_keys
from tasks.data.files import SAMPLES
from tests.nursery import Nursery
from tests.unit.test_compare import leave_run

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "docs/formats.md",
    "docs/check.md",
    "docs/audit.md",
    "docs/suggest.md",
    "docs/convert.md",
    "docs/predict.md",
    "docs/long_texts.md",
    "docs/verdict.md",
    "docs/levers.md",
    "docs/search.md",
    "docs/studies.md",
    "docs/performance.md",
    "docs/trackers.md",
    "CONTRIBUTING.md",
)

SMALL = "data.limit.train=24 data.limit.validation=8 data.limit.test=8 hparams.batch_size=8 runtime.precision=fp32"
"Overrides that make any run short."


@dataclass(frozen=True)
class Command:
    """A command of a document, and what the document shows of its output."""

    place: str
    text: str
    shown: tuple[str, ...]

    @property
    def ends_in_an_error(self) -> bool:
        return bool(self.shown) and not self.shown[0].startswith(("run  ", "search  ", "study  ", "data  ", "..."))


def read_commands(document: str) -> list[Command]:
    """Return the commands of a document's code blocks, and of the table on public data."""
    found: list[Command] = []
    lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        words = line[4:].removeprefix("$ ")
        if line.startswith("    ") and re.match(
            r"python -m |accelerate launch |scripts/\w+( |$)|pip |RECIPES_DATA=", words
        ):
            if re.match(r"scripts/    ", words):
                continue
            rest = number
            while words.endswith("\\"):
                words, rest = words[:-1] + lines[rest].strip(), rest + 1
            shown = []
            while line.startswith("    $ ") and rest < len(lines) and lines[rest].startswith("    "):
                shown.append(lines[rest][4:])
                rest += 1
            text = re.sub(r"\s+#.*$", "", words)
            found.append(Command(f"{document}:{number}", text, tuple(shown)))
        row = re.match(r"\| `(task=[^`]+)` \|", line)
        if row and "data=" in row[1]:
            found.append(Command(f"{document}:{number}", f"python -m recipes.run {row[1]}", ()))
    return found


COMMANDS = [command for document in DOCUMENTS for command in read_commands(document)]
RUNS = [command for command in COMMANDS if "recipes.run" in command.text]
CONVERSIONS = [command for command in COMMANDS if "recipes.convert" in command.text and " IN " not in command.text]
PREDICTIONS = [command for command in COMMANDS if "recipes.predict" in command.text and " RUN " not in command.text]
CHECKS = [command for command in COMMANDS if "recipes.check" in command.text]
SUGGESTIONS = [command for command in COMMANDS if "recipes.suggest" in command.text]
AUDITS = [command for command in COMMANDS if "recipes.audit" in command.text]
COMPARISONS = [command for command in COMMANDS if "recipes.compare" in command.text]
SCRIPTS = [command for command in COMMANDS if "scripts/" in command.text.split(" -")[0] and command not in RUNS]
OTHERS = [command for command in COMMANDS if command not in RUNS and command not in SCRIPTS]


def test_the_commands_are_found() -> None:
    assert len(RUNS) >= 15
    assert {command.text.split()[0].removeprefix("RECIPES_DATA=FOLDER") for command in SCRIPTS} >= {
        "scripts/demo",
        "scripts/test",
        "scripts/bench",
        "scripts/soak",
    }
    assert {
        command.text
        for command in OTHERS
        if command not in (*CONVERSIONS, *PREDICTIONS, *COMPARISONS, *CHECKS, *AUDITS, *SUGGESTIONS)
    } == {
        "python -m recipes.convert IN ... -o OUT",
        "python -m recipes.predict RUN INPUT ... -o OUT",
        "python -m tests.faults.guards",
    }
    assert len(CONVERSIONS) >= 5
    assert len(PREDICTIONS) >= 2
    assert len(COMPARISONS) >= 2
    assert sum(command.ends_in_an_error for command in RUNS) == 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the documents speak of."""
    texts = ["where is my parcel", "the box is late", "I was charged twice", "refund the invoice"] * 6
    labels = ["delivery", "delivery", "billing", "billing"] * 6
    rows = [f"{text} {number},{label}\n" for number, (text, label) in enumerate(zip(texts, labels, strict=True))]
    (tmp_path / "reviews.csv").write_text("text,label\n" + "".join(rows))
    (tmp_path / "stars.csv").write_text("body;stars\n" + "".join(row.replace(",", ";") for row in rows))
    spans = [{"text": f"Ada left Oslo {number}", "label": [[0, 3, "person"], [9, 13, "place"]]} for number in range(24)]
    (tmp_path / "export.jsonl").write_text("".join(json.dumps(row) + "\n" for row in spans))
    for split in ("train", "validation", "test"):
        documents = [{"text": f"{split} {row[:-1]} " * 30, "label": n % 2} for n, row in enumerate(rows)]
        (tmp_path / f"joined_{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in documents))
    shutil.copy(SAMPLES / "ner" / "train.conll", tmp_path / "news.conll")
    (tmp_path / "dev.csv").write_text("text,label\nwhere is it,delivry\n")
    return tmp_path


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """Small files in the formats and at the places of the public data sets."""
    data = tmp_path / "public"
    for name in ("wnut17", "sms_spam", "goemotions", "sst2_stsa", "trec6", "squad_v1_slice"):
        (data / name).mkdir(parents=True)
    for split, name in (("train", "wnut17train.conll"), ("validation", "emerging.dev.conll")):
        shutil.copy(SAMPLES / "ner" / f"{split}.conll", data / "wnut17" / name)
    shutil.copy(SAMPLES / "ner" / "test.conll", data / "wnut17" / "emerging.test.annotated")
    messages = [f"{'spam' if n % 2 else 'ham'}\tmessage number {n}\n" for n in range(40)]
    (data / "sms_spam" / "SMSSpamCollection").write_text("".join(messages))
    (data / "goemotions" / "labels.txt").write_text("joy\nanger\nneutral\n")
    for split in ("train", "dev", "test"):
        rows = [f"comment {n}\t{'0,2' if n % 3 else '1'}\tid{n}\n" for n in range(30)]
        (data / "goemotions" / f"{split}.tsv").write_text("".join(rows))
        (data / "sst2_stsa" / f"stsa.binary.{split}").write_text("".join(f"{n % 2} film {n}\n" for n in range(30)))
    for name, first in (("train", 0), ("test", 90)):
        asked = "".join(f"{n % 3} Who asked question {n} ?\n" for n in range(first, first + 60))
        (data / "trec6" / f"TREC.{name}.all").write_text(asked)
    squad = json.loads((SAMPLES / "qa" / "train.json").read_text())
    for article in squad["data"]:
        for paragraph in article["paragraphs"]:
            paragraph["qas"] = [question for question in paragraph["qas"] if question["answers"]]
    (data / "squad_v1_slice" / "dev.json").write_text(json.dumps(squad))
    return data


@pytest.fixture(autouse=True)
def _programs(nursery: Nursery | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a shell finds: a `python` that need not import everything anew, and what is installed beside ours."""
    folders = [str(nursery.programs)] if nursery is not None else []
    folders += [str(Path(sys.executable).parent), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(folders))


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hf")}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, **offline, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def shortened(command: str, model: Path) -> str:
    """Return the command with overrides that make it short, whatever it trains."""
    if "--help" in command:
        return command
    short = re.sub(r"hparams\.epochs=\d+", "hparams.epochs=1", command)
    short = re.sub(r"seed=[\d,]+", "seed=1", short)
    short = short.replace("scripts/accelerate", str(ROOT / "scripts" / "accelerate"))
    short = short.replace("accelerate launch", "accelerate launch --main_process_port 0")
    small = SMALL
    if "search=" in command:
        short += " search.trials=2 search.confirm.top=1 search.confirm.seeds=1"
        small = small.replace(" hparams.batch_size=8", "")  # it may be among what is searched over
    if "study=" in command:
        seeds = 2 if "=seeds" in command or "=ablation" in command else 1
        short = re.sub(r"study\.(n|folds)=\d+", "", short) + f" study.folds=2 study.n={seeds}"
        short += " study.sizes=[4,8,12] data.test_fraction=0.3"
    return f"{short} {small} model.path={model}" + ("" if "hparams.epochs" in command else " hparams.max_steps=1")


@pytest.mark.parametrize("command", RUNS, ids=lambda command: command.place)
def test_a_command_of_the_documents(command: Command, folder: Path, public: Path, models: dict[str, Path]) -> None:
    if command.ends_in_an_error:
        done = shell(command.text, folder)
        assert done.returncode == 2
        assert done.stderr.replace(str(folder), "/home/you").splitlines() == list(command.shown)
        return
    done = shell(shortened(command.text, models["bert"]), folder, RECIPES_DATA=str(public))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    if command.shown:
        # The same lines, but for numbers: names of fields and scores, and where the sweep's table lies.
        names = [line.split()[0] for line in command.shown if re.match(r"[A-Za-z]", line)]
        # After a step or two, no epoch is better than the last one.
        optional = {"kept"}
        # In so short a search, all trials may be alike, and none is run again.
        optional |= {"The", "ahead"} if "search=" in command.text else set()
        # And where nothing is learnt in a step, no curve can be drawn.
        optional |= {"Twice", "Four", "This"} if "study=learning_curve" in command.text else set()
        assert set(names) - optional <= {line.split()[0] for line in done.stdout.splitlines() if line.strip()}


def test_the_conversions_of_the_documents(folder: Path) -> None:
    """One after the other: each may read what the one before has written."""
    for command in CONVERSIONS:
        done = shell(command.text, folder)
        assert (done.returncode, done.stderr) == (0, ""), command.place
        assert done.stdout.splitlines() == [line for line in command.shown if line.strip()]


@pytest.mark.parametrize("command", CHECKS, ids=lambda command: command.place)
def test_the_checks_of_the_documents(command: Command, folder: Path, public: Path) -> None:
    shutil.copy(folder / "reviews.csv", folder / "more.csv")
    done = shell(f"{command.text} --fail-on never", folder, RECIPES_DATA=str(public))
    assert (done.returncode, done.stderr) == (0, "")
    names = {line.split()[0] for line in command.shown if re.match(r"[A-Za-z]", line)}
    assert names <= {line.split()[0] for line in done.stdout.splitlines() if line.strip()}


def test_the_audits_of_the_documents(folder: Path, models: dict[str, Path]) -> None:
    trained = {command.text: command for command in AUDITS if not re.search(" apply | compare ", command.text)}
    for command in trained.values():
        done = shell(f"{command.text} study.folds=2 model.path={models['bert']} hparams.max_steps=1", folder)
        assert (done.returncode, done.stderr) == (0, ""), command.place
        assert "Audit of 24 rows" in done.stdout
    shutil.copy(folder / "reviews.csv", folder / "test.csv")
    (table,) = folder.rglob("audit.csv")
    table.write_text(re.sub(r"^([0-9]+),,", r"\1,drop,", table.read_text(), count=1, flags=re.MULTILINE))
    for command in AUDITS:
        if " apply " in command.text:
            done = shell(command.text.replace("audit.csv", str(table)), folder)
            assert (done.returncode, done.stderr) == (0, ""), command.place
            assert "1 row left out" in done.stdout
        elif " compare " in command.text:
            done = shell(f"{command.text.replace('audit.csv', str(table))} study.n=2", folder)
            assert (done.returncode, done.stderr) == (0, ""), command.place
            names = [line.split()[0] for line in command.shown if re.match(r"[a-z]", line)]
            assert set(names) <= {line.split()[0] for line in done.stdout.splitlines() if line.strip()}


SAMPLE_RUN = "outputs/ner/ner_sample/minilm/default/seed=1"


@pytest.fixture
def sample_run(folder: Path, models: dict[str, Path]) -> Path:
    """The run of the sample that the documents predict with, trained for a step."""
    trained = shell(f"python -m recipes.run model.path={models['bert']} {SMALL} hparams.max_steps=1", folder)
    assert trained.returncode == 0, trained.stderr
    (report,) = folder.rglob("report.json")
    place = folder / SAMPLE_RUN
    place.parent.mkdir(parents=True)
    report.parent.rename(place)
    (folder / "news.txt").write_text("Mara Lindqvist joined Northgate in Oslo.\n\nIt rains.\n")
    return folder


def test_the_predictions_of_the_documents(sample_run: Path) -> None:
    for number, command in enumerate(PREDICTIONS):
        done = shell(command.text.replace("-o ", f"-o {number}-"), sample_run)
        assert (done.returncode, done.stderr) == (0, ""), command.place
        shown = [line for line in command.shown if line.strip() and not line.startswith("$ ")]
        assert [line.split()[0] for line in done.stdout.splitlines()] == [line.split()[0] for line in shown]


def test_the_suggestions_of_the_documents(sample_run: Path, public: Path, models: dict[str, Path]) -> None:
    few = "study.n=2 study.start=8 study.step=4 study.rounds=1 hparams.max_steps=1 runtime.precision=fp32"
    for command in {one.text: one for one in SUGGESTIONS}.values():
        replayed = f" {few} model.path={models['bert']}" if "--replay" in command.text else " --overwrite"
        done = shell(f"{command.text}{replayed}", sample_run, RECIPES_DATA=str(public))
        assert (done.returncode, done.stderr) == (0, ""), command.place


def test_the_comparisons_of_the_documents(tmp_path: Path) -> None:
    for rate, right in ((5e-5, 0.86), (1e-4, 0.87)):
        for seed in range(1, 6):
            place = tmp_path / "outputs" / "classification" / "sst2" / "minilm" / f"{rate}" / f"seed={seed}"
            leave_run(place, right + seed / 100, seed, [f"hparams.learning_rate={rate}"], objective="macro_f1")
    for command in COMPARISONS:
        done = shell(command.text, tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), command.place
        shown = [line for line in command.shown if line.strip()]
        assert [line.split()[0] for line in done.stdout.splitlines() if line.strip()] == [
            line.split()[0] for line in shown
        ]


@pytest.mark.parametrize("document", ["README.md", "docs/predict.md"])
def test_the_python_of_the_documents(document: str, sample_run: Path) -> None:
    lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
    code = [line.partition(">>> ")[2] for line in lines if line.startswith("    >>> ")]
    assert any("recipes.load" in line for line in code)
    done = shell(
        f"{sys.executable} - <<'END'\n" + "\n".join(code) + "\nprint(list(model('Mara left.')))\nEND", sample_run
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "['entities']\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The scripts beside a stand-in for an installed environment, whose programs say how they were called."""
    copy = tmp_path / "project"
    shutil.copytree(ROOT / "scripts", copy / "scripts")
    programs = copy / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "ruff", "mypy"):
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*"\n')
        (programs / name).chmod(0o755)
    installed = ""
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, copy)
        installed += (copy / name).read_text()
    (copy / ".venv" / "installed-test").write_text(installed)
    return copy


CALLS = {
    "demo": "python -m recipes.run",
    "test": "python -m pytest -n auto --maxprocesses 8 --dist worksteal",
    "bench": "python -m recipes.bench",
    "soak": "python -m tests.faults.soak",
}
"The module that each script runs."


@pytest.mark.parametrize("command", SCRIPTS, ids=lambda command: command.place)
def test_a_script_of_the_documents(command: Command, checkout: Path) -> None:
    done = shell(command.text, checkout)
    assert done.returncode == 0, done.stderr
    name, *arguments = command.text.split("scripts/")[1].split()
    assert done.stdout.splitlines()[-1] == " ".join([CALLS[name], *arguments])
    if name == "test":
        assert done.stdout.splitlines()[:3] == ["ruff format --check .", "ruff check .", "mypy "]


def test_flags_of_the_bench_in_the_documents(checkout: Path) -> None:
    del checkout
    shown = shell(f"{sys.executable} -m recipes.bench --help", ROOT).stdout
    for command in SCRIPTS:
        if "scripts/bench" in command.text:
            for flag in re.findall(r"--\w+", command.text):
                assert flag in shown
    for part in ("overhead", "decoding", "evaluation", "inference", "startup"):
        assert part in shown


def test_the_installation_in_the_documents_is_the_one_that_the_scripts_do() -> None:
    assert "`pip install -c constraints.txt -e .`" in (ROOT / "README.md").read_text()
    assert (
        "pip install --quiet --disable-pip-version-check -c constraints.txt -e"
        in (ROOT / "scripts" / "environment.sh").read_text()
    )


def test_every_key_in_the_documents_is_one() -> None:
    known = known_keys()
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        keys = set(re.findall(r"[`' (]((?:task|data|model|hparams|runtime|tracker)\.[a-z_.]+)=", text))
        assert keys or document in ("CONTRIBUTING.md", "docs/suggest.md")
        for key in keys - {"hparams.learning_ratee"}:
            assert any(key == one or one.startswith(f"{key}.") for one in known), f"{document}: {key}"
        for group, choice in re.findall(r"[` ]([a-z]+)=([a-z0-9_-]+)[` ]", text):
            if group in GROUPS and choice not in ("mine", "x"):
                assert (ROOT / "conf" / group / f"{choice}.yaml").is_file() or group == "data", f"{group}={choice}"


def test_every_file_in_the_documents_exists() -> None:
    count = 0
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        for path in re.findall(r"\]\(([^):#]+)\)", text):
            assert ((ROOT / document).parent / path).exists(), f"{document}: {path}"
            count += 1
        for path in re.findall(r"`((?:tasks|recipes|conf|tests|scripts)/[\w/.-]*)`", text):
            if not re.search(r"/x\b|/x\.|verb\.py|x_sample", path):
                assert (ROOT / path).exists(), f"{document}: {path}"
                count += 1
    assert count > 50
