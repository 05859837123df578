"""Texts longer than a model can take, cut into windows that overlap so that every token is seen with its context."""

from collections.abc import Sequence
from typing import NamedTuple

from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from malmoi.configuration.position_limit import position_limit
from malmoi.modeling.pipeline_crf_token_classification import UNLIMITED, token_spans

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
        ValueError: If the tokenizer has no offsets, or `max_length` leaves no room for a window to move on.
    """
    if not tokenizer.is_fast:
        raise ValueError(f"{type(tokenizer).__name__} gives no character offsets; a fast tokenizer is needed.")
    windows: list[list[Window]] = [[] for _ in texts]
    if not texts:
        return windows
    special = tokenizer.num_special_tokens_to_add()
    overlap = 0 if max_length is None else (max_length - special) // 4
    if max_length is not None and max_length - special < 4:
        raise ValueError(f"A window needs at least {special + 4} tokens, got `max_seq_length` {max_length}.")
    encoded = tokenizer(
        list(texts),
        return_offsets_mapping=True,
        return_overflowing_tokens=max_length is not None,
        truncation=max_length is not None,
        max_length=max_length,
        stride=overlap,
        verbose=False,
    )
    owners = encoded["overflow_to_sample_mapping"] if max_length is not None else range(len(texts))
    for owner, input_ids, offsets in zip(owners, encoded["input_ids"], encoded["offset_mapping"]):
        windows[owner].append(Window(input_ids, token_spans(texts[owner], offsets), (0, len(input_ids))))
    before = _leading_special_tokens(tokenizer)
    return [_divide(parts, before, special - before, overlap) for parts in windows]


def _leading_special_tokens(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return how many special tokens stand before a text."""
    mask: list[int] = tokenizer("a", return_special_tokens_mask=True)["special_tokens_mask"]
    return mask.index(0) if 0 in mask else 0


def _divide(parts: list[Window], before: int, after: int, overlap: int) -> list[Window]:
    """Give the first half of what two windows share to the former, the second half to the latter."""
    last = len(parts) - 1
    return [
        part._replace(
            kept=(
                before + overlap // 2 if index > 0 else 0,
                len(part.input_ids) - (after + overlap - overlap // 2 if index < last else 0),
            )
        )
        for index, part in enumerate(parts)
    ]
