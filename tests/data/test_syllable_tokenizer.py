import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
import regex
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from support.property_tests import examples
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.modeling.name_edges import CHARACTER, INVISIBLE

TOKENIZER = build_syllable_tokenizer(["손흥민은 1992년 춘천에서 태어났다. ㅋㅋ ㅠㅠ ㄴ ㄳ abc"] * 2)

# Hangul in all its spellings, marks, emoji and their joiners, all kinds of spaces, and everything else
ANY_TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("홍길동가각힣ㅋㅠㄳ큑ᆻᄒ\u1160\u115f\u302e"),
        st.sampled_from("\u0301\u0323\u20dd\u200d\ufe0f👨👩👧🇰🇷𠮷\x00\r\n\t\u3000\xa0\u2028\ufeff"),
    ),
    max_size=30,
)


def offsets(text: str) -> list[tuple[int, int]]:
    return TOKENIZER(text, return_offsets_mapping=True)["offset_mapping"]


@given(ANY_TEXT)
@example("[PAD][UNK]<s>")
@example("\r\x1b\n")
@settings(max_examples=examples(400))
def test_tokens_cover_every_visible_character_of_any_text_once(text: str) -> None:
    edges = offsets(text)
    assert all(start < end for start, end in edges)
    assert all(before <= after for (_, before), (after, _) in pairwise(edges))
    between = [0, *(edge for pair in edges for edge in pair), len(text)]
    left = "".join(text[a:b] for a, b in zip(between[::2], between[1::2]))
    # a Windows line end is one white space, and its place is that of the line feed
    assert set(INVISIBLE.sub("", left)) <= ({"\r"} if "\r\n" in INVISIBLE.sub("", text) else set())
    assert not any(INVISIBLE.match(text[start]) or INVISIBLE.match(text[end - 1]) for start, end in edges)


@given(ANY_TEXT)
@example("가\r\n나")
@settings(max_examples=examples(400))
def test_tokens_are_whole_characters(text: str) -> None:
    """One character or several, as UAX 29 has them but for lone jamo."""
    visible = INVISIBLE.sub("", text)
    edges = {match.start() for match in CHARACTER.finditer(visible)} | {len(visible)}
    # a Windows line end is one white space, and its place is that of the line feed
    edges |= {match.start() for match in regex.finditer(r"(?<=\r)\n", visible)}
    places = offsets(visible)
    assume(not regex.search(r"\p{InCB=Linker}|\p{Emoji_Modifier}|[\u1113-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]", visible))
    assert {edge for pair in places for edge in pair} <= edges


@given(st.text(st.sampled_from("손흥민은춘천에서태어났다 1992.abcㅋㅠ"), max_size=30))
def test_composed_and_decomposed_hangul_give_the_same_tokens(text: str) -> None:
    decomposed = unicodedata.normalize("NFD", text)
    assert TOKENIZER(text)["input_ids"] == TOKENIZER(decomposed)["input_ids"]
    assert [unicodedata.normalize("NFC", decomposed[a:b]) for a, b in offsets(decomposed)] == list(text)


def test_one_token_per_syllable() -> None:
    assert offsets("손흥민은") == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert offsets(unicodedata.normalize("NFD", "손은")) == [(0, 3), (3, 6)]


@pytest.mark.parametrize(
    ("conjoining", "compatibility"), [("ᄏᄏ", "ㅋㅋ"), ("ᅲᅲ", "ㅠㅠ"), ("ᆫ", "ㄴ"), ("ᆪ", "ㄳ"), ("다ᄏᄏ", "다ㅋㅋ")]
)
def test_lone_jamo_are_the_same_in_both_spellings(conjoining: str, compatibility: str) -> None:
    ids = TOKENIZER(conjoining)["input_ids"]
    assert ids == TOKENIZER(compatibility)["input_ids"]
    assert TOKENIZER.unk_token_id not in ids


def test_compatibility_jamo_are_not_drawn_together_to_a_syllable() -> None:
    assert offsets("ㅋㅏ") == [(0, 1), (1, 2)]


def test_every_kind_of_space_is_the_same_token() -> None:
    assert len({TOKENIZER(space)["input_ids"][0] for space in " \t\n\r\u3000\xa0\u2028"}) == 1


def test_special_tokens_in_the_text_are_text() -> None:
    assert len(TOKENIZER("[PAD]")["input_ids"]) == 5
    assert TOKENIZER.pad_token_id not in TOKENIZER("[PAD]")["input_ids"]


def test_saved_file_is_an_ordinary_tokenizer(tmp_path: Path) -> None:
    TOKENIZER.save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokenizer.json", "tokenizer_config.json"]
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert isinstance(loaded, PreTrainedTokenizerFast)
    for text in ("손흥민은 ᄏᄏ [PAD]", unicodedata.normalize("NFD", "춘천에서"), "모르는 글자 龜"):
        assert loaded(text, return_offsets_mapping=True) == TOKENIZER(text, return_offsets_mapping=True)
    assert loaded.model_max_length > 10**9


def test_rare_characters_are_unknown_and_the_file_is_reproducible() -> None:
    texts = ["가나가나", "나다"]
    tokenizer = build_syllable_tokenizer(texts)
    assert tokenizer("다가")["input_ids"] == [tokenizer.unk_token_id, tokenizer("가")["input_ids"][0]]
    again = build_syllable_tokenizer(reversed(texts))
    assert again.backend_tokenizer.to_str() == tokenizer.backend_tokenizer.to_str()


def test_texts_without_a_frequent_character_are_refused() -> None:
    with pytest.raises(ValueError, match="No character occurs 2 times"):
        build_syllable_tokenizer(["가나다"])
