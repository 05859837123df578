"""The models of the package on everyday sentences that none of them has been trained on: what users see first.

The bounds are below what was measured (`docs/accuracy.md`) by about what another seed changes.
"""

from collections import Counter

import pytest
from support.everyday import everyday_reviews, everyday_sentences

from malmoi import Classifier, Spacer, Tagger
from malmoi.data.alignment import Span
from malmoi.data.inline_marks import write_marks
from malmoi.data.word_spacing import split_spaces
from malmoi.metrics.counts import scores

NAMES, WITHOUT_SPACES, SPACES, SENTENCES, REVIEWS = 0.86, 0.81, 0.94, 0.52, 0.90


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger(device="cpu")


@pytest.fixture(scope="module")
def spacer() -> Spacer:
    return Spacer(device="cpu")


def name_f1(tagger: Tagger, sentences: list[tuple[str, list]]) -> float:
    """Return the F1 of names: type and exact characters."""
    counts: Counter[str] = Counter()
    for (_, gold), entities in zip(sentences, tagger([text for text, _ in sentences])):
        found = {(entity.start, entity.end, entity.label) for entity in entities}
        expected = {(span.start, span.end, span.label) for span in gold}
        counts.update(right=len(found & expected), found=len(found), expected=len(expected))
    return scores(counts["right"], counts["found"], counts["expected"])[2]


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
    sentences = []
    for text, spans in everyday_sentences():
        place = [len("".join(text[:index].split())) for index in range(len(text) + 1)]
        moved = [span._replace(start=place[span.start], end=place[span.end]) for span in spans]
        sentences.append(("".join(text.split()), moved))
    assert name_f1(tagger, sentences) >= WITHOUT_SPACES


@pytest.mark.xfail(strict=True, reason="the model takes 가 for a word of its own")
def test_what_once_came_out_as_a_joke(spacer: Spacer) -> None:
    assert spacer("아버지가방에들어가신다.").text == "아버지가 방에 들어가신다."


def test_spaces_of_everyday_sentences(spacer: Spacer) -> None:
    texts = [text for text, _ in everyday_sentences()]
    spaced = [answer.text for answer in spacer(["".join(text.split()) for text in texts])]
    counts: Counter[str] = Counter()
    for expected, answer in zip(texts, spaced):
        gold, found = (
            {i for i, tag in enumerate(split_spaces(each)[1][1:]) if tag == "B"} for each in (expected, answer)
        )
        counts.update(right=len(gold & found), found=len(found), expected=len(gold), whole=expected == answer)
    assert scores(counts["right"], counts["found"], counts["expected"])[2] >= SPACES
    assert counts["whole"] / len(texts) >= SENTENCES


def test_reviews() -> None:
    reviews = everyday_reviews()
    labels = [answer.label for answer in Classifier(device="cpu")([text for text, _ in reviews])]
    right = sum((label in ("1", "positive")) == (gold == "positive") for label, (_, gold) in zip(labels, reviews))
    assert right / len(reviews) >= REVIEWS
