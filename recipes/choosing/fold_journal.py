"""What a finished fold leaves, so that a run that was interrupted need not train its model again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.results.run_directory import RunDirectory
from recipes.system.console import is_main_process
from recipes.system.files import write_text


@dataclass(frozen=True)
class FoldJournal:
    """The places of a fold's results and checkpoints. Their names hold a hash of all that these depend on."""

    folder: Path
    name: str
    "Of the way of training, and the number of the fold."
    key: Mapping[str, Any]
    "What the results depend on. With another key, nothing of an earlier process is found."

    @property
    def _stem(self) -> str:
        digest = hashlib.sha256(json.dumps(self.key, sort_keys=True).encode()).hexdigest()
        return f"{self.name}-{digest[:16]}"

    @property
    def path(self) -> Path:
        """The file of the fold's predictions."""
        return self.folder / f"{self._stem}.json"

    @property
    def directory(self) -> RunDirectory:
        """The directory of the checkpoints, while the fold's model is trained."""
        return RunDirectory(self.folder / self._stem)

    def read(self) -> dict[str, Any] | None:
        """Return what was written, or None if nothing was."""
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            return {"predictions": list(kept["predictions"]), "seconds": float(kept["seconds"])}
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, result: Mapping[str, Any]) -> None:
        """Write the result of a fold, whole or not at all, and remove its checkpoints."""
        if is_main_process():
            write_text(self.path, json.dumps(result, ensure_ascii=False) + "\n")
            self.directory.remove()
