"""The rooms of the project and their ranks, checked in every module's imports."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

RANKS = (
    (
        "tasks.errors",
        "tasks.overrides",
        "tasks.columns",
        "tasks.windows",
        "tasks.network",
        "tasks.portions",
        "tasks.probabilities",
    ),
    ("tasks.tags", "tasks.words", "tasks.data.options", "tasks.data.column_names", "tasks.data.records"),
    ("tasks.data.cells", "tasks.data.decoding", "tasks.scoring"),
    ("tasks.baselines", "tasks.analysis", "tasks.checks", "tasks.auditing", "tasks.suggesting"),
    ("tasks.data.formats",),
    ("tasks.data.annotation",),
    ("tasks.data", "tasks.metrics"),
    ("tasks",),
    ("tasks.loading", "tasks.writing"),
    ("tasks.inspecting",),
    ("recipes.system", "recipes.config", "recipes.statistics"),
    ("recipes.results",),
    ("recipes.reporting",),
    ("recipes.command", "recipes.machine", "recipes.model"),
    ("recipes.windows", "recipes.checkpoints"),
    ("recipes.speed", "recipes.heads", "recipes.tracking"),
    ("recipes.inference",),
    ("recipes.levers",),
    ("recipes.training",),
    ("recipes.choosing",),
    ("recipes.experiments",),
    ("recipes.serving", "recipes.comparing", "recipes.jobs", "recipes.checking"),
    ("recipes.searching", "recipes.studies"),
    ("recipes.auditing", "recipes.suggesting"),
    ("recipes",),
    ("recipes.bench",),
)
"""Rooms from the lowest to the highest rank. A module belongs to the room with the longest name that is a prefix of the
module's. It imports only from its own room and from rooms of lower rank. `tasks` and `recipes` are the rooms of the
modules at the top of these folders."""

RANK = {room: rank for rank, rooms in enumerate(RANKS) for room in rooms}

ONLY_VERBS_COMPOSE = (
    "recipes",
    "recipes.auditing",
    "recipes.bench",
    "recipes.command",
    "recipes.jobs",
    "recipes.searching",
    "recipes.studies",
    "recipes.suggesting",
)
"Rooms that may import `recipes.command`. All others get values from a command, and never read the command line."

Imports = Mapping[str, Iterable[str]]
"The dotted names that each module imports."


def room_of(module: str) -> str:
    parts = module.split(".")
    prefixes = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next(prefix for prefix in prefixes if prefix in RANK)


def arrows_up(imports: Imports) -> list[str]:
    """Return the forbidden imports: of another room of the same or a higher rank, or of the command line."""
    wrong = []
    for module, imported in imports.items():
        here = room_of(module)
        for other in imported:
            there = room_of(other)
            upwards = there != here and RANK[there] >= RANK[here]
            if upwards or (there == "recipes.command" and here not in ONLY_VERBS_COMPOSE):
                wrong.append(f"{module} (rank {RANK[here]}) imports {other} (rank {RANK[there]})")
    return wrong


def circles(imports: Imports) -> list[str]:
    """Return the modules of one import cycle, or an empty list."""
    try:
        tuple(TopologicalSorter(imports).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


def read_modules() -> dict[str, tuple[Path, ast.Module]]:
    paths = [path for folder in ("tasks", "recipes") for path in sorted((ROOT / folder).rglob("*.py"))]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return {name: (path, ast.parse(path.read_text(encoding="utf-8"))) for name, path in zip(names, paths, strict=True)}


MODULES = read_modules()


def imported_names(tree: ast.Module) -> set[str]:
    """Return every dotted name that is imported anywhere in a module; `from a import b` gives both a and a.b."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


def own_imports() -> dict[str, set[str]]:
    """Return the imports among our own modules. A package counts only where none of its modules is imported."""
    found = {}
    for name, (_, tree) in MODULES.items():
        names = imported_names(tree) & set(MODULES)
        found[name] = {one for one in names if not any(other.startswith(f"{one}.") for other in names)} - {name}
    return found


def test_no_import_leads_up_or_in_a_circle() -> None:
    imports = own_imports()
    assert sum(map(len, imports.values())) > 200, "the imports have been found"
    assert arrows_up(imports) == []
    assert circles(imports) == []


def test_every_room_is_there_and_says_what_lives_in_it() -> None:
    for room in RANK:
        path, tree = MODULES[room]
        assert ast.get_docstring(tree), f"{path} has no docstring"
    folders = {path.parent for path, _ in MODULES.values()}
    assert {room_of(".".join(folder.relative_to(ROOT).parts)) for folder in folders} <= set(RANK)


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("recipes.results.report", "recipes.training.reporting"),
        ("recipes.heads.loss", "recipes.training.trainer"),
        ("tasks.ner", "recipes.config.schema"),
        ("recipes.experiments.experiment", "recipes.command.composing"),
        ("tasks.data.formats.conll", "tasks.data.read"),
        ("recipes.windows.encoder", "recipes.checkpoints.sealed"),
    ],
)
def test_an_import_that_is_turned_around_is_found(low: str, high: str) -> None:
    imports = own_imports()
    assert {low, high} <= set(imports)
    turned = {**imports, low: {*imports[low], high}}
    assert [line for line in arrows_up(turned) if line.startswith(low) and high in line]


def test_a_circle_within_a_room_is_found() -> None:
    imports = own_imports()
    assert "recipes.training.trainer" in imports["recipes.training.assembly"]
    turned = {**imports, "recipes.training.trainer": {"recipes.training.assembly"}}
    assert arrows_up(turned) == []
    assert {"recipes.training.trainer", "recipes.training.assembly"} <= set(circles(turned))


LIBRARIES = {
    "hydra": {
        *(f"recipes.command.{name}" for name in ("composing", "dispatch", "hydra_errors", "literals")),
        *(f"recipes.{name}" for name in ("jobs.launching", "jobs.named", "searching.space", "searching.trial")),
    },
    "omegaconf": {
        "recipes.command.composing",
        "recipes.config.conversion",
        "recipes.config.flat_keys",
        "recipes.config.task_options",
        "recipes.searching.plan",
        "recipes.searching.winner",
    },
    "optuna": {
        f"recipes.searching{name}"
        for name in (
            "",
            ".confirming",
            ".plan",
            ".proposing",
            ".record",
            ".searching",
            ".space",
            ".store",
            ".table",
            ".trial",
        )
    }
    | {"recipes.bench.searches"},
    "accelerate": {"recipes.inference.predicting"},
}
"The only modules that may import these libraries, which would otherwise spread through the code."


@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries_are_imported_where_they_belong(library: str) -> None:
    found = {name for name, (_, tree) in MODULES.items() if library in {i.split(".")[0] for i in imported_names(tree)}}
    assert found == LIBRARIES[library]


def test_tasks_know_no_trainer() -> None:
    for name, (_, tree) in MODULES.items():
        if name.startswith("tasks"):
            assert not {imported.split(".")[-1] for imported in imported_names(tree)} & {"Trainer", "TrainingArguments"}


def test_nothing_outside_tasks_asks_which_task_it_is() -> None:
    """No module outside `tasks` compares with a task's name; tables with an entry for each task are fine."""
    names = {"classification", "ner", "qa"}
    for module, (path, tree) in MODULES.items():
        if module.startswith("tasks"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare):
                constants = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
                assert not constants & names, f"{path}, line {node.lineno}"


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules that are loaded once some code has run."""
    shown = f"{code}\nimport sys; print('MODULES', *{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.splitlines()[-1].split())


HEAVY = {"torch", "transformers", "datasets", "sklearn", "evaluate"}


def test_help_imports_nothing_heavy() -> None:
    loaded = loaded_by("from recipes.run import main; main(['--help'])")
    assert not loaded & {*HEAVY, "hydra", "numpy"}
    assert "recipes" in loaded


def test_composing_imports_no_torch() -> None:
    assert not loaded_by("from recipes.run import main; main(['--cfg', 'job'])") & HEAVY


@pytest.mark.parametrize("room", ["recipes.config", "recipes.results", "recipes.command"])
def test_rooms_that_import_no_torch(room: str) -> None:
    modules = [name for name in MODULES if name.startswith(f"{room}.")]
    assert modules
    assert not loaded_by(f"import {', '.join(modules)}") & HEAVY


def test_system_imports_only_the_standard_library() -> None:
    modules = [name for name in MODULES if name.startswith("recipes.system.")]
    assert modules
    bare = loaded_by("")
    assert loaded_by(f"import {', '.join(modules)}") - bare <= {*sys.stdlib_module_names, "recipes"}
