"""Read the file of a tokenizer, and refuse one that would do harm; nothing here needs transformers."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from malmoi.data.json_object import read_bounded
from malmoi.data.notice import one_line, shorten
from malmoi.data.user_error import UserError
from malmoi.inference.model_folder import MOST_BYTES_OF_TOKENIZER

PROBE = "가 aꙮ \U00013000"
"""A text with characters that hardly any tokenizer knows."""
MOST_GROWTH = 64
"""How many times as long as before a normalizer may make a text."""
MOST_TOKENS_ADDED = 100
"""How many tokens a tokenizer may put around a text."""


def read_tokenizer_file(path: Path) -> tuple[Tokenizer, bytes]:
    """Read a tokenizer, as it is before a training or a saved setting lets it pad or cut, and what its file holds.

    Raises:
        UserError: If the file is damaged or too large, the tokenizer makes texts grow, or it knows no words.
    """
    content = read_bounded(path, most_bytes=MOST_BYTES_OF_TOKENIZER)
    try:
        tokenizer = Tokenizer.from_buffer(content)
        check_growth(path, tokenizer)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        tokenizer.encode(PROBE)
    except UserError:
        raise
    # the library of tokenizers raises nothing more special, and where it panics, what is no `Exception`
    except BaseException as error:
        if not is_of_tokenizers(error):
            raise
        raise UserError(f"{path}: the file is damaged ({one_line(error, length=300)}).") from error
    if tokenizer.get_vocab_size(with_added_tokens=False) == 0:
        raise UserError(f"{path}: the file is damaged (it holds no words).")
    return tokenizer, content


def is_of_tokenizers(error: BaseException) -> bool:
    """Return whether the library of tokenizers may have raised an error; where it panics, that is no `Exception`."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def hash_of_tokenizer(content: bytes) -> str:
    """Return the SHA-256 of what the file of a tokenizer holds, however its lines end, which Git may change."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def check_vocabulary(path: str | Path, vocabulary: Mapping[str, int], known: int) -> None:
    """Check that a model has an embedding for each token of its tokenizer.

    Args:
        path: The file of the tokenizer.
        vocabulary: The number of each token.
        known: From 0 to below which number the model knows tokens.

    Raises:
        UserError: If not, as where the tokenizer of another model lies in its folder.
    """
    token, largest = max(vocabulary.items(), key=lambda item: item[1], default=("", -1))
    if largest >= known:
        raise UserError(
            f"{path}: the token {shorten(token)} has the number {largest:,}, but the model has only {known:,} "
            "embeddings; the tokenizer is another model's."
        )


def check_growth(path: str | Path, tokenizer: Tokenizer) -> None:
    """Check that a tokenizer makes no text much longer: forty times double is a terabyte for each character.

    Args:
        path: Its file.
        tokenizer: The tokenizer.

    Raises:
        UserError: If it does.
    """
    growth = 1.0
    if tokenizer.normalizer is not None:
        for step in _steps(json.loads(tokenizer.normalizer.__getstate__())):
            growth *= _growth_of(step)
    if growth > MOST_GROWTH:
        raise UserError(f"{path}: its normalizer makes a text {growth:.3g} times as long.")
    added = tokenizer.num_special_tokens_to_add(False)
    if added > MOST_TOKENS_ADDED:
        raise UserError(f"{path}: it puts {added:,} tokens around each text.")


def _steps(normalizer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if normalizer.get("type") == "Sequence":
        for step in normalizer["normalizers"]:
            yield from _steps(step)
    else:
        yield normalizer


def _growth_of(step: dict[str, Any]) -> float:
    """Return how many times as long as before a step of a normalizer makes a text at most."""
    if step.get("type") == "Prepend":
        return 1.0 + len(step["prepend"]) / MOST_GROWTH
    if step.get("type") != "Replace":
        return 1.0
    replaced = len(step["pattern"].get("String") or "")
    return max(1.0, len(step["content"]) / max(1, replaced))
