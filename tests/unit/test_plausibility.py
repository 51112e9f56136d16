"""The gate: each check by a small example that it stops, and one that it lets through."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from tasks.classification import Classification
from tasks.data.options import DataOptions
from tasks.errors import InputError
from tasks.loading.load import load
from tasks.loading.rows import AnyRows
from tasks.ner import Ner
from tasks.plausibility import (
    CHECKS,
    Finding,
    apply_findings,
    class_findings,
    entity_findings,
    question_findings,
    text_findings,
    unknown_token_findings,
    word_findings,
)
from tasks.qa import Qa
from tasks.task import AnyTask
from tests.data.test_public_files import CONFIGS, options_of

TASKS: dict[str, Callable[[], AnyTask]] = {"classification": Classification, "ner": Ner, "qa": Qa}
LIST = "['late', 'loud']"
FINE = [f"a fine text {number}" for number in range(20)]
LABELS = {f"label {number}": 1 for number in range(11)}
TYPES = [[f"B-type{number}", "O"] for number in range(21)]


def checks(findings: Iterable[Finding]) -> list[str | None]:
    return [finding.check for finding in findings]


def notes(findings: Iterable[Finding]) -> list[str]:
    found = list(findings)
    assert checks(found) == [None] * len(found)
    return [finding.message for finding in found]


def test_printed_texts() -> None:
    assert checks(text_findings([*FINE[:8], LIST, "{'a': 1}"])) == ["printed_texts"]
    assert checks(text_findings([*FINE[:8], LIST, '["x"]'])) == ["printed_texts"]
    (note,) = notes(text_findings([*FINE, LIST, LIST]))
    assert note == "2 training texts are printed lists or dicts, such as \"['late', 'loud']\""
    assert not list(text_findings([*FINE, "[deleted] by its author", "(sic)", "a, b", ":-]", "[link](x)"]))


def test_equal_texts() -> None:
    assert checks(text_findings(["the same", "the same"])) == ["equal_texts"]
    assert not list(text_findings(["the same", "the same", "another"]))
    assert not list(text_findings(["alone"]))


def test_unique_labels() -> None:
    assert checks(class_findings(LABELS, several=False)) == ["unique_labels"]
    assert not list(class_findings({"a": 11, **{f"label {number}": 1 for number in range(9)}}, several=False))
    assert not list(class_findings({"a": 1, "b": 1, "c": 1}, several=False)), "too few rows to tell"


@pytest.mark.parametrize(
    ("names", "alike"),
    [
        (("Spam", "spam", "ham"), "'Spam' / 'spam'"),
        (("no answer", "no_answer", "No-Answer"), "'no answer' / 'no_answer' / 'No-Answer'"),
    ],
)
def test_labels_that_differ_by_case_or_hyphens_are_noted(names: Sequence[str], alike: str) -> None:
    (note,) = notes(class_findings(dict.fromkeys(names, 9), several=False))
    assert alike in note
    assert not list(class_findings({"spam": 9, "ham": 9, "spa": 9}, several=False))


@pytest.mark.parametrize(
    ("names", "sign"),
    [
        (("rude", "wet", "rude#wet"), "#"),
        (("rude|late", "wet|late"), "|"),
        (("rude, late", "late", "wet"), ","),
        (("rude/wet", "rude", "wet"), "/"),
        (("a#b", "c", "d"), "#"),
    ],
)
def test_labels_that_look_like_several_are_noted(names: Sequence[str], sign: str) -> None:
    (note,) = notes(class_findings(dict.fromkeys(names, 9), several=False))
    assert note.endswith(f"If they are: task.label_separator='{sign}'")
    assert not list(class_findings(dict.fromkeys(names, 9), several=True))


@pytest.mark.parametrize(
    "names", [("yes, please", "no"), ("C#", "F#"), ("a/c", "heating"), ("r&b", "soul"), ("c++", "c"), ("+", "-")]
)
def test_other_signs_in_labels_are_not_noted(names: Sequence[str]) -> None:
    assert not list(class_findings(dict.fromkeys(names, 9), several=False))


def test_numbered_words() -> None:
    assert checks(word_findings([["1", "22", "303", "4"], ["5", "6", "7", "8", "9", "10"]])) == ["numbered_words"]
    assert not list(word_findings([["in", "1905", "2", "3", "4"], ["on", "5", "6", "7", "8"]]))
    assert not list(word_findings([["1", "2"]])), "too few words to tell"


def test_one_word_sentences() -> None:
    assert checks(word_findings([["Oslo"]] * 20)) == ["one_word_sentences"]
    assert not list(word_findings([["Oslo"]] * 8 + [["in", "Oslo"]] * 2))
    assert not list(word_findings([["Oslo"]] * 5))


def test_a_file_without_lines_between_sentences_is_noted() -> None:
    (finding,) = word_findings([["Oslo"] * 401])
    assert finding.check is None
    assert "401 words on average" in finding.message
    assert not list(word_findings([["Oslo"] * 401, ["Oslo"] * 3]))


def test_words_of_a_printed_list() -> None:
    assert checks(word_findings([["['Ida',", "'left']"]])) == ["printed_texts"]
    assert not list(word_findings([["It", "'s", "[", "'", "fine", "'", "]"]]))


def test_prefixed_types() -> None:
    assert checks(entity_findings([["B-B-PER", "O"], ["B-I-PER"]])) == ["prefixed_types"]
    assert not list(entity_findings([["B-creative-work", "I-creative-work"], ["B-e-mail"]]))


def test_many_types() -> None:
    assert checks(entity_findings(TYPES)) == ["many_types"]
    assert not list(entity_findings(TYPES[:20]))
    assert not list(entity_findings(TYPES * 2))


def test_types_that_differ_by_case_are_noted() -> None:
    (note,) = notes(entity_findings([["B-PER", "B-per"], ["B-LOC"]]))
    assert note == "entity types that differ only by case, blanks or hyphens are different ones: 'PER' / 'per'"


def test_no_answers() -> None:
    questions = [("who?", "Ida signs."), ("where?", "In Oslo.")]
    assert checks(question_findings(questions, 0)) == ["no_answers"]
    assert not list(question_findings(questions, 1))


def test_equal_questions() -> None:
    assert checks(question_findings([("who?", "Ida signs.")] * 3, 3)) == ["equal_texts"]
    assert not list(question_findings([("who?", "Ida signs."), ("who?", "Ben signs.")], 2))


def test_unknown_tokens() -> None:
    assert checks(unknown_token_findings(51, 100, "柏林")) == ["unknown_tokens"]
    (note,) = notes(unknown_token_findings(6, 100, "柏林"))
    assert note == "6 of 100 training tokens are unknown to this model's tokenizer"
    assert not list(unknown_token_findings(5, 100, "柏林"))
    assert not list(unknown_token_findings(0, 0, ""))


@pytest.mark.parametrize("check", CHECKS)
def test_what_is_accepted_becomes_a_note(check: str) -> None:
    findings = [Finding("is odd", check), Finding("is worth a look")]
    with pytest.raises(InputError, match=rf"is odd\nIf it is meant so: 'data\.accept=\[{check}\]'"):
        apply_findings(findings, [])
    others = [name for name in CHECKS if name != check]
    with pytest.raises(InputError, match="is odd"):
        apply_findings(findings, others)
    assert apply_findings(findings, [check]) == ["is odd", "is worth a look"]


@pytest.mark.parametrize(
    ("task", "lines", "check"),
    [
        (
            Classification(),
            ["text,label", *(f'"{LIST[:-1]}, {number}]",{"ab"[number % 2]}' for number in range(4))],
            "printed_texts",
        ),
        (Classification(), ["text,label", *(f"text {number},label {number}" for number in range(20))], "unique_labels"),
        (Ner(), [f"{number}\tB-x\nOslo\tO\n" if number else "1\tB-B-x\n" for number in range(9)], "prefixed_types"),
    ],
)
def test_loading_stops_unless_accepted(task: AnyTask, lines: Sequence[str], check: str, tmp_path: Path) -> None:
    path = tmp_path / ("a.conll" if isinstance(task, Ner) else "a.csv")
    path.write_text("\n".join(lines) + "\n")
    options = DataOptions(train=str(path), validation=str(path), test_fraction=0.0)
    with pytest.raises(InputError, match=rf"data\.accept=\[{check}\]"):
        load(task, options, seed=1)
    options.accept = [check]
    assert any(
        note.startswith(("4 of 4", "The training rows have 20 labels", "Entity types"))
        for note in load(task, options, seed=1).notes
    )


@pytest.mark.parametrize(("task", "ending"), [(Classification(), "csv"), (Ner(), "conll"), (Qa(), "json")])
def test_the_samples_have_no_finding(task: AnyTask, ending: str) -> None:
    name = type(task).__name__.lower()
    rows: AnyRows = load(task, DataOptions(train=f"sample:{name}/train.{ending}"), seed=1)
    assert not list(rows.task.findings(rows.splits["train"]))


@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    [path.stem for path in sorted(CONFIGS.glob("*.yaml")) if path.stem != "files" and "_sample" not in path.stem],
)
def test_the_public_data_sets_have_no_finding(name: str) -> None:
    options = options_of(name)
    assert options.task is not None
    rows: AnyRows = load(TASKS[options.task](), options, seed=1)
    assert not list(rows.task.findings(rows.splits["train"]))
    assert not rows.report.skipped
