"""Files of annotation tools with something else in one place: read, or refused in a sentence that names the file."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.twenty_sentences import FORMS

from malmoi.data.readers import READERS
from malmoi.data.text_lines import DataFormatError

STRANGE = [None, True, -1, 1.5, 10**30, "", "x", "3", [], {}, [1], [[]], {"a": 1}, [None], "\u200b", [0, 1, "X"]]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container within a value of JSON with each of its keys."""
    if isinstance(value, (dict, list)):
        for key in [*value] if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def damaged_json(content: str, random: Random, *, lines: bool) -> str:
    """Return a file in JSON with another value, or none, in one place."""
    value = [json.loads(line) for line in content.splitlines()] if lines else json.loads(content)
    value = copy.deepcopy(value)
    container, key = random.choice([*places(value)])
    if random.random() < 0.2:
        del container[key]
    else:
        container[key] = random.choice(STRANGE)
    return "".join(json.dumps(row) + "\n" for row in value) if lines else json.dumps(value, indent=1)


def damaged_text(content: str, random: Random) -> str:
    """Return a text with a piece left out, doubled or replaced."""
    start = random.randrange(len(content) + 1)
    end = min(len(content), start + random.randrange(20))
    piece = random.choice(["", content[start:end] * 2, random.choice('{}[]",:;\t\n\r 0-9\0\ufeff')])
    return content[:start] + piece + content[end:]


@pytest.mark.parametrize("form", FORMS)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 3))
def test_a_damaged_file_is_read_or_refused_in_one_sentence(form: str, seed: int, count: int) -> None:
    reader, write = FORMS[form]
    random = Random(seed)
    options = {"task": "named-entities"} if len(READERS[reader].tasks) > 1 else {}
    with TemporaryDirectory() as folder:
        write(Path(folder))
        path = random.choice(sorted(Path(folder).iterdir()))
        content = path.read_text(encoding="utf-8")
        for _ in range(count):
            if path.suffix in (".json", ".jsonl") and random.random() < 0.7:
                try:
                    content = damaged_json(content, random, lines=path.suffix == ".jsonl")
                except ValueError:
                    content = damaged_text(content, random)
            else:
                content = damaged_text(content, random)
        path.write_text(content, encoding="utf-8", newline="")
        READERS[reader].holds(Path(folder))
        said = folder
        try:
            READERS[reader].read(Path(folder), **options)
        except DataFormatError as error:
            said = str(error)
    assert said.startswith(folder)
    assert "\n" not in said
    assert len(said) < 600
