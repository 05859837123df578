"""Files with one correctly spaced sentence per line, for word spacing."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from datasets import Dataset, DatasetDict

from malmoi.data.column_headings import FASTTEXT_CLASS, heads_a_table
from malmoi.data.readers.inline_marks import OTHER_FORM, holds_inline_marks, read_inline_marks
from malmoi.data.splits.files import as_on_disk, named_files, say_other_files
from malmoi.data.tagged_dataset import TaggedSentence, tagged_dataset
from malmoi.data.text_lines import DataFormatError, check_line_ends, first_lines, read_lines
from malmoi.data.token_columns import look_like_columns
from malmoi.data.word_spacing import SPACING_LABELS, split_spaces


def read_plain_sentences(data_dir: Path | None) -> DatasetDict:
    """Return the `train`, `validation` and `test` sentences of a folder, without spaces and with spacing tags.

    Each character has the tag `B` where a word begins, otherwise `I`. Empty lines are skipped.

    Args:
        data_dir: Folder with `train.txt`, `val.txt` (`validation.txt`, `dev.txt`) and `test.txt`, if wanted; or one
            file, of the split that its name tells, otherwise for training. Without it the sentences of the NER sample
            corpus of this package are read.

    Raises:
        DataFormatError: If a file is malformed; it names the file, the line and what was expected.
    """
    if data_dir is None:
        samples = read_inline_marks(None)
        return DatasetDict({split: _spacing_dataset(zip(rows["id"], rows["text"])) for split, rows in samples.items()})
    paths = named_files(data_dir)
    if not paths:
        raise DataFormatError(
            data_dir, None, "expected a folder with train.txt, and if wanted val.txt and test.txt, or one .txt file."
        )
    if data_dir.is_dir():
        say_other_files(paths)
    return DatasetDict({split: _spacing_dataset(_read_file(path)) for split, path in paths.items()})


def sentences_as_written(data_dir: Path) -> dict[str, str]:
    """Return the sentences of a folder with all their spaces, by their ids."""
    return dict(row for path in named_files(data_dir).values() for row in _read_file(path))


def holds_plain_sentences(data_dir: Path) -> bool:
    """Tell whether a folder holds text files of these names, without tabs and marks in their first lines.

    A single file that has annotations beside it is a document of brat.
    """
    if data_dir.is_file() and as_on_disk(data_dir.with_suffix(".ann")).is_file():
        return False
    files = [lines for path in named_files(data_dir).values() if (lines := first_lines(path))]
    lines = [line for each in files for line in each]
    is_other = any(
        {"\t", OTHER_FORM} & {*line} or line.startswith(FASTTEXT_CLASS) for line in lines
    ) or look_like_columns(lines)
    is_json = all(line.lstrip().startswith("{") for line in lines)
    is_table = any(heads_a_table(each[0]) for each in files)
    return bool(lines) and not (is_other or is_json or is_table) and not holds_inline_marks(data_dir)


def _spacing_dataset(sentences: Iterable[tuple[str, str]]) -> Dataset:
    rows = []
    for sentence_id, sentence in sentences:
        characters, tags = split_spaces(sentence)
        rows.append(TaggedSentence(id=sentence_id, text=characters, tags=tags))
    return tagged_dataset(rows, SPACING_LABELS)


def _read_file(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the ids and sentences of a file."""
    check_line_ends(path)
    count = 0
    for number, line in read_lines(path):
        if line.strip():
            count += 1
            yield f"{path.stem}-{number}", line
    if not count:
        raise DataFormatError(path, None, "expected sentences, found none.")
