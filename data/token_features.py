"""From tagged sentences to what a token classifier is trained and judged on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from datasets import Dataset, Features, List, Value
from transformers import PreTrainedTokenizerBase

from malmoi.data.alignment import tags_to_token_labels
from malmoi.data.probable_classes import PROBABILITIES
from malmoi.data.tagged_dataset import label_names
from malmoi.data.token_windows import token_windows
from malmoi.modeling.linear_chain_crf import IGNORED_LABEL

INTEGERS = List(Value("int64"))
TOKEN_FEATURES = Features(
    {
        "input_ids": INTEGERS,
        "attention_mask": INTEGERS,
        "labels": INTEGERS,
        "length": Value("int64"),
        "offsets": List(INTEGERS),
        "unknown": List(Value("bool")),
        "kept": INTEGERS,
        "sentence": Value("int64"),
    }
)


def token_features(dataset: Dataset, tokenizer: PreTrainedTokenizerBase, *, max_length: int | None = None) -> Dataset:
    """Tokenize tagged sentences and give every token its label.

    Args:
        dataset: Tagged sentences.
        tokenizer: A fast tokenizer.
        max_length: How many tokens the model can take; longer sentences become several rows, and nothing is lost.

    Returns:
        One row per window of a sentence, in order, with the columns `input_ids`, `attention_mask`, `labels` (-100 for
        special tokens) and `length` for training, and for evaluation `offsets`, `unknown` (whether the tokenizer lacks
        a token), `kept` (see `Window`) and `sentence` (its number in the dataset). If the sentences have probabilities
        of labels, so have the tokens, in the column `probabilities`: those of each after those of the one before it,
        all 0 for special tokens.

    Raises:
        ValueError: If the tokenizer has no offsets.
    """
    names = label_names(dataset)
    ids = {name: index for index, name in enumerate(names)}
    unknown = tokenizer.unk_token_id  # looked up by name every time
    probable = PROBABILITIES in dataset.column_names

    def encode(batch: dict[str, list[Any]], numbers: list[int]) -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {name: [] for name in TOKEN_FEATURES}
        windows_of_texts = token_windows(batch["text"], tokenizer, max_length=max_length)
        for place, (number, tags, windows) in enumerate(zip(numbers, batch["tags"], windows_of_texts)):
            for window in windows:
                columns["input_ids"].append(window.input_ids)
                columns["attention_mask"].append([1] * len(window.input_ids))
                columns["labels"].append(_label_ids([names[tag] for tag in tags], window.offsets, ids))
                if probable:
                    of_characters = np.array(batch[PROBABILITIES][place], dtype=np.float32).reshape(-1, len(names))
                    of_tokens = _probabilities(of_characters, tags, columns["labels"][-1], window.offsets)
                    columns.setdefault(PROBABILITIES, []).append(of_tokens.ravel())
                columns["length"].append(len(window.input_ids))
                columns["offsets"].append([list(pair) for pair in window.offsets])
                columns["unknown"].append([token == unknown for token in window.input_ids])
                columns["kept"].append(list(window.kept))
                columns["sentence"].append(number)
        return columns

    return dataset.map(
        encode,
        batched=True,
        with_indices=True,
        remove_columns=dataset.column_names,
        features=Features({**TOKEN_FEATURES, PROBABILITIES: List(Value("float32"))}) if probable else TOKEN_FEATURES,
        desc="Tokenizing",
        keep_in_memory=True,
    )


def _label_ids(tags: Sequence[str], offsets: Sequence[tuple[int, int]], ids: dict[str, int]) -> list[int]:
    return [IGNORED_LABEL if label is None else ids[label] for label in tags_to_token_labels(tags, offsets)]


def _probabilities(
    of_characters: npt.NDArray[np.float32],
    tags: Sequence[int],
    label_ids: Sequence[int],
    offsets: Sequence[tuple[int, int]],
) -> npt.NDArray[np.float32]:
    """Return the probability of every label at each token, `(tokens, labels)`: that at its first character.

    Where a token has another label than its first character, as where a name begins inside a token, this is certain.
    """
    found = np.zeros((len(label_ids), of_characters.shape[1]), dtype=np.float32)
    for token, (label_id, (start, end)) in enumerate(zip(label_ids, offsets)):
        if label_id == IGNORED_LABEL:
            continue
        if start < end and tags[start] == label_id:
            found[token] = of_characters[start]
        else:
            found[token, label_id] = 1
    return found


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
