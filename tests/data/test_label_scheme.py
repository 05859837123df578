import pytest
from hypothesis import given
from hypothesis import strategies as st

from malmoi.data.alignment import Span, spans_to_tags, token_labels_to_spans
from malmoi.data.label_scheme import LabelScheme, read_label_scheme
from malmoi.data.user_error import UserError

TYPES = ["PS", "LC", "날-짜_1"]


def labels_of(form: str, letters: str) -> list[str]:
    return ["O", *(form.format(letter=letter, type=t) for t in TYPES for letter in letters)]


SETS = {
    "BIO": labels_of("{letter}-{type}", "BI"),
    "BIO with underscores": labels_of("{letter}_{type}", "BI"),
    "suffixes": labels_of("{type}-{letter}", "BI"),
    "I alone": labels_of("{letter}-{type}", "I"),
    "bare": ["O", *("PS", "LC", "날짜")],
    "BIOES": labels_of("{letter}-{type}", "BIES"),
    "BIOES as suffixes": labels_of("{type}_{letter}", "BIES"),
    "BILOU": labels_of("{letter}-{type}", "BILU"),
    "BMES": labels_of("{letter}-{type}", "BMES"),
    "BMEWO": labels_of("{letter}-{type}", "BMEW"),
}


@st.composite
def names(draw: st.DrawFn) -> tuple[list[Span], int]:
    """Draw names in a text, none of which touches another."""
    spans, place = [], 0
    for _ in range(draw(st.integers(0, 4))):
        start = place + draw(st.integers(1, 3))
        place = start + draw(st.integers(1, 4))
        spans.append((start, place, draw(st.integers(0, 2))))
    return spans, place + draw(st.integers(1, 2))


@pytest.mark.parametrize("name", SETS)
@given(drawn=names())
def test_every_scheme_spells_the_names_that_were_written_in_it(name: str, drawn: tuple[list[Span], int]) -> None:
    scheme = read_label_scheme(SETS[name])
    assert scheme.is_bio == (name == "BIO")
    spans = [Span(start, end, scheme.types()[number]) for start, end, number in drawn[0]]
    written = scheme.from_bio(spans_to_tags(spans, drawn[1]))
    assert set(written) <= set(SETS[name])
    offsets = [(index, index + 1) for index in range(drawn[1])]
    found = token_labels_to_spans(scheme.to_bio(written, offsets), offsets)
    assert [span for span, _ in found] == spans


@pytest.mark.parametrize(
    ("labels", "written", "expected"),
    [
        ("BIOES", "B-PS E-PS S-PS S-PS B-LC I-LC E-LC I-LC O E-PS", [(0, 2), (2, 3), (3, 4), (4, 7)]),
        ("BILOU", "U-PS B-PS L-PS I-PS", [(0, 1), (1, 3)]),
        ("I alone", "I-PS I-PS I-LC O I-PS", [(0, 2), (2, 3), (4, 5)]),
        ("bare", "PS PS LC O LC", [(0, 2), (2, 3), (4, 5)]),
        ("suffixes", "PS-B PS-I PS-B LC-I", [(0, 2), (2, 3)]),
        ("BIO", "I-PS B-PS I-PS I-LC", [(1, 3)]),
    ],
)
def test_neighbours_and_labels_that_continue_nothing(
    labels: str, written: str, expected: list[tuple[int, int]]
) -> None:
    offsets = [(index, index + 1) for index in range(len(written.split()))]
    found = token_labels_to_spans(read_label_scheme(SETS[labels]).to_bio(written.split(), offsets), offsets)
    assert [(start, end) for (start, end, _), _ in found] == expected


def test_in_iob1_a_beginning_parts_neighbours_alone() -> None:
    scheme = read_label_scheme(["O", "I-PS", "I-LC", "B-LC"])
    offsets = [(index, index + 1) for index in range(6)]
    found = scheme.to_bio(["I-LC", "I-LC", "B-LC", "I-LC", "O", "I-PS"], offsets)
    assert found == ["B-LC", "I-LC", "B-LC", "I-LC", "O", "B-PS"]
    assert scheme.from_bio(found) == ["I-LC", "I-LC", "B-LC", "I-LC", "O", "I-PS"]


def test_tokens_without_characters_say_nothing() -> None:
    scheme = read_label_scheme(SETS["bare"])
    offsets = [(0, 0), (0, 1), (1, 1), (1, 2), (0, 0)]
    assert scheme.to_bio([None, "PS", "O", "PS", None], offsets) == [None, "B-PS", None, "I-PS", None]


def test_labels_of_special_tokens_are_outside() -> None:
    assert read_label_scheme(["O", "PS", "UNK"], are_of_model=False).types() == ["PS", "UNK"]
    scheme = read_label_scheme(["[PAD]", "O", "B-PS", "I-PS", "<pad>", "UNK"])
    assert scheme.types() == ["PS"]
    assert scheme.to_bio(["B-PS", "[PAD]", "I-PS"], [(0, 1), (1, 2), (2, 3)]) == ["B-PS", "O", "O"]


@pytest.mark.parametrize(
    "labels",
    [
        ["LABEL_0", "LABEL_1"],
        [],
        ["O", "B-PS", "I-PS", "X"],
        ["O", "B-PS", "LC-I"],
        ["O", "B-PS", "L-PS", "S-PS"],
        ["o", "b-ps", "i-ps"],
        ["O", "b-ps", "i-ps"],
        ["B-PS", "I-PS"],
    ],
)
def test_labels_of_no_scheme_are_refused_by_name(labels: list[str]) -> None:
    with pytest.raises(UserError, match="the labels follow no scheme of names that is known") as caught:
        read_label_scheme(labels)
    assert str(caught.value).endswith(f": {', '.join(labels) or 'there are none'}.")


def test_a_long_list_of_labels_is_cut_in_the_error() -> None:
    with pytest.raises(UserError, match="LABEL_11, …"):
        read_label_scheme([f"LABEL_{index}" for index in range(100)])


@given(labels=st.lists(st.sampled_from(SETS["BIO"]), max_size=8))
def test_bio_is_left_as_it_is(labels: list[str]) -> None:
    scheme: LabelScheme = read_label_scheme(SETS["BIO"])
    assert scheme.to_bio(labels, [(index, index + 1) for index in range(len(labels))]) == labels


def test_a_model_that_knows_no_names_finds_none() -> None:
    assert read_label_scheme(["O"]) == LabelScheme({}, inside_begins=False, is_bio=True)
