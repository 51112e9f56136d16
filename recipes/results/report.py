"""report.json: the facts and scores of a finished run, as dataclasses.

The file is written last and atomically: a run counts as finished once the file exists.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from recipes.results.choice import Choice, choice_from_json
from recipes.results.verdict import FEWEST_TO_JUDGE_BY, Verdict, judged_split
from recipes.system.files import write_json
from tasks.data.options import Split

FINISHED = "finished"


@dataclass(frozen=True)
class ModelFacts:
    """The pretrained model and its new weights."""

    path: str
    revision: str | None
    parameters: int
    new_weights: list[str]
    "Names of the tensors with rows that did not come from the pretrained model."
    notes: list[str] = field(default_factory=list)
    "What was settled for this model: its padding, its head, and which faster parts it can't have, and why."


@dataclass(frozen=True)
class DataFacts:
    """The rows: where they come from, how many there are, and what was done to them."""

    source: dict[str, Any]
    rows: dict[Split, int]
    fingerprint: str
    "A hash of the content of all rows."
    files: dict[str, str]
    "Every file that rows were read from, with its size and hash at that time."
    labels: list[str]
    skipped: dict[str, int]
    repaired: dict[str, int]
    examples: dict[str, list[str]]
    notes: list[str]
    label_counts: dict[str, int] = field(default_factory=dict)
    "How many training rows, or entities in them, have each label."
    recognised: list[str] = field(default_factory=list)
    "A line for each split: what its files were recognised as."


@dataclass(frozen=True)
class Objective:
    """The score that the best epoch was chosen by."""

    name: str
    split: Split
    value: float
    greater_is_better: bool


@dataclass(frozen=True)
class TrainingFacts:
    """Speed and size of the training.

    `seconds` is the time of the training epochs, without evaluation and saving. All rates are over this time. Padding
    counts neither as tokens nor as operations.
    """

    seconds: float
    total_seconds: float
    seconds_by_phase: dict[str, float]
    seconds_to_first_step: float | None
    "From the start of the command to the end of its first optimizer step."
    rows_per_second: float
    tokens_per_second: float
    gflops_per_second: float
    steps: int
    epochs: float
    batch_size: int
    learning_rate: float
    tokens_at_once: int | None
    windows: int
    padding_share: float
    kept_epoch: float | None
    "The epoch whose weights were kept. None: the last one, unchosen."
    peak_memory_mb: float
    averaged_steps: list[int] = field(default_factory=list)
    "The steps after which the weights were taken that were averaged (`hparams.soup`)."


@dataclass(frozen=True)
class Environment:
    """What a run's numbers depend on besides its config: machine and software."""

    versions: dict[str, str | None]
    device: str
    device_name: str
    cores: int | None
    threads: int
    processes: int
    precision: str
    git_commit: str | None
    "The commit of the checkout that the code ran from, with `+` if files differ from it. None: an installed package."


@dataclass(frozen=True)
class Report:
    """The facts and scores of a finished run."""

    status: str
    task: str
    model: ModelFacts
    data: DataFacts
    metrics: dict[Split, dict[str, float]]
    objective: Objective
    calibration: dict[str, float]
    training: TrainingFacts
    history: list[dict[str, float]]
    "One entry per evaluation: epoch, step, training loss since the previous one, validation loss, scores."
    environment: Environment
    seed: int
    command: str
    verdict: Verdict = field(default_factory=Verdict)
    "What the scores are worth."
    choice: Choice | None = None
    "How the way of training was chosen. None: the config said it."

    @property
    def judged(self) -> Split:
        """The split whose scores say most: test, if it has scores.

        Where test rows are few and each training row was predicted by a model without it, these say more.
        """
        rows = self.data.rows
        few = rows.get("test", 0) < min(FEWEST_TO_JUDGE_BY, rows.get("validation", 0))
        if few and self.choice is not None and self.choice.stands_for_validation:
            return "validation"
        return judged_split(self.metrics)

    def worth_of_test(self) -> str:
        """Return in a sentence that test rows tell little, and what would tell more; nothing if they are many."""
        rows = self.data.rows.get("test", 0)
        if "test" not in self.metrics or rows >= FEWEST_TO_JUDGE_BY:
            return ""
        said = f"{rows} test row{'' if rows == 1 else 's'}: too few to tell how good the model is"
        if self.judged == "validation":
            return (
                f"{said}. Validation tells more: each of its {self.data.rows['validation']} rows was predicted unseen"
            )
        return f"{said}. study=cross_validation predicts each row by a model that has not seen it (docs/studies.md)"

    def passed_over(self) -> Mapping[str, Any] | None:
        """Return the line of the history with the best score, if it was not kept as it is better by chance alone."""
        name, kept = self.objective.name, self.training.kept_epoch
        if kept is None or self.training.averaged_steps:
            return None
        sign = 1 if self.objective.greater_is_better else -1
        lines = [line for line in self.history if line.get(name) is not None]
        best = max(lines, key=lambda line: float(sign * line[name]))
        of_kept = min(lines, key=lambda line: abs(line["epoch"] - kept))  # `kept` is rounded
        return None if of_kept[name] == best[name] else best

    def worth_of_validation(self) -> str:
        """Return in a sentence whether anything was chosen by the validation scores, and what that makes of them."""
        name = self.objective.name
        if self.choice is not None and self.choice.stands_for_validation:
            return (
                "Validation rows are those of training, each predicted by the model of a fold without it. The way of "
                f"training was chosen by their {name}, so that these scores are a little too good."
            )
        if self.training.kept_epoch is None:
            return "No epoch was chosen by the validation scores: the last weights were kept."
        return f"The epoch was chosen by {name} on validation, so that validation scores are too good."

    def save(self, path: Path) -> None:
        """Write the report atomically. NaN is written as null."""
        write_json(path, asdict(self))

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> "Report":
        """Return the report that a JSON object holds.

        Raises:
            ValueError: a part is missing or is not what a run writes.
        """
        parts: dict[str, type[Any]] = {
            "model": ModelFacts,
            "data": DataFacts,
            "objective": Objective,
            "training": TrainingFacts,
            "environment": Environment,
        }
        read = {name: _from_json(kind, tree.get(name)) for name, kind in parts.items()}
        if "verdict" in tree:  # older reports have none
            read["verdict"] = _verdict(tree["verdict"])
        if tree.get("choice") is not None:
            read["choice"] = _choice(tree["choice"])
        report = _from_json(cls, {**tree, **read})
        report._require_readable()
        return report

    def _require_readable(self) -> None:
        """Check the parts that a later command reads.

        Raises:
            ValueError: one of them is not what a run writes.
        """
        metrics: Any = self.metrics
        name = self.objective.name
        if not isinstance(metrics, dict) or not all(isinstance(scores, dict) for scores in metrics.values()):
            raise ValueError("metrics are no scores by split")
        for split, scores in metrics.items():
            if not isinstance(scores.get(name), int | float | None) or name not in scores:
                raise ValueError(f"metrics.{split} has no number for {name}")
        if not isinstance(self.data.files, dict):
            raise ValueError("data.files are no fingerprints by file")


def _verdict(tree: Any) -> Verdict:
    try:
        return Verdict.from_dict(tree)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"verdict can't be read: {error!r}") from error


def _choice(tree: Any) -> Choice:
    try:
        return choice_from_json(tree)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"choice can't be read: {error!r}") from error


def load_report(path: Path) -> Report | None:
    """Return the report of a finished run, or None if the file is missing or not that of a finished run.

    Raises:
        ValueError: the file is damaged, or another version of this program wrote it; the message says what is wrong.
    """
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error
    if not isinstance(tree, dict):
        raise ValueError("it is no JSON object")
    return Report.from_dict(tree) if tree.get("status") == FINISHED else None


Part = TypeVar("Part")


def _from_json(kind: type[Part], tree: Any) -> Part:
    """Return a dataclass with the values of a JSON object. Unknown keys are ignored."""
    values = tree if isinstance(tree, Mapping) else {}
    known: tuple[Any, ...] = fields(kind)  # type: ignore[arg-type]
    needed = [part.name for part in known if part.default is MISSING and part.default_factory is MISSING]
    missing = [name for name in needed if name not in values]
    if missing:
        raise ValueError(f"no {kind.__name__}.{missing[0]}")
    return kind(**{part.name: values[part.name] for part in known if part.name in values})
