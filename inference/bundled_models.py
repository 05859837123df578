"""The models of the package by their names, `bundled:named-entities`, wherever a model can be named."""

import os
from pathlib import Path

from malmoi.data.notice import show_value
from malmoi.data.user_error import UserError
from malmoi.models import BODY, FOLDER, NAMES

BUNDLED = "bundled:"
"""How the names begin: a repository on the Hub has no colon in its name, and hardly a folder has one."""


def bundled_name(task: str) -> str:
    """Return the name of the model of the package for a task."""
    return f"{BUNDLED}{task}"


def check_revision(name: str | Path, revision: str | None) -> None:
    """Check that a revision is asked for only of a repository on the Hub: nothing else has any.

    Raises:
        UserError: If the model is a folder, or one of the package.
    """
    if revision is not None and Path(model_place(name)).exists():
        raise UserError(f"{name}: `revision` is for a repository on the Hub, and this is none; leave it out.")


def model_place(name: str | Path) -> str | Path:
    """Return the folder of a model of the package, and every other name as it is.

    Args:
        name: A folder, the name of a repository on the Hub, or that of a model of the package.

    Raises:
        UserError: If the package has no model of this name, or what is given is no name.
    """
    if not isinstance(name, (str, os.PathLike)):
        raise UserError(f"Expected the folder of a model or its name on the Hub, got {show_value(name)}.")
    if not str(name).startswith(BUNDLED):
        return name
    task = str(name).removeprefix(BUNDLED)
    known = (*NAMES, BODY)
    if task not in known:
        raise UserError(f"There is no model {name}; the package has {', '.join(map(bundled_name, known))}.")
    return FOLDER / task


def model_name(place: str | Path) -> str:
    """Return how a user names a model: what `model_place` makes of a name is undone."""
    path = Path(place)
    return bundled_name(path.name) if path.parent == FOLDER else str(place)
