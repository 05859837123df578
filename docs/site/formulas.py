"""Formulas of the documentation become MathML when the site is built, so that a reader's browser fetches nothing.

`pymdownx.arithmatex` finds them; what it leaves in a page is what is replaced here.
"""

import html
import re
from typing import Any, Literal

from latex2mathml.converter import convert

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
BLOCK = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)
FUNCTION = re.compile(r"(<mi>(?:log|exp|max)</mi>)(?=<mi>|<munder>)")


def on_page_content(content: str, **_: Any) -> str:
    """Write every formula of a page as MathML."""
    content = INLINE.sub(lambda found: as_mathml(found[1], "inline"), content)
    return BLOCK.sub(lambda found: f'<div class="formula">{as_mathml(found[1], "block")}</div>', content)


def as_mathml(formula: str, display: Literal["inline", "block"]) -> str:
    """Return a formula as MathML, with the space between a function and its argument that LaTeX would set."""
    mathml = convert(html.unescape(formula), display=display)
    return FUNCTION.sub(r'\1<mspace width="0.17em"/>', mathml)
