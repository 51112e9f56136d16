"""The child of `scripts/bench evaluation`: evaluate a file and print seconds, peak megabytes and tokens."""

import sys
import time

from recipes.system.console import say


def main() -> int:
    """Build the trainer as the command does, and score the validation rows once."""
    started = time.perf_counter()
    from recipes.bench.parts import assembled
    from recipes.machine.memory import peak_memory_mb

    train, validation, *overrides = sys.argv[1:]
    data = ["task=classification", "data=files", f"data.train={train}", f"data.validation={validation}"]
    trainer, _ = assembled([*data, "data.test_fraction=0", *overrides])
    trainer.evaluate()
    tokens = int(trainer.eval_dataset.lengths.sum())
    say(f"{time.perf_counter() - started} {peak_memory_mb()} {tokens}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
