"""How many of the intervals hold the truth: on simulated predictions, whose true score is known.

Each draw is a test set of its own, from a world in which everything is known: how often a model is right for which
class, sentence or article. The true score is that of an endless test set from the same world.
"""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recipes.bench.table import write
from recipes.statistics.bootstrap import intervals
from recipes.system.console import say
from tasks.scoring.entities import entity_rescore
from tasks.scoring.labels import label_rescore
from tasks.scoring.resampling import Rescore
from tasks.scoring.squad import squad_rescore

TEST_SETS = 1000
CONFUSION = np.array([[0.9, 0.06, 0.03, 0.01], [0.15, 0.75, 0.05, 0.05], [0.2, 0.1, 0.65, 0.05], [0.3, 0.1, 0.1, 0.5]])
"The chance of each predicted class, for each gold class."
PRIOR = np.array([0.5, 0.3, 0.15, 0.05])
"The share of each gold class."
SKILL = (4.0, 2.0)
"The share of entities that are found, and of articles' questions that are answered, varies as a beta distribution."
INVENTED = 0.3
"Entities that a model invents, per sentence."
PARTLY = 0.5
"The share of the other questions whose answer shares one word of two with gold, which is an F1 of two thirds."


@dataclass(frozen=True)
class World:
    """Where test sets come from."""

    name: str
    score: str
    truth: float
    draw: Callable[[np.random.Generator], tuple[Rescore, int]]
    "Returns what scores a test set, and its number of units."


def worlds() -> list[World]:
    """Return the simulated worlds."""
    joint = PRIOR[:, None] * CONFUSION
    f1 = 2 * joint.diagonal() / (joint.sum(0) + joint.sum(1))
    mean = SKILL[0] / (SKILL[0] + SKILL[1])
    found = 1.5 * mean
    answered = 100 * (mean + (1 - mean) * PARTLY * 2 / 3)
    return [
        World("accuracy 0.85, 100 rows", "accuracy", 0.85, lambda generator: _right_or_wrong(generator, 100)),
        World("accuracy 0.85, 1,000 rows", "accuracy", 0.85, lambda generator: _right_or_wrong(generator, 1000)),
        World("macro-F1, 4 classes (50% to 5%), 400 rows", "macro_f1", float(f1.mean()), _classes),
        World("entity F1, 300 sentences", "f1", 2 * found / (1.5 + found + INVENTED), _sentences),
        World("QA F1, 40 articles of 10 questions", "f1", answered, lambda generator: _questions(generator, 40)),
        World("QA F1, 10 articles of 10 questions", "f1", answered, lambda generator: _questions(generator, 10)),
    ]


def _right_or_wrong(generator: np.random.Generator, rows: int) -> tuple[Rescore, int]:
    gold = generator.choice(["a", "b"], rows).tolist()
    right = generator.random(rows) < 0.85
    other = {"a": "b", "b": "a"}
    predicted = [label if hit else other[label] for label, hit in zip(gold, right, strict=True)]
    return label_rescore(predicted, gold, range(rows)), rows


def _classes(generator: np.random.Generator) -> tuple[Rescore, int]:
    gold = generator.choice(4, 400, p=PRIOR)
    predicted = [int(generator.choice(4, p=CONFUSION[label])) for label in gold]
    return label_rescore(list(map(str, predicted)), list(map(str, gold)), range(400)), 400


def _sentences(generator: np.random.Generator) -> tuple[Rescore, int]:
    gold, predicted = [], []
    for skill in generator.beta(*SKILL, 300):
        entities, invented = generator.poisson(1.5), generator.poisson(INVENTED)
        hits = generator.random(entities) < skill
        # Each entity is a word, with a word of none on both sides.
        gold.append(["O", *(tag for _ in range(entities) for tag in ("B-x", "O")), *["O"] * (2 * invented)])
        found = ["B-x" if hit else "O" for hit in (*hits, *[True] * invented)]
        predicted.append(["O", *(tag for one in found for tag in (one, "O"))])
    return entity_rescore(predicted, gold, range(300)), 300


def _questions(generator: np.random.Generator, articles: int) -> tuple[Rescore, int]:
    answers, units = [], []
    for article, skill in enumerate(generator.beta(*SKILL, articles)):
        for _ in range(10):
            if generator.random() < skill:
                answers.append("Ada")
            else:
                answers.append("Ada Bo" if generator.random() < PARTLY else "Cy")
            units.append(article)
    return squad_rescore(answers, [["Ada"]] * len(answers), "v1.1", units), articles


def held(world: World, test_sets: int) -> float:
    """Return the share of test sets whose interval holds the true score."""
    hits = 0
    for number in range(test_sets):
        rescore, units = world.draw(np.random.default_rng(number))
        found = intervals(rescore, units, seed=number)[world.score]
        hits += found is not None and found.low <= world.truth <= found.high
    return hits / test_sets


def measure(given: Namespace) -> list[Path]:
    """Draw test sets from each world, and count the intervals that hold the truth."""
    test_sets = given.rows or TEST_SETS
    table, content = [["score", "true score", "intervals of 95% that hold it"]], dict[str, Any]()
    for world in worlds():
        share = held(world, test_sets)
        say(f"{world.name}: {share:.1%}")
        content[world.name] = {"truth": world.truth, "held": share}
        table.append([world.name, f"{world.truth:.4g}", f"{share:.1%}"])
    return write(given.output, "coverage", table, [f"Of {test_sets} simulated test sets each."], content)
