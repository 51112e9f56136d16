"""Train and judge one model, or sweep over many: `python -m recipes.run task=ner model=roberta-base`."""

import gc
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recipes.command.dispatch import Invocation
    from recipes.config.schema import Config
    from recipes.results.sweep_table import Outcome
    from recipes.system.signals import Interruption


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer for help, or hand over to Hydra. Returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if {"--help", "-h"} & set(arguments):
        from recipes.command.help import help_text
        from recipes.system.console import say

        say(help_text())
        return 0
    from recipes.command import dispatch as command

    return command.main(run, arguments)


def run(config: "Config", invocation: "Invocation") -> "Outcome":
    """Do one run, or find it done already.

    Raises:
        InputError: the data, the model or a choice can't be used.
    """
    from recipes.results import location, run_directory
    from recipes.system.console import label, say

    choices = invocation.choices
    folder = location.locate(config, choices["data"], choices["model"], invocation.baseline)
    if not config.overwrite:
        run_directory.require_same_config(folder, config)
        report = run_directory.finished_report(folder)
        if report is not None:
            run_directory.require_same_files(folder, report)
            run_directory.tidy(folder)
            say(f"Already done: {folder}")
            for split, scores in report["metrics"].items():
                label(split, f"{report['objective']['name']} {scores[report['objective']['name']]:.4f}")
            say("To do it again: overwrite=true")
            return _outcome(report, folder)
    label("run", f"{config.task.name} on {choices['data']} with {choices['model']}, seed {config.seed}")
    carry_out = _imported()
    return _outcome(carry_out(config, invocation.command, folder, invocation.interruption), folder)


def _imported() -> Callable[["Config", str, Path, "Interruption"], dict[str, Any]]:
    """Import what trains, in four seconds instead of five.

    Imports make objects by the million that all stay: looking for garbage among them again and again is in vain.
    """
    gc.disable()
    try:
        from recipes.system.quiet_libraries import quiet_libraries

        quiet_libraries()
        from recipes.training.experiment import carry_out
    finally:
        gc.freeze()
        gc.enable()
    return carry_out


def _outcome(report: dict[str, Any], folder: Path) -> "Outcome":
    from recipes.results.sweep_table import Outcome

    objective = report["objective"]
    name = objective["name"]
    return Outcome(
        directory=folder,
        objective_name=f"{objective['split']} {name}",
        objective=objective["value"],
        test=report["metrics"].get("test", {}).get(name),
        greater_is_better=objective["greater_is_better"],
    )


if __name__ == "__main__":
    sys.exit(main())
