"""Missing splits: cut by the seed, evenly over types, documents together."""

from collections import Counter
from pathlib import Path

import pytest
from datasets import DatasetDict
from hypothesis import given
from hypothesis import strategies as st

from malmoi.data.alignment import Span
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.split_cutting import cut, with_missing_splits
from malmoi.data.split_files import split_files, split_of
from malmoi.data.tagged_dataset import label_names, names_in
from malmoi.data.text_lines import DataFormatError


def sentences(count: int, *, types: list[str], documents: int | None = None) -> list[MarkedText]:
    """Return sentences, each with one name, of types in turn."""
    return [
        MarkedText(
            id=f"s-{number}",
            text=f"이름{number} 왔다.",
            spans=[Span(0, 2 + len(str(number)), types[number % len(types)])],
            path="made.jsonl",
            line=number + 1,
            document=None if documents is None else f"d{number % documents}",
        )
        for number in range(count)
    ]


def test_a_tenth_each_becomes_validation_and_test_evenly_over_types(caplog: pytest.LogCaptureFixture) -> None:
    rows = sentences(300, types=["PS", "PS", "LC", "PS", "OG"])
    whole = marked_splits({"train": rows})
    splits = with_missing_splits(whole, seed=42)
    assert {name: part.num_rows for name, part in splits.items()} == {"train": 240, "validation": 30, "test": 30}
    assert "30 validation and 30 test sentences are cut from the training set" in caplog.text
    for part in splits.values():
        names = label_names(part)
        counts = Counter(names[tags[0]] for tags in part["tags"])
        assert [counts[f"B-{name}"] / part.num_rows for name in ("PS", "LC", "OG")] == pytest.approx([0.6, 0.2, 0.2])
    assert sorted(text for part in splits.values() for text in part["text"]) == sorted(whole["train"]["text"])
    again = with_missing_splits(whole, seed=42)
    assert all(again[name]["text"][:] == splits[name]["text"][:] for name in splits)
    assert with_missing_splits(whole, seed=43)["test"]["text"][:] != splits["test"]["text"][:]


def test_what_is_divided_stays_as_it_is() -> None:
    rows = sentences(40, types=["PS"])
    with_test = with_missing_splits(marked_splits({"train": rows[:30], "test": rows[30:]}), seed=1)
    assert with_test["test"]["text"][:] == [row.text for row in rows[30:]]
    assert with_test["validation"].num_rows == 3
    whole = marked_splits({"train": rows[:30], "validation": rows[30:]})
    assert list(with_missing_splits(whole, seed=1)) == ["train", "validation"]
    assert list(with_missing_splits(DatasetDict({"test": whole["train"]}), seed=1)) == ["test"]


@given(count=st.integers(2, 60), documents=st.integers(2, 12), seed=st.integers(0, 2**32 - 1))
def test_documents_and_equal_sentences_stay_together(count: int, documents: int, seed: int) -> None:
    rows = sentences(count, types=["PS", "LC"], documents=min(documents, count))
    parts = cut(marked_splits({"train": rows})["train"], ["validation", "test"], seed=seed)
    seen = [{*part["document"]} for part in parts.values()]
    assert sum(map(len, seen)) == len(set().union(*seen))
    assert parts["train"].num_rows > 0
    doubled = marked_splits({"train": [*sentences(count, types=["PS"]), *sentences(count, types=["PS"])]})["train"]
    texts = [{*part["text"]} for part in cut(doubled, ["validation"], seed=seed).values()]
    assert sum(map(len, texts)) == count


def test_types_are_one_set_and_names_are_checked() -> None:
    splits = marked_splits({"train": sentences(2, types=["PS"]), "test": sentences(2, types=["LC"])})
    assert label_names(splits["train"]) == ["B-LC", "I-LC", "B-PS", "I-PS", "O"]
    assert names_in(splits["test"]) == {"이름0", "이름1"}
    row = MarkedText(id="1", text="서울", spans=[Span(1, 3, "LC")], path="a.jsonl", line=7)
    with pytest.raises(DataFormatError, match=r"a.jsonl, line 7: expected a name within the text of 2 characters"):
        marked_splits({"train": [row]})
    overlapping = row._replace(spans=[Span(0, 2, "LC"), Span(1, 2, "OG")])
    with pytest.raises(
        DataFormatError, match=r"line 7: expected names that do not overlap, but OG '울' begins within"
    ):
        marked_splits({"train": [overlapping]})


def test_files_tell_their_split_by_their_names(tmp_path: Path) -> None:
    assert [
        split_of(name) for name in ("train", "klue-ner_dev", "TEST_01", "training.set", "trainer", "dev-test")
    ] == [
        "train",
        "validation",
        "test",
        "train",
        None,
        None,
    ]
    for name in ("a/x.jsonl", "b/y.jsonl", ".hidden/z.jsonl", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = split_files(tmp_path, (".jsonl",), expected="files")
    assert {split: [path.name for path in paths] for split, paths in found.items()} == {
        "train": ["x.jsonl", "y.jsonl"]
    }
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/v.jsonl").touch()
    (tmp_path / "train-1.jsonl").touch()
    found = split_files(tmp_path, (".jsonl",), expected="files")
    assert {split: [path.name for path in paths] for split, paths in found.items()} == {
        "train": ["train-1.jsonl"],
        "validation": ["v.jsonl"],
    }
    with pytest.raises(DataFormatError, match=r"expected a folder with files \.conll"):
        split_files(tmp_path, (".conll",), expected="a folder with files .conll")
