"""Texts for language models: files, limits, what is held out, and what becomes of a text."""

import lzma
from pathlib import Path

import pytest
from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from malmoi.data.language_model_features import LanguageModelCollator, hold_out, language_model_features
from malmoi.data.readers.plain_text import read_plain_text
from malmoi.data.space_noise import texts_with_space_noise
from malmoi.data.text_lines import DataFormatError


def write(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        suffix = ".txt.xz" if name.endswith("_xz") else ".txt"
        data = content.encode()
        (folder / (name.removesuffix("_xz") + suffix)).write_bytes(lzma.compress(data) if "xz" in suffix else data)
    return folder


def test_files_are_told_apart_by_their_names_and_empty_lines_are_skipped(tmp_path: Path) -> None:
    write(tmp_path, train="하나\n\n둘\r\n", train_more_xz="셋\n", val_xz="넷\n", test="다섯\n", notes="여섯\n")
    splits = read_plain_text(tmp_path)
    assert {split: rows["text"][:] for split, rows in splits.items()} == {
        "train": ["하나", "둘", "셋"],
        "validation": ["넷"],
        "test": ["다섯"],
    }
    assert splits["train"]["id"][:] == ["train-1", "train-3", "train_more-1"]


def test_lines_beyond_the_limit_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, train="하나\n\n둘\n셋\n", train2_xz="넷\n", validation="가\n나\n다\n라\n")
    splits = read_plain_text(tmp_path, lines=3)
    assert splits["train"]["text"][:] == ["하나", "둘", "넷"]
    assert splits["validation"].num_rows == 4


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"val": "하나\n"}, r"expected a folder with text files \(.txt, .txt.xz\) whose names begin with train"),
        ({"train": ""}, r"train.txt: the file is empty"),
        ({"train": "\n \n"}, r"train.txt: expected texts, found none"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(DataFormatError, match=message):
        read_plain_text(write(tmp_path, **files))


def test_a_packed_file_that_is_damaged_is_named(tmp_path: Path) -> None:
    packed = lzma.compress("하나\n둘\n".encode() * 1000)
    for content in (packed[:-20], b"no archive"):
        (tmp_path / "train.txt.xz").write_bytes(content)
        with pytest.raises(DataFormatError, match=r"train.txt.xz: the file is damaged or cut off"):
            read_plain_text(tmp_path)
    with pytest.raises(DataFormatError, match="by --data_dir"):
        read_plain_text(None)


def dataset(texts: list[str]) -> Dataset:
    return Dataset.from_dict({"id": [str(number) for number in range(len(texts))], "text": texts})


def test_what_is_held_out_follows_from_the_seed_and_is_nowhere_in_training() -> None:
    texts = dataset([f"글 {number % 60}" for number in range(100)])
    train, held = hold_out(texts, 20, seed=1)
    assert held.num_rows == 20
    assert not {*train["text"]} & {*held["text"]}
    assert {*train["text"]} | {*held["text"]} == {*texts["text"]}
    assert hold_out(texts, 20, seed=1)[1]["text"][:] == held["text"][:]
    assert hold_out(texts, 20, seed=2)[1]["text"][:] != held["text"][:]
    assert hold_out(texts, 1000, seed=1)[1].num_rows == 50  # at most half


def test_long_texts_become_pieces_and_nothing_is_lost(syllable_tokenizer: PreTrainedTokenizerFast) -> None:
    texts = dataset(["손흥민은 춘천에서", "손", "\u200b", "춘천"])
    whole = syllable_tokenizer(texts["text"][:])["input_ids"]
    features = language_model_features(texts, syllable_tokenizer, max_length=4)
    rows = features["input_ids"][:]
    assert rows == [whole[0][:4], whole[0][4:8], whole[3]]  # a token alone predicts nothing
    assert features["length"][:] == [4, 4, 2]
    unlimited = language_model_features(texts, syllable_tokenizer)
    assert unlimited["input_ids"][:] == [whole[0], whole[3]]
    batch = LanguageModelCollator(syllable_tokenizer)([{"input_ids": rows[0]}, {"input_ids": rows[2]}])
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert batch["labels"].tolist() == [rows[0], [*rows[2], -100, -100]]


def test_spaces_are_changed_and_nothing_else() -> None:
    texts = [f"오늘은 날씨가 좋아서 {number} 공원에 갔다" for number in range(200)] + [" "]
    options = {"drop_all_probability": 0.5, "drop_probability": 0.5, "add_probability": 0.1, "seed": 1}
    changed = texts_with_space_noise(texts, probability=0.5, **options)
    assert [text.replace(" ", "") for text in changed] == [text.replace(" ", "") for text in texts]
    assert 70 <= sum(one != other for one, other in zip(texts, changed)) <= 130
    assert any(" " not in text for text in changed)
    assert texts_with_space_noise(texts, probability=0.5, **options) == changed
    assert texts_with_space_noise(texts, probability=0.0, **options) == texts


def test_other_words_for_validation_and_capitals_are_read_too(tmp_path: Path) -> None:
    write(tmp_path, Train_1="하나\n", DEV="둘\n", Test="셋\n")
    write(tmp_path, developers="다섯\n")
    (tmp_path / "TRAIN-2.TXT.XZ").write_bytes(lzma.compress("넷\n".encode()))
    splits = read_plain_text(tmp_path)
    assert {split: sorted(rows["text"]) for split, rows in splits.items()} == {
        "train": ["넷", "하나"],
        "validation": ["둘"],
        "test": ["셋"],
    }
