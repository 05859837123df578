"""Sentences as people write them: with spaces left out, and put where none belong.

The characters stay as they are and so do the names, but for their white space: what is put into a name belongs to it,
what is left out of one is gone from it.
"""

import random
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from datasets import Dataset

from malmoi.data.alignment import OUTSIDE, Span, spans_to_tags, tags_to_spans
from malmoi.data.tagged_dataset import TaggedSentence, label_names, tagged_dataset, tagged_sentences

NEW_SPACE = -1
"""Stands among the numbers of characters for a space that was not there."""


def without_spaces(dataset: Dataset) -> Dataset:
    """Return tagged sentences without their white space; one that has nothing else stays as it is."""
    names = label_names(dataset)
    sentences = [_respaced(each, _visible(each["text"]), names) for each in tagged_sentences(dataset)]
    return tagged_dataset(sentences, names)


def with_space_noise(
    dataset: Dataset,
    *,
    probability: float,
    drop_all_probability: float,
    drop_probability: float,
    add_probability: float,
    seed: int,
) -> Dataset:
    """Return tagged sentences, some of them with other spaces.

    Args:
        dataset: Tagged sentences.
        probability: With what probability the spaces of a sentence are changed.
        drop_all_probability: With what probability such a sentence loses all its white space.
        drop_probability: Otherwise: with what probability each white space is left out.
        add_probability: Otherwise: with what probability a space is put before a Hangul syllable within a word.
        seed: The same seed gives the same sentences.
    """
    if not probability:
        return dataset
    names = label_names(dataset)
    # another stream than the one by which names are replaced
    generator = random.Random(f"spaces {seed}")
    sentences = []
    for sentence in tagged_sentences(dataset):
        if generator.random() < probability:
            kept = _misspaced(sentence["text"], drop_all_probability, drop_probability, add_probability, generator)
            sentence = _respaced(sentence, kept, names)
        sentences.append(sentence)
    return tagged_dataset(sentences, names)


def _visible(text: str) -> list[int]:
    """Return the numbers of the characters that are no white space."""
    return [index for index, character in enumerate(text) if not character.isspace()]


def _misspaced(
    text: str,
    drop_all_probability: float,
    drop_probability: float,
    add_probability: float,
    generator: random.Random,
) -> list[int]:
    """Return the numbers of the characters that stay, and `NEW_SPACE` where a space comes between them."""
    if generator.random() < drop_all_probability:
        return _visible(text)
    kept: list[int] = []
    for index, character in enumerate(text):
        if character.isspace():
            if generator.random() < drop_probability:
                continue
        # no combining mark, joiner or letter of a decomposed syllable is parted from what it belongs to
        elif "가" <= character <= "힣" and text[index - 1 : index].isalnum() and generator.random() < add_probability:
            kept.append(NEW_SPACE)
        kept.append(index)
    return kept


def _text_of(text: str, kept: Sequence[int]) -> str:
    """Return the text of these of its characters and of the new spaces between them."""
    return "".join(" " if index == NEW_SPACE else text[index] for index in kept)


def _respaced(sentence: TaggedSentence, kept: Sequence[int], labels: Sequence[str]) -> TaggedSentence:
    """Return a sentence of these of its characters, with its names in their new places."""
    text = _text_of(sentence["text"], kept)
    if not text.strip():
        return sentence
    places = {index: place for place, index in enumerate(kept) if index != NEW_SPACE}
    spans = []
    for start, end, label in tags_to_spans(sentence["tags"]):
        left = [places[index] for index in range(start, end) if index in places]
        if left:
            spans.append(Span(left[0], left[-1] + 1, label))
    respaced = TaggedSentence(id=sentence["id"], text=text, tags=spans_to_tags(spans, len(text)))
    if "probabilities" in sentence:
        respaced["probabilities"] = _respaced_probabilities(sentence["probabilities"], kept, labels)
    return respaced


def _respaced_probabilities(
    probabilities: npt.NDArray[np.float32], kept: Sequence[int], labels: Sequence[str]
) -> npt.NDArray[np.float32]:
    """Return the probabilities of labels at these characters.

    A new space belongs to a name as probably as the character behind it continues one.
    """
    behind = np.array([kept[place + 1] if index == NEW_SPACE else index for place, index in enumerate(kept)])
    respaced = probabilities[behind]
    new = np.array(kept) == NEW_SPACE
    continuing = [label.startswith("I") for label in labels]
    respaced[new] *= np.array(continuing, dtype=np.float32)
    respaced[new, labels.index(OUTSIDE)] = 1 - respaced[new].sum(axis=1)
    return respaced


def texts_with_space_noise(
    texts: Sequence[str],
    *,
    probability: float,
    drop_all_probability: float,
    drop_probability: float,
    add_probability: float,
    seed: int,
) -> list[str]:
    """Return texts, some of them with other spaces, as `with_space_noise` does with tagged sentences."""
    generator = random.Random(f"spaces {seed}")
    changed = []
    for text in texts:
        if generator.random() < probability:
            kept = _misspaced(text, drop_all_probability, drop_probability, add_probability, generator)
            respaced = _text_of(text, kept)
            text = respaced if respaced.strip() else text
        changed.append(text)
    return changed
