"""`malmoi space`."""

import json
from itertools import tee

from transformers.utils import logging

from malmoi.commands.lines import input_lines, write_unchanged
from malmoi.inference.spacer import Spacer


def space_texts(
    model: str,
    texts: list[str],
    *,
    input_file: str | None,
    keep_spaces: bool,
    as_json: bool,
    batch_size: int,
    trust_remote_code: bool,
) -> None:
    """Print every text with its spaces restored, in the order of the texts."""
    logging.disable_progress_bar()
    spacer = Spacer(model, trust_remote_code=trust_remote_code)
    source, to_space = tee(input_lines(texts, input_file))
    write_unchanged()
    for text, spaced in zip(source, spacer.space(to_space, keep_spaces=keep_spaces, batch_size=batch_size)):
        line = spaced.text
        if as_json:
            line = json.dumps({"original": text, **spaced._asdict()}, ensure_ascii=False)
        print(line, flush=True)
