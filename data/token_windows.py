"""Texts longer than a model can take, cut into windows that overlap so that every token is seen with its context."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from malmoi.data.user_error import UserError
from malmoi.modeling.name_edges import token_spans

if TYPE_CHECKING:
    from tokenizers import Encoding
    from transformers import PreTrainedTokenizerBase

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


def token_windows(
    texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase", *, max_length: int | None
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
    check_room(max_length, tokenizer.num_special_tokens_to_add())
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
        cut_windows(text, input_ids, offsets, encoding, max_length=max_length)
        for text, input_ids, offsets, encoding in rows
    ]


def check_room(max_length: int | None, special_tokens: int) -> None:
    """Check that windows of this many tokens can move on over a text.

    Raises:
        UserError: If not.
    """
    if max_length is not None and max_length < special_tokens + 4:
        raise UserError(f"A window needs at least {special_tokens + 4} tokens, got `max_seq_length` {max_length}.")


def cut_windows(
    text: str, input_ids: list[int], offsets: Offsets, encoding: "Encoding", *, max_length: int | None
) -> list[Window]:
    """Return the windows of a text whose tokens are known; one if the model can take them at once.

    Args:
        text: The text.
        input_ids: Its tokens, special ones included.
        offsets: The characters that each token stands for, as the tokenizer gives them.
        encoding: What else the tokenizer says of them.
        max_length: How many tokens the model can take; `None` if there is no limit.
    """
    spans = token_spans(text, offsets)
    if max_length is None or len(input_ids) <= max_length:
        return [Window(input_ids, spans, (0, len(input_ids)))]
    return _divide(input_ids, spans, encoding.special_tokens_mask, max_length)


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
