"""A command with which somebody can try a model at once."""

import shlex
from pathlib import Path

from malmoi.inference.model_tasks import COMMANDS

EXAMPLES = {
    "named-entities": "손흥민은 춘천에서 태어났다.",
    "word-spacing": "아버지가방에들어가신다.",
    "sentence-classification": "배우들 연기가 정말 좋았어요.",
}


def example_command(task: str, folder: Path) -> str:
    """Return the command that asks the model of a folder about a sentence of its task."""
    return f'{shlex.join(["malmoi", COMMANDS[task], str(folder)])} "{EXAMPLES[task]}"'
