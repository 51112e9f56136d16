"""A stand-in for a run: it notes the config that a command line asks for, and trains nothing."""

from recipes.command.dispatch import Invocation, main
from recipes.config.schema import Config
from recipes.results.sweep_table import Outcome


class Recorded:
    """Takes the place of a run, and notes what it was asked for."""

    def __init__(self) -> None:
        self.configs: list[Config] = []
        self.invocations: list[Invocation] = []

    def __call__(self, config: Config, invocation: Invocation) -> Outcome:
        self.configs.append(config)
        self.invocations.append(invocation)
        return Outcome(directory="somewhere", objective_name="validation f1", objective=57.672, test=None)


def asked(*words: str) -> tuple[Config, Invocation]:
    """Return what a single run would get from these words of a command line."""
    recorded = Recorded()
    assert main(recorded, words, started=0.0) == 0
    return recorded.configs[0], recorded.invocations[0]


def swept(*words: str) -> list[tuple[Config, Invocation]]:
    """Return what the jobs of a sweep would get from these words of a command line."""
    recorded = Recorded()
    assert main(recorded, ["-m", *words], started=0.0) == 0
    return list(zip(recorded.configs, recorded.invocations, strict=True))
