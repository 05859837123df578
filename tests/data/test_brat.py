"""Documents of brat: read with offsets counted in several ways, refused, and written so that they are read again."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.property_texts import HARD_CHARACTERS, as_splits, marked_texts, texts_and_spans

from malmoi.data.alignment import Span
from malmoi.data.classified_dataset import LabelledText, classified_splits
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.readers.brat import read_brat
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError
from malmoi.data.writers.brat import write_brat

TEXT = "손흥민은 왔다.\n\n😀 서울에 갔다.\n"
NAMES = "T1\tPS 0 3\t손흥민\nT2\tLC 12 14\t서울\n"
READ = [("손흥민은 왔다.", [Span(0, 3, "PS")]), ("😀 서울에 갔다.", [Span(2, 4, "LC")])]


def write(folder: Path, text: str = TEXT, names: str = NAMES, *, name: str = "doc") -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    (folder / f"{name}.txt").write_text(text, encoding="utf-8", newline="")
    path = folder / f"{name}.ann"
    path.write_text(names, encoding="utf-8", newline="")
    return path


def moved(names: str, *, by: dict[str, int]) -> str:
    """Return the annotations with the offsets of some names moved."""
    lines = []
    for line in names.splitlines():
        key, place, name = line.split("\t")
        label, start, end = place.split()
        lines.append(f"{key}\t{label} {int(start) + by[key]} {int(end) + by[key]}\t{name}\n")
    return "".join(lines)


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "mark"])
@pytest.mark.parametrize("mark_counts", [0, 1])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("return_counts", [0, 1])
def test_offsets_are_understood_however_marks_and_returns_are_counted(
    mark: str, mark_counts: int, line_end: str, return_counts: int, tmp_path: Path
) -> None:
    first = mark_counts * len(mark)
    names = moved(NAMES, by={"T1": first, "T2": first + return_counts * 2 * (line_end == "\r\n")})
    path = write(tmp_path, mark + TEXT.replace("\n", line_end), names.replace("\n", line_end))
    for source in (tmp_path, path, path.with_suffix(".txt")):
        train = read_brat(source)["train"]
        assert texts_and_spans(train) == READ
        assert train["id"][:] == ["doc-1", "doc-3"]
        assert train["document"][:] == ["doc", "doc"]


def test_other_lines_and_lonely_texts_are_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    others = "R1\tIn Arg1:T1 Arg2:T2\nE1\tGo:T2\n#1\tAnnotatorNotes T1\twhat\nA1\tSure T1\nN1\tRef T1 Wiki:1\tx\n"
    others += "*\tEquiv T1 T2\n"
    path = write(tmp_path, names=others + "\n" + NAMES)
    write(tmp_path, "이름이 없다.", "", name="empty")
    (tmp_path / "lonely.txt").write_text("나만 있다.", encoding="utf-8")
    train = read_brat(tmp_path)["train"]
    assert texts_and_spans(train) == [*READ, ("이름이 없다.", [])]
    assert train["document"][:] == ["doc", "doc", "empty"]
    assert [record.getMessage() for record in caplog.records] == [
        f"malmoi: texts without a file .ann are left out: 1, first in {tmp_path / 'lonely.txt'}.",
        f"malmoi: lines of brat that are no names are not read: 6, first in {path}, line 1.",
    ]


def test_folders_tell_the_split(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number, folder in enumerate(("train", "train/b", "dev", "other")):
        write(tmp_path / folder, f"서울{number}", "T1\tLC 0 2\t서울")
    splits = read_brat(tmp_path)
    assert {name: rows["text"][:] for name, rows in splits.items()} == {
        "train": ["서울1", "서울0"],
        "validation": ["서울2"],
    }
    assert splits["train"]["document"][:] == ["train/b/doc", "train/doc"]
    assert "files whose names tell no split are left out: 1." in caplog.text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "T3\tPS 5 6;7 8\t왔 .",
            "expected a name in one piece, or in pieces with nothing but spaces and line breaks between them, got PS "
            "'왔 .' from 5 to 6, from 7 to 8.",
        ),
        ("T3\tPS 6 7;5 6\t다 왔", "expected a name in one piece, or in pieces with nothing but spaces"),
        (
            "T3\tPS 5 6;7 9\t왔 . ",
            "expected a name within one line of the text, got PS '왔 . ' from 5 to 6, from 7 to 9.",
        ),
        ("T3\tPS 5 6;\t왔", "expected a line of brat"),
        ("T3\tPS 5 11\t왔다. 😀 ", "expected a name within one line of the text, got PS '왔다. 😀 ' from 5 to 11."),
        ("T3\tPS 5 10\t왔다.\t", "expected a name within one line of the text, got PS"),
        ("T3\tPS 90 91\t왔", "expected a name within one line of the text, got PS '왔' from 90 to 91."),
        ("T3\tPS 5 5\t", "expected a name within one line of the text, got PS '' from 5 to 5."),
        ("T3\tPS 6 5\t왔", "expected a name within one line of the text, got PS '왔' from 6 to 5."),
        ("T3\tPS 5 6\t갔", "expected the PS '갔' from 5 to 6, but the text has '왔' there."),
        ("T3\tLC 2 4\t민은", "expected names that do not overlap, but LC '민은' begins within another."),
        ("T3\tPS -1 2\t손흥", "expected a line of brat, such as T1, tab, PS 0 3, tab, 손흥민, got "),
        ("T3\tPS 0.0 2\t손흥", "expected a line of brat"),
        ("T3\tPS 0 " + "9" * 5000 + "\t손흥", "expected a line of brat"),
        ("T3\tPS 0 2", "expected a line of brat"),
        ("T3 PS 0 2 손흥", "expected a line of brat"),
        ("손흥민은 왔다.", "expected a line of brat"),
    ],
)
def test_a_bad_line_is_refused_in_one_sentence_with_its_number(line: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, names=NAMES + "\n" + line + "\n")
    with pytest.raises(DataFormatError) as error:
        read_brat(tmp_path)
    assert str(error.value).startswith(f"{path}, line 4: {message}")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\n  \n"])
def test_lines_of_a_name_that_goes_on_are_one_sentence(
    line_end: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = f"그는 한국{line_end}전력공사에 갔다.\n비가 온다.\n"
    start = len(f"그는 한국{line_end}")
    names = f"T1\tOG 3 5;{start} {start + 4}\t한국 전력공사\nT2\tDT 0 2\t그는\n"
    path = write(tmp_path, text, names)
    spaces = " " * len(line_end.replace("\r", ""))
    joined = f"그는 한국{spaces}전력공사에 갔다."
    train = read_brat(tmp_path)["train"]
    assert texts_and_spans(train) == [
        (joined, [Span(0, 2, "DT"), Span(3, joined.index("에"), "OG")]),
        ("비가 온다.", []),
    ]
    assert train["id"][:] == ["doc-1", f"doc-{2 + line_end.count(chr(10))}"]
    assert f"with a space for the line break: 1, first in {path}, line 1." in caplog.text


def test_pieces_of_a_name_in_one_line_are_one_name(tmp_path: Path) -> None:
    write(tmp_path, "한국  전력공사", "T1\tOG 0 2;4 8\t한국 전력공사\n")
    assert texts_and_spans(read_brat(tmp_path)["train"]) == [("한국  전력공사", [Span(0, 8, "OG")])]


def test_files_without_what_is_wanted_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Give a folder with the \.txt and \.ann files of brat, by --data_dir"):
        read_brat(None)
    with pytest.raises(DataFormatError, match=r"expected a folder with the \.txt and \.ann files"):
        read_brat(tmp_path)
    path = write(tmp_path, "이름이 없다.", "")
    with pytest.raises(DataFormatError, match="expected names in the sentences, found none"):
        read_brat(tmp_path)
    write(tmp_path, "", "")
    with pytest.raises(DataFormatError, match="expected sentences, found none"):
        read_brat(tmp_path)
    path.with_suffix(".txt").write_bytes(TEXT.encode("cp949", errors="ignore"))
    with pytest.raises(DataFormatError, match=r"doc\.txt, line 1: expected UTF-8, but .*CP949"):
        read_brat(tmp_path)
    path.with_suffix(".txt").unlink()
    with pytest.raises(DataFormatError, match=r"doc\.txt: there is no such file beside the annotations"):
        read_brat(tmp_path)


HELD = st.one_of(st.characters(exclude_categories=["Cs"], exclude_characters="\n\0"), HARD_CHARACTERS)
SENTENCES = st.lists(
    marked_texts(characters=HELD).filter(lambda row: not row[0].startswith("\ufeff") and not row[0].endswith("\r")),
    max_size=9,
)


@given(SENTENCES)
def test_what_is_written_is_read_again(rows: list[tuple[str, list[Span]]]) -> None:
    splits = as_splits(train=rows)
    with TemporaryDirectory() as folder:
        write_brat(splits, Path(folder))
        again = read_brat(Path(folder))
    assert texts_and_spans(again["train"]) == texts_and_spans(splits["train"])


def test_documents_are_written_each_in_a_file_and_others_by_the_hundred(tmp_path: Path) -> None:
    rows = [MarkedText(str(number), f"서울{number}", [Span(0, 2, "LC")], "made", None, None) for number in range(1050)]
    paths = write_brat(marked_splits({"train": rows}), tmp_path)
    assert paths[:2] == [tmp_path / "train" / "train-01.txt", tmp_path / "train" / "train-01.ann"]
    assert len(paths) == 22
    assert read_brat(tmp_path)["train"]["text"][:] == [row.text for row in rows]
    named = [row._replace(document=f"d{number % 2}") for number, row in enumerate(rows)]
    (tmp_path / "named").mkdir()
    assert len(write_brat(marked_splits({"train": named}), tmp_path / "named")) == 4
    again = read_brat(tmp_path / "named")["train"]
    assert again["text"][:] == [row.text for row in (*rows[::2], *rows[1::2])]


@pytest.mark.parametrize(
    ("text", "label", "message"),
    [
        (
            "서울\n부산",
            "LC",
            r"train, train-0: the form brat cannot hold a line break within a sentence, got '서울\\n부산'",
        ),
        ("서울\r", "LC", "the form brat cannot hold a carriage return at the end of a sentence"),
        ("서울\0", "LC", "the form brat cannot hold a NUL"),
        ("\ufeff서울", "LC", "the form brat cannot hold a byte order mark at the beginning of a sentence"),
        ("  \u200b", "LC", "the form brat cannot hold a sentence without a visible character"),
        ("서울", "L C", "The form brat needs types without spaces, got 'L C'"),
    ],
)
def test_what_brat_cannot_hold_is_refused_and_nothing_written(
    text: str, label: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        write_brat(as_splits(train=[(text, [Span(0, 2, label)])]), tmp_path)
    assert not [*tmp_path.iterdir()]


def test_classes_are_refused(tmp_path: Path) -> None:
    rows = [LabelledText(str(number), "재미있다", f"c{number}", "made") for number in range(2)]
    with pytest.raises(UserError, match="The form brat is for named entities, but the data have none"):
        write_brat(classified_splits({"train": rows}), tmp_path)
