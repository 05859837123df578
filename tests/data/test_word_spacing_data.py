import os
from pathlib import Path

import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.readers.plain_sentences import read_plain_sentences
from malmoi.data.tagged_dataset import label_names
from malmoi.data.text_lines import DataFormatError
from malmoi.data.word_spacing import SPACING_LABELS, join_words, split_spaces

REAL_DATA = Path(os.environ.get("MALMOI_DATA", Path(__file__).parents[3] / "shared" / "data"))
SENTENCES = "비가 왔다.\n\n집에 있었다.\n"


def write(folder: Path, content: str | bytes, *, name: str = "train.txt") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def spaced(rows: Dataset) -> list[str]:
    names = label_names(rows)
    return [join_words(text, [names[tag] for tag in tags]) for text, tags in zip(rows["text"], rows["tags"])]


def test_words_become_tags() -> None:
    assert split_spaces(" 비가  왔다.\t") == ("비가왔다.", ["B", "I", "B", "I", "I"])
    assert split_spaces(" ") == ("", [])
    assert join_words("비가왔다.", ["I", "I", "B", "I", "B"]) == "비가 왔다 ."


@given(st.text(st.one_of(st.sampled_from(" \t\n\u3000\xa0"), st.characters())))
def test_words_survive_splitting_and_joining(text: str) -> None:
    characters, tags = split_spaces(text)
    assert len(characters) == len(tags)
    assert not any(character.isspace() for character in characters)
    assert join_words(characters, tags) == " ".join(text.split())


def test_each_character_needs_a_tag() -> None:
    with pytest.raises(ValueError, match=r"Each character needs a tag, got 1 tags for 2 characters"):
        join_words("비가", ["B"])


@pytest.mark.parametrize("validation", ["val.txt", "validation.txt"])
def test_sentences_lose_their_spaces(tmp_path: Path, validation: str) -> None:
    for name in ("train.txt", validation, "test.txt"):
        write(tmp_path, SENTENCES, name=name)
    splits = read_plain_sentences(tmp_path)
    assert list(splits) == ["train", "validation", "test"]
    for rows in splits.values():
        assert label_names(rows) == SPACING_LABELS
        assert rows["text"] == ["비가왔다.", "집에있었다."]
        assert spaced(rows) == ["비가 왔다.", "집에 있었다."]
    assert splits["train"]["id"] == ["train-1", "train-3"]


def test_the_sample_corpus_is_read_without_a_folder() -> None:
    samples = read_inline_marks(None)
    splits = read_plain_sentences(None)
    assert list(splits) == list(samples) == ["train", "validation"]
    for split, rows in splits.items():
        assert spaced(rows) == [" ".join(text.split()) for text in samples[split]["text"]]


@pytest.mark.parametrize("content", ["\ufeff" + SENTENCES, SENTENCES.replace("\n", "\r\n")])
def test_byte_order_mark_and_carriage_returns_are_dropped(tmp_path: Path, content: str) -> None:
    write(tmp_path, content)
    assert read_plain_sentences(tmp_path)["train"]["text"] == ["비가왔다.", "집에있었다."]


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "비가 왔다.\n".encode() + "비가 왔다.\n".encode("cp949"))
    with pytest.raises(DataFormatError, match=f"{path}, line 2: expected UTF-8, but byte 1 of the line is 0xba"):
        read_plain_sentences(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"), [("", "the file is empty"), ("\n \n", "expected sentences, found none")]
)
def test_a_file_without_sentences_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(DataFormatError, match=f"{path}: {message}"):
        read_plain_sentences(tmp_path)


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFormatError, match=f"{tmp_path}: expected a folder with train.txt, and if wanted val.txt"):
        read_plain_sentences(tmp_path)


def test_of_two_files_for_validation_one_is_left_out_which_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "오늘은 비가 온다.\n", name="val.txt")
    write(tmp_path, "내일은 눈이 온다.\n", name="validation.txt")
    assert read_plain_sentences(tmp_path)["validation"]["text"] == ["내일은눈이온다."]
    assert caplog.messages == [f"malmoi: {tmp_path}: val.txt is left out, as validation.txt is there for validation."]


@pytest.mark.slow
@pytest.mark.skipif(not (REAL_DATA / "spacing").is_dir(), reason="the spacing files are not at hand")
def test_real_sentences_give_the_known_counts() -> None:
    splits = read_plain_sentences(REAL_DATA / "spacing")
    assert {split: rows.num_rows for split, rows in splits.items()} == {
        "train": 21432,
        "validation": 2784,
        "test": 2662,
    }
    spaces = {split: sum(text.count(" ") for text in spaced(rows)) for split, rows in splits.items()}
    assert spaces == {"train": 307374, "validation": 39931, "test": 37945}
