"""Docstrings in forms that griffe does not read by itself: of named tuples, of configurations, with one example."""

import re
from typing import Any

from griffe import Class, Extension, Function, Object, Parameter, ParameterKind, Parameters

DECLARED = re.compile(r"(?<=\()`(?P<type>[^`]+)`(?P<rest>(?:, \*optional\*(?:, defaults to [^)]+)?)?)(?=\):)")

EXAMPLE = re.compile(r"^( *)Example:$", re.MULTILINE)


class Docstrings(Extension):
    """Give objects what their docstrings speak of."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Let an object be documented."""
        if isinstance(obj, Class) and "NamedTuple" in map(str, obj.bases):
            add_constructor(obj)
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub(r"\1Examples:", DECLARED.sub(in_words, obj.docstring.value))


def add_constructor(cls: Class) -> None:
    """Make the fields of a named tuple the parameters of a constructor, of which the source has nothing."""
    kind = ParameterKind.positional_or_keyword
    fields = [member for member in cls.attributes.values() if "property" not in member.labels]
    parameters = [
        Parameter("self", kind=kind),
        *(Parameter(field.name, annotation=field.annotation, kind=kind, default=field.value) for field in fields),
    ]
    cls.set_member("__init__", Function("__init__", parameters=Parameters(*parameters), parent=cls, returns="None"))


def in_words(declared: re.Match[str]) -> str:
    """Return the type of a setting without its marks: it is shown as code."""
    return declared["type"] + declared["rest"].replace("*", "").replace("`", "")
