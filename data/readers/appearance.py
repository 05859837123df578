"""What data seem to be where no reader finds its form in them: one fault at their beginning hides it.

The reader that is found so reads them, and says in which file and line something is wrong, and what was expected.
"""

import re
from collections.abc import Collection
from pathlib import Path

from malmoi.data.column_headings import heads_a_table
from malmoi.data.json_text import first_characters
from malmoi.data.notice import shorten
from malmoi.data.readers import conll, jsonl, nsmc, plain_text
from malmoi.data.readers.inline_marks import has_names
from malmoi.data.splits.files import TEXT, first_file, named_files, visible_files
from malmoi.data.tables.comma_separated import SUFFIXES as COMMA_SEPARATED
from malmoi.data.text_lines import DataFormatError, first_lines, read_lines
from malmoi.data.token_columns import MOST, look_like_columns
from malmoi.data.unread_formats import advice_on

LINES = 200
ANNOTATIONS = ".ann"
TEXTS = (*conll.SUFFIXES, *conll.OTHER_SUFFIXES, *jsonl.SUFFIXES, *COMMA_SEPARATED)
"""What the names of files of text end in."""
OF_LINES = ("inline-marks", "labelled-texts", "plain-sentences")
"""The readers whose files have a text in every line and are known by their names, as `train.txt`."""
JSON_WORDS = (
    (
        "label-studio",
        re.compile(r'"annotation_id"|"(annotations|completions)".*"data"|"data".*"annotations"', re.DOTALL),
    ),
    ("nikl", re.compile(r'"document".*"sentence".*"form"', re.DOTALL)),
    ("jsonl", re.compile(r'"(text|data)"')),
)
"""The keys by which a file of JSON is known though it is no JSON yet; the first that fit count."""


def seeming_reader(data_dir: Path) -> str | None:
    """Return the reader that the names of files or most of their first lines speak for; `None` if not for one alone.

    Args:
        data_dir: A folder, or one file.
    """
    files = [data_dir] if data_dir.is_file() else visible_files(data_dir, ("",))
    endings = {path.suffix.lower() for path in files}
    found = []
    if endings & {*conll.SUFFIXES}:
        found.append("conll")
    if ANNOTATIONS in endings:
        found.append("brat")
    if any(path.name in nsmc.FILES.values() for path in files):
        found.append("nsmc")
    if (path := named_files(data_dir).get("train")) is not None and _have_classes(first_lines(path)):
        found.append("labelled-texts")
    if (kind := _kind_of_json(data_dir)) is not None:
        found.append(kind)
    if ".csv" in endings:
        found.append("dataset")
    return found[0] if len(found) == 1 else None


def _have_classes(lines: list[str]) -> bool:
    """Tell whether most lines have one tab, as a class and its text have."""
    return (
        bool(lines)
        and sum(line.count("\t") == 1 for line in lines) >= MOST * len(lines)
        and not look_like_columns(lines)
    )


def _kind_of_json(data_dir: Path) -> str | None:
    path = first_file(data_dir, jsonl.SUFFIXES)
    if path is None:
        return None
    beginning = first_characters(path)
    kinds = (name for name, words in JSON_WORDS if words.search(beginning))
    return next(kinds, "jsonl" if path.suffix.lower() != ".json" else None)


def check_texts(data_dir: Path) -> None:
    """Check that there are files, and that the first lines of the one that tells the form are text.

    Args:
        data_dir: A folder, or one file.

    Raises:
        DataFormatError: If not; it names the file.
    """
    if data_dir.is_dir() and not visible_files(data_dir, ("",)):
        raise DataFormatError(data_dir, None, "expected files with data, but the folder is empty.")
    path = first_file(data_dir, TEXTS)
    if path is None:
        return
    count = 0
    for _, line in read_lines(path):
        count += bool(line.strip())
        if count == LINES:
            return
    if not count:
        raise DataFormatError(path, None, "expected data, but all lines of the file are empty.")


def marked_file(data_dir: Path) -> Path | None:
    """Return the first text of a folder in which a tenth of the first lines have names with marks; `None` if none has.

    Args:
        data_dir: A folder for a language model.
    """
    return next((path for path in plain_text.training_files(data_dir) if _has_marks(first_lines(path))), None)


def _has_marks(lines: list[str]) -> bool:
    """Tell whether marks are more than a bracket here and there, as in `<사진:연합뉴스>`."""
    return bool(lines) and 10 * sum(map(has_names, lines)) >= len(lines)


def advice_on_files(data_dir: Path, readers: Collection[str]) -> str:
    """Return the end of a refusal: what helps if files have names that are not read, or are all of other programs.

    Args:
        data_dir: A folder, or one file.
        readers: Those that come into question.
    """
    files = [data_dir] if data_dir.is_file() else visible_files(data_dir, ("",))
    texts = [path for path in files if path.suffix.lower() == TEXT]
    if data_dir.is_dir() and texts and not named_files(data_dir) and {*OF_LINES} & {*readers}:
        return f"; of a folder train{TEXT} is read, but {texts[0].name} can be given by itself"
    for path in texts:
        first = first_lines(path, 1)
        if first and heads_a_table(first[0]):
            return f"; a file with a heading as {path.name} has it, {shorten(first[0])}, is to be called .csv"
    advice = [advice_on(path.suffix) for path in files]
    if not advice or not all(advice):
        return ""
    return f"; {files[0].name} is no text: {advice[0]}"
