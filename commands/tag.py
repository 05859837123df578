"""`malmoi tag`."""

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import tee
from pathlib import Path

from transformers.utils import logging

from malmoi.data.alignment import Span
from malmoi.data.inline_marks import write_marks
from malmoi.data.text_lines import decode_lines
from malmoi.inference.tagger import Entity, Tagger


def tag_texts(
    model: str,
    texts: list[str],
    *,
    input_file: str | None,
    as_json: bool,
    batch_size: int,
    trust_remote_code: bool,
) -> None:
    """Print every text with its names, one per line, in the order of the texts."""
    logging.disable_progress_bar()
    tagger = Tagger(model, trust_remote_code=trust_remote_code)
    source, to_tag = tee(texts if input_file is None else _lines(input_file))
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    for text, entities in zip(source, tagger.tag(to_tag, batch_size=batch_size)):
        print(_json_line(text, entities) if as_json else _inline(text, entities), flush=True)


def _lines(input_file: str) -> Iterator[str]:
    if input_file == "-":
        yield from decode_lines(sys.stdin.buffer, "standard input")
        return
    with Path(input_file).open("rb") as file:
        yield from decode_lines(file, input_file)


def _inline(text: str, entities: Iterable[Entity]) -> str:
    return write_marks(text, (Span(entity.start, entity.end, entity.label) for entity in entities))


def _json_line(text: str, entities: Iterable[Entity]) -> str:
    return json.dumps({"text": text, "entities": [entity._asdict() for entity in entities]}, ensure_ascii=False)
