"""The same texts in files of every kind, with columns beside them, and what is read back from the answers."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

KINDS = {"line": ".txt", "json": ".jsonl", "csv": ".csv", "tsv": ".tsv", "parquet": ".parquet"}
"""The kinds of files, and how their names end."""


def write_texts(path: Path, texts: Sequence[str]) -> Path:
    """Write texts into a file of the kind that its ending tells, with an id and a list or a number beside each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        rows = [{"id": number, "sentence": text, "tags": [number, "가"]} for number, text in enumerate(texts)]
        path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    elif path.suffix in (".csv", ".tsv"):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter="," if path.suffix == ".csv" else "\t", quoting=csv.QUOTE_ALL)
            # a quote within quotes tells that quotes are quotes, in a file with tabs too
            writer.writerow(["id", "sentence", "note"])
            writer.writerows([str(number), text, 'the "note"'] for number, text in enumerate(texts))
    elif path.suffix == ".parquet":
        table = pa.table(
            {
                "id": pa.array(range(len(texts)), pa.int32()),
                "sentence": pa.array(texts, pa.string()),
                "raw": pa.array([bytes([number % 256]) for number in range(len(texts))], pa.binary()),
            }
        )
        pq.write_table(table, path, row_group_size=max(1, len(texts) // 3))
    else:
        path.write_bytes("".join(f"{text}\n" for text in texts).encode())
    return path


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of JSON lines, CSV or Parquet."""
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    content = path.read_bytes().decode()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in content.removesuffix("\n").split("\n")] if content else []
    return list(csv.DictReader(io.StringIO(content, newline=""), strict=True))
