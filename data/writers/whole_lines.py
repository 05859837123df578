"""Text files with one line for each text, and what can be such a line."""

from collections.abc import Callable, Iterable
from pathlib import Path

from datasets import Dataset, DatasetDict

from malmoi.data.text_lines import BYTE_ORDER_MARK
from malmoi.data.user_error import UserError
from malmoi.data.writers.spaces_for_breaks import other_form

ENDS = {"\n": "a line feed", "\0": "a NUL"}


def check_line(text: str, text_id: str, *, form: str) -> None:
    """Check that a text comes back as it is where it is written as a line of its own.

    Args:
        text: The text.
        text_id: What a message calls it.
        form: The name of the form, for the message.

    Raises:
        UserError: If it would not.
    """
    found = next((name for character, name in ENDS.items() if character in text), None)
    if text.endswith("\r"):
        found = "a carriage return at its end"
    elif text.startswith(BYTE_ORDER_MARK):
        found = "a byte order mark at its beginning"
    elif not text.strip():
        found = "nothing but spaces"
    if found is not None:
        raise UserError(
            f"{text_id} cannot be written in the form {form}, which has a line for each text: it has {found}"
            f"{other_form(text)}."
        )


def write_lines(splits: DatasetDict, folder: Path, lines_of: Callable[[str, Dataset], Iterable[str]]) -> list[Path]:
    """Write `train.txt`, `validation.txt` and `test.txt`, and return those that there are.

    Args:
        splits: Texts by the name of their split.
        folder: An existing folder.
        lines_of: Returns the lines of a split, given its name and its texts, without line feeds.
    """
    paths = []
    for split, rows in splits.items():
        path = folder / f"{split}.txt"
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines_of(split, rows))
        paths.append(path)
    return paths
