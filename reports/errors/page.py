"""Writes what is wrong as one page: a file that needs no network, whose filters work in any browser.

The texts are data of the page and never its source: they lie in it as JSON without `<`, `>` and `&`, and its script
puts them in as text. A policy within the page forbids everything that would come from elsewhere.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from malmoi.data.whole_output import write_named

FOLDER = Path(__file__).parent
SCRIPTS = ("elements.js", "filters.js", "page.js")
ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def write_page(path: Path, data: Mapping[str, Any]) -> None:
    """Write a page.

    Args:
        path: The file.
        data: What it shows, as `page_data` gives it.
    """
    with write_named(path) as file:
        file.write(page_html(data))


def page_html(data: Mapping[str, Any]) -> str:
    """Return the source of a page."""
    words = yaml.safe_load(_part("words.yaml"))
    parts = {
        "style": (FOLDER.parent / "page_base.css").read_text(encoding="utf-8") + _part("page.css"),
        "script": "\n".join(map(_part, SCRIPTS)),
        "words": script_json(words),
        "data": script_json(data),
    }
    before, *rest = _part("page.html").split("{{ ")
    return before + "".join(parts[name] + after for name, after in (part.split(" }}", 1) for part in rest))


def script_json(value: object) -> str:
    """Return JSON that may stand within a `<script>`: no character in it begins or ends anything of HTML."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)


def _part(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
