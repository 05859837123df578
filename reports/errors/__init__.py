"""What a model gets wrong, text by text.

`answers.py` says what is known of each answer, whatever the task; `names.py`, `spaces.py` and `classes.py` find it.
From that come the rows of a page (`rows.py`, `page.py`), a file of predictions, and the comparison of two models.
"""

from malmoi.reports.errors.answers import TaskErrors
from malmoi.reports.errors.classes import CLASS_ERRORS
from malmoi.reports.errors.names import NAME_ERRORS
from malmoi.reports.errors.spaces import SPACE_ERRORS

TASK_ERRORS: dict[str, TaskErrors] = {
    "named-entities": NAME_ERRORS,
    "word-spacing": SPACE_ERRORS,
    "sentence-classification": CLASS_ERRORS,
}
"""How the mistakes of each task are found."""
