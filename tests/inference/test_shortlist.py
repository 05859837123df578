"""Which texts stay of many: the least sure of every kind, of those that are nearly the same one."""

import random
from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malmoi.inference.shortlist import Candidate, Shortlist, text_grams

KINDS = ("", "PS", "LC")
SYLLABLES = [chr(code) for code in range(0xAC00, 0xAC00 + 2000)]


def different_text(number: int) -> str:
    """Return a text that has nothing in common with that of another number."""
    return "".join(random.Random(number).sample(SYLLABLES, 12))


def listed(candidates: list[Candidate[None]], count: int) -> list[Candidate[None]]:
    shortlist: Shortlist[None] = Shortlist(count)
    for candidate in candidates:
        shortlist.add(candidate)
        assert len(shortlist) <= count * len(KINDS)
    return shortlist.chosen()


def expected(candidates: list[Candidate[None]], count: int) -> list[Candidate[None]]:
    """Return what is to be chosen of different texts, by sorting all of them."""
    by_doubt = sorted(candidates, key=lambda each: (-each.doubt, each.number))
    kinds = dict.fromkeys(each.kind for each in by_doubt)
    of_kinds = [[each for each in by_doubt if each.kind == kind] for kind in kinds]
    return [each for turn in zip_longest(*of_kinds) for each in turn if each is not None][:count]


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 9)), max_size=60), st.integers(1, 20), st.randoms())
def test_of_different_texts_the_least_sure_of_each_kind_in_turn(
    given_texts: list[tuple[str, int]], count: int, order: random.Random
) -> None:
    candidates = [
        Candidate(number, different_text(number), kind, doubt / 9, None)
        for number, (kind, doubt) in enumerate(given_texts)
    ]
    assert listed(candidates, count) == expected(candidates, count)
    order.shuffle(candidates)  # texts may come in any order: of equal doubt the one with the lower number counts
    assert listed(candidates, count) == expected(candidates, count)


@pytest.mark.parametrize(
    "other",
    [
        "손흥민은 2024년 3월 5일 춘천에서 태어났다.",  # the same
        "손흥민은 1992년 7월 8일, 춘천에서  태어났다!",  # but for digits, spaces and signs
        "손흥민은 2024년 3월 5일 강릉에서 태어났다.",  # but for a word
    ],
)
@pytest.mark.parametrize("kinds", [("PS", "PS"), ("PS", "LC")])
def test_of_nearly_the_same_texts_the_least_sure_stays_or_the_first(other: str, kinds: tuple[str, str]) -> None:
    text = "손흥민은 2024년 3월 5일 춘천에서 태어났다."
    for doubts, stays in (((0.2, 0.7), 1), ((0.7, 0.2), 0), ((0.5, 0.5), 0)):
        candidates = [
            Candidate(number, each, kind, doubt, None)
            for number, (each, kind, doubt) in enumerate(zip((text, other), kinds, doubts))
        ]
        assert listed(candidates, 5) == [candidates[stays]]


def test_a_text_that_has_to_go_makes_room_for_what_resembles_it() -> None:
    texts = ["오늘 서울 날씨는 맑습니다", "내일 부산에 갑니다", "오늘 서울 날씨는 흐립니다", "어제 대전에서 왔어요"]
    candidates = [Candidate(n, text, "", doubt, None) for n, (text, doubt) in enumerate(zip(texts, (1, 2, 3, 4)))]
    assert text_grams(texts[0]) & text_grams(texts[2])
    assert [each.number for each in listed(candidates, 3)] == [3, 2, 1]
    # the first was replaced by the third, which then had to go itself: nothing of either is left to compare with
    again = [*candidates, Candidate(4, different_text(1), "", 5, None), Candidate(5, different_text(2), "", 6, None)]
    assert [each.number for each in listed(again, 2)] == [5, 4]


def test_what_is_kept_does_not_grow_with_the_texts() -> None:
    shortlist: Shortlist[None] = Shortlist(5)
    draw = random.Random(1)
    for number in range(2000):
        # ever less sure ones, of which half resemble one before
        text = different_text(number // 2) + ("가" if number % 2 else "")
        shortlist.add(Candidate(number, text, draw.choice(KINDS), float(number), None))
    assert len(shortlist) <= 15
    kept = [shortlist._heaps, shortlist._having, shortlist._grams]
    assert [len(each) <= 15 * 10 for each in kept] == [True] * 3
    assert all(len(heap) <= 10 for heap in shortlist._heaps.values())
    assert {number for having in shortlist._having.values() for number in having} == {*shortlist._grams}


def test_texts_without_letters_are_the_same_and_short_ones_are_compared_as_a_whole() -> None:
    assert text_grams("!!!") == text_grams("...")
    assert text_grams("서울") == {"서울"} != text_grams("서울은")
    assert text_grams("ＡＢ１２") == text_grams("ab 34")
