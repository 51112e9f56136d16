"""Checkpoints: each part of the training state is restored exactly, and a state that does not fit is refused."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from recipes.checkpoints import sealed as checkpoints
from recipes.checkpoints import training_state
from tasks.errors import InputError


def trained(width: int, steps: int = 3, fused: bool = False) -> tuple[nn.Linear, torch.optim.AdamW]:
    torch.manual_seed(1)
    layer = nn.Linear(width, 2)
    optimizer = torch.optim.AdamW(
        [{"params": [layer.weight], "weight_decay": 0.1}, {"params": [layer.bias], "weight_decay": 0.0}],
        lr=0.01,
        fused=fused,
    )
    for _ in range(steps):
        step(layer, optimizer)
    return layer, optimizer


def step(layer: nn.Linear, optimizer: torch.optim.AdamW) -> None:
    optimizer.zero_grad()
    layer(torch.randn(4, layer.in_features)).square().sum().backward()
    optimizer.step()


@pytest.mark.parametrize("fused", [False, True])
def test_a_restored_optimizer_continues_exactly(fused: bool, tmp_path: Path) -> None:
    layer, optimizer = trained(5, fused=fused)
    training_state.save_optimizer(tmp_path, optimizer)
    training_state.save_weights(tmp_path, layer)
    state = training_state.random_state()
    step(layer, optimizer)
    other, fresh = trained(5, steps=0, fused=fused)
    training_state.load_weights(tmp_path, other)
    training_state.load_optimizer(tmp_path, fresh)
    training_state.set_random_state(state)
    step(other, fresh)
    assert torch.equal(layer.weight, other.weight)
    assert torch.equal(layer.bias, other.bias)
    assert fresh.param_groups[0]["weight_decay"] == 0.1
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}


def test_copied_weights_are_those_of_a_saved_model(tmp_path: Path) -> None:
    model, other = tied(), tied()
    expected = {name: weight.clone() for name, weight in model.state_dict().items()}
    copies = training_state.copied_weights(model)
    nn.init.zeros_(model.first.weight)
    training_state.save_tensors(tmp_path / training_state.WEIGHTS, copies)
    training_state.load_weights(tmp_path, other)
    assert {"first.weight", "second.weight", "none"} <= expected.keys()
    assert sum("weight" in name for name in copies) == 1, "weights with two names are copied once"
    for name, weight in other.state_dict().items():
        assert torch.equal(weight, expected[name]), name
    assert other.first.weight is other.second.weight


def tied() -> nn.Module:
    model = nn.Module()
    model.first, model.second = nn.Linear(3, 3), nn.Linear(3, 3)
    model.second.weight = model.first.weight
    model.register_buffer("none", torch.zeros(0))
    model.register_buffer("nothing", torch.zeros(0))
    return model


def test_the_optimizer_of_other_weights_is_refused(tmp_path: Path) -> None:
    training_state.save_optimizer(tmp_path, trained(5)[1])
    with pytest.raises(InputError, match="the optimizer of other weights"):
        training_state.load_optimizer(tmp_path, trained(6, steps=0)[1])
    one = nn.Linear(5, 2, bias=False)
    with pytest.raises(InputError, match="the optimizer of other weights"):
        training_state.load_optimizer(tmp_path, torch.optim.AdamW(one.parameters()))


def test_random_numbers_repeat_from_a_restored_state(tmp_path: Path) -> None:
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: S311

    random.gauss(0, 1)
    np.random.randn()  # numpy draws two numbers and keeps the second for the next call
    path = tmp_path / "random.json"
    training_state.save_json_state(path, training_state.random_state())
    first = draw(), np.random.randn(), random.gauss(0, 1)
    draw()
    training_state.set_random_state(training_state.load_json_state(path))
    assert (draw(), np.random.randn(), random.gauss(0, 1)) == first


def checkpoint(folder: Path, kind: str, step: int, best: int | None = None) -> Path:
    partial = checkpoints.begin(folder, kind, step)
    (partial / "part").mkdir()
    (partial / "part" / "weights.bin").write_bytes(bytes([step % 256]) * 100)
    return checkpoints.seal(partial, {"step": step, "best_step": best})


def test_the_newest_whole_checkpoint_is_found(tmp_path: Path) -> None:
    assert checkpoints.newest(tmp_path / "nothing") == (None, [])
    checkpoint(tmp_path, "best", 5)
    older, newer = checkpoint(tmp_path, "step", 99, 5), checkpoint(tmp_path, "step", 100, 5)
    checkpoints.begin(tmp_path, "step", 101)
    found, complaints = checkpoints.newest(tmp_path)
    assert found is not None
    assert (found.path, found.step, found.best, complaints) == (newer, 100, tmp_path / "best-00000005", [])
    (newer / "part" / "weights.bin").write_bytes(bytes([101]) * 100)
    found, complaints = checkpoints.newest(tmp_path)
    assert found is not None
    assert found.path == older
    assert complaints == [
        "checkpoint step-00000100 is damaged and left out: the content of part/weights.bin has changed"
    ]
    done = checkpoint(tmp_path, "done", 50, 5)
    assert checkpoints.newest(tmp_path)[0] == checkpoints.read(done), "a finished training counts as the newest"


def test_a_renamed_checkpoint_is_not_used(tmp_path: Path) -> None:
    checkpoint(tmp_path, "step", 7).rename(tmp_path / "step-00000009")
    found, complaints = checkpoints.newest(tmp_path)
    assert found is None
    assert "manifest.json is that of step 7" in complaints[0]


def test_rotation_keeps_the_checkpoints_that_may_be_needed(tmp_path: Path) -> None:
    for step, best in ((2, None), (4, 3), (6, 5), (8, 7)):
        if best is not None:
            checkpoint(tmp_path, "best", best)
        checkpoint(tmp_path, "step", step, best)
        checkpoints.begin(tmp_path, "step", step + 1)
        checkpoints.rotate(tmp_path, best)
    checkpoint(tmp_path, "best", 9)
    checkpoints.rotate(tmp_path, 9)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["best-00000005", "best-00000007", "best-00000009", "step-00000006", "step-00000008"]
