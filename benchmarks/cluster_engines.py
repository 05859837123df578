"""The ways to tag a folder of Parquet files that `cluster` compares: processes alone, Ray Data, and Spark."""

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import get_context
from pathlib import Path

import pyarrow.parquet

from malmoi.inference.answer_rows import ModelChoice, RowAnswerer

Job = Callable[[Path, Path], None]
"""Reads the files of one folder and writes them, tagged, into another, which is not there yet."""
HOST = "127.0.0.1"
PLAIN = "malmoi alone"
_answerer: list[RowAnswerer] = []


@contextmanager
def alone(model: str | None, workers: int) -> Iterator[Job]:
    """Give what tags with so many processes, each of which takes one file after the other."""
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_load, initargs=(ModelChoice(model),)
    ) as pool:

        def job(source: Path, target: Path) -> None:
            target.mkdir()
            files = sorted(source.glob("*.parquet"))
            list(pool.map(_tag_file, files, [target / file.name for file in files]))

        yield job


def _load(choice: ModelChoice) -> None:
    _answerer.append(RowAnswerer(choice, threads=1))


def _tag_file(source: Path, target: Path) -> None:
    """Tag a file in batches as large as those that the engines hand over."""
    rows = pyarrow.parquet.read_table(source)
    writer = None
    for batch in rows.to_batches(max_chunksize=1024):
        answers = _answerer[0](batch["text"].to_pylist())
        for field in answers.schema:
            batch = batch.append_column(field.name, answers[field.name])
        writer = writer or pyarrow.parquet.ParquetWriter(target, batch.schema)
        writer.write_batch(batch)
    if writer:
        writer.close()


@contextmanager
def on_ray(model: str | None, workers: int) -> Iterator[Job]:
    """Give what tags by Ray Data on this machine; one processor more is announced, for what reads and writes."""
    os.environ.update(
        RAY_USAGE_STATS_ENABLED="0", RAY_enable_metrics_collection="0", RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0"
    )
    import ray

    from malmoi.inference.ray_data import answer_dataset

    ray.init(
        num_cpus=workers + 1,
        object_store_memory=200 * 2**20,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _node_ip_address=HOST,
    )
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = 2**16  # otherwise files as small as these become one task

    def job(source: Path, target: Path) -> None:
        texts = ray.data.read_parquet(str(source))
        answer_dataset(texts, ModelChoice(model), workers=workers).write_parquet(str(target))

    try:
        yield job
    finally:
        ray.shutdown()


@contextmanager
def on_spark(model: str | None, workers: int) -> Iterator[Job]:
    """Give what tags by Spark on this machine."""
    os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP=HOST)
    from pyspark.sql import SparkSession

    from malmoi.inference.spark import answer_frame

    with tempfile.TemporaryDirectory() as scratch:
        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.host": HOST,
            "spark.driver.bindAddress": HOST,
            "spark.driver.memory": "1g",
            "spark.local.dir": scratch,
            "spark.sql.execution.arrow.maxRecordsPerBatch": "1024",
            "spark.sql.files.openCostInBytes": str(2**27),  # a task for each file, as the others have it
        }
        builder = SparkSession.builder.master(f"local[{workers}]")
        for name, value in settings.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")

        def job(source: Path, target: Path) -> None:
            answer_frame(session.read.parquet(str(source)), ModelChoice(model)).write.parquet(str(target))

        try:
            yield job
        finally:
            session.stop()


ENGINES: dict[str, Callable[[str | None, int], AbstractContextManager[Job]]] = {
    PLAIN: alone,
    "Ray Data": on_ray,
    "Spark": on_spark,
}
"""The first is what the others are compared to."""
