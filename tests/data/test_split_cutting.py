"""Missing splits: cut by the seed, evenly over types, documents together."""

import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict
from hypothesis import example, given
from hypothesis import strategies as st

from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.classified_dataset import classified_dataset
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.readers import READERS
from malmoi.data.splits.cutting import Cut, cut, cut_of, with_missing_splits
from malmoi.data.splits.files import split_files, split_of
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


def counted(part: Dataset) -> Counter[str]:
    names = label_names(part)
    return Counter(span.label for tags in part["tags"] for span in tags_to_spans([names[tag] for tag in tags]))


def lines(texts: Iterable[tuple[str, list[Span], str | None]]) -> Dataset:
    rows = [
        MarkedText(id=str(number), text=text, spans=spans, path="made", document=document)
        for number, (text, spans, document) in enumerate(texts)
    ]
    return marked_splits({"train": rows})["train"]


@given(
    counts=st.lists(st.integers(1, 60), min_size=1, max_size=6),
    without=st.integers(0, 60),
    seed=st.integers(0, 2**32 - 1),
)
@example(counts=[7, 44, 51], without=0, seed=0)
def test_of_each_type_a_tenth_is_cut_and_the_rare_ones_stay(counts: list[int], without: int, seed: int) -> None:
    kinds = [f"T{kind}" for kind, count in enumerate(counts) for _ in range(count)]
    rows = [(f"이름{number}", [Span(0, 2, kind)], None) for number, kind in enumerate(kinds)]
    whole = lines([*rows, *((f"없음{number}", [], None) for number in range(without))])
    parts = cut(whole, ["validation", "test"], seed=seed)
    found = {name: counted(part) for name, part in parts.items()}
    forced = max(counts) <= 3  # then a part that would have nothing is given one
    for kind, count in enumerate(counts):
        for part in ("validation", "test"):
            if part in found and not forced:
                assert abs(found[part][f"T{kind}"] - count / 10) <= 1
    if len(kinds) + without > len(counts) + 2 and not forced:
        assert {*found["train"]} == {f"T{kind}" for kind in range(len(counts))}
        assert all(
            abs(parts[part].num_rows - whole.num_rows / 10) <= len(counts) + 1 for part in found if part != "train"
        )


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, {"train": 1}),
        (2, {"train": 1, "validation": 1}),
        (3, {"train": 1, "validation": 1, "test": 1}),
        (4, {"train": 2, "validation": 1, "test": 1}),
        (10, {"train": 8, "validation": 1, "test": 1}),
        (25, {"train": 20, "validation": 3, "test": 2}),
    ],
)
def test_tiny_data_are_divided_as_far_as_they_go(count: int, expected: dict[str, int]) -> None:
    whole = marked_splits({"train": sentences(count, types=["PS"])})["train"]
    parts = cut(whole, ["validation", "test"], seed=42)
    assert {name: part.num_rows for name, part in parts.items()} == expected


def test_a_type_that_occurs_once_or_twice_is_not_taken_from_training() -> None:
    rows = [(f"이름{number}", [Span(0, 2, "PS")], None) for number in range(60)]
    rows += [
        ("서울", [Span(0, 2, "LC")], None),
        ("부산", [Span(0, 2, "LC")], None),
        ("삼성", [Span(0, 2, "OG")], None),
    ]
    for seed in range(20):
        parts = cut(lines(rows), ["validation", "test"], seed=seed)
        assert (counted(parts["train"])["LC"], counted(parts["train"])["OG"]) == (2, 1)


def test_types_are_even_over_documents_of_any_length_and_huge_ones_stay_for_training() -> None:
    generator = random.Random(3)
    rows = []
    for document in range(60):
        kind = "LC" if document % 3 == 0 else "PS"
        for number in range(generator.randint(1, 12)):
            rows.append((f"이름{document}-{number}", [Span(0, 2, kind)], f"d{document}"))
    huge = [(f"긴{number}", [Span(0, 1, "OG")], "huge") for number in range(len(rows))]
    for seed in range(5):
        parts = cut(lines([*rows, *huge]), ["validation", "test"], seed=seed)
        for name in ("validation", "test"):
            assert {*parts[name]["document"]} & {"huge"} == set()
            assert 0.07 * len(rows) <= parts[name].num_rows <= 0.13 * len(rows)
            shares = counted(parts[name])
            assert 0.15 < shares["LC"] / shares.total() < 0.55  # a third of the documents


def test_a_cut_is_told_for_reports() -> None:
    whole = marked_splits({"train": sentences(40, types=["PS", "LC"], documents=10)})
    splits = with_missing_splits(whole, seed=7)
    assert cut_of(splits) == Cut({"validation": 4, "test": 4}, of=40, seed=7, documents=True)
    assert "document" not in splits["train"].column_names
    assert cut_of(with_missing_splits(splits, seed=7)) is None
    assert cut_of(with_missing_splits(marked_splits({"train": sentences(1, types=["PS"])}), seed=7)) is None


def test_classes_and_texts_alone_are_cut_too() -> None:
    texts = [
        {"id": str(number), "text": f"글 {number}", "label": "나쁨" if number % 4 else "좋음"} for number in range(80)
    ]
    parts = cut(classified_dataset(texts, ["좋음", "나쁨"]), ["validation"], seed=1)
    assert Counter(parts["validation"]["label"]) == {0: 2, 1: 6}
    parts = cut(Dataset.from_dict({"text": [f"글 {number}" for number in range(20)]}), ["validation"], seed=1)
    assert (parts["validation"].num_rows, parts["train"].num_rows) == (2, 18)


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
    for name, split in (("a/x.jsonl", "train"), ("my-test.jsonl", "test"), ("dev.jsonl", "validation")):
        (tmp_path / name).touch()
        assert split_files(tmp_path / name, (".jsonl",), expected="a file") == {split: [tmp_path / name]}
    with pytest.raises(DataFormatError, match=r"expected a folder with files \.conll"):
        split_files(tmp_path, (".conll",), expected="a folder with files .conll")


LINES = {
    "inline-marks": "<서울:LC>에 갔다.\n",
    "labelled-texts": "긍정\t좋다\n부정\t나쁘다\n",
    "plain-sentences": "비가 온다.\n",
}


@pytest.mark.parametrize("reader", LINES)
@pytest.mark.parametrize("name", ["validation", "valid", "val", "dev"])
def test_a_validation_file_is_read_by_any_of_its_names(reader: str, name: str, tmp_path: Path) -> None:
    for file in ("training", name):
        (tmp_path / f"{file}.txt").write_text(LINES[reader], encoding="utf-8")
    assert READERS[reader].holds(tmp_path)
    assert [*READERS[reader].read(tmp_path)] == ["train", "validation"]


@pytest.mark.parametrize("reader", ["inline-marks", "labelled-texts"])
def test_a_second_validation_file_is_left_out_which_is_said(
    reader: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for file in ("train", "validation", "val", "dev"):
        (tmp_path / f"{file}.txt").write_text(LINES[reader] * (1 + (file == "validation")), encoding="utf-8")
    rows = READERS[reader].read(tmp_path)["validation"]
    assert rows.num_rows == 2 * LINES[reader].count("\n")
    assert caplog.messages == [
        f"malmoi: {tmp_path}: val.txt, dev.txt are left out, as validation.txt is there for validation."
    ]


def test_the_same_text_in_documents_of_its_own_stays_in_one_split() -> None:
    """Files of comments number each as a document, also one that came in twice."""
    rows = [
        MarkedText(f"s-{number}", f"이름{number % 15} 왔다.", [Span(0, 2, "PS")], "made", number, f"d{number}")
        for number in range(60)
    ]
    splits = with_missing_splits(marked_splits({"train": rows}), seed=42)
    assert all(rows.num_rows for rows in splits.values())
    texts = [{*rows["text"]} for rows in splits.values()]
    assert sum(map(len, texts)) == len(set.union(*texts))
