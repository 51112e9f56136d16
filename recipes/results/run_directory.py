"""The directory of a run, the only thing that a run leaves: its paths, its lock, and checks before it is reused."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from recipes.config.conversion import to_dict, to_yaml
from recipes.config.flat_keys import default_values, flatten
from recipes.config.schema import Config
from recipes.results.location import affects_results
from recipes.results.report import Report, load_report
from recipes.system.files import fingerprint, write_json, write_text
from tasks.data.options import Split
from tasks.errors import InputError


@dataclass(frozen=True)
class RunDirectory:
    """The directory of one run. Its path is made from the run's choices, so that the same command finds it again."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def report(self) -> Path:
        """The file of the report, which is written last."""
        return self.path / "report.json"

    @property
    def page(self) -> Path:
        """The report as a page to look at."""
        return self.path / "report.html"

    @property
    def config(self) -> Path:
        """The file with every value of the run's config."""
        return self.path / "config.yaml"

    @property
    def model(self) -> Path:
        """The folder of the trained model, in the standard format."""
        return self.path / "model"

    @property
    def model_card(self) -> Path:
        """The file that says what the model is."""
        return self.model / "README.md"

    @property
    def partial_model(self) -> Path:
        """The folder that the model is written to before it is moved into place as a whole."""
        return self.path / ".model.partial"

    @property
    def predictions(self) -> Path:
        """The folder of predictions, one file per split."""
        return self.path / "predictions"

    def predictions_of(self, split: Split) -> Path:
        """The file of predictions on one split, one line per row, in the rows' order."""
        return self.predictions / f"{split}.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints, which exists only while the run is unfinished."""
        return self.path / "checkpoints"

    @property
    def folds(self) -> Path:
        """The folder of the folds of a choice, which exists only while the run is unfinished."""
        return self.path / "folds"

    @property
    def adapter(self) -> Path:
        """The folder of low-rank changes, of a model that was trained by them."""
        return self.path / "adapter"

    @property
    def identity(self) -> Path:
        """Facts besides the config that decide an unfinished run's results: rows, model, processes, machine."""
        return self.checkpoints / "identity.json"

    def finished_report(self) -> Report | None:
        """Return the report of a finished run, or None if the run is not finished.

        Raises:
            InputError: the report is damaged, or another version of this program wrote it.
        """
        try:
            return load_report(self.report)
        except ValueError as error:
            raise InputError(
                f"{self.report} is damaged, or of another version of this program: {error}. To do the run again: "
                "overwrite=true; to keep both: output_root=OTHER_FOLDER"
            ) from error

    def begin(self, config: Config, identity: Mapping[str, Any]) -> None:
        """Clear the directory, then write the config and the identity of the run that begins."""
        self.clear()
        write_text(self.config, to_yaml(config))
        write_json(self.identity, identity)

    def clear(self) -> None:
        """Remove the files of an earlier run, first the report, which marks it as finished. Other files stay."""
        self.report.unlink(missing_ok=True)
        self.page.unlink(missing_ok=True)
        self.config.unlink(missing_ok=True)
        for folder in (self.model, self.predictions, self.adapter, self.partial_model):
            shutil.rmtree(folder, ignore_errors=True)
        self._remove_unfinished()

    def tidy(self) -> None:
        """Remove what a finished run does not need: checkpoints, folds, and files that a kill left half written."""
        shutil.rmtree(self.folds, ignore_errors=True)
        self._remove_unfinished()

    def remove_weights(self) -> None:
        """Remove the weights of a finished run, and keep all else."""
        for folder in (self.model, self.adapter):
            for path in folder.glob("*.safetensors*"):
                path.unlink(missing_ok=True)

    @property
    def has_weights(self) -> bool:
        """Whether the weights of the model are there."""
        return any(self.model.glob("*.safetensors*"))

    def remove(self) -> None:
        """Remove the directory with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _remove_unfinished(self) -> None:
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        for path in self.path.rglob(".*.partial"):
            with suppress(OSError):
                path.unlink()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the directory against other processes. The system releases the lock however this process ends.

        Afterwards, empty folders that were made for the lock are removed.

        Raises:
            InputError: another process has the lock, or the directory can't be written to.
        """
        made = [path for path in (self.path, *self.path.parents) if not path.exists()]
        lock_file = self.path / ".lock"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(lock_file, timeout=0)
            lock.acquire()
        except Timeout as error:
            raise InputError(
                f"{self} is in use: another process is doing this very run. Wait for it, or take another output_root"
            ) from error
        except OSError as error:
            raise InputError(f"{self} can't be written to: {error.strerror or error}") from error
        try:
            yield
        finally:
            # Remove the file while the lock is held: after that, the file of this name may be another process's lock.
            lock_file.unlink(missing_ok=True)
            lock.release()
            for path in (self.checkpoints, *made):
                with suppress(OSError):
                    path.rmdir()

    def require_same_config(self, config: Config) -> None:
        """Refuse the directory of a run with another config.

        A key that is missing in its config file was added to the program later, and counts as having its default.

        Raises:
            InputError: the configs differ, and the message names the keys; or the config file is damaged.
        """
        if not self.config.is_file():
            return
        defaults = default_values(config.task.name)
        there = defaults | flatten(self._written_config())
        here = flatten(to_dict(config))
        differing = [key for key in sorted({*there, *here}) if affects_results(key) and there.get(key) != here.get(key)]
        if differing:
            lines = [f"  {key}: {there.get(key)!r} there, {here.get(key)!r} now" for key in differing]
            raise InputError(
                "\n".join(
                    [
                        f"{self} was made with another config:",
                        *lines,
                        "To do it again with this one: overwrite=true; to keep both: output_root=OTHER_FOLDER",
                    ]
                )
            )

    def _written_config(self) -> dict[str, Any]:
        try:
            tree = yaml.safe_load(self.config.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(self._damaged(self.config)) from error
        # A config that was cut off is often valid YAML; what it lacks would look like the choice of its default.
        if not isinstance(tree, dict) or not {"task", "data", "model", "hparams", "seed"} <= tree.keys():
            raise InputError(self._damaged(self.config))
        return tree

    def _damaged(self, path: Path) -> str:
        return (
            f"{path} is damaged, so that nothing tells what was run in {self}. To begin anew: overwrite=true; to keep "
            "what is there: output_root=OTHER_FOLDER"
        )

    def require_same_files(self, report: Report) -> None:
        """Refuse to accept a run as done if its data files have changed since.

        Raises:
            InputError: files have changed; the message names them.
        """
        then = report.data.files
        changed = [name for name, known in then.items() if Path(name).is_file() and fingerprint(Path(name)) != known]
        if changed:
            raise InputError(
                f"{self} holds a finished run, but its data have changed since: {', '.join(changed)}.\n"
                "To train on them as they are now: overwrite=true; to keep both: output_root=OTHER_FOLDER"
            )

    def require_same_identity(self, identity: Mapping[str, Any]) -> None:
        """Refuse to resume a training that began with other rows, another model or another number of processes.

        Raises:
            InputError: the run began differently; the message names what differs.
        """
        lines = self.differences(identity)
        if lines:
            raise InputError(
                "\n".join(
                    [
                        f"{self} holds an unfinished run that began differently:",
                        *(f"  {line}" for line in lines),
                        "To begin anew: overwrite=true; to keep both: output_root=OTHER_FOLDER",
                    ]
                )
            )

    def differences(self, now: Mapping[str, Any]) -> list[str]:
        """Return a phrase for each value in `now` that differs from the one when the unfinished run began.

        Raises:
            InputError: there are checkpoints, but what they began with can't be read.
        """
        if not any(self.checkpoints.glob("*-*")):
            return []
        try:
            then = dict(json.loads(self.identity.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise InputError(self._damaged(self.identity)) from error
        return [f"{key}: {then.get(key)!r} then, {value!r} now" for key, value in now.items() if then.get(key) != value]
