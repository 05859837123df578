"""Folders of models and what uses them, for tests that damage one and ask what is said of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from malmoi.data.user_error import UserError

TEXTS = ["손흥민은 춘천에서 태어났다. 비가 와서 집에", "", "abc 가\U0001f600"]


class FolderInUse(NamedTuple):
    """A folder, and what uses it."""

    folder: Path
    use: Callable[[Path], Any]


def refusal(model: FolderInUse) -> str | None:
    """Return what is said of a folder that is refused; `None` if its model answers."""
    try:
        user = model.use(model.folder)
    except UserError as error:
        said = str(error)
        assert said.startswith(str(model.folder))
        assert "\n" not in said
        assert len(said) < 700
        return said.removeprefix(str(model.folder))
    try:
        answers = list(user(TEXTS))
    except UserError as error:  # a window that has no room for a word
        return str(error)
    assert len(answers) == len(TEXTS)
    return None
