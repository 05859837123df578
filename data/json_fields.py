"""What the readers of JSON take from its fields in the same way."""

from collections.abc import Mapping
from typing import Any

from malmoi.data.column_headings import DOCUMENT_HEADING

DOCUMENT_FIELDS = ("document", "doc_id")
"""Of several fields that may name what a text is part of these come first."""


def name_in(value: object) -> str | None:
    """Return the name or number that a field has; `None` if it is neither a text nor a whole number, or blank.

    pandas writes a whole number as `3.0` where other rows have none.
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip() else None


def class_in(value: object) -> str | None:
    """Return the class that a field has: a text, a whole number, or true or false by these words; `None` otherwise."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else name_in(value)


def document_of(fields: Mapping[str, Any]) -> str | None:
    """Return what a text is part of: the field `document`, `doc_id` or another that is called so, or one in `meta`."""
    meta = fields.get("meta")
    named = [*_documents_in(fields), *(_documents_in(meta) if isinstance(meta, dict) else [])]
    return next(filter(None, map(name_in, named)), None)


def has_place_for_document(fields: Mapping[str, Any]) -> bool:
    """Tell whether fields have one that would name what a text is part of, also in `meta`, whatever it holds."""
    meta = fields.get("meta")
    return any(DOCUMENT_HEADING.fullmatch(name) for name in (*fields, *(meta if isinstance(meta, dict) else ())))


def _documents_in(fields: Mapping[str, Any]) -> list[Any]:
    others = (name for name in fields if DOCUMENT_HEADING.fullmatch(name) and name not in DOCUMENT_FIELDS)
    return [fields.get(name) for name in (*DOCUMENT_FIELDS, *others)]
