"""Datasets: whatever they are stored in, the same columns lead to the same sentences."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value
from support.tagged_rows import spans_of

from malmoi.data.alignment import Span
from malmoi.data.classified_dataset import class_names
from malmoi.data.readers import READERS, likely_tasks, read_splits
from malmoi.data.readers.dataset import read_dataset
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.tagged_dataset import label_names
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import join_words
from malmoi.training.from_python import read_data

TAGS = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
KLUE = Features(
    {"sentence": Value("string"), "tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=TAGS))}
)
WORDS = {
    "tokens": [["손흥민은", "춘천에서", "태어났다"], ["비가", "왔다"]],
    "tags": [["B-PS", "B-LC", "O"], ["O", "O"]],
}
TEXT = "손흥민은 춘천에서 태어났다"
ENTITIES = [Span(0, 4, "PS"), Span(5, 9, "LC")]


def klue() -> Dataset:
    """Return two sentences as KLUE has them on the Hub."""
    texts = [TEXT, "비가 왔다"]
    return Dataset.from_dict(
        {
            "sentence": ["<손흥민:PS>은 <춘천:LC>에서 태어났다", "비가 왔다"],
            "tokens": [list(text) for text in texts],
            "ner_tags": [[0, 1, 1, 4, 4, 2, 3, *[4] * 7], [4] * 5],
        },
        features=KLUE,
    )


def read(dataset: object, **options: Any) -> DatasetDict:
    return read_dataset(None, task="named-entities", dataset=dataset, **options)


def saved_dict(rows: Dataset, folder: Path) -> Path:
    DatasetDict({"train": rows}).save_to_disk(folder / "saved")
    return folder / "saved"


def saved(rows: Dataset, folder: Path) -> Path:
    rows.save_to_disk(folder / "one")
    return folder / "one"


def parquet(rows: Dataset, folder: Path) -> Path:
    rows.to_parquet(folder / "rows.parquet")
    return folder / "rows.parquet"


def parquet_of_others(rows: Dataset, folder: Path) -> Path:
    """Without what `datasets` knows of features: tags are texts."""
    names = rows.features["ner_tags"].feature.names
    table = rows.to_pandas()
    table["ner_tags"] = [[names[tag] for tag in tags] for tags in table["ner_tags"]]
    (folder / "data").mkdir()
    table.to_parquet(folder / "data/train-00000-of-00001.parquet")
    return folder


def arrow(rows: Dataset, folder: Path) -> Path:
    return next(saved(rows, folder).glob("*.arrow"))


def json_lines(rows: Dataset, folder: Path) -> Path:
    names = rows.features["ner_tags"].feature.names
    lines = [json.dumps({**row, "ner_tags": [names[tag] for tag in row["ner_tags"]]}) for row in rows]
    (folder / "train.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.mark.parametrize("stored", [saved_dict, saved, parquet, parquet_of_others, arrow, json_lines])
def test_the_form_of_klue_is_read_from_whatever_holds_it(
    stored: Callable[[Dataset, Path], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = stored(klue(), tmp_path)
    splits = read(str(place))
    assert list(splits) == ["train"]
    assert splits["train"]["text"][:] == [TEXT, "비가 왔다"]
    assert spans_of(splits["train"]) == [[Span(0, 3, "PS"), Span(5, 7, "LC")], []]
    assert label_names(splits["train"]) == ["B-LC", "I-LC", "B-PS", "I-PS", "O"]
    assert (
        "the tags in 'ner_tags' are BIO (IOB2), and nothing stands between tokens, by what they look like (otherwise "
        "--token_separator ' ')." in caplog.text
    )
    by_folder = read_dataset(place, task="named-entities")
    assert by_folder["train"][:] == splits["train"][:]


def test_words_have_spaces_between_them_and_other_tokens_what_is_said(caplog: pytest.LogCaptureFixture) -> None:
    rows = Dataset.from_dict(WORDS)
    splits = read(rows)
    assert splits["train"]["text"][:] == [TEXT, "비가 왔다"]
    assert spans_of(splits["train"])[0] == ENTITIES
    assert "the tags in 'tags' are BIO (IOB2), and a space stands between tokens, by what" in caplog.text
    joined = read(rows, token_separator="")["train"]
    assert joined["text"][0] == TEXT.replace(" ", "")
    assert spans_of(joined)[0] == [Span(0, 4, "PS"), Span(4, 8, "LC")]


@pytest.mark.parametrize(
    "tags",
    [
        ["B-PS", "I-PS", "B-PS", "O"],
        ["PS-B", "PS-I", "PS-B", "O"],
        ["B-PS", "E-PS", "S-PS", "O"],
        ["B-PS", "L-PS", "U-PS", "O"],
        ["I-PS", "I-PS", "B-PS", "O"],
    ],
)
def test_tags_of_every_scheme_are_the_same_names(tags: list[str]) -> None:
    splits = read(Dataset.from_dict({"words": [["이", "강인과", "손흥민은", "왔다"]], "labels": [tags]}))
    assert spans_of(splits["train"]) == [[Span(0, 5, "PS"), Span(6, 10, "PS")]]


SPANS = [
    [{"start": 0, "end": 4, "label": "PS"}, {"start": 5, "end": 9, "label": "LC"}],
    [{"start_offset": 0, "end_offset": 4, "type": "PS"}, {"start_offset": 5, "end_offset": 9, "type": "LC"}],
    [{"begin": 0, "end": 4, "entity": "PS"}, {"begin": 5, "end": 9, "entity": "LC"}],
    {"start": [0, 5], "end": [4, 9], "label": ["PS", "LC"]},
    {"start": [0, 5], "end": [4, 9], "label": ["PS", "LC"], "text": ["손흥민은", "춘천에서"]},
    [{"start": 0.0, "end": 4.0, "label": "PS"}, {"start": 5.0, "end": 9.0, "label": "LC"}],
    [["0", "4", "PS"], ["5", "9", "LC"]],
]


@pytest.mark.parametrize("spans", SPANS)
@pytest.mark.parametrize("name", ["entities", "spans", "labels"])
def test_spans_of_a_text_are_lists_or_mappings(spans: Any, name: str) -> None:
    splits = read(Dataset.from_dict({"id": ["a"], "text": [TEXT], name: [spans]}))
    assert (splits["train"]["text"][:], splits["train"]["id"][:]) == ([TEXT], ["a"])
    assert spans_of(splits["train"]) == [ENTITIES]


def test_spans_of_json_and_of_numbered_types(tmp_path: Path) -> None:
    line = {"text": TEXT, "label": [[0, 4, "PS"], [5, 9, "LC"]]}
    (tmp_path / "train.json").write_text(json.dumps([line, {"text": "비가 왔다", "label": []}]), encoding="utf-8")
    assert spans_of(read(tmp_path)["train"]) == [ENTITIES, []]
    kinds = Features(
        {
            "text": Value("string"),
            "entities": List(
                {"start": Value("int64"), "end": Value("int64"), "label": ClassLabel(names=["LC", "PS"])}
            ),
        }
    )
    rows = Dataset.from_dict({"text": [TEXT], "entities": [[{"start": 0, "end": 4, "label": 1}]]}, features=kinds)
    assert spans_of(read(rows)["train"]) == [ENTITIES[:1]]


def test_columns_are_told_by_what_they_hold_and_then_by_their_names() -> None:
    rows = klue()
    beside = rows.add_column("pos_tags", [["X"] * len(tokens) for tokens in rows["tokens"]])
    beside = beside.add_column("langs", [["ko"] * len(tokens) for tokens in rows["tokens"]])
    assert spans_of(read(beside)["train"])[0] == [Span(0, 3, "PS"), Span(5, 7, "LC")]
    two = rows.add_column("tags", [["O"] * len(tokens) for tokens in rows["tokens"]])
    with pytest.raises(UserError, match=r"^the dataset \(train\)?.*: ner_tags, tags may all be a column with tags or"):
        read(DatasetDict({"train": two}))
    with pytest.raises(UserError, match=r"ner_tags, tags may all be .*; say which by --label_column\.$"):
        read(two)
    assert spans_of(read(two, label_column="ner_tags")["train"])[0] == [Span(0, 3, "PS"), Span(5, 7, "LC")]
    strange = rows.rename_columns({"tokens": "a", "ner_tags": "b"})
    assert spans_of(read(strange)["train"])[0] == [Span(0, 3, "PS"), Span(5, 7, "LC")]
    marked = read(strange, text_column="a", label_column="b")
    assert marked["train"]["text"][0] == TEXT


def test_splits_go_by_their_names_and_others_are_left_out_aloud(caplog: pytest.LogCaptureFixture) -> None:
    rows = klue()
    names = ("train", "dev", "test", "unsupervised", "validation_matched")
    splits = read(DatasetDict(dict.fromkeys(names, rows)))
    assert list(splits) == ["train", "validation", "test"]
    assert "neither train, validation nor test are left out: unsupervised (2 rows), validation_m" in caplog.text
    assert list(read({"train_sft": rows, "test_sft": rows})) == ["train", "test"]
    assert list(read(DatasetDict({"all": rows}))) == ["train"]
    with pytest.raises(UserError, match="expected splits called train, validation or test, got ko, en"):
        read(DatasetDict({"ko": rows, "en": rows}))


def test_what_is_missing_is_cut_with_documents_together() -> None:
    rows = Dataset.from_dict(
        {
            "doc_id": [number // 5 for number in range(100)],
            "text": [f"서울 {number}번지" for number in range(100)],
            "entities": [[{"start": 0, "end": 2, "label": "LC"}]] * 100,
        }
    )
    assert read(rows)["train"]["document"][:7] == ["0"] * 5 + ["1"] * 2
    splits = read_splits("dataset", None, task="named-entities", options=options(dataset=rows))
    assert {split: part.num_rows for split, part in splits.items()} == {"train": 80, "validation": 10, "test": 10}
    documents = [{int(text[3:-2]) // 5 for text in part["text"]} for part in splits.values()]
    assert sum(map(len, documents)) == 20


def options(**given: Any) -> Any:
    from malmoi.data.readers.reading_options import ReadingOptions

    return ReadingOptions(**given)


@pytest.mark.parametrize(
    ("labels", "feature", "classes"),
    [
        (["좋음", "나쁨", "좋음"], Value("string"), ["나쁨", "좋음"]),
        ([1, 0, 1], ClassLabel(names=["좋음", "나쁨"]), ["좋음", "나쁨"]),
        ([1, 0, 1], Value("int64"), ["0", "1"]),
        ([True, False, True], Value("bool"), ["false", "true"]),
    ],
)
@pytest.mark.parametrize("text", ["text", "sentence", "document", "review", "content", "문장"])
def test_classes_are_names_or_numbers(labels: list[Any], feature: Any, classes: list[str], text: str) -> None:
    kinds = Features({text: Value("string"), "label": feature})
    rows = Dataset.from_dict({text: ["재미있다", "지루하다", "최고다"], "label": labels}, features=kinds)
    splits = read_dataset(None, task="sentence-classification", dataset={"train": rows, "test": rows})
    assert class_names(splits["train"]) == classes
    named = [classes[label] for label in splits["train"]["label"]]
    expected = [feature.int2str(label) if isinstance(feature, ClassLabel) else str(label).lower() for label in labels]
    assert named == expected
    assert splits["train"]["text"][:] == ["재미있다", "지루하다", "최고다"]


@pytest.mark.parametrize(
    ("kinds", "classes"),
    [
        ((ClassLabel(names=["a", "c", "b"]), ClassLabel(names=["b", "a"])), ["a", "c", "b"]),
        ((ClassLabel(names=["b", "a"]), ClassLabel(names=["c", "b"])), ["b", "a", "c"]),
        ((ClassLabel(names=["c", "a"]), Value("string")), ["a", "b", "c"]),
        ((Value("string"), ClassLabel(names=["c", "a"])), ["a", "b", "c"]),
    ],
)
def test_every_file_may_number_its_classes_in_its_own_way(
    kinds: tuple[Any, Any], classes: list[str], tmp_path: Path
) -> None:
    expected = []
    for index, kind in enumerate(kinds):
        labels = kind.names if isinstance(kind, ClassLabel) else ["b"]
        features = Features({"text": Value("string"), "label": kind})
        texts = [f"글 {index} {label}" for label in labels]
        Dataset.from_dict({"text": texts, "label": labels}, features=features).to_parquet(
            tmp_path / f"train-{index}.parquet"
        )
        expected += zip(texts, labels)
    rows = read_dataset(tmp_path, task="sentence-classification")["train"]
    assert class_names(rows) == classes
    assert [(row["text"], classes[row["label"]]) for row in rows] == expected


def test_numbers_without_names_are_no_classes_beside_named_ones(tmp_path: Path) -> None:
    for index, kind in enumerate((ClassLabel(names=["a", "b"]), Value("int64"))):
        features = Features({"text": Value("string"), "label": kind})
        rows = Dataset.from_dict({"text": ["하나", "둘"], "label": [0, 1]}, features=features)
        rows.to_parquet(tmp_path / f"train-{index}.parquet")
    with pytest.raises(UserError, match=r"train-1\.parquet, row 1: expected classes of one kind in 'label', text or "):
        read_dataset(tmp_path, task="sentence-classification")


def test_a_split_whose_classes_are_secret_is_left_out_aloud(caplog: pytest.LogCaptureFixture) -> None:
    kinds = Features({"text": Value("string"), "label": ClassLabel(names=["a", "b"])})
    rows = Dataset.from_dict({"text": ["하나", " ", "둘"], "label": [0, 1, 1]}, features=kinds)
    secret = Dataset.from_dict({"text": ["하나"], "label": [-1]}, features=kinds)
    splits = read_dataset(None, task="sentence-classification", dataset={"train": rows, "test": secret})
    assert (list(splits), splits["train"]["text"][:]) == (["train"], ["하나", "둘"])
    assert "the dataset (test) is left out: its classes are not told (-1)." in caplog.text
    assert "the dataset (train): 1 rows without text are left out, the first is row 2." in caplog.text


def test_csv_is_text_as_it_stands(tmp_path: Path) -> None:
    content = 'id,review,label\r\n01,"그는 ""좋다""고,\r\n말했다",1\r\n02,null,0\r\n'
    (tmp_path / "train.csv").write_bytes(b"\xef\xbb\xbf" + content.encode())
    splits = read_dataset(tmp_path, task="sentence-classification")
    assert splits["train"]["text"][:] == ['그는 "좋다"고,\n말했다', "null"]
    assert (splits["train"]["id"][:], class_names(splits["train"])) == (["01", "02"], ["0", "1"])
    (tmp_path / "train.csv").write_text("문장;분류\n하나;좋음\n둘;나쁨\n", encoding="utf-8")
    assert read_dataset(tmp_path, task="sentence-classification")["train"]["text"][:] == ["하나", "둘"]


def test_columns_of_csv_without_a_name_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(",text,label,,\n0,하나,좋음,,\n1,둘,나쁨,,\n", encoding="utf-8")
    data = read_dataset(tmp_path, task="sentence-classification")["train"]
    assert (data["text"], data["label"]) == (["하나", "둘"], [1, 0])


def test_a_quote_is_a_quote_in_tsv_unless_it_is_that_of_csv(tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    path.write_text('text\tlabel\n"최고\t1\n별로"\t0\n', encoding="utf-8")
    assert read_dataset(path, task="sentence-classification")["train"]["text"][:] == ['"최고', '별로"']
    path.write_text('text\tlabel\n"그는 ""최고""라고"\t1\n별로\t0\n', encoding="utf-8")
    assert read_dataset(path, task="sentence-classification")["train"]["text"][:] == ['그는 "최고"라고', "별로"]


def test_texts_alone_are_for_word_spacing(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text('text\n오늘은 날씨가  좋다\n" "\n집에 갔다\n', encoding="utf-8")
    rows = read_dataset(tmp_path, task="word-spacing")["train"]
    names = label_names(rows)
    spaced = [join_words(row["text"], [names[tag] for tag in row["tags"]]) for row in rows]
    assert spaced == ["오늘은 날씨가 좋다", "집에 갔다"]
    assert rows["id"][:] == ["train-2", "train-4"]


def test_a_folder_of_files_is_divided_by_their_names(tmp_path: Path) -> None:
    for name in ("train-00000-of-00002", "train-00001-of-00002", "dev-00000-of-00001"):
        klue().to_parquet(tmp_path / f"{name}.parquet")
    splits = read(tmp_path)
    assert {split: rows.num_rows for split, rows in splits.items()} == {"train": 4, "validation": 2}


def test_the_reader_serves_three_tasks() -> None:
    assert READERS["dataset"].tasks == ("named-entities", "sentence-classification", "word-spacing")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"text": str, "category": str, "sentiment": str},
            r"category, sentiment may all be .*; say which by --label_column",
        ),
        ({"review": str, "rating": int}, "nothing tells what rating is beside the texts; .*--task word-spacing"),
        ({"내용": str, "평점": float, "date": str}, "nothing tells what 평점, date are beside the texts"),
        (
            {"question": str, "answer": str, "label": str},
            r"question, answer may all be .*; say which by --text_column",
        ),
        (
            {"title": str, "body": str},
            r"train\.\w+: title, body may all be .*; say which by --text_column",
        ),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_that_may_be_meant_are_not_left_out_for_word_spacing(
    columns: dict[str, type], message: str, suffix: str, tmp_path: Path
) -> None:
    frame = pd.DataFrame({name: [kind(number) for number in range(1, 6)] for name, kind in columns.items()})
    frame = frame.assign(
        **{name: [f"{name} {n}번 문장" for n in range(5)] for name in ("text", "review") if name in frame}
    )
    path = tmp_path / f"train.{suffix}"
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    with pytest.raises(UserError, match=message):
        read_data(path, reader="dataset")


def test_texts_beside_ids_and_documents_are_for_word_spacing(tmp_path: Path) -> None:
    pd.DataFrame({"id": [7, 8], "doc_id": [1, 1], "text": ["비가 왔다.", "집에 갔다."]}).to_csv(tmp_path / "train.csv")
    assert likely_tasks("dataset", tmp_path) == ("word-spacing",)


@pytest.mark.parametrize(
    "beside",
    [
        {"Unnamed: 0": [0, 1]},
        {"__index_level_0__": [4, 9]},
        {"at": pd.to_datetime(["2026-01-01", "2026-01-02"])},
        {"vector": [[0.1, 0.2], [0.3, 0.4]]},
        {"meta": [{"page": 1}, {"page": 2}]},
        {"title": ["비", "집"]},
    ],
)
def test_what_cannot_be_learned_beside_texts_is_not_asked_about(beside: dict[str, Any], tmp_path: Path) -> None:
    pd.DataFrame({"body": ["비가 왔다.", "집에 갔다."], **beside}).to_parquet(tmp_path / "train.parquet")
    options = ReadingOptions(text_column="body")
    assert likely_tasks("dataset", tmp_path, options=options) == ("word-spacing",)


def test_a_column_of_labels_that_is_not_there_is_not_taken_for_texts_alone(tmp_path: Path) -> None:
    pd.DataFrame({"text": ["비가 왔다."], "rating": [3]}).to_csv(tmp_path / "train.csv", index=False)
    with pytest.raises(UserError, match="has no column 'ratin'; did you mean 'rating'"):
        read_data(tmp_path, reader="dataset", label_column="ratin")


def test_columns_of_kinds_that_datasets_lacks_are_passed_over(tmp_path: Path) -> None:
    scores = pa.array([[("긍정", 0.9)], [("부정", 0.8)]], pa.map_(pa.string(), pa.float64()))
    table = pa.table({"text": ["좋다", "나쁘다"], "label": ["긍정", "부정"], "scores": scores})
    pq.write_table(table, tmp_path / "train.parquet")
    rows = read_dataset(tmp_path, task="sentence-classification")["train"]
    assert (class_names(rows), rows["text"]) == (["긍정", "부정"], ["좋다", "나쁘다"])


@pytest.mark.parametrize(
    ("columns", "documents"),
    [
        ({"doc_id": pa.array([1.0, None, 1.0])}, ["1", None, "1"]),
        ({"doc_id": pa.array([1.0, float("nan"), 1.5])}, ["1", None, "1.5"]),
        ({"doc_id": pa.array(["가", "", "가"])}, ["가", None, "가"]),
        ({"doc_id": pa.array([" ", "가", "\u00a0"])}, [None, "가", None]),
        (
            {"document": pa.array([0, None, 0], pa.timestamp("s"))},
            ["1970-01-01 00:00:00", None, "1970-01-01 00:00:00"],
        ),
        ({"doc_id": pa.array([7, 8, 7]), "doc_name": pa.array(["가", "나", "가"])}, ["7", "8", "7"]),
    ],
)
def test_documents_are_told_by_values_of_any_kind(
    columns: dict[str, pa.Array], documents: list[str | None], tmp_path: Path
) -> None:
    for task, labels in (
        ("named-entities", {"entities": [[{"start": 0, "end": 2, "label": "LC"}]] * 3}),
        ("sentence-classification", {"label": ["좋음", "나쁨", "좋음"]}),
    ):
        pq.write_table(pa.table({"text": ["서울", "부산", "대구"], **labels, **columns}), tmp_path / "train.parquet")
        assert read_dataset(tmp_path, task=task)["train"]["document"][:] == documents


@pytest.mark.parametrize("first", ["오늘은 날씨가 좋다", "좋다.", '"좋다, 정말"', "좋다,,"])
def test_the_first_text_of_csv_without_a_heading_is_not_lost_as_one(first: str, tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    rest = ",," if first.endswith(",,") else ""
    path.write_text(f"{first}\n집에 갔다{rest}\n비가 왔다{rest}\n", encoding="utf-8")
    with pytest.raises(
        UserError, match=r"train\.csv: expected a heading with a name that tells the texts, .* '좋다|오"
    ):
        read_dataset(path, task="word-spacing")
    assert likely_tasks("dataset", path) == ("word-spacing",)
    named = {'"좋다, 정말"': "좋다, 정말", "좋다,,": "좋다"}.get(first, first)
    rows = read_dataset(path, task="word-spacing", text_column=named)["train"]
    assert rows["text"][:] == ["집에갔다", "비가왔다"]


@pytest.mark.parametrize(
    "heading",
    [
        "text",
        "문장",
        "리뷰 내용",
        "body",
        "Review_Text",
        "상담 내용",
        "고객리뷰",
        "기사 제목",
        "문장1",
        "sns 글",
        "트윗",
    ],
)
def test_what_may_head_texts_heads_csv_of_one_column(heading: str, tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(f"{heading}\n집에 갔다\n", encoding="utf-8")
    assert read_dataset(tmp_path, task="word-spacing")["train"].num_rows == 1


def test_a_column_beside_the_index_of_pandas_is_headed(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(",민원인 말씀\n0,집에 갔다\n", encoding="utf-8")
    assert read_dataset(tmp_path, task="word-spacing")["train"].num_rows == 1


def test_offsets_may_be_texts_beside_the_type(tmp_path: Path) -> None:
    """Parquet holds lists of one kind alone."""
    rows = {"text": ["손흥민은 춘천에서 왔다."] * 2, "entities": [[["5", "7", "LC"]], [["5.0", "7e0", "LC"]]]}
    Dataset.from_dict(rows).to_parquet(str(tmp_path / "train.parquet"))
    train = read_dataset(tmp_path, task="named-entities")["train"]
    assert train["tags"][0] == train["tags"][1]
    assert len({*train["tags"][0]}) == 3


def test_whole_numbers_that_pandas_has_made_floats_are_classes(tmp_path: Path) -> None:
    features = Features({"text": Value("string"), "label": Value("float64"), "score": Value("float64")})
    rows = {"text": ["하나", "둘"], "label": [1.0, 0.0], "score": [0.5, 0.7]}
    Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "train.parquet")
    assert likely_tasks("dataset", tmp_path) == ("sentence-classification",)
    data = read_dataset(tmp_path, task="sentence-classification")["train"]
    assert (class_names(data), data["label"][:]) == (["0", "1"], [1, 0])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.5, "expected classes of one kind in 'label', text or whole numbers, got '0.5'."),
        (
            float("nan"),
            "expected a value in the column 'label', but there is a null; leave such rows out",
        ),
    ],
)
def test_other_floats_are_no_classes(value: float, message: str) -> None:
    rows = Dataset.from_dict({"text": ["하나", "둘"], "label": [1.0, value]})
    with pytest.raises(UserError, match=f"row 2: {message}"):
        read_dataset(None, task="sentence-classification", dataset=rows)


def test_floats_are_no_classes_beside_a_column_that_has_some() -> None:
    rows = Dataset.from_dict({"text": ["하나", "둘"], "sentiment": [0.5, 0.7], "label": ["좋음", "나쁨"]})
    assert class_names(read_dataset(None, task="sentence-classification", dataset=rows)["train"]) == ["나쁨", "좋음"]


def test_a_column_document_beside_texts_names_what_they_are_part_of(tmp_path: Path) -> None:
    rows = {"id": ["a", "b"], "document": ["기사 1", "기사 2"], "text": ["하나", "둘"], "label": ["좋음", "나쁨"]}
    Dataset.from_dict(rows).to_csv(tmp_path / "train.csv")
    data = read_dataset(tmp_path, task="sentence-classification")["train"]
    assert (data["text"][:], data["document"][:]) == (rows["text"], rows["document"])
    # where nothing else is called so, it is the text, and of a title nobody knows
    del rows["text"]
    alone = read_dataset(None, task="sentence-classification", dataset=Dataset.from_dict(rows))["train"]
    assert alone["text"][:] == rows["document"]
    with pytest.raises(UserError, match="document, title may all be a column with texts"):
        read_dataset(
            None, task="sentence-classification", dataset=Dataset.from_dict({**rows, "title": ["하나", "둘"]})
        )
