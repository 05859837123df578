"""JSON lines of doccano, spaCy, Prodigy and malmoi itself: read, refused, and written so that they are read again."""

import json
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from datasets import DatasetDict
from hypothesis import given
from hypothesis import strategies as st
from support.property_texts import as_splits, marked_texts, texts_and_spans

from malmoi.data.alignment import Span
from malmoi.data.classified_dataset import LabelledText, class_name, class_names, classified_splits
from malmoi.data.readers import likely_tasks
from malmoi.data.readers.jsonl import read_jsonl, task_of_json_lines
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError
from malmoi.data.writers.jsonl import write_jsonl
from malmoi.training.reading import read_for_tasks

SENTENCE = {"text": "손흥민은 서울에 갔다.", "label": [[0, 3, "PS"], [5, 7, "LC"]]}
SPANS = [Span(0, 3, "PS"), Span(5, 7, "LC")]


def write(folder: Path, *rows: object, name: str = "train.jsonl") -> Path:
    """Write each row on a line: as JSON, or as it is if it is a text."""
    path = folder / name
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def read(folder: Path, task: str = "named-entities") -> DatasetDict:
    return read_jsonl(folder, task=task)


@pytest.mark.parametrize(
    "fields",
    [
        {"text": SENTENCE["text"], "label": [[5, 7, "LC"], [0, 3, "PS"]]},
        {"data": SENTENCE["text"], "labels": SENTENCE["label"], "Comments": []},
        {
            "text": SENTENCE["text"],
            "entities": [
                {"id": 1, "label": "PS", "start_offset": 0, "end_offset": 3},
                {"id": 2, "label": "LC", "start_offset": 5, "end_offset": 7},
            ],
            "relations": [],
        },
        {
            "text": SENTENCE["text"],
            "ents": [{"start": 0, "end": 3, "label": "PS"}, {"start": 5, "end": 7, "label": "LC"}],
            "spans": {"sc": [{"start": 0, "end": 7, "label": "X"}]},
            "tokens": [{"id": 0, "start": 0, "end": 4}],
        },
        {
            "text": SENTENCE["text"],
            "_input_hash": -123,
            "tokens": [{"text": "손흥민은", "start": 0, "end": 4, "id": 0}],
            "spans": [
                {"start": 0, "end": 3, "token_start": 0, "token_end": 0, "label": "PS"},
                {"start": 5, "end": 7, "token_start": 1, "token_end": 1, "label": "LC"},
            ],
            "answer": "accept",
        },
        {
            "text": SENTENCE["text"],
            "entities": [
                {"start": 0, "end": 3, "label": "PS", "score": 0.99, "text": "손흥민"},
                {"start": 5, "end": 7, "label": "LC", "score": 0.4, "text": "서울"},
            ],
        },
    ],
    ids=["doccano", "doccano-old", "doccano-relations", "spacy", "prodigy", "malmoi-tag"],
)
def test_the_forms_of_several_programs_say_the_same(fields: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path, fields)
    assert texts_and_spans(read(tmp_path)["train"]) == [(SENTENCE["text"], SPANS)]


@pytest.mark.parametrize("label", ["좋음", ["좋음"], 1])
@pytest.mark.parametrize("field", ["label", "labels", "accept"])
def test_a_class_is_a_text_a_number_or_a_list_of_one(field: str, label: object, tmp_path: Path) -> None:
    write(tmp_path, {"text": "재미있다", field: label}, {"text": "지루하다", "label": "나쁨"})
    rows = read(tmp_path, "sentence-classification")["train"]
    name = "1" if label == 1 else "좋음"
    assert [class_names(rows)[index] for index in rows["label"]] == [name, "나쁨"]
    assert class_names(rows) == sorted([name, "나쁨"])


def test_what_malmoi_classify_prints_is_read(tmp_path: Path) -> None:
    scores = {"negative": 0.1, "positive": 0.9}
    write(
        tmp_path,
        {"text": "재미있다", "label": "positive", "score": 0.9, "scores": scores, "cut": False},
        {"text": "지루하다", "label": "negative", "score": 0.9, "scores": scores, "cut": False},
    )
    rows = read(tmp_path, "sentence-classification")["train"]
    assert [class_names(rows)[index] for index in rows["label"]] == ["positive", "negative"]


@pytest.mark.parametrize("written", ["one list", "a list over many lines", "lines", "lines of Windows with a mark"])
def test_a_list_and_lines_are_the_same(written: str, tmp_path: Path) -> None:
    rows = [SENTENCE | {"id": number} for number in range(3)]
    content = {
        "one list": json.dumps(rows),
        "a list over many lines": "\n\n" + json.dumps(rows, indent=2, ensure_ascii=False) + "\n",
        "lines": "\n".join(map(json.dumps, rows)),
        "lines of Windows with a mark": "\ufeff" + "\r\n\r\n".join(map(json.dumps, rows)) + "\r\n",
    }[written]
    (tmp_path / "train.json").write_text(content, encoding="utf-8", newline="")
    train = read(tmp_path)["train"]
    assert texts_and_spans(train) == [(SENTENCE["text"], SPANS)] * 3
    assert train["id"][:] == ["0", "1", "2"]


def test_ids_and_documents_are_kept_and_repeated_ids_told_apart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{"id": 7}, {"id": "7"}, {"id": "7-2"}, {}, {"id": None, "meta": {"document": 3}}, {"doc_id": 4}]
    write(tmp_path, *(SENTENCE | row for row in rows), SENTENCE | {"id": 7, "document": "x"})
    train = read(tmp_path)["train"]
    assert train["id"][:] == ["7", "7-2", "7-2-2", "train-4", "train-5", "train-6", "7-3"]
    assert train["document"][:] == [None, None, None, None, "3", "4", "x"]
    assert "ids that another row has already" in caplog.text
    assert f": 3, first in {tmp_path / 'train.jsonl'}, line 2." in caplog.text


def test_rows_that_are_not_read_are_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(
        tmp_path,
        SENTENCE | {"answer": "accept", "relations": [{"id": 1}]},
        SENTENCE | {"answer": "reject"},
        SENTENCE | {"answer": "ignore"},
        {"text": " \u200b", "label": []},
        {"text": "이름이 없다."},
    )
    assert texts_and_spans(read(tmp_path)["train"]) == [(SENTENCE["text"], SPANS), ("이름이 없다.", [])]
    said = [record.getMessage() for record in caplog.records]
    path = tmp_path / "train.jsonl"
    assert said == [
        f"malmoi: rows with relations, which are not read: 1, first in {path}, line 1.",
        f"malmoi: rows whose `answer` is not accept are left out: 2, first in {path}, line 2.",
        f"malmoi: rows with an empty text are left out: 1, first in {path}, line 4.",
        "malmoi: rows without any of the fields entities, ents, spans, labels, label have no names: 1, first in "
        f"{path}, line 5.",
    ]


AS_NAME = "expected a name as [start, end, type], or an object with `start`, `end` and `label`, "
BEGINS = "expected a whole number where LC begins and ends, "
WITHIN = "expected a name within the text of 2 characters, "
BAD_ROWS: list[tuple[object, str]] = [
    ("{", "expected JSON, but at character 2 of the line: Expecting property name enclosed in double quotes."),
    ('{"text": "가"} {}', "expected the end, but more follows: '{}'."),
    ("가나다", "expected JSON, but at character 1 of the line: Expecting value."),
    ("3", "expected a JSON object on each line, or one list of objects, got the number '3'."),
    ('["가"]', "expected a JSON object on each line, or one list of objects, got a text."),
    ('{"text": "가", "text": "나"}', "expected JSON, but the key 'text' stands twice in an object."),
    ('{"text": "가", "score": NaN}', "expected JSON, but NaN is no number."),
    ('{"text": "가", "score": -Infinity}', "expected JSON, but -Infinity is no number."),
    ('{"text": "가", "id": ' + "9" * 5000 + "}", "expected JSON, but a number has 5,000 digits."),
    ('{"text": "가", "x": ' + "[" * 100_000 + "]" * 100_000 + "}", "expected JSON, but its brackets are nested too"),
    (r'{"text": "가\ud83d"}', r"expected whole characters, but a text holds half of one, such as \ud83d alone."),
    (r'{"\udc00": 1, "text": "가"}', r"expected whole characters, but a text holds half of one"),
    ({"label": []}, "expected a field `text`, got label."),
    ({}, "expected a field `text`, got none."),
    ({"text": None, "label": []}, "expected a text in `text`, got null."),
    ({"text": 3, "label": []}, "expected a text in `text`, got the number '3'."),
    ({"text": "서울", "label": "LC"}, "expected a list of names in `label`, got a text."),
    ({"text": "서울", "label": ["LC"]}, AS_NAME + "got a text."),
    ({"text": "서울", "label": [[0, 2]]}, AS_NAME + "got a list of 2."),
    ({"text": "서울", "label": [{"start": 0, "label": "LC"}]}, AS_NAME + "got start, label."),
    ({"text": "서울", "label": [[0, 2, 7]]}, "expected a type as text for each name, got the number '7'."),
    ({"text": "서울", "label": [[0, 2, " "]]}, "expected a type as text for each name, got an empty one."),
    ({"text": "서울", "label": [[0, 2, None]]}, "expected a type as text for each name, got null."),
    ({"text": "서울", "label": [[0.5, 2, "LC"]]}, BEGINS + "got the number '0.5'."),
    ('{"text": "서울", "label": [[0, 1e999, "LC"]]}', BEGINS + "got the number 'inf'."),
    ({"text": "서울", "label": [[0, True, "LC"]]}, BEGINS + "got true or false."),
    ({"text": "서울", "label": [["0", 2, "LC"]]}, BEGINS + "got a text."),
    ({"text": "서울", "label": [[-1, 2, "LC"]]}, WITHIN + "got LC from -1 to 2."),
    ({"text": "서울", "label": [[1, 1, "LC"]]}, WITHIN + "got LC from 1 to 1."),
    ({"text": "서울", "label": [[0, 5, "LC"]]}, WITHIN + "got LC from 0 to 5."),
    (
        {"text": "서울", "label": [[0, 6, "LC"]]},
        "got LC from 0 to 6; these seem to be bytes: in characters it is '서울' from 0 to 2.",
    ),
    (
        {"text": "😀😀 서울", "label": [[5, 7, "LC"]]},
        "got LC from 5 to 7; these seem to be units of UTF-16, in which an emoji is two, as JavaScript and Java count"
        ": in characters it is '서울' from 3 to 5.",
    ),
    (
        {"text": "😀 서울에", "entities": [{"start": 3, "end": 5, "label": "LC", "text": "서울"}]},
        "expected the LC '서울' from 3 to 5, but the text has '울에' there; these seem to be units of UTF-16",
    ),
    (
        {"text": "서울에 갔다", "entities": [{"start": 1, "end": 3, "label": "LC", "text": "서울"}]},
        "expected the LC '서울' from 1 to 3, but the text has '울에' there.",
    ),
    (
        {"text": "서울시청", "label": [[0, 3, "LC"], [2, 4, "OG"]]},
        "expected names that do not overlap, but OG '시청' begins within another.",
    ),
    ({"text": "서울", "label": [[0, 2, "LC"]], "spans": [1]}, "expected one field with names, got spans, label."),
]  # fmt: skip


@pytest.mark.parametrize(("row", "message"), BAD_ROWS)
def test_a_bad_row_is_refused_in_one_sentence_with_file_and_line(row: object, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, SENTENCE, "", row)
    with pytest.raises(DataFormatError) as error:
        read(tmp_path)
    said = str(error.value)
    assert said.startswith(f"{path}, line 3: ")
    assert message in said
    assert "\n" not in said
    assert len(said) < 500


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"text": "가", "label": ["좋음", "나쁨"]},
            "expected one class in `label`, as text or a list of one, got a list",
        ),
        (
            {"text": "가", "label": [[0, 1, "PS"]]},
            "expected one class in `label`, as text or a list of one, got a list",
        ),
        ({"text": "가"}, "expected one class in `label`, as text or a list of one, got null."),
        (
            {"text": "가", "label": 0.5},
            "expected one class in `label`, as text or a list of one, got the number '0.5'.",
        ),
        ({"text": "가", "label": "\u200b"}, "expected a text and its class, got '가' and "),
    ],
)
def test_a_bad_class_is_refused(row: object, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, {"text": "재미있다", "label": "좋음"}, row)
    with pytest.raises(DataFormatError) as error:
        read(tmp_path, "sentence-classification")
    assert str(error.value).startswith(f"{path}, line 2: {message}")


def test_a_fault_in_a_list_has_the_line_where_its_object_begins(tmp_path: Path) -> None:
    rows = [SENTENCE, SENTENCE, {"text": "서울", "label": [[0, 9, "LC"]]}]
    path = tmp_path / "train.json"
    path.write_text("[\n" + ",\n\n".join(map(json.dumps, rows)) + "\n]", encoding="utf-8")
    with pytest.raises(DataFormatError, match=r"train.json, line 6: expected a name within"):
        read(tmp_path)
    path.write_text("[\n" + ",\n\n".join(map(json.dumps, rows[:2])), encoding="utf-8")
    with pytest.raises(DataFormatError, match="line 4: expected a comma or the end of the list, got the end of the"):
        read(tmp_path)


def test_names_that_cut_a_character_are_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(
        tmp_path,
        {"text": "👨‍👩‍👧 가족, 서울", "label": [[0, 5, "PS"], [6, 8, "PS"], [10, 12, "LC"]]},
        {"text": "👨‍👩‍👧 가족", "label": [[0, 1, "PS"]]},
        {"text": "e\u0301a", "label": [[1, 3, "PS"]]},
    )
    assert texts_and_spans(read(tmp_path)["train"])[1] == ("👨‍👩‍👧 가족", [Span(0, 5, "PS")])
    assert [record.getMessage() for record in caplog.records] == [
        "malmoi: names that begin or end inside a character, as in a syllable of several letters or an emoji of "
        f"several signs, are widened to whole characters: 2, first in {path}, line 2."
    ]


def test_files_without_what_is_wanted_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Give a folder with .jsonl files"):
        read_jsonl(None, task="named-entities")
    with pytest.raises(DataFormatError, match=r"expected a folder with .jsonl files"):
        read(tmp_path)
    path = write(tmp_path)
    with pytest.raises(DataFormatError, match="the file is empty"):
        read(tmp_path)
    write(tmp_path, "", " ")
    with pytest.raises(DataFormatError, match=f"{path}: expected texts, found none"):
        read(tmp_path)
    write(tmp_path, {"text": "가", "label": []})
    with pytest.raises(DataFormatError, match=f"{path}: expected names in the sentences, found none"):
        read(tmp_path)
    write(tmp_path, {"text": "가", "label": "좋음"})
    with pytest.raises(DataFormatError, match=f"{path}: expected texts of at least two classes, got 좋음"):
        read(tmp_path, "sentence-classification")
    path.write_bytes(json.dumps(SENTENCE, ensure_ascii=False).encode("cp949"))
    with pytest.raises(DataFormatError, match=r"line 1: expected UTF-8, but .*CP949"):
        read(tmp_path)
    path.write_bytes(json.dumps(SENTENCE, ensure_ascii=False).encode("utf-16"))
    with pytest.raises(DataFormatError, match="expected UTF-8, but the file is UTF-16"):
        read(tmp_path)


@given(st.lists(marked_texts(), max_size=9))
def test_what_is_written_is_read_again(rows: list[tuple[str, list[Span]]]) -> None:
    splits = as_splits(train=rows)
    with TemporaryDirectory() as folder:
        assert [path.name for path in write_jsonl(splits, Path(folder))] == ["train.jsonl"]
        again = read(Path(folder))
    assert texts_and_spans(again["train"]) == texts_and_spans(splits["train"])
    assert again["train"]["id"][:] == splits["train"]["id"][:]


@given(
    st.lists(
        st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(class_name)] * 2)
    )
)
def test_written_classes_are_read_again(rows: list[tuple[str, str]]) -> None:
    made = [*rows, ("가", "좋음"), ("나", "나쁨")]
    splits = classified_splits(
        {
            "train": [
                LabelledText(str(number), text, label, "made", None, f"d{number % 2}")
                for number, (text, label) in enumerate(made)
            ]
        }
    )
    with TemporaryDirectory() as folder:
        write_jsonl(splits, Path(folder))
        again = read(Path(folder), "sentence-classification")
    assert again["train"].features == splits["train"].features
    assert again["train"].to_dict() == splits["train"].to_dict()


def test_a_text_in_which_nothing_is_seen_is_not_written(tmp_path: Path) -> None:
    splits = as_splits(train=[(" \u3164", [])])
    with pytest.raises(UserError, match="train, train-0: the form jsonl needs a text with a visible character"):
        write_jsonl(splits, tmp_path)
    assert not [*tmp_path.iterdir()]


def test_a_list_on_one_line_gives_every_row_an_id(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"text": f"서울 {number}", "label": [[0, 2, "LC"]]} for number in range(3)]
    (tmp_path / "mine.json").write_text(json.dumps(rows), encoding="utf-8")
    train = read_jsonl(tmp_path, task="named-entities")["train"]
    assert train["text"][:] == ["서울 0", "서울 1", "서울 2"]
    assert train["id"][:] == ["mine-1", "mine-1-2", "mine-1-3"]
    assert not caplog.records


@pytest.mark.parametrize("offsets", ["5, 7", "5.0, 7.0", "5e0, 0.7e1", "50E-1, 7"])
def test_a_whole_number_is_one_however_it_is_written(offsets: str, tmp_path: Path) -> None:
    line = f'{{"text": "손흥민은 춘천에서 왔다.", "label": [[{offsets}, "LC"]], "document": 3.0}}'
    (tmp_path / "train.jsonl").write_text(line + "\n", encoding="utf-8")
    rows = read_jsonl(tmp_path, task="named-entities")["train"]
    assert texts_and_spans(rows) == [("손흥민은 춘천에서 왔다.", [Span(5, 7, "LC")])]
    assert rows["document"][:] == ["3"]


def test_names_are_read_where_a_class_stands_beside_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [
        {"text": "비가 온다.", "entities": [], "label": "날씨"},
        {"text": SENTENCE["text"], "entities": SENTENCE["label"], "label": ["소식"]},
    ]
    path = write(tmp_path, *rows)
    assert task_of_json_lines(tmp_path) == "named-entities"
    assert [names for _, names in texts_and_spans(read(tmp_path)["train"])] == [[], SPANS]
    assert f"rows with a class beside their names, which is not read: 2, first in {path}, line 1." in caplog.text
    write(tmp_path, *reversed(rows))
    assert task_of_json_lines(tmp_path) == "named-entities"
    caplog.clear()
    assert class_names(read(tmp_path, "sentence-classification")["train"]) == ["날씨", "소식"]
    assert f"rows with names beside their class, which are not read: 1, first in {path}, line 1." in caplog.text


@pytest.mark.parametrize(
    ("names", "kind"), [("ents", {"label": "a"}), ("spans", {"accept": ["a"]}), ("label", {"accept": ["a"]})]
)
def test_a_class_beside_names_is_said(
    names: str, kind: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, {"text": SENTENCE["text"], names: SENTENCE["label"], **kind})
    assert texts_and_spans(read(tmp_path)["train"]) == [(SENTENCE["text"], SPANS)]
    assert "rows with a class beside their names, which is not read: 1" in caplog.text


def test_classes_beside_empty_lists_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, {"text": "좋다", "label": "긍정", "spans": []}, {"text": "나쁘다", "label": "부정", "spans": []})
    assert task_of_json_lines(tmp_path) == "sentence-classification"


def test_whole_numbers_that_pandas_has_made_floats_are_classes(tmp_path: Path) -> None:
    write(tmp_path, {"text": "좋다", "label": 1.0}, {"text": "나쁘다", "label": 0.0})
    assert task_of_json_lines(tmp_path) == "sentence-classification"
    assert class_names(read(tmp_path, "sentence-classification")["train"]) == ["0", "1"]


def test_texts_that_nobody_has_given_a_class_are_left_out_aloud(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # as doccano exports them
    path = write(tmp_path, {"text": "비가 온다.", "label": []})
    with pytest.raises(
        DataFormatError, match=r"train\.jsonl: expected texts with a class, found none; rows with an empty list of cl"
    ):
        read(tmp_path, "sentence-classification")
    write(
        tmp_path,
        {"text": "비가 온다.", "label": []},
        {"text": "좋다", "label": ["긍정"]},
        {"text": "나쁘다", "label": [], "accept": ["부정"]},
    )
    rows, task = read_for_tasks("jsonl", tmp_path, likely_tasks("jsonl", tmp_path), ReadingOptions(), trim_josa=False)
    assert (task, rows["train"]["text"][:]) == ("sentence-classification", ["좋다", "나쁘다"])
    assert f"rows with an empty list of classes are left out: 1, first in {path}, line 1." in caplog.text


def test_true_and_false_are_classes_as_in_parquet(tmp_path: Path) -> None:
    write(tmp_path, *({"text": f"글 {number}", "label": number % 2 == 0} for number in range(4)))
    assert task_of_json_lines(tmp_path) == "sentence-classification"
    rows = read(tmp_path, "sentence-classification")["train"]
    assert (rows.features["label"].names, rows["label"][:]) == (["false", "true"], [1, 0, 1, 0])


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"info": {"name": "말뭉치"}, "data": [{"text": "서울", "entities": []}]}, ".data[]"),
        ({"data": [{"id": 1, "sentence": [{"form": "서울", "NE": []}]}]}, ".data[].sentence[]"),
        ({"data": [[{"text": "서울"}]]}, ".data[][]"),
        ({"raw-data": {"rows": [{"문장": "서울"}]}}, '.["raw-data"].rows[]'),
        ({"data": {"자료": [{"text": "서울"}]}}, '.data["자료"][]'),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_rows_within_an_object_are_pointed_out(
    content: object, place: str, indent: int | None, tmp_path: Path
) -> None:
    write(tmp_path, json.dumps(content, ensure_ascii=False, indent=indent))
    with pytest.raises(DataFormatError, match="line 1: ") as error:
        read(tmp_path)
    assert str(error.value).endswith(
        f"; rows seem to stand in `{place}`: `jq -c '{place}' OLD > NEW` writes each in a line."
    )
    if shutil.which("jq"):
        found = subprocess.run(["jq", "-c", place], input=json.dumps(content), capture_output=True, text=True)
        assert all(isinstance(json.loads(line), dict) for line in found.stdout.splitlines())
        assert found.stdout


def test_objects_over_several_lines_are_told_from_broken_ones(tmp_path: Path) -> None:
    write(tmp_path, json.dumps(SENTENCE, indent=2))
    with pytest.raises(
        DataFormatError, match=r"line 1: .* does not end in its line; `jq -c \. OLD > NEW` writes each"
    ):
        read(tmp_path)
    write(tmp_path, '{"text": "서울" "label": []}')
    with pytest.raises(DataFormatError, match="line 1: expected JSON, ") as error:
        read(tmp_path)
    assert "jq" not in str(error.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"document_id": 7},
        {"doc_no": "7"},
        {"document": "", "Document": "7"},
        {"document": " ", "Document": "7"},
        {"meta": {"doc_id": 7}},
    ],
)
def test_a_document_is_named_by_what_names_one_in_tables(fields: dict[str, object], tmp_path: Path) -> None:
    write(tmp_path, {**SENTENCE, **fields}, {**SENTENCE, "doc_id": "8", "document_name": "9"})
    assert read(tmp_path)["train"]["document"][:] == ["7", "8"]
