"""What is read in one form is written in any other, and read again as it was; nothing is left half-written."""

import tempfile
from itertools import product
from pathlib import Path

import pytest
from datasets import DatasetDict
from hypothesis import given, settings
from hypothesis import strategies as st
from support.property_tests import examples

from malmoi.data.alignment import Span
from malmoi.data.classified_dataset import classified_dataset
from malmoi.data.inspection.inspected_text import inspected_texts
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.readers import READERS
from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.readers.plain_sentences import read_plain_sentences
from malmoi.data.user_error import UserError
from malmoi.data.writers import WRITERS, writers_of
from malmoi.data.writers.export import check_export, export

TASKS = ("named-entities", "sentence-classification", "word-spacing")
# what is a sign in one form or another
PIECES = [
    "손흥민",
    "은 ",
    "<",
    ">",
    ":",
    "<가:PS>",
    "\\",
    "#",
    '"',
    "' ",
    "O",
    "1 2",
    "👨‍👩‍👧",
    "각",
    "\u200b",
    " ",
    "T1",
    "{",
    ",",
]
TYPES = ["PS", "인물", "O-X"]
PAIRS = [(task, *pair) for task in TASKS for pair in product(writers_of(task), repeat=2)]


def content(splits: DatasetDict) -> dict[str, list[object]]:
    """Return all but the ids, which not every form keeps."""
    return {name: [row[2:] for row in inspected_texts({"": rows})] for name, rows in splits.items()}


def read(folder: Path, form: str, task: str) -> DatasetDict:
    """Read a folder that was written in a form."""
    reader = READERS[WRITERS[form].reader]
    return reader.read(folder, **({"task": task} if len(reader.tasks) > 1 else {}))


def data_for(task: str) -> DatasetDict:
    """Return data of a task."""
    if task == "named-entities":
        splits = read_inline_marks(None)
        return DatasetDict({name: rows.select(range(20)) for name, rows in splits.items()})
    if task == "word-spacing":
        splits = read_plain_sentences(None)
        return DatasetDict({name: rows.select(range(20)) for name, rows in splits.items()})
    texts = ["재미있게 봤습니다.", '"좋다"고 합니다', "그저 그렇다", "  지루하다 ", "# 다시는 안 본다", "좋음\u200b"]
    classes = ["나쁨", "좋음"]
    rows = classified_dataset(
        [{"id": str(number), "text": text, "label": classes[number % 2]} for number, text in enumerate(texts)], classes
    )
    return DatasetDict({"train": rows, "test": rows.select([0, 1])})


@pytest.mark.parametrize(("task", "first", "second"), PAIRS)
def test_every_form_becomes_every_other(task: str, first: str, second: str, tmp_path: Path) -> None:
    splits = data_for(task)
    paths = export(splits, first, tmp_path / "first", task=task)
    assert paths
    assert all(path.is_file() for path in paths)
    between = read(tmp_path / "first", first, task)
    assert READERS[WRITERS[first].reader].holds(tmp_path / "first")
    export(between, second, tmp_path / "new" / "second", task=task)
    assert content(read(tmp_path / "new" / "second", second, task)) == content(splits)
    assert {path.name for path in tmp_path.iterdir()} == {"first", "new"}


@st.composite
def sentences(draw: st.DrawFn) -> MarkedText:
    """Return a sentence with a name, which has characters that are signs in some form."""
    pieces = draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5))
    name = draw(st.sampled_from(["춘천", "김 하늘", "<나>", "a:b", "9", '"따옴표"', "이\\", "👨‍👩‍👧"]))
    place = draw(st.integers(0, len(pieces)))
    start = len("".join(pieces[:place]))
    text = "".join([*pieces[:place], name, *pieces[place:]])
    span = Span(start, start + len(name), draw(st.sampled_from(TYPES)))
    return MarkedText(id="s", text=text, spans=[span], path="made", line=1)


@given(
    made=st.lists(sentences(), min_size=1, max_size=4),
    forms=st.permutations(writers_of("named-entities")),
)
@settings(max_examples=examples(20), deadline=None)
def test_names_go_through_all_forms_in_any_order(made: list[MarkedText], forms: list[str]) -> None:
    splits = marked_splits({"train": made, "test": made[:1]})
    with tempfile.TemporaryDirectory() as folder:
        data = splits
        for form in forms:
            export(data, form, Path(folder) / form, task="named-entities")
            data = read(Path(folder) / form, form, "named-entities")
        assert content(data) == content(splits)


@pytest.mark.parametrize("form", writers_of("named-entities"))
@pytest.mark.parametrize("text", ["가\n나", "나\r", "\ufeff다", "  ", "라\0마"])
def test_a_form_holds_a_text_or_refuses_it_and_leaves_nothing(form: str, text: str, tmp_path: Path) -> None:
    made = MarkedText(id="s-1", text=text, spans=[], path="made", line=1)
    named = made._replace(text="서울에", spans=[Span(0, 2, "LC")])
    splits = marked_splits({"train": [named, made]})
    folder, no_place = tmp_path / "out", WRITERS[form].no_place
    try:
        export(splits, form, folder, task="named-entities")
    except UserError:
        assert not [*tmp_path.iterdir()]
        assert no_place is None or not no_place.search(text)
    else:
        written = text if no_place is None else no_place.sub(" ", text)
        expected = marked_splits({"train": [named, made._replace(text=written)]})
        assert content(read(folder, form, "named-entities")) == content(expected)


@pytest.mark.parametrize(
    ("form", "text", "message"),
    [
        ("inline", "가\0나", r"s-1 cannot be written in the form inline.*: it has a NUL; the form dataset can\.$"),
        ("inline", "\ufeff다", "a byte order mark at its beginning"),
        ("inline", " ", r"nothing but spaces\.$"),
        ("conll", "가\0나", r"its text has a NUL; the form dataset can\.$"),
        ("brat", "\ufeff다", r"cannot hold a byte order mark .*; the form dataset can\.$"),
        ("brat", "\r\n", r"cannot hold a sentence without a visible character, got '  '\.$"),
    ],
)
def test_a_refusal_says_what_and_why(form: str, text: str, message: str, tmp_path: Path) -> None:
    named = MarkedText(id="s-0", text="서울", spans=[Span(0, 2, "LC")], path="made", line=1)
    rows = [named, named._replace(id="s-1", text=text, spans=[])]
    with pytest.raises(UserError, match=message):
        export(marked_splits({"train": rows}), form, tmp_path / "out", task="named-entities")


@pytest.mark.parametrize(
    ("form", "expected", "count"),
    [
        ("brat", "서울\t역 앞  부산  대구 ", 1),
        ("inline", "서울\t역 앞  부산  대구 ", 1),
        ("conll", "서울 역 앞  부산  대구 ", 2),
        ("jsonl", "서울\t역 앞\n\n부산\r\n대구\r", None),
        ("dataset", "서울\t역 앞\n\n부산\r\n대구\r", None),
    ],
)
def test_a_space_stands_for_what_a_form_has_no_place_for_and_names_stay(
    form: str, expected: str, count: int | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = "서울\t역 앞\n\n부산\r\n대구\r"
    names = [Span(0, 4, "LC"), Span(8, 10, "LC"), Span(12, 14, "LC")]
    made = MarkedText(id="s-1", text=text, spans=names, path="made", line=1)
    other = made._replace(id="s-2", text="광주\t갔다", spans=[Span(0, 2, "LC")])
    export(marked_splits({"train": [made, other]}), form, tmp_path / "out", task="named-entities")
    first, _ = inspected_texts({"": read(tmp_path / "out", form, "named-entities")["train"]})
    assert first.text == expected
    assert first.names == names
    said = [record.getMessage() for record in caplog.records if "no place" in record.getMessage()]
    assert len(said) == (count is not None)
    assert all(f"have no place in the form {form}" in each and f"{count}, first train, s-1." in each for each in said)


def test_classes_with_a_tab_are_no_lines(tmp_path: Path) -> None:
    rows = classified_dataset(
        [{"id": "a", "text": "좋\t다", "label": "x"}, {"id": "b", "text": "나쁘다", "label": "y"}], ["x", "y"]
    )
    with pytest.raises(UserError, match="train, a: the form labelled-texts cannot hold a tab"):
        export(DatasetDict({"train": rows}), "labelled-texts", tmp_path / "out", task="sentence-classification")
    assert not [*tmp_path.iterdir()]


def test_a_split_that_a_form_cannot_hold_is_said(tmp_path: Path) -> None:
    plain = MarkedText(id="1", text="갔다", spans=[], path="made", line=1)
    named = plain._replace(text="서울에", spans=[Span(0, 2, "LC")])
    with pytest.raises(UserError, match=r"inline cannot hold these data.* validation.txt: expected at least one"):
        export(
            marked_splits({"train": [named], "validation": [plain]}), "inline", tmp_path / "o", task="named-entities"
        )
    assert not [*tmp_path.iterdir()]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    splits = data_for("named-entities")
    export(splits, "inline", tmp_path / "out", task="named-entities")
    assert content(read_inline_marks(tmp_path / "out")) == content(splits)


def test_what_is_to_be_written_is_checked_first(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for form, folder, task, message in [
        (None, tmp_path, None, "--output is where --export writes; say which form: brat, "),
        ("xml", tmp_path, None, "--export must be one of .*, got 'xml'"),
        ("inline", tmp_path / "new", "sentence-classification", "for sentence-classification, got 'inline'"),
        ("inline", None, None, "--export needs a folder to write, by --output"),
        ("inline", tmp_path / "full", None, "expected a folder that does not exist, or is empty"),
        ("inline", tmp_path / "full" / "file", None, "expected a folder that does not exist, or is empty"),
    ]:
        with pytest.raises(UserError, match=message):
            check_export(form, folder, task=task)
    assert check_export("inline", tmp_path / "new") == ("inline", tmp_path / "new")


def test_every_writer_has_a_reader_for_its_tasks() -> None:
    for name, writer in WRITERS.items():
        assert {*writer.tasks} <= {*READERS[writer.reader].tasks}, name


def test_sentences_of_a_document_are_put_together_where_it_is_a_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        MarkedText(id=str(number), text=f"서울 {number}", spans=[Span(0, 2, "LC")], path="made", document=document)
        for number, document in enumerate(["가", "나", "가", None, "나", None])
    ]
    files = export(marked_splits({"train": rows}), "brat", tmp_path / "out", task="named-entities")
    again = read(tmp_path / "out", "brat", "named-entities")["train"]
    assert again["text"][:] == [f"서울 {number}" for number in (0, 2, 1, 4, 3, 5)]
    assert len(files) == 2 * len({*again["document"]}) == 6
    said = "malmoi: a document is a file in the form brat: its sentences are put together, in train."
    assert caplog.messages == [said]
    export(marked_splits({"train": rows[:2]}), "brat", tmp_path / "in-order", task="named-entities")
    assert caplog.messages == [said]


def test_sentences_of_no_document_are_no_document_together(tmp_path: Path) -> None:
    rows = [
        MarkedText(id=str(number), text=f"서울 {number}", spans=[Span(0, 2, "LC")], path="made", document=document)
        for number, document in enumerate(["가", *[None] * 250])
    ]
    export(marked_splits({"train": rows}), "brat", tmp_path / "out", task="named-entities")
    assert len({*read(tmp_path / "out", "brat", "named-entities")["train"]["document"]}) == 4


def test_documents_are_written_as_columns_and_read_again(tmp_path: Path) -> None:
    documents = ["가", None, "가", "나\n다", None, "가", "나\n다"]
    rows = [
        MarkedText(id=str(number), text=f"서울 {number}", spans=[Span(0, 2, "LC")], path="made", document=document)
        for number, document in enumerate(documents)
    ]
    export(marked_splits({"train": rows, "test": rows[:1]}), "conll", tmp_path / "out", task="named-entities")
    again = read(tmp_path / "out", "conll", "named-entities")
    # in their order; a sentence of no document is in none of the others
    assert again["train"]["text"] == [row.text for row in rows]
    assert again["train"]["document"] == [f"train-{number}" for number in (1, 2, 1, 3, 4, 1, 3)]


def test_a_form_without_place_for_documents_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [MarkedText("1", "서울", [Span(0, 2, "LC")], "made", 1, "가"), MarkedText("2", "비", [], "made", 2, "나")]
    export(marked_splits({"train": rows}), "inline", tmp_path / "out", task="named-entities")
    said = "malmoi: the form inline has no place for documents: splits cut from it may divide them."
    assert caplog.messages == [said]


def test_classified_texts_with_documents_are_read_again_from_parquet(tmp_path: Path) -> None:
    row = '{{"text": "글 {0}", "label": "{1}", "document": "{2}"}}\n'
    lines = (row.format(number, "가나"[number % 2], number // 2) for number in range(4))
    (tmp_path / "train.jsonl").write_text("".join(lines), encoding="utf-8")
    task = "sentence-classification"
    splits = READERS["jsonl"].read(tmp_path / "train.jsonl", task=task)
    export(splits, "dataset", tmp_path / "out", task=task)
    assert read(tmp_path / "out", "dataset", task)["train"].to_dict() == splits["train"].to_dict()
