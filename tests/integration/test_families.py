"""Models that no choice in conf/model has: what they can't have is said, and plain transformers predicts the same."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from recipes.run import main
from tests import tiny

OWN_ATTENTION = {"deberta-v2", "xlnet", "mpnet", "big_bird", "funnel"}
OTHER_ATTENTION = {"t5", "gemma2"}
WITHOUT_PADDING = {"gpt2": "<|endoftext|>", "llama": "</s>", "llama-grouped": "</s>"}
CLASSIFIED = [*tiny.FAMILIES, "deberta-v2", "modernbert"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root, made = tmp_path_factory.mktemp("families"), {}

    def of(family: str) -> Path:
        if family not in made:
            make = tiny.save_family if family in tiny.FAMILIES else tiny.save
            made[family] = make(family, root / family)
        return made[family]

    return of


class Done:
    """A run in a folder of its own: what it said, and where it left its results."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.capsys = root, capsys
        monkeypatch.chdir(root)

    def __call__(self, task: str, data: Path, model: Path, *more: str, status: int = 0) -> str:
        arguments = [f"task={task}", "data=files", f"data.train={data}", f"model.path={model}", "hparams.max_steps=3"]
        settings = ["hparams.batch_size=8", "runtime.precision=fp32", "runtime.device=cpu"]
        assert main([*arguments, *settings, *more]) == status
        shown = self.capsys.readouterr()
        return str(shown.out + shown.err)

    @property
    def run(self) -> Path:
        return max(self.root.rglob("report.json"), key=lambda path: path.stat().st_mtime_ns).parent

    def report(self) -> Any:
        return json.loads((self.run / "report.json").read_text())

    def lines(self) -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for split in ("validation", "test")
            for line in (self.run / "predictions" / f"{split}.jsonl").read_text().splitlines()
        ]

    def reloaded(self, kind: str) -> tuple[Any, Any]:
        model = getattr(transformers, f"AutoModelFor{kind}").from_pretrained(self.run / "model")
        return model.eval(), transformers.AutoTokenizer.from_pretrained(self.run / "model")


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Done:
    return Done(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("family", CLASSIFIED)
def test_texts_are_classified_as_plain_transformers_does(
    family: str, folder: Callable[[str], Path], data: dict[str, Path], done: Done
) -> None:
    said = done("classification", data["classification"], folder(family))
    notes = done.report()["model"]["notes"]
    attention = [note for note in notes if note.startswith("attention: the model's own")]
    if family in OWN_ATTENTION:
        assert attention == [f"attention: the model's own, as {family} takes no other"]
    elif family in OTHER_ATTENTION:
        assert len(attention) == 1
        assert attention[0].startswith(f"attention: the model's own, as ours differs for {family} (by ")
    else:
        assert attention == []
    padding = [note for note in notes if note.startswith("padding")]
    end = WITHOUT_PADDING.get(family)
    assert padding == ([f"padding: {end}, the end token, as the tokenizer has no padding token"] if end else [])
    assert all(note in said for note in notes)
    model, tokenizer = done.reloaded("SequenceClassification")
    for line in done.lines():
        with torch.no_grad():
            logits = model(**tokenizer(line["text"], return_tensors="pt")).logits[0]
        probabilities = (logits / model.config.score_temperature).softmax(-1).tolist()
        scores = line["prediction"]["scores"]
        assert list(scores) == list(model.config.id2label.values())
        assert list(scores.values()) == pytest.approx(probabilities, abs=1e-4)


@pytest.mark.parametrize("family", ["t5", "gpt2", "llama-grouped", "xlnet", "eurobert"])
def test_words_get_the_tags_of_plain_transformers(
    family: str, folder: Callable[[str], Path], data: dict[str, Path], done: Done
) -> None:
    done("ner", data["ner"], folder(family))
    model, tokenizer = done.reloaded("TokenClassification")
    for line in done.lines():
        encoded = tokenizer(line["tokens"], is_split_into_words=True, return_tensors="pt")
        words = encoded.word_ids(0)
        with torch.no_grad():
            best = model(**encoded).logits[0].argmax(-1).tolist()
        found = [model.config.id2label[best[words.index(word)]] for word in range(len(line["tokens"]))]
        # A tag that can't follow the one before it is mended, which changes B or I but not the type.
        assert [tag.split("-")[-1] for tag in line["prediction"]["tags"]] == [tag.split("-")[-1] for tag in found]


@pytest.mark.parametrize("family", ["bart", "gpt2", "xlnet"])
def test_questions_get_the_answers_of_plain_transformers(
    family: str, folder: Callable[[str], Path], data: dict[str, Path], done: Done
) -> None:
    done("qa", data["qa"], folder(family))
    model, tokenizer = done.reloaded("QuestionAnswering")
    articles = json.loads(data["qa"].read_text())["data"]
    contexts = {
        question["id"]: paragraph["context"]
        for article in articles
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    }
    compared = 0
    for line in done.lines():
        context = contexts[line["id"]]
        encoded = tokenizer(line["question"], context, return_tensors="pt", return_offsets_mapping=True)
        offsets = encoded.pop("offset_mapping")[0].tolist()
        if len(offsets) > 64:
            continue
        compared += 1
        with torch.no_grad():
            outputs = model(**encoded)
        start, end = outputs.start_logits[0].tolist(), outputs.end_logits[0].tolist()
        places = [place for place, part in enumerate(encoded.sequence_ids(0)) if part == 1]
        spans = [(start[one] + end[two], one, two) for one in places for two in places if one <= two < one + 30]
        _, first, last = max(spans)
        answer = context[offsets[first][0] : offsets[last][1]].strip()
        assert line["prediction"].get("best_answer", line["prediction"]["answer"]) == answer
    assert compared > 2


# What does not go together


@pytest.mark.parametrize(
    ("family", "task", "head"), [("bart", "ner", "token classification"), ("eurobert", "qa", "question answering")]
)
def test_a_head_that_transformers_lacks_is_missed_in_words(
    family: str, task: str, head: str, folder: Callable[[str], Path], data: dict[str, Path], done: Done
) -> None:
    said = done(task, data[task], folder(family), status=2)
    assert f"transformers has no head for {head}, which this task needs, on models of the type {family}" in said


def edited(folder: Path, copy: Path, file: str, **changes: Any) -> Path:
    """Copy a model and change values in one of its JSON files; None removes one."""
    shutil.copytree(folder, copy)
    content = json.loads((copy / file).read_text()) | changes
    (copy / file).write_text(json.dumps({name: value for name, value in content.items() if value is not None}))
    return copy


def test_neither_padding_nor_end_token_is_refused(
    folder: Callable[[str], Path], data: dict[str, Path], done: Done
) -> None:
    model = edited(folder("gpt2"), done.root / "model", "tokenizer_config.json", eos_token=None)
    said = done("classification", data["classification"], model, status=2)
    assert "its tokenizer has no padding token, so batches can't be made, and no end token" in said


def test_padding_on_the_left_goes_to_the_right_where_positions_would_shift(
    folder: Callable[[str], Path], data: dict[str, Path], done: Done
) -> None:
    gpt2 = edited(folder("gpt2"), done.root / "gpt2", "tokenizer_config.json", padding_side="left")
    said = done("classification", data["classification"], gpt2)
    assert "padding: on the right, as padding on the left shifts this model's positions" in said
    assert done.reloaded("SequenceClassification")[1].padding_side == "right"
    llama = edited(folder("llama"), done.root / "llama", "tokenizer_config.json", padding_side="left")
    said = done("classification", data["classification"], llama)
    assert "on the right" not in said, "its positions are relative"
    model, tokenizer = done.reloaded("SequenceClassification")
    assert tokenizer.padding_side == "left"
    texts = [line["text"] for line in done.lines()]
    with torch.no_grad():
        together = model(**tokenizer(texts, padding=True, return_tensors="pt")).logits
    calibrated = (together / model.config.score_temperature).softmax(-1)
    for line, probabilities in zip(done.lines(), calibrated.tolist(), strict=True):
        assert list(line["prediction"]["scores"].values()) == pytest.approx(probabilities, abs=1e-4)


def test_another_padding_in_the_config_is_noticed(
    folder: Callable[[str], Path], data: dict[str, Path], done: Done
) -> None:
    """A head that looks for the last token by a wrong padding token would take padding for it."""
    llama = edited(folder("llama"), done.root / "llama", "tokenizer_config.json", pad_token="<unk>")
    config = json.loads((llama / "config.json").read_text()) | {"pad_token_id": 2}
    (llama / "config.json").write_text(json.dumps(config))
    said = done("classification", data["classification"], llama)
    assert "padding: <unk>, as the tokenizer says; the model's config had another number for it" in said
    assert done.reloaded("SequenceClassification")[0].config.pad_token_id == 0


def test_a_model_whose_results_depend_on_padding_is_said_to(
    folder: Callable[[str], Path], data: dict[str, Path], done: Done
) -> None:
    assert "padding changes what this model computes (by " in done("ner", data["ner"], folder("funnel"))


def test_a_vocabulary_that_is_too_large_is_refused_if_the_data_use_it(
    folder: Callable[[str], Path], data: dict[str, Path], done: Done
) -> None:
    model = done.root / "model"
    shutil.copytree(folder("mpnet"), model)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    size = len(tokenizer)
    tokenizer.add_tokens(["unheardof"])
    tokenizer.save_pretrained(model)
    done("classification", data["classification"], model, "output_root=unused")
    tokenizer.add_tokens(["shipped"])
    tokenizer.save_pretrained(model)
    said = done("classification", data["classification"], model, "output_root=used", status=2)
    assert f"its tokenizer has {size + 2} entries, its embedding table only {size} rows" in said
    assert "'shipped'" in said


def test_an_end_token_within_a_text_is_found_where_a_head_would_stumble(
    folder: Callable[[str], Path], data: dict[str, Path], done: Done
) -> None:
    rows = data["classification"].read_text().replace("I was charged twice, 2", "I was </s> charged twice")
    (done.root / "rows.csv").write_text(rows)
    said = done("classification", done.root / "rows.csv", folder("bart"), status=2)
    assert "rows.csv, line" in said
    assert "the text holds the end token" in said
    assert "</s> charged twice" in rows


def test_a_length_beyond_the_model_is_said(folder: Callable[[str], Path], data: dict[str, Path], done: Done) -> None:
    said = done("classification", data["classification"], folder("mpnet"), "task.max_length=200")
    assert "task.max_length=200: the model takes 64 tokens at most, so windows have no more" in said
    said = done("classification", data["classification"], folder("mpnet"), "task.max_length=30")
    assert "at most" not in said


# Going on


def test_a_run_goes_on_from_another_by_the_names_of_labels(
    folder: Callable[[str], Path], data: dict[str, Path], done: Done
) -> None:
    assert "new head: 3 outputs" in done("classification", data["classification"], folder("mpnet"))
    first = done.run
    renamed = done.root / "renamed.csv"
    renamed.write_text(data["classification"].read_text().replace(",billing", ",refund"))
    said = done("classification", renamed, first)
    assert "head: 3 outputs, 1 of them new" in said
    assert "head: 2 of 3 labels taken over by name from the trained model; new: refund" in said
    assert done.report()["model"]["new_weights"] == ["classifier.out_proj.bias", "classifier.out_proj.weight"]
    said = done("classification", data["classification"], first, "seed=2")
    assert "head: 3 outputs, as trained before" in said
    assert done.report()["model"]["new_weights"] == []
    unfinished = done.root / "unfinished"
    unfinished.mkdir()
    shutil.copy(first / "config.yaml", unfinished)
    said = done("classification", data["classification"], unfinished, status=2)
    assert "is the directory of a run whose training has not finished" in said
