"""Write correctly spaced sentences, one per line."""

from collections.abc import Iterator
from pathlib import Path

from datasets import Dataset, DatasetDict

from malmoi.data.tagged_dataset import label_names
from malmoi.data.word_spacing import join_words
from malmoi.data.writers.whole_lines import check_line, write_lines


def write_plain_sentences(splits: DatasetDict, folder: Path) -> list[Path]:
    """Write `train.txt`, `validation.txt` and `test.txt`, and return those that there are.

    Args:
        splits: Sentences with spacing tags by the name of their split.
        folder: An existing folder.

    Raises:
        UserError: If a sentence cannot be a line.
    """
    return write_lines(splits, folder, _lines)


def _lines(split: str, rows: Dataset) -> Iterator[str]:
    labels = label_names(rows)
    for row in rows:
        sentence = join_words(row["text"], [labels[tag] for tag in row["tags"]])
        check_line(sentence, row["id"], form="plain-sentences")
        yield sentence
