"""The fields of a dataclass as its source declares them: importing transformers' or ours would load torch."""

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

GROUP = re.compile(r"^ {4}# --- (.+) ---$")
DOCUMENTED = re.compile(r"^ {8}(\w+) \([^\n]*?\):(.*\n(?: {12}.*\n)*)", re.MULTILINE)


class DeclaredField(NamedTuple):
    """A field of a class: its name, its type, its default as one writes it, what it means, where it belongs."""

    name: str
    type: str
    default: str
    help: str
    group: str


@cache
def declared_fields(package: str, file_name: str, class_name: str) -> list[DeclaredField]:
    """Return the annotated fields of a class in a file of a package, in their order.

    What a field means is taken from its metadata, or else from the arguments in the docstring of the class; its group
    from comments of the form `# --- Group ---`.
    """
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    source = Path(next(iter(folders or [])), file_name).read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            return _fields(node, source.split("\n"))
    raise AssertionError(f"{file_name} has no class {class_name}")


def _fields(node: ast.ClassDef, lines: list[str]) -> list[DeclaredField]:
    documented = {name: text for name, text in DOCUMENTED.findall((ast.get_docstring(node, clean=False) or "") + "\n")}
    named = {
        line.targets[0].id: line.value
        for line in ast.walk(node)
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)
    }
    found = []
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            given = _given(line.value)
            meaning = _metadata_help(given.get("metadata")) or documented.get(line.target.id, "")
            default = given.get("default")
            if isinstance(default, ast.Name):
                default = named.get(default.id, default)
            found.append(
                DeclaredField(
                    line.target.id,
                    ast.unparse(line.annotation),
                    _written(default, given.get("default_factory")),
                    " ".join(meaning.replace("%%", "%").split()),
                    next((match[1] for text in reversed(lines[: line.lineno]) if (match := GROUP.match(text))), ""),
                )
            )
    return found


def _given(value: ast.expr | None) -> dict[str, ast.expr]:
    """Return what a field is given: the arguments of `field(...)`, or a plain default."""
    if isinstance(value, ast.Call):
        return {keyword.arg: keyword.value for keyword in value.keywords if keyword.arg}
    return {} if value is None else {"default": value}


def _metadata_help(metadata: ast.expr | None) -> str:
    if not isinstance(metadata, ast.Dict):
        return ""
    for key, value in zip(metadata.keys, metadata.values):
        if isinstance(key, ast.Constant) and key.value == "help":
            # a formatted text has parts that only running it would tell
            return "".join(str(part.value) for part in ast.walk(value) if isinstance(part, ast.Constant))
    return ""


def _written(default: ast.expr | None, factory: ast.expr | None) -> str:
    """Return a default as it would be written in a recipe."""
    if factory is not None:
        return {"list": "[]", "dict": "{}"}.get(ast.unparse(factory), "")
    if isinstance(default, ast.Constant):
        return as_written(default.value)
    return "" if default is None else ast.unparse(default)


def as_written(value: object) -> str:
    """Return a value as it would be written in a recipe."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
