"""The tasks whose models answer texts, how a configuration names them, and which labels they have.

Nothing here needs torch or transformers.
"""

from collections.abc import Collection
from pathlib import Path

from malmoi.data.label_scheme import read_label_scheme
from malmoi.data.notice import list_names
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import SPACING_LABELS
from malmoi.inference.bundled_models import model_name

COMMANDS = {"named-entities": "tag", "word-spacing": "space", "sentence-classification": "classify"}
"""The command that uses a model of each task."""
CLASSES = {"named-entities": "Tagger", "word-spacing": "Spacer", "sentence-classification": "Classifier"}
"""The class that does."""
TASK_KEY = "malmoi_task"
"""Where the configuration of a saved model names its task."""


def task_of_architecture(architecture: str, labels: Collection[str]) -> str | None:
    """Return the task of a model whose configuration names none, as those from elsewhere; `None` if none is known.

    Args:
        architecture: The class of the model.
        labels: Its labels.
    """
    if architecture.endswith("ForSequenceClassification"):
        return "sentence-classification"
    if architecture.endswith("ForTokenClassification"):
        return "word-spacing" if set(labels) == set(SPACING_LABELS) else "named-entities"
    return None


def check_task_labels(place: object, task: str, labels: Collection[str]) -> None:
    """Check that the labels of a model are such as are read for its task.

    Args:
        place: What messages call the model, or the file that names the labels.
        task: The task.
        labels: The labels in the order of their ids.

    Raises:
        UserError: If not; the message names the labels.
    """
    if task == "named-entities":
        try:
            read_label_scheme([*labels])
        except UserError as error:
            raise UserError(f"{place}: {error}") from None
    elif task == "word-spacing" and sorted(labels) != sorted(SPACING_LABELS):
        raise UserError(f"{place}: expected the labels {' and '.join(SPACING_LABELS)}, got {list_names([*labels])}.")


def another_task(model: str | Path, task: str) -> str:
    """Return what to say of a model for another task than the one that is asked for.

    Args:
        model: Where it is, or how it is named.
        task: Its own task.
    """
    name = model_name(model)
    return f"{name}: this is a model for {task}; use `malmoi {COMMANDS[task]}`, or `{CLASSES[task]}` in Python."
