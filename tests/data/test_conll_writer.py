"""What is written as columns is read again as it was."""

import re
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from datasets import DatasetDict
from hypothesis import given, settings
from hypothesis import strategies as st
from support.property_tests import examples

from malmoi.data.alignment import Span, spans_to_tags, tags_to_spans
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.readers.conll import holds_conll, read_conll
from malmoi.data.tagged_dataset import bio_labels, label_names, tagged_dataset
from malmoi.data.user_error import UserError
from malmoi.data.writers.conll import write_conll

PIECES = [
    "김하늘",
    "각",
    "👨‍👩‍👧",
    "👍🏽",
    "🇰🇷",
    "#",
    "# ",
    "-DOCSTART-",
    "\ufeff",
    "\u200b",
    "\u2028",
    "\x85",
    " ",
    "O",
    "B-PS",
    "-",
    "_",
    "ㅋ",
]
TEXTS = st.lists(
    st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4), max_size=6
).map("".join)
TYPES = ["PS", "인물", "Invoice Number", "O", "B", "x-B", "-", "B-PS", "PS_I"]


@st.composite
def rows(draw: st.DrawFn) -> MarkedText:
    """Return a sentence with names anywhere."""
    text = draw(TEXTS)
    edges = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    spans = [Span(start, end, draw(st.sampled_from(TYPES))) for start, end in pairwise(edges) if draw(st.booleans())]
    return MarkedText(id="s", text=text, spans=spans, path="made", line=1)


def sentences(splits: DatasetDict) -> dict[str, list[tuple[str, list[Span]]]]:
    """Return texts and names of each split."""
    return {
        name: [(row["text"], tags_to_spans([label_names(part)[tag] for tag in row["tags"]])) for row in part]
        for name, part in splits.items()
    }


@given(made=st.lists(rows(), min_size=1, max_size=4))
@settings(max_examples=examples(100))
def test_what_is_written_is_read_again_or_refused(made: list[MarkedText]) -> None:
    try:
        splits = marked_splits({"train": made})
    except UserError:  # two names in one character
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        refused = not all(row.text for row in made) or re.search(r"[\t\n\r\0]", "".join(row.text for row in made))
        if refused or not any(row.spans for row in made):
            with pytest.raises(UserError, match=r"^(The sentence|Columns without)[^.]*\.$"):
                write_conll(splits, folder)
            assert not [*folder.iterdir()]
            return
        assert write_conll(splits, folder) == [folder / "train.conll"]
        assert holds_conll(folder)
        assert sentences(read_conll(folder)) == sentences(splits)


def test_every_split_gets_a_file(tmp_path: Path) -> None:
    row = MarkedText(id="1", text=" 서울 #\u200b ", spans=[Span(1, 3, "LC")], path="made", line=1)
    plain = row._replace(text="갔다.", spans=[])
    splits = marked_splits({"train": [row, plain], "validation": [plain], "test": [row]})
    paths = write_conll(splits, tmp_path / "new" / "folder")
    assert [path.name for path in paths] == ["train.conll", "validation.conll", "test.conll"]
    assert sentences(read_conll(tmp_path / "new" / "folder")) == sentences(splits)
    assert paths[2].read_text(encoding="utf-8") == (
        "# one character a line, a tab, and its tag\n \tO\n서\tB-LC\n울\tI-LC\n \tO\n#\tO\n\u200b\tO\n \tO\n\n"
    )


@pytest.mark.parametrize(
    ("text", "label", "message"),
    [
        ("", "PS", r"The sentence 's-7' has no characters"),
        ("가\t나", "PS", r"'s-7' cannot be written as columns: its text has a tab; the form dataset can\."),
        ("가\n나", "PS", r"its text has a line feed; the form dataset can\."),
        ("가나", "P\rS", r"its type 'P\\rS' has a carriage return; the form dataset can\."),
        ("가나", " PS", r"a space is at the edge of its type ' PS'; the form dataset can\."),
    ],
)
def test_what_no_column_can_hold_is_refused_and_nothing_written(
    tmp_path: Path, text: str, label: str, message: str
) -> None:
    tags = spans_to_tags([Span(0, len(text), label)] if text else [], len(text))
    rows = tagged_dataset([{"id": "s-7", "text": text, "tags": tags}], bio_labels([label]))
    with pytest.raises(UserError, match=message):
        write_conll(DatasetDict({"train": rows}), tmp_path)
    assert not [*tmp_path.iterdir()]


def test_a_name_within_a_character_parts_it(tmp_path: Path) -> None:
    rows = tagged_dataset([{"id": "1", "text": "👨‍👩에", "tags": ["B-X", "O", "O", "O"]}], bio_labels(["X"]))
    write_conll(DatasetDict({"train": rows}), tmp_path)
    assert "👨\tB-X\n\u200d👩\tO\n에\tO\n" in (tmp_path / "train.conll").read_text(encoding="utf-8")
