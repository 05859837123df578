"""Headings are no data: they are left out, which is said; and columns that are the other way round are refused."""

import re
import unicodedata
from pathlib import Path

import pytest

from malmoi.commands.streams.text_column import text_column
from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.classified_dataset import class_names
from malmoi.data.lexicon import LexiconWords, read_lexicon
from malmoi.data.readers.conll import read_conll
from malmoi.data.readers.dataset import holds_dataset, read_dataset
from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.readers.labelled_texts import read_labelled_texts
from malmoi.data.tagged_dataset import label_names
from malmoi.data.text_lines import DataFormatError

TOKENS = "손흥민\tPS\n춘천에서\tLC\n태어났다\tO\n\n"
CLASSES = "긍정\t재미있다\n부정\t지루하다\n긍정\t또 봤다\n"


@pytest.mark.parametrize(
    "heading", ["token\ttag", "Word\tNE_tag", "토큰\t개체명 태그", "어절\t라벨", '"word"\t"label"']
)
@pytest.mark.parametrize("between", ["", "\n"])
def test_a_heading_of_token_columns_is_no_name(
    heading: str, between: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("train", "dev"):
        (tmp_path / f"{name}.conll").write_text(f"# made by hand\n{heading}\n{between}{TOKENS}", encoding="utf-8")
    splits = read_conll(tmp_path)
    for rows in splits.values():
        labels = label_names(rows)
        assert rows["text"] == ["손흥민 춘천에서 태어났다"]
        assert tags_to_spans([labels[tag] for tag in rows["tags"][0]]) == [Span(0, 3, "PS"), Span(4, 8, "LC")]
    said = [record.getMessage() for record in caplog.records if "the heading " in record.getMessage()]
    assert said == [
        f"malmoi: {tmp_path / name}.conll, line 2: the heading {heading!r} was left out." for name in ("train", "dev")
    ]


def test_a_heading_may_number_tokens_and_name_more_columns(tmp_path: Path) -> None:
    rows = "".join(
        f"{number}\t{word}\tNNG\t{tag}\n" for number, (word, tag) in enumerate([("서울", "LC"), ("가", "O")])
    )
    (tmp_path / "train.tsv").write_text(f"idx\tword\tpos\ttag\n{rows}\n", encoding="utf-8")
    assert read_conll(tmp_path, token_separator=" ")["train"]["text"] == ["서울 가"]


def test_a_token_that_is_called_as_a_heading_stays(tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text("단어\tO\n서울\tLC\n\n", encoding="utf-8")
    assert read_conll(tmp_path, token_separator=" ")["train"]["text"] == ["단어 서울"]


@pytest.mark.parametrize("heading", ["gold label\treview_text", "감정 분류\t리뷰 내용", "라벨링결과\t댓글내용"])
def test_a_heading_of_several_words_is_no_class(
    heading: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "train.txt").write_text(f"{heading}\n{CLASSES}", encoding="utf-8")
    assert class_names(read_labelled_texts(tmp_path)["train"]) == ["긍정", "부정"]
    assert f"line 1: the heading {heading!r} was left out" in caplog.text


def test_a_class_with_a_word_of_a_heading_stays(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text(f"감정적\t글이 슬프다\n{CLASSES}", encoding="utf-8")
    assert class_names(read_labelled_texts(tmp_path)["train"]) == ["감정적", "긍정", "부정"]


@pytest.mark.parametrize("heading", ["word\tclass", "단어\t품사", "Name\tlabel"])
def test_a_heading_of_a_lexicon_is_no_word(heading: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "words.txt"
    path.write_text(f"\n{heading}\n손흥민\tPS\n", encoding="utf-8")
    assert read_lexicon(str(path)) == LexiconWords(("PS",), {"손흥민": 1})
    assert f"{path}, line 2: the heading {heading!r} was left out" in caplog.text
    path.write_text(f"손흥민\tPS\n{heading}\n", encoding="utf-8")  # no heading there
    assert len(read_lexicon(str(path)).words) == 2


def test_headings_in_parts_are_known(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text(unicodedata.normalize("NFD", "라벨,문장\n긍정,재미있다\n부정,지루하다\n"), encoding="utf-8")
    assert holds_dataset(tmp_path)
    assert read_dataset(tmp_path, task="sentence-classification", label_column="라벨")["train"].num_rows == 2
    columns = [unicodedata.normalize("NFD", name) for name in ("문장", "이름")]
    assert text_column("a.csv", columns, columns, named=None) == columns[0]
    assert text_column("a.csv", columns, columns, named="이름") == columns[1]


def test_marks_whose_type_stands_first_are_refused(tmp_path: Path) -> None:
    lines = "".join(
        f"<PS:{name}>은 <LC:{place}>에 왔다.\n" for name, place in zip("김이박최", ("서울", "부산", "광주", "대전"))
    )
    (tmp_path / "train.txt").write_text(lines, encoding="utf-8")
    with pytest.raises(
        DataFormatError,
        match=r"but there are more types \(광주, 김, 대전, 5 more\) than names \(LC, PS\), as if the type",
    ):
        read_inline_marks(tmp_path)


def test_of_a_lexicon_whose_class_stands_first_it_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "words.txt"
    said = r"there are more classes \(이름0, 이름1, 이름2, .* more\) than words \(PS\), as if the class stood first"
    path.write_text("".join(f"PS\t이름{number}\n" for number in range(5)), encoding="utf-8")
    read_lexicon(str(path))
    assert re.search(f"{path}: {said}; expected is a word, a tab and its class in each line", caplog.text)
    path.write_text("".join(f"PS\t이름{number}\n" for number in range(40)), encoding="utf-8")
    with pytest.raises(DataFormatError, match=rf"line 32: expected at most 31 classes .*; {said}"):
        read_lexicon(str(path))
