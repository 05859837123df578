from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.scheme import IOB2, Entities
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from malmoi.data.alignment import (
    Span,
    join_tagged_words,
    label_every_piece,
    spans_to_tags,
    tags_to_spans,
    tags_to_token_labels,
    token_labels_to_spans,
    token_labels_to_tags,
)
from malmoi.modeling.name_edges import token_spans

TAGS = ["O", "B-PS", "I-PS", "B-LC", "I-LC"]


@st.composite
def texts_with_spans(draw: st.DrawFn) -> tuple[str, list[Span]]:
    """Any Unicode text with names that do not overlap."""
    text = draw(st.text(max_size=40))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    spans = [Span(a, b, draw(st.sampled_from(["PS", "LC"]))) for a, b in zip(cuts[::2], cuts[1::2])]
    return text, spans


@given(texts_with_spans())
def test_spans_survive_the_way_through_tags(sample: tuple[str, list[Span]]) -> None:
    text, spans = sample
    assert tags_to_spans(spans_to_tags(spans, len(text))) == spans


@given(st.lists(st.sampled_from(TAGS), max_size=20))
def test_strict_spans_equal_those_of_seqeval(tags: list[str]) -> None:
    expected = [(e.start, e.end, e.tag) for e in Entities([tags], IOB2).entities[0]]
    assert [tuple(span) for span in tags_to_spans(tags)] == expected


@given(texts_with_spans())
def test_spans_survive_tokens_of_single_characters(sample: tuple[str, list[Span]]) -> None:
    text, spans = sample
    offsets = [(i, i + 1) for i in range(len(text))]
    tags = spans_to_tags(spans, len(text))
    assert token_labels_to_tags(tags_to_token_labels(tags, offsets), offsets, len(text)) == tags


@given(texts_with_spans())
def test_spans_survive_the_syllable_tokenizer(sample: tuple[str, list[Span]]) -> None:
    """Names that begin and end at the edge of a token come back exactly, whatever the text."""
    text, spans = sample
    offsets = SYLLABLES(text, return_offsets_mapping=True)["offset_mapping"]
    starts, ends = {start for start, _ in offsets}, {end for _, end in offsets}
    spans = [span for span in spans if span.start in starts and span.end in ends]
    tags = spans_to_tags(spans, len(text))
    assert token_labels_to_tags(tags_to_token_labels(tags, offsets), offsets, len(text)) == tags


@given(texts_with_spans(), st.data())
def test_token_labels_are_always_a_legal_sequence(sample: tuple[str, list[Span]], data: st.DataObject) -> None:
    """Whatever the tokens, a CRF with constraints must be able to learn the labels."""
    text, spans = sample
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=12)))
    offsets = list(pairwise(cuts))
    labels = tags_to_token_labels(spans_to_tags(spans, len(text)), offsets)
    previous = "O"
    for label in labels:
        assert label is not None
        assert not label.startswith("I-") or previous[2:] == label[2:]
        previous = label


@given(st.lists(st.sampled_from(TAGS), max_size=12), st.data())
def test_tags_have_the_length_of_the_text_for_any_labels(labels: list[str], data: st.DataObject) -> None:
    gaps = data.draw(st.lists(st.integers(0, 2), min_size=len(labels), max_size=len(labels)))
    offsets, position = [], 0
    for gap in gaps:
        offsets.append((position + gap, position + gap + 1))
        position += gap + 1
    tags = token_labels_to_tags(labels, offsets, position + 1)
    assert len(tags) == position + 1
    assert [tags[start] for start, _ in offsets] == labels


def test_spaces_within_a_name_belong_to_it_and_spaces_beside_it_do_not() -> None:
    text = "그는 경기도 이천 사람"
    offsets = [(0, 2), (3, 6), (7, 9), (10, 12)]
    tags = token_labels_to_tags(["O", "B-LC", "I-LC", "O"], offsets, len(text))
    assert tags_to_spans(tags) == [Span(3, 9, "LC")]


def test_two_names_side_by_side_stay_two() -> None:
    tags = token_labels_to_tags(["B-LC", "B-LC"], [(0, 2), (3, 5)], 5)
    assert tags_to_spans(tags) == [Span(0, 2, "LC"), Span(3, 5, "LC")]


def test_a_token_takes_the_tag_of_its_first_character() -> None:
    """`<서울:LC>에서` in the pieces `서울에` and `서`: the name grows to the end of its token."""
    tags = ["B-LC", "I-LC", "O", "O"]
    offsets = [(0, 0), (0, 3), (3, 4), (0, 0)]
    labels = tags_to_token_labels(tags, offsets)
    assert labels == [None, "B-LC", "O", None]
    assert token_labels_to_tags(labels, offsets, 4) == ["B-LC", "I-LC", "I-LC", "O"]


def test_a_name_that_begins_within_a_token_begins_with_the_next() -> None:
    assert tags_to_token_labels(["O", "B-PS", "I-PS"], [(0, 2), (2, 3)]) == ["O", "B-PS"]


def test_wrong_spans_and_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match="must lie within the text of 3 characters, got 2 to 4"):
        spans_to_tags([Span(2, 4, "PS")], 3)
    with pytest.raises(ValueError, match="may not overlap, but 1 to 3"):
        spans_to_tags([Span(0, 2, "PS"), Span(1, 3, "LC")], 3)
    with pytest.raises(ValueError, match="from 1 to 4 in a text of 3 characters"):
        tags_to_token_labels(["O", "O", "O"], [(1, 4)])


def _syllables() -> PreTrainedTokenizerFast:
    from malmoi.data.syllable_tokenizer import build_syllable_tokenizer

    return build_syllable_tokenizer(["손흥민은 춘천에서 태어났다. ㅋㅋ"] * 2)


SYLLABLES = _syllables()


@pytest.mark.parametrize("kind", ["metaspace", "byte-level"])
@given(sample=texts_with_spans())
def test_tokens_that_begin_with_a_space_lose_no_name(kind: str, sample: tuple[str, list[Span]]) -> None:
    """SentencePiece and byte-level tokenizers count the space before a word, or half a character, as a token."""
    text, spans = sample
    offsets = SPACE_TOKENIZERS[kind].encode(text).offsets
    tokens = token_spans(text, offsets)
    visible = [(start, end) for start, end in tokens if start < end]
    assert all(before[1] <= after[0] for before, after in pairwise(visible))
    starts, ends = {start for start, _ in visible}, {end for _, end in visible}
    exact = [span for span in spans if span.start in starts and span.end in ends]
    tags = spans_to_tags(exact, len(text))
    assert token_labels_to_tags(tags_to_token_labels(tags, tokens), tokens, len(text)) == tags


def test_every_piece_of_a_character_has_a_label() -> None:
    """A label of -100 between two pieces would be a hole in the chain that prediction does not have."""
    text = "서뷁은"
    offsets = SPACE_TOKENIZERS["byte-level"].encode(text).offsets
    assert offsets.count((1, 2)) == 3
    labels = tags_to_token_labels(["O", "B-LC", "I-LC"], token_spans(text, [(0, 0), *offsets, (0, 0)]))
    assert labels[0] is labels[-1] is None
    assert "B-LC" in labels
    assert None not in labels[1:-1]
    assert labels[-4:-1] == ["I-LC"] * 3


def test_the_space_before_a_word_is_taken_off() -> None:
    assert token_spans("그는 서울", [(0, 0), (0, 2), (2, 5), (5, 5)]) == [(0, 0), (0, 2), (3, 5), (5, 5)]
    assert token_spans("한 ", [(0, 1), (0, 1), (1, 2)]) == [(0, 1), (1, 1), (1, 2)]


def _space_tokenizers() -> dict[str, Tokenizer]:
    """One token per character or byte, with the space of a word in front of it where the kind has that."""
    metaspace = Tokenizer(
        models.BPE(unk_token="?", vocab={"?": 0, "▁": 1, "서": 2, "울": 3, "▁서": 4}, merges=[("▁", "서")])
    )
    metaspace.pre_tokenizer = pre_tokenizers.Metaspace()
    byte_level = Tokenizer(models.BPE())
    byte_level.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    byte_level.train_from_iterator(["그는 서울 사람"] * 3, trainer)
    return {"metaspace": metaspace, "byte-level": byte_level}


SPACE_TOKENIZERS = _space_tokenizers()


@given(
    labels=st.lists(st.sampled_from([None, *TAGS]), max_size=14),
    widths=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=14, max_size=14),
)
def test_names_of_tokens_are_those_of_their_characters(
    labels: list[str | None], widths: list[tuple[int, int]]
) -> None:
    """Tokens with gaps between them, tokens without a label and further pieces of a character among them."""
    offsets, length = [], 0
    for gap, width in widths[: len(labels)]:
        offsets.append((length + gap, length + gap + width) if width else (length, length))
        length = offsets[-1][1]
    names = token_labels_to_spans(labels, offsets)
    assert [span for span, _ in names] == tags_to_spans(token_labels_to_tags(labels, offsets, length))
    for (start, end, label), tokens in names:
        inside = [
            index
            for index, (first, last) in enumerate(offsets)
            if start <= first < last <= end and labels[index] is not None
        ]
        assert tokens == inside
        assert {str(labels[index])[2:] for index in tokens} == {label}


def test_a_name_or_word_that_begins_between_two_tokens_begins_with_the_next() -> None:
    offsets = [(0, 1), (2, 3), (3, 4)]
    assert tags_to_token_labels(["B-PS", "B-PS", "I-PS", "O"], offsets) == ["B-PS", "B-PS", "O"]
    assert tags_to_token_labels(["B-PS", "I-PS", "I-PS", "O"], offsets) == ["B-PS", "I-PS", "O"]
    assert tags_to_token_labels(["B", "B", "I", "I"], offsets) == ["B", "B", "I"]
    # the first tokens of a later window know nothing of what came before
    assert tags_to_token_labels(["B", "B", "I", "I"], offsets[2:]) == ["I"]


WORDS = st.lists(
    st.tuples(st.text(st.sampled_from("손흥민은 .a가"), min_size=1, max_size=4), st.sampled_from(TAGS)), max_size=8
)


def legal(labels: list[str]) -> list[str]:
    """Word labels as IOB2: an `I-X` that continues nothing begins a name."""
    for index, label in enumerate(labels):
        if label.startswith("I-") and (index == 0 or labels[index - 1][2:] != label[2:]):
            labels = [*labels[:index], "B-" + label[2:], *labels[index + 1 :]]
    return labels


@given(
    pieces=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(TAGS)), max_size=6),
    special=st.sampled_from([[], [None]]),
)
def test_every_piece_of_a_word_continues_its_first(pieces: list[tuple[int, str]], special: list[None]) -> None:
    word_ids = [*special, *(word for word, (count, _) in enumerate(pieces) for _ in range(count)), *special]
    labels = label_every_piece(word_ids, [label for _, label in pieces])
    assert [label is None for label in labels] == [word is None for word in word_ids]
    present = legal([label for count, label in pieces if count])
    spelled = [label for label in labels if label is not None]
    assert Entities([spelled], scheme=IOB2).entities == Entities([legal(spelled)], scheme=IOB2).entities
    assert legal(spelled) == spelled
    ends = [0]
    for count, _ in pieces:
        if count:
            ends.append(ends[-1] + count)
    in_words = [(ends[start], ends[end], label) for start, end, label in tags_to_spans(present)]
    assert [tuple(span) for span in tags_to_spans(spelled)] == in_words


def test_the_label_of_a_word_without_prefix_is_that_of_every_piece() -> None:
    assert label_every_piece([0, 0, 1], ["PER", "O"]) == ["PER", "PER", "O"]
    with pytest.raises(ValueError, match="A token belongs to word 2, but there are labels for 2 words"):
        label_every_piece([0, 2], ["O", "O"])


@given(tagged=WORDS)
def test_joined_words_spell_the_names_of_the_words(tagged: list[tuple[str, str]]) -> None:
    words, labels = [word for word, _ in tagged], [label for _, label in tagged]
    text, tags = join_tagged_words(words, labels)
    assert text == " ".join(words)
    assert len(tags) == len(text)
    starts = [len(" ".join(words[:index])) + (index > 0) for index in range(len(words))]
    expected = [
        (starts[start], starts[end - 1] + len(words[end - 1]), label)
        for start, end, label in tags_to_spans(legal(labels))
    ]
    assert [tuple(span) for span in tags_to_spans(tags)] == expected


def test_words_without_labels_or_characters_are_refused() -> None:
    with pytest.raises(ValueError, match="Each word needs a label, got 1 labels for 2 words"):
        join_tagged_words(["비", "가"], ["O"])
    with pytest.raises(ValueError, match="Every word must have characters, but word 1 has none"):
        join_tagged_words(["비", ""], ["O", "O"])


def test_the_pipeline_reads_the_names_that_every_piece_was_labelled_with(
    wordpiece_tokenizer: PreTrainedTokenizerFast,
) -> None:
    words, labels = ["손흥민", "선수는", "춘천에서"], ["B-PS", "I-PS", "B-LC"]
    encoded = wordpiece_tokenizer(words, is_split_into_words=True)
    text, tags = join_tagged_words(words, labels)
    joined = wordpiece_tokenizer(text, return_offsets_mapping=True)
    pieces = label_every_piece(encoded.word_ids(), labels)
    assert encoded["input_ids"] == joined["input_ids"]
    assert pieces == tags_to_token_labels(tags, joined["offset_mapping"])
    spans = [span for span, _ in token_labels_to_spans(pieces, joined["offset_mapping"])]
    assert [(text[start:end], label) for start, end, label in spans] == [("손흥민 선수는", "PS"), ("춘천에서", "LC")]
