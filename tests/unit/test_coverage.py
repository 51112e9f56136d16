"""The simulated worlds of `scripts/bench coverage`: their true scores are those of many test sets together."""

import json
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from recipes.bench import coverage
from recipes.bench.coverage import World, held, worlds


@pytest.mark.parametrize("world", worlds(), ids=lambda world: world.name)
def test_the_mean_of_many_test_sets_is_near_the_true_score(world: World) -> None:
    scores = []
    for number in range(60):
        rescore, units = world.draw(np.random.default_rng(number))
        scores.append(float(rescore(np.ones((1, units)))[world.score][0]))
    # F1 is no mean, so that small test sets are off by a little, by far less than they vary.
    assert np.mean(scores) == pytest.approx(world.truth, abs=4 * np.std(scores) / 60**0.5)


def test_intervals_that_hold_a_wrong_score_are_not_counted() -> None:
    world = worlds()[0]
    assert held(world, 30) > 0.8
    assert held(World(world.name, world.score, 0.6, world.draw), 30) == 0


def test_the_table_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "worlds", lambda: worlds()[:1])
    paths = coverage.measure(Namespace(rows=4, output=tmp_path))
    assert json.loads(paths[1].read_text())["accuracy 0.85, 100 rows"]["truth"] == 0.85
    assert "Of 4 simulated test sets each." in paths[0].read_text()
