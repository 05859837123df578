import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malmoi.data.josa import FOLLOWED_BY, JOSA, LONGEST, is_josa, josa_at_end

ENDINGS = sorted({josa.syllables for josa in JOSA})


@pytest.mark.parametrize(
    ("word", "josa"),
    [
        ("홍길동은", "은"),
        ("이순신이", "이"),
        ("철수가", "가"),
        ("영희는", "는"),
        ("물을", "을"),
        ("서울과", "과"),
        ("파리와", "와"),
        ("길동아", "아"),
        ("철수야", "야"),
        ("부산으로", "으로"),
        ("서울로", "로"),  # ㄹ is a final consonant, yet takes 로
        ("제주로", "로"),
        ("한국의", "의"),
        ("대구에서는", "에서는"),
        ("삼성전자에게도", "에게도"),
        ("어제까지만", "까지만"),
        ("정부로부터", "로부터"),
        ("법원으로부터", "으로부터"),
        ("선생님께서는", "께서는"),
        ("한국은행에서의", "에서의"),
        ("학교에서부터", "에서부터"),
        ("올해까지도", "까지도"),
        ("이것만을", "만을"),
        ("친구들하고만은", "하고만은"),
        ("경찰이라고", "이라고"),
        ("물은커녕", "은커녕"),
        ("너야말로", "야말로"),
        ("집에", "에"),
        ("KBS는", "는"),
        ("KBS은", "은"),  # how Latin letters are read is not known
        ("LG가", "가"),
        ("3은", "은"),
        ("2를", "를"),
        ("7로", "로"),
        ("‘기생충’은", "은"),
        ("(주)가", "가"),
    ],
)
def test_the_longest_josa_that_fits(word: str, josa: str) -> None:
    assert josa_at_end(word) == josa


@pytest.mark.parametrize(
    "word",
    [
        *("이순신", "홍길동", "고은", "하은", "세종", "한나", "러시아", "부산로", "3는", "2은", "6로"),
        *("", "은", "서울 은", "...은", "'은", "\n은", "은\n", "abc", "김정은 "),
    ],
)
def test_what_does_not_follow_by_the_rule_is_none(word: str) -> None:
    assert josa_at_end(word) == ""


@pytest.mark.parametrize(("word", "josa"), [("서울에가", "가"), ("서울도만", "만"), ("학교에를", "를")])
def test_what_cannot_follow_another_stands_alone(word: str, josa: str) -> None:
    assert josa_at_end(word) == josa


@pytest.mark.parametrize(
    ("name", "josa"), [("제주도", "도"), ("김정은", "은"), ("이승만", "만"), ("하나", "나"), ("강남대로", "대로")]
)
def test_names_that_only_look_like_it_are_suspected(name: str, josa: str) -> None:
    assert josa_at_end(name) == josa


@pytest.mark.parametrize(
    ("word", "josa"),
    [("대만은", "은"), ("구로는", "는"), ("오만까지", "까지"), ("대만이라도", "이라도"), ("한만은", "은")],
)
def test_of_a_short_word_no_more_than_is_needed_is_taken(word: str, josa: str) -> None:
    assert josa_at_end(word) == josa


@given(stem=st.text("가각갈강나는도서울이1A", min_size=1, max_size=4), josa=st.sampled_from(ENDINGS))
def test_what_is_found_is_an_ending_that_leaves_something(stem: str, josa: str) -> None:
    word = stem + josa
    found = josa_at_end(word)
    assert word.endswith(found)
    assert len(found) < len(word)
    assert (found == "") == (not any(is_josa(word[at:], after=word[:at]) for at in range(1, len(word))))


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert text.endswith(josa_at_end(text))


def test_no_sequence_is_longer_than_the_longest() -> None:
    def longest(place: int) -> int:
        own = max(len(josa.syllables) for josa in JOSA if josa.place == place)
        return own + max((longest(following) for following in FOLLOWED_BY[place]), default=0)

    assert max(longest(josa.place) for josa in JOSA) == LONGEST
    assert josa_at_end("친구한테까지만이라도") == "한테까지만이라도"


def test_decomposed_letters_are_those_of_a_josa() -> None:
    name, josa = (unicodedata.normalize("NFD", part) for part in ("홍길동", "은"))
    assert is_josa(josa, after=name)
    assert not is_josa(josa, after=unicodedata.normalize("NFD", "철수"))
