"""Annotations of many sentences and of very long ones: time grows with their number, memory little."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.property_texts import texts_and_spans

from malmoi.data.alignment import Span
from malmoi.data.readers import READERS

CODE = """
import sys, time
from pathlib import Path
from malmoi.data.readers import READERS
reader, small, large = sys.argv[1:]
options = {"task": "named-entities"} if len(READERS[reader].tasks) > 1 else {}
def seconds(folder):
    start = time.process_time()
    READERS[reader].read(Path(folder), **options)
    return time.process_time() - start
def memory():
    # in KiB; `resource` would tell the peak of the process that has started this one, if that is higher
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
seconds(small)
first, before = min(seconds(small) for _ in range(2)), memory()
print(seconds(large) / first, (memory() - before) / 1024)
"""


def write(reader: str, folder: Path, count: int, *, sentence: str = "박서연은 전주에서 비빔밥을 먹었다.") -> Path:
    """Write a sentence so many times, each with a name, in the form of a reader."""
    folder.mkdir()
    texts = [f"{sentence} {number}" for number in range(count)]
    name = {"start": 0, "end": 3, "label": "PS", "text": "박서연"}
    if reader == "jsonl":
        rows = (json.dumps({"text": text, "entities": [name]}, ensure_ascii=False) for text in texts)
        (folder / "train.jsonl").write_text("\n".join(rows), encoding="utf-8")
    elif reader == "label-studio":
        result = {"type": "labels", "to_name": "text", "value": name | {"labels": ["PS"]}}
        tasks = [{"data": {"text": text}, "annotations": [{"result": [result]}]} for text in texts]
        (folder / "train.json").write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    elif reader == "nikl":
        names = [{"begin": 0, "end": 3, "label": "PS", "form": "박서연"}]
        corpus = {"document": [{"id": "a", "sentence": [{"form": text, "NE": names} for text in texts]}]}
        (folder / "train.json").write_text(json.dumps(corpus, ensure_ascii=False, indent=1), encoding="utf-8")
    else:
        (folder / "doc.txt").write_text("\n".join(texts), encoding="utf-8")
        starts = [0]
        for text in texts[:-1]:
            starts.append(starts[-1] + len(text) + 1)
        marks = (f"T{number}\tPS {start} {start + 3}\t박서연\n" for number, start in enumerate(starts))
        (folder / "doc.ann").write_text("".join(marks), encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by Linux")
@pytest.mark.parametrize("reader", ["brat", "jsonl", "label-studio", "nikl"])
def test_time_grows_with_the_number_of_sentences_and_memory_little(reader: str, tmp_path: Path) -> None:
    small, large = write(reader, tmp_path / "small", 10_000), write(reader, tmp_path / "large", 100_000)
    result = subprocess.run(
        [sys.executable, "-c", CODE, reader, small, large], capture_output=True, text=True, check=True
    )
    ratio, megabytes = map(float, result.stdout.split())
    assert ratio < 25  # ten times as many
    assert megabytes < 150  # a kilobyte for each sentence and the columns that it becomes, and no file as a whole


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["brat", "jsonl", "label-studio", "nikl"])
def test_a_sentence_of_a_million_characters_is_read(reader: str, tmp_path: Path) -> None:
    folder = write(reader, tmp_path / "data", 1, sentence="박서연은 " + "가나다라 " * 200_000)
    options = {"task": "named-entities"} if len(READERS[reader].tasks) > 1 else {}
    [(text, spans)] = texts_and_spans(READERS[reader].read(folder, **options)["train"])
    assert len(text) == 1_000_007
    assert spans == [Span(0, 3, "PS")]
