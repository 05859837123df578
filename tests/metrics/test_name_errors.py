import pytest
from hypothesis import given
from hypothesis import strategies as st

from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.inline_marks import parse_marks
from malmoi.metrics.name_errors import KINDS, compare_names


def errors(gold: str, predicted: str) -> list[tuple[str, str | None, str | None]]:
    """Return kind, gold and predicted name of each mistake of two marked sentences."""
    text, names = parse_marks(gold)
    same_text, found = parse_marks(predicted)
    assert text == same_text
    return [
        (
            kind,
            one and f"{text[one.start : one.end]}:{one.label}",
            other and f"{text[other.start : other.end]}:{other.label}",
        )
        for kind, one, other in compare_names(text, names, found).errors
    ]


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ("<춘천:LC>에 갔다", "춘천에 갔다", ("missed", "춘천:LC", None)),
        ("춘천에 갔다", "<춘천:LC>에 갔다", ("invented", None, "춘천:LC")),
        ("<춘천:LC>에 갔다", "<춘천:OG>에 갔다", ("type", "춘천:LC", "춘천:OG")),
        ("<춘천:LC>에 갔다", "<춘천에:LC> 갔다", ("josa", "춘천:LC", "춘천에:LC")),
        ("<춘천에서는:LC> 갔다", "<춘천:LC>에서는 갔다", ("josa", "춘천에서는:LC", "춘천:LC")),
        ("<춘천시:LC>에 갔다", "<춘천:LC>시에 갔다", ("end", "춘천시:LC", "춘천:LC")),
        ("<춘천 가:LC>게에 갔다", "<춘천:LC> 가게에 갔다", ("end", "춘천 가:LC", "춘천:LC")),  # a space before it
        ("<강원 춘천:LC>에 갔다", "강원 <춘천:LC>에 갔다", ("start", "강원 춘천:LC", "춘천:LC")),
        ("<강원 춘천:LC>에 갔다", "강원 <춘천에:LC> 갔다", ("both_ends", "강원 춘천:LC", "춘천에:LC")),
        ("<춘천:LC>에 갔다", "<춘천에:OG> 갔다", ("type_and_ends", "춘천:LC", "춘천에:OG")),
    ],
)
def test_each_mistake_is_of_one_kind(gold: str, predicted: str, expected: tuple[str, str | None, str | None]) -> None:
    assert errors(gold, predicted) == [expected]


def test_a_name_is_paired_with_one_alone() -> None:
    assert errors("<강원 춘천:LC>", "<강원:LC> <춘천:LC>") == [
        ("end", "강원 춘천:LC", "강원:LC"),
        ("invented", None, "춘천:LC"),
    ]
    # its own type before a longer overlap, and no pair across what is right
    assert errors("<강원도 춘천:LC>", "<강원도:OG> <춘천:LC>") == [
        ("invented", None, "강원도:OG"),
        ("start", "강원도 춘천:LC", "춘천:LC"),
    ]
    assert errors("<강원:LC> <춘천:LC>시", "<강원:LC> <춘천시:LC>") == [("end", "춘천:LC", "춘천시:LC")]


TAGS = st.lists(st.sampled_from(["B-PS", "I-PS", "B-LC", "I-LC", "O"]), min_size=12, max_size=12).map(tags_to_spans)


@given(gold=TAGS, predicted=TAGS)
def test_every_name_is_right_or_in_one_mistake(gold: list[Span], predicted: list[Span]) -> None:
    right, mistakes = compare_names("홍길동은 춘천에서 산다", gold, predicted)
    assert sorted([*right, *(each.gold for each in mistakes if each.gold)]) == sorted(gold)
    assert sorted([*right, *(each.predicted for each in mistakes if each.predicted)]) == sorted(predicted)
    for kind, one, other in mistakes:
        assert kind in KINDS
        assert one != other
        assert (kind in ("missed", "invented")) == (one is None or other is None)
        if one and other:
            assert max(one.start, other.start) < min(one.end, other.end)
            assert ("type" in kind) == (one.label != other.label)
    # what is left over on both sides does not overlap with the same characters
    missed = {each.gold[:2] for each in mistakes if each.kind == "missed" and each.gold}
    assert not missed & {each.predicted[:2] for each in mistakes if each.kind == "invented" and each.predicted}
