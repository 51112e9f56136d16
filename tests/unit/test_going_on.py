"""Going on from a trained model: which outputs it passes on, by the names of its labels, and what is drawn anew."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from recipes.config.schema import Hparams, Model
from recipes.heads.classification import set_output_bias
from recipes.model import loading, locating
from recipes.model.head import tensors_per_label
from tasks.errors import InputError
from tasks.task import Head
from tests import tiny

CLASSIFIER = "AutoModelForSequenceClassification"
TAGGER = "AutoModelForTokenClassification"
SPANS = "AutoModelForQuestionAnswering"

ALL = [*sorted(set(tiny.ARCHITECTURES.values())), *tiny.FAMILIES]


def classes(*labels: str, kind: str | None = "single_label_classification") -> Head:
    return Head(CLASSIFIER, labels, kind)


NUMBER = classes("score", kind="regression")


def load(folder: Path, head: Head) -> loading.Loaded:
    torch.manual_seed(3)
    return loading.load(Model(path=str(folder)), head, Hparams(learning_rate=1e-4), folder)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root, made = tmp_path_factory.mktemp("bases"), {}

    def folder(family: str) -> Path:
        if family not in made:
            make = tiny.save_family if family in tiny.FAMILIES else tiny.save
            made[family] = make(family, root / family)
        return made[family]

    return folder


def trained(base: Path, folder: Path, head: Head, **config: Any) -> Path:
    """Save a model of which every tensor outside the body has values of its own, as after a training."""
    loaded = load(base, head)
    with torch.no_grad():
        for name in loaded.new_weights:
            loaded.model.get_parameter(name).normal_(std=0.5)
    loaded.model.config.update(config)
    loaded.model.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    return folder


def output_rows(model: Any, auto_class: str) -> dict[str, torch.Tensor]:
    """Return the tensors of the output layer with labels on the first axis."""
    per_label = tensors_per_label(getattr(transformers, auto_class), model.config)
    assert per_label
    return {name: model.get_parameter(name).detach().movedim(axis, 0) for name, axis in per_label.items()}


@pytest.mark.parametrize("family", ALL)
def test_rows_follow_their_labels(family: str, base: Callable[[str], Path], tmp_path: Path) -> None:
    before = classes("ant", "bee", "cat")
    folder = trained(base(family), tmp_path / "trained", before)
    old = load(folder, before)
    assert old.head.known
    assert old.new_weights == ()
    assert old.notes[-1] == "head: all 3 labels taken over by name from the trained model"
    theirs = output_rows(old.model, CLASSIFIER)
    # The same number of labels, another order, and one of them new; then fewer; then more.
    orders: list[tuple[str, ...]] = [("cat", "dog", "ant"), ("cat", "ant"), ("owl", "cat", "dog", "bee")]
    for labels in orders:
        new = load(folder, classes(*labels))
        ours = output_rows(new.model, CLASSIFIER)
        assert ours.keys() == theirs.keys()
        common = [label for label in labels if label in before.labels]
        for name, rows in ours.items():
            assert len(rows) == len(labels)
            for place, label in enumerate(labels):
                same = [
                    old_label
                    for old_label, row in zip(before.labels, theirs[name], strict=True)
                    if row.equal(rows[place])
                ]
                assert same == ([label] if label in common else []), name
        everything = set(old.model.state_dict()) - set(ours)
        assert all(torch.equal(old.model.state_dict()[name], new.model.state_dict()[name]) for name in everything)
        assert new.new_weights == (tuple(sorted(ours)) if len(common) < len(labels) else ())
        strange = ", ".join(label for label in labels if label not in common)
        assert new.notes[-1] == (
            f"head: {len(common)} of {len(labels)} labels taken over by name from the trained model; new: {strange}"
            if strange
            else f"head: all {len(labels)} labels taken over by name from the trained model"
        )
        assert new.fingerprint == load(folder, classes(*labels)).fingerprint
        assert new.model.config.id2label == dict(enumerate(labels))


@pytest.mark.parametrize("family", ["bert", "modernbert", "t5", "bart", "gpt2", "xlnet"])
def test_a_head_with_other_labels_is_drawn_as_for_a_fresh_model(
    family: str, base: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = trained(base(family), tmp_path / "trained", classes("ant", "bee", "cat"))
    for labels in (("x", "y", "z"), ("x", "y")):
        fresh, new = load(base(family), classes(*labels)), load(folder, classes(*labels))
        assert new.head.taken == {}
        assert new.notes[-1] == "head: drawn anew, as the trained model has other labels (ant, bee, cat)"
        assert set(new.new_weights) == set(output_rows(new.model, CLASSIFIER)) <= set(fresh.new_weights)
        for name, rows in output_rows(new.model, CLASSIFIER).items():
            # Weights of a fresh head have one spread, and a bias is zero; 64 numbers tell spreads from 0.5 apart.
            expected = fresh.model.get_parameter(name)
            assert rows.std().item() == pytest.approx(expected.std().item(), rel=0.4), name
            assert rows.abs().max() < 3.5 * expected.std() + 1e-9, name


def test_names_that_transformers_makes_up_do_not_count(base: Callable[[str], Path], tmp_path: Path) -> None:
    folder = trained(base("bert"), tmp_path, classes("LABEL_0", "LABEL_1"))
    new = load(folder, classes("LABEL_0", "LABEL_1"))
    assert new.notes == ("head: drawn anew, as the trained model's labels have no names",)
    assert new.new_weights == ("classifier.bias", "classifier.weight")


def test_a_number_and_classes_have_nothing_in_common(base: Callable[[str], Path], tmp_path: Path) -> None:
    number = trained(base("bert"), tmp_path / "number", NUMBER)
    again = load(number, NUMBER)
    assert again.head.known
    assert again.notes == ("head: taken over from the trained model, which predicts a number too",)
    one = classes("score", kind="multi_label_classification")
    assert load(number, one).notes == ("head: drawn anew, as the trained model predicts a number",)
    several = trained(base("bert"), tmp_path / "several", classes("a", "b"))
    assert load(several, NUMBER).notes == ("head: drawn anew, as the trained model predicts classes",)
    assert load(several, NUMBER).new_weights == ("classifier.bias", "classifier.weight")
    # Several labels for a text and one for each are both classes.
    assert load(several, classes("b", "a", kind="multi_label_classification")).head.taken == {0: 1, 1: 0}


def test_tags_go_by_name_and_spans_as_they_are(base: Callable[[str], Path], tmp_path: Path) -> None:
    tags = ("O", "B-person", "I-person")
    folder = trained(base("bert"), tmp_path / "tagger", Head(TAGGER, tags))
    new = load(folder, Head(TAGGER, ("O", "B-city", "I-city", "B-person", "I-person")))
    assert new.head.taken == {0: 0, 3: 1, 4: 2}
    assert new.notes == ("head: 3 of 5 labels taken over by name from the trained model; new: B-city, I-city",)
    spans = load(folder, Head(SPANS))
    assert spans.notes == ()
    assert spans.model.config.num_labels == 2, "a tagger's five labels are no start and end"
    found = trained(base("bert"), tmp_path / "spans", Head(SPANS))
    again = load(found, Head(SPANS))
    assert again.notes == ("head: taken over from the trained model",)
    assert again.new_weights == ()
    assert load(found, Head(TAGGER, tags)).notes == ()


def test_layers_before_the_output_are_kept(base: Callable[[str], Path], tmp_path: Path) -> None:
    folder = trained(base("roberta"), tmp_path, classes("a", "b"))
    saved = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    new = load(folder, classes("x", "y", "z"))
    assert torch.equal(saved.classifier.dense.weight, new.model.classifier.dense.weight)
    assert new.new_weights == ("classifier.out_proj.bias", "classifier.out_proj.weight")


def test_an_initial_bias_is_for_new_outputs_only(base: Callable[[str], Path], tmp_path: Path) -> None:
    folder = trained(base("bert"), tmp_path, classes("a", "b", kind="multi_label_classification"))
    old = load(folder, classes("a", "b", kind="multi_label_classification")).model.classifier.bias.tolist()
    new = load(folder, classes("c", "b", kind="multi_label_classification"))
    with new.head.kept(new.model):
        set_output_bias(new.model, torch.tensor([-2.0, -3.0]))
    assert new.model.classifier.bias.tolist() == [-2.0, old[1]]
    fresh = load(folder, classes("x", "y"))
    with fresh.head.kept(fresh.model):
        set_output_bias(fresh.model, torch.tensor([-2.0, -3.0]))
    assert fresh.model.classifier.bias.tolist() == [-2.0, -3.0]


def test_thresholds_of_the_trained_model_do_not_stay(base: Callable[[str], Path], tmp_path: Path) -> None:
    head = classes("a", "b", kind="multi_label_classification")
    folder = trained(base("bert"), tmp_path, head, label_threshold=0.2, no_answer_threshold=-3.0)
    config = load(folder, head).model.config
    assert not hasattr(config, "label_threshold")
    assert not hasattr(config, "no_answer_threshold")
    assert load(folder, Head(TAGGER, ("O",))).model.config.problem_type is None


def test_a_run_directory_stands_for_its_model(base: Callable[[str], Path], tmp_path: Path) -> None:
    run = tmp_path / "seed=1"
    trained(base("bert"), run / "model", classes("a", "b"))
    (run / "config.yaml").write_text("seed: 1\n")
    assert locating.locate(Model(path=str(run))) == run / "model"
    unfinished = tmp_path / "seed=2"
    unfinished.mkdir()
    (unfinished / "config.yaml").write_text("seed: 2\n")
    with pytest.raises(InputError, match="has not finished"):
        locating.locate(Model(path=str(unfinished)))
    (unfinished / "config.yaml").unlink()
    with pytest.raises(InputError, match=r"no config.json, so it is no model"):
        locating.locate(Model(path=str(unfinished)))
