"""The pages of the documentation: their headings, code, commands, links and figures, as tests look at them."""

import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
ENGLISH = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").glob("*.md") if ".ko." not in path.name)]
"""The pages that are written first; each has a Korean one."""
NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"(?:^|\s+)#\s.*$", re.MULTILINE)


class CodeBlock(NamedTuple):
    """A block of code in a page.

    Args:
        language: What stands behind the fence.
        code: The lines within.
        line: In which line of the page the code begins, from 1 on.
        is_run: Whether no comment above it says why it is not run.
    """

    language: str
    code: str
    line: int
    is_run: bool


def korean(page: Path) -> Path:
    """Return the Korean counterpart of a page."""
    return page.with_suffix(".ko.md")


def shown(page: Path) -> str:
    """Return the name of a page in the repository."""
    return page.relative_to(ROOT).as_posix()


def code_blocks(text: str) -> list[CodeBlock]:
    """Return the blocks of code of a page."""
    blocks = []
    for found in FENCE.finditer(text):
        above = text[: found.start()].rstrip().rpartition("\n")[2]
        line = text.count("\n", 0, found.start("code")) + 1
        blocks.append(CodeBlock(found["language"], found["code"], line, NOT_RUN.fullmatch(above) is None))
    return blocks


def without_comments(block: CodeBlock) -> str:
    """Return code without its comments, which are translated."""
    return COMMENT.sub("", block.code)


def without_code(text: str) -> str:
    """Return a page without its blocks of code."""
    return FENCE.sub("", text)


def headings(text: str) -> list[tuple[int, str]]:
    """Return the level of every heading and its text."""
    return [(len(marks), title) for marks, title in re.findall(r"^(#+) +(.+?) *$", without_code(text), re.MULTILINE)]


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings of a page, as the site and code hosts make them."""
    titles = [unicodedata.normalize("NFC", title).strip().lower() for _, title in headings(text)]
    return {re.sub(r"\s", "-", re.sub(r"[^\w\- ]", "", title)) for title in titles}


def links(text: str) -> list[str]:
    """Return where the links and pictures of a page lead to."""
    return re.findall(r"\]\(([^)\s]+)\)", without_code(text))


def table_rows(text: str) -> list[int]:
    """Return the number of columns of every row of a table."""
    lines = [line for line in without_code(text).splitlines() if line.startswith("|")]
    return [len(re.findall(r"(?<!\\)\|", re.sub(r"`[^`]*`", "", line))) for line in lines]


def figures(text: str) -> list[str]:
    """Return the figures of a page, in an order that does not depend on its words."""
    return sorted(re.findall(r"(?<![\d.,])\d+\.\d+(?!\.?\d)", text))


def shell_commands(text: str) -> list[str]:
    """Return the command lines of the blocks of shell code, each in one line, without comments."""
    blocks = [block for block in code_blocks(text) if block.language == "sh"]
    lines = [line for block in blocks for line in block.code.replace("\\\n", " ").splitlines()]
    return [line.strip() for line in map(COMMENT.sub, [""] * len(lines), lines) if line.strip()]


def inline_code(text: str) -> list[str]:
    """Return what stands between backticks, each in one line."""
    return [" ".join(code.split()) for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", without_code(text))]
