"""Docstrings in two forms that griffe does not read by itself: those of named tuples and those of configurations."""

import re
from typing import Any

from griffe import Class, Extension, Function, Parameter, ParameterKind, Parameters

DECLARED = re.compile(r"(?<=\()`(?P<type>[^`]+)`(?P<rest>(?:, \*optional\*(?:, defaults to [^)]+)?)?)(?=\):)")


class Docstrings(Extension):
    """Give classes what their docstrings speak of."""

    def on_class(self, *, cls: Class, **_: Any) -> None:
        """Let a class be documented."""
        if "NamedTuple" in map(str, cls.bases):
            add_constructor(cls)
        if cls.docstring is not None:
            cls.docstring.value = DECLARED.sub(in_words, cls.docstring.value)


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
