"""A search that is killed at any moment and started again ends with the table of an undisturbed one."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.faults.conftest import ROOT, Command, Harm

RATES = "hparams.learning_rate=interval(0.001,0.02)"
KILLS: tuple[list[Any], ...] = (
    ["begin", 1],
    ["training_step", 7],
    ["report", 2],
    ["complete", 1],
    ["begin", 2],
    ["fsync", 30],
)
"Calls right before which the search is killed, one kill after the other."


def search(command: Command, *more: str) -> list[str]:
    """Return the words of a search over learning rates."""
    own = ("hparams.learning_rate", "hparams.epochs")
    return ["-m", *(word for word in command("ner") if not word.startswith(own)), *more]


def same_names(text: str) -> str:
    """Return a text without the names of the folders that the two searches have, and without seconds."""
    return re.sub(r"killed|unhurt|sweeps/\w+|  \([^()]* (s|min)\)$", "ROOT", text, flags=re.MULTILINE)


def trials(root: Path) -> Any:
    (path,) = root.rglob("trials.json")
    return json.loads(path.read_text().replace(str(root), "ROOT"))


def test_a_search_that_is_killed_over_and_over(harm: Harm, command: Command, tmp_path: Path) -> None:
    words = search(
        command, "search=tpe", "search.trials=3", RATES, "search.confirm={top:1,seeds:1}", "hparams.epochs=2"
    )
    whole = harm({}, *words, "output_root=unhurt", PYTHONHASHSEED="1")
    assert whole.returncode == 0, whole.stderr
    killed = 0
    for place in KILLS:
        ended = harm({"signal": 9, "at": place}, *words, "output_root=killed")
        killed += ended.returncode == -9
        assert ended.returncode in (-9, 0), ended.stderr
    assert killed > len(KILLS) // 2
    again = harm({}, *words, "output_root=killed")
    assert again.returncode == 0, again.stderr
    ours, theirs = (same_names(json.dumps(trials(tmp_path / name))) for name in ("killed", "unhurt"))
    assert ours == theirs
    ours, theirs = (same_names(text[text.index("Search of") :]) for text in (again.stdout, whole.stdout))
    assert ours == theirs


def test_a_kill_before_a_trial_is_ended_early(harm: Harm, command: Command, tmp_path: Path) -> None:
    rates = "hparams.learning_rate=0.01,0.011,0.012,0.013,0.014,1e-7"
    more = ("search=grid", "search.pruner=median", rates, "search.confirm.top=0", "hparams.epochs=3")
    words = search(command, *more, "output_root=out")
    ended = harm({"signal": 9, "at": ["prune", 1]}, *words)
    assert ended.returncode == -9, ended.stderr
    again = harm({"signal": 9, "at": ["training_step", 1]}, *words)
    assert again.returncode == 0, "nothing is trained any more"
    assert "trial   5  learning_rate=1e-07: ended after evaluation" in again.stdout
    (last,) = [trial for trial in trials(tmp_path)["trials"] if trial["number"] == 5]
    assert last["state"] == "pruned"
    assert 1 <= len(last["evaluations"]) < 3


def test_two_processes_share_a_search(command: Command, tmp_path: Path) -> None:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    words = search(command, "search=random", "search.trials=6", RATES, "search.confirm.top=0", "hparams.epochs=1")
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "recipes.run", *words],
            cwd=tmp_path,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ended = [(worker.communicate(timeout=250), worker.returncode) for worker in workers]
    for (_, errors), status in ended:
        assert status == 0, errors
    found = trials(tmp_path)["trials"]
    assert sorted(trial["number"] for trial in found) == list(range(6))
    assert {trial["state"] for trial in found} <= {"complete", "pruned"}
    lines = [output.count("\n  trial ") for (output, _), _ in ended]
    assert sum(lines) == 6, "each trial was done once"
    assert all(lines), "both processes did some"
