"""Question answering from records to answers, with each kind of tokenizer, and the span search against a plain loop."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from recipes.heads.qa import best_spans, running_maximum
from tasks import passages
from tasks.data.options import Columns
from tasks.data.records import Origin, ReadReport, Record
from tasks.errors import InputError
from tasks.passages import passage_parts
from tasks.qa import NO_ANSWER_THRESHOLD, Qa, Question
from tasks.task import Head, Layout
from tests import tiny

LAYOUT = Layout(Columns())
HEAD = Head("AutoModelForQuestionAnswering")
CONTEXT = "Claims are signed by the head of unit within ten days. In Oslo, Mara Lindqvist signs them."


def record(answers: Any, context: str = CONTEXT, **more: Any) -> Record:
    values = {"id": "q1", "question": "who signs the claims?", "context": context, "answers": answers, **more}
    return Record(values, Origin("a.json", 1, "question"))


def question(answer: str | None, context: str = CONTEXT, name: str = "q1") -> Question:
    found = () if answer is None else (answer,)
    starts = () if answer is None else (context.index(answer),)
    return Question(name, "who signs the claims?", context, found, starts, "Claims", Origin("a.json", 1, "question"))


@pytest.fixture(params=["wordpiece", "byte-level", "unigram"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    makers: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
        "wordpiece": tiny.wordpiece,
        "byte-level": tiny.byte_level,
        "unigram": lambda: tiny.unigram(tiny.ROBERTA),
    }
    return makers[request.param]()


@pytest.mark.parametrize(
    "answers",
    [
        {"text": ["Oslo"], "answer_start": [58]},
        [{"text": "Oslo", "answer_start": 58}],
        "Oslo",
    ],
)
def test_answers_come_in_several_shapes(answers: Any) -> None:
    row = Qa(version="v1.1").read([record(answers)], LAYOUT, ReadReport())[0]
    assert (row.answers, row.starts) == (("Oslo",), (CONTEXT.index("Oslo"),))


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (
            {"text": ["Oslo"], "answer_start": [3]},
            r"a.json, question 1: question 'q1': answer 'Oslo' is not at offset 3",
        ),
        ({"text": ["Rome"], "answer_start": [3]}, "answer 'Rome' does not occur in the passage"),
        ({"text": ["Oslo", "them."], "answer_start": [58]}, "2 answer texts but 1 offsets"),
        ({"text": ["Oslo"], "answer_start": ["x"]}, "offset 'x' of answer 'Oslo' is not a whole number"),
        ("signs", "does not occur|occurs"),
    ],
)
def test_bad_answers_are_errors_or_counted(answers: Any, message: str) -> None:
    if answers == "signs":
        answers, message = "s", r"occurs \d+ times in the passage: give its offset"
    with pytest.raises(InputError, match=message):
        Qa(version="v1.1").read([record(answers)], LAYOUT, ReadReport())
    report = ReadReport(on_bad_row="skip")
    assert Qa(version="v1.1").read([record(answers)], LAYOUT, report) == []
    assert sum(report.skipped.values()) == 1


def test_wrong_offsets_are_moved_only_if_the_user_chose_so_and_counted() -> None:
    report = ReadReport()
    task = Qa(version="v1.1", repair_answer_offsets=True)
    row = task.read([record({"text": ["Oslo"], "answer_start": [50]})], LAYOUT, report)[0]
    assert row.starts == (CONTEXT.index("Oslo"),)
    assert report.repaired == {"answer offset": 1}


def test_duplicate_ids_and_empty_passages_are_refused() -> None:
    good = record({"text": ["Oslo"], "answer_start": [CONTEXT.index("Oslo")]})
    with pytest.raises(InputError, match=r"id 'q1' stands at a.json, question 1 already"):
        Qa(version="v1.1").read([good, good], LAYOUT, ReadReport())
    with pytest.raises(InputError, match="the passage is empty"):
        Qa(version="v1.1").read([record({"text": [], "answer_start": []}, context=" ")], LAYOUT, ReadReport())


def test_the_version_is_settled_by_questions_without_an_answer() -> None:
    answered, silent = record({"text": ["Oslo"], "answer_start": [58]}), record({"text": [], "answer_start": []})
    assert Qa().resolve_auto([answered], LAYOUT, ReadReport()).version == "v1.1"
    assert Qa().resolve_auto([answered, silent], LAYOUT, ReadReport()).version == "v2.0"


@pytest.mark.parametrize("answer", ["Claims", "the head of unit", "ten days", "Oslo", "Mara Lindqvist", "them."])
@pytest.mark.parametrize("length", [64, 40])
def test_targets_decode_to_the_answer(tokenizer: Any, answer: str, length: int) -> None:
    rows = [question(answer)]
    task = Qa(version="v1.1", stride=10, max_question_tokens=16)
    features = task.encode(rows, tokenizer, HEAD, length)
    assert all(len(ids) <= length for ids in features["input_ids"])
    holding = [
        window
        for window, (first, last) in enumerate(features["labels"])
        if (first, last) != (0, 0) or features["candidates"][window][0] == 1
    ]
    assert holding, "some window holds the whole answer"
    for window in holding:
        first, last = features["labels"][window]
        text = CONTEXT[features["start"][window][first] : features["end"][window][last]]
        assert text.strip() == answer or answer in text.split()[-1] or text.strip().startswith(answer)
        outputs = {
            "span_score": np.where(np.arange(len(features["row"])) == window, 5.0, -5.0),
            "start": np.full(len(features["row"]), first),
            "end": np.full(len(features["row"]), last),
            "null_score": np.zeros(len(features["row"])),
            "probability": np.full(len(features["row"]), 0.5),
        }
        prediction = task.decode(rows, features, outputs, HEAD)[0]
        assert prediction["answer"] == text.strip()
        assert CONTEXT[prediction["start"] :].startswith(prediction["answer"])


def test_windows_without_the_whole_answer_point_to_the_null_position(tokenizer: Any) -> None:
    rows = [question("Oslo"), question(None, name="q2")]
    features = Qa(version="v2.0", stride=4, max_question_tokens=8).encode(rows, tokenizer, HEAD, 28)
    for window, row in enumerate(features["row"]):
        first, last = features["labels"][window]
        covered = [end for end in features["end"][window] if end > 0]
        begins = min(start for start in features["start"][window] if start >= 0)
        place = CONTEXT.index("Oslo")
        whole = row == 0 and begins <= place and max(covered) >= place + 4
        assert (features["candidates"][window][first] == 1) == whole
        assert (features["candidates"][window][last] == 1) == whole


def test_long_questions_are_cut(tokenizer: Any) -> None:
    row = Question("1", "who signs " * 60, CONTEXT, (), (), None, Origin("a", 1))
    features = Qa(version="v2.0", max_question_tokens=8, stride=4).encode([row], tokenizer, HEAD, 48)
    assert all(len(ids) <= 48 for ids in features["input_ids"])
    ends = [end for ends in features["end"] for end in ends]
    assert max(ends) == len(CONTEXT), "the windows reach the end of the passage"


def naive_best(start: Any, end: Any, candidates: Any, most: int) -> tuple[float, int, int]:
    best = (-float("inf"), 0, 0)
    for i in range(len(start)):
        for j in range(i, min(i + most, len(start))):
            if candidates[i] == 1 and candidates[j] == 1 and start[i] + end[j] > best[0]:
                best = (float(start[i] + end[j]), i, j)
    return best


@pytest.mark.parametrize("most", [1, 3, 30])
@pytest.mark.parametrize("seed", range(5))
def test_the_span_search_finds_what_a_loop_over_all_pairs_finds(most: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    start, end = torch.randn(6, 17, generator=generator), torch.randn(6, 17, generator=generator)
    candidates = torch.randint(0, 2, (6, 17), generator=generator)
    candidates[:, 0] = 2
    candidates[:, 5] = 1
    kept = best_spans(most)({"start_logits": start, "end_logits": end}, {"candidates": candidates})
    for row in range(6):
        score, first, last = naive_best(start[row], end[row], candidates[row], most)
        assert kept["span_score"][row].item() == pytest.approx(score)
        assert (kept["start"][row].item(), kept["end"][row].item()) == (first, last)
        assert kept["null_score"][row].item() == pytest.approx((start[row, 0] + end[row, 0]).item())
        places = candidates[row] > 0
        expected = start[row, places].softmax(0).max() * 0 + torch.exp(
            torch.tensor(score) - start[row, places].logsumexp(0) - end[row, places].logsumexp(0)
        )
        assert kept["probability"][row].item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("most", [1, 3, 30])
@pytest.mark.parametrize("seed", range(5))
def test_the_best_spans_are_those_of_a_loop_over_all_pairs(most: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    start, end = torch.randn(4, 11, generator=generator), torch.randn(4, 11, generator=generator)
    candidates = torch.randint(0, 2, (4, 11), generator=generator)
    candidates[:, 0], candidates[0, 1:] = 2, 0
    candidates[:, 5] = 1
    kept = best_spans(most, top_k=6)({"start_logits": start, "end_logits": end}, {"candidates": candidates})
    for row in range(4):
        spans = sorted(
            (-float(start[row, i] + end[row, j]), i, j)
            for i in range(11)
            for j in range(i, min(i + most, 11))
            if candidates[row, i] == 1 and candidates[row, j] == 1
        )[:6]
        found = [
            (-score, i, j)
            for score, i, j in zip(
                kept["top_score"][row].tolist(),
                kept["top_start"][row].tolist(),
                kept["top_end"][row].tolist(),
                strict=True,
            )
            if score > -float("inf")
        ]
        assert [span[1:] for span in found] == [span[1:] for span in spans]
        assert [span[0] for span in found] == pytest.approx([span[0] for span in spans])
        assert found[0][1:] == (kept["start"][row].item(), kept["end"][row].item())
        assert kept["top_probability"][row, 0].item() == pytest.approx(kept["probability"][row].item())


def test_listed_answers_are_distinct_and_best_first(tokenizer: Any) -> None:
    task = Qa(version="v1.1", stride=10, max_question_tokens=8, top_k=4)
    rows = [question("Oslo"), question("ten days", name="q2")]
    features = task.encode(rows, tokenizer, HEAD, 40)
    generator = torch.Generator().manual_seed(3)
    length = max(map(len, features["input_ids"]))
    logits = torch.randn(2, len(features["row"]), length, generator=generator)
    marks = torch.tensor([[*window, *[0] * (length - len(window))] for window in features["candidates"]])
    kept = best_spans(30, 4)({"start_logits": logits[0], "end_logits": logits[1]}, {"candidates": marks})
    for prediction in task.decode(rows, features, kept, HEAD):
        listed = prediction["candidates"]
        assert len(listed) == 4
        assert {name: prediction[name] for name in listed[0]} == listed[0]
        assert len({(answer["start"], answer["end"]) for answer in listed}) == 4
        assert all(CONTEXT[answer["start"] : answer["end"]] == answer["answer"] for answer in listed)


def test_more_answers_than_a_short_passage_has_may_be_asked_for() -> None:
    task = Qa(version="v1.1", top_k=50, max_question_tokens=8)
    rows = [Question("1", "where?", "In Oslo", (), (), None, Origin("a", 1)), question("Oslo", name="q2")]
    features = task.encode(rows, tiny.wordpiece(), HEAD, 64)
    length = max(map(len, features["input_ids"]))
    marks = torch.tensor([[*window, *[0] * (length - len(window))] for window in features["candidates"]])
    zeros = torch.zeros(marks.shape)
    kept = best_spans(30, 50)({"start_logits": zeros, "end_logits": zeros}, {"candidates": marks})
    short, long = task.decode(rows, features, kept, HEAD)
    assert 0 < len(short["candidates"]) < 50 == len(long["candidates"])


def test_passages_as_long_as_books_are_encoded_in_parts(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    context = " ".join(f"{CONTEXT} Paragraph {number}." for number in range(20))
    row = Question(
        "1", "who signs?", context, ("Paragraph 13",), (context.index("Paragraph 13"),), None, Origin("a", 1)
    )
    whole = Qa(version="v1.1", stride=10).encode([row], tokenizer, HEAD, 48)
    monkeypatch.setattr(passages, "CHARACTERS_AT_ONCE", 900)
    monkeypatch.setattr(passages, "PART_OVERLAP", 200)
    assert len(passage_parts(context)) == 3
    parts = Qa(version="v1.1", stride=10).encode([question("Oslo"), row], tokenizer, HEAD, 48)

    def covered(features: Any, number: int) -> set[int]:
        return {
            place
            for window, of_row in enumerate(features["row"])
            for start, end in zip(features["start"][window], features["end"][window], strict=True)
            for place in range(start, end)
            if of_row == number
        }

    assert covered(parts, 1) == covered(whole, 0)
    answers = [
        context[parts["start"][window][first] : parts["end"][window][last]].strip()
        for window, (first, last) in enumerate(parts["labels"])
        if parts["row"][window] == 1 and parts["candidates"][window][first] == 1
    ]
    assert "Paragraph 13" in answers
    assert set(answers) == {"Paragraph 13"}


@pytest.mark.parametrize(
    ("task", "thresholds", "version", "calibration"),
    [
        (Qa(), {}, "v1.1", {}),
        (Qa(), {NO_ANSWER_THRESHOLD: 1.5}, "v2.0", {NO_ANSWER_THRESHOLD: 1.5}),
        (Qa(version="v2.0"), {}, "v2.0", {NO_ANSWER_THRESHOLD: 0.0}),
        (Qa(version="v1.1"), {NO_ANSWER_THRESHOLD: 1.5}, "v1.1", {}),
        (Qa(version="v2.0", no_answer_threshold=-1), {NO_ANSWER_THRESHOLD: 1.5}, "v2.0", {NO_ANSWER_THRESHOLD: -1}),
    ],
)
def test_a_trained_model_says_no_answer_only_if_it_learnt_to(
    task: Qa, thresholds: dict[str, float], version: str, calibration: dict[str, float]
) -> None:
    trained, notes = task.as_trained(HEAD, thresholds)
    assert trained.version == version
    assert bool(notes) == (task.version == "auto" and version == "v1.1")
    assert trained.calibration(thresholds) == calibration


@pytest.mark.parametrize("seed", range(20))
def test_of_equal_spans_the_first_is_found(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    start, end = (torch.randint(0, 2, (4, 15), generator=generator).float() for _ in range(2))
    candidates = torch.randint(0, 2, (4, 15), generator=generator)
    candidates[:, 3] = 1
    kept = best_spans(4)({"start_logits": start, "end_logits": end}, {"candidates": candidates})
    for row in range(4):
        _, first, last = naive_best(start[row], end[row], candidates[row], 4)
        assert (kept["start"][row].item(), kept["end"][row].item()) == (first, last)


@pytest.mark.parametrize("width", range(1, 12))
def test_running_maximum(width: int) -> None:
    values = torch.randn(3, 11, generator=torch.Generator().manual_seed(width))
    found = running_maximum(values, width)
    for place in range(11):
        assert torch.equal(found[:, place], values[:, place : place + width].max(1).values)


def prediction(answer: str, no_answer_score: float) -> dict[str, Any]:
    return {"answer": answer, "start": 0, "score": 0.5, "no_answer_score": no_answer_score}


def test_the_threshold_is_chosen_on_validation_and_applied() -> None:
    task = Qa(version="v2.0")
    rows = [question("Oslo"), question(None, name="q2"), question("ten days", name="q3")]
    decoded = [prediction("Oslo", -2.0), prediction("Claims", 1.0), prediction("ten days", 0.5)]
    calibration = task.calibrate(rows, decoded)
    assert calibration == {NO_ANSWER_THRESHOLD: 0.5}
    finished = task.apply_calibration(decoded, calibration)
    assert [answer["answer"] for answer in finished] == ["Oslo", "", "ten days"]
    assert finished[1]["best_answer"] == "Claims"
    assert task.score(rows, finished, HEAD)["f1"] == 100.0


def test_if_refusing_to_answer_scores_best_no_question_is_answered() -> None:
    task = Qa(version="v2.0")
    rows = [question(None), question(None, name="q2")]
    decoded = [prediction("Oslo", -2.0), prediction("Claims", 1.0)]
    finished = task.apply_calibration(decoded, task.calibrate(rows, decoded))
    assert [answer["answer"] for answer in finished] == ["", ""]


def test_v1_always_answers() -> None:
    task = Qa(version="v1.1")
    decoded = [prediction("Oslo", 9.0)]
    assert task.calibrate([question("Oslo")], decoded) == {}
    assert task.apply_calibration(decoded, {}) == decoded


def test_the_collator_marks_candidates_and_shifts_nothing(tokenizer: Any) -> None:
    rows = [question("Oslo"), Question("2", "who?", "Mara signs.", (), (), None, Origin("a", 2))]
    task = Qa(version="v2.0")
    features = task.encode(rows, tokenizer, HEAD, 64)
    windows = [{name: column[i] for name, column in features.items()} for i in range(len(features["row"]))]
    batch = task.collator(tokenizer)(windows)
    length = max(map(len, features["input_ids"]))
    assert batch["candidates"].shape == batch["input_ids"].shape == (len(windows), length)
    assert batch["labels"].tolist() == features["labels"]
    assert (batch["candidates"][batch["attention_mask"] == 0] == 0).all()
    assert (batch["candidates"] == 2).sum(1).tolist() == [1] * len(windows)


@pytest.mark.parametrize("answer", ["Oslo", None])
def test_perfect_predictions_score_a_hundred(answer: str | None) -> None:
    task, rows = Qa(version="v2.0"), [question(answer)]
    assert task.score(rows, [task.gold_prediction(row) for row in rows], HEAD)["f1"] == 100.0
