import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.tiny_models import SENTENCES, byte_level_tokenizer, sentencepiece_tokenizer
from transformers import (
    BertConfig,
    ByT5Tokenizer,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
    RobertaConfig,
    XLNetConfig,
)

from malmoi.data.character_tokenizer import split_into_characters
from malmoi.data.longest_input import longest_input
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.token_windows import token_windows
from malmoi.data.user_error import UserError
from malmoi.data.wordpiece_tokenizer import build_wordpiece_tokenizer
from malmoi.modeling import BiLstmConfig, BiLstmCrfConfig, EncoderCrfConfig
from malmoi.modeling.name_edges import token_spans

WORDPIECE = build_wordpiece_tokenizer(SENTENCES, vocab_size=150)
TOKENIZERS = {
    "syllables": build_syllable_tokenizer(SENTENCES),
    "wordpiece": WORDPIECE,
    "wordpiece-characters": split_into_characters(WORDPIECE),
    "byte-level": byte_level_tokenizer(),
    "sentencepiece": sentencepiece_tokenizer(),
}
TEXT = st.text(
    st.one_of(
        st.sampled_from("손흥민은 춘천에서  태어났다.\t\u1112\u1161\u11ab👨‍👩‍👧"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)


@pytest.mark.parametrize("name", TOKENIZERS)
@given(texts=st.lists(TEXT, max_size=3), room=st.one_of(st.none(), st.integers(4, 20)))
@example(texts=[], room=4)
@example(texts=["", "   ", "손흥민은 " * 20], room=4)
@example(texts=["[CLS]손[SEP]" * 9], room=5)
def test_every_token_is_kept_once_in_order_and_with_its_characters(
    name: str, texts: list[str], room: int | None
) -> None:
    tokenizer = TOKENIZERS[name]
    special = tokenizer.num_special_tokens_to_add()
    max_length = None if room is None else room + special
    windows_of_texts = token_windows(texts, tokenizer, max_length=max_length)
    assert len(windows_of_texts) == len(texts)
    for text, windows in zip(texts, windows_of_texts):
        whole = tokenizer(text, return_offsets_mapping=True, verbose=False)
        kept_ids, kept_offsets = [], []
        for window in windows:
            assert len(window.input_ids) == len(window.offsets)
            assert max_length is None or len(window.input_ids) <= max_length
            first, last = window.kept
            kept_ids += window.input_ids[first:last]
            kept_offsets += window.offsets[first:last]
        assert kept_ids == whole["input_ids"]
        assert kept_offsets == token_spans(text, whole["offset_mapping"])
        assert windows == token_windows([text], tokenizer, max_length=max_length)[0]


@pytest.mark.parametrize("name", ["syllables", "wordpiece-characters"])
def test_windows_have_special_tokens_and_context_on_both_sides(name: str) -> None:
    tokenizer = TOKENIZERS[name]
    special = tokenizer.num_special_tokens_to_add()
    text = "손흥민은춘천에서태어났다" * 10
    [windows] = token_windows([text], tokenizer, max_length=16 + special)
    assert len(windows) > 5
    for window in windows:
        inner = tokenizer.convert_ids_to_tokens(window.input_ids[special // 2 : len(window.input_ids) - special // 2])
        assert tokenizer.convert_ids_to_tokens(tokenizer("".join(inner))["input_ids"]) == (
            tokenizer.convert_ids_to_tokens(window.input_ids)
        )
    for window in windows[:-1]:
        assert window.kept[1] == 16 + special // 2 - 2
    for window in windows[1:]:
        assert window.kept[0] == special // 2 + 2


def test_it_does_not_matter_from_which_side_a_tokenizer_truncates() -> None:
    tokenizer = build_wordpiece_tokenizer(SENTENCES, vocab_size=150)
    expected = token_windows(["손흥민은 " * 20], tokenizer, max_length=12)
    tokenizer.truncation_side = "left"
    assert token_windows(["손흥민은 " * 20], tokenizer, max_length=12) == expected


def test_a_window_must_have_room() -> None:
    with pytest.raises(UserError, match=r"A window needs at least 6 tokens, got `max_seq_length` 5\."):
        token_windows([], WORDPIECE, max_length=5)


def test_a_tokenizer_without_offsets_is_refused() -> None:
    with pytest.raises(ValueError, match="ByT5Tokenizer gives no character offsets; a fast tokenizer is needed"):
        token_windows(["손"], ByT5Tokenizer(), max_length=None)


BERT, ROBERTA = BertConfig(max_position_embeddings=32), RobertaConfig(max_position_embeddings=34, pad_token_id=1)


@pytest.mark.parametrize(
    ("config", "of_tokenizer", "longest"),
    [
        (BERT, None, 32),
        (BERT, 20, 20),
        (BERT, 100, 32),
        (ROBERTA, None, 32),
        (EncoderCrfConfig(encoder_config=BERT), None, 32),
        (EncoderCrfConfig(encoder_config=ROBERTA), 20, 20),
        (BiLstmConfig(), None, None),
        (BiLstmCrfConfig(), None, None),
        (BiLstmCrfConfig(), 20, 20),
        (XLNetConfig(), None, None),
    ],
)
def test_how_much_a_model_reads_at_once(
    config: PreTrainedConfig, of_tokenizer: int | None, longest: int | None
) -> None:
    tokenizer: PreTrainedTokenizerBase = build_wordpiece_tokenizer(SENTENCES, vocab_size=150)
    if of_tokenizer is not None:
        tokenizer.model_max_length = of_tokenizer
    assert longest_input(config, tokenizer) == longest
