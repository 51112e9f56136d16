"""Run the real command and inject faults at an exact moment: `python -m tests.faults.saboteur PLAN ARGUMENT ...`.

PLAN is a JSON object with one or more of the entries below. The command's arguments follow it.

- `{"signal": 9, "at": ["training_step", 7]}`: send signal 9 to this process at its 7th `training_step`. With
  `"to": "launcher"`, send it once, to the process that launched this one. With `"to": 1`, send it only to the process
  of rank 1.
- `{"nan": 5}`: make the 5th loss in training NaN.
- `{"memory": 40}`: run out of memory in each batch of more than 40 tokens, padding included. With `"while":
  "evaluating"` or `"while": "predicting"`, do so only in the evaluation of epochs or in final predictions; with
  `"to": 1`, only in the process of rank 1. `{"memory": "optimizer"}`: run out of memory in the optimizer's step.
- `{"tamper": true}`: delete the best weights as soon as training has ended.
- `{"fill": "FOLDER", "at": ["training_step", 9]}`: fill the file system of FOLDER at the 9th `training_step`.
- `{"full": 12}`: let the 12th `fsync` fail because the disk is full.
- `{"alone": true}`: refuse to start other processes, except git, which tells the command the commit.
- `{"offline": true}`: refuse connections to other machines, and say so on standard error.
- `{"rows": "FILE"}`: append a line to FILE for each training batch: the step, and the rows as lists of token ids.
- `{"module": "recipes.predict"}`: run this command instead of `recipes.run`.
- `{"count": true}`: at the end, print a line on standard error with the number of calls of each kind.

Calls that can be counted: `training_step`, `evaluate`, `predict`, `encode`, `fsync`, `rename` and `rmtree`, of which
each save makes several of the last three; and `begin`, `report`, `prune` and `complete` of a search's store.
"""

import atexit
import contextlib
import errno
import json
import os
import runpy
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def wrap(owner: Any, name: str, before: Callable[..., None]) -> None:
    original = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        before(*arguments, **named)
        return original(*arguments, **named)

    setattr(owner, name, wrapped)


def at_call(number: int, act: Callable[[], None]) -> Callable[..., None]:
    calls = 0

    def count(*_: Any, **__: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            act()

    return count


def places() -> dict[str, tuple[Any, str]]:
    """Return the calls that can be counted: for each, the object that holds the function, and the function's name."""
    from recipes.inference.predicting import Predictor
    from recipes.searching.store import Store
    from recipes.training.trainer import RecipeTrainer
    from recipes.windows.encoder import Encoder

    return {
        "training_step": (RecipeTrainer, "training_step"),
        "evaluate": (RecipeTrainer, "evaluate"),
        "predict": (Predictor, "predict_rows"),
        "encode": (Encoder, "windows"),
        "fsync": (os, "fsync"),
        "rename": (Path, "rename"),
        "rmtree": (shutil, "rmtree"),
        **{name: (Store, name) for name in ("begin", "report", "prune", "complete")},
    }


def at(place: Sequence[Any], act: Callable[[], None]) -> None:
    name, number = place
    wrap(*places()[name], at_call(number, act))


def send(number: int, place: Sequence[Any], receiver: str | int) -> None:
    rank = os.environ.get("RANK", "0")
    process = os.getppid() if receiver == "launcher" else os.getpid()
    if receiver == "each" or rank == str(0 if receiver == "launcher" else receiver):
        at(place, lambda: os.kill(process, number))


def fill(folder: Path) -> None:
    with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"0" * 4096)


def find_no_room() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def stay_alone() -> None:
    starts = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system")

    def refuse(event: str, given: Any) -> None:
        if event in starts and not (event == "subprocess.Popen" and given[1][0] == "git"):
            raise RuntimeError(f"{event}, which the saboteur forbids")

    sys.addaudithook(refuse)


def stay_offline() -> None:
    def refuse(event: str, given: Any) -> None:
        address = given[1] if event == "socket.connect" else None
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            print(f"a connection to {address}, which the saboteur forbids", file=sys.__stderr__)
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
        if event == "socket.getaddrinfo" and given[0] not in ("127.0.0.1", "::1", "localhost"):
            print(f"a look-up of {given[0]}, which the saboteur forbids", file=sys.__stderr__)

    sys.addaudithook(refuse)


def record_rows(path: Path) -> None:
    def record(trainer: Any, _: Any, inputs: Any, *__: Any, **___: Any) -> None:
        seen = inputs["attention_mask"].bool()
        rows = [ids[mask].tolist() for ids, mask in zip(inputs["input_ids"], seen, strict=True)]
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([trainer.state.global_step, rows]) + "\n")

    wrap(*places()["training_step"], record)


def poison(step: int) -> None:
    from recipes.training.trainer import RecipeTrainer

    compute, steps = RecipeTrainer.compute_loss, 0

    def poisoned(self: Any, model: Any, inputs: Any, *arguments: Any, **named: Any) -> Any:
        nonlocal steps
        steps += model.training
        loss = compute(self, model, inputs, *arguments, **named)
        return loss * float("nan") if model.training and steps == step else loss

    RecipeTrainer.compute_loss = poisoned  # type: ignore[method-assign]


def use_up_memory(limit: int | str, when: str | None) -> None:
    import torch

    from recipes.inference import predicting
    from recipes.training.trainer import RecipeTrainer

    def no_memory(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("out of memory, said the saboteur")

    def too_much(model: Any, inputs: Any) -> None:
        if inputs["input_ids"].numel() > limit and (when is None or not model.training):
            no_memory()

    if limit == "optimizer":
        wrap(torch.optim.AdamW, "step", no_memory)
    else:
        if when != "predicting":
            wrap(RecipeTrainer, "compute_loss", lambda _, model, inputs, *__, **___: too_much(model, inputs))
        if when != "evaluating":
            wrap(predicting, "forward", too_much)


def tamper() -> None:
    from recipes.training.trainer import RecipeTrainer

    def rob(trainer: Any) -> None:
        for path in Path(trainer.args.output_dir).glob("best-*"):
            shutil.rmtree(path)

    wrap(RecipeTrainer, "load_kept", rob)


def count_calls() -> None:
    counts = dict.fromkeys(places(), 0)

    def counting(name: str) -> Callable[..., None]:
        def count(*_: Any, **__: Any) -> None:
            counts[name] += 1

        return count

    for name, place in places().items():
        wrap(*place, counting(name))
    atexit.register(lambda: print(json.dumps(counts), file=sys.stderr))


def sabotage(plan: dict[str, Any]) -> None:
    if "signal" in plan:
        send(plan["signal"], plan["at"], plan.get("to", "each"))
    if "fill" in plan:
        at(plan["at"], lambda: fill(Path(plan["fill"])))
    if "full" in plan:
        at(("fsync", plan["full"]), find_no_room)
    if "rows" in plan:
        record_rows(Path(plan["rows"]))
    if "nan" in plan:
        poison(plan["nan"])
    if "memory" in plan and plan.get("to", "each") in ("each", int(os.environ.get("RANK", "0"))):
        use_up_memory(plan["memory"], plan.get("while"))
    if "alone" in plan:
        stay_alone()
    if "offline" in plan:
        stay_offline()
    if "tamper" in plan:
        tamper()
    if "count" in plan:
        count_calls()


if __name__ == "__main__":
    plan = json.loads(sys.argv.pop(1))
    sabotage(plan)
    runpy.run_module(plan.get("module", "recipes.run"), run_name="__main__", alter_sys=True)
