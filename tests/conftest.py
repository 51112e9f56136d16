"""Settings of the whole test suite, and the tiny models and small files that the real commands run on."""

import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, settings

from tests import tiny
from tests.nursery import CAN_FORK, Nursery, starter

# The number of examples limits a test, not the time: a slow machine must not fail it.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

Run = Callable[..., subprocess.CompletedProcess[str]]

INTENTS = {
    "delivery": ["where is my parcel", "the box has not arrived", "my order is late again", "when will it be shipped"],
    "billing": ["I was charged twice", "refund the invoice please", "wrong amount on my card", "the bill is too high"],
    "praise": ["lovely service thank you", "great shop as always", "the best support ever", "very happy with it"],
}
NAMES = ["Mara Lindqvist", "Ada Brown", "Jon Fox", "Eva Dale"]
PLACES = ["Oslo", "New York", "Northgate", "Paris"]


@pytest.fixture(scope="session", autouse=True)
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the encoded windows of tests out of the user's cache, in subprocesses too."""
    os.environ["RECIPES_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session", autouse=True)
def _signals_are_heard() -> Iterator[None]:
    """Listen to SIGHUP and SIGINT again under `nohup` or a shell's `&`: runs of tests need them, and inherit it."""
    ignored = [number for number in (signal.SIGHUP, signal.SIGINT) if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session", autouse=True)
def _core_of_its_own(worker_id: str) -> None:
    """Pin each parallel pytest worker and its subprocesses to one core: threads on shared cores wait for each other."""
    if worker_id != "master" and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker_id.removeprefix("gw")) % len(cores)]})
        torch.set_num_threads(1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests on public data sets unless RECIPES_DATA names their folder, and those of missing packages."""
    folder = os.environ.get("RECIPES_DATA")
    has_data = bool(folder) and Path(str(folder)).is_dir()
    left_out = [item for item in items if (item.get_closest_marker("data") and not has_data) or lacks_package(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        names = {item.nodeid for item in left_out}
        items[:] = [item for item in items if item.nodeid not in names]


def lacks_package(item: pytest.Item) -> bool:
    """Tell whether a test needs a package that is not installed."""
    found = [importlib.util.find_spec(mark.args[0]) for mark in item.iter_markers("package")]
    # A folder of the package's name in the working directory has no origin.
    return any(spec is None or spec.origin is None for spec in found)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Report how many faults were survived. Only this conftest.py is read by all processes of a parallel run."""
    passed, failed = (
        [report for report in terminalreporter.getreports(kind) if "tests/faults/" in report.nodeid]
        for kind in ("passed", "failed")
    )
    if passed or failed:
        terminalreporter.write_line(f"faults survived: {len(passed)} of {len(passed) + len(failed)}")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny pretrained model of each architecture."""
    root = tmp_path_factory.mktemp("models")
    return {name: tiny.save(name, root / name) for name in sorted(set(tiny.ARCHITECTURES.values()))}


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A training file for each task, large enough that splits can be cut off it."""
    root = tmp_path_factory.mktemp("data")
    paths = {"classification": root / "intents.csv", "ner": root / "names.conll", "qa": root / "claims.json"}
    with paths["classification"].open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(4):
            writer.writerows([f"{text}, {number}", label] for label, texts in INTENTS.items() for text in texts)
    sentences = []
    for number, name in enumerate(NAMES * 3):
        first, last = name.split()
        place = PLACES[number % 4].split()
        where = "".join(f"{word}\t{'I' if index else 'B'}-place\n" for index, word in enumerate(place))
        sentences += [f"{first}\tB-person\n{last}\tI-person\nvisited\tO\n{where}on\tO\nday\tO\n{number}\tO\n"]
        sentences += [f"In\tO\n{where}it\tO\nrains\tO\n{number}\tO\n"]
    paths["ner"].write_text("\n".join(sentences))
    articles = []
    for number, name in enumerate(NAMES * 2):
        context = f"Claims are signed by {name} within {number + 2} days. The office is in {PLACES[number % 4]}."
        questions: list[dict[str, Any]] = []
        for ask, answer in (("who signs?", name), ("where is the office?", PLACES[number % 4]), ("who pays?", None)):
            answers = [] if answer is None else [{"text": answer, "answer_start": context.index(answer)}]
            name_of_question = f"{number}-{len(questions)}"
            questions.append(
                {"id": name_of_question, "question": ask, "answers": answers, "is_impossible": answer is None}
            )
        articles.append({"title": f"Title {number}", "paragraphs": [{"context": context, "qas": questions}]})
    paths["qa"].write_text(json.dumps({"version": "v2.0", "data": articles}))
    return paths


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery | None]:
    """A process to fork runs from, so that not each has to import everything. None where that is not safe."""
    if not CAN_FORK:
        yield None
        return
    folder = tmp_path_factory.mktemp("nursery")
    nursery = Nursery(folder, {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hf")})
    yield nursery
    nursery.close()


@pytest.fixture
def run(tmp_path: Path, nursery: Nursery | None) -> Run:
    """Run the real command in a folder of its own, with the hub out of reach."""

    def command(
        *arguments: str, launcher: tuple[str, ...] = (sys.executable,), **environment: str
    ) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf"), **environment}
        return subprocess.run(
            [*starter(nursery, launcher, environment), "-m", "recipes.run", *arguments],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return command
