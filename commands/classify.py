"""`malmoi classify`."""

import json
import sys
from itertools import tee

from transformers.utils import logging

from malmoi.commands.lines import input_lines, write_unchanged
from malmoi.inference.classifier import Classifier


def classify_texts(
    model: str,
    texts: list[str],
    *,
    input_file: str | None,
    as_json: bool,
    batch_size: int,
    trust_remote_code: bool,
) -> None:
    """Print class, probability and text, one text per line, in the order of the texts."""
    logging.disable_progress_bar()
    classifier = Classifier(model, trust_remote_code=trust_remote_code)
    source, to_classify = tee(input_lines(texts, input_file))
    write_unchanged()
    cut = 0
    for text, answer in zip(source, classifier.classify(to_classify, batch_size=batch_size)):
        cut += answer.cut
        line = f"{answer.label}\t{answer.score:.4f}\t{text}"
        if as_json:
            line = json.dumps({"text": text, **answer._asdict()}, ensure_ascii=False)
        print(line, flush=True)
    if cut:
        print(f"malmoi: {cut} texts were longer than the model can read; their ends were not read.", file=sys.stderr)
