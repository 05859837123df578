import unicodedata
from typing import Literal

import pytest
from datasets import Dataset

from malmoi.data.alignment import tags_to_spans
from malmoi.data.augmentation import JOSA_FORMS, agreeing_josa, has_final_consonant, with_replaced_names
from malmoi.data.inline_marks import parse_marks
from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.tagged_dataset import label_names, names_in


def names_of(rows: Dataset) -> list[list[tuple[str, str]]]:
    labels = label_names(rows)
    return [
        [(row["text"][start:end], label) for start, end, label in tags_to_spans([labels[tag] for tag in row["tags"]])]
        for row in rows
    ]


def test_the_names_of_a_data_set() -> None:
    train = read_inline_marks(None)["train"]
    assert names_in(train) == {name for sentence in names_of(train) for name, _ in sentence}


def test_copies_hold_names_of_the_same_type_and_the_same_other_words() -> None:
    train = read_inline_marks(None)["train"]
    augmented = with_replaced_names(train, copies=2, probability=1.0, seed=3)
    assert augmented.num_rows == 3 * train.num_rows
    assert augmented["text"][: train.num_rows] == train["text"]
    pool = {name for sentence in names_of(train) for name in sentence}
    for original, copied in zip(names_of(train) * 2, names_of(augmented)[train.num_rows :]):
        assert [label for _, label in copied] == [label for _, label in original]
        assert set(copied) <= pool


def test_the_same_seed_gives_the_same_sentences() -> None:
    train = read_inline_marks(None)["train"].select(range(50))
    first, second, third = (with_replaced_names(train, copies=1, probability=0.5, seed=s)["text"] for s in (1, 1, 2))
    assert first == second != third


def test_nothing_changes_without_copies_or_probability() -> None:
    train = read_inline_marks(None)["train"].select(range(20))
    assert with_replaced_names(train, copies=0, probability=1.0, seed=0)["text"] == train["text"]
    copied = with_replaced_names(train, copies=1, probability=0.0, seed=0)
    assert copied["text"] == [*train["text"], *train["text"]]


@pytest.mark.parametrize(
    ("rest", "before", "after", "expected"),
    [
        ("은 크다", "춘천", "제주", "는 크다"),
        ("가 왔다", "민수", "손흥민", "이 왔다"),
        ("를", "제주", "춘천", "을"),
        ("과 함께", "춘천", "제주", "와 함께"),
        ("은행에", "춘천", "제주", "은행에"),
        ("에서", "춘천", "제주", "에서"),
        ("은", "춘천", "부산", "은"),
        ("은", "5km", "제주", "은"),
        ("", "춘천", "제주", ""),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_josa_agree_with_the_new_name_in_either_spelling(
    rest: str, before: str, after: str, expected: str, form: Literal["NFC", "NFD"]
) -> None:
    rest, before, after, expected = (unicodedata.normalize(form, part) for part in (rest, before, after, expected))
    assert agreeing_josa(rest, before=before, after=after) == expected


def test_a_josa_stays_in_the_spelling_of_its_text() -> None:
    decomposed = unicodedata.normalize("NFD", "춘천")
    assert agreeing_josa("는 크다", before="제주", after=decomposed) == "은 크다"
    assert agreeing_josa("느\u11ab 크다", before="제주", after=decomposed) == "으\u11ab 크다"


def test_sample_corpus_has_the_right_josa_after_its_names() -> None:
    """The corpus is ours: no 은 after a vowel, no 를 after a consonant."""
    from malmoi.data.readers.inline_marks import SAMPLE_CORPUS

    for line in (SAMPLE_CORPUS / "train.txt").read_text(encoding="utf-8").splitlines():
        text, spans = parse_marks(line)
        for start, end, _ in spans:
            rest, consonant = text[end : end + 2], has_final_consonant(text[start:end])
            if consonant is None or (len(rest) > 1 and "가" <= rest[1] <= "힣"):
                continue
            wrong = [with_vowel if consonant else with_consonant for with_consonant, with_vowel in JOSA_FORMS]
            assert rest[:1] not in wrong, line
