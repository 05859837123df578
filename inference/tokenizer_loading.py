"""Load the tokenizer of a model, and say in one sentence what is wrong with one that cannot be loaded."""

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.notice import one_line
from malmoi.data.user_error import UserError
from malmoi.inference.model_folder import TOKENIZER, TOKENIZER_CONFIG, check_tokenizer_files
from malmoi.inference.tokenizer_file import PROBE, check_growth, check_vocabulary, is_of_tokenizers


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
            _check_room(model, tokenizer)
    if not tokenizer.is_fast:
        raise UserError(f"{model}: the tokenizer {type(tokenizer).__name__} gives no character offsets.")
    return tokenizer


def check_token_ids(model: str | Path, loaded: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Check that a model has an embedding for each token of its tokenizer.

    Raises:
        UserError: If not, as where the tokenizer of another model lies in its folder.
    """
    check_vocabulary(f"{model}/{TOKENIZER}", tokenizer.get_vocab(), known_token_ids(loaded))


def known_token_ids(loaded: PreTrainedModel) -> int:
    """Return from 0 to below which number a model knows tokens."""
    embeddings: Any = loaded.get_input_embeddings()
    # a BiLSTM takes tokens that only its lexicon knows for the unknown one
    return max(int(embeddings.num_embeddings), int(getattr(loaded.config, "lexicon_vocab_size", 0) or 0))


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
            _check_room(folder, tokenizer)
            tokenizer(PROBE)
            tokenizer.convert_tokens_to_ids(PROBE)  # without end where the unknown token is itself unknown
    except UserError:
        raise
    # the library of tokenizers raises nothing more special, and where it panics, what is no `Exception`
    except BaseException as error:
        if not is_of_tokenizers(error):
            raise
        if not file.is_file():
            raise lacking from error
        said = one_line(error, length=300)
        raise UserError(f"{blamed}: the file is damaged ({said}).") from error
    # some classes make up a tokenizer that knows no words if they find none
    files = {TOKENIZER, *tokenizer.vocab_files_names.values()}
    if tokenizer.is_fast and not any((folder / name).is_file() for name in files):
        raise lacking
    if tokenizer.is_fast and not set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens):
        raise UserError(f"{file}: the file is damaged (it holds no words).")
    return tokenizer


def _check_room(model: str | Path, tokenizer: PreTrainedTokenizerBase) -> None:
    """Check that a tokenizer makes no text much longer, and leaves room for it beside its special tokens.

    Raises:
        UserError: If not.
    """
    added = tokenizer.backend_tokenizer.num_special_tokens_to_add(False)
    if added >= tokenizer.model_max_length:
        raise UserError(
            f"{model}/{TOKENIZER_CONFIG}: `model_max_length` is {tokenizer.model_max_length}, which leaves no room "
            f"beside the {added} tokens that stand around every text."
        )
    check_growth(f"{model}/{TOKENIZER}", tokenizer.backend_tokenizer)
