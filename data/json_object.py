"""Read a JSON object from a file that may hold anything, or say what is there instead.

What is read is bounded: the file in bytes, its numbers in digits, its brackets in depth, and a key stands once in an
object, as another program may take another of two values. `NaN` is let pass, which reports of failed trainings hold.
"""

import json
from pathlib import Path
from typing import Any

from malmoi.data.json_text import HALF_CHARACTER, bounded_number, unique_keys
from malmoi.data.user_error import UserError

MOST_BYTES = 32 << 20
"""How large a file may be, unless its reader says otherwise: lists take thirty times their room in memory."""
DECODER = json.JSONDecoder(object_pairs_hook=unique_keys, parse_int=bounded_number)


def read_json_object(path: Path, *, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """Return the JSON object in a file.

    Args:
        path: The file.
        most_bytes: How large it may be.

    Raises:
        UserError: If the file holds anything else, is larger, or cannot be read.
    """
    try:
        text = read_bounded(path, most_bytes=most_bytes).decode("utf-8")
        content = DECODER.decode(text)
        if HALF_CHARACTER.search(text):
            json.dumps(content, ensure_ascii=False).encode()
    except RecursionError:
        raise UserError(f"{path}: expected a JSON object, but its brackets are nested too deeply.") from None
    except UnicodeEncodeError:
        raise UserError(
            rf"{path}: expected whole characters, but a text holds half of one, such as \ud83d alone."
        ) from None
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"{path}: expected a JSON object ({error}).") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected a JSON object, got {type(content).__name__}.")
    return content


def read_bounded(path: Path, *, most_bytes: int) -> bytes:
    """Return the content of a file.

    Raises:
        UserError: If it is larger, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise UserError(f"{path}: the file cannot be read ({error.strerror}).") from None
    if len(content) > most_bytes:
        raise UserError(f"{path}: the file is larger than the {most_bytes:,} bytes that are read of such a file.")
    return content
