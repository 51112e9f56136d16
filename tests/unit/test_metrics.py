"""The `evaluate` modules load from disk without the hub, and equal the pure functions."""

import os
import subprocess
import sys
from pathlib import Path

METRICS = Path(__file__).resolve().parents[2] / "tasks" / "metrics"

CODE = """
import sys, evaluate
from pathlib import Path
folder = Path(sys.argv[1])
cases = {
    "label_scores": (["a", "b"], ["a", "a"], "accuracy", 0.5),
    "multilabel_scores": ([["a"]], [["a", "b"]], "micro_recall", 0.5),
    "regression_scores": ([1.0, 2.0], [1.0, 4.0], "mae", 1.0),
    "entity_scores": ([["B-PER", "O"]], [["B-PER", "B-LOC"]], "recall", 0.5),
    "squad_scores": (
        [{"id": "1", "prediction_text": "Oslo", "no_answer_score": -1.0}],
        [{"id": "1", "answers": {"text": ["Oslo"], "answer_start": [0]}}],
        "exact_match", 100.0),
}
assert {path.stem for path in folder.glob("*.py")} == {*cases, "__init__"}
for name, (predictions, references, key, value) in cases.items():
    metric = evaluate.load(str(folder / f"{name}.py"))
    assert metric.description and metric.citation and metric.features
    scores = metric.compute(predictions=predictions, references=references)
    assert scores[key] == value, (name, scores)
"""


def test_every_module_loads_from_disk_without_the_hub(tmp_path: Path) -> None:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9"}
    run = subprocess.run(
        [sys.executable, "-c", CODE, str(METRICS)], capture_output=True, text=True, check=False, env=environment
    )
    assert run.returncode == 0, run.stderr
