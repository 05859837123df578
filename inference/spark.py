"""Answer the texts of a Spark DataFrame on the machines of a cluster. Needs `pip install 'malmoi[spark]'` and Java."""

import atexit
import functools
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from malmoi.inference.answer_rows import COLUMNS, ModelChoice, RowAnswerer, check_columns

try:
    from pyspark import SparkFiles, TaskContext
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.pandas.functions import arrow_udf
    from pyspark.sql.pandas.types import from_arrow_schema
except ImportError as error:
    raise ImportError("malmoi.inference.spark needs PySpark: `pip install 'malmoi[spark]'`.") from error

ANSWER, SHIPPED = "answer_of_malmoi", "shipped:"


def answer_frame(frame: DataFrame, choice: ModelChoice | None = None, *, text_column: str = "text") -> DataFrame:
    """Return the frame with the answers to its texts; only the texts leave the JVM.

    Args:
        frame: The frame. Its other columns stay as they are.
        choice: Which model answers; by default the one of the package for names.
        text_column: The column with the texts. One that is null gets nulls.

    Raises:
        UserError: If columns do not fit.
    """
    chosen = choice or ModelChoice()
    check_columns(frame.columns, text_column=text_column, task=chosen.task)

    def answers(batches: Iterator[pa.Array]) -> Iterator[pa.Array]:
        task = TaskContext.get()
        answer = _answerer(chosen, task.cpus() if task else 1)
        yield from (answer(texts.to_pylist()).to_struct_array() for texts in batches)

    answered = arrow_udf(answers, from_arrow_schema(COLUMNS[chosen.task]))  # type: ignore[call-overload]
    return frame.withColumn(ANSWER, answered(f"`{text_column}`")).select("*", f"{ANSWER}.*").drop(ANSWER)


@functools.cache
def _answerer(choice: ModelChoice, threads: int) -> RowAnswerer:
    """Return the model, which a worker keeps from one task to the next."""
    if choice.model and choice.model.startswith(SHIPPED):
        choice = choice._replace(model=SparkFiles.get(choice.model.removeprefix(SHIPPED)))
    return RowAnswerer(choice, threads=threads)


def ship_model(session: SparkSession, folder: str | Path) -> str:
    """Send the folder of a model to every worker, and return the name by which a `ModelChoice` has it there.

    Each call gives a new name: folders of the same name are several models, and so is one that was trained anew, while
    workers keep what they have loaded.
    """
    beside = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, beside, ignore_errors=True)  # workers fetch it as long as there is a driver
    name = f"model-{secrets.token_hex(8)}"  # part of an address, in which a name of the user's might mean something
    archive = shutil.make_archive(str(Path(beside, name)), "zip", folder)  # a cluster takes a file name only once
    session.sparkContext.addArchive(f"{archive}#{name}")
    return f"{SHIPPED}{name}"
