"""The heading of a file with commas, semicolons or tabs."""

import csv
from pathlib import Path

import pytest
from support.found_words import find_words
from support.text_files import read_rows

from malmoi.data.delimited_columns import Heading, columns_of_any_length, read_heading
from malmoi.data.readers.dataset import read_dataset
from malmoi.data.text_lines import DataFormatError, read_lines


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("text,label", ["text", "label"]),
        ("a; b ;c,d", ["a", "b", "c,d"]),
        ('text\t"la\tbel"', ["text", "la\tbel"]),
        ("id|text", ["id", "text"]),
        ("text,a|b", ["text", "a|b"]),
        ("label (0|1|2),text", ["label (0|1|2)", "text"]),
        (" ", []),
        ('"글, 제목, 본문";label', ["글, 제목, 본문", "label"]),  # signs in quotes divide nothing
        ("가" * 200_000 + ",label", ["가" * 200_000, "label"]),  # longer than Python's reader takes by itself
    ],
)
def test_columns_have_the_names_of_the_heading(heading: str, names: list[str]) -> None:
    assert read_heading([heading], "texts.csv").columns == names


@pytest.mark.parametrize(
    ("lines", "heading"),
    [
        (["sep=;", "a, b, c;label", "가;나"], Heading(["a, b, c", "label"], ";", 2)),
        (['"SEP=|"', "text|label"], Heading(["text", "label"], "|", 2)),
        (["sep=\t", "text\tlabel"], Heading(["text", "label"], "\t", 2)),
        (['"본문', '(원문)";label', '"가', '";나'], Heading(["본문\n(원문)", "label"], ";", 2)),
        (['3" screen\ttext', '4"\t가'], Heading(['3" screen', "text"], "\t", 1)),
        (['"text\tlabel', *["가\t나"] * 99], Heading(["text\tlabel"], "\t", 1)),
        (["sep=;", "", "가;나"], Heading([], ",", 2)),
        ([], Heading([], ",", 1)),
    ],
)
def test_a_heading_is_found_with_its_sign_and_its_lines(lines: list[str], heading: Heading) -> None:
    assert read_heading(lines, "texts.csv") == heading


@pytest.mark.parametrize(
    "head",
    ["sep=;\n본문;분류\n", "\ufeffsep=;\r\n본문;분류\r\n", '"본문\n(원문)";분류\n', '"본문 (제목, 글, 말)";분류\n'],
)
def test_training_and_answers_read_the_same_rows_below_a_heading(head: str, tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_bytes(f"{head}좋아, 요;긍정\n별로;부정\n".encode())
    learned = read_dataset(tmp_path, task="sentence-classification")["train"]
    columns = read_heading([line for _, line in read_lines(file)], file).columns
    find_words(file, output=tmp_path / "out.jsonl", text_column=columns[0])
    answered = read_rows(tmp_path / "out.jsonl")
    assert learned["text"] == [row[columns[0]] for row in answered] == ["좋아, 요", "별로"]
    assert [row["분류"] for row in answered] == ["긍정", "부정"]


def test_rows_below_several_lines_are_named_by_their_own(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text('sep=;\n"본문\n(원문)";label\n가;나\n다\n')
    with pytest.raises(DataFormatError, match=r"train.csv, line 5: expected 2 columns as in the heading, got 1"):
        read_dataset(tmp_path, task="sentence-classification")
    output, errors = tmp_path / "out.jsonl", tmp_path / "bad.jsonl"
    find_words(tmp_path / "train.csv", output=output, errors=errors, text_column="label")
    assert [row["line"] for row in read_rows(errors)] == [5]


def test_a_heading_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_bytes("text\r,label\n좋다,긍정\n".encode())
    with pytest.raises(DataFormatError, match=r"train.csv, line 1: expected names of columns as CSV has them, but"):
        read_dataset(tmp_path, task="sentence-classification")


def test_the_limit_of_a_column_is_a_number_that_windows_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    set_limit = csv.field_size_limit

    def set_limit_of_32_bits(limit: int) -> int:
        if limit >= 1 << 31:
            raise OverflowError("Python int too large to convert to C long")
        return set_limit(limit)

    before = set_limit()
    monkeypatch.setattr(csv, "field_size_limit", set_limit_of_32_bits)
    with columns_of_any_length():
        assert set_limit() > before
    assert set_limit() == before
