"""A process that has imported everything, of which runs under test are forks: importing is most of a small run's time.

A fork is a process of its own, which can be killed as any other. What it can't show is how a command begins: tests of
that start it anew, as do those of launchers and terminals. Hashes of strings are as in the nursery, and differ from
those of other processes, so that a run that depends on the order of a set is still found out.
"""

import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

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
        environment: its variables. Those that libraries read when they are imported hold for all its forks.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.nursery", str(theirs.fileno())]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[theirs.fileno()])
        theirs.close()

    def close(self) -> None:
        """End the nursery."""
        self._socket.close()
        self._process.wait()

    def run(
        self,
        module: str,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        typed: str | None,
        timeout: float,
    ) -> subprocess.CompletedProcess[str]:
        """Run a module as `python -m` does, and return what it gave.

        Raises:
            TimeoutExpired: it took too long, and was killed.
        """
        words = [module, *arguments]
        with (
            tempfile.TemporaryFile("w+") as given,
            tempfile.TemporaryFile("w+") as out,
            tempfile.TemporaryFile("w+") as errors,
        ):
            given.write(typed or "")
            given.seek(0)
            request = json.dumps({"words": words, "folder": str(folder), "environment": dict(environment)}).encode()
            socket.send_fds(self._socket, [request], [stream.fileno() for stream in (given, out, errors)])
            pid = int(self._socket.recv(64))
            self._socket.settimeout(timeout)
            try:
                status = int(self._socket.recv(64))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                self._socket.settimeout(None)
                self._socket.recv(64)
                raise subprocess.TimeoutExpired(words, timeout) from None
            finally:
                self._socket.settimeout(None)
            return subprocess.CompletedProcess(words, status, _content(out), _content(errors))


def _content(stream: IO[str]) -> str:
    stream.seek(0)
    return stream.read()


def serve(requests: socket.socket) -> None:
    """Fork for each request, and send its process number and then its status. A fork returns, to be the run."""
    while True:
        request, streams, *_ = socket.recv_fds(requests, LARGEST_REQUEST, 3)
        if not request:
            raise SystemExit
        pid = os.fork()
        if not pid:
            requests.close()
            become(json.loads(request), streams)
            return
        for stream in streams:
            os.close(stream)
        requests.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        requests.send(str(os.waitstatus_to_exitcode(status)).encode())


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
    serve(socket.socket(fileno=int(sys.argv[1])))
    sys.path[0] = str(Path.cwd())  # as `python -m` has it
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
