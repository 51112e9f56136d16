"""The rules of DESIGN that an import can break, held by walking every module's imports."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = [path for room in ("tasks", "recipes") for path in sorted((ROOT / room).rglob("*.py"))]


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each imported module and whether the import runs when the module is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node) for function in ast.walk(tree) if isinstance(function, ast.FunctionDef) for node in ast.walk(function)
    }
    inside |= {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            yield name, id(node) not in inside


def test_there_are_modules_to_walk() -> None:
    assert len(MODULES) > 20


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_import_only_what_they_may(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    found = {module.partition(".")[0] for module, _ in imports(path)}
    assert "scripts" not in found
    if name.startswith("tasks"):
        assert not found & {"recipes", "hydra", "omegaconf", "accelerate"}
        assert "Trainer" not in path.read_text(encoding="utf-8").replace("no Trainer", "")
    if name not in ("recipes/command/dispatch.py", "recipes/command/composing.py", "recipes/command/hydra_errors.py"):
        assert "hydra" not in found
    if name not in ("recipes/command/composing.py", "recipes/config/conversion.py", "recipes/config/flat_keys.py"):
        assert "omegaconf" not in found


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from recipes.run import main; main(['--help']); "
        "heavy = {'torch', 'transformers', 'hydra', 'datasets', 'numpy', 'sklearn', 'evaluate'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "task=classification" in run.stdout


def test_composing_imports_no_torch() -> None:
    code = (
        "import sys; from recipes.run import main; main(['--cfg', 'job']); "
        "heavy = {'torch', 'transformers', 'datasets', 'sklearn', 'evaluate'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "learning_rate" in run.stdout
