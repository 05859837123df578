"""Headings of a Korean page have the anchors of the English ones, so that links are alike in both languages.

A test holds that both pages have the same headings. Where the pages are read as files, links of Korean ones go to
Korean ones; on the site those have the names of the English ones, below `ko/`.
"""

import re
from pathlib import Path
from typing import Any

from markdown.extensions.toc import unique
from mkdocs.structure.pages import Page
from pymdownx.slugs import slugify

HEADING_OR_FENCE = re.compile(r"^(?:#+ +(?P<heading>.+?)|```.*?^```) *$", re.MULTILINE | re.DOTALL)
KOREAN_PAGE = re.compile(r"(?<=\]\()([a-z-]+)\.ko\.md")
slug_of = slugify(case="lower")


def anchors(markdown: str) -> list[str]:
    """Return the anchor of every heading of a page."""
    used: set[str] = set()
    headings = [found["heading"] for found in HEADING_OR_FENCE.finditer(markdown) if found["heading"]]
    return [unique(slug_of(heading.replace("`", ""), "-"), used) for heading in headings]


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Give the headings of a translated page their anchors, and its links the names that pages have on the site."""
    source = Path(str(page.file.abs_src_path))
    if not source.name.endswith(".ko.md"):
        return markdown
    names = iter(anchors(source.with_name(source.name.replace(".ko.md", ".md")).read_text(encoding="utf-8")))
    markdown = HEADING_OR_FENCE.sub(
        lambda found: f"{found[0].rstrip()} {{#{next(names)}}}" if found["heading"] else found[0], markdown
    )
    return KOREAN_PAGE.sub(r"\1.md", markdown)
