"""What is written as a dataset is read as the same again, by this reader and by `datasets` alone."""

import tempfile
from pathlib import Path

from datasets import ClassLabel, DatasetDict, load_dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from support.property_tests import examples

from malmoi.data.alignment import Span
from malmoi.data.classified_dataset import class_name, classified_dataset
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.readers.dataset import read_dataset
from malmoi.data.tagged_dataset import tagged_dataset
from malmoi.data.word_spacing import SPACING_LABELS, split_spaces
from malmoi.data.writers.dataset import write_dataset

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
TYPES = ["PS", "LC", "사람"]


@st.composite
def sentences(draw: st.DrawFn) -> MarkedText:
    text = draw(TEXTS)
    edges = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    spans = [Span(start, end, draw(st.sampled_from(TYPES))) for start, end in zip(edges[::2], edges[1::2])]
    number = draw(st.integers(0, 10**6))
    return MarkedText(id=f"s-{number}", text=text, spans=spans, path="drawn", document=draw(st.sampled_from("ab")))


def again(splits: DatasetDict, *, task: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = write_dataset(splits, Path(folder) / "new")
        assert [path.name for path in paths] == [f"{split}.parquet" for split in splits]
        assert sorted(path.name for path in (Path(folder) / "new").iterdir()) == sorted(path.name for path in paths)
        read = read_dataset(Path(folder) / "new", task=task)
        assert list(read) == list(splits)
        for split, rows in splits.items():
            assert read[split].features == rows.features
            assert read[split][:] == rows[:]


@settings(max_examples=examples(40))
@given(train=st.lists(sentences(), min_size=1, max_size=4), test=st.lists(sentences(), min_size=1, max_size=2))
def test_names_are_the_same_again(train: list[MarkedText], test: list[MarkedText]) -> None:
    named = MarkedText(id="named", text="이순신", spans=[Span(0, 3, "PS")], path="here", document="a")
    again(marked_splits({"train": [named, *train], "test": test}), task="named-entities")


@settings(max_examples=examples(40))
@given(st.lists(st.tuples(TEXTS.filter(class_name), st.sampled_from(["나쁨", "좋음", "0"])), min_size=1))
def test_classes_are_the_same_again(rows: list[tuple[str, str]]) -> None:
    texts = [{"id": f"t-{number}", "text": text, "label": label} for number, (text, label) in enumerate(rows)]
    again(DatasetDict({"train": classified_dataset(texts, ["좋음", "0", "나쁨"])}), task="sentence-classification")


@settings(max_examples=examples(40))
@given(st.lists(TEXTS.filter(lambda text: bool(text.split())), min_size=1))
def test_spaced_texts_are_the_same_again(texts: list[str]) -> None:
    spaced = [split_spaces(text) for text in texts]
    rows = [{"id": f"t-{n}", "text": text, "tags": tags} for n, (text, tags) in enumerate(spaced)]
    again(DatasetDict({"train": tagged_dataset(rows, SPACING_LABELS)}), task="word-spacing")


def test_others_find_the_splits_the_tokens_and_the_names_of_tags(tmp_path: Path) -> None:
    row = MarkedText(id="1", text="김 씨", spans=[Span(0, 1, "PS")], path="here")
    write_dataset(marked_splits({"train": [row], "validation": [row]}), tmp_path)
    loaded = load_dataset(str(tmp_path), cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == ["train", "validation"]
    assert loaded["train"].features["ner_tags"].feature == ClassLabel(names=["B-PS", "I-PS", "O"])
    assert loaded["train"][0] == {"id": "1", "text": "김 씨", "tokens": ["김", " ", "씨"], "ner_tags": [0, 2, 2]}
