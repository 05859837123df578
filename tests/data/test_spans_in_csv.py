"""A column of CSV with lists of spans is one of names; it is read or refused, never left out in silence."""

import csv
import json
import re
from pathlib import Path

import pytest
from datasets import DatasetDict
from support.property_texts import texts_and_spans

from malmoi.data.alignment import Span
from malmoi.data.readers import likely_tasks, readers_that_fit
from malmoi.data.readers.dataset import read_dataset
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.tables.comma_separated import SAMPLE
from malmoi.data.user_error import UserError
from malmoi.training.reading import read_for_tasks

TEXTS = ["손흥민은 서울에 갔다.", "비가 온다."]
SPANS = [[Span(0, 3, "PS"), Span(5, 7, "LC")], []]
LISTS = [[[0, 3, "PS"], [5, 7, "LC"]], []]
OBJECTS = [[{"start": 0, "end": 3, "label": "PS"}, {"start": 5, "end": 7, "label": "LC"}], []]


def read_likely(reader: str, folder: Path) -> tuple[DatasetDict, str]:
    """Read a folder for the task that it is for."""
    return read_for_tasks(reader, folder, likely_tasks(reader, folder), ReadingOptions(), trim_josa=False)


def write(folder: Path, *columns: list[str], name: str = "train.csv") -> Path:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows(zip(*columns))
    return path


@pytest.mark.parametrize("heading", ["entities", "spans", "annotations", "이름들"])
@pytest.mark.parametrize(
    "cells",
    [
        [json.dumps(each, ensure_ascii=False) for each in LISTS],
        [json.dumps(each) for each in OBJECTS],
        [str([tuple(span) for span in each]) for each in LISTS],
        [str(OBJECTS[0]), ""],
    ],
)
def test_spans_are_read_as_names(heading: str, cells: list[str], tmp_path: Path) -> None:
    write(tmp_path, ["text", *TEXTS], [heading, *cells])
    assert likely_tasks("dataset", tmp_path) == ("named-entities",)
    splits, task = read_likely("dataset", tmp_path)
    assert task == "named-entities"
    assert texts_and_spans(splits["train"]) == list(zip(TEXTS, SPANS))
    assert (readers_that_fit(tmp_path, ("named-entities", "word-spacing")) == ["dataset"]) == (heading != "이름들")


@pytest.mark.parametrize("heading", ["entities", "label"])
@pytest.mark.parametrize("empty", ["[]", ""])
@pytest.mark.parametrize("names", [LISTS, OBJECTS])
def test_the_first_name_may_stand_behind_many_rows_without_any(
    heading: str, empty: str, names: list[list[object]], tmp_path: Path
) -> None:
    rows = 3 * SAMPLE
    cells = [heading, *[empty] * rows, json.dumps(names[0]), "[]"]
    write(tmp_path, ["text", *[TEXTS[1]] * rows, *TEXTS], cells)
    splits, task = read_likely("dataset", tmp_path)
    assert task == "named-entities"
    assert texts_and_spans(splits["train"])[-2:] == list(zip(TEXTS, SPANS))


def test_tabs_may_stand_between_the_columns(tmp_path: Path) -> None:
    write(tmp_path, ["문장", *TEXTS], ["entities", *map(json.dumps, LISTS)], name="train.tsv")
    assert texts_and_spans(read_dataset(tmp_path, task="named-entities")["train"]) == list(zip(TEXTS, SPANS))


@pytest.mark.parametrize(
    ("heading", "bad", "message"),
    [
        (
            "entities",
            "[[0, 3",
            "line 4: expected a list of spans such as [[0, 3, \"PS\"]] in the column 'entities', got",
        ),
        ("entities", "PS", "line 4: expected a list of spans such as"),
        ("entities", "[3]", "line 4: expected a list of spans such as"),
        ("spans", '[[0, "x", "PS"]]', "line 4: expected a span [start, end, type], got "),
        ("spans", '[[0, 99, "PS"]]', "line 4: expected a name within the text of 3 characters"),
    ],
)
def test_a_bad_cell_is_refused_with_its_line(heading: str, bad: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, ["text", *TEXTS, "서울에"], [heading, *map(json.dumps, LISTS), bad])
    with pytest.raises(UserError) as error:
        read_likely("dataset", tmp_path)
    assert str(error.value).startswith(f"{path}, {message}")


def test_the_text_of_a_span_is_compared_with_that_at_its_place(tmp_path: Path) -> None:
    named = [
        json.dumps([{**span, "text": text[span["start"] : span["end"]]} for span in spans], ensure_ascii=False)
        for text, spans in zip(TEXTS, OBJECTS)
    ]
    path = write(tmp_path, ["text", *TEXTS], ["entities", *named])
    assert texts_and_spans(read_dataset(tmp_path, task="named-entities")["train"]) == list(zip(TEXTS, SPANS))
    write(tmp_path, ["text", *TEXTS], ["entities", *(cell.replace("서울", "부산") for cell in named)])
    message = f"{path}, line 2: expected the LC '부산' from 5 to 7, but the text has '서울' there."
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        read_dataset(tmp_path, task="named-entities")


def test_names_in_another_writing_are_not_left_out_in_silence(tmp_path: Path) -> None:
    write(tmp_path, ["text", *TEXTS], ["entities", "손흥민;서울", ""])
    with pytest.raises(UserError, match=r"expected a column with tags or spans \(lists\).*by --label_column\.$"):
        read_likely("dataset", tmp_path)
    # who says what the texts are for may leave out what else there is
    assert read_dataset(tmp_path, task="word-spacing")["train"].num_rows == 2


def test_lists_of_classes_are_text_as_before(tmp_path: Path) -> None:
    write(tmp_path, ["text", *TEXTS], ["label", "['a']", "['b']"])
    assert read_dataset(tmp_path, task="sentence-classification")["train"].features["label"].names == [
        "['a']",
        "['b']",
    ]


def test_a_class_that_is_missing_is_said_rather_than_the_texts_read_for_spacing(tmp_path: Path) -> None:
    write(tmp_path, ["text", *TEXTS], ["label", "좋음", ""])
    with pytest.raises(UserError, match=r"train\.csv, line 3: expected a class in the column 'label'"):
        read_likely("dataset", tmp_path)


def test_rows_without_text_are_left_out_as_everywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "train.csv").write_text(
        'text,entities\n손흥민은 서울에 갔다.,"[[0, 3, ""PS""]]"\n,\n" ",[]\n', encoding="utf-8"
    )
    splits = read_dataset(tmp_path, task="named-entities")
    assert texts_and_spans(splits["train"]) == [(TEXTS[0], SPANS[0][:1])]
    assert "train.csv: 2 rows without text are left out, the first is line 3." in caplog.text


@pytest.mark.parametrize("heading", ["entities", "label"])
@pytest.mark.parametrize("nothing", ["", "[]"])
@pytest.mark.parametrize(
    "names", [("train.csv", "test.csv"), ("train-2.csv", "train-1.csv"), ("train.csv", "dev.tsv")]
)
def test_a_file_without_a_name_is_read_beside_one_with_names(
    names: tuple[str, str], nothing: str, heading: str, tmp_path: Path
) -> None:
    write(tmp_path, ["text", *TEXTS], [heading, *map(json.dumps, LISTS)], name=names[0])
    write(tmp_path, ["text", "눈이 온다.", "해가 뜬다."], [heading, nothing, nothing], name=names[1])
    splits, task = read_likely("dataset", tmp_path)
    assert task == "named-entities"
    found = [row for split in splits.values() for row in texts_and_spans(split)]
    assert sorted(found) == sorted([*zip(TEXTS, SPANS), ("눈이 온다.", []), ("해가 뜬다.", [])])


def test_a_file_with_words_in_the_place_of_spans_is_refused_beside_one_with_names(tmp_path: Path) -> None:
    write(tmp_path, ["text", *TEXTS], ["label", *map(json.dumps, LISTS)], name="train.csv")
    write(tmp_path, ["text", "눈이 온다."], ["label", "좋음"], name="test.csv")
    with pytest.raises(UserError, match=r"test\.csv: expected a column with tags or spans"):
        read_likely("dataset", tmp_path)


def test_rows_without_text_are_counted_for_each_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, ["text", *TEXTS], ["label", "좋음", "나쁨"], name="train-1.csv")
    write(tmp_path, ["text", TEXTS[0], " ", ""], ["label", "좋음", "나쁨", "나쁨"], name="train-2.csv")
    assert read_dataset(tmp_path, task="sentence-classification")["train"].num_rows == 3
    assert f"{tmp_path / 'train-2.csv'}: 2 rows without text are left out, the first is line 3." in caplog.text
