"""Answers of a model beside what the data say, one text a line, to load again elsewhere."""

import json
from collections.abc import Sequence
from pathlib import Path

from malmoi.data.whole_output import write_named
from malmoi.reports.errors.answers import Answer


def write_predictions(path: Path, answers: Sequence[Answer], others: Sequence[Answer] | None = None) -> None:
    """Write a JSON object for each text: `id`, `text`, `gold`, `predicted`, whether it is `right`, and scores.

    Args:
        path: The file.
        answers: The answers of the model.
        others: Those of another model to the same texts, which stand below `against`.
    """
    with write_named(path) as file:
        for number, answer in enumerate(answers):
            record = {
                "id": answer.id,
                "text": answer.text,
                "gold": answer.gold_record(),
                **answer.predicted_record(),
                "right": not answer.errors,
            }
            if others is not None:
                other = others[number]
                record["against"] = {**other.predicted_record(), "right": not other.errors}
            print(json.dumps(record, ensure_ascii=False), file=file)
