"""Unlabelled sentences: how files hold them, and which of them are known already."""

import lzma
from pathlib import Path

import pytest

from malmoi.data.silver_text import leave_out_known, read_raw_sentences
from malmoi.data.text_content import letters_and_digits
from malmoi.data.text_lines import DataFormatError

LINES = "손흥민은 갔다.\n\nsome-id\t 비가 왔다. \nid\tmore\t끝.\r\n   \n"
SENTENCES = ["손흥민은 갔다.", "비가 왔다.", "끝."]


def test_a_sentence_is_a_line_or_what_stands_after_its_last_tab(tmp_path: Path) -> None:
    for name, content in (
        ("raw.tsv", LINES.encode()),
        ("raw.txt.xz", lzma.compress(b"\xef\xbb\xbf" + LINES.encode())),
    ):
        (tmp_path / name).write_bytes(content)
        assert read_raw_sentences(tmp_path / name) == SENTENCES


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.txt", None, r"none.txt: there is no such file\."),
        ("empty.txt", b"", r"empty.txt: the file is empty\."),
        ("blank.txt", b"\n  \n", r"blank.txt: expected sentences, found none\."),
        ("ids.tsv", "a\t비\nb\t\n".encode(), r"ids.tsv, line 2: expected a sentence after the last tab\."),
        (
            "cp949.txt",
            "비\n".encode() + "손흥민은 갔다\n".encode("cp949"),
            r"cp949.txt, line 2: expected UTF-8, .*CP949",
        ),
        (
            "plain.txt.xz",
            "비가 왔다.\n".encode(),
            r"plain.txt.xz: the file is damaged or cut off, or was not packed by xz \(.+\)\.",
        ),
        (
            "cut.xz",
            lzma.compress("비가 왔다.\n".encode() * 99)[:-20],
            r"cut.xz: the file is damaged or cut off",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataFormatError, match=message):
        read_raw_sentences(tmp_path / name)


def test_sentences_are_the_same_if_their_letters_and_digits_are() -> None:
    assert letters_and_digits("ＡＢＣ 마트, ①호점!") == letters_and_digits("abc마트 1호점") == "abc마트1호점"
    assert letters_and_digits("비가") != letters_and_digits("비는")


def test_known_sentences_are_left_out_and_counted() -> None:
    new = leave_out_known(
        ["비가 왔다.", "비가왔다", "눈이 왔다.", "눈이 왔다!", "해가 떴다.", "해가  떴다", "달이 떴다."],
        evaluation=["비가 왔다?"],
        training=["비가 왔다", "눈이 왔다"],
    )
    assert new == (["해가 떴다.", "달이 떴다."], 2, 2, 1)


def test_sentences_of_signs_alone_are_the_same_only_if_the_signs_are() -> None:
    new = leave_out_known(["!!", "??", "👍", "!! ", "…"], evaluation=["..."], training=["…"])
    assert new == (["!!", "??", "👍"], 0, 1, 1)
