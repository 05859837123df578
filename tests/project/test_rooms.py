"""No arrow runs back up: a room imports rooms below it, and files do not import each other in a circle."""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
FRONT_DOOR = "front_door"
ORDER = (
    *("configuration", "modeling", "kernels", "data", "models", "inference", "embeddings", "metrics", "recipes"),
    *("reports", "training", "conversion", "export", "hub_cards", "service", "commands", "benchmarks"),
)
"""The rooms, the lowest first. `benchmarks` are run in a checkout, and nothing may stand on them."""
GUARDED = {
    ("modeling/linear_chain_crf.py", "malmoi.kernels"),
    ("modeling/bilstm.py", "malmoi.kernels"),
    ("modeling/bilstm.py", "malmoi.kernels.dropout"),
}
"""The exceptions: a saved model computes with the kernels where malmoi is installed, and without them elsewhere."""
NAMES = {"crf_kernels": "kernels"}
"""Rooms whose folder has another name: from the root, `kernels` would stand before the library of that name."""
OF_KERNELS = {"llvmlite", "numba", "torch", "torchcrf", "triton"}
FOLDERS = {room: room for room in ORDER} | {room: folder for folder, room in NAMES.items()}
FILES = [path for room in ORDER for path in sorted((ROOT / FOLDERS[room]).rglob("*.py"))]


class Imported(NamedTuple):
    """A module of ours that a file names."""

    name: str
    line: int
    guarded: bool
    """Whether it is imported within a function, and does without where that fails."""
    parts: tuple[str, ...]
    """What is imported from it: names, or modules if it is a package."""


def named_modules(source: str, module: str, *, is_package: bool = False) -> Iterator[Imported]:
    """Yield every module of malmoi that a source imports, wherever it does, or names in a text, as for `python -m`."""
    tree = ast.parse(source)
    guarded = set(map(id, guarded_imports(tree)))
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(tree):
        names: list[str] = []
        parts: tuple[str, ...] = ()
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(filter(None, (start, node.module)))
            parts = tuple(alias.name for alias in node.names)
            names = [base] if "." in base else [f"{base}.{part}" for part in parts]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value] if all(map(str.isidentifier, node.value.split("."))) else []
            names = [name for name in names if name.startswith("malmoi.")]
        for name in names:
            if name.split(".")[0] == "malmoi":
                yield Imported(name, node.lineno, id(node) in guarded, parts)


def guarded_imports(tree: ast.Module) -> Iterator[ast.ImportFrom]:
    """Yield the imports within `try: ... except ImportError: ...` of a function, or `except Exception`."""
    for function in ast.walk(tree):
        for attempt in ast.walk(function) if isinstance(function, ast.FunctionDef) else ():
            if isinstance(attempt, ast.Try) and any(
                isinstance(handler.type, ast.Name) and handler.type.id in ("ImportError", "Exception")
                for handler in attempt.handlers
            ):
                yield from (node for node in attempt.body if isinstance(node, ast.ImportFrom))


def faults(source: str, file: str) -> list[str]:
    """Return what a file imports that its room may not."""
    path = Path(file)
    path = Path(NAMES.get(path.parts[0], path.parts[0]), *path.parts[1:])
    found = []
    module = "malmoi." + ".".join(path.with_suffix("").parts)
    for imported in named_modules(source, module.removesuffix(".__init__"), is_package=path.name == "__init__.py"):
        room = imported.name.split(".")[1] if "." in imported.name else ""
        if (file, imported.name) in GUARDED and imported.guarded:
            continue
        if room not in ORDER:
            found.append(f"{file}:{imported.line}: {imported.name} is the front door, which is for users")
        elif ORDER.index(room) > ORDER.index(path.parts[0]):
            found.append(f"{file}:{imported.line}: {path.parts[0]} stands below {room} ({imported.name})")
        elif path.parts[0] == "kernels" and room != "kernels":
            found.append(f"{file}:{imported.line}: kernels know nothing of {room} ({imported.name})")
    return found


def test_the_order_names_every_room() -> None:
    assert {path.parent.name for path in ROOT.glob("*/py.typed")} == {*FOLDERS.values(), FRONT_DOOR}


def test_no_room_imports_a_higher_one() -> None:
    assert [
        fault
        for path in FILES
        for fault in faults(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())
    ] == []


@pytest.mark.parametrize(
    "source",
    [
        "import malmoi.commands.main",
        "from malmoi.commands.main import main",
        "from malmoi import commands",
        "from ..commands import main",
        "def later():\n    from malmoi.commands import main",
        "if TYPE_CHECKING:\n    from malmoi.commands import main",
        "try:\n    from malmoi import commands\nexcept ImportError:\n    commands = None",
        "import_module('malmoi.commands.main')",
        "[sys.executable, '-m', 'malmoi.commands.main']",
        "import malmoi",
        "from malmoi import Tagger",
    ],
)
def test_every_way_to_a_higher_room_is_seen(source: str) -> None:
    [fault] = faults(source, "hub_cards/push.py")
    assert "hub_cards stands below commands" in fault or "the front door" in fault


def test_a_saved_model_may_ask_for_the_kernels_but_not_need_them() -> None:
    guarded = (
        "def kernels():\n    try:\n        from malmoi import kernels\n    except ImportError:\n        return None"
    )
    assert faults(guarded, "modeling/linear_chain_crf.py") == []
    assert faults(guarded, "modeling/modeling_bilstm.py") != []
    assert faults("from malmoi import kernels", "modeling/linear_chain_crf.py") != []
    assert faults(guarded.replace("ImportError", "Exception"), "modeling/linear_chain_crf.py") == []
    assert faults(guarded.replace("ImportError", "ValueError"), "modeling/linear_chain_crf.py") != []
    assert faults(guarded.replace("kernels", "data"), "modeling/linear_chain_crf.py") != []


def test_kernels_stand_on_nothing_of_ours() -> None:
    for path in (ROOT / FOLDERS["kernels"]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [str(node.module)]
            else:
                continue
            others = {name.split(".")[0] for name in names} - OF_KERNELS - sys.stdlib_module_names - {"malmoi"}
            assert not others, path


def test_files_that_travel_with_a_model_import_nothing_of_malmoi() -> None:
    for path in [*(ROOT / "modeling").glob("*.py"), *(ROOT / "configuration").glob("*.py")]:
        if path.name in ("__init__.py", "registration.py") or (path.parent.name, path.name[:14]) == (
            "modeling",
            "configuration_",
        ):
            continue
        file = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        guarded = list(guarded_imports(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node not in guarded:
                assert str(node.module).split(".")[0] != "malmoi", file
            if isinstance(node, ast.Import):
                assert "malmoi" not in {alias.name.split(".")[0] for alias in node.names}, file


def test_no_files_import_each_other_in_a_circle() -> None:
    modules = {}
    for path in FILES:
        folder, *parts = path.relative_to(ROOT).with_suffix("").parts
        parts = [NAMES.get(folder, folder), *parts]
        modules[".".join(("malmoi", *parts)).removesuffix(".__init__")] = path
    graph: dict[str, set[str]] = {module: set() for module in modules}
    for module, path in modules.items():
        source = path.read_text(encoding="utf-8")
        for imported in named_modules(source, module, is_package=path.name == "__init__.py"):
            graph[module] |= {imported.name, *(f"{imported.name}.{part}" for part in imported.parts)}
        # a file may run itself in a process of its own
        graph[module] = (graph[module] & set(modules)) - {module}
    assert sum(map(len, graph.values())) > len(graph)
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" is imported by ".join(error.args[1]))
