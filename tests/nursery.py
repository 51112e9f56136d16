"""A process that has imported everything, of which runs under test are forks: importing is most of a small run's time.

A fork is a process of its own, which can be killed as any other. What it can't show is how a command begins: tests of
that start it anew, as do those of launchers and terminals. Hashes of strings are the same in all forks of a nursery: to
find out whether a result depends on the order of a set, a test starts one of its runs anew (`PYTHONHASHSEED="1"`).
"""

import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LARGEST_REQUEST = 1 << 20
CAN_FORK = sys.platform == "linux"
"Elsewhere libraries may have begun threads that a fork lacks."
HEAVY = (
    "antlr4",
    "ftfy",
    "hydra._internal.core_plugins.basic_launcher",
    "hydra._internal.core_plugins.basic_sweeper",
    "recipes.choosing.choice",
    "recipes.choosing.hint",
    "recipes.inference.judging",
    "recipes.levers.low_rank",
    "recipes.reporting.run_page",
    "recipes.reporting.search_page",
    "recipes.reporting.study_page",
    "recipes.reporting.sweep_page",
    "recipes.searching.searching",
    "recipes.serving.predicting_files",
    "recipes.tracking.tracking",
    "recipes.training.fitting",
    "recipes.training.reporting",
    "recipes.results.model_card",
    "seqeval.metrics",
    "tasks.inspecting.registry",
    "transformers.models.bert.modeling_bert",
    "transformers.models.bert.tokenization_bert",
)
"What is imported: not the commands themselves, and not the experiment, with whose import a command sets libraries up."


class Nursery:
    """The nursery, as seen by a test.

    Args:
        folder: an empty one, for its `python`.
        environment: its variables. Those that libraries read when they are imported hold for all its forks.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.programs = folder / "bin"
        # An address that is no path, as the paths of sockets must be short.
        self.address = f"\0finetune-recipes-{os.getpid()}"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(self.address)
        listener.listen()
        # The nursery ends when the other end is closed, also if the tests are killed.
        ours, self._alive = os.pipe()
        command = [sys.executable, "-m", "tests.nursery", str(listener.fileno()), str(ours)]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[listener.fileno(), ours])
        listener.close()
        os.close(ours)
        self._leave_python()

    def _leave_python(self) -> None:
        """Write a `python` that asks for a fork if it is to run one of our modules: for commands that a shell runs."""
        self.programs.mkdir()
        program = self.programs / "python"
        program.write_text(PYTHON.format(python=sys.executable, address=self.address))
        program.chmod(0o755)

    def close(self) -> None:
        """End the nursery."""
        os.close(self._alive)
        self._process.wait()


def starter(nursery: Nursery | None, given: tuple[str, ...], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what starts a command: the `python` of the nursery, if no launcher or variable is a test's own."""
    if nursery is None or given != (sys.executable,) or environment:
        return given
    return (str(nursery.programs / "python"),)


PYTHON = """\
#!{python} -S
import json, os, signal, socket, sys

if sys.argv[1:2] != ["-m"] or sys.argv[2].split(".")[0] not in ("recipes", "tests"):
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
nursery = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
nursery.connect({address!r})
request = {{"words": sys.argv[2:], "folder": os.getcwd(), "environment": dict(os.environ)}}
socket.send_fds(nursery, [json.dumps(request).encode()], [0, 1, 2])
os.close(0)
os.close(1)  # so that who reads it sees when the run has closed it
status = int(nursery.recv(64) or sys.exit("the nursery has ended"))
os.close(2)
if status < 0:
    signal.signal(-status, signal.SIG_DFL) if status != -signal.SIGKILL else None
    os.kill(os.getpid(), -status)
os._exit(status)
"""


def serve(listener: socket.socket, alive: int) -> None:
    """Fork for each request, and send the status of the fork when it has ended. A fork returns, to be the run.

    A fork is killed when nobody waits for it any more.
    """
    running: dict[int, tuple[int, socket.socket]] = {}  # by the file descriptors of forks
    while True:
        clients = {client.fileno(): fork for fork, (_, client) in running.items()}
        ready, _, _ = select.select([listener.fileno(), alive, *running, *clients], [], [])
        if alive in ready:
            for pid, _ in running.values():
                os.kill(pid, signal.SIGKILL)
            raise SystemExit
        for fork in {*running} & {*ready}:
            pid, client = running.pop(fork)
            os.close(fork)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            with contextlib.suppress(OSError), client:
                client.send(str(status).encode())
        for fork in (clients[number] for number in ready if number in clients):
            if fork in running:
                os.kill(running[fork][0], signal.SIGKILL)
        if listener.fileno() in ready:
            client, _ = listener.accept()
            request, streams, *_ = socket.recv_fds(client, LARGEST_REQUEST, 3)
            pid = os.fork()
            if not pid:
                for other in (listener, client, *(one for _, one in running.values())):
                    other.close()
                for number in (alive, *running):
                    os.close(number)
                become(json.loads(request), streams)
                return
            for stream in streams:
                os.close(stream)
            running[os.pidfd_open(pid)] = pid, client


def become(request: dict[str, Any], streams: Sequence[int]) -> None:
    """Take over the streams, folder, variables and words of a command."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["words"]


if __name__ == "__main__":
    for name in HEAVY:
        importlib.import_module(name)
    serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
    sys.path[0] = str(Path.cwd())  # as `python -m` has it
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
