"""Classification of texts that are longer than a window, by the command and by a trained model."""

import csv
import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import recipes
from recipes.run import main
from tasks.classification import Classification
from tasks.long_texts import read

MOST_TOKENS = 24


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """Write 40 texts of 4 to 43 words, with two labels."""
    path = tmp_path / "documents.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(40):
            word, label = ("parcel", "delivery") if number % 2 else ("refund", "money")
            writer.writerow([f"text {number} " + " ".join([word, "in"] * (number // 2 + 1)), label])
    return path


@pytest.mark.parametrize("method", ["recipe", "stock"])
def test_long_texts_are_predicted_from_all_of_their_windows(
    method: str, documents: Path, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["task=classification", f"data.train={documents}", f"model.path={models['bert']}", "hparams.max_steps=2"]
    more = ["hparams.batch_size=8", "runtime.precision=fp32", "runtime.device=cpu", f"task.max_length={MOST_TOKENS}"]
    assert main([*command, *more, *(["hparams.stock=true"] if method == "stock" else [])]) == 0
    (report,) = tmp_path.rglob("report.json")
    facts = json.loads(report.read_text())
    folder = report.parent
    (note,) = [note for note in facts["data"]["notes"] if note.startswith("train: ")]
    assert ("tokens at their ends are not read" in note) == (method == "stock")
    assert (facts["training"]["windows"] > facts["data"]["rows"]["train"]) == (method == "recipe")

    lines = [json.loads(line) for line in (folder / "predictions" / "validation.jsonl").read_text().splitlines()]
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    model = AutoModelForSequenceClassification.from_pretrained(folder / "model").eval()
    several, way = 0, "truncate" if method == "stock" else "windows"
    for line in lines:
        parts = [part for part, _ in read((line["text"], None), way, tokenizer, MOST_TOKENS).items]
        several += len(parts) > 1
        batch = tokenizer(parts, truncation=True, max_length=MOST_TOKENS, padding=True, return_tensors="pt")
        with torch.no_grad():
            expected = model(**batch).logits.mean(0).softmax(-1).tolist()
        assert list(line["prediction"]["scores"].values()) == pytest.approx(expected, abs=1e-5)
    assert bool(several) == (method == "recipe")
    trained = recipes.load(folder, device="cpu")
    assert isinstance(trained.task, Classification)
    assert trained.task.long_texts == way
    for line, told in zip(lines, trained([line["text"] for line in lines]), strict=True):
        assert told["scores"] == pytest.approx(line["prediction"]["scores"], abs=1e-5)
