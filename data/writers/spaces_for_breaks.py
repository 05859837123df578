"""Texts for forms that have a line for each text or token: a line break becomes a space, so that no offset changes."""

import re
from typing import Any

from datasets import Dataset, DatasetDict

from malmoi.data.classified_dataset import class_name
from malmoi.data.notice import notify

LINE_BREAKS = re.compile(r"\n|\r(?=\n|\Z)")
"""What ends a line where texts are lines; a carriage return elsewhere is a character as any other."""
LINE_BREAKS_AND_TABS = re.compile(r"[\n\r\t]")
"""What ends a line or a column."""


def with_spaces_for(pattern: re.Pattern[str], splits: DatasetDict, form: str) -> DatasetDict:
    """Return splits with a space for each character that a form has no place for; say in how many texts.

    Args:
        pattern: What these characters are.
        splits: Texts by the name of their split.
        form: The name of the form.
    """
    count, first = 0, ""
    for split, rows in splits.items():
        for row_id, text in zip(rows["id"], rows["text"]):
            if pattern.search(text):
                first = first or f"{split}, {row_id}"
                count += 1
    if not count:
        return splits
    what = "line breaks" if pattern is LINE_BREAKS else "line breaks or tabs"
    notify(
        f"{what} within a text have no place in the form {form}: a space is written for each, so that the offsets of "
        f"names stay; texts with some: {count:,}, first {first}."
    )
    return DatasetDict({split: _replaced(pattern, rows) for split, rows in splits.items()})


def other_form(text: str) -> str:
    """Return how the refusal of a text ends that no space would mend: with the form that can hold it, if one can."""
    return "; the form dataset can" if class_name(text) else ""


def _replaced(pattern: re.Pattern[str], rows: Dataset) -> Dataset:
    def replace(batch: dict[str, list[Any]]) -> dict[str, list[str]]:
        return {"text": [pattern.sub(" ", text) for text in batch["text"]]}

    return rows.map(replace, batched=True, features=rows.features, load_from_cache_file=False, keep_in_memory=True)
