"""Josa at the end of names: pointed out where they are many, cut off where that is asked for."""

import os
import unicodedata
from pathlib import Path

import pytest
from datasets import DatasetDict
from hypothesis import given
from hypothesis import strategies as st

from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.inline_marks import parse_marks, write_marks
from malmoi.data.josa import josa_at_end
from malmoi.data.josa_trimming import say_josa, with_trimmed_josa
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.readers import read_splits
from malmoi.data.tagged_dataset import label_names
from malmoi.data.user_error import UserError

REAL_DATA = Path(os.environ.get("MALMOI_DATA", Path(__file__).parents[3] / "shared" / "data"))


def splits_of(**parts: list[str]) -> DatasetDict:
    """Return sentences with marks as splits."""
    return marked_splits(
        {
            split: [
                MarkedText(f"{split}-{n}", *parse_marks(line), path=split, line=n, document=f"d{n}")
                for n, line in enumerate(lines, start=1)
            ]
            for split, lines in parts.items()
        }
    )


def marks(splits: DatasetDict) -> dict[str, list[str]]:
    """Return the sentences of splits with marks."""
    return {
        name: [
            write_marks(row["text"], tags_to_spans([label_names(rows)[tag] for tag in row["tags"]])) for row in rows
        ]
        for name, rows in splits.items()
    }


def test_names_of_words_lose_their_josa(caplog: pytest.LogCaptureFixture) -> None:
    splits = splits_of(
        train=["<홍길동은:PS> <서울에서:LC> <박씨:PS>, <제주도:LC>.", "<3월에는:DT> <김하늘:PS>이 <고은:PS>!"],
        test=["<제주도는:LC> 섬이다. <강은:PS>"],
    )
    trimmed = with_trimmed_josa(splits)
    assert marks(trimmed) == {
        "train": ["<홍길동:PS>은 <서울:LC>에서 <박씨:PS>, <제주도:LC>.", "<3월:DT>에는 <김하늘:PS>이 <고은:PS>!"],
        "test": ["<제주도:LC>는 섬이다. <강:PS>은"],
    }
    assert trimmed["train"].features == splits["train"].features
    assert trimmed["train"]["document"][:] == ["d1", "d2"]
    assert [record.getMessage() for record in caplog.records] == [
        "malmoi: 5 of 9 names lose what looks like a josa: 홍길동은 → 홍길동, 서울에서 → 서울, 3월에는 → 3월, "
        "제주도는 → 제주도; names that occur with another josa after them stay, such as 제주도."
    ]


def test_names_that_keep_their_josa_are_not_counted(caplog: pytest.LogCaptureFixture) -> None:
    splits = splits_of(train=["<제주도:LC> <제주도:LC>청 <제주도:LC>민"])
    assert marks(with_trimmed_josa(splits))["train"] == ["<제주:LC>도 <제주도:LC>청 <제주도:LC>민"]
    assert caplog.messages == ["malmoi: 1 of 3 names lose what looks like a josa: 제주도 → 제주."]


def test_a_name_within_a_word_ends_in_no_josa(caplog: pytest.LogCaptureFixture) -> None:
    splits = splits_of(train=["<경기도:LC>에서 <이승만:PS>과 <김정은:PS>이", "<경기도:LC>의"])
    assert marks(with_trimmed_josa(splits)) == marks(splits)
    say_josa(splits)
    assert not caplog.records


def test_decomposed_letters_are_read_as_composed() -> None:
    row = unicodedata.normalize("NFD", "홍길동은")
    splits = marked_splits({"train": [MarkedText("1", row, [Span(0, len(row), "PS")], "made")]})
    assert marks(with_trimmed_josa(splits))["train"] == [unicodedata.normalize("NFD", "<홍길동:PS>은")]


@pytest.mark.parametrize("josa", ["에\u1109\u1165", "\u110b\u1166서"])
def test_a_josa_of_which_a_part_is_decomposed_is_cut_whole(josa: str) -> None:
    assert unicodedata.normalize("NFC", josa) == "에서"
    splits = marked_splits({"train": [MarkedText("1", f"춘천{josa} 왔다", [Span(0, 2 + len(josa), "LC")], "made")]})
    assert marks(with_trimmed_josa(splits))["train"] == [f"<춘천:LC>{josa} 왔다"]


def test_types_with_many_josa_are_pointed_out(caplog: pytest.LogCaptureFixture) -> None:
    lines = [
        "<홍길동은:PS> <서울:LC> 왔다",
        "<이강인이:PS> <부산:LC>",
        "<김하늘의:PS> <2월:DT>",
        "<박지원:PS> <강원도:LC>",
    ]
    say_josa(splits_of(train=lines[:2], test=lines[2:]))
    assert [record.getMessage() for record in caplog.records] == [
        "malmoi: 75 % of PS end in what looks like 은/이/의, such as 홍길동은, 이강인이, 김하늘의. Where these "
        "are josa and no part of the names, --trim_josa cuts them off."
    ]


def test_few_names_with_josa_are_not_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    say_josa(splits_of(train=["<강원도:LC> <제주도:LC>"]))
    say_josa(splits_of(train=["<강원도:LC> <제주도:LC> <경기도:LC>", *["<서울:LC>"] * 40]))
    say_josa(splits_of(train=["<아이폰 프로:PD> <에어팟 프로:PD> 샀다"] * 5 + ["<갤럭시:PD> 샀다"] * 5))  # two names
    assert not caplog.records


def test_exact_labels_give_no_alarm(caplog: pytest.LogCaptureFixture) -> None:
    read_splits("inline-marks", None, task="named-entities")
    if (REAL_DATA / "klue-ner").is_dir():
        read_splits("klue-ner", REAL_DATA / "klue-ner", task="named-entities")
    assert "--trim_josa" not in caplog.text


def test_reading_cuts_them_off_or_points_them_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "train.conll").write_text(
        "홍길동은 B-PS\n왔다 O\n\n" * 3 + "이강인이 B-PS\n간다 O\n", encoding="utf-8"
    )
    (tmp_path / "validation.conll").write_text("박지원이 B-PS\n왔다 O\n", encoding="utf-8")
    read_splits("conll", tmp_path, task="named-entities")
    assert "100 % of PS end in what looks like 은/이, such as 홍길동은, 이강인이, 박지원이. Where" in caplog.text
    assert "--trim_josa cuts them off." in caplog.text
    caplog.clear()
    splits = read_splits("conll", tmp_path, task="named-entities", trim_josa=True)
    assert marks(splits)["validation"] == ["<박지원:PS>이 왔다"]
    assert "--trim_josa" not in caplog.text
    with pytest.raises(UserError, match=r"`trim_josa` is for named-entities, but the task is word-spacing\."):
        read_splits("plain-sentences", None, task="word-spacing", trim_josa=True)


@given(
    lines=st.lists(
        st.sampled_from(["<홍길동은:A>", "<홍길동:A> 은", "<제주도:B>", "<제주도에:B>.", "은", "<은:A>"]), min_size=1
    ).filter(lambda lines: lines != ["은"] * len(lines))  # data without any name are refused
)
def test_names_only_become_shorter_by_a_josa_and_none_is_lost(lines: list[str]) -> None:
    splits = splits_of(train=[" ".join(lines)])
    before = parse_marks(marks(splits)["train"][0])
    after = parse_marks(marks(with_trimmed_josa(splits))["train"][0])
    assert before[0] == after[0]
    for old, new in zip(before[1], after[1], strict=True):
        assert (old.start, old.label) == (new.start, new.label)
        cut = before[0][new.end : old.end]
        assert cut in ("", josa_at_end(before[0][old.start : old.end]))
