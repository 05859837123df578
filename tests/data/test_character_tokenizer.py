import copy
from pathlib import Path

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from support.tiny_models import (
    SENTENCES,
    bert_tokenizer,
    byte_level_tokenizer,
    save,
    sentencepiece_tokenizer,
    tiny_bert_tagger,
)
from transformers import AutoTokenizer, ByT5Tokenizer, PreTrainedTokenizerBase

from malmoi.data.character_tokenizer import split_into_characters
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import SPACING_LABELS
from malmoi.data.wordpiece_tokenizer import build_wordpiece_tokenizer
from malmoi.modeling.name_edges import token_spans

PLAIN: dict[str, PreTrainedTokenizerBase] = {
    "wordpiece": build_wordpiece_tokenizer(SENTENCES, vocab_size=150),
    "bert": bert_tokenizer(),
    "syllables": build_syllable_tokenizer(SENTENCES),
    "byte-level": byte_level_tokenizer(),
    "sentencepiece": sentencepiece_tokenizer(),
}
SPLIT = {name: split_into_characters(tokenizer) for name, tokenizer in PLAIN.items()}
NAMES = list(PLAIN)
TEXTS = [
    "",
    " \t\n",
    "손흥민은 춘천에서\u3000태어났다.",
    "가" * 300,
    "\u1112\u1161\u11abe\u0301龜👨‍👩‍👧",
    "[CLS]<s>손",
]


def spans(name: str, text: str) -> list[tuple[int, int]]:
    """Return the characters of the tokens of a text, without tokens that stand for none."""
    offsets = SPLIT[name](text, return_offsets_mapping=True, add_special_tokens=False)["offset_mapping"]
    return [(start, end) for start, end in token_spans(text, offsets) if start < end]


@pytest.mark.parametrize("name", NAMES)
def test_each_character_is_a_token_and_white_space_is_none(name: str) -> None:
    text = "손흥민은 \t춘천에서\u3000서울로\n갔다!"
    assert spans(name, text) == [(at, at + 1) for at, character in enumerate(text) if not character.isspace()]


@pytest.mark.parametrize("name", NAMES)
@given(
    text=st.text(
        st.one_of(st.sampled_from("손 abc.!\u0301\u1112\u1161"), st.characters(exclude_categories=["C", "M", "Z"]))
    )
)
def test_no_token_reaches_over_two_characters(name: str, text: str) -> None:
    for start, end in spans(name, text):
        assert len(regex.findall(r"\X", text[start:end])) == 1


def test_a_syllable_in_three_letters_and_a_letter_with_its_mark_are_one_token() -> None:
    text = "\u1112\u1161\u11abe\u0301\u1112\u1161"
    for name in ("wordpiece", "bert", "syllables"):
        assert spans(name, text) == [(0, 3), (3, 5), (5, 7)]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_known_in_a_word_is_known_alone_however_long_the_word(name: str) -> None:
    tokenizer = SPLIT[name]
    for text in (SENTENCES[0], SENTENCES[0].replace(" ", ""), "손흥민은" * 75):
        assert tokenizer.unk_token_id not in tokenizer(text)["input_ids"]
        assert len(spans(name, text)) == len(text.replace(" ", ""))
    if name in ("wordpiece", "bert"):
        assert PLAIN[name]("손흥민은" * 75)["input_ids"][1:-1] == [tokenizer.unk_token_id]


@pytest.mark.parametrize("name", NAMES)
def test_special_tokens_in_a_text_are_text(name: str) -> None:
    assert len(spans(name, "[SEP]<s></s>[PAD]")) == 17


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_tokenizer_is_the_same(name: str, tmp_path: Path) -> None:
    """Also beside a BERT, whose own class of tokenizers would take words apart in its own way."""
    tokenizer = SPLIT[name]
    loaded = AutoTokenizer.from_pretrained(save(tmp_path, tiny_bert_tagger(tokenizer, SPACING_LABELS), tokenizer))
    for text in TEXTS:
        assert loaded(text, return_offsets_mapping=True) == tokenizer(text, return_offsets_mapping=True)
    again = split_into_characters(loaded)
    assert [again(text) for text in TEXTS] == [tokenizer(text) for text in TEXTS]
    assert loaded.special_tokens_map == PLAIN[name].special_tokens_map


@pytest.mark.parametrize("name", NAMES)
def test_the_original_is_left_as_it_is_and_its_settings_are_kept(name: str) -> None:
    original = copy.deepcopy(PLAIN[name])
    original.model_max_length = 77
    before = original.backend_tokenizer.to_str()
    tokenizer = split_into_characters(original)
    assert original.backend_tokenizer.to_str() == before
    assert tokenizer.get_vocab() == original.get_vocab()
    for setting in ("model_max_length", "model_input_names", "padding_side", "special_tokens_map", "all_special_ids"):
        assert getattr(tokenizer, setting) == getattr(original, setting)
    assert set(tokenizer("손")) == set(original("손"))


def test_a_tokenizer_without_offsets_is_refused() -> None:
    with pytest.raises(UserError, match="ByT5Tokenizer cannot be split into characters; a fast tokenizer is needed"):
        split_into_characters(ByT5Tokenizer())
