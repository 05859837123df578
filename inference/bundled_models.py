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
