"""Write correctly spaced sentences, one per line."""

from pathlib import Path

from datasets import DatasetDict

from malmoi.data.tagged_dataset import label_names
from malmoi.data.word_spacing import join_words
from malmoi.data.writers.whole_lines import check_line


def write_plain_sentences(splits: DatasetDict, folder: Path) -> list[Path]:
    """Write `train.txt`, `validation.txt` and `test.txt`, and return those that there are.

    Args:
        splits: Sentences with spacing tags by the name of their split.
        folder: An existing folder.

    Raises:
        UserError: If a sentence cannot be a line.
    """
    paths = []
    for split, rows in splits.items():
        labels = label_names(rows)
        path = folder / f"{split}.txt"
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for row in rows:
                sentence = join_words(row["text"], [labels[tag] for tag in row["tags"]])
                check_line(sentence, row["id"], form="plain-sentences")
                file.write(sentence + "\n")
        paths.append(path)
    return paths
