"""Find the names in a folder of Parquet files with Spark, on this machine or on a cluster: a column `entities`.

python examples/tag_parquet_with_spark.py SOURCE TARGET --master 'local[2,4]'
spark-submit --master URL examples/tag_parquet_with_spark.py SOURCE TARGET --model runs/klue --ship

Every row is written once, even if workers are killed: what a task has written counts when the task has ended, and a
file `_SUCCESS` lies in TARGET when all of it is there. A local master needs its second number for that, which is how
often a task is tried.
"""

import argparse
from collections.abc import Sequence

from pyspark.sql import SparkSession

from malmoi.inference.answer_rows import ModelChoice
from malmoi.inference.spark import answer_frame, ship_model


def main(arguments: Sequence[str] | None = None) -> None:
    """Tag a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="folder with Parquet files")
    parser.add_argument("target", help="folder to write; there must be none yet")
    parser.add_argument("--model", help="folder or name of a model; by default the one of the package")
    parser.add_argument("--ship", action="store_true", help="send the folder of the model to the workers")
    parser.add_argument("--text_column", default="text")
    parser.add_argument("--master", help="address of the cluster, unless spark-submit has been told")
    options = parser.parse_args(arguments)
    if options.ship and not options.model:
        parser.error("--ship needs --model.")

    # version 1 of the committer moves files into place when all tasks have ended, not one by one
    builder = SparkSession.builder.appName("malmoi").config(
        "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version", "1"
    )
    session = (builder.master(options.master) if options.master else builder).getOrCreate()
    model = ship_model(session, options.model) if options.ship else options.model
    texts = session.read.parquet(options.source)
    answer_frame(texts, ModelChoice(model), text_column=options.text_column).write.parquet(options.target)
    print(f"{session.read.parquet(options.target).count():,} rows: {options.target}")


if __name__ == "__main__":
    main()
