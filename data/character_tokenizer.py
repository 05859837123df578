"""Adapt an existing tokenizer: which characters it drops, and where it splits a text."""

import copy

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from malmoi.data.token_characters import CHARACTER, drop_invisible
from malmoi.data.user_error import UserError

SOME_INVISIBLE = "\b\x7f\u00ad\u034f\u200b\u200d\u3164\ufe0f\ufeff\ufff9\U000e0020"


def split_into_characters(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerFast:
    """Return a copy of a fast tokenizer whose tokens never reach beyond one syllable or character.

    The split is part of the tokenizer itself, so a saved model tokenizes the same way in a stock pipeline, where
    nothing knows of characters. White space and invisible characters are no tokens, and special tokens that occur in a
    text are text. Byte-level and SentencePiece tokenizers may need several pieces for a character.

    Raises:
        UserError: If it cannot be done: the tokenizer is not a fast one.
    """
    if not tokenizer.is_fast:
        raise UserError(f"{type(tokenizer).__name__} cannot be split into characters; a fast tokenizer is needed.")
    steps = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(CHARACTER), "isolated")]
    return _rebuilt(tokenizer, first_steps=steps, split_special_tokens=True)


def without_invisible(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """Return a fast tokenizer that drops invisible characters, as the tokenizers built here do.

    It is the tokenizer itself if that drops them already, otherwise a copy.
    """
    normalizer = tokenizer.backend_tokenizer.normalizer
    if normalizer is not None and not normalizer.normalize_str(SOME_INVISIBLE):
        return tokenizer
    return _rebuilt(tokenizer, first_steps=[], split_special_tokens=tokenizer.split_special_tokens)


def _rebuilt(
    tokenizer: PreTrainedTokenizerBase,
    *,
    first_steps: list[pre_tokenizers.PreTokenizer],
    split_special_tokens: bool,
) -> PreTrainedTokenizerFast:
    """Return a copy of a tokenizer that drops invisible characters and runs these steps before its own."""
    backend: Tokenizer = copy.deepcopy(tokenizer.backend_tokenizer)
    own = [] if backend.normalizer is None else [backend.normalizer]
    backend.normalizer = normalizers.Sequence([*drop_invisible(), *own])
    if first_steps:
        own_steps = [] if backend.pre_tokenizer is None else [backend.pre_tokenizer]
        backend.pre_tokenizer = pre_tokenizers.Sequence([*first_steps, *own_steps])
    # `BertTokenizer` and others build their own steps anew when they are loaded; this class takes those of the file
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        **tokenizer.special_tokens_map,
        model_max_length=tokenizer.model_max_length,
        model_input_names=tokenizer.model_input_names,
        padding_side=tokenizer.padding_side,
        split_special_tokens=split_special_tokens,
    )
