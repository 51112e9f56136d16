"""The facts about machine and code that a report keeps, and that a resumed run compares."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import torch

from recipes.machine.devices import Placement
from recipes.machine.processor import processor_name
from recipes.results.report import Environment

PACKAGES = ("finetune-recipes", "torch", "transformers", "accelerate", "peft", "datasets", "tokenizers", "numpy")


def environment(placement: Placement) -> Environment:
    """Return what a run's numbers depend on besides its config: machine and software."""
    return Environment(
        versions={"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        device=placement.device,
        device_name=_device_name(placement),
        cores=os.cpu_count(),
        threads=placement.threads,
        processes=placement.processes,
        precision=placement.precision,
        git_commit=git_commit(),
    )


def numerical_environment(placement: Placement) -> dict[str, Any]:
    """Return the facts that rounding depends on. If they are equal, the same rows and seed give the same weights."""
    versions = {name: _version(name) for name in ("torch", "transformers")}
    return {
        "device": _device_name(placement),
        "precision": placement.precision,
        "threads": placement.threads,
        **versions,
    }


def _device_name(placement: Placement) -> str:
    return str(torch.cuda.get_device_name()) if placement.device == "cuda" else processor_name()


def git_commit() -> str | None:
    """Return the commit of the checkout that this code runs from, with `+` if files differ; None outside of one."""
    here = Path(__file__).resolve().parent

    def git(*arguments: str) -> str:
        run = subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True, timeout=5)  # noqa: S603, S607
        return run.stdout.strip()

    try:
        if "site-packages" in here.parts:
            return None
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
