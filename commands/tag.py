"""`malmoi tag`."""

import json
from collections.abc import Iterable
from itertools import tee

from transformers.utils import logging

from malmoi.commands.lines import input_lines, write_unchanged
from malmoi.data.alignment import Span
from malmoi.data.inline_marks import write_marks
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
    source, to_tag = tee(input_lines(texts, input_file))
    write_unchanged()
    for text, entities in zip(source, tagger.tag(to_tag, batch_size=batch_size)):
        print(_json_line(text, entities) if as_json else _inline(text, entities), flush=True)


def _inline(text: str, entities: Iterable[Entity]) -> str:
    return write_marks(text, (Span(entity.start, entity.end, entity.label) for entity in entities))


def _json_line(text: str, entities: Iterable[Entity]) -> str:
    return json.dumps({"text": text, "entities": [entity._asdict() for entity in entities]}, ensure_ascii=False)
