"""Spaces are left out and put in; the other characters, and the names, stay."""

import random
import unicodedata
from itertools import pairwise
from typing import Any

import pytest
from datasets import Dataset
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.property_tests import examples
from support.tagged_rows import spans_of

from malmoi.data.alignment import Span, spans_to_tags
from malmoi.data.inline_marks import parse_marks, write_marks
from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.space_noise import with_space_noise, without_spaces
from malmoi.data.tagged_dataset import TaggedSentence, tagged_dataset
from malmoi.modeling.name_edges import CHARACTER

LABELS = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
ALL = {"probability": 1.0, "drop_all_probability": 0.0, "drop_probability": 0.0, "add_probability": 0.0, "seed": 1}
TEXTS = st.text(
    st.one_of(
        st.sampled_from("손흥민은 춘천에서  \t\u3000\u2028.1ab李ㅋㅠ"),
        st.sampled_from("\u1112\u1161\u11ab\u0301\u200d👨👩🏽🇰🇷\u200b"),
    ),
    min_size=1,
    max_size=25,
)


def marked(*lines: str) -> Dataset:
    """Tagged sentences from sentences with marks."""
    sentences = []
    for line in lines:
        text, spans = parse_marks(line)
        sentences.append(TaggedSentence(id=line, text=text, tags=spans_to_tags(spans, len(text))))
    return tagged_dataset(sentences, LABELS)


def lines(rows: Dataset) -> list[str]:
    return [write_marks(text, spans) for text, spans in zip(rows["text"], spans_of(rows))]


def bare(text: str) -> str:
    return "".join(text.split())


def bare_names(rows: Dataset) -> list[list[tuple[str, str]]]:
    return [
        [(name, span.label) for span in spans if (name := bare(text[span.start : span.end]))]
        for text, spans in zip(rows["text"], spans_of(rows))
    ]


@st.composite
def corpora(draw: st.DrawFn) -> Dataset:
    """A few sentences with names anywhere, also beside each other, within characters and around spaces."""
    sentences = []
    for number, text in enumerate(draw(st.lists(TEXTS, min_size=1, max_size=4))):
        edges = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
        spans = [
            Span(start, end, draw(st.sampled_from(["PS", "LC"])))
            for start, end in pairwise(edges)
            if draw(st.booleans())
        ]
        sentences.append(TaggedSentence(id=str(number), text=text, tags=spans_to_tags(spans, len(text))))
    return tagged_dataset(sentences, LABELS)


PROBABILITY = st.sampled_from([0.0, 0.5, 1.0])


@given(corpora(), PROBABILITY, PROBABILITY, PROBABILITY, PROBABILITY, st.integers(0, 9))
@settings(max_examples=examples(200))
def test_characters_and_names_stay_but_for_their_spaces(
    rows: Dataset, probability: float, drop_all: float, drop: float, add: float, seed: int
) -> None:
    options: dict[str, Any] = {
        "probability": probability,
        "drop_all_probability": drop_all,
        "drop_probability": drop,
        "add_probability": add,
        "seed": seed,
    }
    noisy = with_space_noise(rows, **options)
    assert noisy["id"] == rows["id"]
    assert [*map(bare, noisy["text"])] == [*map(bare, rows["text"])]
    assert bare_names(noisy) == bare_names(rows)
    assert [*map(len, noisy["tags"])] == [*map(len, noisy["text"])]
    assert with_space_noise(rows, **options).to_dict() == noisy.to_dict()


@given(corpora())
@settings(max_examples=examples(200))
def test_without_spaces_nothing_is_left_of_them(rows: Dataset) -> None:
    assume(all(text.strip() for text in rows["text"]))
    left = without_spaces(rows)
    assert left["text"] == [*map(bare, rows["text"])]
    assert bare_names(left) == bare_names(rows)
    assert without_spaces(left).to_dict() == left.to_dict()
    assert with_space_noise(rows, **{**ALL, "drop_all_probability": 1.0}).to_dict() == left.to_dict()


@given(corpora(), st.integers(0, 9))
@settings(max_examples=examples(200))
def test_a_new_space_parts_no_character(rows: Dataset, seed: int) -> None:
    noisy = with_space_noise(rows, **{**ALL, "add_probability": 0.5, "seed": seed})
    for text, spaced in zip(rows["text"], noisy["text"]):
        assert [c for c in CHARACTER.findall(spaced) if c != " "] == [c for c in CHARACTER.findall(text) if c != " "]


def test_spaces_of_names_belong_to_them() -> None:
    rows = marked("<손 흥민:PS>은 <춘천:LC> <서울:LC>에서 왔다.", "비가 <서울:LC>")
    assert lines(without_spaces(rows)) == ["<손흥민:PS>은<춘천:LC><서울:LC>에서왔다.", "비가<서울:LC>"]
    assert lines(with_space_noise(rows, **{**ALL, "add_probability": 1.0})) == [
        "<손 흥 민:PS> 은 <춘 천:LC> <서 울:LC> 에 서 왔 다.",
        "비 가 <서 울:LC>",
    ]
    assert lines(with_space_noise(rows, **{**ALL, "drop_probability": 1.0, "add_probability": 1.0})) == [
        "<손흥 민:PS> 은<춘 천:LC><서 울:LC> 에 서왔 다.",
        "비 가<서 울:LC>",
    ]


def test_a_text_of_nothing_but_spaces_stays() -> None:
    assert without_spaces(marked("  "))["text"] == ["  "]


def test_decomposed_hangul_gets_no_space() -> None:
    """A space would have to know where its syllables begin."""
    text = unicodedata.normalize("NFD", "춘천에서 왔다")
    rows = tagged_dataset([TaggedSentence(id="", text=text, tags=["O"] * len(text))], LABELS)
    assert with_space_noise(rows, **{**ALL, "add_probability": 1.0})["text"] == [text]


def test_nothing_changes_without_probability() -> None:
    rows = marked("<손 흥민:PS>은")
    assert with_space_noise(rows, **{**ALL, "probability": 0.0, "drop_all_probability": 1.0}) is rows


def test_as_many_sentences_change_as_the_probabilities_say() -> None:
    train = read_inline_marks(None)["train"]
    rows = train.select([index for index, text in enumerate(train["text"]) if text.count(" ") > 2])
    options = {"drop_all_probability": 0.5, "drop_probability": 0.3, "add_probability": 0.05}
    noisy = with_space_noise(rows, probability=0.5, seed=3, **options)
    changed = [new for new, old in zip(noisy["text"], rows["text"]) if new != old]
    assert len(changed) / rows.num_rows == pytest.approx(0.5, abs=0.1)
    assert sum(" " not in text for text in changed) / len(changed) == pytest.approx(0.5, abs=0.12)
    assert noisy["text"] != with_space_noise(rows, probability=0.5, seed=4, **options)["text"]


def test_the_random_numbers_of_others_are_left_alone() -> None:
    state = random.getstate()
    with_space_noise(marked("비가 온다"), **{**ALL, "drop_probability": 0.5})
    assert random.getstate() == state
