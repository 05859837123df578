"""Names of labels, runs and folders inside Markdown: they show as they are, and no table breaks at them."""

import re
from collections.abc import Sequence

# an underscore inside a word is one, at its edge it may be emphasis
SPECIAL = re.compile(r"[\\`*\[\]<>|~$]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")


def markdown_line(text: object) -> str:
    """Return text such that Markdown shows its very characters, in one line, also in a cell of a table.

    White space, line ends among it, becomes one space, as Markdown would show it.
    """
    return SPECIAL.sub(lambda found: f"\\{found[0]}", " ".join(str(text).split()))


def table_line(cells: Sequence[str]) -> str:
    """Return a line of a table whose cells are Markdown already."""
    return f"| {' | '.join(cells)} |"
