"""Make a subword tokenizer give one token per character, as word spacing needs it."""

import copy

from tokenizers import Regex, Tokenizer, pre_tokenizers
from transformers import PreTrainedTokenizerBase

from malmoi.data.syllable_tokenizer import CHARACTER
from malmoi.data.user_error import UserError


def split_into_characters(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """Return a copy of a fast tokenizer whose tokens never reach beyond one syllable or character.

    The split is part of the tokenizer itself, so a saved model tokenizes the same way in a stock pipeline, where
    nothing knows of characters. White space is no token, whether the text has its spaces or not.

    Raises:
        UserError: If it cannot be done: the tokenizer is not a fast one.
    """
    if not tokenizer.is_fast:
        raise UserError(f"{type(tokenizer).__name__} cannot be split into characters; a fast tokenizer is needed.")
    tokenizer = copy.deepcopy(tokenizer)
    backend: Tokenizer = tokenizer.backend_tokenizer
    steps = [
        pre_tokenizers.WhitespaceSplit(),
        pre_tokenizers.Split(Regex(CHARACTER), "isolated"),
    ]
    if backend.pre_tokenizer is not None:
        steps.append(backend.pre_tokenizer)
    backend.pre_tokenizer = pre_tokenizers.Sequence(steps)
    return tokenizer
