"""Docstrings of named tuples name arguments: give each class the constructor that it has only when it is made."""

from typing import Any

from griffe import Class, Extension, Function, Parameter, ParameterKind, Parameters


class NamedTuples(Extension):
    """Add the constructor of named tuples, of which the source has nothing but fields."""

    def on_class(self, *, cls: Class, **_: Any) -> None:
        """Make the fields of a named tuple its parameters."""
        if "NamedTuple" not in map(str, cls.bases) or "__init__" in cls.members:
            return
        fields = [member for member in cls.members.values() if member.is_attribute and member.annotation is not None]
        kind = ParameterKind.positional_or_keyword
        parameters = [
            Parameter("self", kind=kind),
            *(Parameter(field.name, annotation=field.annotation, kind=kind, default=field.value) for field in fields),
        ]
        cls.set_member(
            "__init__", Function("__init__", parameters=Parameters(*parameters), parent=cls, returns="None")
        )
