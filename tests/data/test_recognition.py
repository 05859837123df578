"""The form of a folder is known by a look into its files."""

from pathlib import Path

import pytest

from malmoi.data.readers import READERS, read_splits, readers_that_fit
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.user_error import UserError

ALL_TASKS = ("named-entities", "word-spacing", "sentence-classification")
FILES = {
    "inline-marks": {"train.txt": "<서울:LC>에 갔다.\n그는 웃었다.\n" * 20},
    "klue-ner": {"klue-ner-v1.1_train.tsv": "## 1\t<서울:LC>\n서\tB-LC\n울\tI-LC\n\n"},
    "kmou-corpus": {"split.tsv": "file\tpart\na.txt\ttrain\n"},
    "kmou-lines": {"train.txt": "서울에 갔다.\u241e<서울:LOC>에 갔다.\n"},
    "labelled-texts": {"train.txt": "좋음\t재미있다\n나쁨\t지루하다\n" * 10},
    "nsmc": {"ratings_train.txt": "id\tdocument\tlabel\n1\t재미있다\t1\n"},
    "plain-sentences": {"train.txt": "오늘은 날씨가 좋다.\n집에 갔다.\n" * 10},
}


@pytest.mark.parametrize("name", FILES)
def test_each_form_is_recognised_and_no_other_beside_it(name: str, tmp_path: Path) -> None:
    for file, content in FILES[name].items():
        (tmp_path / file).write_text(content, encoding="utf-8")
    assert readers_that_fit(tmp_path, ALL_TASKS) == [name]
    assert readers_that_fit(tmp_path / "missing", ALL_TASKS) == []


def test_every_reader_has_a_folder_here() -> None:
    assert {*FILES} == {*READERS} - {"plain-text"}


def test_an_option_that_a_reader_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"`tag_column` is for the reader .*, but `reader` is inline-marks\."):
        read_splits("inline-marks", tmp_path, task="named-entities", options=ReadingOptions(tag_column=2))


def test_missing_splits_are_cut_but_not_those_of_a_published_corpus(tmp_path: Path) -> None:
    for name in ("inline-marks", "klue-ner"):
        for file, content in FILES[name].items():
            (tmp_path / file).write_text(content, encoding="utf-8")
    assert list(read_splits("klue-ner", tmp_path, task="named-entities")) == ["train"]
    assert list(read_splits("inline-marks", tmp_path, task="named-entities")) == ["train", "validation"]
