"""KLUE NER v1.1 (Park et al., 2021, https://arxiv.org/abs/2105.09680), from the Hub or from the files of its authors.

The files hold one character and its tag per line. The rows are the truth: the sentence with marks above them is not
always well formed. How many of these sentences say something else is said, so that nobody edits them in vain.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from datasets import Dataset, DatasetDict, load_dataset

from malmoi.data.alignment import tags_to_spans
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.notice import notify, shorten
from malmoi.data.tagged_dataset import bio_labels
from malmoi.data.text_lines import DataFormatError, check_line_ends, read_lines
from malmoi.data.user_error import UserError

KLUE_TYPES = ("PS", "LC", "OG", "DT", "TI", "QT")
KLUE_LABELS = bio_labels(KLUE_TYPES)
HUB_DATASET = "klue/klue"
FILES = {"train": "klue-ner-v1.1_train.tsv", "validation": "klue-ner-v1.1_dev.tsv"}


def read_klue_ner(data_dir: Path | None) -> DatasetDict:
    """Return the `train` and `validation` sentences of KLUE NER.

    Args:
        data_dir: Folder with `klue-ner-v1.1_train.tsv` and `klue-ner-v1.1_dev.tsv`, of which one may be missing.
            Without it the dataset is fetched from the Hub.

    Raises:
        DataFormatError: If a file is malformed; it names the file, the line and what was expected.
        UserError: If the Hub cannot be reached.
    """
    if data_dir is None:
        return _from_hub()
    paths = {split: data_dir / name for split, name in FILES.items() if (data_dir / name).is_file()}
    if not paths:
        raise DataFormatError(data_dir, None, f"expected a folder with {' and '.join(FILES.values())}.")
    return marked_splits({split: _read_file(path) for split, path in paths.items()}, types=KLUE_TYPES)


def holds_klue_ner(data_dir: Path) -> bool:
    """Tell whether a folder holds a file of KLUE NER."""
    return any((data_dir / name).is_file() for name in FILES.values())


def _from_hub() -> DatasetDict:
    try:
        splits = load_dataset(HUB_DATASET, "ner")
    except (OSError, ValueError) as error:  # OSError includes every failed connection
        raise UserError(
            f"KLUE NER could not be fetched from the Hub ({type(error).__name__}). Either connect to the network, or "
            f"give the folder that holds {' and '.join(FILES.values())} by --data_dir."
        ) from error
    return from_hub_splits(splits)


def from_hub_splits(splits: Mapping[str, Dataset]) -> DatasetDict:
    """Give the Hub's columns `tokens` (characters) and `ner_tags` the form of every other reader."""
    return marked_splits({split: _hub_rows(rows, split) for split, rows in splits.items()}, types=KLUE_TYPES)


def _hub_rows(rows: Dataset, split: str) -> Iterator[MarkedText]:
    names = rows.features["ner_tags"].feature.names
    for index, row in enumerate(rows):
        spans = tags_to_spans([names[tag] for tag in row["ner_tags"]])
        place = f"{HUB_DATASET} ({split}), row {index + 1}"
        yield MarkedText(f"{split}-{index}", "".join(row["tokens"]), spans, place)


def _read_file(path: Path) -> Iterator[MarkedText]:
    """Yield the sentences of a file; stop at the first line that is not as its authors define it."""
    check_line_ends(path)
    sentence_id: str | None = None  # of the sentence whose rows are awaited or being read
    marked: str | None = None  # that sentence with its marks
    disagreeing: list[int] = []
    characters: list[str] = []
    tags: list[str] = []
    count, start = 0, 0
    for number, line in chain(read_lines(path), [(0, "")]):  # the last sentence may end with the file
        if line.startswith("## "):
            if characters:
                raise DataFormatError(path, number, "expected an empty line between two sentences.")
            if sentence_id is not None:
                raise DataFormatError(path, number, f"expected the rows of the sentence {sentence_id!r}.")
            # the lines that explain the format have no tab, but for the last, whose second column names the tags
            head = line[3:].split("\t")
            sentence_id, marked = head[:2] if len(head) > 1 and head[1] != "NE_TAG" else (None, None)
        elif line:
            start = start if characters else number
            characters.append(_check_character(path, number, line))
            tags.append(_check_tag(path, number, line[2:], previous=tags[-1] if tags else "O"))
        elif characters:
            count += 1
            name = sentence_id or f"{path.stem}-{count}"
            sentence = MarkedText(name, "".join(characters), tags_to_spans(tags), path, start)
            if marked is not None and _says_other(marked, sentence):
                disagreeing.append(start)
            yield sentence
            sentence_id, marked, characters, tags = None, None, [], []
        elif sentence_id is not None:
            raise DataFormatError(path, number or None, f"expected the rows of the sentence {sentence_id!r}.")
    if not count:
        raise DataFormatError(path, None, "expected sentences, found none.")
    if disagreeing:
        notify(
            f"{path}: the sentence with marks above the rows says something else than they do in "
            f"{len(disagreeing):,} of {count:,} sentences, first above line {disagreeing[0]}; the rows are read, not "
            "the marks."
        )


def _says_other(marked: str, sentence: MarkedText) -> bool:
    """Tell whether a sentence with marks is not what the rows spell."""
    spelled, end = "", 0
    for span in sentence.spans:
        spelled += f"{sentence.text[end : span.start]}<{sentence.text[span.start : span.end]}:{span.label}>"
        end = span.end
    return marked.strip() != (spelled + sentence.text[end:]).strip()


def _check_character(path: Path, number: int, line: str) -> str:
    if line[1:2] != "\t" or line.count("\t") != 1:
        raise DataFormatError(path, number, f"expected one character, a tab and a tag, got {shorten(line)}.")
    return line[0]


def _check_tag(path: Path, number: int, tag: str, *, previous: str) -> str:
    if tag not in KLUE_LABELS:
        raise DataFormatError(
            path,
            number,
            f"expected one of the tags {', '.join(KLUE_LABELS)}, got {shorten(tag)}; with other types, such files are "
            "read by --reader conll.",
        )
    if tag.startswith("I-") and previous[2:] != tag[2:]:
        raise DataFormatError(
            path, number, f"expected {tag} only after B-{tag[2:]} or {tag}, got it after {previous}."
        )
    return tag
