"""The form of a folder is known by a look into its files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict

from malmoi.data.readers import READERS, read_splits, readers_that_fit
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.user_error import UserError

ROWS = Dataset.from_dict({"tokens": [["서울", "갔다"]], "ner_tags": [["B-LC", "O"]]})
ALL_TASKS = ("named-entities", "word-spacing", "sentence-classification")
LABEL_STUDIO_TASK = {
    "id": 1,
    "data": {"text": "서울에 갔다."},
    "annotations": [
        {
            "completed_by": 1,
            "result": [
                {
                    "type": "labels",
                    "from_name": "label",
                    "to_name": "text",
                    "value": {"start": 0, "end": 2, "text": "서울", "labels": ["LC"]},
                }
            ],
        }
    ],
}
NIKL_SENTENCE = {"id": "a.1", "form": "서울에 갔다.", "NE": [{"form": "서울", "label": "LC", "begin": 0, "end": 2}]}
FILES = {
    "brat": {"doc-1.txt": "서울에 갔다.\n", "doc-1.ann": "T1\tLC 0 2\t서울\n"},
    "conll": {"train.txt": "서울 B-LC\n에 O\n갔다 O\n\n그는 O\n웃었다 O\n"},
    "dataset": {"train.csv": "text,label\n재미있다,좋음\n지루하다,나쁨\n"},
    "inline-marks": {"train.txt": "<서울:LC>에 갔다.\n그는 웃었다.\n" * 20},
    "jsonl": {"train.jsonl": '{"text": "서울에 갔다.", "label": [[0, 2, "LC"]]}\n'},
    "klue-ner": {"klue-ner-v1.1_train.tsv": "## 1\t<서울:LC>\n서\tB-LC\n울\tI-LC\n\n"},
    "kmou-corpus": {"split.tsv": "file\tpart\na.txt\ttrain\n"},
    "kmou-lines": {"train.txt": "서울에 갔다.\u241e<서울:LOC>에 갔다.\n"},
    "label-studio": {"project-1.json": json.dumps([LABEL_STUDIO_TASK])},
    "labelled-texts": {"train.txt": "좋음\t재미있다\n나쁨\t지루하다\n" * 10},
    "nikl": {
        "NXNE.json": json.dumps({"id": "NXNE", "document": [{"id": "a", "sentence": [NIKL_SENTENCE]}]}, indent=1)
    },
    "nsmc": {"ratings_train.txt": "id\tdocument\tlabel\n1\t재미있다\t1\n"},
    "plain-sentences": {"train.txt": "오늘은 날씨가 좋다.\n집에 갔다.\n" * 10},
}


@pytest.mark.parametrize("name", FILES)
def test_each_form_is_recognised_and_no_other_beside_it(name: str, tmp_path: Path) -> None:
    for file, content in FILES[name].items():
        (tmp_path / file).write_text(content, encoding="utf-8")
    assert readers_that_fit(tmp_path, ALL_TASKS) == [name]
    assert readers_that_fit(tmp_path / "missing", ALL_TASKS) == []


@pytest.mark.parametrize(
    "content",
    [
        "## a\t<서울:LC>에\n서\tB-LC\n울\tI-LC\n에\tO\n\n" * 20,
        "1\t이순신은\tPER_B\n2\t조선의\t-\n\n",
        "이순신은 eoj X B-PER\n조선의 eoj X O\n",
        "-DOCSTART- -X- -X- O\n\n이순신은 NNP X I-PER\n조선의 NNP X O\n",
        "이순신은\tPER\n조선의\tO\n사람\tO\n" * 10,
        "오늘은\tO\n날씨가\tO\n" * 200 + "서울\tB-LC\n",
    ],
)
@pytest.mark.parametrize("name", ["train.txt", "train.tsv", "mine.conll", "dev/a.bio"])
def test_columns_of_every_kind_are_recognised_as_such(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert readers_that_fit(tmp_path, ALL_TASKS) == ["conll"]
    assert readers_that_fit(tmp_path / name, ALL_TASKS) == ["conll"]


@pytest.mark.parametrize(
    "content",
    [
        "서울 NNP\n에 JKB\n",
        "서울\tB-LC\n에\n",
        "text\tlabel\n재미있다\t1\n지루하다\t0\n",
        "O\t재미있다\nX\t지루하다\n",
        "",
    ],
)
def test_other_columns_are_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "data.tsv").write_text(content, encoding="utf-8")
    assert "conll" not in readers_that_fit(tmp_path, ALL_TASKS)


def saved(folder: Path) -> None:
    ROWS.save_to_disk(folder)


def saved_splits(folder: Path) -> None:
    DatasetDict({"train": ROWS}).save_to_disk(folder)


def parquet(folder: Path) -> None:
    (folder / "data").mkdir()
    ROWS.to_parquet(folder / "data/train.parquet")


def comma_separated(folder: Path) -> None:
    (folder / "texts.csv").write_text("문장\n집에 갔다\n", encoding="utf-8")


def tab_separated(folder: Path) -> None:
    (folder / "dev.tsv").write_text("id\treview\tlabel\n1\t재미있다\t1\n", encoding="utf-8")


@pytest.mark.parametrize("made", [saved, saved_splits, parquet, comma_separated, tab_separated])
def test_a_dataset_is_recognised_and_nothing_beside_it(made: Callable[[Path], None], tmp_path: Path) -> None:
    made(tmp_path)
    assert readers_that_fit(tmp_path, ALL_TASKS) == ["dataset"]


def test_files_with_other_columns_are_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "numbers.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "old.csv").write_bytes("문장,분류\n".encode("cp949"))
    assert readers_that_fit(tmp_path, ALL_TASKS) == []


def test_every_reader_has_a_folder_here() -> None:
    assert {*FILES} == {*READERS} - {"plain-text"}


def test_an_option_that_a_reader_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"`tag_column` is for the reader .*, but `reader` is inline-marks\."):
        read_splits("inline-marks", tmp_path, task="named-entities", options=ReadingOptions(tag_column=2))


def test_missing_splits_are_cut_but_not_those_of_a_published_corpus(tmp_path: Path) -> None:
    for name in ("inline-marks", "klue-ner"):
        for file, content in FILES[name].items():
            (tmp_path / file).write_text(content, encoding="utf-8")
    assert list(read_splits("klue-ner", tmp_path, task="named-entities")) == ["train"]
    assert list(read_splits("inline-marks", tmp_path, task="named-entities")) == ["train", "validation"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("jsonl", '[{"text": "재미있다", "label": "좋음"}]'),
        ("jsonl", '\ufeff{"text": "서울", "entities": []}\r\n{"broken"'),
        ("jsonl", '{"text": "서울", "_input_hash": 1, "spans": [], "answer": "accept"}'),
        ("label-studio", json.dumps({"text": "서울", "id": 1, "annotator": 1, "annotation_id": 7, "label": []})),
        ("label-studio", json.dumps(LABEL_STUDIO_TASK)),
        ("nikl", json.dumps({"document": [{"sentence": [NIKL_SENTENCE] * 100_000}]})),
        ("dataset", '{"id": "1", "tokens": ["서울", "갔다"], "ner_tags": ["B-LC", "O"]}'),
        ("dataset", '{"text": "서울 갔다", "tokens": ["서울", "갔다"], "ner_tags": ["B-LC", "O"]}'),
        ("dataset", '[{"guid": "1", "title": "유튜브 시끌", "label": "사회"}]'),
        ("dataset", '{"sentence": "서울", "entities": [{"start": 0, "end": 2, "label": "LC"}]}'),
    ],
)
def test_other_looks_of_a_form_are_recognised_too(name: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_text(content, encoding="utf-8", newline="")
    assert readers_that_fit(tmp_path, ALL_TASKS) == [name]
    assert readers_that_fit(path, ALL_TASKS) == [name]


@pytest.mark.parametrize(
    "described", [{"title": "내 말뭉치", "category": "뉴스"}, {"title": "말\n", "topic": "가" * 99_999}]
)
def test_json_that_tells_of_the_data_is_no_form_of_them(described: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("좋음\t재미있다\n나쁨\t지루하다\n좋음\t또 보고 싶다\n", encoding="utf-8")
    (tmp_path / "meta.json").write_text(json.dumps(described, indent=2), encoding="utf-8")
    assert readers_that_fit(tmp_path, ALL_TASKS) == ["labelled-texts"]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", "[[", '{"text": "가"}', '"text"', "\xff", "{" * 100_000, '{"a":' * 20_000]
)
def test_json_of_no_form_is_not_recognised(content: str, tmp_path: Path) -> None:
    for name in ("train.json", "corpus.json"):
        (tmp_path / name).write_text(content, encoding="latin-1" if content == "\xff" else "utf-8")
        assert readers_that_fit(tmp_path, ALL_TASKS) == []
        (tmp_path / name).unlink()


def test_a_single_file_with_marks_is_read_and_cut(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("".join(f"<서울:LC>에 {number}번 갔다.\n" for number in range(20)), encoding="utf-8")
    assert readers_that_fit(file, ALL_TASKS) == ["inline-marks"]
    splits = read_splits("inline-marks", file, task="named-entities")
    assert {name: rows.num_rows for name, rows in splits.items()} == {"train": 16, "validation": 2, "test": 2}
    # whoever names a file so wants to measure on all of it
    named = file.rename(tmp_path / "names-test.txt")
    splits = read_splits("inline-marks", named, task="named-entities")
    assert {name: rows.num_rows for name, rows in splits.items()} == {"test": 20}


@pytest.mark.parametrize("mark", ["<서울: LC>", "<서울：LC>", "<:LC>", "<서울;LC>", "<서울:LC"])
def test_marks_that_all_have_the_same_fault_are_no_sentences_to_be_spaced(mark: str, tmp_path: Path) -> None:
    lines = [f"{mark}에 {number}번 갔다." for number in range(8)] + ["비가 왔다."] * 2
    (tmp_path / "train.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert readers_that_fit(tmp_path, ALL_TASKS) == ["inline-marks"]
    with pytest.raises(UserError, match=r"train\.txt, line 1: expected marks? of the form <name:TYPE>"):
        read_splits("inline-marks", tmp_path, task="named-entities")


def test_brackets_here_and_there_leave_sentences_what_they_are(tmp_path: Path) -> None:
    lines = ["<사진: 연합뉴스>가 있다."] * 3 + ["비가 왔다."] * 7
    (tmp_path / "train.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert readers_that_fit(tmp_path, ALL_TASKS) == ["plain-sentences"]
    rows = "".join(f'{{"text": "<사진: 연합뉴스> {number}", "label": "좋음"}}\n' for number in range(9))
    (tmp_path / "rows.jsonl").write_text(rows, encoding="utf-8")
    assert readers_that_fit(tmp_path / "rows.jsonl", ALL_TASKS) == ["jsonl"]


def test_hidden_files_tell_no_form_and_looking_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / ".cache").mkdir()
    ROWS.to_parquet(tmp_path / ".cache" / "train.parquet")
    for file in ("train-1", "other"):
        (tmp_path / f"{file}.txt").write_text("서울에 갔다.\n", encoding="utf-8")
        (tmp_path / f"{file}.ann").write_text("T1\tLC 0 2\t서울\n", encoding="utf-8")
    assert readers_that_fit(tmp_path, ALL_TASKS) == ["brat"]
    assert not caplog.messages
    (tmp_path / ".cache" / "lonely.txt").touch()
    splits = read_splits("brat", tmp_path, task="named-entities", division_seed=None)
    assert splits["train"].num_rows == 1
    assert caplog.messages == [f"malmoi: {tmp_path}: files whose names tell no split are left out: 1."]


@pytest.mark.parametrize("ending", [".txt", ".ann"])
def test_a_single_text_of_brat_is_known_by_what_stands_beside_it(ending: str, tmp_path: Path) -> None:
    for file, content in FILES["brat"].items():
        (tmp_path / file).write_text(content, encoding="utf-8")
    assert readers_that_fit(tmp_path / f"doc-1{ending}", ALL_TASKS) == ["brat"]
