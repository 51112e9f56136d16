"""Losses and scores that are NaN, unknown scores, and too little memory."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.faults.conftest import Command, Harm, outcome, run_directory


def test_a_loss_that_is_not_a_number(harm: Harm, command: Command, tmp_path: Path) -> None:
    stopped = harm({"nan": 7}, *command("classification"))
    assert stopped.returncode == 2
    assert "Traceback" not in stopped.stderr
    assert "Training came to nan at step 4, and can't go on from there" in stopped.stderr
    named = stopped.stderr.split("The rows of that step: ")[1].split(".\n")[0].split("; ")
    assert len(named) == 4
    assert all("intents.csv, line " in place for place in named)
    assert "hparams.learning_rate (it is 0.01)" in stopped.stderr
    assert not list(tmp_path.rglob("report.json"))
    assert not list(tmp_path.rglob("model.safetensors"))
    # The checkpoint before the failure is intact, and the run resumes from it to the end.
    again = harm({}, *command("classification"))
    assert again.returncode == 0, again.stderr
    assert "goes on after step 2" in again.stdout


def test_an_objective_that_is_not_a_number(harm: Harm, command: Command, tmp_path: Path) -> None:
    lines = [f"a text of {number} words,{number / 10}" for number in range(20)]
    train, validation = tmp_path / "train.csv", tmp_path / "validation.csv"
    train.write_text("\n".join(["text,label", *lines]))
    validation.write_text("\n".join(["text,label", *(f"text {number},0.5" for number in range(6))]))
    files = (f"data.train={train}", f"data.validation={validation}", "data.test_fraction=0")
    stopped = harm({}, *command("classification", *files, "task.kind=regression", "task.objective=pearson"))
    assert stopped.returncode == 2
    assert "Traceback" not in stopped.stderr
    assert "task.objective=pearson is not a number on the validation rows" in stopped.stderr
    assert "rmse" in stopped.stderr, "the message lists the available scores"


def test_an_objective_that_there_is_not(harm: Harm, command: Command, tmp_path: Path) -> None:
    stopped = harm({}, *command("ner", "task.objective=f2"))
    assert stopped.returncode == 2
    assert "task.objective=f2: no such score. There are: precision, recall, f1" in stopped.stderr
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("task", ["ner", "qa"])
def test_too_little_memory(task: str, harm: Harm, command: Command, tmp_path: Path) -> None:
    exact = ("hparams.dropout=0", "hparams.attention_dropout=0", "hparams.learning_rate=1e-5")
    assert harm({}, *command(task, *exact, "output_root=roomy")).returncode == 0
    limit = {"ner": 24, "qa": 70}[task]
    tight = harm({"memory": limit}, *command(task, *exact, "output_root=tight"))
    assert tight.returncode == 0, tight.stderr
    assert "out of memory: " in tight.stdout
    (roomy,), (narrow,) = ((tmp_path / name).rglob("model.safetensors") for name in ("roomy", "tight"))
    one, other = load_file(roomy), load_file(narrow)
    # The batches are the same, in smaller parts. Each step moves a weight by up to 1e-5, so one lost row would show.
    assert all(one[name].allclose(other[name], atol=2e-5) for name in one)
    report = (run_directory(tmp_path / "tight") / "report.json").read_text()
    assert '"batch_size": 4' in report
    assert '"tokens_at_once": ' in report
    assert '"tokens_at_once": 2048' not in report


@pytest.mark.parametrize("when", ["evaluating", "predicting"])
def test_too_little_memory_to_evaluate(when: str, harm: Harm, command: Command, tmp_path: Path) -> None:
    exact = ("hparams.epochs=1", "hparams.dropout=0")
    assert harm({}, *command("qa", *exact, "output_root=roomy")).returncode == 0
    tight = harm({"memory": 70, "while": when}, *command("qa", *exact, "output_root=tight"))
    assert tight.returncode == 0, tight.stderr
    assert "out of memory: " in tight.stdout
    assert outcome(tmp_path / "tight")[0] == outcome(tmp_path / "roomy")[0]
    scores = [
        json.loads(next((tmp_path / name).rglob("report.json")).read_text())["metrics"] for name in ("roomy", "tight")
    ]
    assert scores[0] == scores[1]


def test_no_memory_for_the_optimizer(harm: Harm, command: Command, tmp_path: Path) -> None:
    stopped = harm({"memory": "optimizer"}, *command("ner"))
    assert stopped.returncode == 2
    assert "Traceback" not in stopped.stderr
    assert "what the optimizer keeps of them do not fit" in stopped.stderr
    assert not list(tmp_path.rglob("report.json"))


def test_a_single_row_is_too_much(harm: Harm, command: Command, tmp_path: Path) -> None:
    stopped = harm({"memory": 3}, *command("ner"))
    assert stopped.returncode == 2
    assert "Out of memory with a single row of" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert not list(tmp_path.rglob("report.json"))


@pytest.mark.parametrize("task", ["classification", "ner", "qa"])
def test_no_worker_can_be_lost_and_no_fork_can_hang(task: str, harm: Harm, command: Command) -> None:
    """Threads of the run's own process encode and load the rows: it starts no process that could die or deadlock."""
    done = harm({"alone": True}, *command(task), TOKENIZERS_PARALLELISM="true")
    assert done.returncode == 0, done.stderr
    assert "fork" not in done.stderr
