"""Texts longer than a model can take, cut into windows that overlap so that every token is seen with its context."""

from collections.abc import Sequence
from typing import NamedTuple

from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from malmoi.configuration.position_limit import position_limit
from malmoi.data.user_error import UserError
from malmoi.modeling.name_edges import UNLIMITED, token_spans

Offsets = list[tuple[int, int]]


class Window(NamedTuple):
    """What a model sees at once of a text.

    Args:
        input_ids: The tokens.
        offsets: The characters that each token stands for, in the whole text; `(0, 0)` for tokens like `[CLS]`.
        kept: First and last (exclusive) of the tokens whose answers count; the others are context. Every token of a
            text is kept in exactly one window.
    """

    input_ids: list[int]
    offsets: Offsets
    kept: tuple[int, int]


def longest_input(config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int | None:
    """Return how many tokens a model reads at once, special ones included; `None` if there is no limit."""
    limit = position_limit(config.encoder_config if config.model_type == "encoder_crf" else config)
    of_tokenizer = None if tokenizer.model_max_length >= UNLIMITED else tokenizer.model_max_length
    return min((length for length in (limit, of_tokenizer) if length is not None), default=None)


def token_windows(
    texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, *, max_length: int | None
) -> list[list[Window]]:
    """Return the windows of each text; a text that the model can take at once has one.

    Args:
        texts: The texts.
        tokenizer: A fast tokenizer.
        max_length: How many tokens the model can take, special ones included; `None` if there is no limit.

    Raises:
        ValueError: If the tokenizer has no offsets.
        UserError: If `max_length` leaves no room for a window to move on.
    """
    if not tokenizer.is_fast:
        raise ValueError(f"{type(tokenizer).__name__} gives no character offsets; a fast tokenizer is needed.")
    shortest = tokenizer.num_special_tokens_to_add() + 4
    if max_length is not None and max_length < shortest:
        raise UserError(f"A window needs at least {shortest} tokens, got `max_seq_length` {max_length}.")
    if not texts:
        return []
    encoded = tokenizer(
        list(texts),
        truncation=False,
        return_offsets_mapping=True,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )
    assert encoded.encodings is not None, "fast tokenizers have them"
    rows = zip(texts, encoded["input_ids"], encoded["offset_mapping"], encoded.encodings, strict=True)
    return [
        [Window(input_ids, token_spans(text, offsets), (0, len(input_ids)))]
        if max_length is None or len(input_ids) <= max_length
        else _divide(input_ids, token_spans(text, offsets), encoding.special_tokens_mask, max_length)
        for text, input_ids, offsets, encoding in rows
    ]


def _divide(input_ids: list[int], offsets: Offsets, special: list[int], max_length: int) -> list[Window]:
    """Cut a text into windows, each between the special tokens of the whole.

    Windows share a quarter of their tokens; the first half of what two share is kept in the former, the second half
    in the latter.
    """
    before, after = special.index(0), special[::-1].index(0)
    end = len(input_ids) - after
    room = max_length - before - after
    overlap = room // 4
    windows = []
    for start in range(before, end - overlap, room - overlap):
        stop = min(start + room, end)
        parts = (slice(before), slice(start, stop), slice(end, None))
        window_ids = [token for part in parts for token in input_ids[part]]
        window_offsets = [span for part in parts for span in offsets[part]]
        first = 0 if start == before else before + overlap // 2
        last = len(window_ids) if stop == end else before + room - (overlap - overlap // 2)
        windows.append(Window(window_ids, window_offsets, (first, last)))
    return windows
