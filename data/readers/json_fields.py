"""What the readers of JSON take from its fields in the same way."""

from typing import Any


def name_in(value: object) -> str | None:
    """Return the name or number that a field has; `None` if it is neither a text nor a whole number.

    pandas writes a whole number as `3.0` where other rows have none.
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "" else None


def document_of(fields: dict[str, Any]) -> str | None:
    """Return what a text is part of: the field `document` or `doc_id`, or in `meta` the field `document`."""
    meta = fields.get("meta")
    inner = meta.get("document") if isinstance(meta, dict) else None
    return next(filter(None, map(name_in, (fields.get("document"), fields.get("doc_id"), inner))), None)
