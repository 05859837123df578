"""Answers as columns of a table, for engines that hand rows to many processes: `ray_data` and `spark`."""

import os
import sys
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from malmoi.data.user_error import UserError
from malmoi.inference.models_by_task import TEXT_MODELS

ENTITY = pa.struct(
    {"start": pa.int64(), "end": pa.int64(), "label": pa.string(), "score": pa.float64(), "text": pa.string()}
)
COLUMNS = {
    "named-entities": pa.schema({"entities": pa.list_(ENTITY)}),
    "word-spacing": pa.schema({"spaced": pa.string()}),
    "sentence-classification": pa.schema({"label": pa.string(), "score": pa.float64(), "cut": pa.bool_()}),
}
"""What rows get, for each task; names within are those of `Entity` and `Classification`."""


class ModelChoice(NamedTuple):
    """Which model answers, and how; it is sent to the processes, and each of them loads the model.

    Args:
        model: A folder that every machine has at this place, the name of a repository on the Hub, or that of a model
            of the package; by default the one of the package for the task.
        task: The task of the model.
        batch_size: How many texts are answered at once, at most.
    """

    model: str | None = None
    task: str = "named-entities"
    batch_size: int = 32


class RowAnswerer:
    """A loaded model that answers the texts of rows.

    Args:
        choice: Which model it is.
        threads: How many threads it may use: as many as the engine has given processors to this process.

    Raises:
        UserError: If the model cannot be loaded, or is one for another task.
    """

    def __init__(self, choice: ModelChoice, *, threads: int):
        os.environ["OMP_NUM_THREADS"] = str(threads)  # for what has not been loaded yet
        self.choice = choice
        self._model: Any = TEXT_MODELS[choice.task](choice.model)
        if torch := sys.modules.get("torch"):  # an exported model does without
            torch.set_num_threads(threads)

    def __call__(self, texts: Sequence[str | None]) -> pa.RecordBatch:
        """Return what the row of each text gets, as `COLUMNS` has it; a text that is null gets nulls.

        Raises:
            UserError: If one is neither a text nor null.
        """
        answers = self._model([text for text in texts if text is not None], batch_size=self.choice.batch_size)
        rows = iter([self._row(answer) for answer in answers])
        return pa.RecordBatch.from_pylist(
            [{} if text is None else next(rows) for text in texts], schema=COLUMNS[self.choice.task]
        )

    def _row(self, answer: Any) -> dict[str, Any]:
        """Return what the row of an answered text gets."""
        if self.choice.task == "named-entities":
            return {"entities": [entity._asdict() for entity in answer]}
        if self.choice.task == "word-spacing":
            return {"spaced": answer.text}
        return {name: getattr(answer, name) for name in COLUMNS[self.choice.task].names}


def check_columns(columns: Collection[str], *, text_column: str, task: str) -> None:
    """Check that a table has a column of texts, and none of the names that the answers get.

    Raises:
        UserError: If not; the message names the column.
    """
    if task not in COLUMNS:
        raise UserError(f"`task` must be one of {', '.join(COLUMNS)}, got {task!r}.")
    if text_column not in columns:
        raise UserError(f"The table has no column {text_column!r}; it has {', '.join(columns)}.")
    for name in COLUMNS[task].names:
        if name in columns:
            raise UserError(f"The table has a column {name!r}, which is the name of an answer: rename it first.")
