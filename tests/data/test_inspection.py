"""What is said of data is true: sums, names, texts that stand in two splits, characters."""

import math
import random
import unicodedata

import pytest
from datasets import Dataset, DatasetDict, Features, Value
from hypothesis import given, settings
from hypothesis import strategies as st
from support.property_tests import examples

from malmoi.data.alignment import Span
from malmoi.data.classified_dataset import classified_dataset
from malmoi.data.inline_marks import parse_marks
from malmoi.data.inspection.findings import MOST_CASES, Finding
from malmoi.data.inspection.inspected_text import Form
from malmoi.data.inspection.inspection import Inspection, inspect_splits
from malmoi.data.inspection.near_overlap import FEWEST, GRAM, SHARE, nearest
from malmoi.data.inspection.summaries import QUANTILES, quantiles
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.tagged_dataset import tagged_dataset
from malmoi.data.word_spacing import SPACING_LABELS, split_spaces


def inspected(**splits: list[str]) -> Inspection:
    """Return what is in sentences with marks."""
    rows = {
        split: [
            MarkedText(f"{split}-{number}", *parse_marks(line), "made", number)
            for number, line in enumerate(lines, start=1)
        ]
        for split, lines in splits.items()
    }
    return inspect_splits(marked_splits(rows), are_known=lambda characters: [each != "뷁" for each in characters])


def found(inspection: Inspection, kind: str) -> dict[str, tuple[int, dict[str, int]]]:
    """Return how often each case of a kind occurs, and with which types."""
    return {
        case.what: (case.occurrences, case.types)
        for finding in inspection.findings
        if finding.kind == kind
        for case in finding.cases
    }


def finding(inspection: Inspection, kind: str) -> Finding:
    """Return the one finding of a kind."""
    [one] = [each for each in inspection.findings if each.kind == kind]
    return one


def marked_in(one: Finding, case: int = 0) -> list[str]:
    """Return what is marked in the places of a case."""
    return [place.text[mark.start : mark.end] for place in one.cases[case].places for mark in place.marks]


def test_sums_are_those_of_the_texts() -> None:
    inspection = inspected(
        train=["<서울:LC>에 갔다.", "<서울:LC>의 <김하늘:PS>", "비가 왔다"], validation=["<부산:LC>에 갔다."]
    )
    train, validation = inspection.splits
    assert train[:6] == ("train", 3, 7 + 7 + 5, 6, 3, 1)
    assert validation[:6] == ("validation", 1, 7, 2, 1, 0)
    assert train.lengths == [5, 5, 7, 7, 7, 7]
    place, person = inspection.labels
    assert place[:4] == ("LC", 3, {"train": 2, "validation": 1}, 2)
    assert place.examples == {"서울": 2, "부산": 1}
    assert person[:4] == ("PS", 1, {"train": 1}, 1)
    assert inspection.form is Form.NAMES


def test_names_are_compared_in_whatever_spelling() -> None:
    decomposed = unicodedata.normalize("NFD", "<손흥민:LC>은 갔다.")
    unmarked = unicodedata.normalize("NFD", "어제 손흥민이 잤다.")
    inspection = inspected(train=["<손흥민:PS>은 왔다.", "<손흥민:PS>이 왔다.", decomposed, unmarked])
    assert found(inspection, "names_of_several_types") == {"손흥민": (3, {"PS": 2, "LC": 1})}
    assert found(inspection, "unmarked_names") == {"손흥민": (1, {"PS": 2, "LC": 1})}
    assert marked_in(finding(inspection, "unmarked_names")) == ["손흥민"]
    assert [label.examples for label in inspection.labels] == [{"손흥민": 2}, {"손흥민": 1}]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30))
def test_quantiles_occur_and_are_in_order(lengths: list[int]) -> None:
    values = quantiles(lengths)
    assert values == sorted(values)
    assert {*values} <= {*lengths}
    assert (values[0], values[-1], len(values)) == (min(lengths), max(lengths), len(QUANTILES))


def test_names_of_several_types_have_an_example_of_each() -> None:
    inspection = inspected(train=["<한국:LC>에 갔다", "<한국:LC>은 넓다", "<한국:OG>이 이겼다", "<서울:LC>"])
    assert found(inspection, "names_of_several_types") == {"한국": (3, {"LC": 2, "OG": 1})}
    places = finding(inspection, "names_of_several_types").cases[0].places
    assert [(place.id, place.marks[0].label) for place in places] == [("train-1", "LC"), ("train-3", "OG")]


def test_names_without_a_mark_are_whole_words_before_a_josa_or_nothing() -> None:
    inspection = inspected(
        train=[
            "<서울:LC>에 <김하늘:PS>",
            "그는 서울에서는 살지 않는다",  # a josa
            "서울, 그리고 (서울)",  # nothing but signs, twice
            "서울역 앞 서울시",  # other words
            "남서울에 갔다",  # not at the beginning
            "김하늘이었다",  # 이었다 is no josa
        ]
    )
    one = finding(inspection, "unmarked_names")
    assert found(inspection, "unmarked_names") == {"서울": (3, {"LC": 1})}
    assert marked_in(one) == ["서울"] * 3
    assert [place.id for place in one.cases[0].places] == ["train-2", "train-3", "train-3"]


def test_the_longest_name_counts_and_a_mark_on_a_part_of_it_is_found() -> None:
    inspection = inspected(
        train=["<서울대학교:OG>에 갔다", "<서울:LC>대학교는 크다", "<서울:LC>에 서울대학교", "어제 <지난 1:DT>일"]
    )
    assert found(inspection, "half_names") == {"서울대학교": (1, {"OG": 1})}
    assert marked_in(finding(inspection, "half_names")) == ["서울"]
    assert found(inspection, "unmarked_names") == {"서울대학교": (1, {"OG": 1})}


def test_names_that_are_nearly_always_marked_come_first() -> None:
    lines = ["<서울:LC>에 갔다"] * 9 + ["<하나:QT>뿐"] * 10 + ["하나 더"] * 30 + ["서울은 넓다"]
    assert [*found(inspected(train=lines), "unmarked_names")] == ["서울", "하나"]


@pytest.mark.parametrize(
    ("kind", "suspicious", "fine"),
    [
        (
            "marks_with_edges",
            ["'3.1", "900'", ".이탈리아", "중국,", "갔다."],
            ["-0.7%", "3.1", "(주)가", "J.R.", "a-b"],
        ),
        ("marks_with_brackets", ["(17", "76)", "‘가", '가"'], ["(주)가", "‘가’", '"가"', "Don’t"]),
        ("marks_of_one_letter", ["김", "A"], ["3", "김하"]),
        ("long_marks", ["가" * 16], ["가" * 15]),
    ],
)
def test_marks_that_may_be_slips(kind: str, suspicious: list[str], fine: list[str]) -> None:
    names = [*suspicious, *fine, *["김하늘"] * 9]
    rows = [
        MarkedText(str(number), f"그 {name} 그", [Span(2, 2 + len(name), "X")], "made")
        for number, name in enumerate(names)
    ]
    inspection = inspect_splits(marked_splits({"train": rows}), are_known=lambda characters: [True] * len(characters))
    assert {*found(inspection, kind)} == {*suspicious}
    assert finding(inspection, kind).of == len(names)


def test_a_space_at_the_edge_of_a_mark_is_found() -> None:
    row = MarkedText("1", "최근 24살이다", [Span(2, 6, "QT")], "made")
    inspection = inspect_splits(marked_splits({"train": [row]}), are_known=lambda characters: [True] * len(characters))
    assert found(inspection, "marks_with_edges") == {" 24살": (1, {"QT": 1})}


def test_a_mark_with_josa_is_found_where_it_is_marked_more_often_without() -> None:
    lines = [
        "<김하늘:PS>은 갔다",
        "<김하늘:PS>을 봤다",
        "<김하늘은:PS> 갔다",
        "<제주도:LC>",
        "<제주도:LC>",
        "<제주:LC>",
    ]
    inspection = inspected(train=lines)
    assert found(inspection, "marks_with_josa") == {"김하늘은": (1, {"PS": 1})}
    assert finding(inspection, "marks_with_josa").cases[0].numbers == {"without_josa": 2}


def test_the_same_texts_are_found_in_two_splits_and_in_one() -> None:
    inspection = inspected(
        train=["<서울:LC>에 갔다.", "<서울:LC>에 갔다!", "비가 온다"], validation=["<서울:LC>에  갔다", "해가 뜬다"]
    )
    same = finding(inspection, "same_texts")
    assert (same.about, same.occurrences, same.of) == ("validation, train", 1, 2)
    assert [place.id for place in same.cases[0].places] == ["validation-1", "train-1"]
    assert finding(inspection, "repeated_texts").cases[0].occurrences == 2
    assert not found(inspection, "texts_with_two_answers")


def test_the_same_text_with_other_names_or_another_class_is_found() -> None:
    inspection = inspected(train=["<서울:LC>에 갔다.", "<서울:OG>에 갔다", "<서울:LC>에 갔다"])
    one = finding(inspection, "texts_with_two_answers")
    assert one.cases[0].occurrences == 3
    assert [(place.id, place.marks[0].label) for place in one.cases[0].places] == [
        ("train-1", "LC"),
        ("train-2", "OG"),
    ]
    rows = [("a", "좋다!", "x"), ("b", "좋다", "y"), ("c", "!?", "x"), ("d", "나쁘다", "y")]
    classes = classified_dataset(
        [{"id": each, "text": text, "label": label} for each, text, label in rows], ["x", "y"]
    )
    inspection = inspect_splits(DatasetDict({"train": classes}), are_known=lambda characters: [True] * len(characters))
    assert inspection.form is Form.CLASSES
    assert found(inspection, "texts_with_two_answers") == {"": (2, {"x": 1, "y": 1})}
    assert [case.places[0].id for case in finding(inspection, "texts_without_letters").cases] == ["c"]
    assert [label[:2] for label in inspection.labels] == [("x", 2), ("y", 2)]


def grams_of(text: str) -> set[str]:
    """Return the sequences of a text."""
    return {text[start : start + GRAM] for start in range(len(text) - GRAM + 1)}


def shared_grams(text: str, other: str) -> float:
    """Return the share of the sequences of a text that another one holds, by the definition."""
    return len(grams_of(text) & grams_of(other)) / len(grams_of(text))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=examples(60), deadline=None)
def test_nearest_texts_are_those_of_the_definition(seed: int) -> None:
    draw = random.Random(seed)

    def mutated(text: str) -> str:
        letters = list(text)
        for _ in range(draw.randrange(4)):
            letters[draw.randrange(len(letters))] = draw.choice("가나다")
        return "".join(letters)[draw.randrange(3) :]

    others = ["".join(draw.choices("가나다라마", k=draw.randrange(8, 60))) for _ in range(12)]
    others += ["가" * 30, "가" * 10]
    texts = [mutated(draw.choice(others)) for _ in range(15)] + ["", "가" * 25]
    pairs = {pair.text: pair for pair in nearest(texts, others)}
    for number, text in enumerate(texts):
        shares = [shared_grams(text, other) if len(grams_of(text)) >= FEWEST else 0.0 for other in others]
        if max(shares) >= SHARE:
            assert math.isclose(pairs[number].share, max(shares))
            assert shares[pairs[number].other] == max(shares)
        else:
            assert number not in pairs


def test_texts_that_nearly_stand_in_two_splits_are_found_without_the_same_ones() -> None:
    text = "그는 어제 서울에서 열린 회의에 다녀와서 오늘은 집에서 쉬고 있다고 했다"
    inspection = inspected(
        train=[f"<김하늘:PS> {text}", text, "<김하늘:PS>"],
        validation=[text + "!", f"{text} 한다", "<김하늘:PS>은 갔다"],
    )
    near = finding(inspection, "nearly_same_texts")
    assert (near.about, near.occurrences) == ("validation, train", 1)
    assert [place.id for place in near.cases[0].places] == ["validation-2", "train-1"]
    assert 80 <= near.cases[0].numbers["share"] < 100


def test_characters_that_are_unknown_invisible_or_in_parts_are_found() -> None:
    inspection = inspected(
        train=[
            "<서울:LC>에 뷁뷁",
            "뷁 a\u00ad b\u200b",
            "가\u00a0나 \ufffd",
            "\u1112\u1161\u11ab글 e\u0301 👨‍👩‍👧",
            "ᄏᄏ ㅋㅋ",
        ]
    )
    assert found(inspection, "unknown_characters") == {"뷁 U+BDC1 HANGUL SYLLABLE BWELG": (3, {})}
    assert {what.split()[0] for what in found(inspection, "invisible_characters")} == {
        "U+00AD",
        "U+200B",
        "U+00A0",
        "�",
    }
    parts = finding(inspection, "decomposed_texts")
    assert [case.places[0].id for case in parts.cases] == ["train-4", "train-5"]


def test_spaces_and_long_words_are_found_as_their_files_have_them() -> None:
    rows = []
    for number, sentence in enumerate(["비가 온다", "가" * 21 + " 나"]):
        text, tags = split_spaces(sentence)
        rows.append({"id": str(number), "text": text, "tags": tags})
    splits = DatasetDict({"train": tagged_dataset(rows, SPACING_LABELS)})
    inspection = inspect_splits(
        splits, are_known=lambda characters: [True] * len(characters), as_written={"0": " 비가  온다"}
    )
    assert inspection.form is Form.SPACING
    assert inspection.splits[0].words == 4
    assert marked_in(finding(inspection, "loose_spaces")) == [" "]
    assert found(inspection, "long_words") == {"가" * 21: (1, {})}


def test_what_is_said_of_words_and_characters_is_the_same_in_either_spelling() -> None:
    sentence = "이야기했습니다만 " + "가나" * 11 + " が"  # 8 and 22 syllables
    said = []
    for written in (sentence, unicodedata.normalize("NFD", sentence)):
        rows = Dataset.from_dict(
            {"id": ["1"], "text": [written]}, features=Features({"id": Value("string"), "text": Value("string")})
        )
        inspection = inspect_splits(
            DatasetDict({"train": rows}),
            are_known=lambda characters: [not unicodedata.combining(each) for each in characters],
        )
        [one] = [each for each in inspection.findings if each.kind in ("long_words", "unknown_characters")]
        assert marked_in(one) == [one.cases[0].what]
        said.append([one.kind, unicodedata.normalize("NFC", one.cases[0].what), one.cases[0].numbers])
    assert said == [["long_words", "가나" * 11, {"characters": 22}]] * 2


def test_a_long_word_is_shown_where_it_stands_alone() -> None:
    rows = Dataset.from_dict(
        {"id": ["1"], "text": ["가" * 30 + "나 " + "가" * 21]},
        features=Features({"id": Value("string"), "text": Value("string")}),
    )
    inspection = inspect_splits(DatasetDict({"train": rows}), are_known=lambda characters: [True] * len(characters))
    marks = [case.places[0].marks for case in finding(inspection, "long_words").cases]
    assert marks == [[Span(0, 31, "")], [Span(32, 53, "")]]


def test_texts_alone_are_looked_at_too() -> None:
    rows = Dataset.from_dict(
        {"id": ["1", "2"], "text": ["가 나", "가 나"]},
        features=Features({"id": Value("string"), "text": Value("string")}),
    )
    inspection = inspect_splits(DatasetDict({"train": rows}), are_known=lambda characters: [True] * len(characters))
    assert (inspection.form, inspection.labels, inspection.remarks) == (Form.TEXTS, [], [])
    assert [each.kind for each in inspection.findings] == ["repeated_texts"]


def test_many_cases_are_counted_and_the_first_kept() -> None:
    one = finding(inspected(train=[f"<서울:LC> {number}  끝" for number in range(150)]), "loose_spaces")
    assert (len(one.cases), one.num_cases, one.occurrences, one.of) == (MOST_CASES, 150, 150, 150)


def test_a_long_text_is_shown_around_what_was_found() -> None:
    inspection = inspected(train=["<서울:LC>에 갔다", "가나 " * 200 + "서울에" + " 다라" * 200])
    [place] = finding(inspection, "unmarked_names").cases[0].places
    assert len(place.text) < 250
    assert place.text.startswith("…")
    assert place.text.endswith("…")
    assert marked_in(finding(inspection, "unmarked_names")) == ["서울"]


def test_samples_are_the_same_each_time_and_have_all_their_names() -> None:
    splits = read_inline_marks(None)
    first, second = (
        inspect_splits(splits, are_known=lambda characters: [True] * len(characters)).samples for _ in range(2)
    )
    assert first == second
    assert len({sample.id for sample in first}) == 10
    rows = {row["id"]: row for row in splits["train"]}
    for sample in first:
        assert sample.text == rows[sample.id]["text"]
        assert sum(mark.end - mark.start for mark in sample.marks) == sum(
            tag != splits["train"].features["tags"].feature.str2int("O") for tag in rows[sample.id]["tags"]
        )


def test_labels_that_nothing_teaches_are_said() -> None:
    inspection = inspected(train=["<서울:LC>"], validation=["<김하늘:PS>"])
    assert any("no model can learn what the training data lacks: PS" in remark for remark in inspection.remarks)
