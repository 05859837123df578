"""Reading a recipe: a YAML file of the form `key: value`, with errors that name the line and what was expected."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from malmoi.data.user_error import UserError

EXPECTED = "expected lines of the form `key: value`"


class RecipeError(UserError):
    """A recipe or a flag that cannot be understood."""


class UniqueKeyLoader(yaml.SafeLoader):
    """The safe loader of YAML, which takes no key twice: of two values, one would be forgotten in silence."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping."""
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} stands here a second time", key.start_mark
                    )
                seen.add(key.value if isinstance(key, yaml.ScalarNode) else "")
        return super().construct_mapping(node, deep=deep)


def read_recipe(path: Path) -> dict[str, Any]:
    """Return the settings of a recipe.

    Raises:
        RecipeError: If it is no UTF-8, no YAML, no mapping, or has a key twice; with line and column.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RecipeError(f"{path}, line {line}: expected UTF-8, got byte 0x{content[error.start]:02x}.") from None
    try:
        settings = yaml.load(text, UniqueKeyLoader)
    except yaml.MarkedYAMLError as error:
        raise RecipeError(f"{path}{_place(error)}: expected YAML: {_problem(error)}.") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise RecipeError(
            f"{path}, line {line}: expected YAML, which has no character U+{ord(text[error.position]):04X}."
        ) from None
    except ValueError as error:  # a date that does not exist, as 2024-13-01
        raise RecipeError(f"{path}: expected YAML: {error}.") from None
    if settings is None:
        raise RecipeError(f"{path}: {EXPECTED}, but it is empty.")
    if not isinstance(settings, dict):
        kind = "a list" if isinstance(settings, list) else f"{str(settings)[:40]!r}"
        raise RecipeError(f"{path}: {EXPECTED}, got {kind}.")
    for key in settings:
        if not isinstance(key, str):
            raise RecipeError(f"{path}: {EXPECTED}, got the key {key!r}, which is no name.")
    return settings


def _place(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = " ".join(str(error.problem or error.context).split())
    if problem.startswith("but ") and error.context:
        problem = f"{error.context}, {problem}"
    if "mapping values are not allowed" in problem:
        return "a second colon on this line; put the value in quotes"
    if r"'\t' that cannot start" in problem:
        return "lines are indented by spaces, not by tabs"
    return problem.replace("'<stream end>'", "the end of the file")
