"""For every model choice, a tiny model of its architecture trains, predicts and reloads in each task."""

import json
from pathlib import Path
from typing import Any

import pytest
import transformers
from safetensors.torch import load_file

from recipes.command.groups import choices
from recipes.run import main
from tests import tiny

HEADS = {
    "classification": "AutoModelForSequenceClassification",
    "ner": "AutoModelForTokenClassification",
    "qa": "AutoModelForQuestionAnswering",
}


def test_every_model_choice_has_its_architecture_here() -> None:
    assert choices("model") == sorted(tiny.ARCHITECTURES)


@pytest.mark.parametrize("task", list(HEADS))
@pytest.mark.parametrize("name", sorted(tiny.ARCHITECTURES))
def test_it_trains_predicts_and_reloads(
    name: str,
    task: str,
    models: dict[str, Path],
    data: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = models[tiny.ARCHITECTURES[name]]
    status = main(
        [
            f"task={task}",
            "data=files",
            f"data.train={data[task]}",
            f"model={name}",
            f"model.path={folder}",
            "hparams.max_steps=3",
            "hparams.batch_size=8",
            "runtime.precision=fp32",
            "runtime.device=cpu",
        ]
    )
    assert status == 0
    (report_path,) = tmp_path.rglob("report.json")
    report = json.loads(report_path.read_text())
    assert report["status"] == "finished"
    assert report["training"]["steps"] == 3
    run = report_path.parent
    for split in ("validation", "test"):
        lines = (run / "predictions" / f"{split}.jsonl").read_text().splitlines()
        assert len(lines) == report["data"]["rows"][split] > 0
    assert not (run / "checkpoints").exists()
    assert not list(run.rglob("*.bin"))
    model = getattr(transformers, HEADS[task]).from_pretrained(run / "model")
    tokenizer = transformers.AutoTokenizer.from_pretrained(run / "model")
    assert model(**tokenizer("where is it", return_tensors="pt"))
    if task != "qa":
        assert list(model.config.id2label.values()) == report["data"]["labels"]
    _all_moved(folder, run / "model", model)


def _all_moved(before: Path, after: Path, model: Any) -> None:
    """Check that each weight of the encoder was trained, except those that this input never reaches."""
    old, new = load_file(before / "model.safetensors"), load_file(after / "model.safetensors")
    prefix = f"{model.base_model_prefix}."
    unused = {"pooler", "position_embeddings", "token_type_embeddings", "key.bias", "key_proj.bias", "rel_embeddings"}
    compared = 0
    for name, weights in old.items():
        if prefix + name in new and not any(part in name for part in unused):
            compared += 1
            assert not weights.equal(new[prefix + name]), f"{name} was not trained"
    assert compared > 10
