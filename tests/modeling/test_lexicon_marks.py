"""Dictionary features against a search that goes through every position and every word."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.property_tests import examples
from transformers import PreTrainedConfig, PreTrainedModel

from malmoi.modeling import (
    BiLstmConfig,
    BiLstmCrfConfig,
    BiLstmCrfForTokenClassification,
    BiLstmForSequenceClassification,
)
from malmoi.modeling.lexicon import NO_CHARACTER, OTHER_CHARACTER, PLACES, SHORTEST_ACROSS_SPACE, SPACE, Lexicon

CLASSES = ["person", "place", "noun"]
# token ids: padding, unknown, a space, letters, and tokens of two and three letters, as of word pieces
SPELLING = [[], [OTHER_CHARACTER], [SPACE], [97], [98], [99], [97, 98], [SPACE, 98, 97], [99, 99, 97]]


def lexicon_of(words: dict[str, int], spelling: list[list[int]] = SPELLING) -> Lexicon:
    width = max(map(len, spelling))
    config = BiLstmConfig(lexicon_classes=CLASSES, lexicon_vocab_size=len(spelling), lexicon_token_length=width)
    lexicon = Lexicon(config)
    rows = [codes + [NO_CHARACTER] * (width - len(codes)) for codes in spelling]
    lexicon.token_characters.copy_(torch.tensor(rows, dtype=torch.int32))
    lexicon.add_words({tuple(map(ord, word)): bits for word, bits in words.items()})
    return lexicon


def expected_marks(ids: list[int], words: dict[str, int], spelling: list[list[int]] = SPELLING) -> list[set[str]]:
    """Return the names of what lies over each token: class and place."""
    text, owner, breaks = "", [], set()
    for position, token in enumerate(ids):
        for code in spelling[token]:
            if code == SPACE:
                breaks.add(len(text))
            else:
                text += chr(code)
                owner.append(position)
    marks: list[set[str]] = [set() for _ in ids]
    for word, bits in words.items():
        size, name = len(word), "4+" if len(word) > 3 else str(len(word))
        for start in range(len(text) - size + 1):
            across = any(place in breaks for place in range(start + 1, start + size))
            if text[start : start + size] != word or (across and size < SHORTEST_ACROSS_SPACE):
                continue
            for offset in range(size):
                place = "begin" if offset == 0 else "end" if offset == size - 1 else "inside"
                of_word = "single" if size == 1 else f"{place} {name}"
                marks[owner[start + offset]] |= {f"{CLASSES[bit]} {of_word}" for bit in range(3) if bits >> bit & 1}
    return marks


def named(marks: torch.Tensor) -> list[set[str]]:
    """Return a row of marks in words."""
    return [
        {f"{CLASSES[index % 3]} {PLACES[index // 3]}" for index, mark in enumerate(row) if mark}
        for row in marks.tolist()
    ]


words = st.dictionaries(st.text("abc", min_size=1, max_size=6), st.integers(1, 7), max_size=12)
texts = st.lists(st.lists(st.integers(1, len(SPELLING) - 1), max_size=12), min_size=1, max_size=4)


@settings(max_examples=examples(300), deadline=None)
@given(words=words, batch=texts, left=st.booleans())
def test_every_word_is_found_as_a_search_finds_it(words: dict[str, int], batch: list[list[int]], left: bool):
    length = max(1, *map(len, batch))
    padded = [[0] * (length - len(ids)) + ids if left else ids + [0] * (length - len(ids)) for ids in batch]
    input_ids = torch.tensor(padded)
    marks = lexicon_of(words).marks(input_ids, input_ids != 0)
    for ids, found in zip(padded, marks):
        assert named(found) == expected_marks(ids, words)


@settings(max_examples=examples(100), deadline=None)
@given(first=words, second=words)
def test_words_added_later_are_words_given_at_once(first: dict[str, int], second: dict[str, int]):
    later = lexicon_of(first)
    later.add_words({tuple(map(ord, word)): bits for word, bits in second.items()})
    both = lexicon_of({word: first.get(word, 0) | second.get(word, 0) for word in {**first, **second}})
    assert later.config.lexicon_sizes[: len(both.config.lexicon_sizes)] == both.config.lexicon_sizes
    assert torch.equal(later.word_hashes, both.word_hashes)
    assert torch.equal(later.word_classes, both.word_classes)


def test_padding_in_the_middle_of_a_word_is_no_character():
    lexicon = lexicon_of({"ab": 1})
    input_ids = torch.tensor([[3, 0, 4]])
    assert named(lexicon.marks(input_ids, input_ids != 0)[0]) == [{"person begin 2"}, set(), {"person end 2"}]


def test_tokens_that_were_added_after_the_lexicon_are_part_of_no_word():
    lexicon = lexicon_of({"a": 1, "aa": 2}, SPELLING[:4])
    marks = lexicon.marks(torch.tensor([[3, 9, 3]]), torch.ones(1, 3, dtype=torch.bool))
    assert named(marks[0]) == [{"person single"}, set(), {"person single"}]


def test_a_class_that_is_none_is_refused():
    with pytest.raises(ValueError, match="3 classes"):
        lexicon_of({"a": 8})


def test_tokens_that_were_added_after_the_lexicon_have_no_letters_of_the_last_one():
    lexicon = lexicon_of({"b": 1, "ba": 2})
    beyond = len(SPELLING)
    marks = lexicon.marks(torch.tensor([[beyond, 4]]), torch.ones(1, 2, dtype=torch.bool))
    assert named(marks[0]) == [set(), {"person single"}]


def test_a_batch_without_rows_has_no_marks():
    lexicon = lexicon_of({"ab": 1})
    empty = torch.zeros(0, 5, dtype=torch.long)
    assert lexicon.marks(empty, empty != 0).shape == (0, 5, len(PLACES) * len(CLASSES))


@pytest.mark.parametrize(
    ("model_class", "config_class"),
    [(BiLstmCrfForTokenClassification, BiLstmCrfConfig), (BiLstmForSequenceClassification, BiLstmConfig)],
)
def test_tokens_that_the_lexicon_alone_knows_stay_unknown_when_embeddings_are_resized(
    model_class: type[PreTrainedModel], config_class: type[PreTrainedConfig]
):
    """Stock code, that of PEFT for example, gives a model as many embeddings as its tokenizer has tokens."""
    sizes = {"vocab_size": 5, "embedding_size": 4, "hidden_size": 4, "ngram_sizes": [2], "unk_token_id": 1}
    model = model_class(config_class(**sizes, lexicon_classes=CLASSES, lexicon_sizes=[1], lexicon_vocab_size=8)).eval()
    input_ids = torch.tensor([[3, 7, 4, 5, 6]])
    expected = model(input_ids).logits
    for size in (6, 8, None):
        assert model.resize_token_embeddings(size) is model.get_input_embeddings()
    assert model.config.vocab_size == model.get_input_embeddings().num_embeddings == 5
    assert torch.equal(model(input_ids).logits, expected)
    with pytest.raises(ValueError, match="Beyond the 8 tokens of the lexicon none can get embeddings"):
        model.resize_token_embeddings(9)
    assert model.resize_token_embeddings(4).num_embeddings == model.config.vocab_size == 4
