"""The NER corpus of Korea Maritime and Ocean University (https://github.com/kmounlp/NER), one sentence per line.

A line is the sentence, U+241E (`␞`), and the sentence with its names marked. The corpus is licensed for non-commercial
use only.
"""

from collections.abc import Iterator
from pathlib import Path

from datasets import DatasetDict

from malmoi.data.marked_alignment import align_marks
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.splits.files import named_files, say_other_files
from malmoi.data.tagged_dataset import bio_labels
from malmoi.data.text_lines import DataFormatError, check_line_ends, first_lines, read_lines
from malmoi.data.user_error import UserError

KMOU_TYPES = ("PER", "LOC", "ORG", "POH", "DAT", "TIM", "DUR", "MNY", "PNT", "NOH")
KMOU_LABELS = bio_labels(KMOU_TYPES)
SEPARATOR = "\u241e"


def read_kmou_lines(data_dir: Path | None) -> DatasetDict:
    """Return the `train`, `validation` and `test` sentences of a folder with `train.txt`, `val.txt` and `test.txt`.

    Args:
        data_dir: The folder, of which files may be missing; `val.txt` may be called `validation.txt` or `dev.txt`. Or
            one file, of the split that its name tells, otherwise for training.

    Raises:
        DataFormatError: If a file is malformed; it names the file, the line and what was expected.
        UserError: If no folder is given.
    """
    folder = kmou_folder(data_dir)
    paths = named_files(folder)
    if not paths:
        raise DataFormatError(
            folder, None, "expected a folder with train.txt or val.txt or test.txt, or one .txt file."
        )
    if folder.is_dir():
        say_other_files(paths)
    return marked_splits({split: _read_file(path) for split, path in paths.items()}, types=KMOU_TYPES)


def holds_kmou_lines(data_dir: Path) -> bool:
    """Tell whether a folder holds a file with the sign between sentence and marks."""
    return any(SEPARATOR in line for path in named_files(data_dir).values() for line in first_lines(path, 1))


def kmou_folder(data_dir: Path | None) -> Path:
    """Return the folder of the corpus.

    Raises:
        UserError: If none is given.
    """
    if data_dir is None:
        raise UserError(
            "The KMOU corpus does not come with malmoi. Download it from https://github.com/kmounlp/NER (its licence "
            "allows non-commercial use only), and give its folder by --data_dir."
        )
    return data_dir


def kmou_sentence(path: Path, number: int, *, sentence_id: str, text: str, marked: str) -> MarkedText:
    """Return a sentence with the names that its marks say.

    Args:
        path: The file of the marked sentence.
        number: Its line.
        sentence_id: The id that the sentence gets.
        text: The sentence.
        marked: The sentence with its names marked.

    Raises:
        DataFormatError: If the sentence is empty, a mark is not of the KMOU types, or the two are not the same text.
    """
    if not text.strip():
        raise DataFormatError(path, number, "expected a sentence, got an empty one.")
    try:
        spans = align_marks(text, marked, KMOU_TYPES)
    except ValueError as error:
        raise DataFormatError(path, number, str(error)) from None
    return MarkedText(sentence_id, text, spans, path, number)


def _read_file(path: Path) -> Iterator[MarkedText]:
    check_line_ends(path)
    for number, line in read_lines(path):
        columns = line.split(SEPARATOR)
        if len(columns) != 2:
            raise DataFormatError(
                path,
                number,
                f"expected a sentence, the sign {SEPARATOR} (U+241E) and the sentence with marks, got "
                f"{len(columns)} columns.",
            )
        text, marked = columns
        yield kmou_sentence(path, number, sentence_id=f"{path.stem}-{number}", text=text, marked=marked)
