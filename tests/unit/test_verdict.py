"""What a run's scores are worth: intervals, baselines and signs of failure, worked out by hand."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from recipes.inference.evaluation import Evaluation, OutOfFold, by_fold, prediction_lines, units_of
from recipes.inference.judging import judge
from recipes.results.run_directory import RunDirectory
from recipes.results.verdict import Baseline, Certainty, Gain, Verdict
from recipes.training.console_lines import show_result
from tasks.baselines.passages import best_sentences
from tasks.baselines.texts import LINEAR, linear_classes, linear_labels, linear_numbers, most_frequent, text_baselines
from tasks.baselines.words import tags_by_word, unseen_share
from tasks.classification import Classification, Text
from tasks.data.records import Origin, ReadReport
from tasks.loading.rows import AnyRows, Rows
from tasks.ner import Ner, Sentence
from tasks.qa import Qa, Question
from tasks.task import AnyTask, Head, Prediction
from tests.unit.test_report import REPORT

ORIGIN = Origin("a.csv", 1)
CLASSES = Head("AutoModelForSequenceClassification", ("no", "yes"), "single_label_classification")
TAGS = Head("AutoModelForTokenClassification", ("O", "B-x", "I-x"))


def rows_of(task: AnyTask, head: Head, train: Sequence[Any], test: Sequence[Any]) -> AnyRows:
    return Rows(task, head, {"train": list(train), "validation": [], "test": list(test)}, ReadReport(), [], frozenset())


def judged(rows: AnyRows, predictions: Sequence[Prediction], losses: Sequence[float] = ()) -> Verdict:
    test = rows.splits["test"]
    evaluation = Evaluation(
        metrics={"test": rows.task.score(test, predictions, rows.head)},
        predictions={"test": prediction_lines(rows.task, test, predictions)},
    )
    return judge(rows, evaluation, [{"loss": loss} for loss in losses])


def texts(*labels: str) -> list[Text]:
    return [Text(str(number), f"text {label}", None, label, ORIGIN) for number, label in enumerate(labels)]


def labelled(*labels: str) -> list[Prediction]:
    return [{"label": label, "scores": {}} for label in labels]


def test_gains_over_baselines_are_differences_on_the_same_rows() -> None:
    rows = rows_of(Classification(kind="single_label"), CLASSES, texts(*"yyyn" * 5), texts(*"yyyyyynnnn" * 3))
    verdict = judged(rows, labelled(*"yyyyyynnnn" * 2, *"yyyyyyyyyy"))
    majority = verdict.baselines["test"]["majority class"]
    assert majority.scores["accuracy"] == pytest.approx(0.6)
    gain = majority.gains["accuracy"]
    assert gain.value == pytest.approx(26 / 30 - 0.6)
    assert gain.interval is not None
    assert gain.interval[0] < 26 / 30 - 0.6 < gain.interval[1]
    # The text says the label, so that the linear model knows it.
    assert verdict.baselines["test"][LINEAR].scores["accuracy"] == 1.0
    assert verdict.baselines["test"][LINEAR].gains["accuracy"].value == pytest.approx(26 / 30 - 1)
    assert verdict.collapsed == []


def test_a_certainty_says_what_was_drawn() -> None:
    rows = rows_of(Classification(kind="single_label"), CLASSES, texts("y", "n"), texts(*"ynynynynyn"))
    found = judged(rows, labelled(*"ynynynynnn")).certainty["test"]
    assert (found.unit, found.units, found.draws, found.confidence) == ("row", 10, 10_000, 0.95)
    low, high = found.intervals["accuracy"] or (0, 0)
    assert 0.5 < low < 0.9 < high <= 1
    assert {"accuracy", "macro_f1", "matthews"} <= set(found.intervals)


def test_one_class_for_every_row_is_a_collapse() -> None:
    rows = rows_of(Classification(kind="single_label"), CLASSES, texts(*"yyn"), texts(*"yyyyyynnnn"))
    verdict = judged(rows, labelled(*"yyyyyyyyyy"))
    assert verdict.collapsed == [
        "predicts 'y' for every row of test",
        "its macro_f1 on test is no better than that of the simplest baseline (majority class)",
    ]


def test_where_gold_is_all_the_majority_class_nothing_is_said_of_the_model() -> None:
    alike = rows_of(Classification(kind="single_label"), CLASSES, texts(*"yyn"), texts(*"yyyy"))
    assert judged(alike, labelled(*"yyyy")).collapsed == []
    assert judged(alike, labelled(*"yyyn")).collapsed == []


def test_one_number_for_every_row_is_a_collapse() -> None:
    rows = [Text(str(number), "a", None, number / 7, ORIGIN) for number in range(6)]
    head = Head("AutoModelForSequenceClassification", ("score",), "regression")
    verdict = judged(rows_of(Classification(kind="regression"), head, rows, rows), [{"label": 0.5}] * 6)
    assert verdict.collapsed[0] == "predicts 0.5 for every row of test"


def test_a_loss_that_never_falls_is_a_collapse() -> None:
    rows = rows_of(Classification(kind="single_label"), CLASSES, texts(*"yyn"), texts(*"ynynyn"))
    good = labelled(*"ynynyn")
    assert judged(rows, good, [0.7, 0.699, 0.71]).collapsed == [
        "its training loss never fell: 0.7 at first, 0.71 at last"
    ]
    assert judged(rows, good, [0.7, 0.6]).collapsed == judged(rows, good, [0.7]).collapsed == []


def sentence(words: str, tags: str) -> Sentence:
    return Sentence("0", tuple(words.split()), tuple(tags.split()), ORIGIN)


def test_a_model_without_entities_is_a_collapse() -> None:
    train = [sentence("in Oslo today", "O B-x O"), sentence("Oslo Bergen", "B-x B-x")]
    test = [sentence("Oslo and Bergen", "B-x O B-x"), sentence("in Moss", "O B-x")] * 4
    rows = rows_of(Ner(), TAGS, train, test)
    empty = [rows.task.gold_prediction(sentence("a " * len(row.tokens), "O " * len(row.tokens))) for row in test]
    verdict = judged(rows, empty)
    assert verdict.collapsed[0] == "finds no entity of test"
    assert verdict.baselines["test"]["no entities"].scores["f1"] == 0
    # Two of three entities are known words, and nothing else is found.
    assert verdict.baselines["test"]["known words"].scores["f1"] == pytest.approx(0.8)
    assert verdict.unseen_share["test"] == pytest.approx(1 / 3)


def test_questions_on_one_article_are_drawn_together() -> None:
    questions = [
        Question(str(number), "who?", "Ada signs.", ("Ada",), (0,), f"article {number % 6}", ORIGIN)
        for number in range(12)
    ]
    assert units_of(Qa(), questions) == [0, 1, 2, 3, 4, 5] * 2
    rows = rows_of(Qa(version="v1.1"), Head("AutoModelForQuestionAnswering"), questions, questions)
    found = [{"answer": "Ada" if number % 6 else "", "no_answer_score": 0.0} for number in range(12)]
    verdict = judged(rows, found)
    assert (verdict.certainty["test"].unit, verdict.certainty["test"].units) == ("article", 6)
    assert list(verdict.baselines["test"]) == ["best sentence"]
    assert units_of(Classification(), texts(*"yn")) == [0, 1]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    """A run directory with a page."""
    monkeypatch.chdir(tmp_path)
    directory = RunDirectory(Path("runs/1"))
    directory.path.mkdir(parents=True)
    directory.page.touch()
    return directory


def shown(verdict: Verdict, directory: RunDirectory, capsys: pytest.CaptureFixture[str]) -> list[str]:
    many: Any = {"train": 200, "validation": 50, "test": 50}
    metrics: Any = {"test": {"f1": 0.71, "precision": 0.5}}
    report = replace(REPORT, metrics=metrics, verdict=verdict, data=replace(REPORT.data, rows=many))
    show_result(Ner(), report, directory, 3.0)
    return capsys.readouterr().out.splitlines()


def test_the_console_shows_scores_with_intervals_and_the_gain_over_the_best_baseline(
    directory: RunDirectory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sure = Certainty("row", 50, 10_000, 0.95, {"f1": [0.662, 0.758], "precision": None})
    weak = Baseline({"f1": 0.0}, {"f1": Gain(0.71, [0.6, 0.8])})
    strong = Baseline({"f1": 0.61}, {"f1": Gain(0.1, [-0.02, 0.2])})
    lines = shown(Verdict({"test": sure}, {"test": {"no entities": weak, "known words": strong}}), directory, capsys)
    assert lines == [
        "test        f1 0.7100 (0.662 to 0.758)  precision 0.5000",
        "baselines   test f1: no entities 0.0000, known words 0.6100; "
        "the model is 0.1000 (-0.020 to 0.200) over known words",
        "report      runs/1/report.html",
        "Done in 3.0 s: runs/1",
    ]


def test_the_console_says_by_how_much_a_model_is_below_a_baseline_and_that_it_has_collapsed(
    directory: RunDirectory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    strong = Baseline({"f1": 0.9}, {"f1": Gain(-0.19, [-0.3, -0.1])})
    lines = shown(
        Verdict({}, {"test": {"known words": strong}}, collapsed=["finds no entity of test", "x"]), directory, capsys
    )
    assert lines[1].endswith("; the model is 0.1900 (0.100 to 0.300) below known words")
    assert lines[2] == "collapsed   finds no entity of test; x"
    assert "What usually helps" in lines[3]
    assert shown(Verdict(), directory, capsys)[1:] == ["report      runs/1/report.html", "Done in 3.0 s: runs/1"]
    directory.page.unlink()
    assert shown(Verdict(), directory, capsys)[1:] == ["Done in 3.0 s: runs/1"], "a page that could not be made"


def test_the_console_says_that_few_test_rows_tell_little(
    directory: RunDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    show_result(Ner(), replace(REPORT, metrics={"test": {"f1": 0.71}}), directory, 3.0)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].strip().startswith("1 test row: too few to tell how good the model is. study=cross_validation")


def test_the_console_says_which_epoch_is_kept_if_another_scored_more(
    directory: RunDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    history = [{"epoch": 1.0, "step": 3, "f1": 57.672}, {"epoch": 2.5, "step": 6, "f1": 55.0}]
    report = replace(REPORT, history=history, training=replace(REPORT.training, kept_epoch=2.5))
    show_result(Ner(), report, directory, 3.0)
    assert capsys.readouterr().out.splitlines()[0] == (
        "kept        epoch 2.5: f1 57.67 after epoch 1 is better by no more than chance"
    )


def test_a_verdict_is_read_back_from_json() -> None:
    rows = rows_of(Classification(kind="single_label"), CLASSES, texts(*"yyn"), texts(*"ynynyn"))
    verdict = judged(rows, labelled(*"ynynnn"))
    assert Verdict.from_dict(json.loads(json.dumps(asdict(verdict)))) == verdict
    assert verdict.interval("test", "accuracy") is not None
    assert verdict.interval("validation", "accuracy") is None


def test_rows_of_one_kind_have_scores_without_intervals() -> None:
    rows = rows_of(Classification(kind="single_label"), CLASSES, texts(*"yyn"), texts("y", "n"))
    verdict = judged(rows, labelled("y", "n"))
    assert set(verdict.certainty["test"].intervals.values()) == {None}
    assert verdict.baselines["test"]["majority class"].gains["accuracy"].interval is None


TRAIN = ["good and warm", "warm day", "cold night", "cold and dark"]


def test_linear_models_learn_words() -> None:
    assert linear_classes(TRAIN, ["a", "a", "b", "b"], ["warm evening", "dark evening"]) == ["a", "b"]
    assert linear_classes(TRAIN, ["a"] * 4, ["dark"]) == ["a"]
    several = [["a", "day"], ["a", "day"], ["b"], ["b"]]
    assert linear_labels(TRAIN, several, ["warm evening", "dark evening"]) == [["a", "day"], ["b"]]
    one, two = linear_numbers(TRAIN, [2.0, 2.0, -2.0, -2.0], ["warm evening", "dark evening"])
    assert one > 0 > two


def test_a_linear_model_that_is_not_finished_is_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.baselines.texts.MOST_STEPS", 1)
    assert len(linear_classes(TRAIN, ["a", "a", "b", "b"], ["warm"])) == 1
    assert len(linear_labels(TRAIN, [["a"], ["a"], ["b"], ["b"]], ["warm"])) == 1


def test_of_many_training_rows_the_linear_model_sees_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.baselines.texts.MOST_ROWS", 40)
    train = [f"{word} {number}" for number in range(100) for word in ("warm", "cold")]
    assert linear_classes(train, ["a", "b"] * 100, ["warm", "cold"]) == ["a", "b"]


def test_baselines_without_a_look_at_the_text() -> None:
    assert text_baselines("regression", TRAIN, [1.0, 2.0, 3.0, 6.0], ["x", "y"])["mean"] == [3.0, 3.0]
    assert text_baselines("multi_label", TRAIN, [["a"], ["a", "b"], ["a"], []], ["x"])["usual labels"] == [["a"]]
    assert most_frequent(["b", "a", "a"]) == "a"


def test_known_words_have_their_most_frequent_tag() -> None:
    train = [(["New", "York", "New"], ["B-x", "I-x", "O"]), (["New"], ["B-x"])]
    assert tags_by_word(train, [["New", "York"], ["York", "City"]]) == [["B-x", "I-x"], ["B-x", "O"]]
    assert unseen_share(train, [(["New", "York"], ["O", "B-x"])]) == 1.0
    assert unseen_share(train, [(["New"], ["O"])]) is None


def test_the_best_sentence_shares_rare_words_with_the_question() -> None:
    passage = "The lodge opened in May. The keeper signs claims! The end"
    assert best_sentences(["Who signs the claims?", "When did it open in May?"], [passage] * 2) == [
        "The keeper signs claims!",
        "The lodge opened in May.",
    ]
    assert best_sentences(["who?"], ["..."]) == ["..."]


def test_the_number_of_a_question_in_its_file_does_not_hide_its_text() -> None:
    row = Question("q1", "Who waits?", "Ida waits.", ("Ida",), (0,), None, Origin("a.json", 7, "question"))
    (line,) = prediction_lines(Qa(), [row], [{"answer": "Ida"}])
    assert (line["question"], line["question_number"]) == ("Who waits?", 7)


def test_baselines_are_held_out_as_the_model_was() -> None:
    """Where validation rows are those of training, a linear model has not seen the rows of its fold either."""
    words = ["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh", "ii", "jj", "kk", "ll"]
    rows = [
        Text(str(place), f"{word} {word} {word}", None, ("ham", "spam")[place % 2], Origin("a.csv", place))
        for place, word in enumerate(words)
    ]
    head = Head("AutoModelForSequenceClassification", ("ham", "spam"), "single_label_classification")
    loaded: AnyRows = Rows(
        Classification(kind="single_label"), head, {"train": rows, "validation": rows, "test": []}, ReadReport()
    )
    predictions = labelled(*(("ham", "spam")[place % 2] for place in range(len(rows))))
    lines = prediction_lines(loaded.task, rows, predictions)
    seen = Evaluation({"validation": loaded.task.score(rows, predictions, head)}, {"validation": lines})
    folds = [[0, 3, 4, 7, 8, 11], [1, 2, 5, 6, 9, 10]]
    held_out = replace(seen, out_of_fold=OutOfFold(predictions, folds))
    scores = [judge(loaded, one, []).baselines["validation"][LINEAR].scores["accuracy"] for one in (seen, held_out)]
    assert scores == [1.0, 0.5], "no word of a fold stands in the other"
    found = by_fold(loaded, lambda rest, held: [(len(rest), row.id) for row in held], folds)
    assert found == [(6, row.id) for row in rows]
