"""Answer the texts of a Ray dataset on the machines of a cluster. Needs `pip install 'malmoi[ray]'`."""

from typing import Any

import pyarrow as pa

from malmoi.inference.answer_rows import ModelChoice, RowAnswerer, check_columns

try:
    import ray
    from ray.data import ActorPoolStrategy, Dataset
except ImportError as error:
    raise ImportError("malmoi.inference.ray_data needs Ray Data: `pip install 'malmoi[ray]'`.") from error


class ModelActor:
    """What each worker is: it loads the model once, and answers batch after batch of rows."""

    def __init__(self, choice: ModelChoice, text_column: str):
        cpus = ray.get_runtime_context().get_assigned_resources().get("CPU", 1)
        self._answerer = RowAnswerer(choice, threads=max(1, int(cpus)))
        self._text_column = text_column

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Return the rows of a batch with what they get."""
        check_columns(rows.column_names, text_column=self._text_column, task=self._answerer.choice.task)
        answers = self._answerer(rows[self._text_column].to_pylist())
        for field in answers.schema:
            rows = rows.append_column(field, answers[field.name])
        return rows


def answer_dataset(
    dataset: Dataset, choice: ModelChoice | None = None, *, text_column: str = "text", workers: int = 1, **options: Any
) -> Dataset:
    """Return the dataset with the answers to its texts: every row once, even if workers are killed.

    Args:
        dataset: The dataset. Its other columns stay as they are.
        choice: Which model answers; by default the one of the package for names.
        text_column: The column with the texts. One that is null gets nulls.
        workers: How many processes answer, each with the model in its memory.
        options: What else `map_batches` takes: `num_cpus` (1 unless told otherwise) or `num_gpus` of each worker.

    Raises:
        UserError: If columns do not fit. What is found out by a worker Ray wraps in an error of its own.
    """
    chosen = choice or ModelChoice()
    schema = dataset.schema(fetch_if_missing=False)  # what is not known before the data are read, the workers check
    check_columns(schema.names if schema else [text_column], text_column=text_column, task=chosen.task)
    # Ray starts a worker that dies anew, and gives it its batch again, unless it is told otherwise
    return dataset.map_batches(
        ModelActor,
        fn_constructor_kwargs={"choice": chosen, "text_column": text_column},
        compute=ActorPoolStrategy(size=workers),
        batch_format="pyarrow",
        **{"num_cpus": 1, "batch_size": 1024, **options},
    )
