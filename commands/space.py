"""`malmoi space`."""

import json
from collections.abc import Iterator
from pathlib import Path

from transformers.utils import logging

from malmoi.commands.lines import answer_texts
from malmoi.commands.start_up import spare_kernels
from malmoi.commands.text_input import TextInput
from malmoi.inference.spacer import Spacer
from malmoi.inference.whole_words import read_keep_words


def space_texts(
    model: str,
    source: TextInput,
    *,
    keep_spaces: bool,
    keep_words: Path | None,
    words: Path | None,
    as_json: bool,
    batch_size: int,
    bf16: bool,
    trust_remote_code: bool,
) -> None:
    """Print every text with its spaces restored, in the order of the texts."""
    kept = [] if keep_words is None else read_keep_words(keep_words)
    logging.disable_progress_bar()
    spacer = Spacer(model, trust_remote_code=trust_remote_code, bf16=bf16, words=words)
    if not source.files:
        spare_kernels(spacer.model, source.texts)

    def answer(lines: list[str]) -> Iterator[str]:
        answers = spacer.space(lines, keep_spaces=keep_spaces, keep_words=kept, batch_size=batch_size)
        for text, spaced in zip(lines, answers):
            if as_json:
                yield json.dumps({"original": text, **spaced._asdict()}, ensure_ascii=False)
            else:
                yield spaced.text

    answer_texts(source, answer)
