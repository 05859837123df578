"""Probabilities of labels follow their characters: to other labels, between other spaces, to tokens."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tiny_models import SENTENCES, byte_level_tokenizer

from malmoi.data.probable_classes import PROBABILITIES
from malmoi.data.space_noise import with_space_noise, without_spaces
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.tagged_dataset import (
    TaggedSentence,
    bio_labels,
    tag_probabilities,
    tagged_dataset,
    tagged_sentences,
    with_labels,
    with_sentences_of_models,
)
from malmoi.data.token_features import token_features
from malmoi.data.wordpiece_tokenizer import build_wordpiece_tokenizer
from malmoi.modeling.linear_chain_crf import IGNORED_LABEL

LABELS = bio_labels(["LC", "PS"])
TOKENIZERS = {
    "syllables": build_syllable_tokenizer(SENTENCES),
    "wordpiece": build_wordpiece_tokenizer(SENTENCES, vocab_size=150),
}
NOISE = {"probability": 1.0, "drop_all_probability": 0.3, "drop_probability": 0.5, "add_probability": 0.5}
Array = npt.NDArray[np.float32]


def probabilities_of(text: str) -> Array:
    """Return probabilities by which each character of a text can be told from the others."""
    drawn = np.random.default_rng(len(text)).random((len(text), len(LABELS)), dtype=np.float32)
    return drawn / drawn.sum(axis=1, keepdims=True)


def sentence(text: str) -> TaggedSentence:
    return TaggedSentence(id="1", text=text, tags=["O"] * len(text), probabilities=probabilities_of(text))


def test_sentences_come_back_with_their_probabilities() -> None:
    texts = ["손흥민은 춘천에서", "가"]
    rows = tagged_dataset(map(sentence, texts), LABELS)
    for found, text in zip(tagged_sentences(rows), texts, strict=True):
        assert found["text"] == text
        np.testing.assert_array_equal(found["probabilities"], probabilities_of(text))


def test_other_labels_take_their_probabilities_along() -> None:
    labels = ["O", *bio_labels(["DT", "PS", "LC"])[:-1]]
    [found] = tag_probabilities(with_labels(tagged_dataset([sentence("춘천에")], LABELS), labels))
    expected = probabilities_of("춘천에")
    for column, label in enumerate(labels):
        own = expected[:, LABELS.index(label)] if label in LABELS else np.zeros(3)
        np.testing.assert_array_equal(found[:, column], own)


def test_what_people_have_tagged_is_certain() -> None:
    tagged = tagged_dataset([TaggedSentence(id="1", text="춘천", tags=["B-LC", "I-LC"])], LABELS)
    gold, silver = tag_probabilities(with_sentences_of_models(tagged, tagged_dataset([sentence("그가")], LABELS)))
    np.testing.assert_array_equal(gold, [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]])
    np.testing.assert_array_equal(silver, probabilities_of("그가"))


def test_sentences_without_probabilities_stay_so() -> None:
    tagged = tagged_dataset([TaggedSentence(id="1", text="춘천", tags=["B-LC", "I-LC"])], LABELS)
    joined = with_sentences_of_models(tagged, tagged)
    assert (joined.num_rows, PROBABILITIES in joined.column_names) == (2, False)


@given(text=st.text(st.sampled_from("손흥민 \t춘천 "), min_size=1, max_size=20), seed=st.integers(0, 99))
def test_probabilities_stay_with_their_characters_when_spaces_change(text: str, seed: int) -> None:
    rows = tagged_dataset([sentence(text)], LABELS)
    for changed in (with_space_noise(rows, **NOISE, seed=seed), without_spaces(rows)):
        [after] = tagged_sentences(changed)
        assert after["probabilities"].shape == (len(after["text"]), len(LABELS))
        np.testing.assert_allclose(after["probabilities"].sum(axis=1), 1, rtol=1e-5)
        of_letters = after["probabilities"][[not character.isspace() for character in after["text"]]]
        expected = probabilities_of(text)[[not character.isspace() for character in text]]
        np.testing.assert_array_equal(of_letters, expected)


def test_a_new_space_is_as_much_of_a_name_as_what_follows_it_continues_one() -> None:
    rows = tagged_dataset([sentence("가나")], LABELS)
    [after] = tagged_sentences(with_space_noise(rows, **{**NOISE, "drop_all_probability": 0.0}, seed=2))
    assert after["text"] == "가 나"
    continued = probabilities_of("가나")[1, [LABELS.index("I-LC"), LABELS.index("I-PS")]]
    np.testing.assert_allclose(after["probabilities"][1], [0, continued[0], 0, continued[1], 1 - continued.sum()])


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_token_has_the_probabilities_of_its_first_character(name: str) -> None:
    text = SENTENCES[0]
    [row] = token_features(tagged_dataset([sentence(text)], LABELS), TOKENIZERS[name])
    of_tokens = np.array(row[PROBABILITIES], dtype=np.float32).reshape(-1, len(LABELS))
    assert len(of_tokens) == len(row["input_ids"])
    for found, label, (start, _) in zip(of_tokens, row["labels"], row["offsets"], strict=True):
        expected = np.zeros(len(LABELS)) if label == IGNORED_LABEL else probabilities_of(text)[start]
        np.testing.assert_array_equal(found, expected)


def test_a_token_with_another_label_than_its_first_character_has_it_for_certain() -> None:
    """The further bytes of a character continue the name that it begins."""
    text = "뷁"
    found = TaggedSentence(id="1", text=text, tags=["B-PS"], probabilities=probabilities_of(text))
    [row] = token_features(tagged_dataset([found], LABELS), byte_level_tokenizer())
    of_tokens = np.array(row[PROBABILITIES], dtype=np.float32).reshape(-1, len(LABELS))
    labelled = [index for index, label in enumerate(row["labels"]) if label != IGNORED_LABEL]
    np.testing.assert_array_equal(of_tokens[labelled[0]], probabilities_of(text)[0])
    for index in labelled[1:]:
        np.testing.assert_array_equal(of_tokens[index], np.eye(len(LABELS))[LABELS.index("I-PS")])
    assert len(labelled) > 1
