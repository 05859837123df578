"""Give a new model the words of a lexicon."""

from collections.abc import Collection, Mapping
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.lexicon import LexiconWords, merge_lexicons, read_lexicon
from malmoi.data.token_spelling import token_spelling, word_spelling
from malmoi.data.user_error import UserError
from malmoi.modeling.lexicon import NO_CHARACTER, Lexicon


def load_lexicons(names: str) -> LexiconWords:
    """Read lexicons, named with commas between them, as one.

    Raises:
        UserError: If one cannot be had, or a line of it cannot be read.
    """
    return merge_lexicons([read_lexicon(name.strip()) for name in names.split(",")])


def lexicon_settings(lexicon: LexiconWords, tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """Return the settings of a model with a lexicon that its configuration cannot have from a recipe."""
    return {
        "lexicon_classes": list(lexicon.classes),
        "lexicon_vocab_size": len(tokenizer),
        "lexicon_token_length": max(map(len, token_spelling(tokenizer))),
    }


def labels_of_classes(
    settings: Mapping[str, Any], said: Mapping[str, Any], classes: Collection[str]
) -> dict[str, str]:
    """Return the class of a word that is added for a label, as settings give it.

    What a user says holds. What a recipe of the package says is meant for the lexicon that it names, and holds for the
    classes that another one has too.

    Args:
        settings: The settings of a model.
        said: Those of them that a user says.
        classes: The classes of its lexicon.

    Raises:
        UserError: If what is said are no labels and classes.
    """
    labels = settings.get("lexicon_labels") or {}
    if not (isinstance(labels, Mapping) and all(isinstance(text, str) for pair in labels.items() for text in pair)):
        raise UserError(
            "`lexicon_labels` must be a mapping such as {PS: person}, with quotes where YAML reads no text (NO, 1), "
            f"got {labels!r}."
        )
    labels = dict(labels)
    return labels if "lexicon_labels" in said else {label: name for label, name in labels.items() if name in classes}


@torch.no_grad()
def set_lexicon(model: PreTrainedModel, lexicon: LexiconWords, tokenizer: PreTrainedTokenizerBase) -> int:
    """Give a model words and the characters of its tokens; return the number of words that its tokenizer can write.

    Args:
        model: A model whose settings are `lexicon_settings`.
        lexicon: The words.
        tokenizer: The tokenizer of the model.
    """
    features = model.lexicon
    assert isinstance(features, Lexicon)
    width = features.token_characters.size(1)
    spelt = [codes + [NO_CHARACTER] * (width - len(codes)) for codes in token_spelling(tokenizer)]
    features.token_characters.copy_(torch.tensor(spelt, dtype=torch.int32))
    words: dict[tuple[int, ...], int] = {}
    for word, bits in lexicon.words.items():
        try:
            spelling = word_spelling(word, tokenizer)
        except UserError:  # no text of which the model reads all characters has this word
            continue
        words[spelling] = words.get(spelling, 0) | bits
    features.add_words(words)
    return len(words)
