"""From tagged sentences to what a token classifier is trained and judged on."""

from collections.abc import Sequence
from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from malmoi.data.alignment import tags_to_token_labels
from malmoi.data.tagged_dataset import label_names
from malmoi.modeling.linear_chain_crf import IGNORED_LABEL
from malmoi.modeling.pipeline_crf_token_classification import token_spans


def token_features(dataset: Dataset, tokenizer: PreTrainedTokenizerBase) -> Dataset:
    """Tokenize tagged sentences and give every token its label.

    Args:
        dataset: Tagged sentences.
        tokenizer: A fast tokenizer. Sentences are never truncated.

    Returns:
        The dataset with the columns `input_ids`, `attention_mask`, `labels` (-100 for special tokens) and `length` for
        training, and `offsets` and `unknown` (whether the tokenizer lacks a token) for evaluation.

    Raises:
        ValueError: If the tokenizer has no offsets.
    """
    if not tokenizer.is_fast:
        raise ValueError(f"{type(tokenizer).__name__} gives no character offsets; a fast tokenizer is needed.")
    names = label_names(dataset)
    ids = {name: index for index, name in enumerate(names)}

    def encode(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        encoded = tokenizer(batch["text"], return_offsets_mapping=True, truncation=False, verbose=False)
        spans = [token_spans(text, offsets) for text, offsets in zip(batch["text"], encoded["offset_mapping"])]
        labels = [_label_ids([names[tag] for tag in tags], row, ids) for tags, row in zip(batch["tags"], spans)]
        return {
            "input_ids": encoded["input_ids"],
            "attention_mask": encoded["attention_mask"],
            "labels": labels,
            "length": [len(row) for row in encoded["input_ids"]],
            "offsets": [[list(pair) for pair in row] for row in spans],
            "unknown": [[token == tokenizer.unk_token_id for token in row] for row in encoded["input_ids"]],
        }

    return dataset.map(encode, batched=True, desc="Tokenizing", keep_in_memory=True)


def _label_ids(tags: Sequence[str], offsets: Sequence[tuple[int, int]], ids: dict[str, int]) -> list[int]:
    return [IGNORED_LABEL if label is None else ids[label] for label in tags_to_token_labels(tags, offsets)]


def untagged_token_ids(tokenizer: PreTrainedTokenizerBase, *, later_subwords: bool = False) -> list[int]:
    """Return the ids of tokens that carry no tag, for `untagged_token_ids` of a configuration.

    These are the tokens that stand for no text, such as `[CLS]`; the unknown token does stand for text.

    Args:
        tokenizer: The tokenizer.
        later_subwords: Whether the pieces that continue a word (`##은`) carry no tag either, for data in which only
            the first piece of a word has a label and the others have -100.
    """
    untagged = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    if later_subwords:
        untagged |= {index for token, index in tokenizer.get_vocab().items() if token.startswith("##")}
    return sorted(untagged)
