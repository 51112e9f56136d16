"""Kill real runs at random moments until they finish, and compare the results: `scripts/soak --kills 50`.

Unlike the tests in this folder, it kills by the clock, trains the default model, and takes a new seed each time.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.conftest import outcome

TASKS = ("ner", "classification", "qa")


def command(task: str, seed: int, root: Path) -> list[str]:
    """Return the command of a run that takes ten to thirty seconds."""
    small = ["data.limit={train:96,validation:24,test:24}", "hparams.epochs=3", "hparams.accumulation=2"]
    fixed = ["runtime.checkpoint_every=1s", f"seed={seed}", f"output_root={root}"]
    return [sys.executable, "-m", "recipes.run", f"task={task}", *small, *fixed]


def killed(arguments: list[str], log: Path, generator: random.Random, longest: float) -> bool:
    """Start a run and kill it after a random time. Return True if the run ended before that."""
    number = generator.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM])
    with log.open("ab") as file:
        process = subprocess.Popen(arguments, stdout=file, stderr=file)
        try:
            process.wait(generator.uniform(0.3, longest))
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            process.wait()
            return False
    if process.returncode:
        raise SystemExit(f"A run failed with {process.returncode}: {log.read_text()[-3000:]}")
    return True


def main() -> int:
    """Kill runs until the requested number of kills is reached. Return 0 if all results were right, otherwise 1."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="how many (default: 50)")
    parser.add_argument("--seed", type=int, help="of the moments; default: a new one each time")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else int.from_bytes(os.urandom(4), "big")
    generator = random.Random(seed)  # noqa: S311
    print(f"seed {seed}", flush=True)
    kills = runs = wrong = 0
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        while kills < given.kills:
            task, run_seed = TASKS[runs % len(TASKS)], generator.randrange(1000)
            runs += 1
            root = Path(folder, str(runs))
            root.mkdir()
            started = time.monotonic()
            subprocess.run(command(task, run_seed, root / "whole"), check=True, capture_output=True)
            longest = time.monotonic() - started
            mine = 0
            while not killed(command(task, run_seed, root / "cut"), root / "log", generator, longest):
                mine += 1
            kills += mine
            right = outcome(root / "whole") == outcome(root / "cut")
            wrong += not right
            print(f"{task}, seed {run_seed}: {mine} kills, {'the same' if right else 'ANOTHER MODEL'}", flush=True)
    print(f"{kills} kills in {runs} runs over {', '.join(TASKS)}: {wrong} came to another model or curve")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
