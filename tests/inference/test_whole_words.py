"""What stays as it is written when spaces are restored: a model that would part everything, and one that nothing."""

import time
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from support.command_line import malmoi
from support.tiny_models import SENTENCES, save, tiny_spacing_bilstm

from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import SPACING_LABELS
from malmoi.inference.labelled_tokens import LabelledPart
from malmoi.inference.spacer import Spacer
from malmoi.inference.token_labels import labelled_parts
from malmoi.inference.whole_words import WholeWords, read_keep_words

WHOLE = [
    *[
        "1,234,567원",
        "3.14",
        "3:30",
        "12:30:45",
        "v2.10.3",
        "2024-01-05",
        "2024.01.05.",
        "010-1234-5678",
        "(02)123-4567",
    ],
    *["+82-10-1234-5678", "$950", "-5", "50%", "10~20%", "1/2", "10kg", "100㎏", "3시", "20명", "2024년", "3.5킬로"],
    *["https://a.kr/b?c=1&d=2", "https://ko.a.org/wiki/한국어", "www.naver.com", "hong.gil-dong@a.co.kr", "naver.com"],
    *["iPhone15", "iPhone", "résumé", "re\u0301sume\u0301", "don't", "O'Brien", "C++", "C#", "AT&T", "(AI)", "Hello,"],
    *["report_final.pdf", "보고서_v2.hwp", "회의록.docx", "#오늘의날씨", "@hong_gildong", "a\u00adb\u200bc", "Привет"],
    *["3.5%p", "5∼6", "10±0.5", "№5", "/usr/bin/env", "http://한글.kr/가", "2시간", "3개월", "a\bb"],
]
STAYING = ["Hello world", "New York", "iPhone 15 Pro", "Python 3.11", "1 2", "Hello, world!", "Mr. Kim", "(A) [B]"]


class Forced:
    """A spacer whose model says of every character that a word begins there, or of none."""

    def __init__(self, spacer: Spacer):
        self.spacer = spacer

    def space(self, text: str, label: str, **options: Any) -> str:
        def labels(*arguments: Any, **settings: Any) -> Iterator[LabelledPart]:
            forced = SPACING_LABELS.index(label)
            for part in labelled_parts(*arguments, **settings):
                yield part._replace(tokens=part.tokens._replace(labels=[forced] * len(part.tokens.labels)))

        with patch("malmoi.inference.spacer.labelled_parts", labels):
            [spaced] = self.spacer.space([text], **options)
        assert spaced.text.replace(" ", "") == text.replace(" ", "")
        assert all(at is None or text[at] == character for at, character in zip(spaced.offsets, spaced.text))
        return spaced.text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer = build_syllable_tokenizer(SENTENCES)
    return save(tmp_path_factory.mktemp("spacing"), tiny_spacing_bilstm(tokenizer), tokenizer)


@pytest.fixture(scope="module")
def forced(folder: Path) -> Forced:
    return Forced(Spacer(folder))


@pytest.mark.parametrize("keep_spaces", [False, True])
@pytest.mark.parametrize("word", WHOLE)
def test_what_is_no_hangul_is_never_parted(forced: Forced, word: str, keep_spaces: bool) -> None:
    for before, after in (("", ""), ("그는 ", " 보았다"), ("\n", "\n")):
        text = f"{before}{word}{after}"
        assert word in forced.space(text, "B", keep_spaces=keep_spaces).split("\n" if "\n" in text else " ")


@pytest.mark.parametrize("label", SPACING_LABELS)
@pytest.mark.parametrize("text", STAYING)
def test_spaces_between_latin_words_stay(forced: Forced, text: str, label: str) -> None:
    for keep_spaces in (False, True):
        assert text in forced.space(f"그는 {text} 보았다", label, keep_spaces=keep_spaces)
    assert forced.space(text.replace(" ", "  "), label) == text


@pytest.mark.parametrize("word", ["https://a.kr/b", "hong@a.kr", "#맛집", "@hong", "보고서_v2.hwp"])
def test_an_address_does_not_run_into_its_neighbours(forced: Forced, word: str) -> None:
    assert forced.space(f"가 나 {word} 다 라", "I") == f"가나 {word} 다라"


@pytest.mark.parametrize("label", SPACING_LABELS)
@pytest.mark.parametrize("keep_spaces", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        *[
            "회의는3시에20명이",
            "가격은1,234,567원이다",
            "https://a.kr에서확인",
            "hong@a.kr로보냈다",
            "#맛집 추천 목록",
        ],
        *["가 나 https://a.kr/?q=가 다 라", "보고서_v2.hwp를 열었다", "그는 New York에서 왔다", "100%국산 2시간"],
    ],
)
def test_decomposed_hangul_is_parted_as_composed_is(forced: Forced, text: str, label: str, keep_spaces: bool) -> None:
    decomposed = unicodedata.normalize("NFD", text)
    assert forced.space(decomposed, label, keep_spaces=keep_spaces) == unicodedata.normalize(
        "NFD", forced.space(text, label, keep_spaces=keep_spaces)
    )


def test_hangul_is_parted_as_the_model_says(forced: Forced) -> None:
    assert forced.space("비가왔다.", "B") == "비 가 왔 다 ."
    assert forced.space("비 가 왔 다 .", "I") == "비가왔다."
    assert forced.space("그는iPhone을샀다", "B") == "그 는 iPhone 을 샀 다"
    assert forced.space("가격은1,234,567원이다", "B") == "가 격 은 1,234,567원 이 다"
    assert forced.space("좋았다.Good", "B") == "좋 았 다 . Good"
    assert forced.space("한국,2개", "B") == "한 국 , 2개"
    assert forced.space("漢字", "B") == "漢 字"


TEXT = st.lists(
    st.one_of(
        st.sampled_from([*WHOLE, *STAYING, "비가", "왔다", " ", "  ", "\n", "\u200b", "😀"]), st.text(max_size=3)
    ),
    max_size=12,
).map("".join)


@given(text=TEXT, label=st.sampled_from(SPACING_LABELS), keep_spaces=st.booleans())
def test_numbers_and_latin_words_survive_in_any_text(forced: Forced, text: str, label: str, keep_spaces: bool) -> None:
    spaced = forced.space(text, label, keep_spaces=keep_spaces)
    latin = r"[A-Za-z]+|\d+(?:[.:]\d+)*"
    assert regex.findall(latin, spaced) == regex.findall(latin, text)


@given(text=TEXT, label=st.sampled_from(SPACING_LABELS))
def test_words_that_the_user_names_stay(forced: Forced, text: str, label: str) -> None:
    words = ["비가", "왔다 비", "/[가-힣] 1/"]
    spaced = forced.space(text, label, keep_words=words)
    for word in ("비가", "왔다 비"):
        assert spaced.count(word) >= text.count(word)


def test_kept_words_stay_exactly_as_they_are_written(forced: Forced) -> None:
    assert (
        forced.space("홍길동전을홍길동  전과", "B", keep_words=["홍길동전", "홍길동  전"])
        == "홍길동전 을 홍길동  전 과"
    )
    assert forced.space("홍길동 전 을", "I", keep_words=["홍길동 전"]) == "홍길동 전을"
    assert forced.space("제12조와제3조", "B", keep_words=[r"/제\d+조/"]) == "제12조 와 제3조"
    # however text and expression are composed
    for form in ("NFC", "NFD"):
        word, text, spaced = (unicodedata.normalize(form, each) for each in (r"/제\d+조/", "제1조와", "제1조 와"))
        assert forced.space(text, "B", keep_words=[r"/제\d+조/"]) == spaced
        assert forced.space("제1조와", "B", keep_words=[word]) == "제1조 와"
    assert forced.space("홍길", "B", keep_words=["\u1112\u1169\u11bc\u1100\u1175\u11af"]) == "홍길"


@pytest.mark.parametrize(
    ("words", "message"),
    [(["/(/"], r"expected a regular expression between slashes, got '/\(/'"), ([" "], "got an empty one")],
)
def test_wrong_words_are_refused(forced: Forced, words: Sequence[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        forced.space("비가", "B", keep_words=words)
    with pytest.raises(UserError, match="must be a list of words, got the text '비가'"):
        forced.space("비가", "B", keep_words="비가")


def test_words_are_read_from_a_file(tmp_path: Path, folder: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_bytes("\ufeff홍길동전\r\n\r\n #해시 \n/제\\d+조/\n".encode())
    assert read_keep_words(file) == ["홍길동전", "#해시", r"/제\d+조/"]
    output, _ = malmoi("space", folder, "제 1 조와 홍 길 동 전", "--keep_words", file)
    assert output.replace(" ", "") == "제1조와홍길동전\n"
    file.write_text("비가\n/(/\n", encoding="utf-8")
    with pytest.raises(DataFormatError, match=r"words\.txt, line 2: expected a regular expression between slashes"):
        read_keep_words(file)
    with pytest.raises(DataFormatError, match=r"no\.txt: there is no such file"):
        read_keep_words(tmp_path / "no.txt")


def test_invisible_characters_go_with_the_word_after_them(forced: Forced) -> None:
    assert forced.space("비\u200b가", "B") == "비 \u200b가"
    assert forced.space("비\u200b 가", "B") == "비\u200b 가"
    assert forced.space("비 \u200b 가", "B") == "비 \u200b가"
    assert forced.space("비 \u200b 가", "I") == "비\u200b가"
    assert forced.space("\u200b비가\u200d", "B") == "\u200b비 가\u200d"


@pytest.mark.parametrize(
    "piece", ["가", "가.", "a", "a.", "(", "e\u0301", "1,", "#", "a@", "http://", "가 ", "a ", "-", "\u1100\u1161"]
)
def test_long_texts_take_no_longer_than_they_are(piece: str) -> None:
    started = time.process_time()
    WholeWords().gaps(piece * 40_000)
    assert time.process_time() - started < 4


@pytest.mark.parametrize("word", ["don't", "O'Brien", "C++", "C#"])
def test_latin_words_with_signs_stay_whole_between_hangul(forced: Forced, word: str) -> None:
    assert word in forced.space(f"이것은{word}이다", "B").split(" ")


@pytest.mark.parametrize("word", ["1인상", "5대응", "3위험", "100%국산", "50%줄었다"])
def test_only_the_counter_itself_belongs_to_a_number(forced: Forced, word: str) -> None:
    number = regex.match(r"\d+(?:%|\p{Hangul})", word)
    assert number is not None
    assert forced.space(word, "B").split(" ")[0] == number[0]


def test_a_regular_expression_that_takes_too_long_is_refused() -> None:
    words = WholeWords(["/(a|aa)+$/"])
    with (
        patch("malmoi.inference.whole_words.LONGEST_SEARCH", 0.1),
        pytest.raises(
            UserError, match=r"The regular expression '\(a\|aa\)\+\$' .* longer than 0.1 seconds in the text"
        ),
    ):
        words.gaps("a" * 3000 + "!")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (None, "None"),
        (b"a", "b'a'"),
        (3, "3"),
        ({"a": 1}, "{'a': 1}"),
        (["가", 3], "3 among them"),
        ([None], "None among them"),
    ],
)
def test_what_are_no_words_is_refused(words: Any, shown: str) -> None:
    with pytest.raises(UserError) as caught:
        WholeWords(words)
    assert str(caught.value) == f"`keep_words` must be a list of words, got {shown}."
