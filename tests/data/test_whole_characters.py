"""Names begin and end between characters as a reader sees them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.marked_text import MarkedText, marked_splits, with_whole_characters
from malmoi.data.tagged_dataset import label_names
from malmoi.data.text_lines import DataFormatError

NFD = unicodedata.normalize("NFD", "홍길동")
FAMILY = "👨‍👩‍👧"


def row(text: str, *spans: tuple[int, int]) -> MarkedText:
    """Return a sentence with names."""
    return MarkedText(id="1", text=text, spans=[Span(*span, "PS") for span in spans], path="a.jsonl", line=7)


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("홍길동은", (0, 3), (0, 3)),
        (NFD + "은", (0, 8), (0, 9)),
        (NFD + "은", (1, 9), (0, 9)),
        (f"{FAMILY}가", (0, 1), (0, 5)),
        (f"{FAMILY}가", (2, 3), (0, 5)),
        ("e\u0301a", (0, 1), (0, 2)),
        ("🇰🇷전", (1, 3), (0, 3)),
        ("서울\u200c에", (0, 2), (0, 2)),  # what cannot be seen is no part of a name
        ("ㅋㅋ홍", (1, 3), (1, 3)),
        ("\u110f\u110f홍", (1, 3), (1, 3)),  # consonants in conjoining jamo are characters
    ],
)
def test_a_name_is_widened_to_whole_characters(text: str, given: tuple[int, int], expected: tuple[int, int]) -> None:
    assert with_whole_characters(row(text, given)).spans == [Span(*expected, "PS")]


def test_a_character_is_that_of_the_first_name() -> None:
    assert with_whole_characters(row(NFD, (0, 2), (2, 9))).spans == [Span(0, 3, "PS"), Span(3, 9, "PS")]
    with pytest.raises(DataFormatError, match=r"a\.jsonl, line 7: expected names of whole characters, but PS '👩' is"):
        with_whole_characters(row(FAMILY, (0, 1), (2, 3)))


def test_how_many_are_widened_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    rows = [row("홍길동은", (0, 3)), row(NFD, (0, 2), (3, 5)), row(FAMILY, (0, 1))]
    splits = marked_splits({"train": rows[:2], "test": [rows[2]._replace(line=9)]})
    labels = label_names(splits["train"])
    assert [tags_to_spans([labels[tag] for tag in tags]) for tags in splits["train"]["tags"]] == [
        [Span(0, 3, "PS")],
        [Span(0, 3, "PS"), Span(3, 6, "PS")],
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "malmoi: Names that begin or end inside a character, as in a syllable of several letters or an emoji of "
        "several signs, are widened to whole characters: 3, first in a.jsonl, line 7."
    ]


@given(
    text=st.lists(st.sampled_from([*NFD, *FAMILY, "가", " ", "\u200b", "🏽"]), min_size=1).map("".join), data=st.data()
)
def test_widening_once_is_enough_and_takes_nothing_away(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    whole = with_whole_characters(row(text, (start, end)))
    assert whole.spans[0].start <= start
    assert whole.spans[0].end >= end
    assert with_whole_characters(whole) == whole
