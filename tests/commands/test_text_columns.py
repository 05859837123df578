"""Which column of a file holds the texts: told by its heading, never by what may be a text itself."""

import unicodedata
from pathlib import Path

import pytest
from support.found_words import find_words
from support.text_files import read_rows

from malmoi.data.user_error import UserError

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "본문") for form in ("NFC", "NFD"))


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let relative names be those of a folder of the test."""
    monkeypatch.chdir(tmp_path)


def test_a_text_in_the_place_of_a_heading_is_not_lost() -> None:
    Path("in.csv").write_text("손흥민은 춘천에서 태어났다.\n비가 온다.\n", encoding="utf-8")
    expected = (
        r"^in\.csv: expected a heading with a name that tells the texts, such as `text`, but the first line is "
        r"'손흥민은 춘천에서 태어났다\.'; if it is a heading, name the column by --text_column, and if there is none, "
        r"give the lines as a \.txt file\.$"
    )
    with pytest.raises(UserError, match=expected):
        find_words("in.csv", output="out.jsonl")


@pytest.mark.parametrize(
    ("heading", "named"),
    [
        *((heading, None) for heading in ("본문", "Text", DECOMPOSED, "review_text", "리뷰 내용", "body", "원문")),
        ("말", "말"),
    ],
)
def test_the_only_column_is_read_if_its_name_tells_it(heading: str, named: str | None) -> None:
    Path("in.csv").write_text(f"{heading}\n비가 온다\n", encoding="utf-8")
    find_words("in.csv", output="out.jsonl", text_column=named)
    assert [row[heading] for row in read_rows(Path("out.jsonl"))] == ["비가 온다"]


@pytest.mark.parametrize(("half", "other"), [("title", "body"), ("question", "answer"), ("제목", "설명")])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_half_of_a_text_is_not_taken_for_all_of_it(form: str, half: str, other: str) -> None:
    """Titles were answered in silence, and what stands below them was not, though training data are asked about."""
    rows = {"csv": f"{half},{other}\n비가,온다\n", "jsonl": f'{{"{half}": "비가", "{other}": "온다"}}\n'}
    Path(f"in.{form}").write_text(rows[form], encoding="utf-8")
    with pytest.raises(UserError, match=f"several may be it: {half}, {other}; say which by --text_column"):
        find_words(f"in.{form}", output="out.jsonl")
    find_words(f"in.{form}", output="out.jsonl", text_column=other)
    assert len(read_rows(Path("out.jsonl"))) == 1


def test_a_vertical_bar_may_stand_between_columns() -> None:
    Path("in.csv").write_text("id|text\n7|비가, 온다\n", encoding="utf-8")
    find_words("in.csv", output="out.jsonl")
    assert [(row["id"], row["text"]) for row in read_rows(Path("out.jsonl"))] == [("7", "비가, 온다")]


@pytest.mark.parametrize("name", ["in.jsonl", "in.csv"])
@pytest.mark.parametrize(("written", "named"), [(DECOMPOSED, COMPOSED), (COMPOSED, DECOMPOSED)])
def test_a_column_is_found_however_its_name_is_composed(name: str, written: str, named: str) -> None:
    rows = {"in.jsonl": f'{{"{written}": "비가 온다", "제목": "가"}}\n', "in.csv": f"{written},제목\n비가 온다,가\n"}
    Path(name).write_text(rows[name], encoding="utf-8")
    find_words(name, output="out.jsonl", text_column=named)
    [row] = read_rows(Path("out.jsonl"))
    assert (row[written], row["entities"][0]["text"]) == ("비가 온다", "비가 온다")


def test_every_row_may_compose_a_field_otherwise() -> None:
    lines = [f'{{"{name}": "비가 온다", "제목": "가"}}\n' for name in (COMPOSED, DECOMPOSED)]
    Path("in.jsonl").write_text("".join(lines), encoding="utf-8")
    find_words("in.jsonl", output="out.jsonl", text_column=COMPOSED)
    assert [len(row["entities"]) for row in read_rows(Path("out.jsonl"))] == [1, 1]
