"""Rows in Python: dictionaries are read as the same would be from a file, and what is wrong is said with its row."""

import json
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from datasets import Dataset, DatasetDict
from hypothesis import given
from hypothesis import strategies as st
from support.property_texts import as_splits, marked_texts

from malmoi.data.alignment import Span
from malmoi.data.readers import read_splits
from malmoi.data.readers.python_objects import task_of_lists
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.tables.python_rows import rows_of_dictionaries
from malmoi.data.tables.rows import BATCH
from malmoi.data.text_rows import as_text_rows
from malmoi.data.user_error import UserError
from malmoi.inference.found_names import Entity

TEXT = "손흥민은 춘천에서 태어났다."
NAMES = {"text": TEXT, "entities": [[0, 3, "PS"], [5, 7, "LC"]]}
TOKENS = {"tokens": ["손흥민", "은"], "ner_tags": ["B-PS", "O"]}
GOOD = {"text": "재미있다.", "label": "good"}


def read(rows: object, *, task: str | None = None, **said: Any) -> DatasetDict:
    """Read rows as the task that they are for by what they hold."""
    task = task or task_of_lists(rows, label_column=said.get("label_column"))
    options = ReadingOptions(dataset=rows, **said)
    return read_splits("dataset", None, task=task, options=options, division_seed=None)


def content(splits: DatasetDict) -> dict[str, Any]:
    """Return all but the ids."""
    return {split: rows.remove_columns("id")[:] for split, rows in splits.items()}


@pytest.mark.parametrize(
    "rows",
    [
        [NAMES, {"text": "비가 왔다."}, {"text": "해가 뜬다.", "entities": []}],
        [{"text": TEXT, "label": [{"start_offset": 0, "end_offset": 3, "label": "PS", "id": 7}]}],
        [
            {
                "data": TEXT,
                "spans": [{"start": 5, "end": 7, "label": "LC"}],
                "tokens": [{"text": "손"}],
                "answer": "accept",
            }
        ],
        [{**NAMES, "meta": {"document": "d1"}}, {**NAMES, "doc_id": 3}],
        [GOOD, {"text": "지루하다.", "label": "bad"}],
        [{"text": "재미있다.", "label": ["good"], "Comments": []}, {"text": "지루하다.", "label": ["bad"]}],
        [{"text": "재미있다.", "label": 1, "tags": ["a"]}, {"text": "지루하다.", "label": 0}],
        [{**GOOD, "answer": "reject"}, {**GOOD, "text": " "}, GOOD, {"text": "지루하다.", "accept": ["bad"]}],
    ],
)
def test_dictionaries_with_a_text_and_labels_are_lines_of_json(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (tmp_path / "train.jsonl").write_text("\n".join(lines), encoding="utf-8")
    task = "sentence-classification" if "good" in lines[0] or "재미" in lines[0] else "named-entities"
    assert task_of_lists(rows, label_column=None) == task
    assert content(read(rows)) == content(read_splits("jsonl", tmp_path, task=task, division_seed=None))


@given(st.lists(marked_texts(), max_size=4), st.lists(marked_texts(), max_size=2))
def test_whatever_is_marked_comes_back(
    train: list[tuple[str, list[Span]]], test: list[tuple[str, list[Span]]]
) -> None:
    splits = as_splits(train=train, test=test)
    rows = {split: list(rows) for split, rows in as_text_rows(splits).items()}
    assert {split: each[:] for split, each in read(rows).items()} == {split: each[:] for split, each in splits.items()}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([TOKENS, {"tokens": ["비가", "왔다"], "ner_tags": ["O", "O"], "doc_id": "3"}], {}),
        ([{**TOKENS, "text": "손흥민은"}, {"tokens": ["비", "가"], "ner_tags": ["O", "O"], "text": "비가"}], {}),
        (
            [
                {"sentence": TEXT, "entities": [{"start": 0, "end": 3, "type": "PS"}]},
                {"sentence": TEXT, "entities": []},
            ],
            {},
        ),
        ([{"a": TEXT, "b": [{"start": 0, "end": 3, "type": "PS"}]}], {"text_column": "a", "label_column": "b"}),
        ([{"review": "재미있다.", "sentiment": 1}, {"review": "지루하다.", "sentiment": 0}], {}),
        ([{"review": "재미있다.", "label": True}, {"review": "지루하다.", "label": False}], {}),
        ([{"a": "재미있다.", "b": "x"}, {"a": "지루하다.", "b": "y"}], {"text_column": "a", "label_column": "b"}),
        ([{"text": "비가 왔다.", "source": "신문"}], {"text_column": "text"}),
    ],
)
def test_other_dictionaries_are_rows_of_a_dataset(rows: list[dict[str, Any]], said: dict[str, str]) -> None:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    dataset = Dataset.from_dict({key: [row.get(key) for row in rows] for key in keys})
    task = task_of_lists(rows, label_column=said.get("label_column"))
    assert content(read(rows, **said)) == content(read(dataset, task=task, **said))


def test_texts_alone_are_to_be_spaced() -> None:
    texts = ["비가 왔다.", "해가 뜬다."]
    assert task_of_lists(texts, label_column=None) == "word-spacing"
    read_texts = read(texts)
    assert content(read_texts) == content(read([{"text": text} for text in texts]))
    assert as_text_rows(read_texts)["train"]["text"][:] == texts
    assert content(read([NAMES], task="word-spacing"))["train"]["text"] == [TEXT.replace(" ", "")]


def test_a_list_for_each_split_is_told_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    splits = read({"training": [NAMES], "dev": (NAMES, NAMES), "more": [NAMES]})
    assert {split: rows.num_rows for split, rows in splits.items()} == {"train": 1, "validation": 2}
    assert splits["validation"]["id"][:] == ["validation-1", "validation-2"]
    assert [record.message for record in caplog.records] == [
        "malmoi: the list: splits that are neither train, validation nor test are left out: more (1 rows)."
    ]


def test_tuples_and_the_numbers_of_numpy_are_taken() -> None:
    rows = [{"text": TEXT, "entities": ((numpy.int64(0), numpy.int64(3), "PS"), (5, 7, "LC"))}]
    assert content(read(rows)) == content(read([NAMES]))
    sentiments = [{"review": "재미있다.", "label": numpy.int64(1)}, {"review": "지루하다.", "label": numpy.int64(0)}]
    assert read(sentiments)["train"]["label"][:] == [1, 0]


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "entities": [{"start": 0, "end": 3, "label": "PS"}, {"start": 5, "end": 7, "label": "LC"}]},
        {"review": TEXT, "spans": [{"start": 0, "end": 3, "label": "PS"}, {"start": 5, "end": 7, "label": "LC"}]},
        TOKENS,
        {"text": TEXT, "label": [0.5]},
    ],
)
def test_rows_of_pandas_are_read_as_those_of_the_file_that_it_has_read(row: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    Dataset.from_list([row, row]).to_parquet(path)
    rows = pandas.read_parquet(path).to_dict("records")
    assert any(isinstance(value, numpy.ndarray) for value in rows[0].values())
    if row.get("label") == [0.5]:
        with pytest.raises(
            UserError, match=r"^the list, row 1: expected one class in `label`, .*, got the number '0.5'"
        ):
            read(rows)
    else:
        assert content(read(rows)) == content(read([row, row]))


def test_values_of_numpy_are_refused_as_those_of_python() -> None:
    with pytest.raises(UserError, match=r"^the list, row 1: expected one class in `label`"):
        read([{"text": TEXT, "label": numpy.float32(0.5)}], task="sentence-classification")
    with pytest.raises(UserError, match=r"^the list, row 1: expected whole characters"):
        read([{"tokens": numpy.array(["\ud83d"], dtype=object), "ner_tags": ["O"]}])


def test_names_that_a_tagger_has_found_are_names() -> None:
    found = [Entity(0, 3, "PS", 0.9, "손흥민"), Entity(5, 7, "LC", 0.9, "춘천")]
    for key in ("text", "review"):
        assert content(read([{key: TEXT, "entities": found}])) == content(read([NAMES]))
        assert content(read([{key: TEXT, "entities": [Span(*name[:3]) for name in found]}])) == content(read([NAMES]))


def test_other_tuples_with_fields_are_lists() -> None:
    place, row = namedtuple("place", "begin stop kind"), namedtuple("row", "first second")
    assert content(read([{"text": TEXT, "entities": [place(0, 3, "PS"), place(5, 7, "LC")]}])) == content(
        read([NAMES])
    )
    tokens = {"tokens": row(*TOKENS["tokens"]), "ner_tags": row(*TOKENS["ner_tags"])}
    assert content(read([tokens])) == content(read([TOKENS]))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], r'^the list: expected dictionaries such as {"text": .*}, but it is empty\.$'),
        ({"train": [NAMES], "test": []}, "^the list 'test': expected dictionaries such as .*, but it is empty"),
        ([NAMES, 3], r"^the list, row 2: expected a dictionary, got the number '3'\.$"),
        ([NAMES, "비가 왔다."], r"^the list, row 2: expected a dictionary, got a text\.$"),
        (["비가 왔다.", NAMES], r"^the list, row 2: expected a text, as the first row is, got an object\.$"),
        ([NAMES, {}], "^the list, row 2: expected a dictionary with a text, got an empty one"),
        ([{3: TEXT}], r"^the list, row 1: expected texts as keys, got the number '3'\.$"),
        (
            [NAMES, TOKENS],
            r"^the list, row 2: expected keys as the first row has, text, entities, got tokens, ner_tags\.$",
        ),
        (
            [TOKENS, {**TOKENS, "ner_tags": ["O"]}],
            "^the list, row 2: expected a tag for each token, got 2 tokens and 1",
        ),
        (
            [TOKENS, {**TOKENS, "tokens": ["손", 3]}],
            "^the list, row 2: expected lists of texts in 'tokens', got the num",
        ),
        ([TOKENS, {**TOKENS, "tokens": "손"}], "^the list, row 2: expected lists of texts in 'tokens', got a text"),
        (
            [TOKENS, {"tokens": ["손"]}],
            "^the list, row 2: expected tags in the column 'ner_tags', but there is a null",
        ),
        ([NAMES, {"entities": []}], "^the list, row 2: expected a field `text`, got entities"),
        ([NAMES, {**NAMES, "text": None}], "^the list, row 2: expected a text in `text`, got null"),
        ([NAMES, {**NAMES, "text": b"x"}], "^the list, row 2: expected a text in `text`, got bytes"),
        (
            [NAMES, {"text": "비", "entities": [[0, 9, "PS"]]}],
            "^the list, row 2: .* within the text of 1 character, got PS",
        ),
        (
            [NAMES, {**NAMES, "entities": [[0, "3", "PS"]]}],
            "^the list, row 2: expected a whole number where PS begins",
        ),
        ([NAMES, {**NAMES, "entities": [[0, 3]]}], r"^the list, row 2: expected a name as \[start, end, type\], or"),
        ([NAMES, {**NAMES, "entities": "PS"}], "^the list, row 2: expected a list of names in `entities`, got a text"),
        (
            [NAMES, {**NAMES, "entities": [[0, 3, "PS"], [2, 7, "LC"]]}],
            "^the list, row 2: expected names that do not over",
        ),
        ({"dev": [NAMES, {**NAMES, "entities": [[0, 99, "PS"]]}]}, "^the list 'dev', row 2: expected a name within"),
        ([GOOD, {"text": "지루하다."}], "^the list, row 2: expected one class in `label`, .* got null"),
        (
            [GOOD, {"text": "지루하다.", "label": 0.5}],
            "^the list, row 2: expected one class in `label`, .* got the number",
        ),
        (
            [{"review": "a", "label": 1}, {"review": "b", "label": "c"}],
            "^the list, row 2: expected whole numbers in 'label'",
        ),
        ([{"review": 3, "label": 1}], r"^the list: expected a column with texts, got review \(whole numbers\)"),
        ([{"text": "비가 \ud83d왔다."}], r"^the list, row 1: expected whole characters, but a text holds half of one"),
        ([{**NAMES, "entities": [[0, 3, "\ud83d"]]}], "^the list, row 1: expected whole characters"),
        ([NAMES, {**NAMES, "meta": {"document": "\ud83d"}}], "^the list, row 2: expected whole characters"),
        ([{"tokens": ["손", "\ud83d"], "ner_tags": ["B-PS", "O"]}], "^the list, row 1: expected whole characters"),
        ({"a": [NAMES], "b": [NAMES]}, "^the list: expected splits called train, validation or test, got a, b"),
        ([{"text": "비가 왔다.", "entities": []}], "^the list, row 1: expected names in the sentences, found none"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_the_row(rows: object, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        read(rows)
    assert str(raised.value).count("\n") == 0


def test_rows_are_read_in_batches_with_their_numbers() -> None:
    rows: list[dict[str, Any]] = [{"review": "좋다", "label": number % 2} for number in range(2 * BATCH + 1)]
    read_rows = [*rows_of_dictionaries(rows, "rows").read(["label"])]
    assert [batch.numbers[0] for batch in read_rows] == [1, BATCH + 1, 2 * BATCH + 1]
    assert [label for batch in read_rows for label in batch.columns["label"]] == [row["label"] for row in rows]
    rows[2 * BATCH]["label"] = "x"
    with pytest.raises(UserError, match=f"^the list, row {2 * BATCH + 1}: expected whole numbers in 'label'"):
        read(rows)


@pytest.mark.parametrize("task", ["named-entities", "word-spacing", "sentence-classification"])
def test_data_as_people_write_them_are_read_as_they_were(task: str) -> None:
    rows: dict[str, list[dict[str, Any]]] = {
        "named-entities": [{**NAMES, "document": "d"}, {"id": "x", "text": "비가 왔다.", "document": "e"}],
        "word-spacing": [{"text": TEXT}, {"text": "비가 왔다."}],
        "sentence-classification": [GOOD, {"text": "지루하다.", "label": "bad"}],
    }
    splits = read(rows[task])
    written = as_text_rows(splits)
    assert written["train"]["text"][:] == [row["text"] for row in rows[task]]
    for again in (written, {split: list(each) for split, each in written.items()}):
        if task == "sentence-classification" and again is not written:
            continue  # the numbers of a `ClassLabel` are classes of their own in a list
        assert {split: each[:] for split, each in read(again, task=task).items()} == {
            split: each[:] for split, each in splits.items()
        }
    if task == "named-entities":
        assert written["train"][0]["entities"] == [
            {"start": 0, "end": 3, "label": "PS"},
            {"start": 5, "end": 7, "label": "LC"},
        ]
