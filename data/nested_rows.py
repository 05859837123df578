"""Where the rows stand in a JSON object that holds all of a data set, as the files of AI Hub do, and how to take them.

Such objects have headers beside their rows and are nested in ways of their own; no reader can know them all.
"""

import json
import re
import shlex
from typing import Any

from malmoi.data.column_headings import TEXT_HEADING

FORM = "form"
"""What corpora in the manner of NIKL call a text."""
DEEPEST = 5
LOOKED_AT = 20
"""So many elements of each list are looked into."""
PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def advice_on_nested_rows(value: Any) -> str:
    """Return the end of a refusal: where the rows of an object seem to stand; empty if none do."""
    place = _place_of_rows(value)
    if place is None:
        return ""
    return f"; rows seem to stand in `{place}`: `jq -c {shlex.quote(place)} OLD > NEW` writes each in a line"


def _place_of_rows(value: Any) -> str | None:
    """Return the first list of objects with a text, those that are less deep first, as `jq` calls its elements."""
    level: list[tuple[str, Any]] = [("", value)]
    for _ in range(DEEPEST):
        below: list[tuple[str, Any]] = []
        for place, held in level:
            if isinstance(held, dict):
                below += [(_member_of(place, key), inner) for key, inner in held.items()]
            elif isinstance(held, list):
                if any(isinstance(element, dict) and _has_text(element) for element in held[:LOOKED_AT]):
                    return f"{place}[]"
                below += [(f"{place}[]", element) for element in held[:LOOKED_AT]]
        level = [(place, held) for place, held in below if isinstance(held, (dict, list))]
    return None


def _member_of(place: str, key: str) -> str:
    if PLAIN_KEY.fullmatch(key):
        return f"{place}.{key}"
    # without a point before it, what begins with a bracket is a list of its own
    return f"{place or '.'}[{json.dumps(key, ensure_ascii=False)}]"


def _has_text(element: dict[str, Any]) -> bool:
    return any(isinstance(text, str) and (key == FORM or TEXT_HEADING.fullmatch(key)) for key, text in element.items())
