"""`malmoi tag`."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from transformers.utils import logging

from malmoi.commands.lines import answer_texts
from malmoi.commands.start_up import spare_kernels
from malmoi.commands.text_input import TextInput
from malmoi.data.alignment import Span
from malmoi.data.inline_marks import write_marks
from malmoi.inference.tagger import Entity, Tagger


def tag_texts(
    model: str,
    source: TextInput,
    *,
    words: Path | None,
    as_json: bool,
    batch_size: int,
    bf16: bool,
    trust_remote_code: bool,
) -> None:
    """Print every text with its names, one per line, in the order of the texts."""
    logging.disable_progress_bar()
    tagger = Tagger(model, trust_remote_code=trust_remote_code, bf16=bf16, words=words)
    if not source.files:
        spare_kernels(tagger.model, source.texts)

    def answer(lines: list[str]) -> Iterator[str]:
        for text, entities in zip(lines, tagger.tag(lines, batch_size=batch_size)):
            yield _json_line(text, entities) if as_json else _inline(text, entities)

    answer_texts(source, answer)


def _inline(text: str, entities: Iterable[Entity]) -> str:
    return write_marks(text, (Span(entity.start, entity.end, entity.label) for entity in entities))


def _json_line(text: str, entities: Iterable[Entity]) -> str:
    return json.dumps({"text": text, "entities": [entity._asdict() for entity in entities]}, ensure_ascii=False)
