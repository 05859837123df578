"""`malmoi space`."""

import json
from collections.abc import Iterator

from transformers.utils import logging

from malmoi.commands.lines import answer_texts
from malmoi.commands.text_input import TextInput
from malmoi.inference.spacer import Spacer


def space_texts(
    model: str,
    source: TextInput,
    *,
    keep_spaces: bool,
    as_json: bool,
    batch_size: int,
    bf16: bool,
    trust_remote_code: bool,
) -> None:
    """Print every text with its spaces restored, in the order of the texts."""
    logging.disable_progress_bar()
    spacer = Spacer(model, trust_remote_code=trust_remote_code, bf16=bf16)

    def answer(lines: list[str]) -> Iterator[str]:
        for text, spaced in zip(lines, spacer.space(lines, keep_spaces=keep_spaces, batch_size=batch_size)):
            if as_json:
                yield json.dumps({"original": text, **spaced._asdict()}, ensure_ascii=False)
            else:
                yield spaced.text

    answer_texts(source, answer)
