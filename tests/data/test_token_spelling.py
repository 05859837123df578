"""What the dictionary features of a model take tokens and words for."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.property_tests import examples
from support.tiny_models import SENTENCES, bert_tokenizer, byte_level_tokenizer, sentencepiece_tokenizer
from transformers import PreTrainedTokenizerBase

from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.token_spelling import token_spelling, with_all_characters, word_spelling
from malmoi.data.user_error import UserError
from malmoi.modeling.lexicon import OTHER_CHARACTER, SPACE


@pytest.fixture(scope="module")
def syllables() -> PreTrainedTokenizerBase:
    """A tokenizer of syllables with all characters."""
    return with_all_characters(build_syllable_tokenizer(SENTENCES, min_frequency=1))


def spelt(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return a text as a model with this tokenizer sees it."""
    spelling = token_spelling(tokenizer)
    return [code for token in tokenizer(text)["input_ids"] for code in spelling[token]]


@settings(max_examples=examples(200), deadline=None)
@given(text=st.text(st.sampled_from("가각힣손흥민 aZ7ㅋㅠ韓.%"), max_size=12), form=st.sampled_from(["NFC", "NFD"]))
def test_a_text_is_spelt_in_its_own_characters(syllables: PreTrainedTokenizerBase, text: str, form: str) -> None:
    assert spelt(unicodedata.normalize(form, text), syllables) == [ord(character) for character in text]


def test_what_is_no_single_code_point_is_part_of_no_word(syllables: PreTrainedTokenizerBase) -> None:
    assert spelt("가👨‍👩‍👧나", syllables) == [ord("가"), OTHER_CHARACTER, ord("나")]


def test_every_token_of_syllables_is_one_character(syllables: PreTrainedTokenizerBase) -> None:
    assert {len(codes) for codes in token_spelling(syllables)} == {0, 1}  # 0: padding


def test_tokens_keep_their_ids_and_the_rest_comes_after_them() -> None:
    before = build_syllable_tokenizer(SENTENCES, min_frequency=1)
    known = before.get_vocab()
    after = with_all_characters(before)
    vocabulary = after.get_vocab()
    assert all(vocabulary[token] == index for token, index in known.items())
    assert sorted(vocabulary.values()) == list(range(len(after)))
    assert after.unk_token_id not in after("똠뷁漢Ω①zZ~")["input_ids"]


def test_pieces_of_words_have_a_space_before_each_word() -> None:
    text = "손흥민은 춘천에서"
    assert spelt(text, bert_tokenizer()) == [
        OTHER_CHARACTER, *map(ord, " 손흥민은 춘천에서"), OTHER_CHARACTER
    ]  # fmt: skip
    assert spelt("손흥민 춘천", sentencepiece_tokenizer())[1:-1] == [SPACE, *map(ord, "손흥민 춘천")]


def test_tokens_of_bytes_are_refused() -> None:
    with pytest.raises(UserError, match="syllables or wordpiece"):
        token_spelling(byte_level_tokenizer())


def test_a_word_is_spelt_as_the_tokenizer_writes_it(syllables: PreTrainedTokenizerBase) -> None:
    assert word_spelling("글릭맨", syllables) == tuple(map(ord, "글릭맨"))
    assert word_spelling("조너선 글릭맨", syllables) == tuple(map(ord, "조너선글릭맨"))
    assert word_spelling(unicodedata.normalize("NFD", "SK하이닉스"), syllables) == tuple(map(ord, "SK하이닉스"))


@pytest.mark.parametrize("word", ["𠮷野家", "👨‍👩‍👧", " ", ""])
def test_a_word_that_could_never_be_found_is_refused(syllables: PreTrainedTokenizerBase, word: str) -> None:
    with pytest.raises(UserError, match="cannot be found by this model"):
        word_spelling(word, syllables)
