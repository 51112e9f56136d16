"""The output of every measurement: a table on the console and in Markdown, and all its numbers as JSON."""

import platform
from pathlib import Path
from typing import Any

from recipes.system.console import say, table
from recipes.system.files import write_json, write_text


def machine() -> dict[str, Any]:
    """Return the facts about this machine and its software that figures depend on."""
    import torch
    import transformers

    from recipes.machine.processor import bf16_units, processor_name
    from recipes.machine.threads import usable_cores

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "processor": processor_name(),
        "cores": usable_cores(),
        "bf16_units": bf16_units() or "none",
        "gpu": gpu,
        "system": platform.system(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def machine_line(values: dict[str, Any]) -> str:
    """Return the machine in one sentence."""
    where = f"{values['cores']} cores of {values['processor']} (bf16 units: {values['bf16_units']})"
    gpu = f", {values['gpu']}" if values["gpu"] else ", no GPU"
    return f"{where}{gpu}; torch {values['torch']}, transformers {values['transformers']}"


def write(folder: Path, name: str, rows: list[list[str]], notes: list[str], content: dict[str, Any]) -> list[Path]:
    """Print a table and write it with its notes to `name`.md, and the numbers behind it to `name`.json."""
    values = machine()
    say()
    say(table(rows))
    for note in notes:
        say(note)
    header, *body = ["| " + " | ".join(row) + " |" for row in rows]
    lines = [header, "|" + " --- |" * len(rows[0]), *body, "", *notes, "", f"Machine: {machine_line(values)}."]
    write_text(folder / f"{name}.md", "\n".join(lines) + "\n")
    write_json(folder / f"{name}.json", {"machine": values, **content})
    return [folder / f"{name}.md", folder / f"{name}.json"]
