"""The models of the package learn no line of a corpus that forbids it, and none that they are judged by."""

import lzma
from pathlib import Path

import pytest
from support.klue_name_lines import described

from malmoi.data.alignment import Span
from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.readers.klue_ner import read_klue_ner
from malmoi.data.tagged_dataset import label_names
from malmoi.data.user_error import UserError
from malmoi.hub_cards import model_data


@pytest.fixture
def corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Corpora of a few lines in which `kmou` marks what is forbidden."""
    monkeypatch.setattr(model_data, "REVIEWS", 3)
    monkeypatch.setattr(model_data, "TEXTS", 6)
    monkeypatch.setattr(model_data, "SPACING", {"train": 2, "val": 2, "test": 1})
    monkeypatch.setattr(model_data, "HELD_OUT", 1)
    monkeypatch.setattr(model_data, "MARKED", tmp_path / "marked.tsv")
    marked = described("klue-ner-v1_train_00000_wikitree", "뉴스 1", [Span(3, 4, "QT")])
    (tmp_path / "marked.tsv").write_text(f"# remark\n{marked}\n", encoding="utf-8")
    for name in ("text", "klue-ner", "spacing", "spacing-everyday"):
        (tmp_path / name).mkdir()
    texts = ["영화 1", "영화 2", "영화 3", "뉴스 1", "뉴스 2", "뉴스 train 1", "kmou 1"]
    with lzma.open(tmp_path / "text/korean-text.txt.xz", "wt", encoding="utf-8") as file:
        file.write("".join(f"{text}\n" for text in texts))
    raw = "klue-ner-v1_train_00000_wikitree\t뉴스 1\nklue-ner-v1_train_00001_nsmc\t뉴스 2\n"
    (tmp_path / "klue-ner/train-raw-sentences.tsv").write_text(raw, encoding="utf-8")
    for split in ("train", "val", "test"):
        news = [f"뉴스 {split} 1", f"뉴스 {split} 2"][: model_data.SPACING[split]]
        (tmp_path / f"spacing/{split}.txt").write_text("".join(f"{x}\n" for x in [*news, "kmou"]), encoding="utf-8")
        (tmp_path / f"spacing-everyday/{split}.txt").write_text(f"말 {split}\n", encoding="utf-8")
    for name, text in ((model_data.TRAIN, "가나"), (model_data.DEV, "다라")):
        rows = "".join(f"{character}\tO\n" for character in text)
        (tmp_path / "klue-ner" / name).write_text(f"## 0\t{text}\n{rows}\n", encoding="utf-8")
    return tmp_path


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_only_what_may_be_used_is_learned(corpora: Path, tmp_path: Path) -> None:
    counts = model_data.write_model_data(corpora, tmp_path / "made")
    written = {
        str(path.relative_to(tmp_path / "made")): lines(path)
        for path in (tmp_path / "made").rglob("*.t*")
        if path.is_file()
    }
    assert {name: len(found) for name, found in written.items()} == counts
    assert not any("kmou" in line for found in written.values() for line in found)
    assert written["texts/train-reviews.txt"] == ["영화 1", "영화 2", "영화 3"]
    assert written["texts/train-klue.txt"] == ["뉴스 1", "뉴스 2", "뉴스 train 1"] * 3
    assert written["texts/train-everyday.txt"] == ["말 train"] * 2
    assert written["texts/validation.txt"] == ["뉴스 val 1", "말 val"]
    assert written["spacing/train.txt"] == ["뉴스 train 1", "뉴스 train 2", "말 train", "뉴스 1"]
    assert written["named-entities-unlabelled.txt"] == ["뉴스 1", "뉴스 2", "뉴스 train 1"]
    assert written["spacing/test.txt"] == ["뉴스 test 1", "말 test"]


def test_the_sample_corpus_stands_behind_klue(corpora: Path, tmp_path: Path) -> None:
    model_data.write_model_data(corpora, tmp_path / "made")
    made, sample = read_klue_ner(tmp_path / "made/named-entities"), read_inline_marks(None)["train"]
    assert made["train"]["text"][:] == ["가나", *sample["text"]]
    names, own = label_names(made["train"]), label_names(sample)
    assert [[names[tag] for tag in tags] for tags in made["train"]["tags"][1:]] == [
        [own[tag] for tag in tags] for tags in sample["tags"]
    ]
    assert made["validation"]["text"][:] == ["다라"]


def test_marked_sentences_stand_behind_both(corpora: Path, tmp_path: Path) -> None:
    model_data.write_model_data(corpora, tmp_path / "made")
    more, without = (read_klue_ner(tmp_path / f"made/named-entities{number}") for number in ("-2", ""))
    names = label_names(more["train"])
    assert more["train"]["text"][:] == [*without["train"]["text"], "뉴스 1"]
    assert [names[tag] for tag in more["train"]["tags"][-1]] == ["O", "O", "O", "B-QT"]
    assert more["validation"]["text"][:] == ["다라"]


def test_reviews_that_seem_to_hold_names() -> None:
    short, without = "이정재 최고", "처음부터 끝까지 아주 지루하기만 했던 것 같아요."
    named = ["이정재 이름만 믿고 봤는데 역시나 최고였습니다.", "견자단의 액션 하나만 볼만하고 나머지는 그저 그렇다."]
    assert model_data.with_names([short, without, *named, named[0] * 9], range(20, 146)) == named


def test_texts_are_drawn_the_same_number_apart() -> None:
    assert model_data.spread_evenly([*"가나다라마바사"], 3) == ["가", "다", "마"]
    assert model_data.spread_evenly([*"가나"], 3) == ["가", "나"]
    assert model_data.spread_evenly([], 3) == []


def test_the_second_draw_has_other_reviews(corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_data, "with_names", lambda texts, lengths: [*texts])
    monkeypatch.setattr(model_data, "NAMED_REVIEWS", 2)
    model_data.write_model_data(corpora, tmp_path / "made")
    klue = ["뉴스 1", "뉴스 2", "뉴스 train 1"]
    assert lines(tmp_path / "made/named-entities-unlabelled.txt") == [*klue, "영화 1", "영화 2"]
    assert lines(tmp_path / "made/named-entities-unlabelled-2.txt") == [*klue, "말 train", "영화 3"]


def test_a_file_that_is_missing_or_too_short(corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_data, "TEXTS", 9)
    with pytest.raises(UserError, match="expected 9 lines or more, found 7"):
        model_data.write_model_data(corpora, tmp_path / "made")
    (corpora / "text/korean-text.txt.xz").unlink()
    with pytest.raises(UserError, match="there is no such file"):
        model_data.write_model_data(corpora, tmp_path / "made")
