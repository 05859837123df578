"""Reading a recipe: a YAML file of the form `key: value`, with errors that name the line and what was expected."""

from collections.abc import Collection, Hashable
from pathlib import Path
from typing import Any

import yaml

from malmoi.data.json_object import read_bounded
from malmoi.data.user_error import UserError

MOST_BYTES = 1 << 20
MOST_VALUES = 100_000
EXPECTED = "expected lines of the form `key: value`"
NO_TEXTS = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "timestamp"))
"""What YAML takes words and numbers for that are not in quotes: `on`, `12:30`, `2024_11_30`, `2024-11-30`, `010`."""
TEXT = "tag:yaml.org,2002:str"


class RecipeError(UserError):
    """A recipe or a flag that cannot be understood."""


class UniqueKeyLoader(yaml.SafeLoader):
    """The safe loader of YAML, which takes no key twice: of two values, one would be forgotten in silence.

    Nor does it take aliases that write a little text out to a large one.

    Args:
        text: The document.
        texts: Keys whose values are texts as they are written, whatever YAML takes them for; null is none.
    """

    def __init__(self, text: str, *, texts: Collection[str] = ()):
        super().__init__(text)
        self.texts = texts

    def get_single_node(self) -> Any:
        """Return the root of the document."""
        root = super().get_single_node()
        if root is not None and _written_out(root, {}) > MOST_VALUES:
            raise yaml.constructor.ConstructorError(
                None, None, f"its aliases stand for more than {MOST_VALUES:,} values", root.start_mark
            )
        if isinstance(root, yaml.MappingNode):
            root.value = [(key, self._as_written(key, value)) for key, value in root.value]
        return root

    def _as_written(self, key: yaml.Node, value: yaml.Node) -> yaml.Node:
        are_plain = isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode)
        if are_plain and value.tag in NO_TEXTS and key.value in self.texts:
            return yaml.ScalarNode(TEXT, value.value, value.start_mark, value.end_mark)
        return value

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


def _written_out(node: Any, known: dict[int, int]) -> int:
    """Return how many values there are below a node, those of an alias at each place where it stands."""
    if id(node) not in known:
        known[id(node)] = MOST_VALUES + 1  # of one that stands in itself
        inner = node.value if isinstance(node, yaml.CollectionNode) else ()
        parts = [part for pair in inner for part in (pair if isinstance(pair, tuple) else (pair,))]
        known[id(node)] = 1 + sum(_written_out(part, known) for part in parts)
    return known[id(node)]


def read_recipe(path: Path, *, texts: Collection[str] = ()) -> dict[str, Any]:
    """Return the settings of a recipe.

    Args:
        path: The file.
        texts: The keys whose values are texts.

    Raises:
        RecipeError: If it is no UTF-8, no YAML, no mapping, or has a key twice; with line and column.
    """
    try:
        content = read_bounded(path, most_bytes=MOST_BYTES)
    except UserError as error:
        raise RecipeError(str(error)) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RecipeError(f"{path}, line {line}: expected UTF-8, got byte 0x{content[error.start]:02x}.") from None
    try:
        loader = UniqueKeyLoader(text, texts=texts)
        settings = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        raise RecipeError(f"{path}{_place(error)}: expected YAML: {_problem(error)}.") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise RecipeError(
            f"{path}, line {line}: expected YAML, which has no character U+{ord(text[error.position]):04X}."
        ) from None
    except RecursionError:
        raise RecipeError(f"{path}: expected YAML, but its brackets are nested too deeply.") from None
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
