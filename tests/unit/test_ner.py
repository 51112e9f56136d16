"""NER from records to predictions, with each kind of tokenizer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from recipes.heads.ner import reduction
from tasks import ner
from tasks.columns import IGNORED_LABEL
from tasks.data.options import Columns
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError
from tasks.ner import Ner, Sentence
from tasks.task import Head, Layout
from tasks.tokenization import separate_words, words_are_separated
from tasks.windows import NO_WORD
from tests import tiny

LAYOUT = Layout(Columns())
HEAD = Head("AutoModelForTokenClassification", ("O", "B-PER", "I-PER", "B-LOC", "I-LOC"))
KINDS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "wordpiece": tiny.wordpiece,
    "byte-level": tiny.byte_level,
    "unigram": lambda: tiny.unigram(tiny.ROBERTA),
}


def record(tokens: Any, tags: Any, number: int = 1) -> Record:
    return Record({"tokens": tokens, "tags": tags}, Origin("a.conll", number))


def sentence(words: str, tags: str) -> Sentence:
    return Sentence("0", tuple(words.split()), tuple(tags.split()), Origin("a.conll", 1))


@pytest.fixture(params=list(KINDS))
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return Ner().adapt(KINDS[request.param]())


def outputs_of(task: Ner, rows: list[Sentence], features: dict[str, list[Any]]) -> dict[str, Any]:
    """Return a perfect model's outputs: the gold label at each labelled sub-word, an arbitrary one elsewhere."""
    length = max(map(len, features["labels"]))
    label = np.full((len(features["labels"]), length), 4)
    for window, labels in enumerate(features["labels"]):
        for position, value in enumerate(labels):
            if value != IGNORED_LABEL:
                label[window, position] = value
    return {"label": label, "probability": np.full(label.shape, 0.9)}


def test_reading_normalises_tags_and_counts_repairs() -> None:
    records = [record(["Mara", "left"], ["I-PER", "O"]), record(["in", "Oslo", "Town"], ["O", "B-LOC", "I-PER"], 4)]
    report = ReadReport()
    rows = Ner(scheme="iob2").read(records, LAYOUT, report)
    assert [row.tags for row in rows] == [("B-PER", "O"), ("O", "B-LOC", "B-PER")]
    assert report.repaired == {"illegal tag transition": 2}
    assert "a.conll, line 4" in report.examples["illegal tag transition"][1]


@pytest.mark.parametrize(
    ("tokens", "tags", "message"),
    [
        (["a", "b"], ["O"], "a.conll, line 1: 2 tokens but 1 tags"),
        (["a"], ["PER"], "tag 'PER' is neither 'O' nor a prefix"),
        ([], [], "no words"),
        (["a", None], ["O", "O"], "token 2 is None, not a text"),
        ([" ", "\t"], ["O", "O"], "all words are blank"),
        (3, ["O"], "neither a list"),
    ],
)
def test_bad_rows_are_errors_or_counted(tokens: Any, tags: Any, message: str) -> None:
    task = Ner(scheme="iob2")
    with pytest.raises(InputError, match=message):
        task.read([record(tokens, tags)], LAYOUT, ReadReport())
    report = ReadReport(on_bad_row="skip")
    assert task.read([record(tokens, tags), record(["x"], ["O"])], LAYOUT, report)[0].tokens == ("x",)
    assert sum(report.skipped.values()) == 1


def test_schemes_are_settled_from_the_training_records() -> None:
    def settle(*tags: str) -> str:
        return Ner().resolve_auto([record(["x"] * len(tags), list(tags))], LAYOUT, ReadReport()).scheme

    assert settle("I-PER", "O") == "iob1"
    assert settle("B-PER", "E-PER") == "bioes"
    assert settle("PER", "O") == "bare"


def test_numbered_tags_get_their_names() -> None:
    layout = Layout(Columns(), ["O", "B-PER"])
    rows = Ner(scheme="iob2").read([record("Mara left", "1 0")], layout, ReadReport())
    assert rows[0].tags == ("B-PER", "O")


def test_unknown_types_in_validation_are_named() -> None:
    assert Ner().unknown_labels(sentence("in Oslo", "O B-LOC"), HEAD) == []
    assert Ner().unknown_labels(sentence("in Oslo", "O B-LOK"), HEAD) == ["LOK"]
    assert "entity type 'LOK' does not occur" in Ner().unknown_label_message("LOK", HEAD)
    assert "Did you mean 'LOC'" in Ner().unknown_label_message("LOK", HEAD)


def test_the_head_has_both_tags_of_each_type() -> None:
    assert Ner().head([sentence("in Oslo", "O B-LOC")], LAYOUT).labels == ("O", "B-LOC", "I-LOC")


def test_words_get_the_subwords_of_running_text(tokenizer: Any) -> None:
    assert words_are_separated(tokenizer)
    words = ["New", "York", "naïve", "café"]
    split = tokenizer(words, is_split_into_words=True, add_special_tokens=False)["input_ids"]
    running = tokenizer(" ".join(words), add_special_tokens=False)["input_ids"]
    assert split == running


def test_byte_level_tokenizers_need_the_repair_and_keep_it(tmp_path: Path) -> None:
    tokenizer = tiny.byte_level()
    assert not words_are_separated(tokenizer)
    separate_words(tokenizer).save_pretrained(tmp_path)
    assert words_are_separated(AutoTokenizer.from_pretrained(tmp_path))


def test_the_repair_holds_for_tokenizers_of_a_class_of_their_own(tmp_path: Path) -> None:
    tiny.byte_level().save_pretrained(tmp_path)
    settings = (tmp_path / "tokenizer_config.json").read_text()
    (tmp_path / "tokenizer_config.json").write_text(settings.replace("TokenizersBackend", "RobertaTokenizer"))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert type(tokenizer).__name__ == "RobertaTokenizer"
    separate_words(tokenizer).save_pretrained(tmp_path / "again")
    assert words_are_separated(AutoTokenizer.from_pretrained(tmp_path / "again"))


def test_the_first_subword_carries_the_label(tokenizer: Any) -> None:
    row = sentence("Lindqvist visited Northgate", "B-PER O B-LOC")
    features = Ner().encode([row], tokenizer, HEAD, 64)
    words = tokenizer(list(row.tokens), is_split_into_words=True).word_ids()
    assert len(words) > 5, "words must have several sub-words for this test to prove anything"
    for position, label in enumerate(features["labels"][0]):
        first = words[position] is not None and words.index(words[position]) == position
        assert label == (HEAD.labels.index(Ner().gold(row)[words[position]]) if first else IGNORED_LABEL)


def test_all_subwords_can_carry_the_label(tokenizer: Any) -> None:
    row = sentence("Lindqvist left", "B-PER O")
    features = Ner(label_all_subwords=True).encode([row], tokenizer, HEAD, 64)
    words = tokenizer(list(row.tokens), is_split_into_words=True).word_ids()
    expected = []
    for position, word in enumerate(words):
        first = word is not None and words.index(word) == position
        expected.append(IGNORED_LABEL if word is None else (1 if first else 2) if word == 0 else 0)
    assert features["labels"][0] == expected


def test_long_sentences_are_stitched_word_by_word(tokenizer: Any) -> None:
    words = ["Mara", "Lindqvist", "visited", "Northgate", "in", "Oslo"] * 12
    tags = ["B-PER", "I-PER", "O", "B-LOC", "O", "B-LOC"] * 12
    rows = [
        sentence("Oslo", "B-LOC"),
        Sentence("1", tuple(words), tuple(tags), Origin("a.conll", 3)),
        sentence("left Oslo", "O B-LOC"),
    ]
    task = Ner(stride=8)
    features = task.encode(rows, tokenizer, HEAD, 32)
    assert features["row"].count(1) > 3
    assert all(len(ids) <= 32 for ids in features["input_ids"])
    # Over all windows, each gold word has exactly one label.
    labelled = sum(label != IGNORED_LABEL for labels in features["labels"] for label in labels)
    assert labelled == sum(len(row.tokens) for row in rows)
    predictions = task.decode(rows, features, outputs_of(task, rows, features), HEAD)
    assert [prediction["tags"] for prediction in predictions] == [task.gold(row) for row in rows]
    # The result is the same in any order of windows: evaluation takes the longest first.
    order = list(reversed(range(len(features["row"]))))
    shuffled = {name: [column[index] for index in order] for name, column in features.items()}
    assert task.decode(rows, shuffled, outputs_of(task, rows, shuffled), HEAD) == predictions


def test_texts_as_long_as_books_are_encoded_in_parts_and_stitched(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["Mara", "Lindqvist", "visited", "Northgate", "in", "Oslo"] * 30
    tags = ["B-PER", "I-PER", "O", "B-LOC", "O", "B-LOC"] * 30
    rows = [sentence("Oslo", "B-LOC"), Sentence("1", tuple(words), tuple(tags), Origin("a.conll", 3))]
    monkeypatch.setattr(ner, "WORDS_AT_ONCE", 50)
    monkeypatch.setattr(ner, "PART_OVERLAP", 7)
    task = Ner(stride=8)
    features = task.encode(rows, tokenizer, HEAD, 32)
    owned = [word for row, words in zip(features["row"], features["words"], strict=True) if row for word in words]
    assert sorted(word for word in owned if word != NO_WORD) == list(range(180))
    predictions = task.decode(rows, features, outputs_of(task, rows, features), HEAD)
    assert [prediction["tags"] for prediction in predictions] == [task.gold(row) for row in rows]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["O", "B-PER", "I-PER"], ("O", "B-PER", "I-PER")),
        (["PER", "O"], ("I-PER", "O")),
        (["B-X", "I-X", "L-X", "U-X", "O"], ("B-X", "I-X", "I-X", "B-X", "O")),
        (["0", "S-a-b", "E-a-b"], ("O", "B-a-b", "I-a-b")),
        (["O", "SIZE_S", "VITAMIN_E", "HEPATITIS-B"], ("O", "I-SIZE_S", "I-VITAMIN_E", "I-HEPATITIS-B")),
        (["O", "B_x", "I_x"], ("O", "B-x", "I-x")),
        (["O", "x-B", "x-I"], ("O", "B-x", "I-x")),
    ],
)
def test_labels_of_other_models_are_read_as_iob2(labels: list[str], expected: tuple[str, ...]) -> None:
    assert Ner().trained_head(labels, None).labels == expected


def test_a_tagger_of_all_words_is_refused() -> None:
    with pytest.raises(InputError, match="none of its labels is O"):
        Ner().trained_head(["NOUN", "VERB"], None)


def test_words_without_subwords_are_predicted_o_and_still_scored() -> None:
    tokenizer = tiny.wordpiece()
    row = sentence("\u200b Oslo", "B-PER B-LOC")
    features = Ner().encode([row], tokenizer, HEAD, 64)
    predictions = Ner().decode([row], features, outputs_of(Ner(), [row], features), HEAD)
    assert predictions[0]["tags"] == ["O", "B-LOC"]
    assert Ner().score([row], predictions, HEAD)["recall"] == 0.5


def test_predicted_tags_are_made_legal() -> None:
    row = sentence("in Oslo Town", "O B-LOC I-LOC")
    features = {"row": [0], "words": [[-1, 0, 1, 2, -1]]}
    outputs = {"label": np.array([[0, 0, 4, 4, 0]]), "probability": np.array([[1, 0.9, 0.8, 0.6, 1]])}
    prediction = Ner().decode([row], features, outputs, HEAD)[0]
    assert prediction["tags"] == ["O", "B-LOC", "I-LOC"]
    assert prediction["entities"] == [{"type": "LOC", "start": 1, "end": 3, "text": "Oslo Town", "score": 0.6}]


def test_the_probabilities_of_all_tags_are_kept_for_an_audit_and_only_then() -> None:
    row = sentence("Mara left \u200b", "B-PER O O")
    features = {"row": [0, 0], "words": [[-1, 0, -1], [-1, 1, -1]]}  # two windows; the last word is no token
    logits = torch.tensor(
        [
            [[9.0, 0, 0, 0, 0], [0, 2, 0, 1, 0], [0, 0, 0, 0, 9]],
            [[0, 0, 0, 0, 9.0], [12, 0, 0, 6, 0], [9, 0, 0, 0, 0]],
        ]
    )
    plain, audited = Ner(), Ner(word_scores=True)
    found = {}
    for task in (plain, audited):
        kept = reduction(task, HEAD)({"logits": logits}, {})
        assert ("probabilities" in kept) == task.word_scores
        (found[task.word_scores],) = task.decode(
            [row], features, {name: one.numpy() for name, one in kept.items()}, HEAD
        )
    scores = found[True].pop("scores")
    assert found[True] == found[False]
    assert scores[0] == pytest.approx(dict(zip(HEAD.labels, logits[0, 1].softmax(-1).tolist(), strict=True)), abs=5e-4)
    second = logits[1, 1].softmax(-1).tolist()
    assert second[1] < 1e-4
    assert scores[1] == pytest.approx({HEAD.labels[0]: second[0], HEAD.labels[3]: second[3]}, abs=5e-4)
    assert scores[2] == {found[True]["tags"][2]: 1.0}


def test_the_collator_pads_labels_with_the_ignored_one() -> None:
    tokenizer = tiny.wordpiece()
    rows = [sentence("left Oslo", "O B-LOC"), sentence("left", "O")]
    features = Ner().encode(rows, tokenizer, HEAD, 64)
    batch = Ner().collator(tokenizer)([{name: column[i] for name, column in features.items()} for i in range(2)])
    assert batch["labels"].shape == batch["input_ids"].shape == batch["attention_mask"].shape
    padding = batch["attention_mask"] == 0
    assert padding.any()
    assert (batch["labels"][padding] == IGNORED_LABEL).all()
    assert set(batch) == {"input_ids", "token_type_ids", "attention_mask", "labels"}


def test_perfect_predictions_score_one() -> None:
    rows = [sentence("Mara left", "B-PER O"), sentence("in Oslo", "O B-LOC")]
    assert Ner().score(rows, [Ner().gold_prediction(row) for row in rows], HEAD)["f1"] == 1.0
