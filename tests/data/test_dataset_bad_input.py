"""Datasets that are not as they should be: each is told in one sentence, with the source and the row."""

import errno
import json
import os
import re
from pathlib import Path
from typing import Any

import datasets
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value
from datasets.exceptions import DatasetGenerationError, DatasetNotFoundError

from malmoi.data.readers.dataset import read_dataset
from malmoi.data.tables import source
from malmoi.data.user_error import UserError

TEXT = Value("string")
NAMED = ClassLabel(names=["B-PS", "I-PS", "O"])


def tagged(tokens: list[Any], tags: list[Any], held: Any = TEXT) -> Dataset:
    features = Features({"tokens": List(Value("string")), "ner_tags": List(held)})
    return Dataset.from_dict({"tokens": tokens, "ner_tags": tags}, features=features)


def spans(text: Any, *found: Any) -> Dataset:
    features = Features(
        {
            "text": Value("string"),
            "entities": List({"start": Value("int64"), "end": Value("int64"), "label": Value("string")}),
        }
    )
    fine = {"text": "이순신", "entities": [{"start": 0, "end": 3, "label": "PS"}]}
    rows = [fine, {"text": text, "entities": None if found == (None,) else list(found)}]
    return Dataset.from_dict({name: [row[name] for row in rows] for name in fine}, features=features)


def named_spans(span: Any, lists: Any = None) -> Dataset:
    """Return a text with an emoji before its name, and one span or a mapping of lists."""
    return Dataset.from_dict(
        {"text": ["😀😀 손흥민은 춘천에서 태어났다"], "entities": [[span] if lists is None else lists]}
    )


FINE = ["이순신은", "왔다"], ["B-PS", "O"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (tagged([FINE[0], None], [FINE[1], ["O"]]), "row 2: expected tokens in the column 'tokens', but there is a"),
        (tagged([FINE[0], ["가", None]], [FINE[1], ["O", "O"]]), "row 2: expected tokens in the column 'tokens', but"),
        (
            tagged([FINE[0], ["가"]], [FINE[1], None]),
            "row 2: expected tags in the column 'ner_tags', but there is a n",
        ),
        (tagged([FINE[0], ["가"]], [FINE[1], ["O", "O"]]), "row 2: expected a tag for each token, got 1 tokens and 2"),
        (
            tagged([FINE[0], ["가", "나"]], [FINE[1], ["O"]]),
            "row 2: expected a tag for each token, got 2 tokens and 1",
        ),
        (tagged([FINE[0], ["가", ""]], [FINE[1], ["O", "O"]]), "row 2: expected tokens with characters, but token 2 "),
        (tagged([FINE[0], []], [FINE[1], []]), "row 2: expected a sentence, got no token."),
        (tagged([["가"], ["나"]], [[0], [-100]], NAMED), "row 2: expected tags with names, but -100 has none."),
        (tagged([["가"]], [[0]], Value("int64")), "the tags in 'ner_tags' are numbers without names; name them in th"),
        (tagged([["가"]], [["NNG"]]), "line 1: expected tags of names"),
        (tagged([], []), "expected sentences, found none."),
        (
            spans(None),
            "row 2: expected a text in the column 'text', but there is a null; leave such rows out",
        ),
        (spans("가나", None), "row 2: expected spans in the column 'entities', but there is a null."),
        (
            spans("가나", {"start": 0, "end": 3, "label": "LC"}),
            "row 2: expected a name within the text of 2 character",
        ),
        (spans("가나", {"start": 0, "end": None, "label": "LC"}), "row 2: expected a span [start, end, type], got"),
        (spans("가나", {"start": 0, "end": 1, "label": None}), "row 2: expected a span [start, end, type], got"),
        (
            named_spans({"start": 5, "end": 8, "label": "PS", "text": "손흥민"}),
            "row 1: expected the PS '손흥민' from 5 to 8, but the text has '민은 ' there; these seem to be units",
        ),
        (
            named_spans({"start": 0.9, "end": 3.9, "label": "PS"}),
            "row 1: expected a whole number where PS begins and ends, got the number '0.9'.",
        ),
        (
            named_spans(None, {"start": [0, 3], "end": [2], "label": ["QT", "PS"]}),
            "row 1: expected lists with a value for each span, got 2 in 'start', 1 in 'end', 2 in 'label'.",
        ),
        (
            spans("가나", {"start": 0, "end": 2, "label": "LC"}, {"start": 1, "end": 2, "label": "OG"}),
            "row 2: expected names that do not overlap, but OG '나' begins within another.",
        ),
        (
            Dataset.from_dict({"text": ["가"], "label": ["b"]}),
            "expected a column with tags or spans (lists), got text (texts), label (texts); say which",
        ),
    ],
)
def test_a_row_that_cannot_be_read_is_named(rows: Dataset, message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)) as raised:
        read_dataset(None, task="named-entities", dataset=DatasetDict({"train": rows}))
    told = str(raised.value)
    assert "\n" not in told
    assert told.startswith("the dataset (train)")


def classes(texts: list[Any], labels: list[Any], held: Any = TEXT) -> Dataset:
    return Dataset.from_dict(
        {"text": texts, "label": labels}, features=Features({"text": Value("string"), "label": held})
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            classes(["가", None], ["a", "b"]),
            "row 2: expected a value in the column 'text', but there is a null; leave such rows out",
        ),
        (
            classes(["가", "나"], ["a", None]),
            "row 2: expected a value in the column 'label', but there is a null; leave such rows out",
        ),
        (classes(["가", "나"], ["a", " "]), "row 2: expected a class in the column 'label', got ' '."),
        (classes(["가", "나"], ["a", "a"]), "expected texts of at least two classes, got a."),
        (classes(["가", "나"], [0, -1], NAMED), "row 2: expected a class in 'label', got -1, which is none."),
        (classes([], [], NAMED), "expected texts, found none."),
        (
            classes(["가"], [0.5], Value("float64")),
            "row 1: expected classes of one kind in 'label', text or whole numbers, got '0.5'.",
        ),
    ],
)
def test_a_text_without_class_is_named(rows: Dataset, message: str) -> None:
    with pytest.raises(UserError, match=re.escape(message)) as raised:
        read_dataset(None, task="sentence-classification", dataset={"train": rows})
    assert str(raised.value).startswith("the dataset (train)")


def test_columns_that_are_not_there_are_told_with_the_nearest() -> None:
    rows = tagged([FINE[0]], [FINE[1]])
    with pytest.raises(
        UserError, match=r"^--label_column: the dataset has no column 'ner_tag'; did you mean 'ner_tags'"
    ):
        read_dataset(None, task="named-entities", dataset=rows, label_column="ner_tag")
    with pytest.raises(UserError, match=r"^--text_column: the dataset has no column 'X'; it has tokens, ner_tags\.$"):
        read_dataset(None, task="named-entities", dataset=rows, text_column="X")
    with pytest.raises(UserError, match=r"expected a column with texts, but 'tokens' holds lists of texts\.$"):
        read_dataset(None, task="word-spacing", dataset=rows, text_column="tokens")
    two = Dataset.from_dict({"title": ["가", "나"], "content": ["다", "라"], "label": ["a", "b"]})
    with pytest.raises(UserError, match=r": title, content may all be a column with texts; say which by --text_col"):
        read_dataset(None, task="sentence-classification", dataset=two)
    with pytest.raises(UserError, match=r"^--token_separator is for other tasks than word-spacing\.$"):
        read_dataset(None, task="word-spacing", dataset=two, token_separator=" ")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,label\n가,나,다\n".encode(), "a.csv, line 2: expected 2 columns as in the heading, got 3."),
        ("a.csv", "text,label\n가,b\n나\n".encode(), "a.csv, line 3: expected 2 columns as in the heading, got 1."),
        ("a.csv", 'text,label\n가,b\n"나,c\n다,d\n'.encode(), "a.csv, line 3: expected columns as CSV has them, with"),
        (
            "a.csv",
            "text,label\n가,b\n나,\n".encode(),
            "a.csv, line 3: expected a class in the column 'label', got ''.",
        ),
        ("a.csv", b"\n\n", "a.csv, line 1: expected a heading with a name for each column, got an empty line."),
        ("a.csv", "text,text\n가,b\n".encode(), "a.csv, line 1: expected a heading with a name for each column, got "),
        (
            "a.csv",
            "text,label\n한글,가\n".encode("cp949"),
            "a.csv, line 2: expected UTF-8, but byte 1 of the line is ",
        ),
        ("a.csv", b"text,label\n", "a.csv: expected texts of at least two classes, got none."),
        ("a.csv", b"", "a.csv: the file is empty."),
        ("a.parquet", b"PAR1 and no more", "a.parquet: expected a .parquet file, but it is damaged ("),
        ("a.arrow", b"no arrow", "a.arrow: expected a .arrow file, but it is damaged ("),
        ("a.jsonl", b'{"text": "a", "label": ', "a.jsonl: expected a .jsonl file, but it is damaged ("),
        ("a.jsonl", '{"text": "한글"}\n'.encode("cp949"), "a.jsonl, line 1: expected UTF-8, but byte "),
        (
            "a.jsonl",
            '{"text": "가", "label": "x"}\n{"text": "나", "label": 1}\n'.encode(),
            "a.jsonl, row 2: expected classes of one kind in 'label', text or whole numbers, got '1'.",
        ),
        ("a.xlsx", b"", "a.xlsx: expected a file or folder of Parquet, CSV, TSV, JSON or Arrow, or of `save_to_disk`"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=re.escape(f"{tmp_path}/{message}")) as raised:
        read_dataset(tmp_path / name, task="sentence-classification")
    assert "\n" not in str(raised.value)


def test_a_parquet_file_that_breaks_off_within_is_named_with_the_row(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    rows = classes([f"문장 {number}" * 9 for number in range(4000)], ["a", "b"] * 2000)
    rows.to_parquet(path, batch_size=1000)
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(2000) + whole[middle + 2000 :])
    with pytest.raises(UserError, match=r"a\.parquet: the Parquet file is damaged from row \d+ on \(") as raised:
        read_dataset(path, task="sentence-classification")
    assert "\n" not in str(raised.value)


def test_a_saved_folder_that_is_damaged_is_named(tmp_path: Path) -> None:
    DatasetDict({"train": classes(["가", "나"], ["a", "b"])}).save_to_disk(tmp_path / "saved")
    (tmp_path / "saved/train/state.json").unlink()
    with pytest.raises(UserError, match=r"saved: expected a dataset of `save_to_disk`, but it is damaged \("):
        read_dataset(tmp_path / "saved", task="sentence-classification")


def test_files_of_two_kinds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,label\n", encoding="utf-8")
    classes(["가"], ["a"]).to_parquet(tmp_path / "dev.parquet")
    with pytest.raises(UserError, match=r"expected files of one kind, got \.csv, \.parquet\.$"):
        read_dataset(tmp_path, task="sentence-classification")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            ConnectionError("no network"),
            "user/name: there is no file or folder of this name, and it could not be fetc",
        ),
        (DatasetNotFoundError("no"), "user/name: there is neither a file or folder of this name nor a dataset on the"),
        (
            RuntimeError("Dataset scripts are no longer supported, but found name.py"),
            "user/name is a script, which is not run; many such datasets have a copy without one: "
            "user/name@refs/convert/parquet.",
        ),
        (
            ValueError(
                "Config name is missing.\nPlease pick one among the available configs: ['ner', 'ynat']\nExample"
            ),
            "user/name: say which of its configurations is meant, as in user/name:ner; it has ner, ynat.",
        ),
        (ValueError("strange\nthing"), "user/name could not be read (strange)."),
    ],
)
def test_the_hub_is_asked_by_the_library_and_its_answers_are_told(
    error: Exception, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(source, "load_dataset", answer)
    with pytest.raises(UserError, match=re.escape(message)):
        read_dataset(None, task="named-entities", dataset="user/name")


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("nsmc", ("nsmc", None, None)),
        ("klue/klue:ner", ("klue/klue", "ner", None)),
        ("u/n@refs/convert/parquet:a b", None),
        ("u/n@refs/convert/parquet:ner", ("u/n", "ner", "refs/convert/parquet")),
        ("./nowhere", None),
        ("nowhere.parquet", None),
        ("a/b/c", None),
    ],
)
def test_a_name_on_the_hub_may_have_a_revision_and_a_configuration(
    written: str, asked: tuple[str, str | None, str | None] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, str | None, str | None]] = []

    def answer(path: str, name: str | None, *, revision: str | None) -> DatasetDict:
        calls.append((path, name, revision))
        return DatasetDict({"train": tagged([FINE[0]], [FINE[1]])})

    monkeypatch.setattr(source, "load_dataset", answer)
    if asked is None:
        with pytest.raises(UserError, match="there is no such file or folder, and no dataset on the Hub is called so"):
            read_dataset(None, task="named-entities", dataset=written)
    else:
        read_dataset(None, task="named-entities", dataset=written)
        assert calls == [asked]


def test_without_network_one_sentence_says_what_to_do() -> None:
    with pytest.raises(UserError, match=r"could not be fetched from the Hub \(.*\)\. Either connect to the network"):
        read_dataset(None, task="named-entities", dataset="user/name")


@pytest.mark.parametrize("given", [7, {"text": "가"}, datasets.IterableDataset.from_generator(lambda: iter(()))])
def test_what_is_no_dataset_is_refused_by_its_kind(given: object) -> None:
    with pytest.raises(UserError, match=f"got {type(given).__name__}"):
        read_dataset(None, task="named-entities", dataset=given)


def test_one_data_set_is_read_and_not_two(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^Say which dataset is read"):
        read_dataset(None, task="named-entities")
    with pytest.raises(UserError, match=r"^Two data sets are given, --dataset and --data_dir .*; leave out one of"):
        read_dataset(tmp_path, task="named-entities", dataset="user/name")


def test_a_type_in_a_list_is_no_type() -> None:
    span = {"start": 0, "end": 3, "label": ["PS"]}
    with pytest.raises(UserError, match=r"row 1: expected a span \[start, end, type\], got .*'label': \['PS'\]"):
        read_dataset(
            None, task="named-entities", dataset=Dataset.from_dict({"text": ["이순신"], "entities": [[span]]})
        )


def test_a_file_that_changed_within_the_same_moment_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    for name in ("이순신", "손흥민"):
        path.write_text(json.dumps({"tokens": [name, "은"], "ner_tags": ["B-PS", "O"]}), encoding="utf-8")
        os.utime(path, (0, 0))  # as in an archive whose files have all one time
        assert read_dataset(path, task="named-entities", token_separator="")["train"]["text"][:] == [f"{name}은"]


@pytest.mark.parametrize("name", ["train.json", "train.parquet", "saved"])
def test_what_the_system_refuses_is_not_said_of_the_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    rows = Dataset.from_dict({"tokens": [FINE[0]], "ner_tags": [FINE[1]]})
    {"train.json": rows.to_json, "train.parquet": rows.to_parquet, "saved": rows.save_to_disk}[name](path)
    refused = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "cache")

    def generate(*_: object, **__: object) -> None:
        try:
            raise refused
        except OSError as error:
            raise DatasetGenerationError("An error occurred while generating the dataset") from error

    def refuse(*_: object, **__: object) -> None:
        raise refused

    monkeypatch.setattr(source, "load_dataset", generate)
    monkeypatch.setattr(source, "load_from_disk", refuse)
    monkeypatch.setattr(source.pq, "ParquetFile", refuse)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as found:
        read_dataset(path, task="named-entities")
    assert found.value is refused
