"""The command as a user types it: the files that it writes, its output, and its answers to mistakes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers.trainer_pt_utils import LengthGroupedSampler

from recipes.run import main
from recipes.training.trainer import RecipeTrainer
from tests.conftest import Run


def arguments(task: str, data: dict[str, Path], models: dict[str, Path], *more: str) -> list[str]:
    fixed = ["hparams.max_steps=4", "hparams.batch_size=8", "runtime.precision=fp32", "runtime.device=cpu"]
    return [f"task={task}", "data=files", f"data.train={data[task]}", f"model.path={models['bert']}", *fixed, *more]


def report_of(folder: Path) -> dict[str, Any]:
    (path,) = folder.rglob("report.json")
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def test_a_run_leaves_everything_and_is_found_again(
    run: Run, data: dict[str, Path], models: dict[str, Path], tmp_path: Path
) -> None:
    command = arguments("ner", data, models, "seed=3")
    first = run(*command)
    assert first.returncode == 0, first.stderr
    assert first.stderr == ""
    (folder,) = tmp_path.glob("outputs/ner/*-names/bert/*/seed=3")
    assert {path.name for path in folder.iterdir()} == {
        "config.yaml",
        "model",
        "predictions",
        "report.html",
        "report.json",
    }
    assert {path.name for path in (folder / "model").iterdir()} == {
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    report = report_of(tmp_path)
    assert report["status"] == "finished"
    assert report["task"] == "ner"
    assert report["objective"]["name"] == "f1"
    assert report["objective"]["value"] == report["metrics"]["validation"]["f1"]
    assert set(report["data"]["rows"]) == {"train", "validation", "test"}
    assert {"seconds", "rows_per_second", "tokens_per_second", "steps", "epochs", "peak_memory_mb"} <= set(
        report["training"]
    )
    assert report["environment"]["versions"]["torch"]
    assert report["command"].startswith("python -m recipes.run task=ner data=files")
    assert yaml.safe_load((folder / "config.yaml").read_text())["seed"] == 3
    line = json.loads((folder / "predictions" / "test.jsonl").read_text().splitlines()[0])
    assert {"id", "file", "line", "tokens", "gold", "prediction"} <= set(line)
    assert len(line["prediction"]["tags"]) == len(line["gold"]) == len(line["tokens"])

    page = (folder / "report.html").read_text()
    (folder / "report.html").unlink()
    again = run(*command)
    assert again.returncode == 0
    assert "Already done" in again.stdout
    assert "epoch" not in again.stdout
    assert (folder / "report.html").read_text() == page, "a page that is missing is made"

    anew = run(*command, "overwrite=true", PYTHONHASHSEED="1")
    assert anew.returncode == 0
    assert "epoch" in anew.stdout
    assert report_of(tmp_path)["metrics"] == report["metrics"], "the same seed gives the same model"


def test_few_validation_rows_choose_no_epoch(
    data: dict[str, Path],
    models: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    reports, weights, lines = {}, {}, {}
    for keep in ("null", "last", "best"):
        command = arguments("classification", data, models, "hparams.epochs=3", f"hparams.keep={keep}")
        command.remove("hparams.max_steps=4")
        assert main([*command, f"output_root=keep-{keep}"]) == 0
        reports[keep] = report_of(tmp_path / f"keep-{keep}")
        weights[keep] = next((tmp_path / f"keep-{keep}").rglob("model.safetensors")).read_bytes()
        lines[keep] = capsys.readouterr().out.splitlines()
    said = "5 validation rows: too few to choose an epoch by, so that the last weights are kept"
    assert [sum(said in line for line in shown) for shown in lines.values()] == [1, 0, 0]
    stars = {keep: sum(line.endswith(" *") for line in shown) for keep, shown in lines.items()}
    assert (stars["null"], stars["last"]) == (0, 0)
    assert stars["best"] > 0
    assert [report["training"]["kept_epoch"] for report in reports.values()] == [None, None, 3.0]
    assert ["macro_f1" in epoch for epoch in reports["null"]["history"]] == [True, True, True], "all are evaluated"
    assert ["macro_f1" in epoch for epoch in reports["last"]["history"]] == [False, False, False]
    assert weights["null"] == weights["best"], "as all epochs score the same here, the last is the best"


@pytest.mark.parametrize("opposite", [False, True])
def test_the_last_epoch_is_kept_unless_an_earlier_one_is_surely_better(
    opposite: bool,
    models: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where validation has the opposite labels, all that is learnt makes it worse."""
    monkeypatch.chdir(tmp_path)
    labels = ("good", "bad")
    for name, swapped in (("train", False), ("validation", opposite)):
        rows = (f"{'Ada' if number % 2 else 'Bob'} {number},{labels[number % 2 ^ swapped]}" for number in range(40))
        Path(f"{name}.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    command = arguments("classification", {"classification": Path("train.csv")}, models, "hparams.epochs=6")
    command.remove("hparams.max_steps=4")
    command = [*command, "data.validation=validation.csv", "data.test_fraction=0", "hparams.learning_rate=0.003"]
    assert main(command) == 0
    report, shown = report_of(tmp_path), capsys.readouterr().out
    scores = [epoch["macro_f1"] for epoch in report["history"]]
    kept = int(report["training"]["kept_epoch"])
    if opposite:
        assert max(scores) - scores[-1] > 0.3
        assert kept < 6
        assert report["metrics"]["validation"]["macro_f1"] == pytest.approx(scores[kept - 1])
    else:
        assert scores[-1] == 1.0
        assert kept == 6
        assert "kept  " not in shown


def test_the_average_of_the_weights_is_what_is_kept(
    data: dict[str, Path], models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    of_trainer, seen = RecipeTrainer.weights_to_keep, []

    def watched(trainer: RecipeTrainer) -> dict[str, torch.Tensor]:
        kept, own = of_trainer(trainer), trainer.model.state_dict()
        assert trainer.average is not None
        for name, average in trainer.average.average.items():
            if "word_embeddings" in name:
                continue  # training has a smaller table, with the rows that occur
            assert torch.equal(kept[name], average), name
            seen.append(torch.equal(kept[name], own[name]))
        return kept

    monkeypatch.setattr(RecipeTrainer, "weights_to_keep", watched)
    average = ("hparams.average_weights=0.9", "hparams.keep=best", "runtime.device=cpu")
    assert main(arguments("classification", data, models, *average)) == 0
    assert seen
    assert not all(seen), "the average is not the weights of the last step"


def test_an_unfinished_directory_is_done_over(
    data: dict[str, Path], models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = arguments("classification", data, models)
    assert main(command) == 0
    (report,) = tmp_path.rglob("report.json")
    report.unlink()
    (report.parent / "checkpoints").mkdir()
    (report.parent / "note.txt").write_text("mine")
    assert main(command) == 0
    assert report.is_file()
    assert not (report.parent / "checkpoints").exists()
    assert (report.parent / "note.txt").read_text() == "mine", "a run keeps files that it did not write"


@pytest.mark.parametrize(
    ("task", "change", "message"),
    [
        ("ner", ["data.train=nofile.conll"], "there is no file"),
        ("ner", ["data.columns.tags=9"], "column"),
        ("classification", ["data.columns.text=txet"], "no column 'txet' (data.columns.text)"),
        ("classification", ["data.validation={bad_label}"], "line 2: label 'biling' does not occur in training"),
        ("classification", ["data.train={empty_text}"], "line 3: column 'text' is empty"),
        ("classification", ["data.train={latin}"], "line 2: byte 0xe9 is not valid utf-8"),
        ("ner", ["data.train={unequal}", "data.format=jsonl"], "line 1: 2 tokens but 1 tags"),
        ("qa", ["data.train={offset}"], "answer 'Oslo' is not at offset 3"),
        ("ner", ["hparams.batch_size=7", "hparams.accumulation=2"], "must divide hparams.batch_size=7"),
        ("ner", ["task.objective=f2"], "task.objective=f2: no such score. There are: precision, recall, f1"),
        ("ner", ["model.path=no/such/folder"], "no such folder"),
        ("ner", ["hparams.freeze_layers=9"], "the model has 2 layers"),
        ("classification", ["hparams.class_weights={{refund: 3}}"], "no label 'refund'"),
        ("ner", ["hparams.learningrate=1"], "Did you mean 'hparams.learning_rate'?"),
        ("ner", ["+hparams.momentum=1"], "No config key 'hparams.momentum'"),
        ("ner", ["hparams.epochs=many"], "hparams.epochs: Value 'many' is not a number"),
        ("ner", ["data=sst2"], "data=sst2 holds classification rows, but task=ner"),
        ("ner", ["+hparams._target_=os.system"], "never code to call"),
    ],
)
def test_mistakes_end_in_one_message_and_leave_nothing(
    task: str,
    change: list[str],
    message: str,
    data: dict[str, Path],
    models: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = {
        "bad_label": b"text,label\nI was charged,biling\n",
        "empty_text": b"text,label\nx,delivery\n ,billing\n",
        "latin": b"text,label\ncaf\xe9,delivery\n",
        "unequal": b'{"tokens": ["a", "b"], "tags": ["O"]}\n',
        "offset": json.dumps(
            {
                "data": [
                    {
                        "title": "t",
                        "paragraphs": [
                            {
                                "context": "It is in Oslo.",
                                "qas": [
                                    {"id": "1", "question": "where?", "answers": [{"text": "Oslo", "answer_start": 3}]}
                                ],
                            }
                        ],
                    }
                ]
            }
        ).encode(),
    }
    names = {"offset": "offset.json", "unequal": "unequal.jsonl"}
    paths = {name: tmp_path / names.get(name, f"{name}.csv") for name in files}
    for name, content in files.items():
        paths[name].write_bytes(content)
    monkeypatch.chdir(tmp_path)
    status = main(arguments(task, data, models, *(item.format(**paths) for item in change)))
    printed = capsys.readouterr()
    assert status == 2
    assert message in printed.err
    assert "Traceback" not in printed.err
    assert not (tmp_path / "outputs").exists()


def test_bad_rows_can_be_skipped_and_are_counted(
    data: dict[str, Path],
    models: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "rows.csv"
    path.write_text(data["classification"].read_text() + " ,billing\n ,praise\n")
    command = arguments("classification", data | {"classification": path}, models, "data.on_bad_row=skip")
    assert main(command) == 0
    assert report_of(tmp_path)["data"]["skipped"] == {"empty text": 2}
    assert "left out: 2 x empty text" in capsys.readouterr().out


def test_duplicates_and_balance_are_told_and_part_of_the_path(
    data: dict[str, Path],
    models: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    header, *lines = data["classification"].read_text().splitlines(keepends=True)
    path, test = tmp_path / "rows.csv", tmp_path / "test.csv"
    path.write_text("".join([header, *lines, *lines[:6]]))
    test.write_text("".join([header, *lines[:2]]))
    wanted = ("data.deduplicate=exact", "data.balance=oversample", f"data.test={test}", f"data.validation={test}")
    assert main(arguments("classification", data | {"classification": path}, models, *wanted)) == 0
    facts, said = report_of(tmp_path)["data"], capsys.readouterr().out
    left_out = (
        f"data.deduplicate=exact: 8 of {len(lines) + 6} training rows left out: 4 repeat an earlier one, 4 stand in"
    )
    assert [left_out in shown for shown in (said, facts["notes"][0])] == [True, True]
    assert len(set(facts["label_counts"].values())) == 1
    assert sum(facts["label_counts"].values()) == facts["rows"]["train"] > len(lines) - 2
    (page,) = tmp_path.rglob("report.html")
    assert left_out in page.read_text()
    assert "data.balance=oversample: labels" in page.read_text()
    assert "balance=oversample,batch_size=8,deduplicate=exact" in str(page)


@pytest.mark.parametrize(
    ("task", "row", "inputs"),
    [
        ("classification", {"text": "where is it"}, {"text"}),
        ("ner", {"text": "Mara left Oslo."}, {"text", "tokens"}),
        ("qa", {"id": "x", "question": "who signs?", "context": "Claims are signed by Mara."}, {"question", "unit"}),
    ],
)
def test_a_test_file_without_labels_is_predicted_and_not_scored(
    task: str,
    row: dict[str, str],
    inputs: set[str],
    data: dict[str, Path],
    models: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    test = tmp_path / "test.jsonl"
    test.write_text(json.dumps(row) + "\n")
    assert main(arguments(task, data, models, f"data.test={test}", "hparams.max_steps=1")) == 0
    assert "test: the rows have no labels. They are predicted, and not scored" in capsys.readouterr().out
    report = report_of(tmp_path)
    assert set(report["metrics"]) == {"validation"}
    assert report["data"]["rows"]["test"] == 1
    (path,) = tmp_path.rglob("predictions/test.jsonl")
    line = json.loads(path.read_text())
    assert set(line) == {"id", "file", "line", "prediction", *inputs}
    assert {name: line[name] for name in row if name in inputs} == {name: row[name] for name in row if name in inputs}
    if task == "ner":
        assert line["tokens"] == ["Mara", "left", "Oslo", "."]
        for entity in line["prediction"]["entities"]:
            assert row["text"][entity["start"] : entity["end"]] == entity["text"]


def test_a_model_that_only_the_hub_has_ends_soon_with_what_to_do(run: Run, data: dict[str, Path]) -> None:
    endpoint = "http://127.0.0.1:9"
    ended = run(
        "task=ner",
        "data=files",
        f"data.train={data['ner']}",
        "model=roberta-base",
        HF_ENDPOINT=endpoint,
        HF_HUB_OFFLINE="0",
    )
    assert ended.returncode == 2
    assert "FacebookAI/roberta-base" in ended.stderr
    assert "model.path=FOLDER" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_sweep_of_four_ends_with_its_table_best_first(
    run: Run, data: dict[str, Path], models: dict[str, Path], tmp_path: Path
) -> None:
    command = arguments("classification", data, models)
    ended = run("-m", *command, "hparams.learning_rate=1e-3,1e-5", "seed=1,2")
    assert ended.returncode == 0, ended.stderr
    reports = [json.loads(path.read_text()) for path in tmp_path.rglob("report.json")]
    assert len(reports) == 4
    rows = [line.split() for line in ended.stdout[ended.stdout.index("Sweep of 4 jobs") :].splitlines()]
    objectives = [float(row[2]) for row in rows if row and row[0] in ("0.001", "1e-05")]
    assert len(objectives) == 4
    assert objectives == sorted(objectives, reverse=True)
    assert objectives == pytest.approx(
        sorted((report["objective"]["value"] for report in reports), reverse=True), abs=1e-4
    )

    again = run(*command, "-m", "hparams.learning_rate=1e-3,1e-5", "seed=1,2")
    assert again.stdout.count("Already done") == 4


def test_a_failing_job_leaves_the_others_and_is_named(run: Run, data: dict[str, Path], models: dict[str, Path]) -> None:
    ended = run("-m", *arguments("ner", data, models), "hparams.freeze_layers=1,9")
    assert ended.returncode == 1
    assert "1 failed" in ended.stdout
    assert "failed: hparams.freeze_layers=9: the model has 2 layers" in ended.stdout
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("task", ["classification", "ner", "qa"])
def test_two_processes_give_what_one_gives(
    task: str, run: Run, data: dict[str, Path], models: dict[str, Path], tmp_path: Path
) -> None:
    config = Path(__file__).resolve().parents[2] / "scripts" / "accelerate" / "cpu2.yaml"
    launch = (
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        "--config_file",
        str(config),
        "--main_process_port",
        "0",
    )
    command = arguments(task, data, models, "hparams.dropout=0", "hparams.attention_dropout=0")
    one = run(*command, "output_root=one")
    two = run(*command, "output_root=two", launcher=launch)
    assert one.returncode == 0, one.stderr
    assert two.returncode == 0, two.stderr
    assert two.stdout.count("\ntraining ") == one.stdout.count("\ntraining ") == 1
    first, second = report_of(tmp_path / "one"), report_of(tmp_path / "two")
    assert second["environment"]["processes"] == 2
    for split, scores in first["metrics"].items():
        assert second["metrics"][split] == pytest.approx(scores, abs=1e-4), split


@pytest.mark.parametrize(
    ("task", "how"),
    [
        ("ner", "hparams.accumulation=4"),
        ("ner", "runtime.tokens_at_once=40"),
        ("qa", "runtime.tokens_at_once=100"),
        ("classification", "runtime.tokens_at_once=1"),
    ],
)
def test_batches_in_parts_give_the_same_model(
    task: str, how: str, data: dict[str, Path], models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import load_file

    monkeypatch.chdir(tmp_path)
    exact = ("hparams.dropout=0", "hparams.attention_dropout=0", "runtime.precision=fp32")
    plain = arguments(task, data, models, *exact)
    assert main([*plain, "output_root=whole"]) == 0
    assert main([*plain, "output_root=parts", how]) == 0
    (whole,) = (tmp_path / "whole").rglob("model.safetensors")
    (parts,) = (tmp_path / "parts").rglob("model.safetensors")
    one, other = load_file(whole), load_file(parts)
    # A softmax does not depend on the span head's bias, so the bias's gradient is rounding error, which AdamW scales up
    # to full steps. The other weights move by up to 3e-5 a step, so one row in the wrong place would show.
    assert all(one[name].allclose(other[name], atol=1e-5) for name in one if name != "qa_outputs.bias")


def test_it_learns(
    data: dict[str, Path], models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = arguments(
        "classification", data, models, "hparams.learning_rate=3e-3", "hparams.epochs=40", "data.test_fraction=0.3"
    )
    command.remove("hparams.max_steps=4")
    assert main(command) == 0
    assert report_of(tmp_path)["metrics"]["test"]["accuracy"] > 0.6


@pytest.mark.parametrize(("name", "task"), [("text-classification", "classification"), ("token-classification", "ner")])
def test_plain_pipelines_give_the_predictions_of_the_file(
    name: str,
    task: str,
    data: dict[str, Path],
    models: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from transformers import pipeline

    monkeypatch.chdir(tmp_path)
    command = arguments(task, data, models, "hparams.learning_rate=3e-3", "hparams.epochs=6", "runtime.precision=bf16")
    command.remove("hparams.max_steps=4")
    command.remove("runtime.precision=fp32")
    assert main(command) == 0
    (report,) = tmp_path.rglob("report.json")
    lines = [json.loads(line) for line in (report.parent / "predictions" / "test.jsonl").read_text().splitlines()]
    temperature = json.loads(report.read_text())["calibration"].get("score_temperature", 1.0)
    pipe = pipeline(name, model=str(report.parent / "model"), device="cpu")
    assert len({json.dumps(line["prediction"]) for line in lines}) > 1, (
        "the predictions must differ, or comparing them proves nothing"
    )
    for line in lines:
        if task == "classification":
            found = {each["label"]: each["score"] for each in pipe(line["text"], top_k=None)}
            assert max(found, key=lambda label: found[label]) == line["prediction"]["label"]
            # The file's scores have a temperature besides, which the report names and a pipeline does not know.
            powers = {label: score ** (1 / temperature) for label, score in found.items()}
            for label, power in powers.items():
                assert power / sum(powers.values()) == pytest.approx(line["prediction"]["scores"][label], abs=2e-6)
        else:
            tags = ["O"] * len(line["tokens"])
            starts = [sum(len(token) + 1 for token in line["tokens"][:index]) for index in range(len(line["tokens"]))]
            for entity in pipe(" ".join(line["tokens"]), aggregation_strategy="none"):
                if entity["start"] in starts:
                    tags[starts.index(entity["start"])] = entity["entity"]
            from tasks.tags import to_iob2

            assert to_iob2(tags, "iob2")[0] == line["prediction"]["tags"]


def test_help_and_config_are_shown_without_running(run: Run, tmp_path: Path) -> None:
    assert "Examples" in run("--help").stdout
    shown = yaml.safe_load(run("--cfg", "job", "task=qa").stdout)
    assert shown["task"]["name"] == "qa"
    assert shown["data"]["name"] == "qa_sample"
    assert not (tmp_path / "outputs").exists()


def test_scripts_are_sound_shell() -> None:
    root = Path(__file__).resolve().parents[2]
    scripts = [
        root / "scripts" / "demo",
        root / "scripts" / "test",
        root / "scripts" / "bench",
        root / "scripts" / "soak",
        root / "scripts" / "environment.sh",
        root / ".ci" / "run",
    ]
    for script in scripts:
        assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


@pytest.mark.parametrize("task", ["classification", "ner", "qa"])
def test_regularization_of_every_kind_goes_together(
    task: str, data: dict[str, Path], models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    more = ["hparams.r_drop=1", "hparams.label_smoothing=0.1", "hparams.early_stopping=1", "hparams.freeze_layers=1"]
    assert main(arguments(task, data, models, *more, "hparams.dropout=0.2", "hparams.schedule=cosine")) == 0
    assert report_of(tmp_path)["training"]["steps"] == 4


@pytest.mark.parametrize("task", ["classification", "ner", "qa"])
@pytest.mark.parametrize("method", ["stock", "plain"])
def test_the_yardsticks_train_and_predict_every_row(
    method: str,
    task: str,
    data: dict[str, Path],
    models: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from recipes.training import yardsticks

    grouped: list[int] = []

    def sampler(size: int, **named: Any) -> LengthGroupedSampler:
        grouped.append(size)
        return LengthGroupedSampler(size, **named)

    monkeypatch.setattr(yardsticks, "LengthGroupedSampler", sampler)
    monkeypatch.chdir(tmp_path)
    assert main(arguments(task, data, models, f"hparams.{method}=true", "hparams.max_steps=2")) == 0
    assert bool(grouped) == (method == "plain"), "only plain groups rows by length"
    assert f"; as in hparams={method}, to compare with" in capsys.readouterr().out
    (folder,) = tmp_path.rglob("predictions")
    lines = [json.loads(line) for line in (folder / "test.jsonl").read_text().splitlines()]
    assert len(lines) == report_of(tmp_path)["data"]["rows"]["test"]
    if task == "ner":
        assert all(len(line["prediction"]["tags"]) == len(line["tokens"]) for line in lines)


def test_early_stopping_ends_when_nothing_gets_better(
    data: dict[str, Path], models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = arguments(
        "ner", data, models, "hparams.epochs=9", "hparams.early_stopping=2", "hparams.learning_rate=1e-9"
    )
    command.remove("hparams.max_steps=4")
    assert main(command) == 0
    assert report_of(tmp_path)["training"]["epochs"] == 3


PAIRS = [{"premise": f"{a} {n}", "hypothesis": b, "label": a == b} for n in range(6) for a in "xyz" for b in "xyz"]
OTHER_KINDS: dict[str, list[dict[str, object]]] = {
    "regression": [{"text": f"number {n} of ten", "label": n / 4} for n in range(40)],
    "multi_label": [
        {"text": f"row {n}", "label": ["even"] * (n % 2 == 0) + ["three"] * (n % 3 == 0)} for n in range(40)
    ],
    "pairs": [{**row, "label": "same" if row["label"] else "other"} for row in PAIRS],
}


@pytest.mark.parametrize("kind", list(OTHER_KINDS))
def test_other_kinds_of_classification(
    kind: str, data: dict[str, Path], models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in OTHER_KINDS[kind]))
    assert main(arguments("classification", data | {"classification": rows}, models)) == 0
    report = report_of(tmp_path)
    expected = {"regression": "rmse", "multi_label": "micro_f1", "pairs": "macro_f1"}[kind]
    assert report["objective"]["name"] == expected, "four numbers are too few for a correlation"
    (model,) = tmp_path.rglob("model/config.json")
    problem_type = json.loads(model.read_text())["problem_type"]
    assert (
        problem_type
        == {
            "regression": "regression",
            "multi_label": "multi_label_classification",
            "pairs": "single_label_classification",
        }[kind]
    )


@pytest.mark.parametrize(("task", "key"), [("qa", "no_answer_threshold"), ("classification", "score_temperature")])
def test_what_was_calibrated_is_stored_with_the_model(
    task: str,
    key: str,
    data: dict[str, Path],
    models: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments(task, data, models)) == 0
    (model,) = tmp_path.rglob("model/config.json")
    stored = json.loads(model.read_text())
    assert stored[key] == report_of(tmp_path)["calibration"][key]
    model.write_text(json.dumps({**stored, key: 7.5, "label_threshold": 0.9}))
    assert main(arguments(task, data, {"bert": model.parent}, "hparams.max_steps=1", "output_root=again")) == 0
    (again,) = (tmp_path / "again").rglob("model/config.json")
    trained_on = json.loads(again.read_text())
    assert trained_on[key] != 7.5
    assert "label_threshold" not in trained_on


def test_a_local_folder_laid_out_like_a_hub_data_set(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "mine").mkdir()
    for split, count in (("train", 24), ("validation", 6), ("test", 6)):
        rows = [{"sentence": f"row {n}", "label": n % 2} for n in range(count)]
        (tmp_path / "mine" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ["task=classification", "data=files", f"data.hub={tmp_path / 'mine'}", f"model.path={models['bert']}"]
    assert main([*command, "hparams.max_steps=2", "runtime.device=cpu", "runtime.precision=fp32"]) == 0
    assert report_of(tmp_path)["data"]["rows"] == {"train": 24, "validation": 6, "test": 6}


def test_launch_configs_are_read_by_accelerate() -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    folder = Path(__file__).resolve().parents[2] / "scripts" / "accelerate"
    kinds = {path.stem: load_config_from_file(str(path)).distributed_type.value for path in folder.glob("*.yaml")}
    assert kinds == {"cpu2": "MULTI_GPU", "gpu": "NO", "gpus": "MULTI_GPU", "machines": "MULTI_GPU", "fsdp": "FSDP"}


def test_what_is_cut_off_and_unknown_is_said_once(
    data: dict[str, Path], models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    cut = ("task.max_length=5", "task.long_texts=truncate")
    for more in ((), ("hparams=small_data", "hparams.choose_by_folds=2")):
        assert main(arguments("classification", data, models, *cut, *more)) == 0
        lines = capsys.readouterr().out.splitlines()
        assert sum("texts are too long" in line and line.startswith(f"{'':<11} train: ") for line in lines) == 1
