"""Find the names in a folder of Parquet files with Ray Data, on this machine or on a cluster: a column `entities`.

python examples/tag_parquet_with_ray.py SOURCE TARGET --workers 2
ray job submit -- python examples/tag_parquet_with_ray.py SOURCE TARGET --workers 64

Every row is written once, even if workers are killed. TARGET is there when all of it is, and not before; both folders
must be seen by all machines.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow.dataset
import ray

from malmoi.inference.answer_rows import ModelChoice
from malmoi.inference.ray_data import answer_dataset


def rows(folder: Path) -> int:
    """Return the number of rows, which stands at the end of each file."""
    return pyarrow.dataset.dataset(folder, format="parquet").count_rows()


def main(arguments: Sequence[str] | None = None) -> None:
    """Tag a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder with Parquet files")
    parser.add_argument("target", type=Path, help="folder to write; there must be none yet")
    parser.add_argument("--model", help="folder or name of a model; by default the one of the package")
    parser.add_argument("--text_column", default="text")
    parser.add_argument("--workers", type=int, default=1, help="processes that answer, each with a model of its own")
    parser.add_argument("--cpus", type=int, default=1, help="processors, and threads, of each of them")
    options = parser.parse_args(arguments)

    target = options.target.absolute()
    if target.exists():
        sys.exit(f"{target} is there already.")
    unfinished = target.with_name(f"{target.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a run that did not end

    texts = ray.data.read_parquet(str(options.source.absolute()))
    tagged = answer_dataset(
        texts,
        ModelChoice(options.model),
        text_column=options.text_column,
        workers=options.workers,
        num_cpus=options.cpus,
    )
    # a file bears the number of its task: one that is done again writes the same file again
    tagged.write_parquet(str(unfinished))

    if rows(unfinished) != rows(options.source):
        sys.exit(f"{unfinished} has {rows(unfinished)} rows, and {options.source} has {rows(options.source)}.")
    unfinished.rename(target)
    print(f"{rows(target):,} rows: {target}")


if __name__ == "__main__":
    main()
