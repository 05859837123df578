"""Memory does not grow with the rows of a file."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = 100_000
TEXT = "손흥민 " + "abcdefghij " * 45
CODE = """
import re, sys
from pathlib import Path
from support.found_words import find_words
find_words(sys.argv[1], output=sys.argv[2])
print(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(("kind", "form"), [("parquet", "parquet"), ("csv", "jsonl")])
def test_200_000_rows_take_no_more_than_100_000(tmp_path: Path, kind: str, form: str) -> None:
    peaks = []
    for times in (1, 2):
        source, target = tmp_path / f"{times}.{kind}", tmp_path / f"{times}.out.{form}"
        count = times * ROWS
        if kind == "parquet":
            texts = [f"{number} {TEXT}" for number in range(count)]
            pq.write_table(pa.table({"id": range(count), "text": texts}), source, row_group_size=count)
        else:
            with source.open("w", encoding="utf-8") as file:
                file.write("id,text\n")
                file.writelines(f"{number},{number} {TEXT}\n" for number in range(count))
        result = subprocess.run(
            [sys.executable, "-c", CODE, str(source), str(target)],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            timeout=500,
        )
        assert result.returncode == 0, result.stderr
        peaks.append(int(result.stdout) * 1024)
        if form == "parquet":
            assert pq.ParquetFile(target).metadata.num_rows == count
    # the texts alone are fifty megabytes more
    assert peaks[1] - peaks[0] < 30_000_000, peaks
