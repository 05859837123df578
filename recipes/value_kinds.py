"""Whether a value of a recipe is of a kind that its key takes: a number, a text, a list, nothing."""

import types
from collections.abc import Iterable, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

from malmoi.recipes.recipe_file import RecipeError

CHECKED_BY_RANGE = ("train_fraction",)
"""Keys whose range is checked together with their kind."""
WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
    types.NoneType: "null",
}


def check_kinds(settings: Mapping[str, Any], classes: Iterable[type]) -> None:
    """Check lists, mappings and nulls among settings; the parser of the command line knows nothing of them.

    Args:
        settings: The settings by key.
        classes: The dataclasses that declare the keys.

    Raises:
        RecipeError: If a key does not take such a value.
    """
    for declaring in classes:
        for key, declared in get_type_hints(declaring).items():
            if key not in settings or key in CHECKED_BY_RANGE:
                continue
            kinds = _kinds(declared)
            value = settings[key]
            if isinstance(value, (list, dict, types.NoneType)) and type(value) not in kinds:
                expected = dict.fromkeys(WORDS.get(kind, "text") for kind in kinds if kind is not types.NoneType)
                shown = "null" if value is None else repr(value)
                raise RecipeError(f"`{key}` must be {' or '.join(expected)}, got {shown}.")


def text_keys(classes: Iterable[type]) -> set[str]:
    """Return the keys whose values are texts, whatever YAML would make of them: `no`, `2024`, a space.

    Args:
        classes: The dataclasses that declare the keys.
    """
    return {
        key
        for declaring in classes
        for key, declared in get_type_hints(declaring).items()
        if {*_kinds(declared)} <= {str, types.NoneType}
    }


def _kinds(declared: Any) -> list[Any]:
    """Return the plain types that a declared type allows, as `list` for `list[str]`."""
    if get_origin(declared) in (Union, types.UnionType):
        return [kind for part in get_args(declared) for kind in _kinds(part)]
    return [get_origin(declared) or declared]
