"""How tokens and words are spelt, as the dictionary features of a model see them: a code point for each character."""

import re
import unicodedata
from functools import cache

from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerBase

from malmoi.data.token_characters import CHARACTER
from malmoi.data.user_error import UserError
from malmoi.modeling.lexicon import OTHER_CHARACTER, SPACE

HANGUL = re.compile("[가-힣]+")
WORD_START = "\u2581"  # SentencePiece's sign of a space


def token_spelling(tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    """Return the code points of every token, in the order of ids; nothing for padding.

    A space is `SPACE`. A special token, and what cannot be written as one code point, is `OTHER_CHARACTER`.

    Raises:
        UserError: If the tokens of this tokenizer are no characters.
    """
    backend = _backend(tokenizer)
    spelt: list[list[int]] = [[OTHER_CHARACTER] for _ in range(len(tokenizer))]
    prefix = getattr(backend.model, "continuing_subword_prefix", None)
    special = set(tokenizer.all_special_ids)
    for token, index in tokenizer.get_vocab().items():
        if index == tokenizer.pad_token_id:
            spelt[index] = []
        elif index not in special:
            spelt[index] = _code_points(_written(token, prefix))
    return spelt


def word_spelling(word: str, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    """Return the code points of a word without its spaces, as the tokenizer writes them.

    Raises:
        UserError: If a character of it is unknown to the tokenizer, so that the word could never be found.
    """
    if HANGUL.fullmatch(word):
        return tuple(map(ord, word))
    backend = _backend(tokenizer)
    normalized = backend.normalizer.normalize_str(word) if backend.normalizer is not None else word
    code_points = tuple(code for code in _code_points(normalized) if code != SPACE)
    unknown = tokenizer.unk_token_id in tokenizer(word, add_special_tokens=False, verbose=False)["input_ids"]
    if unknown or OTHER_CHARACTER in code_points or not code_points:
        raise UserError(f"The word {word!r} cannot be found by this model: its tokenizer does not know all of it.")
    return code_points


def with_all_characters(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """Add all characters of KS X 1001 and all Hangul syllables to a tokenizer of syllables; leave others alone.

    A lexicon finds words that have them, even if no training text has; they come after the other tokens.
    """
    backend = tokenizer.backend_tokenizer if tokenizer.is_fast else None
    if backend is None or not isinstance(backend.model, models.WordLevel):
        return tokenizer
    vocabulary = tokenizer.get_vocab()
    for character in _characters_of_ks_x_1001():
        normalized = backend.normalizer.normalize_str(character)
        if normalized.strip():
            vocabulary.setdefault(normalized, len(vocabulary))
    backend.model = models.WordLevel(vocabulary, unk_token=tokenizer.unk_token)
    return tokenizer


@cache
def _characters_of_ks_x_1001() -> list[str]:
    encodable = []
    for code in (*range(0x21, 0x7F), *range(0xA1, 0xD800), *range(0xF900, 0xFB00), *range(0xFF01, 0xFFF0)):
        try:
            chr(code).encode("cp949")  # KS X 1001 with the rest of the syllables
        except UnicodeEncodeError:
            continue
        encodable.append(chr(code))
    return encodable


def _backend(tokenizer: PreTrainedTokenizerBase) -> Tokenizer:
    backend = tokenizer.backend_tokenizer if tokenizer.is_fast else None
    if backend is None or isinstance(backend.model, models.BPE):
        raise UserError("A lexicon needs a tokenizer whose tokens are spelt in characters: syllables or wordpiece.")
    return backend


def _written(token: str, prefix: str | None) -> str:
    """Return a token as it stands in a text, with the space before it."""
    if prefix:  # WordPiece, whose tokens know whether they continue a word
        return token.removeprefix(prefix) if token.startswith(prefix) else " " + token
    return token.replace(WORD_START, " ")


def _code_points(text: str) -> list[int]:
    composed = unicodedata.normalize("NFC", text)
    if len(composed) == 1:
        return [ord(composed)]
    characters = pre_tokenizers.Split(Regex(CHARACTER), "isolated").pre_tokenize_str(composed)
    return [ord(character) if len(character) == 1 else OTHER_CHARACTER for character, _ in characters]
