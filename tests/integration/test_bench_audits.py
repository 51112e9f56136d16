"""The bench of audits: errors as they are planted, rankings by hand, and a table that goes on where it was stopped."""

import json
from pathlib import Path
from typing import Any

import pytest

from recipes.bench import audits
from recipes.bench.__main__ import main
from recipes.bench.planting import TO_ANSWERS, TO_ENTITIES, Plant, plant
from recipes.bench.rankings import Doubt, found, found_by_chance, of_audit, others
from recipes.system.files import write_json
from tasks.classification import Text
from tasks.data.records import Origin
from tasks.ner import Sentence
from tasks.qa import Question
from tasks.scoring.squad import overlap_f1
from tasks.tags import spans, to_iob2

HERE = Origin("rows.jsonl", 1)


@pytest.fixture
def public(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sets in the formats and at the places of SST-2 and of WNUT-17."""
    reviews, posts = tmp_path / "public" / "sst2_stsa", tmp_path / "public" / "wnut17"
    for folder in (reviews, posts):
        folder.mkdir(parents=True)
    for split in ("train", "dev", "test"):
        rows = [f"{n % 2} the {split} film number {n} is {'good' if n % 2 else 'bad'}\n" for n in range(60)]
        (reviews / f"stsa.binary.{split}").write_text("".join(rows))
    for name in ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated"):
        sentences = [f"Ada\tB-person\nLund\tI-person\nleft\tO\nOslo\tB-location\n{name}{n}\tO\n\n" for n in range(60)]
        (posts / name).write_text("".join(sentences))
    monkeypatch.setenv("RECIPES_DATA", str(tmp_path / "public"))
    monkeypatch.setattr(audits, "SIZES", {"sst2": 40, "wnut17": 40})
    monkeypatch.setattr(audits, "RATES", (0.1,))
    return tmp_path


def test_planted_errors_are_counted_and_what_is_done_is_kept(
    public: Path, models: dict[str, Path], capsys: Any
) -> None:
    own = [f"model.path={models['bert']}", "hparams.max_steps=2", "hparams.batch_size=8", "study.folds=2"]
    words = ["audits", "--output", str(public / "out"), *own]
    assert main(words) == 0
    reviews, posts = json.loads((public / "out" / "audits.json").read_text())["cases"]
    assert (reviews["source"], reviews["changed"]) == ("sst2", 4)
    assert (posts["source"], posts["changed"]) == ("wnut17", 8), "8 of 80 entities"
    assert reviews["found"].keys() == posts["found"].keys() == {"audit", "chance", "loss", "cleanlab"}
    assert reviews["found"]["chance"] == pytest.approx({"as many": 0.1, "budget": 0.1})
    assert not list((public / "out").rglob("model.safetensors"))
    kept = public / "out" / "audits" / "results" / "sst2-40-0.1.json"
    write_json(kept, {**json.loads(kept.read_text()), "changed": 7})
    assert main([*words, "--task", "classification"]) == 0
    table = (public / "out" / "audits.md").read_text()
    assert "| sst2, 40 | 10%: 7 |" in table, "what is done is not done again"
    assert "wnut17" not in table
    capsys.readouterr()


def test_errors_in_sentences_are_what_their_plants_say() -> None:
    tags = ("B-person", "I-person", "O", "B-place", "B-place", "O", "O", "B-firm")
    words = tuple(f"word{number}" for number in range(len(tags)))
    rows = [Sentence(str(number), words, tags, HERE) for number in range(50)]
    changed, plants = plant("ner", rows, 0.25, 1)
    assert len(plants) == 50, "a quarter of 200 entities"
    assert {one.kind for one in plants} == set(TO_ENTITIES)
    assert plant("ner", rows, 0.25, 1) == (changed, plants)
    assert plant("ner", rows, 0.25, 2) != (changed, plants)
    for place, row in enumerate(changed):
        assert to_iob2(row.tags or (), "iob2") == (list(row.tags or ()), 0), "legal as they are"
        here = [one for one in plants if one.row == place]
        before, after = set(spans(tags)), set(spans(row.tags or ()))
        for kind, start, end in before ^ after:
            assert any(one.start <= start and end <= one.end for one in here), (kind, start, end)
        for one in here:
            within = [[span for span in some if one.start <= span[1] < one.end] for some in (before, after)]
            old, new = within
            assert old != new
            assert (not new) == (one.kind == "dropped")
            if one.kind == "type":
                assert [span[1:] for span in new] == [span[1:] for span in old]
            if one.kind == "borders":
                assert [span[:2] for span in new] == [span[:2] for span in old]
                assert abs(new[0][2] - old[0][2]) == 1


def test_errors_in_texts_are_other_labels() -> None:
    single = [Text(str(number), "a", None, ("late", "lost", "wet")[number % 3], HERE) for number in range(40)]
    several = [Text(str(number), "a", None, [("late",), ("wet", "lost"), ()][number % 3], HERE) for number in range(40)]
    for rows in (single, several):
        changed, plants = plant("classification", rows, 0.1, 1)
        assert [one.row for one in plants] == [
            place for place, pair in enumerate(zip(rows, changed, strict=True)) if pair[0] != pair[1]
        ]
        assert len(plants) == 4
        for one in plants:
            old, new = rows[one.row].labels, changed[one.row].labels
            assert len(new) == len(old)
            assert len(set(new) - set(old)) == 1, "one label is another one"


def test_errors_in_answers_are_what_their_plants_say() -> None:
    passage = "Ada left the old town of Oslo in May for a new life."
    rows = [
        Question(str(number), "Who?", passage, ("old town",), (13,), None, HERE)
        if number % 4
        else Question(str(number), "Who?", passage, (), (), None, HERE)
        for number in range(200)
    ]
    changed, plants = plant("qa", rows, 0.5, 1)
    assert len(plants) == 100
    assert {one.kind for one in plants} == set(TO_ANSWERS)
    for one in plants:
        old, new = rows[one.row], changed[one.row]
        assert (new.answers == ()) == (one.kind == "taken away")
        for answer, start in zip(new.answers, new.starts, strict=True):
            assert passage[start:].startswith(answer)
            shared = overlap_f1(answer, old.answers[0]) if old.answers else 0
            assert 0 < shared < 1 if one.kind == "borders" else shared == 0


def test_what_is_found_by_hand() -> None:
    plants = [Plant(0, "type", 2, 4), Plant(0, "type", 6, 7), Plant(3, "dropped", 0, 1)]
    ranking = [Doubt(0, 4, 6), Doubt(0, 3, 5), Doubt(0, 2, 3), Doubt(3, 0, 2), Doubt(0, 0, 9)]
    assert [found(ranking, plants, many) for many in range(6)] == [0, 0, 1, 1, 2, 3], "each plant once"
    # Of 5 words 2 are looked at: all but one draw of C(3, 2) = 3 in C(5, 2) = 10 hit a plant of two words.
    assert found_by_chance([Plant(0, "type", 2, 4)], 5, 2) == pytest.approx(0.7)
    assert found_by_chance([Plant(place, "label") for place in range(4)], 40, 10) == pytest.approx(1)


def test_rankings_by_hand() -> None:
    single = [
        {"gold": gold, "prediction": {"label": "", "scores": {"a": a, "b": b, "c": 1 - a - b}}}
        for gold, a, b in (("a", 0.3, 0.35), ("a", 0.4, 0.59), ("b", 0.05, 0.9))
    ]
    assert others(single) == {"loss": _rows(0, 1, 2), "cleanlab": _rows(1, 0, 2)}
    several = [
        {"gold": gold, "prediction": {"label": [], "scores": {"a": 0.9, "b": 0.2}}}
        for gold in (["a"], ["b"], ["a", "b"], [])
    ]
    assert others(several)["loss"] == _rows(1, 3, 2, 0), "0.1 times 0.2, 0.1 times 0.8, 0.9 times 0.2, 0.9 times 0.8"
    sentences = [
        {
            "tokens": ["to", "Oslo"],
            "gold": gold,
            "prediction": {"scores": [{"O": 0.9, "B-x": 0.1}, {"O": o, "B-x": 1 - o}]},
        }
        for gold, o in ((["O", "O"], 0.3), (["B-x", "B-x"], 0.25))
    ]
    words = [Doubt(1, 0, 1), Doubt(0, 1, 2), Doubt(1, 1, 2), Doubt(0, 0, 1)]
    assert others(sentences) == {"loss": words, "cleanlab": words[:2]}
    answers = [{"gold": ["x"], "prediction": {"answer": "x", "score": 0.5}}]
    assert others(answers) == {}
    record = {
        "suspects": [
            {"line": 2, "given_at": [3, 5], "suggested_at": [4, 6]},
            {"line": 1, "given_at": None, "suggested_at": [0, 1]},
        ],
    }
    assert of_audit(record, sentences) == [Doubt(2, 3, 6), Doubt(1, 0, 1)]
    of_labels = [{"line": line, "given_at": None, "suggested_at": None} for line in (4, 4, 0)]
    assert of_audit({"suspects": of_labels}, single) == _rows(4, 0), "a row is looked at once"


def _rows(*places: int) -> list[Doubt]:
    return [Doubt(place) for place in places]
