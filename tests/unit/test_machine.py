"""Threads, processor and memory of other machines than this one, stood in for by taking away what they lack."""

import builtins
import ctypes
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import psutil
import pytest
import torch

from recipes.machine import memory, out_of_memory, processor
from recipes.machine.devices import Placement
from recipes.machine.threads import threads_per_process, usable_cores
from recipes.run import main
from tasks.errors import InputError

CGROUP = "/sys/fs/cgroup/"

Cores = Callable[..., None]


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> Cores:
    """A machine of so many logical and physical cores, without a quota: `cores(logical, physical)`."""

    def stand_in(logical: int, physical: int | None) -> None:
        monkeypatch.setattr(os, "cpu_count", lambda: logical)
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(logical)), raising=False)
        monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: physical if not logical else None)

    return stand_in


@pytest.fixture
def cgroup(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """The container's control files, by name, instead of this machine's: `cgroup({"cpu.max": "100000 100000"})`."""

    def stand_in(files: dict[str, str]) -> None:
        exists, really_open = os.path.exists, builtins.open

        def opened(path: Any, *arguments: Any, **named: Any) -> Any:
            if str(path).startswith(CGROUP):
                return io.StringIO(files[str(path).removeprefix(CGROUP)])
            return really_open(path, *arguments, **named)

        monkeypatch.setattr(builtins, "open", opened)
        monkeypatch.setattr(
            os.path, "exists", lambda p: p[len(CGROUP) :] in files if str(p).startswith(CGROUP) else exists(p)
        )

    return stand_in


@pytest.mark.parametrize(
    ("files", "threads"),
    [
        ({}, 32),
        ({"cpu.max": "max 100000"}, 32),
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": "200000 100000"}, 2),
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 32),
    ],
)
def test_a_containers_quota_is_respected(
    files: dict[str, str], threads: int, cores: Cores, cgroup: Callable[[dict[str, str]], None]
) -> None:
    cores(logical=64, physical=32)
    cgroup(files)
    assert usable_cores() == threads


def test_physical_cores_are_preferred_and_shared(
    cores: Cores, cgroup: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cgroup({})
    cores(logical=16, physical=8)
    assert [threads_per_process(processes) for processes in (1, 2, 3, 8, 100)] == [8, 4, 2, 1, 1]
    cores(logical=16, physical=None)
    assert usable_cores() == 16
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5})
    assert usable_cores() == 2


def test_a_system_without_affinity(
    cores: Cores, cgroup: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cgroup({})
    cores(logical=10, physical=8)
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.delattr(psutil.Process, "cpu_affinity", raising=False)
    assert joblib.cpu_count() == 10
    assert usable_cores() == 8


def test_a_processor_that_says_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processor, "CPU_FACTS", tmp_path / "cpuinfo")
    assert processor.bf16_units() == ""
    assert processor.processor_name()
    (tmp_path / "cpuinfo").write_text("model name\t: Fast One\n\nmodel name\t: Second Core\n")
    assert processor.bf16_units() == ""
    assert processor.processor_name() == "Fast One"


@pytest.mark.parametrize(
    ("vendor", "flags", "units"),
    [
        ("GenuineIntel", "fpu amx_bf16 avx512_bf16", "AMX"),
        ("GenuineIntel", "fpu avx512_bf16", ""),  # AMX is hidden from the virtual machine: fp32 is twice as fast
        ("AuthenticAMD", "fpu avx512_bf16", "AVX512-BF16"),
        ("AuthenticAMD", "fpu avx512f", ""),
    ],
)
def test_bf16_is_for_processors_that_are_faster_with_it(
    vendor: str, flags: str, units: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processor, "CPU_FACTS", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text(f"vendor_id\t: {vendor}\nflags\t\t: {flags}\n")
    assert processor.bf16_units() == units


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: no such library")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    memory.keep_freed_memory()
    memory.release_freed_memory()


def test_windows_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert main(["task=ner"]) == 2
    assert "WSL 2" in capsys.readouterr().err


OTHER_SYSTEM = """
import os, psutil, runpy, sys

del os.sched_getaffinity, os.sched_setaffinity, psutil.Process.cpu_affinity

def refuse(event, arguments):
    if event == "open" and arguments[0] == "/proc/cpuinfo":
        raise FileNotFoundError(arguments[0])

sys.addaudithook(refuse)
runpy.run_module("recipes.run", run_name="__main__", alter_sys=True)
"""


def test_a_run_passes_where_linux_facts_are_missing(
    data: dict[str, Path], models: dict[str, Path], tmp_path: Path
) -> None:
    command = ["task=ner", f"data.train={data['ner']}", f"model.path={models['bert']}", "hparams.max_steps=2"]
    done = subprocess.run(
        [sys.executable, "-c", OTHER_SYSTEM, *command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "fp32 on cpu (no fast bf16 unit found in this CPU)" in done.stdout
    assert "Done in" in done.stdout


def test_a_placement_in_words() -> None:
    assert Placement("cpu", "bf16", 1, 1, reason="AMX").describe() == "bf16 on cpu (AMX), 1 thread"
    assert Placement("cpu", "fp32", 4, 2).describe() == "fp32 on cpu, 4 threads, 2 processes"
    assert Placement("cuda", "bf16", 4, 1).describe() == "bf16 on cuda"


def test_a_gpu_without_memory_is_told_in_one_sentence() -> None:
    said = (
        "CUDA out of memory. Tried to allocate 46.00 MiB. GPU 0 has a total capacity of 7.79 GiB of which 1.27 GiB is "
        "free. Process 11 has 1.25 GiB memory in use. Including non-PyTorch memory, this process has 6.51 GiB memory "
        "in use. If reserved but unallocated memory is large try setting PYTORCH_ALLOC_CONF=expandable_segments:True."
    )
    with pytest.raises(InputError) as refused, out_of_memory.explaining():
        raise torch.OutOfMemoryError(said)
    first, second = str(refused.value).split("\n")
    assert first == (
        "Out of memory: Tried to allocate 46.00 MiB. GPU 0 has a total capacity of 7.79 GiB of which 1.27 GiB is free."
    )
    assert second.startswith("The weights, their gradients")


def test_memory_that_another_library_misses_is_told_as_it_says() -> None:
    with pytest.raises(InputError) as refused, out_of_memory.explaining():
        raise RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate\nat line 3")
    assert str(refused.value).startswith("Out of memory: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate\nThe ")


TAKE = """
import sys
from recipes.machine.gpus import VISIBLE, take_gpu
import os
lock = take_gpu()
print(os.environ[VISIBLE], lock is not None, take_gpu() is lock, flush=True)
sys.stdin.read()
"""


def _taker(tmp_path: Path, visible: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "CUDA_VISIBLE_DEVICES": visible}
    return subprocess.Popen(
        [sys.executable, "-c", TAKE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


def test_processes_side_by_side_take_a_gpu_each_until_they_end(tmp_path: Path) -> None:
    def said(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline().strip()

    with _taker(tmp_path, "2,5") as first, _taker(tmp_path, "2,5") as second:
        assert {said(first), said(second)} == {"2 True True", "5 True True"}
        with _taker(tmp_path, "2,5") as third:
            assert said(third) in ("2 False True", "5 False True"), "all are taken: one is shared"
            third.communicate()
        first.kill()
        first.wait()
        with _taker(tmp_path, "2,5") as fourth:
            assert said(fourth).endswith("True True"), "what a killed process had is free again"
            fourth.communicate()
        second.communicate()


def test_a_single_gpu_is_not_shared_out(tmp_path: Path) -> None:
    with _taker(tmp_path, "3") as one:
        assert one.communicate()[0] == "3 False True\n"
    assert not list(tmp_path.iterdir())
