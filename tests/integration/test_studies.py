"""Studies through the real command: their answers against what their runs have left, what stays, what is refused."""

import json
from pathlib import Path
from statistics import fmean, stdev
from types import SimpleNamespace
from typing import Any

import pytest
from filelock import FileLock
from sklearn.metrics import f1_score

from recipes.command.composing import compose
from recipes.comparing.groups import Group
from recipes.comparing.stored_runs import load_run
from recipes.comparing.verdicts import compare
from recipes.config.schema import Study
from recipes.report import main as report_main
from recipes.results.scores import format_bounds
from recipes.run import main
from recipes.studies import ablation, learning_curve
from recipes.studies.ablation import ALL
from recipes.studies.answer import of_setting
from recipes.studies.question import Question, Setting
from tasks.data.options import SPLITS, Split
from tasks.errors import InputError
from tasks.loading.load import load
from tests.unit.test_compare import leave_run
from tests.unit.test_pages import checked

FIXED = (
    "data=files",
    "hparams.batch_size=8",
    "hparams.epochs=1",
    "hparams.learning_rate=0.01",
    "runtime.precision=fp32",
    "runtime.device=cpu",
)


@pytest.fixture
def words(data: dict[str, Path], models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    return [*FIXED, "task=classification", f"data.train={data['classification']}", f"model.path={models['bert']}"]


def record_of(root: Path) -> dict[str, Any]:
    (path,) = root.rglob("study.json")
    return dict(json.loads(path.read_text()))


def scores_of(record: dict[str, Any]) -> dict[str, float]:
    return {run["name"]: run["outcome"]["test"] for run in record["runs"]}


def with_weights(root: Path) -> set[str]:
    return {str(path.parents[1].relative_to(root)) for path in root.rglob("model/model.safetensors")}


def test_seeds(words: list[str], tmp_path: Path, capsys: Any) -> None:
    asked = [*words, "study=seeds", "study.n=3", "seed=4"]
    assert main(asked) == 0
    said, record = capsys.readouterr().out, record_of(tmp_path)
    scores = scores_of(record)
    assert list(scores) == ["seed 4", "seed 5", "seed 6"]
    mean, deviation = fmean(scores.values()), stdev(scores.values())
    line = record["tables"][0]["lines"][0]
    assert line["cells"][:3] == ["macro_f1", f"{mean:.4f}", f"{deviation:.4f}"]
    assert line["interval"][0] < mean < line["interval"][1]
    assert f"over 3 seeds, deviation {deviation:.4f}" in said
    assert len(with_weights(tmp_path)) == 3, "the models of seeds stay"
    reports = [json.loads(path.read_text()) for path in tmp_path.rglob("report.json")]
    assert {report["data"]["rows"]["test"] for report in reports} == {reports[0]["data"]["rows"]["test"]}
    lines = {path.read_text().count("\n") for path in tmp_path.rglob("predictions/test.jsonl")}
    assert len(lines) == 1
    golds = {
        tuple(json.loads(line)["text"] for line in path.read_text().splitlines())
        for path in tmp_path.rglob("predictions/test.jsonl")
    }
    assert len(golds) == 1, "all seeds are judged on the same rows, although these are cut off"

    (page,) = tmp_path.glob("outputs/sweeps/*/report.html")
    shown = page.read_bytes()
    checked(shown.decode())
    page.unlink()
    assert report_main([str(page.parent.relative_to(tmp_path))]) == 0
    assert page.read_bytes() == shown
    (page.parent / "study.json").write_text('{"title": "half')
    assert report_main([str(page.parent.relative_to(tmp_path))]) == 2
    assert "study.json is damaged" in capsys.readouterr().err
    times = sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("report.json"))
    assert main(asked) == 0
    assert record_of(tmp_path) == record
    assert times == sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("report.json"))


def test_a_learning_curve(words: list[str], tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scores of so small a model do not rise with the rows, so that it is given some that do."""
    scores = {9: 0.3, 19: 0.5, 38: 0.6}
    monkeypatch.setattr(learning_curve, "score_of", lambda run: scores[run.report.data.rows["train"]])
    assert main(words) == 0, "what is there before stays"
    before = with_weights(tmp_path)
    capsys.readouterr()
    assert main([*words, "study=learning_curve", "study.n=1", "study.sizes=[9,19,38]"]) == 0
    said, record = capsys.readouterr().out, record_of(tmp_path)
    rows = {
        run["name"].partition(",")[0]: json.loads((Path(run["outcome"]["directory"]) / "report.json").read_text())[
            "data"
        ]["rows"]["train"]
        for run in record["runs"]
    }
    sizes = list(rows.values())
    assert list(rows) == [f"{size} rows" for size in sizes]
    assert sizes == [9, 19, 38]
    assert [rows for rows, _ in record["curve"]["points"]] == sizes
    twice = record["curve"]["predicted"][0]
    assert twice["rows"] == 2 * sizes[-1]
    assert twice["of a run"][0] <= twice["interval"][0] <= twice["score"] <= twice["interval"][1] <= 1
    assert f"Twice the labels ({twice['rows']} rows) would bring +" in said
    assert with_weights(tmp_path) == before, "and of the others, the weights are removed"
    (page,) = tmp_path.glob("outputs/sweeps/*/report.html")
    assert '<polygon class="band"' in checked(page.read_text())


@pytest.mark.parametrize(
    ("rows", "sizes"),
    [(6920, [216, 432, 865, 1730, 3460, 6920]), (100, [25, 50, 100])],
)
def test_rows_are_halved_as_long_as_something_can_be_learnt(rows: int, sizes: list[int]) -> None:
    config = compose(["task=classification"])
    question: Any = SimpleNamespace(
        study=Study("learning_curve"), config=config, rows=SimpleNamespace(splits={"train": range(rows)})
    )
    settings = learning_curve.settings(question)
    assert [setting.name for setting in settings] == [f"{size:,} rows" for size in sizes]
    assert settings[0].overrides == (f"data.limit.train={sizes[0]}", "data.limit.nested=true")
    assert settings[-1].overrides == (), "all rows are those of an ordinary run"
    question.rows.splits["train"] = range(79)
    with pytest.raises(InputError, match=r"study.sizes=\[10,20,40\]"):
        learning_curve.settings(question)


def test_scores_of_which_less_is_better_are_errors_as_they_stand() -> None:
    config = compose(["task=classification"])
    rmse, f1 = (learning_curve.Scale.of(config.task, name) for name in ("rmse", "macro_f1"))
    assert (rmse.error(2.5), rmse.score(2.5), rmse.gain(0.25)) == (2.5, 2.5, "0.2500")
    assert (f1.error(0.75), f1.score(0.25), f1.gain(0.019)) == (0.25, 0.75, "1.9")
    qa = learning_curve.Scale.of(compose(["task=qa"]).task, "f1")
    assert (qa.error(75.0), qa.gain(1.9)) == (25.0, "1.9")


def test_cross_validation(words: list[str], tmp_path: Path, data: dict[str, Path], capsys: Any) -> None:
    changed = ["data.deduplicate=exact", "data.balance=oversample", "data.limit.test=2"]  # all count nevertheless
    assert main([*words, "study=cross_validation", "study.folds=3", *changed]) == 0
    said, record = capsys.readouterr().out, record_of(tmp_path)
    (path,) = tmp_path.rglob("out_of_fold/seed=1.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    given = data["classification"].read_text().splitlines()[1:]
    assert [line["line"] for line in lines] == list(range(2, len(given) + 2)), "every row, once, in its order"
    assert [line["gold"] for line in lines] == [row.rpartition(",")[2] for row in given]
    assert {line["fold"] for line in lines} == {1, 2, 3}
    score = f1_score([line["gold"] for line in lines], [line["prediction"]["label"] for line in lines], average="macro")
    *_, mean, together = record["tables"][0]["lines"]
    assert together["value"] == pytest.approx(score)
    assert mean["single"] == pytest.approx(list(scores_of(record).values()))
    assert mean["value"] == pytest.approx(fmean(mean["single"]))
    assert "fold 1 of 3 of the training rows, stratified by label" in said
    assert f"on {len(given)} rows, each predicted by a model that has not seen it" in said
    assert not with_weights(tmp_path)


@pytest.mark.parametrize("task", ["ner", "qa"])
def test_cross_validation_of_other_tasks(task: str, words: list[str], tmp_path: Path, data: dict[str, Path]) -> None:
    own = [word for word in words if not word.startswith(("task=", "data.train=", "hparams.epochs="))]
    asked = [*own, f"task={task}", f"data.train={data[task]}", "study=cross_validation", "study.folds=2"]
    assert main([*asked, "hparams.keep=last", "hparams.max_steps=2"]) == 0
    (path,) = tmp_path.rglob("out_of_fold/seed=1.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    config = compose([f"task={task}", "data=files", f"data.train={data[task]}", "data.test_fraction=0"])
    rows = load(config.task, config.data, 1)
    numbers = [row.origin.number for split in SPLITS for row in rows.splits[split]]
    assert [line["line"] for line in lines] == sorted(numbers)


def test_weights_that_are_trained_after_a_study_stay(words: list[str], tmp_path: Path, capsys: Any) -> None:
    asked = [*words, "study=cross_validation", "study.folds=2"]
    fold = [*words, "data.folds=2", "data.fold=1"]
    assert main(asked) == 0
    assert not with_weights(tmp_path)
    assert main([*fold, "overwrite=true"]) == 0
    mine = with_weights(tmp_path)
    assert len(mine) == 1
    assert main(asked) == 0
    assert with_weights(tmp_path) == mine
    capsys.readouterr()
    assert main([*asked, "study.keep_models=true"]) == 0
    assert "1 run had been done before, and the weights were removed" in capsys.readouterr().out
    assert main([*asked, "overwrite=true"]) == 0
    assert not with_weights(tmp_path), "these were trained by the study"


def test_a_study_has_its_folder_for_itself(words: list[str], tmp_path: Path, capsys: Any) -> None:
    asked = [*words, "study=seeds", "study.n=2"]
    assert main(asked) == 0
    (record,) = tmp_path.rglob("study.json")
    with FileLock(record.parent / ".lock"):
        assert main(asked) == 2
    assert "another process is doing this very study" in capsys.readouterr().err


def test_no_curve_through_scores_that_do_not_rise() -> None:
    scale = learning_curve.Scale(1.0, 1, 0.01)
    rising = [(20, 0.3), (40, 0.5), (80, 0.4), (80, 0.6)]
    assert learning_curve.why_no_curve(rising, scale) == ""
    for falling in ([(20, 0.4), (40, 0.35), (80, 0.35)], [(20, 0.0), (40, 0.0), (80, 0.0)]):
        assert "do not get better" in learning_curve.why_no_curve(falling, scale)
    assert "the best score there is" in learning_curve.why_no_curve([(20, 1.0), (40, 1.0), (80, 1.0)], scale)
    assert "fewer than 3 numbers" in learning_curve.why_no_curve(rising[:2], scale)


def test_an_ablation(words: list[str], tmp_path: Path, capsys: Any) -> None:
    levers = ("hparams.layer_decay=0.5", "hparams.freeze_layers=1")
    assert main([*words, "study=ablation", "study.n=2", *levers]) == 0
    said, record = capsys.readouterr().out, record_of(tmp_path)
    settings = dict.fromkeys(run["name"].partition(",")[0] for run in record["runs"])
    assert {*settings} == {ALL, "without learning_rate", "without layer_decay", "without freeze_layers"}
    of_run = scores_of(record)
    means = {name: fmean(of_run[f"{name}, seed {seed}"] for seed in (1, 2)) for name in settings}
    for line in record["tables"][0]["lines"][1:]:
        assert float(line["cells"][4]) == pytest.approx(means[ALL] - means[line["cells"][0]], abs=6e-5)
    assert "p corrected for 3 levers" in said


def test_without_a_soup_the_best_evaluation_is_kept_as_with_it() -> None:
    """With few validation rows, nothing else would keep it."""
    question: Any = SimpleNamespace(
        config=compose(["task=classification", "hparams.soup=2", "hparams.focal=1"]),
        seeds=(1,),
        require_enough_rows=lambda: None,
        words=lambda *_: ["task=classification"],
    )
    changed = {setting.name: setting.overrides for setting in ablation.settings(question)}
    assert changed == {
        ALL: (),
        "without focal": ("hparams.focal=0.0",),
        "without soup": ("hparams.soup=0", "hparams.keep=best"),
    }


def test_levers_are_paired_by_seed(tmp_path: Path) -> None:
    """Seeds differ by far more than the lever does in each of them, which only pairs tell."""
    right = {ALL: (0.5, 0.7, 0.9), "without lever": (0.45, 0.65, 0.85)}
    runs = {
        (name, seed): load_run(leave_run(tmp_path / name / str(seed), share, seed), "test")
        for name, shares in right.items()
        for seed, share in enumerate(shares, 1)
    }
    question: Any = SimpleNamespace(seeds=(1, 2, 3))
    shown = ablation.answer(question, runs).tables[0].lines[1].cells[5]
    groups = [Group(name, of_setting(runs, name)) for name in right]
    paired, apart = (compare(groups, paired=each).pairs[0].difference.estimate for each in (True, False))
    assert shown == format_bounds([paired.low, paired.high])
    assert paired.high - paired.low < 0.6 * (apart.high - apart.low)


def test_a_run_that_fails_is_named_and_the_others_count(words: list[str], tmp_path: Path, capsys: Any) -> None:
    """The tiny model has two layers, so that only leaving the lever out gives a run."""
    levers = ("hparams.freeze_layers=9", "hparams.learning_rate=0.00003")
    assert main([*words[:3], *words[4:], "study=ablation", "study.n=2", *levers]) == 2
    assert "No run with all levers ended well" in capsys.readouterr().err
    assert main([*words, "study=learning_curve", "study.n=1", "study.sizes=[9,19,38]", "hparams.freeze_layers=9"]) == 1
    assert "No run of this study ended well" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["study=seed"], "No choice 'seed' in the group 'study'. Did you mean 'seeds'?"),
        (["study=seeds", "study.n=1"], "study.n=1: at least 2"),
        (["study=cross_validation", "study.folds=1"], "study.folds=1: at least 2"),
        (["study=cross_validation", "study.folds=1000"], "can't be shared among more than"),
        (["study=learning_curve", "study.sizes=[10,20]"], "at least 3 different numbers of rows"),
        (["study=learning_curve", "study.sizes=[10,20,9000]"], "study.sizes=[10, 20, 9000]: there are"),
        (["study=ablation", "hparams=default"], "there is no lever to leave out"),
        (["study=ablation", "hparams=stock"], "hparams=stock is no sum of levers"),
        (["study=ablation", "data.limit.test=3"], "study=ablation: 3 test rows, on which nothing can be told apart"),
        (["study=ablation", "hparams=default", "hparams.keep=last"], "there is no lever to leave out"),
        (["study=cross_validation", "data.folds=2", "data.fold=1"], "the study does every fold by itself"),
        (["study=learning_curve", "study.sizes=[0,1,2]"], "numbers of rows, of 1 at least"),
        (["study=learning_curve", "data.balance=oversample"], "the curve is one over labelled rows"),
        (["study=seeds", "study.parallel=2"], "hydra/launcher=joblib"),
        (["study=seeds", "hydra/launcher=slurm"], "No launcher 'slurm'"),
        (["-m", "study=seeds"], "-m KEY=A,B seed=1,2,3"),
        (["study=seeds", "hparams.warmup=0,0.1"], "hparams.warmup"),
        (["-m", "study=seeds", "search=tpe"], "study=seeds and search=tpe: one of them at a time"),
        (["data.folds=5"], "data.folds: only with data.fold"),
        (["data.fold=2"], "data.fold: only with data.folds"),
        (["data.folds=3", "data.fold=4"], "data.fold=4: from 1 to data.folds=3"),
        (["study=seeds", "data.train=nowhere.csv"], "nowhere.csv"),
    ],
)
def test_what_is_refused(words: list[str], more: list[str], said: str, tmp_path: Path, capsys: Any) -> None:
    keys = {word.partition("=")[0] for word in more}
    kept = [word for word in words if word.partition("=")[0] not in keys]
    if {"hparams=stock", "hparams=default"} & {*more}:
        kept = [word for word in kept if not word.startswith("hparams.")]
    assert main([*kept, *more]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.rglob("report.json"))


@pytest.mark.parametrize("task", ["classification", "ner", "qa"])
def test_folds_share_all_rows_among_them(task: str, data: dict[str, Path]) -> None:
    own = [f"task={task}", "data=files", f"data.train={data[task]}", "data.limit.validation=5"]
    config = compose([*own, "data.test_fraction=0", "data.validation_fraction=0.1"])
    whole = load(config.task, config.data, 1)
    everything = {row.origin.number for split in ("train", "validation") for row in whole.splits[split]}
    seen: list[int] = []
    groups: list[set[Any]] = []
    for fold in (1, 2, 3):
        config = compose([*own, "data.folds=3", f"data.fold={fold}", "data.validation_fraction=0.2"])
        rows = load(config.task, config.data, 1)
        numbers = [row.origin.number for row in rows.splits["test"]]
        assert not {*numbers} & {row.origin.number for split in ("train", "validation") for row in rows.splits[split]}
        assert "test" in rows.cut
        assert any(note.startswith(f"test: {len(numbers)} rows, fold {fold} of 3") for note in rows.notes)
        seen += numbers
        groups.append({rows.task.identity(row) for row in rows.splits["test"]})
        if task == "qa":
            titles = {rows.task.group(row) for row in rows.splits["test"]}
            assert not titles & {rows.task.group(row) for row in rows.splits["train"]}
    assert len(seen) == len(set(seen))
    assert everything <= {*seen}
    assert not groups[0] & groups[1]


def test_a_nested_limit_takes_some_of_the_rows_of_a_larger_one(data: dict[str, Path]) -> None:
    def rows_of(most: int) -> list[Any]:
        own = ["task=classification", "data=files", f"data.train={data['classification']}", f"data.limit.train={most}"]
        config = compose([*own, "data.limit.nested=true"])
        return load(config.task, config.data, 1).splits["train"]

    labels = len({row.label for row in rows_of(30)})
    for most in (labels, 2 * labels, 20):
        assert {row.origin.number for row in rows_of(most)} < {row.origin.number for row in rows_of(30)}
    assert len({row.label for row in rows_of(labels)}) == labels, "each label has its share"


def test_all_seeds_get_the_same_balanced_rows() -> None:
    own: dict[str, Any] = {"folder": Path(), "base": (), "seeds": (3, 4), "rows": SimpleNamespace(cut=frozenset())}

    def words_of(*words: str) -> tuple[str, ...]:
        question = Question(study=Study("seeds"), config=compose(["task=classification", *words]), **own)
        return question.words(Setting("", ()), 4)

    assert words_of() == ("seed=4",)
    assert words_of("data.balance=undersample") == ("data.split_seed=3", "seed=4")
    assert words_of("data.balance=undersample", "data.split_seed=7") == ("seed=4",)


def test_a_seed_of_splits(data: dict[str, Path]) -> None:
    def rows_of(split: Split, seed: int, *more: str) -> list[int]:
        config = compose(["task=classification", "data=files", f"data.train={data['classification']}", *more])
        return [row.origin.number for row in load(config.task, config.data, seed).splits[split]]

    for more in ((), ("data.limit.test=3", "data.limit.validation=3")):
        for split in SPLITS[1:]:
            assert rows_of(split, 1, *more) != rows_of(split, 2, *more)
            same = [rows_of(split, seed, "data.split_seed=7", *more) for seed in (1, 2)]
            assert same[0] == same[1] == rows_of(split, 7, *more)
    limited = [rows_of("train", seed, "data.split_seed=7", "data.limit.train=9") for seed in (1, 2)]
    assert limited[0] != limited[1], "each seed trains on other rows"
