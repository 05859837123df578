"""The heading of a file with commas, semicolons or tabs."""

from pathlib import Path

import pytest

from malmoi.data.delimited_columns import column_names
from malmoi.data.readers.dataset import read_dataset
from malmoi.data.text_lines import DataFormatError


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("text,label", ["text", "label"]),
        ("a; b ;c,d", ["a", "b", "c,d"]),
        ('text\t"la\tbel"', ["text", "la\tbel"]),
        (" ", []),
        ("가" * 200_000 + ",label", ["가" * 200_000, "label"]),  # longer than Python's reader takes by itself
    ],
)
def test_columns_have_the_names_of_the_heading(heading: str, names: list[str]) -> None:
    assert column_names(heading, "texts.csv") == names


def test_a_heading_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_bytes("text\r,label\n좋다,긍정\n".encode())
    with pytest.raises(DataFormatError, match=r"train.csv, line 1: expected names of columns as CSV has them, but"):
        read_dataset(tmp_path, task="sentence-classification")
