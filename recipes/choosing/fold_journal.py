"""What a finished fold leaves, so that a run that was interrupted need not train its model again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.system.console import is_main_process
from recipes.system.files import write_text


@dataclass(frozen=True)
class FoldJournal:
    """The file of a fold: its predictions, and a key of what they depend on."""

    path: Path
    key: Mapping[str, Any]

    def read(self) -> dict[str, Any] | None:
        """Return what was written, or None if nothing was, or for another config or other rows."""
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            if kept["key"] == json.loads(json.dumps(self.key)):
                return {"predictions": list(kept["predictions"]), "seconds": float(kept["seconds"])}
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return None

    def write(self, result: Mapping[str, Any]) -> None:
        """Write the result of a fold, whole or not at all."""
        if is_main_process():
            write_text(self.path, json.dumps({"key": self.key, **result}, ensure_ascii=False) + "\n")
