"""Load the tokenizer of a model, and say in one sentence what is wrong with one that cannot be loaded."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.notice import shorten
from malmoi.data.user_error import UserError
from malmoi.inference.model_folder import TOKENIZER, TOKENIZER_CONFIG, check_tokenizer_files

PROBE = "가 aꙮ \U00013000"
"""A text with characters that hardly any tokenizer knows."""
MOST_GROWTH = 64
"""How many times as long as before a normalizer may make a text."""
MOST_TOKENS_ADDED = 100
"""How many tokens a tokenizer may put around a text."""


def load_tokenizer(model: str | Path, options: dict[str, Any]) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a model.

    Args:
        model: A folder, or the name of a repository on the Hub.
        options: What transformers takes beside it.

    Raises:
        UserError: If a folder lacks it, it is damaged, gives no offsets or makes texts grow; the message names the
            file.
    """
    folder = Path(model)
    if folder.is_dir():
        tokenizer = _load_from_folder(folder, options)
    else:
        tokenizer = AutoTokenizer.from_pretrained(model, **options)
        if tokenizer.is_fast:
            _check_growth(model, tokenizer)
    if not tokenizer.is_fast:
        raise UserError(f"{model}: the tokenizer {type(tokenizer).__name__} gives no character offsets.")
    return tokenizer


def check_token_ids(model: str | Path, loaded: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Check that a model has an embedding for each token of its tokenizer.

    Raises:
        UserError: If not, as where the tokenizer of another model lies in its folder.
    """
    embeddings: Any = loaded.get_input_embeddings()
    # a BiLSTM takes tokens that only its lexicon knows for the unknown one
    known = max(int(embeddings.num_embeddings), int(getattr(loaded.config, "lexicon_vocab_size", 0) or 0))
    token, largest = max(tokenizer.get_vocab().items(), key=lambda item: item[1], default=("", -1))
    if largest >= known:
        raise UserError(
            f"{model}/{TOKENIZER}: the token {shorten(token)} has the number {largest:,}, but the model has only "
            f"{known:,} embeddings; the tokenizer is another model's."
        )


def _load_from_folder(folder: Path, options: dict[str, Any]) -> PreTrainedTokenizerBase:
    file = folder / TOKENIZER
    check_tokenizer_files(folder)
    lacking = UserError(f"{file}: there is no such file, so the folder holds no tokenizer.")
    blamed = file
    try:
        if file.is_file():
            # as what it says, and not as what names a file in the place of a vocabulary, which transformers would read
            Tokenizer.from_file(str(file))
            if (folder / TOKENIZER_CONFIG).is_file():
                blamed = folder / TOKENIZER_CONFIG
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, **options)
        if tokenizer.is_fast and file.is_file():
            _check_growth(folder, tokenizer)
            tokenizer(PROBE)
            tokenizer.convert_tokens_to_ids(PROBE)  # without end where the unknown token is itself unknown
    except UserError:
        raise
    # the library of tokenizers raises nothing more special, and where it panics, what is no `Exception`
    except BaseException as error:
        if not (isinstance(error, Exception) or type(error).__name__ == "PanicException"):
            raise
        if not file.is_file():
            raise lacking from error
        said = " ".join(str(error).split())[:300]
        raise UserError(f"{blamed}: the file is damaged ({said}).") from error
    # some classes make up a tokenizer that knows no words if they find none
    files = {TOKENIZER, *tokenizer.vocab_files_names.values()}
    if tokenizer.is_fast and not any((folder / name).is_file() for name in files):
        raise lacking
    if tokenizer.is_fast and not set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens):
        raise UserError(f"{file}: the file is damaged (it holds no words).")
    return tokenizer


def _check_growth(model: str | Path, tokenizer: PreTrainedTokenizerBase) -> None:
    """Check that a tokenizer makes no text much longer: forty times double is a terabyte for each character.

    Raises:
        UserError: If it does.
    """
    backend = tokenizer.backend_tokenizer
    growth = 1.0
    if backend.normalizer is not None:
        for step in _steps(json.loads(backend.normalizer.__getstate__())):
            growth *= _growth_of(step)
    if growth > MOST_GROWTH:
        raise UserError(f"{model}/{TOKENIZER}: its normalizer makes a text {growth:.3g} times as long.")
    added = backend.num_special_tokens_to_add(False)
    if added >= tokenizer.model_max_length:
        raise UserError(
            f"{model}/{TOKENIZER_CONFIG}: `model_max_length` is {tokenizer.model_max_length}, which leaves no room "
            f"beside the {added} tokens that stand around every text."
        )
    if added > MOST_TOKENS_ADDED:
        raise UserError(f"{model}/{TOKENIZER}: it puts {added:,} tokens around each text.")


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
