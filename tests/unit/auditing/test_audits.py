"""Suspects among labels, entities and answers: worked by hand, and against planted noise and cleanlab itself."""

from typing import Any

import numpy as np
import pytest
from cleanlab.filter import find_label_issues

from tasks.auditing.answers import audit_answers
from tasks.auditing.classes import audit_numbers, audit_several, audit_single
from tasks.auditing.entities import audit_entities
from tasks.auditing.suspect import Suspect, worst_first
from tasks.errors import InputError
from tasks.inspecting.audits import AUDITS

NAMES = ("late", "lost", "wet")


def of_label(gold: str, *probabilities: float) -> dict[str, Any]:
    scores = dict(zip(NAMES, probabilities, strict=True))
    return {"gold": gold, "prediction": {"label": max(scores, key=lambda name: scores[name]), "scores": scores}}


def noisy(count: int, rate: float, seed: int) -> tuple[list[dict[str, Any]], set[int]]:
    """Return lines of a model that is right in nine of ten, and then surer, and the places of changed labels."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(3, size=count)
    wrong = set(generator.choice(count, int(rate * count), replace=False).tolist())
    lines = []
    for place, right in enumerate(truth):
        is_right = generator.random() < 0.9
        seen = right if is_right else (right + 1) % 3
        sure = generator.uniform(0.6, 0.99) if is_right else generator.uniform(0.4, 0.7)
        probabilities = [(1 - sure) / 2] * 3
        probabilities[seen] = sure
        given = (right + generator.integers(1, 3)) % 3 if place in wrong else right
        lines.append(of_label(NAMES[given], *probabilities))
    return lines, wrong


def test_a_label_that_the_model_is_sure_is_another_one() -> None:
    usual = [of_label(name, *(0.9 if name == other else 0.05 for other in NAMES)) for name in NAMES * 20]
    audited = audit_single([*usual, of_label("late", 0.01, 0.98, 0.01), of_label("wet", 0.5, 0.1, 0.4)])
    first, second = audited.suspects
    assert (first.line, first.kind, first.given, first.suggested, first.likely) == (60, "label", "late", "lost", True)
    assert (second.line, second.given, second.suggested) == (61, "wet", "late")
    assert first.quality < second.quality < 0.5


def test_a_clear_other_label_is_worse_than_three_that_are_much_alike() -> None:
    usual = [of_label(name, *(0.9 if name == other else 0.05 for other in NAMES)) for name in NAMES * 20]
    audited = audit_single([*usual, of_label("late", 0.30, 0.35, 0.35), of_label("late", 0.40, 0.59, 0.01)])
    quality = {one.line: one.quality for one in audited.suspects}
    assert quality[61] < quality[60]


def test_labels_that_are_right_are_no_suspects() -> None:
    audited = audit_single(
        [of_label(name, *(0.9 if name == other else 0.05 for other in NAMES)) for name in NAMES * 20]
    )
    assert audited.suspects == []
    assert audited.noise is not None
    assert (audited.noise.rate, audited.noise.low, audited.noise.high) == (0, 0, 0)


def test_likely_are_those_that_cleanlab_takes_out() -> None:
    lines, _ = noisy(600, 0.1, 1)
    gold = np.array([NAMES.index(line["gold"]) for line in lines])
    probabilities = np.array([list(line["prediction"]["scores"].values()) for line in lines])
    likely = {one.line for one in audit_single(lines).suspects if one.likely}
    assert likely == set(np.flatnonzero(find_label_issues(gold, probabilities)).tolist())


@pytest.mark.parametrize("rate", [0.05, 0.1])
def test_planted_noise_is_found_and_its_rate_estimated(rate: float) -> None:
    """The model errs in a tenth, so that noise can't be told from its errors wholly; chance would hit 5% or 10%."""
    lines, wrong = noisy(2000, rate, 2)
    audited = audit_single(lines)
    first = {one.line for one in audited.suspects[: len(wrong)]}
    assert len(first & wrong) > 0.6 * len(wrong)
    in_tenth = {one.line for one in audited.suspects[:200]}
    assert len(in_tenth & wrong) > (0.6 if rate == 0.1 else 0.8) * len(wrong)
    noise = audited.noise
    assert noise is not None
    assert noise.low is not None
    assert noise.high is not None
    assert noise.low <= noise.rate <= noise.high
    assert rate / 2 < noise.rate < 3 * rate + 0.1


def test_one_label_only_has_nothing_to_find() -> None:
    audited = audit_single([of_label("late", 0.9, 0.05, 0.05)] * 30)
    assert audited.suspects == []


def test_each_of_several_labels_is_judged_by_itself() -> None:
    def line(gold: list[str], late: float, lost: float) -> dict[str, Any]:
        return {"gold": gold, "prediction": {"label": [], "scores": {"late": late, "lost": lost}}}

    usual = [line(["late"], 0.95, 0.05), line(["lost"], 0.05, 0.95), line([], 0.05, 0.05)] * 10
    audited = audit_several([*usual, line(["late"], 0.01, 0.02), line([], 0.03, 0.99)])
    found = {(one.line, one.kind, one.given, one.suggested) for one in audited.suspects}
    assert found == {(30, "extra label", "late", ""), (31, "missing label", "", "lost")}
    assert audited.noise is not None
    assert audited.noise.of == "decisions for and against a label"
    assert audited.noise.rate == pytest.approx(2 / 64), "two of 32 rows times two labels"


def test_numbers_far_from_what_is_predicted() -> None:
    generator = np.random.default_rng(3)
    truth = generator.uniform(1, 5, 100)
    lines = [{"gold": float(one), "prediction": {"label": float(one + generator.normal(0, 0.1))}} for one in truth]
    lines[7]["gold"] = 50.0
    audited = audit_numbers(lines)
    assert [one.line for one in audited.suspects] == [7]
    assert audited.suspects[0].given == "50"
    assert audited.noise is None


def tagged(words: str, gold: str, found: str, *scores: float) -> dict[str, Any]:
    """Return a line whose predicted tags have these probabilities, and the given ones, where they differ, the rest."""
    given, tags = gold.split(), found.split()
    of_words = [{one: 1 - score} | {tag: score} for one, tag, score in zip(given, tags, scores, strict=True)]
    return {"tokens": words.split(), "gold": given, "prediction": {"tags": tags, "scores": of_words}}


@pytest.mark.parametrize(
    ("line", "kind", "given", "suggested"),
    [
        (tagged("Ada left Oslo", "B-PER O O", "B-PER O B-LOC", 1, 1, 0.9), "missed", "", "LOC: Oslo"),
        (tagged("Ada left Oslo", "B-PER O B-LOC", "B-PER O O", 1, 1, 0.8), "spurious", "LOC: Oslo", ""),
        (tagged("Ada left Oslo", "B-PER O B-PER", "B-PER O B-LOC", 1, 1, 0.7), "type", "PER: Oslo", "LOC: Oslo"),
        (
            tagged("Ada Lund left", "B-PER O O", "B-PER I-PER O", 0.9, 0.6, 1),
            "border",
            "PER: Ada",
            "PER: Ada Lund",
        ),
        (
            tagged("New Oslo Bank", "B-LOC I-LOC O", "B-ORG I-ORG I-ORG", 0.9, 0.9, 0.5),
            "type and border",
            "LOC: New Oslo",
            "ORG: New Oslo Bank",
        ),
    ],
)
def test_kinds_of_suspicious_entities(line: dict[str, Any], kind: str, given: str, suggested: str) -> None:
    (one,) = audit_entities([line])
    assert (one.kind, one.given, one.suggested) == (kind, given, suggested)


def test_the_odds_of_entities_by_hand() -> None:
    """The model sees five entities and three words outside: three are missing, one is of another type, one spurious."""
    lines = [
        tagged("to Oslo", "O B-LOC", "O B-LOC", 1.0, 0.8),
        tagged("Rome", "O", "B-LOC", 0.8),
        tagged("Ada left", "O O", "B-PER O", 0.6, 1.0),
        tagged("New Bergen", "B-LOC I-LOC", "B-PER I-PER", 0.75, 0.999),
        tagged("Bo Lund Co", "B-PER O O", "O B-PER I-PER", 0.9, 0.9, 0.9),
    ]
    odds = {(one.line, one.kind): 1 / one.quality - 1 for one in audit_entities(lines)}
    assert odds == pytest.approx(
        {
            (1, "missed"): 3 / 5 * 0.8 / 0.2,
            (2, "missed"): 3 / 5 * 0.6 / 0.4,
            (4, "missed"): 3 / 5 * 0.9 / 0.1,
            (3, "type"): 1 / 5 * 0.98 / 0.02,  # the word that speaks most against it, no surer than 98%
            (4, "spurious"): 1 / 3 * 0.9 / 0.1,
        }
    )


def test_an_entity_that_a_weak_model_overlooks_is_less_suspicious_than_one_that_it_finds() -> None:
    """The model overlooks most entities, and is sure of O: that it overlooks one more tells little."""
    words = " and" * 20
    usual = [tagged(f"to Oslo{words}", f"O B-LOC{' O' * 20}", "O O" + " O" * 20, *[0.9] * 22) for _ in range(10)]
    found = [tagged("to Oslo", "O B-LOC", "O B-LOC", 0.99, 0.7) for _ in range(5)]
    audited = audit_entities([*usual, *found, tagged("to Rome", "O O", "O B-LOC", 0.99, 0.8)])
    assert (audited[0].line, audited[0].kind) == (15, "missed")


def test_a_predicted_tag_that_was_made_legal_counts_as_the_one_it_was() -> None:
    line = tagged("Ada", "O", "B-PER", 0.0)
    line["prediction"]["scores"] = [{"O": 0.2, "I-PER": 0.8}]
    (one,) = audit_entities([line])
    assert one.quality == pytest.approx(1 / (1 + 0.8 / 0.2))


def test_a_word_whose_tag_is_the_given_one_once_it_is_legal_speaks_for_nothing() -> None:
    line = tagged("Ada Lund", "B-PER I-PER", "B-PER O", 0.0, 0.6)
    line["prediction"]["scores"][0] = {"B-PER": 0.1, "I-PER": 0.9}
    (one,) = audit_entities([line])
    assert one.quality == pytest.approx(1 / (1 + 0.6 / 0.4))


def test_predictions_with_one_probability_for_each_word_are_refused() -> None:
    line = tagged("Ada", "O", "B-PER", 0.9)
    line["prediction"]["scores"] = [0.9]
    with pytest.raises(InputError, match="output_root=FOLDER"):
        audit_entities([line])


def test_entities_on_which_all_agree_are_no_suspects() -> None:
    assert audit_entities([tagged("Ada left Oslo", "B-PER O B-LOC", "B-PER O B-LOC", 1, 1, 1)]) == []


def test_an_entity_that_is_found_in_two_pieces_is_one_doubt() -> None:
    (one,) = audit_entities([tagged("New York Bank", "B-ORG I-ORG I-ORG", "B-LOC I-LOC B-ORG", 0.9, 0.9, 0.9)])
    assert (one.kind, one.suggested) == ("type and border", "LOC: New York")


def asked(gold: list[str], answer: str, score: float = 0.9, none: float = -5.0) -> dict[str, Any]:
    at = {"start": 3, "end": 3 + len(answer)}
    return {"gold": gold, "prediction": {"answer": answer, "score": score, "no_answer_score": none, **at}}


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (asked([], "in Oslo"), "answer overlooked"),
        (asked(["in Oslo"], "", none=5.0), "no answer"),
        (asked(["in Oslo"], "a grey cat"), "another answer"),
        (asked(["in Oslo"], "Oslo"), None),
        (asked(["in Oslo", "a cat"], "a grey cat"), None),
        (asked([], ""), None),
    ],
)
def test_kinds_of_suspicious_answers(line: dict[str, Any], kind: str | None) -> None:
    assert [one.kind for one in audit_answers([line])] == ([kind] if kind else [])


def test_the_surer_the_model_the_worse_the_answer() -> None:
    found = audit_answers([asked(["x"], "y", 0.5), asked(["x"], "y", 0.9), asked([], "y", none=-9)])
    assert [one.line for one in found] == [2, 1, 0]


def test_likely_ones_come_first_then_the_worst() -> None:
    suspects = [Suspect(place, "label", "a", "b", quality, place == 2) for place, quality in enumerate((0.3, 0.1, 0.4))]
    assert [one.line for one in worst_first(suspects)] == [2, 1, 0]


def test_every_task_has_an_audit() -> None:
    assert set(AUDITS) == {"classification", "ner", "qa"}
