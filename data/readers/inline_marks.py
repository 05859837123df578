"""Files with one sentence per line and its names marked inline, as in `<손흥민:PS>은 <춘천:LC>에서 태어났다`."""

from pathlib import Path

from datasets import DatasetDict

from malmoi.data.alignment import spans_to_tags
from malmoi.data.inline_marks import parse_marks
from malmoi.data.tagged_dataset import TaggedSentence, bio_labels, tagged_dataset
from malmoi.data.text_lines import DataFormatError, read_lines

FILES = {"train": "train.txt", "validation": "validation.txt"}
SAMPLE_CORPUS = Path(__file__).parents[1] / "samples"


def read_inline_marks(data_dir: Path | None) -> DatasetDict:
    """Return the `train` and `validation` sentences of a folder with `train.txt` and `validation.txt`.

    The entity types are those that occur; empty lines are skipped.

    Args:
        data_dir: The folder, of which one file may be missing. Without it the sample corpus of this package is read.

    Raises:
        DataFormatError: If a file is malformed; it names the file, the line and what was expected.
    """
    data_dir = SAMPLE_CORPUS if data_dir is None else data_dir
    paths = {split: data_dir / name for split, name in FILES.items() if (data_dir / name).is_file()}
    if not paths:
        raise DataFormatError(data_dir, None, f"expected a folder with {' and '.join(FILES.values())}.")
    sentences = {split: _read_file(path) for split, path in paths.items()}
    types = {tag[2:] for rows in sentences.values() for row in rows for tag in row["tags"] if tag != "O"}
    labels = bio_labels(sorted(types))
    return DatasetDict({split: tagged_dataset(rows, labels) for split, rows in sentences.items()})


def _read_file(path: Path) -> list[TaggedSentence]:
    rows = []
    for number, line in read_lines(path):
        if not line.strip():
            continue
        try:
            text, spans = parse_marks(line)
        except ValueError as error:
            raise DataFormatError(path, number, str(error)) from None
        rows.append(TaggedSentence(id=f"{path.stem}-{number}", text=text, tags=spans_to_tags(spans, len(text))))
    if not any(tag != "O" for row in rows for tag in row["tags"]):
        raise DataFormatError(path, None, "expected at least one sentence with a mark <name:TYPE>.")
    return rows
