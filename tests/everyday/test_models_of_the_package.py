"""The models of the package on everyday sentences that none of them has been trained on: what users see first.

The bounds are below what was measured (`docs/accuracy.md`) by about what another seed changes.
"""

import pytest

from malmoi import Classifier, Spacer, Tagger
from malmoi.benchmarks.everyday import (
    everyday_reviews,
    everyday_sentences,
    main,
    name_f1,
    right_reviews,
    spacing,
    without_spaces,
)
from malmoi.data.alignment import Span
from malmoi.data.inline_marks import write_marks

NAMES, WITHOUT_SPACES, SPACES, SENTENCES, REVIEWS = 0.86, 0.81, 0.94, 0.52, 0.90


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger(device="cpu")


@pytest.fixture(scope="module")
def spacer() -> Spacer:
    return Spacer(device="cpu")


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        (
            "손흥민은 1992년 7월 8일 춘천에서 태어났다.",
            "<손흥민:PS>은 <1992년 7월 8일:DT> <춘천:LC>에서 태어났다.",
        ),
        ("SK하이닉스는 경기도 이천에 본사를 두고 있다.", "<SK하이닉스:OG>는 <경기도 이천:LC>에 본사를 두고 있다."),
        (
            "특히 영동고속도로 강릉 방향 문막휴게소에서 만종분기점까지 5㎞ 구간에는",
            "특히 <영동고속도로:LC> <강릉:LC> 방향 <문막휴게소:LC>에서 <만종분기점:LC>까지 <5㎞:QT> 구간에는",
        ),
    ],
)
def test_the_sentences_of_the_first_write_up(tagger: Tagger, text: str, marked: str) -> None:
    spans = [Span(entity.start, entity.end, entity.label) for entity in tagger(text)]
    assert write_marks(text, spans) == marked


def test_names_in_everyday_sentences(tagger: Tagger) -> None:
    assert name_f1(tagger, everyday_sentences()) >= NAMES


def test_names_where_all_spaces_are_missing(tagger: Tagger) -> None:
    assert name_f1(tagger, without_spaces(everyday_sentences())) >= WITHOUT_SPACES


def test_what_once_came_out_as_a_joke(spacer: Spacer) -> None:
    assert spacer("아버지가방에들어가신다.").text == "아버지가 방에 들어가신다."


def test_spaces_of_everyday_sentences(spacer: Spacer) -> None:
    f1, whole = spacing(spacer, [text for text, _ in everyday_sentences()])
    assert f1 >= SPACES
    assert whole >= SENTENCES


def test_reviews() -> None:
    reviews = everyday_reviews()
    assert right_reviews(Classifier(device="cpu"), reviews) / len(reviews) >= REVIEWS


@pytest.mark.slow
def test_the_figures_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    printed = capsys.readouterr().out
    assert printed.count("entity_f1") == 2
    assert f"of {len(everyday_reviews())} right" in printed
