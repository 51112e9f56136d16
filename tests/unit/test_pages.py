"""Reports as pages: valid, closed in themselves, escaped, and with the numbers of report.json."""

import html
import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import html5lib
import pytest

from recipes import compare, report
from recipes.reporting.pictures import axis_ticks, curves, scale_of, strip
from recipes.reporting.run_page import advice, choices, where
from recipes.reporting.study_page import study_page
from recipes.reporting.sweep_page import sweep_page, write_sweep_page
from recipes.results.choice import Choice, TriedWay
from recipes.results.report import Report, load_report
from recipes.results.scores import format_score
from recipes.results.sweep_table import Job, Outcome, save_job
from recipes.results.verdict import Baseline, Certainty, Gain, Verdict
from recipes.system.characters import visible
from recipes.system.files import write_json
from tests.unit.test_compare import leave_run
from tests.unit.test_report import REPORT

EVIL = "<script>alert('x')</script>&\"\x1b[31m\u202e"
FROM_ELSEWHERE = re.compile(
    r"<(script|iframe|object|embed|link [^>]*stylesheet)|src=|@import|url\(|https?:", re.IGNORECASE
)


def checked(text: str) -> str:
    """Return a page that is valid, closed in itself, and usable for those who can't see it."""
    parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
    tree = parser.parse(text)
    assert parser.errors == []
    assert FROM_ELSEWHERE.search(text) is None
    assert len(text) < 1_000_000
    assert tree.find("html" if tree.tag != "html" else ".").get("lang") == "en"
    for picture in tree.iter("svg"):
        assert picture.get("aria-label")
    assert [heading.tag for heading in tree.iter("h1")] == ["h1"]
    for table in tree.iter("table"):
        widths = {sum(1 for _ in row) for row in table.iter("tr")}
        assert len(widths) == 1, "each row has a cell in each column"
    identifiers = [one.get("id") for one in tree.iter() if one.get("id")]
    assert len(identifiers) == len(set(identifiers))
    for link in tree.iter("a"):
        target = str(link.get("href"))
        assert not target.startswith("#") or target[1:] in identifiers
    return text


def words(text: str) -> str:
    """Return the text of a page without its tags."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL)))


def page_of(folder: Path) -> str:
    assert report.main([str(folder)]) == 0
    return checked((folder / "report.html").read_text(encoding="utf-8"))


def with_verdict(folder: Path, **more: Any) -> Path:
    found = load_report(folder / "report.json")
    assert found is not None
    verdict = Verdict(
        certainty={"test": Certainty("row", 60, 10_000, 0.95, {"accuracy": [0.61, 0.84]})},
        baselines={"test": {"majority class": Baseline({"accuracy": 0.55}, {"accuracy": Gain(0.18, [0.05, 0.3])})}},
        collapsed=more.pop("collapsed", []),
    )
    history = [
        {"epoch": float(n), "step": n, "loss": 2.0 / n, "validation_loss": 2.5 / n, "accuracy": 0.2 * n}
        for n in (1, 2, 3)
    ]
    write_json(folder / "report.json", asdict(replace(found, verdict=verdict, history=history, **more)))
    return folder


def test_a_run_has_a_page_with_the_verdict_first(tmp_path: Path) -> None:
    text = words(page_of(with_verdict(leave_run(tmp_path / "run", 0.73))))
    assert "accuracy, test 0.7333 0.610 to 0.840" in text
    assert "+0.1800 accuracy (0.050 to 0.300) against the baseline “majority class”." in text
    assert text.index("“majority class”") < text.index("Where it errs") < text.rindex("Environment")
    assert "Confusion matrix" in text
    assert "a.csv, line" in text


def test_a_collapsed_run_says_so(tmp_path: Path) -> None:
    text = words(
        page_of(with_verdict(leave_run(tmp_path / "run", 0.73), collapsed=["predicts 'yes' for every row of test"]))
    )
    assert "Collapsed: this model has learnt nothing. Predicts 'yes' for every row of test" in text


def test_what_comes_from_data_is_escaped(tmp_path: Path) -> None:
    run = with_verdict(leave_run(tmp_path / "run", 0.5), command=EVIL)
    found = load_report(run / "report.json")
    assert found is not None
    evil = replace(
        found,
        data=replace(found.data, notes=[EVIL], label_counts={EVIL: 3}, skipped={EVIL: 1}, examples={EVIL: [EVIL]}),
        model=replace(found.model, path=EVIL, notes=[EVIL]),
    )
    write_json(run / "report.json", asdict(evil))
    file = run / "predictions" / "test.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    traits = {"in_training": False, "columns": {EVIL: EVIL}}
    names = {"yes": f"yes{EVIL}", "no": f"no{EVIL}"}
    for number, line in enumerate(lines):
        line |= {"text": EVIL, "file": EVIL, "gold": names[line["gold"]]}
        line |= {"traits": {**traits, "columns": {EVIL: f"{EVIL}{number % 2}"}}}
        line["prediction"]["label"] = names[line["prediction"]["label"]]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    text = page_of(run)
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;" in text


def test_a_page_of_a_million_characters_is_not_made(tmp_path: Path) -> None:
    run = leave_run(tmp_path / "run", 0.5)
    file = run / "predictions" / "test.jsonl"
    lines = [{**json.loads(line), "text": "x" * 200_000} for line in file.read_text().splitlines()]
    long = {"yes": "y" * 200_000, "no": "n" * 200_000}
    for line in lines:
        line |= {"gold": long[line["gold"]], "file": "f" * 200_000}
        line["prediction"]["label"] = long[line["prediction"]["label"]]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert len(page_of(run)) < 150_000


def test_only_what_is_not_the_default_is_a_choice(tmp_path: Path) -> None:
    run = leave_run(tmp_path / "run", 0.5, choices=["hparams.epochs=9", "task.max_length=77"])
    text = words(page_of(run))
    assert "hparams.epochs 9.0 -" in text
    assert "task.max_length 77 -" in text
    assert "hparams.warmup" not in text
    assert [key for key, *_ in choices({"seed": 1, "hparams.warmup": 0.2, "output_root": "x"}, "ner")] == [
        "hparams.warmup"
    ]


def test_the_place_of_a_row() -> None:
    assert where({"id": "7", "file": "a.csv", "line": 3}) == "a.csv, line 3"
    assert where({"id": "7", "file": "a.json", "question_number": 3, "question": "Who?"}) == "a.json, question 3"


def a_sweep(folder: Path) -> Path:
    jobs = [
        Job(
            0, ["a=1", "seed=1", "x=1"], Outcome(str(folder / "run"), "validation f1", 0.5, 0.4, True, [0.4, 0.6], None)
        ),
        Job(1, ["a=1", "seed=2", "x=1"], Outcome("gone", "validation f1", 0.7, None)),
        Job(2, ["a=2", "seed=1", "x=1"], Outcome("gone", "validation f1", float("nan"), None)),
        Job(3, ["a=2", "seed=2", "x=1"], None, EVIL),
    ]
    for job in jobs:
        save_job(folder, job)
    (folder / "run").mkdir()
    (folder / "run" / "report.html").write_text("")
    return folder


def test_a_sweep_has_a_page(tmp_path: Path) -> None:
    page = checked(write_sweep_page(a_sweep(tmp_path)).read_text(encoding="utf-8"))
    text = words(page)
    assert 'href="run/report.html"' in page
    assert "Sweep of 4 jobs over a, seed" in text
    assert "The best: a=1, seed=2." in text
    assert "a=1 2 0.6000 0.1414" in text
    assert "1 job failed." in text
    assert "gone" not in page


def test_a_sweep_whose_jobs_all_failed_has_a_page(tmp_path: Path) -> None:
    assert "No job has a score" in checked(sweep_page([Job(0, ["a=1"], None, "no")], tmp_path))


def test_a_comparison_has_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for epochs, right in ((2, 0.6), (9, 0.95)):
        for seed in (1, 2, 3):
            leave_run(tmp_path / f"epochs={epochs}" / f"seed={seed}", right, seed, [f"hparams.epochs={epochs}"])
    out = tmp_path / "out.html"
    assert compare.main([str(tmp_path), "-o", str(out)]) == 0
    sentence = next(line for line in capsys.readouterr().out.splitlines() if "is better than" in line)
    text = words(checked(out.read_text(encoding="utf-8")))
    assert sentence in text
    assert "epochs=9.0 1, 2, 3 0.9500" in text


def test_pictures_have_numbers_where_they_belong() -> None:
    found = strip(0.5, (0.25, 0.75), (0.0, 1.0), "f1 <b>")
    assert 'cx="100" ' in found
    assert 'x="53" y="5" width="94"' in found
    assert 'aria-label="f1 &lt;b&gt;"' in found
    assert strip(None, None, (0.0, 1.0), "") == ""
    assert "nan" not in curves({"loss": [(1.0, float("nan")), (2.0, 3.0)]}, "epochs", "loss")
    assert curves({"loss": []}, "epochs", "loss") == ""


@pytest.mark.parametrize("values", [(0.0, 0.0), (0.1, 0.11), (-3.0, 250.0), (1e-7, 2e-7), (5.0, 5.0), (99.0, 1e6)])
def test_axes_hold_their_values(values: tuple[float, float]) -> None:
    ticks = axis_ticks(*values)
    assert ticks[0] <= values[0] <= values[1] <= ticks[-1]
    assert 3 <= len(ticks) <= 7
    low, high = scale_of(list(values))
    assert low <= values[0] <= values[1] <= high
    assert low < high


def test_signs_that_hide_are_shown() -> None:
    assert visible("a\x00b\x9fc\u2066d\ud800e\ufffef\U0001f680\U0001ffff") == (
        "a\\x00b\\x9fc\\u2066d\\ud800e\\ufffef\U0001f680\\u1ffff"
    )


def test_a_label_that_one_split_lacks_has_no_score_there(tmp_path: Path) -> None:
    run = leave_run(tmp_path / "run", 0.5)
    tree = json.loads((run / "report.json").read_text())
    tree["metrics"]["test"] |= {"f1/late": 0.25, "support/late": 4.0}
    write_json(run / "report.json", tree)
    text = words(page_of(run))
    assert "support/late - - 4 -" in text
    assert "f1/late - - 0.2500 -" in text


def test_labels_that_no_row_has_give_a_page_without_parts(tmp_path: Path) -> None:
    run = leave_run(tmp_path / "run", 0.5)
    path = run / "predictions" / "test.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    nothing = {"label": [], "scores": {"yes": 0.1, "no": 0.2}}
    path.write_text("".join(json.dumps({**line, "gold": [], "prediction": nothing}) + "\n" for line in lines))
    tree = json.loads((run / "report.json").read_text())
    tree["metrics"]["test"] |= {"micro_f1": 0.0, "macro_f1": 0.0, "exact_match": 1.0}
    tree["objective"] |= {"name": "micro_f1", "value": 0.0}
    tree["metrics"]["validation"] |= {"micro_f1": 0.0}
    write_json(run / "report.json", tree)
    assert "Where it errs" in words(page_of(run))


def curve(*losses: float, scores: tuple[float, ...] = (0.5, 0.7, 0.6)) -> Report:
    epochs = enumerate(zip(losses, scores, strict=True), 1)
    history = [{"epoch": float(n), "validation_loss": loss, "f1": score} for n, (loss, score) in epochs]
    rows: Any = {"train": 200, "validation": 30, "test": 30}
    return replace(REPORT, history=history, data=replace(REPORT.data, rows=rows))


def test_the_page_says_which_epoch_is_kept_and_which_is_better_by_chance_alone(tmp_path: Path) -> None:
    run = leave_run(tmp_path / "run", 0.75)
    tree = json.loads((run / "report.json").read_text())
    name = tree["objective"]["name"]
    tree["history"] = [{"epoch": number, "step": 3 * number, name: score} for number, score in ((1, 0.9), (2, 0.8))]
    for kept, said in ((1.0, ""), (2.0, ". Epoch 1 came to 0.9000: on these rows, that is no more than chance")):
        tree["training"]["kept_epoch"] = kept
        write_json(run / "report.json", tree)
        value = format_score(tree["objective"]["value"])
        assert f"The weights of epoch {kept:g} were kept: {name} {value} on validation{said}." in words(page_of(run))


def test_after_a_choice_few_test_rows_leave_the_page_to_rows_that_were_predicted_unseen(tmp_path: Path) -> None:
    run = leave_run(tmp_path / "run", 0.75, gold=("yes", "no") * 2)
    leave_run(tmp_path / "held_out", 0.5, gold=("yes", "no") * 15, split="validation")
    (tmp_path / "held_out" / "predictions" / "validation.jsonl").rename(run / "predictions" / "validation.jsonl")
    tree = json.loads((run / "report.json").read_text())
    tree["metrics"]["validation"] = {"accuracy": 0.5}
    tree["data"]["rows"] |= {"train": 30, "validation": 30}
    way = TriedWay("linear", "a linear head", 0.5, None, 1.0, {})
    tree["choice"] = asdict(Choice("linear", "no other was better", "accuracy", 3, 30, True, [way]))
    write_json(run / "report.json", tree)
    text = words(page_of(run))
    assert "accuracy, validation 0.5000" in text
    assert "4 test rows: too few to tell how good the model is. Validation tells more" in text
    assert "All on validation." in text


def test_few_rows_give_no_advice_but_that_of_few_rows() -> None:
    worse = Verdict(baselines={"test": {"x": Baseline({"f1": 0.5}, {"f1": Gain(-0.1, None)})}})
    asks = replace(curve(0.5, 0.4, 0.5), verdict=worse)
    assert len(list(advice(asks, "test"))) == 2
    rows: Any = {"train": 40, "validation": 4, "test": 4}
    (said,) = advice(replace(asks, data=replace(asks.data, rows=rows)), "test")
    assert said.startswith("With so few training rows, hparams=small_data")


def test_advice_is_given_where_a_curve_or_a_baseline_asks_for_it() -> None:
    rising, level = (0.5, 0.6, 0.7), (0.5, 0.7, 0.7)
    assert list(advice(curve(0.5, 0.4, 0.41), "test")) == []
    assert list(advice(curve(0.5, 0.4, 0.41, scores=level), "test")) == []
    assert ["more of them" in sentence for sentence in advice(curve(0.5, 0.4, 0.41, scores=rising), "test")] == [True]
    unchosen = curve(0.5, 0.4, 0.41, scores=rising)
    assert list(advice(replace(unchosen, training=replace(unchosen.training, kept_epoch=None)), "test")) == []
    assert ["loss rises" in sentence for sentence in advice(curve(0.5, 0.4, 0.5), "test")] == [True]
    for value, expected in ((-0.1, ["A baseline without a network is better"]), (0.1, [])):
        verdict = Verdict(baselines={"test": {"x": Baseline({"f1": 0.5}, {"f1": Gain(value, None)})}})
        found = advice(replace(curve(0.5, 0.4, 0.41), verdict=verdict), "test")
        assert [sentence.partition(":")[0] for sentence in found] == expected
    collapsed = replace(curve(0.5, 0.4, 0.41, scores=rising), verdict=Verdict(collapsed=["no"]))
    assert list(advice(collapsed, "test")) == []


def test_a_collapsed_run_has_no_weak_parts(tmp_path: Path) -> None:
    run = leave_run(tmp_path / "run", 0.5)
    file = run / "predictions" / "test.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines.sort(key=lambda line: line["gold"] == line["prediction"]["label"])
    twice = [{**line, "text": "x" * n} for n, line in enumerate(lines) for _ in range(2)]
    file.write_text("".join(json.dumps(line) + "\n" for line in twice))
    for collapsed in ([], ["it says yes"]):
        tree = json.loads((with_verdict(run, collapsed=collapsed) / "report.json").read_text())
        tree["data"]["rows"]["test"] = len(twice)
        write_json(run / "report.json", tree)
        assert ("Weak: by length of the text" in words(page_of(run))) == (not collapsed)


def test_scores_of_single_seeds_have_places_of_their_own_in_a_study() -> None:
    """One seed that is far below the means would otherwise be drawn at the end of the scale, as if it were there."""
    lines: list[dict[str, Any]] = [
        {"cells": ["before", "0.88"], "value": 0.88, "interval": None, "single": [0.93, 0.77, 0.92]},
        {"cells": ["after", "0.93"], "value": 0.93, "interval": None, "single": [0.94, 0.93, 0.93]},
    ]
    table = {"title": "Scores", "columns": ["", "mean"], "lines": lines}
    record: dict[str, Any] = {
        "title": "A study",
        "overrides": [],
        "score": "f1",
        "sentences": [],
        "curve": None,
        "runs": [],
    }
    shown = checked(study_page({**record, "tables": [table]}, Path("folder")))
    low, high = map(float, re.findall(r"(0\.\d+) to (0\.\d+)</span></th>", shown)[0])
    assert low <= 0.77 < 0.94 <= high
