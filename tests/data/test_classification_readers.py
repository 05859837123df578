import csv
import io
import os
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pandas
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
from hypothesis import given
from hypothesis import strategies as st

from malmoi.data.classified_dataset import (
    ClassifiedText,
    LabelledText,
    class_names,
    classified_dataset,
    classified_splits,
    with_classes,
)
from malmoi.data.quoted_columns import split_columns
from malmoi.data.readers.dataset import read_dataset
from malmoi.data.readers.labelled_texts import read_labelled_texts
from malmoi.data.readers.nsmc import NSMC_CLASSES, from_hub_splits, read_nsmc, read_ratings
from malmoi.data.splits.stratified import draw_evenly
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError

REAL_DATA = Path(os.environ.get("MALMOI_DATA", Path(__file__).parents[3] / "shared" / "data"))

HEADER = "id\tdocument\tlabel\n"
RATINGS = HEADER + '7\t"재미 없다\t0\n8\tNA\t1\n9\t\t1\n'
TEXTS = "긍정\t재미있다\n\n부정\t지루하다\n"


def write_ratings(folder: Path, content: str | bytes) -> Path:
    path = folder / "ratings_train.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def write_texts(folder: Path, content: str | bytes) -> Path:
    (folder / "validation.txt").write_text(TEXTS, encoding="utf-8")
    path = folder / "train.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def labels(rows: Dataset) -> list[str]:
    return [class_names(rows)[label] for label in rows["label"]]


def test_texts_in_the_column_of_classes_are_refused(tmp_path: Path) -> None:
    content = "label,text\n정말 좋아요,긍정\n싫어요 진짜,부정\n또 좋네요,긍정\n"
    (tmp_path / "train.csv").write_text(content, encoding="utf-8")
    with pytest.raises(
        DataFormatError, match=r"more classes .* than different texts \(긍정, 부정\), as if each stood"
    ):
        read_dataset(tmp_path, task="sentence-classification")
    read = read_dataset(tmp_path, task="sentence-classification", text_column="label", label_column="text")["train"]
    assert labels(read) == ["긍정", "부정", "긍정"]


@pytest.mark.parametrize(
    ("written", "order"),
    [
        (["10", "2", "0", "11", "1"], ["0", "1", "2", "10", "11"]),
        (["10.5", "-2", "9", "-10"], ["-10", "-2", "9", "10.5"]),
        (["10", "2", "하나"], ["10", "2", "하나"]),  # the alphabet, as not all are numbers
    ],
)
def test_numbers_as_classes_are_in_the_order_of_their_size(
    tmp_path: Path, written: list[str], order: list[str]
) -> None:
    texts = [f"글 {name}" for name in written]
    write_texts(tmp_path, "".join(f"{name}\t{text}\n" for name, text in zip(written, texts)))
    (tmp_path / "validation.txt").write_text(f"{written[0]}\t글\n", encoding="utf-8")
    assert class_names(read_labelled_texts(tmp_path)["train"]) == order
    table = Dataset.from_dict({"text": texts, "label": written})
    assert class_names(read_dataset(None, dataset=table, task="sentence-classification")["train"]) == order
    rows = [LabelledText(name, text, name, tmp_path) for name, text in zip(written, texts)]
    assert class_names(classified_splits({"train": rows})["train"]) == order


def test_a_dataset_may_declare_more_classes_than_it_has_texts() -> None:
    rows = {"text": ["가", "나"], "label": [0, 2]}
    features = Features({"text": Value("string"), "label": ClassLabel(names=["a", "b", "c"])})
    splits = read_dataset(None, dataset=Dataset.from_dict(rows, features=features), task="sentence-classification")
    assert class_names(splits["train"]) == ["a", "b", "c"]


def test_ratings_keep_every_row_and_the_reader_drops_empty_documents(tmp_path: Path) -> None:
    path = write_ratings(tmp_path, RATINGS)
    assert list(read_ratings(path)) == [
        ClassifiedText(id="7", text='"재미 없다', label="negative"),
        ClassifiedText(id="8", text="NA", label="positive"),
        ClassifiedText(id="9", text="", label="positive"),
    ]
    (tmp_path / "ratings_validation.txt").write_text(RATINGS, encoding="utf-8")
    (tmp_path / "ratings_test.txt").write_text(RATINGS, encoding="utf-8")
    splits = read_nsmc(tmp_path)
    assert list(splits) == ["train", "validation", "test"]
    for rows in splits.values():
        assert class_names(rows) == ["negative", "positive"]
        assert rows["id"] == ["7", "8"]
        assert rows["text"] == ['"재미 없다', "NA"]
        assert labels(rows) == ["negative", "positive"]


@pytest.mark.parametrize(("reviews", "kept"), [(200, 190), (21, 19), (19, 18), (2, 1)])
def test_a_twentieth_is_set_aside_for_validation(tmp_path: Path, reviews: int, kept: int) -> None:
    write_ratings(tmp_path, HEADER + "".join(f"{index}\t재미\t1\n" for index in range(reviews)))
    splits = read_nsmc(tmp_path)
    ids = {split: [int(row) for row in rows["id"]] for split, rows in splits.items()}
    assert (len(ids["train"]), len(ids["validation"])) == (kept, reviews - kept)
    assert sorted(ids["train"] + ids["validation"]) == list(range(reviews))
    assert ids["train"] == sorted(ids["train"])  # in the old order
    assert ids["validation"] == sorted(ids["validation"])


def test_the_reviews_for_validation_are_even_over_the_classes_of_a_sorted_file(tmp_path: Path) -> None:
    write_ratings(tmp_path, HEADER + "".join(f"{index}\t재미\t{int(index >= 300)}\n" for index in range(400)))
    validation = read_nsmc(tmp_path)["validation"]
    assert Counter(labels(validation)) == {"negative": 15, "positive": 5}
    assert validation["id"] == read_nsmc(tmp_path)["validation"]["id"]
    assert validation["id"] != [str(index) for index in [*range(285, 300), *range(395, 400)]]


@given(st.lists(st.sampled_from("abc"), min_size=1), st.data())
def test_each_class_has_its_share_of_what_is_drawn(classes: list[str], data: st.DataObject) -> None:
    count = data.draw(st.integers(0, len(classes)))
    drawn = draw_evenly(classes, count, seed=data.draw(st.integers(0, 3)))
    assert len(drawn) == count
    for name, occurrences in Counter(classes).items():
        share = sum(classes[index] == name for index in drawn)
        assert abs(share - count * occurrences / len(classes)) < 1


def test_reviews_for_testing_alone_need_no_others(tmp_path: Path) -> None:
    write_ratings(tmp_path, RATINGS).rename(tmp_path / "ratings_test.txt")
    assert list(read_nsmc(tmp_path)) == ["test"]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("7\t재미\t0\n", 1, r"expected the header 'id\\tdocument\\tlabel', got '7\\t재미\\t0'"),
        (HEADER + "7\t재미\n", 2, "expected id, document and label, got 2 columns"),
        (RATINGS + "7\t재\t미\t0\n", 5, "expected id, document and label, got 4 columns"),
        (RATINGS + "\n", 5, "expected id, document and label, got 1 columns"),
        (HEADER + "7\t재미\t2\n", 2, "expected the label 0 or 1, got '2'"),
        (HEADER + "7\t재미\tpositive\n", 2, "expected the label 0 or 1, got 'positive'"),
        (RATINGS.encode("cp949"), 2, "expected UTF-8, but byte 4 of the line is 0xc0"),
    ],
)
def test_a_malformed_review_is_named(tmp_path: Path, content: str | bytes, line: int, message: str) -> None:
    path = write_ratings(tmp_path, content)
    with pytest.raises(DataFormatError, match=f"{path}, line {line}: {message}"):
        read_nsmc(tmp_path)


def test_texts_and_their_classes_are_read(tmp_path: Path) -> None:
    write_texts(tmp_path, TEXTS)
    (tmp_path / "test.txt").write_text("부정\t재미있다?\n", encoding="utf-8")
    splits = read_labelled_texts(tmp_path)
    assert list(splits) == ["train", "validation", "test"]
    assert all(class_names(rows) == ["긍정", "부정"] for rows in splits.values())
    assert splits["train"]["text"] == ["재미있다", "지루하다"]
    assert splits["train"]["id"] == ["train-1", "train-3"]
    assert labels(splits["train"]) == ["긍정", "부정"]
    assert labels(splits["test"]) == ["부정"]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (TEXTS + "재미\n", 4, "expected a class, a tab and a text, got '재미'"),
        ("긍정\t재\t미\n", 1, r"expected a class, a tab and a text, got '긍정\\t재\\t미'"),
        ("\t재미\n", 1, "expected a class, a tab and a text"),
        ("긍정\t \n", 1, "expected a class, a tab and a text"),
        (TEXTS.encode("cp949"), 1, "expected UTF-8, but byte 1 of the line is 0xb1"),
    ],
)
def test_a_malformed_text_is_named(tmp_path: Path, content: str | bytes, line: int, message: str) -> None:
    path = write_texts(tmp_path, content)
    with pytest.raises(DataFormatError, match=f"{path}, line {line}: {message}"):
        read_labelled_texts(tmp_path)


HEADINGS = ["label\ttext", "라벨\t문장", "Label\tdocument", "class_name\treview", "labels\tutterances_of_users"]
HEADINGS += ['"label"\t"text"', '"라벨"\t"글"']


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_heading_is_left_out_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture, heading: str) -> None:
    write_texts(tmp_path, f"{heading}\n{TEXTS}")
    (tmp_path / "validation.txt").write_text(f"{heading}\n{TEXTS}", encoding="utf-8")
    splits = read_labelled_texts(tmp_path)
    for rows in splits.values():
        assert class_names(rows) == ["긍정", "부정"]
        assert rows["text"] == ["재미있다", "지루하다"]
    said = f"{tmp_path / 'train.txt'}, line 1: the heading {heading!r} was left out"
    assert said in caplog.text


def test_texts_for_testing_alone_need_no_others_and_may_be_of_one_class(tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("긍정\t좋아요\n긍정\t아주 좋아요\n", encoding="utf-8")
    splits = read_labelled_texts(tmp_path)
    assert [*splits] == ["test"]
    assert labels(splits["test"]) == ["긍정", "긍정"]
    (tmp_path / "dev.txt").write_text("부정\t별로예요\n부정\t지루해요\n", encoding="utf-8")
    splits = read_labelled_texts(tmp_path)
    assert class_names(splits["test"]) == class_names(splits["validation"]) == ["긍정", "부정"]


def test_a_class_that_is_called_as_a_heading_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = "감정\t슬프다\n감정\t기쁘다\n사실\t비가 온다\n"
    write_texts(tmp_path, content)
    (tmp_path / "validation.txt").write_text(content, encoding="utf-8")
    assert labels(read_labelled_texts(tmp_path)["train"]) == ["감정", "감정", "사실"]
    assert not caplog.messages


@pytest.mark.parametrize("heading", ["text\tlabel", "문장\t라벨", "document\tlabel"])
def test_a_heading_of_swapped_columns_is_refused(tmp_path: Path, heading: str) -> None:
    path = write_texts(tmp_path, f"{heading}\n재미있다\t긍정\n지루하다\t부정\n")
    with pytest.raises(DataFormatError, match=f"{path}, line 1: expected a class, a tab and a text, but the heading"):
        read_labelled_texts(tmp_path)


def test_swapped_columns_are_refused_in_a_sentence(tmp_path: Path) -> None:
    path = write_texts(tmp_path, "".join(f"{index}번째 글입니다{'.' * 99}\t긍정\n" for index in range(300)))
    with pytest.raises(DataFormatError, match=f"{path}: .* as if the text stood first; line 1 has '0번") as refused:
        read_labelled_texts(tmp_path)
    assert len(str(refused.value)) < 500


def test_a_refusal_names_a_few_classes_of_many(tmp_path: Path) -> None:
    write_texts(tmp_path, "".join(f"{'가' * 60}{index}\t글 {index}\n" for index in range(300)))
    (tmp_path / "validation.txt").write_text(f"{'나' * 2000}\t글\n", encoding="utf-8")
    with pytest.raises(DataFormatError, match="292 more, got '나") as refused:
        read_labelled_texts(tmp_path)
    assert len(str(refused.value)) < 1000
    rows = classified_dataset([ClassifiedText(id="1", text="글", label="1")], [str(index) for index in range(300)])
    with pytest.raises(UserError, match=r"classes 1, first in 1, .* it has 1000, 1001, .*, 192 more") as unknown:
        with_classes(rows, [str(index) for index in range(1000, 1200)])
    assert len(str(unknown.value)) < 300


@pytest.mark.parametrize(
    "written",
    [
        *["긍정 ", " 긍정", "\u200b긍정", "긍\u200b정", "긍정\ufeff", "긍정\u3000", "긍정\u3164", "긍정\b"],
        unicodedata.normalize("NFD", "긍정"),
    ],
)
def test_classes_that_look_the_same_are_one(tmp_path: Path, written: str) -> None:
    write_texts(tmp_path, f"{TEXTS}{written}\t또 보고 싶다\n")
    (tmp_path / "validation.txt").write_text(f"{written}\t재미\n", encoding="utf-8")
    splits = read_labelled_texts(tmp_path)
    assert class_names(splits["train"]) == ["긍정", "부정"]
    assert labels(splits["train"]) == ["긍정", "부정", "긍정"]
    assert labels(splits["validation"]) == ["긍정"]


def test_a_text_of_invisible_characters_is_none(tmp_path: Path) -> None:
    path = write_texts(tmp_path, TEXTS + "긍정\t\u200b\ufeff \n")
    with pytest.raises(DataFormatError, match=f"{path}, line 4: expected a class, a tab and a text"):
        read_labelled_texts(tmp_path)


QUOTED_TEXTS = ["쉼표, 따옴표 없음", '그는 "좋다"고, 했다', '"전부 인용"', "탭\t있는 글", '"', '""', 'a""b', "보통 글"]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
@pytest.mark.parametrize("header", [True, False])
def test_what_pandas_writes_is_read(tmp_path: Path, quoting: Literal[0, 1, 2], header: bool) -> None:
    frame = pandas.DataFrame({"label": ["긍정", "부정"] * 4, "text": QUOTED_TEXTS})
    for name in ("train.txt", "validation.txt"):
        frame.to_csv(tmp_path / name, sep="\t", index=False, quoting=quoting, header=header)
    rows = read_labelled_texts(tmp_path)["train"]
    assert rows["text"] == QUOTED_TEXTS
    assert labels(rows) == ["긍정", "부정"] * 4


@given(st.lists(st.text('"\t가 ,', min_size=1).filter(str.strip), min_size=2, max_size=6, unique=True))
def test_csv_quoting_is_read_where_it_is_sure(texts: list[str]) -> None:
    written = io.StringIO()
    csv.writer(written, delimiter="\t", lineterminator="\n").writerows(("ab"[i % 2], t) for i, t in enumerate(texts))
    lines = list(enumerate(written.getvalue().splitlines(), start=1))
    rows = split_columns(Path("train.txt"), lines, expected="two columns")
    if any('"' in text or "\t" in text for text in texts):
        assert [row.second for row in rows] == texts
    assert [row.first for row in rows] == ["ab"[index % 2] for index in range(len(texts))]


@pytest.mark.parametrize("text", ['"재미 없다', '"전부 인용"', '그는 "좋다"고 했다', '""라고"', '"가" "나"'])
def test_quotes_of_a_file_without_quoting_are_text(tmp_path: Path, text: str) -> None:
    write_texts(tmp_path, f"{TEXTS}긍정\t{text}\n")
    assert read_labelled_texts(tmp_path)["train"]["text"][-1] == text


def test_quotes_as_in_csv_in_some_lines_alone_are_refused(tmp_path: Path) -> None:
    path = write_texts(tmp_path, TEXTS + '긍정\t"그는 ""좋다""고 했다"\n부정\t그는 "싫다"고 했다\n')
    with pytest.raises(DataFormatError, match=rf"{path}, line 5: .* quotes as CSV writes them \(line 4 has them\)"):
        read_labelled_texts(tmp_path)


def test_a_line_break_in_quotes_is_refused(tmp_path: Path) -> None:
    path = write_texts(tmp_path, TEXTS + '긍정\t"두 줄의\n글"\n')
    with pytest.raises(DataFormatError, match=f"{path}, line 5: expected a class, a tab and a text, got '글\"'"):
        read_labelled_texts(tmp_path)


@pytest.mark.parametrize("name", ["validation.txt", "test.txt"])
def test_a_class_that_the_training_texts_lack_is_refused(tmp_path: Path, name: str) -> None:
    write_texts(tmp_path, TEXTS)
    (tmp_path / name).write_text("긍정\t재미\n중립\t그럭저럭\n", encoding="utf-8")
    message = "expected one of the classes of train.txt, 긍정, 부정, got '중립'"
    with pytest.raises(DataFormatError, match=f"{tmp_path / name}, line 2: {message}"):
        read_labelled_texts(tmp_path)


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    path = write_texts(tmp_path, "긍정\t재미\n긍정\t재미\n")
    with pytest.raises(DataFormatError, match=f"{path}: expected texts of at least two classes, got 긍정"):
        read_labelled_texts(tmp_path)


@pytest.mark.parametrize(
    ("reader", "write", "content"),
    [(read_nsmc, write_ratings, RATINGS), (read_labelled_texts, write_texts, TEXTS)],
)
def test_byte_order_mark_and_carriage_returns_are_dropped(
    tmp_path: Path,
    reader: Callable[[Path], DatasetDict],
    write: Callable[[Path, str], Path],
    content: str,
) -> None:
    write(tmp_path, content)
    rows = reader(tmp_path)["train"].to_dict()
    for damaged in ("\ufeff" + content, content.replace("\n", "\r\n")):
        write(tmp_path, damaged)
        assert reader(tmp_path)["train"].to_dict() == rows


@pytest.mark.parametrize(
    ("reader", "write", "content", "message"),
    [
        (read_nsmc, write_ratings, "", "the file is empty"),
        (read_nsmc, write_ratings, HEADER, "expected reviews, found none"),
        (read_labelled_texts, write_texts, "", "the file is empty"),
        (read_labelled_texts, write_texts, "\n \n", "expected texts, found none"),
    ],
)
def test_a_file_without_texts_is_refused(
    tmp_path: Path,
    reader: Callable[[Path], DatasetDict],
    write: Callable[[Path, str], Path],
    content: str,
    message: str,
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(DataFormatError, match=f"{path}: {message}"):
        reader(tmp_path)


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFormatError, match=f"{tmp_path}: expected a folder with ratings_train.txt, ratings_test"):
        read_nsmc(tmp_path)
    (tmp_path / "texts.txt").write_text(TEXTS, encoding="utf-8")
    with pytest.raises(DataFormatError, match=f"{tmp_path}: expected a folder with train.txt"):
        read_labelled_texts(tmp_path)
    with pytest.raises(DataFormatError, match="no such file"):
        list(read_ratings(tmp_path / "ratings.txt"))


def test_without_a_folder_the_ways_out_are_named() -> None:
    with pytest.raises(UserError, match=r"NSMC could not .* the Hub .* connect to the network, or .*--data_dir"):
        read_nsmc(None)
    with pytest.raises(UserError, match=r"folder that holds train.txt, .* by --data_dir"):
        read_labelled_texts(None)


def test_rows_of_the_hub_take_the_same_form() -> None:
    features = Features(
        {"id": Value("string"), "document": Value("string"), "label": ClassLabel(names=["negative", "positive"])}
    )
    columns = {"id": ["7", "8", "9"], "document": ["지루하다", None, "재미있다"], "label": [0, 1, 1]}
    rows = Dataset.from_dict(columns, features=features)
    splits = from_hub_splits(DatasetDict({"train": rows, "test": rows}))
    assert {split: rows["id"][:] for split, rows in splits.items()} == {
        "train": ["9"],
        "validation": ["7"],
        "test": ["7", "9"],
    }
    assert splits["test"]["text"] == ["지루하다", "재미있다"]
    assert labels(splits["test"]) == ["negative", "positive"]


def test_data_with_classes_that_a_model_lacks_is_refused() -> None:
    texts = [ClassifiedText(id="1", text="재미있다", label="b"), ClassifiedText(id="2", text="지루하다", label="a")]
    rows = classified_dataset(texts, ["a", "b", "c"])
    assert with_classes(rows, ["a", "b", "c"]) is rows
    moved = with_classes(rows, ["b", "a"])  # without c, of which there is no text
    assert class_names(moved) == ["b", "a"]
    assert labels(moved) == labels(rows) == ["b", "a"]
    assert moved["text"] == rows["text"][:]
    with pytest.raises(UserError, match=r"has the classes a, b, first in .*, which the model lacks: it has c, d"):
        with_classes(rows, ["c", "d"])


@pytest.mark.slow
@pytest.mark.skipif(not (REAL_DATA / "nsmc").is_dir(), reason="the NSMC files are not at hand")
def test_real_reviews_give_the_known_counts() -> None:
    for name, count in (("ratings_train.txt", 150_000), ("ratings_test.txt", 45_000)):
        reviews = Counter(row["label"] for row in read_ratings(REAL_DATA / "nsmc" / name))
        assert reviews == dict.fromkeys(NSMC_CLASSES, count // 2)
    splits = read_nsmc(REAL_DATA / "nsmc")
    assert {split: rows.num_rows for split, rows in splits.items()} == {
        "train": 142_500,
        "validation": 7_500,
        "test": 45_000,
    }
    assert Counter(labels(splits["validation"])) == dict.fromkeys(NSMC_CLASSES, 3_750)
    assert sum('"' in text for split in ("train", "validation") for text in splits[split]["text"]) == 648
