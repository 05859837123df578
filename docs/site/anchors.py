"""Headings of a Korean page have the anchors of their English counterparts, so that links are alike in both languages.

A test holds that both pages have the same headings.
"""

import re
from pathlib import Path
from typing import Any

from markdown.extensions.toc import unique
from mkdocs.structure.pages import Page
from pymdownx.slugs import slugify

HEADING_OR_FENCE = re.compile(r"^(?:#+ +(?P<heading>.+?)|```.*?^```) *$", re.MULTILINE | re.DOTALL)
slug_of = slugify(case="lower")


def anchors(markdown: str) -> list[str]:
    """Return the anchor of every heading of a page."""
    used: set[str] = set()
    headings = [found["heading"] for found in HEADING_OR_FENCE.finditer(markdown) if found["heading"]]
    return [unique(slug_of(heading.replace("`", ""), "-"), used) for heading in headings]


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Give the headings of a translated page their anchors."""
    source = Path(str(page.file.abs_src_path))
    if not source.name.endswith(".ko.md"):
        return markdown
    names = iter(anchors(source.with_name(source.name.replace(".ko.md", ".md")).read_text(encoding="utf-8")))
    return HEADING_OR_FENCE.sub(
        lambda found: f"{found[0].rstrip()} {{#{next(names)}}}" if found["heading"] else found[0], markdown
    )
