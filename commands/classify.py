"""`malmoi classify`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from transformers.utils import logging

from malmoi.commands.lines import answer_texts
from malmoi.commands.text_input import TextInput
from malmoi.inference.classifier import Classifier


def classify_texts(
    model: str,
    source: TextInput,
    *,
    words: Path | None,
    as_json: bool,
    batch_size: int,
    bf16: bool,
    trust_remote_code: bool,
) -> None:
    """Print class, probability and text, one text per line, in the order of the texts."""
    logging.disable_progress_bar()
    classifier = Classifier(model, trust_remote_code=trust_remote_code, bf16=bf16, words=words)
    cut = 0

    def answer(lines: list[str]) -> Iterator[str]:
        nonlocal cut
        for text, found in zip(lines, classifier.classify(lines, batch_size=batch_size)):
            cut += found.cut
            if as_json:
                yield json.dumps({"text": text, **found._asdict()}, ensure_ascii=False)
            else:
                yield f"{found.label}\t{found.score:.4f}\t{text}"

    answer_texts(source, answer)
    if cut:
        print(f"malmoi: {cut} texts were longer than the model can read; their ends were not read.", file=sys.stderr)
