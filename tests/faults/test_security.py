"""Hostile files, configs and names: none of their code runs, and no name leads out of the output folder."""

import hashlib
import json
import os
import pickle
import re
import shutil
from pathlib import Path

import pytest

from tests.faults.conftest import Command, Harm, run_directory


class Bomb:
    """A pickle that leaves a file behind when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


PICKLES = ("rng_state.pth", "optimizer.pt", "scheduler.pt", "training_args.bin", "pytorch_model.bin", "scaler.pt")


def test_pickles_in_a_checkpoint(harm: Harm, command: Command, tmp_path: Path) -> None:
    mark = tmp_path / "exploded"
    assert harm({"signal": 9, "at": ["training_step", 21]}, *command("ner")).returncode == -9
    for checkpoint in (run_directory(tmp_path) / "checkpoints").glob("step-*"):
        for name in PICKLES:
            (checkpoint / name).write_bytes(pickle.dumps(Bomb(mark)))
    again = harm({}, *command("ner"))
    assert again.returncode == 0, again.stderr
    assert "does not belong to it" in again.stdout
    assert not mark.exists()


def test_pickles_in_a_checkpoint_that_its_manifest_owns(harm: Harm, command: Command, tmp_path: Path) -> None:
    """Nothing reads such a file, even where a forged manifest lists it."""
    mark = tmp_path / "exploded"
    assert harm({"signal": 9, "at": ["training_step", 21]}, *command("ner")).returncode == -9
    for checkpoint in (run_directory(tmp_path) / "checkpoints").glob("*-*"):
        manifest = json.loads((checkpoint / "manifest.json").read_text())
        for name in PICKLES:
            content = pickle.dumps(Bomb(mark))
            (checkpoint / name).write_bytes(content)
            manifest["files"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        (checkpoint / "manifest.json").write_text(json.dumps(manifest))
    again = harm({}, *command("ner"))
    assert again.returncode == 0, again.stderr
    assert "goes on after step" in again.stdout
    assert not mark.exists()


def test_pickles_in_a_model_folder(harm: Harm, command: Command, models: dict[str, Path], tmp_path: Path) -> None:
    mark, folder = tmp_path / "exploded", tmp_path / "model"
    shutil.copytree(models["bert"], folder)
    for name in PICKLES:
        (folder / name).write_bytes(pickle.dumps(Bomb(mark)))
    done = harm({}, *command("ner", f"model.path={folder}"))
    assert done.returncode == 0, done.stderr
    (folder / "model.safetensors").unlink()
    refused = harm({}, *command("ner", f"model.path={folder}", "output_root=other"))
    assert refused.returncode == 2
    assert "a format that can carry code" in refused.stderr
    trusted = harm({}, *command("ner", f"model.path={folder}", "output_root=other", "model.allow_pickled_weights=true"))
    assert trusted.returncode == 2, "even where pickles are allowed, they are read only as weights"
    assert "Traceback" not in trusted.stderr
    assert not mark.exists()


@pytest.mark.parametrize(
    "override",
    [
        "+_target_=os.system",
        "+hparams._target_=os.system",
        "+data._target_=os.system",
        "+data.columns._target_=builtins.eval",
        "hparams.class_weights={_target_:os.system,command:touch exploded}",
        "hparams.class_weights={a:{_target_:os.system}}",
        "+hydra.callbacks.x._target_=os.system",
        "hydra.launcher._target_=os.system",
        "hydra.sweeper._target_=os.system",
        "+model._partial_=true",
        "+task._args_=[touch exploded]",
    ],
)
def test_code_in_an_override(override: str, harm: Harm, command: Command, tmp_path: Path) -> None:
    refused = harm({}, *command("ner"), override)
    assert refused.returncode == 2
    assert "not allowed" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "exploded").exists()
    assert not (tmp_path / "outputs").exists()


HOSTILE = 'import pathlib\npathlib.Path("exploded").touch()\ndef thing(*_, **__): ...\nclass Thing: pass\n'
"A module that leaves a file behind when it is imported."

CALL = "{_target_: evil.thing}"
LOGGING = '{root: {handlers: []}, version: 1, formatters: {x: {"()": evil.thing}}}'
CONFIG_FILES = {
    "hparams": f"hparams: {{class_weights: {CALL}}}",
    "a list": f"data: {{test: [a.csv, {CALL}]}}",
    "a reference": f"hparams: {{class_weights: '${{data.test}}'}}\ndata: {{test: {CALL}}}",
    "made up": "hparams: {class_weights: '${oc.decode:\"{_tar\"}'}",
    "callbacks": f"hydra: {{callbacks: {{x: {CALL}}}}}",
    "callbacks by reference": f"hydra: {{callbacks: {{x: '${{data.test}}'}}}}\ndata: {{test: {CALL}}}",
    "launcher": f"hydra: {{launcher: {CALL}}}",
    "sweeper": f"hydra: {{sweeper: {{params: {{x: {CALL}}}}}}}",
    "logging of jobs": f"hydra: {{job_logging: {LOGGING}}}",
    "logging of Hydra": f"hydra: {{hydra_logging: {LOGGING}}}",
    "environment": "hydra: {job: {env_set: {HF_ENDPOINT: 'http://localhost:9'}}}",
    "another choice": "defaults: [{override /hydra/callbacks: bad}]",
}


@pytest.fixture
def strange(tmp_path: Path) -> Path:
    """A folder of foreign config files, and the code that they try to call."""
    (tmp_path / "evil.py").write_text(HOSTILE)
    folder = tmp_path / "strange"
    for place in ("experiment", "hydra/callbacks", "hydra/launcher"):
        (folder / place).mkdir(parents=True)
    (folder / "hydra/callbacks/bad.yaml").write_text(f"x: {CALL}\n")
    basic = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
    (folder / "hydra/launcher/bad.yaml").write_text(f"_target_: {basic}\nx: {CALL}\n")
    (folder / "hydra/launcher/reference.yaml").write_text(f"_target_: {basic}\nx: ${{data.test}}\n")
    (folder / "hydra/launcher/other.yaml").write_text("_target_: evil.Thing\n")
    (folder / "config.yaml").write_text(f"hydra: {{callbacks: {{x: {CALL}}}}}\n")
    return folder


def nothing_of_it(tmp_path: Path) -> None:
    assert not (tmp_path / "exploded").exists()
    assert not list(tmp_path.rglob("seed=*")), "nothing has been run"


@pytest.mark.parametrize("content", CONFIG_FILES.values(), ids=CONFIG_FILES)
@pytest.mark.parametrize(
    "sweep", [(), ("-m", "seed=1,2"), ("-m", "experiment=bad,worse")], ids=["run", "sweep", "swept"]
)
def test_code_in_a_config_file(
    content: str, sweep: tuple[str, ...], strange: Path, harm: Harm, command: Command, tmp_path: Path
) -> None:
    for name in ("bad", "worse"):
        (strange / "experiment" / f"{name}.yaml").write_text(f"# @package _global_\n{content}\n")
    chosen = () if "experiment=bad,worse" in sweep else ("experiment=bad",)
    refused = harm({}, *sweep, f"hydra.searchpath=[file://{strange}]", *command("classification"), *chosen)
    assert refused.returncode == (1 if "experiment=bad,worse" in sweep else 2), refused.stdout + refused.stderr
    assert "not allowed" in refused.stderr
    assert "Traceback" not in refused.stderr
    nothing_of_it(tmp_path)


def test_code_by_reference(strange: Path, harm: Harm, command: Command, tmp_path: Path) -> None:
    """A launcher's setting refers to a call in a part of the config that is not Hydra's."""
    (strange / "experiment" / "bad.yaml").write_text(f"# @package _global_\ndata: {{test: {CALL}}}\n")
    launched = ("-m", "seed=1,2", "hydra/launcher=reference", "experiment=bad")
    refused = harm({}, *launched, f"hydra.searchpath=[file://{strange}]", *command("ner"))
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert "not allowed" in refused.stderr
    nothing_of_it(tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ("hydra/callbacks=bad",),
        ("+hydra/callbacks@hydra.callbacks=bad",),
        ("hydra/launcher=bad",),
        ("-m", "hydra/launcher=bad", "seed=1,2"),
        ("-m", "hydra/launcher=other", "seed=1,2"),
        ("hydra.job_logging.root={}",),
        ("hydra.job.env_set.HF_ENDPOINT=x",),
        ("hydra.mode=MULTIRUN",),
        ("--config-name=config", "--config-path=strange"),
        ("--experimental-rerun=job.pickle",),
        ("--experimental-re=job.pickle",),
    ],
    ids=" ".join,
)
def test_code_by_way_of_hydras_own_settings(
    arguments: tuple[str, ...], strange: Path, harm: Harm, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "job.pickle").write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
    refused = harm({}, *arguments, f"hydra.searchpath=[file://{strange}]", *command("ner"))
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert "not allowed" in refused.stderr or "No flag" in refused.stderr
    assert "Traceback" not in refused.stderr
    nothing_of_it(tmp_path)


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("config.json", {"auto_map": {"AutoConfig": "evil.Thing", "AutoModelForTokenClassification": "evil.Thing"}}),
        ("config.json", {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Thing"}}),
        ("config.json", {"attn_implementation": "evil/kernel", "_attn_implementation": "evil/kernel"}),
        ("config.json", {"_attn_implementation_internal": "evil/kernel"}),
        ("config.json", {"torch_dtype": "evil"}),
        ("config.json", {"quantization_config": {"quant_method": "evil", "modules": ["evil.Thing"]}}),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.Thing", "evil.Thing"]}}),
        ("tokenizer_config.json", {"tokenizer_class": "Thing", "auto_map": {"AutoTokenizer": ["evil.Thing", None]}}),
    ],
)
def test_a_hostile_model_folder(
    file: str, change: dict[str, object], harm: Harm, command: Command, models: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models["bert"], folder)
    (folder / "evil.py").write_text(HOSTILE)
    (tmp_path / "evil.py").write_text(HOSTILE)
    content = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps({**content, **change}))
    ended = harm({}, *command("ner", f"model.path={folder}"), typed="y\n" * 9)
    assert ended.returncode in (0, 2), ended.stderr
    assert "[y/N]" not in ended.stdout + ended.stderr, "the run must not ask whether to trust the code"
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "exploded").exists()


def test_foreign_attention_code(harm: Harm, command: Command, models: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models["bert"], folder)
    content = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**content, "_attn_implementation": "evil/kernel"}))
    refused = harm({}, *command("ner", f"model.path={folder}"))
    assert refused.returncode == 2
    assert "its config.json asks for the attention code 'evil/kernel'" in refused.stderr


NASTY = "\x1b[2J\x1b]0;owned\x07\u009b31m<script>alert(1)</script>"


OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"Control characters, which a terminal obeys instead of showing them."


def test_what_texts_and_labels_carry(harm: Harm, command: Command, tmp_path: Path) -> None:
    """Texts and labels with escape sequences, markup or formulas put no control characters into output and files."""
    file = tmp_path / "texts.csv"
    rows = [f'"{NASTY} {number}","=cmd|{NASTY}"\n"=1+{number}","plain"' for number in range(30)]
    file.write_text("\n".join(["text,label", *rows]))
    done = harm({}, *command("classification", f"data.train={file}"))
    assert done.returncode == 0, done.stderr
    bad = tmp_path / "bad.csv"
    bad.write_text(f'text,label\n"a text","{NASTY}"\n')
    refused = harm({}, *command("classification", f"data.train={file}", f"data.test={bad}", "output_root=other"))
    assert refused.returncode == 2
    for printed in (done.stdout, done.stderr, refused.stdout, refused.stderr):
        assert not OBEYED.search(printed)
    written = [path for path in tmp_path.rglob("outputs/**/*") if path.is_file() and "model" not in path.parts]
    assert len(written) >= 4
    for path in written:
        assert not OBEYED.search(path.read_text()), path
    line = json.loads(next(tmp_path.rglob("predictions/test.jsonl")).read_text().splitlines()[0])
    assert line["gold"] in ("plain", f"=cmd|{NASTY}"), "the label is escaped in the file, but not changed"


@pytest.mark.parametrize(
    "override",
    [
        "data.name=../../../escaped",
        "model.path={model}/../model",
        "data.columns.text=../../escaped",
        "tracker.project=../../escaped",
    ],
)
def test_names_do_not_lead_out_of_the_output_folder(
    override: str, harm: Harm, command: Command, models: dict[str, Path], tmp_path: Path
) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    shutil.copytree(models["bert"], tmp_path / "model")
    before = sorted(path for path in tmp_path.rglob("*"))
    harm({}, *command("ner", f"output_root={inside}", override.format(model=tmp_path / "model")))
    made = {path for path in tmp_path.rglob("*") if path not in before and "__pycache__" not in path.parts}
    assert all(path.is_relative_to(inside) for path in made), made


def test_labels_are_no_paths(harm: Harm, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "texts.csv"
    rows = [f"text {number},{label}" for number in range(20) for label in ("../../escaped", "/etc/x", "con:")]
    file.write_text("\n".join(["text,label", *rows]))
    done = harm({}, *command("classification", f"data.train={file}", "output_root=out"))
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "escaped").exists()
    assert {path.name for path in tmp_path.iterdir()} <= {"texts.csv", "out", "hf"}


def test_secrets_do_not_get_into_configs(harm: Harm, command: Command, tmp_path: Path) -> None:
    refused = harm({}, *command("ner"), "tracker.project=${oc.env:HF_TOKEN}", HF_TOKEN="hf_secret")
    assert refused.returncode == 2
    assert "HF_TOKEN looks like a secret" in refused.stderr
    assert "hf_secret" not in refused.stderr
    assert not (tmp_path / "outputs").exists()


def test_no_secrets_in_what_is_written(harm: Harm, command: Command, tmp_path: Path) -> None:
    done = harm({}, *command("ner"), HF_TOKEN="hf_secret", WANDB_API_KEY="wb_secret", MY_PASSWORD="pw_secret")
    assert done.returncode == 0, done.stderr
    written = [path for path in tmp_path.rglob("outputs/**/*") if path.is_file()]
    assert len(written) >= 8
    for path in written:
        assert b"_secret" not in path.read_bytes(), path
    assert "_secret" not in done.stdout + done.stderr
