from itertools import pairwise

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from malmoi.data.text_pieces import Reading, text_pieces
from malmoi.modeling.name_edges import CHARACTER, character_starts

PARTS = [
    "가",
    "나다",
    " ",
    "  ",
    "\r\n",
    "\u1112\u1161\u11ab",
    "ᄏᄏ",
    "👨‍👩‍👧",
    "👍🏽",
    "🇰🇷",
    "e\u0301",
    "\u0600가",
    "क्ष",
    ".",
]
TEXT = st.lists(st.one_of(st.sampled_from(PARTS), st.characters(exclude_categories=["Cs"])), max_size=80).map("".join)
READING = st.builds(
    lambda overlap, more: Reading(length=3 * overlap + more, overlap=overlap), st.integers(0, 8), st.integers(1, 40)
)


@given(text=TEXT, reading=READING)
@example(text="", reading=Reading(1, 0))
@example(text="\u0301" * 100, reading=Reading(8, 2))
@example(text="🇰" * 99 + "가", reading=Reading(8, 2))
def test_pieces_cover_a_text_and_share_what_they_should(text: str, reading: Reading) -> None:
    pieces = list(text_pieces(text, reading))
    assert pieces[0].start == 0
    assert [piece.is_last for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert all(0 < piece.stop - piece.start <= reading.length for piece in pieces) or not text
    for piece, following in pairwise(pieces):
        assert piece.start < following.start <= piece.stop < following.stop
        assert reading.overlap <= piece.stop - following.start <= reading.overlap + reading.reach
    if len(text) <= reading.length:
        assert len(pieces) == 1


@given(parts=st.lists(st.sampled_from(PARTS), min_size=40, max_size=120), more=st.integers(0, 20))
def test_no_character_is_parted_and_words_are_left_whole_where_there_are_words(parts: list[str], more: int) -> None:
    text = "".join(parts)
    reading = Reading(length=96 + more, overlap=24)
    starts = {*(match.start() for match in CHARACTER.finditer(text)), len(text)}
    for piece in text_pieces(text, reading):
        assert {piece.start, piece.stop} <= starts
        at = piece.start + reading.length  # where it would end if it did not matter where
        if not piece.is_last and not text[piece.stop].isspace():
            assert not regex.search(r"\S\s", text[at - reading.reach : at + 1])


@given(text=TEXT, start=st.integers(0, 100))
def test_where_characters_begin_does_not_depend_on_where_one_looks(text: str, start: int) -> None:
    start = min(start, len(text))
    whole = [*(match.start() for match in CHARACTER.finditer(text)), len(text)]
    assert list(character_starts(text, start)) == [place for place in whole if place >= start]


def test_pieces_must_move_on() -> None:
    with pytest.raises(ValueError, match="at least three times as long as what it shares, got Reading"):
        list(text_pieces("가", Reading(length=5, overlap=2)))
