"""What the rows of a tagged dataset hold."""

from datasets import Dataset

from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.tagged_dataset import label_names


def spans_of(rows: Dataset) -> list[list[Span]]:
    """Return the names of each tagged sentence."""
    names = label_names(rows)
    return [tags_to_spans([names[tag] for tag in tags]) for tags in rows["tags"]]
