import json
import unicodedata
from pathlib import Path

import pytest
from datasets import Dataset
from support.tiny_runs import train_demo

from malmoi.data.alignment import Span, spans_to_tags
from malmoi.data.classified_dataset import ClassifiedText, classified_dataset
from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.splits.faults import (
    count_labels,
    count_repeated,
    labels_in_two_cases,
    rare_labels,
    split_faults,
    unlearnable_labels,
)
from malmoi.data.tagged_dataset import TaggedSentence, bio_labels, tagged_dataset

TYPES = ["LC", "PER", "PS"]


CASES = [ClassifiedText(id=name, text="글", label=name) for name in ("good", "Good", "bad", "ｂａｄ")]


def tagged(*names: str, text: str = "가나") -> Dataset:
    """Sentences with one name each, of these types."""
    return tagged_dataset(
        (
            TaggedSentence(id=str(index), text=f"{text}{index}", tags=spans_to_tags([Span(0, 2, name)], len(text) + 1))
            for index, name in enumerate(names)
        ),
        bio_labels(TYPES),
    )


def classified(*classes: str) -> Dataset:
    rows = (ClassifiedText(id=str(index), text=f"글 {index}", label=name) for index, name in enumerate(classes))
    return classified_dataset(rows, ["bad", "god", "good"])


def test_labels_are_counted_by_name() -> None:
    assert count_labels(tagged("PS", "PS", "LC")) == {"PS": 2, "LC": 1}
    assert count_labels(tagged("PS", "PS", "LC").select([0, 2])) == {"PS": 1, "LC": 1}
    assert count_labels(classified("good", "bad", "good")) == {"good": 2, "bad": 1}
    assert count_labels(tagged_dataset([TaggedSentence(id="1", text="가나다", tags=["B", "I", "B"])], ["B", "I"])) == {
        "B": 2,
        "I": 1,
    }


def test_a_label_outside_the_training_data_is_named_with_the_nearest() -> None:
    splits = {"train": tagged("PS", "LC"), "validation": tagged("PER", "PER", "PS"), "test": tagged("PER")}
    said = unlearnable_labels(splits)
    assert said is not None
    assert "lacks: PER (2 in validation, 1 in test; nearest: PS)." in said
    assert unlearnable_labels({**splits, "train": tagged(*TYPES)}) is None
    said = unlearnable_labels({"train": classified("good", "bad"), "validation": classified("god")})
    assert said is not None
    assert "god (1 in validation; nearest: good)" in said


def test_a_label_that_occurs_once_among_many_is_named() -> None:
    assert rare_labels(classified(*["good"] * 20, "god", *["bad"] * 2)) == (
        "labels that may be misspelt in the training data: god (once; nearest: good)."
    )
    assert rare_labels(classified("good", "god", "bad")) is None  # all are rare
    assert rare_labels(classified(*["good"] * 20, "god", "god")) is None


def test_labels_that_differ_in_capitals_or_width_alone_are_named() -> None:
    assert labels_in_two_cases(classified_dataset(CASES, ["Good", "bad", "good", "ｂａｄ"])) == (
        "labels that differ in capitals or width alone are two: Good and good, bad and ｂａｄ."
    )
    assert labels_in_two_cases(classified("good", "god", "bad")) is None


def test_texts_of_the_training_data_are_counted_whatever_their_spaces() -> None:
    train = tagged("PS", "LC", text="가나 다")
    splits = {"train": train, "validation": tagged("PS", text=" 가나  다"), "test": tagged("PS", "PS", text="라")}
    assert count_repeated(splits) == {"validation": 1, "test": 0}
    assert split_faults(splits) == [
        "1 of 1 texts of validation also stand in the training data, so their figures flatter."
    ]


def test_texts_of_the_training_data_are_counted_in_whatever_spelling() -> None:
    train = tagged("PS", text="손흥민은 왔다")
    others = {"validation": unicodedata.normalize("NFD", "손흥민은 왔다"), "test": "손\u200b흥민은 왔다"}
    splits = {"train": train} | {split: tagged("PS", text=text) for split, text in others.items()}
    assert count_repeated(splits) == {"validation": 1, "test": 1}


def test_the_sample_corpus_shows_no_fault() -> None:
    assert split_faults(read_inline_marks(None)) == []


def test_many_labels_are_one_short_sentence() -> None:
    labels = bio_labels([f"{'타입' * 40}{index}" for index in range(200)])
    sentences = [TaggedSentence(id=name, text="가", tags=[name]) for name in labels if name.startswith("B-")]
    said = unlearnable_labels({"train": tagged("PS"), "validation": tagged_dataset(sentences, labels)})
    assert said is not None
    assert "192 more" in said
    assert len(said) < 1000


def test_a_training_says_it_before_its_first_step(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "train.txt").write_text("<손흥민:PS>은 왔다.\n<춘천:LC>에 있다.\n" * 8, encoding="utf-8")
    (data / "validation.txt").write_text("<김민지:PER>은 왔다.\n<춘천:LC>에  있다.\n", encoding="utf-8")
    folder = train_demo(tmp_path / "run", data_dir=data)
    assert "lacks: PER (1 in validation; nearest: PS)" in caplog.text
    assert "1 of 2 texts of validation also stand in the training data" in caplog.text
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["data"]["also_in_training"] == {"validation": 1}
