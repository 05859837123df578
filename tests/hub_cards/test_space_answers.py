"""The answers of a Space as HTML: every character is shown as it is, and what is marked is what the model said."""

from html import unescape
from pathlib import Path
from re import DOTALL, findall, search, sub
from re import escape as pattern_of

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.exported_models import export_tiny
from support.tiny_models import (
    SENTENCES,
    bert_tokenizer,
    save,
    tiny_bert_classifier,
    tiny_bert_tagger,
    tiny_spacing_bilstm,
)

from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.user_error import UserError
from malmoi.hub_cards.space.answer_html import classification_html, escape, names_html, spacing_html
from malmoi.hub_cards.space.label_names import hue_of
from malmoi.hub_cards.space.loaded_models import LoadedSpaceModel, load_models
from malmoi.hub_cards.space.model_list import ListedModel
from malmoi.hub_cards.space.tabs import MAX_CHARACTERS, TABS, answer_names, answer_sentiment, answer_spacing, refusal
from malmoi.inference.classifier import Classification
from malmoi.inference.spacer import SpacedText, Spacer
from malmoi.inference.tagger import Entity

HOSTILE = "<script>alert(1)</script> ${1+1} {{value}} `x` \\u0041 &amp; \"'<img src=x onerror=alert(1)>"


def shown(part: str) -> str:
    """Return the text that a browser shows of HTML without white space between its elements."""
    return unescape(sub(r"<[^>]*>", "", part))


def text_of(answer: str) -> str:
    """Return the HTML of the user's text in an answer, without the labels of its names."""
    found = search(r'<p class="malmoi-text"[^>]*>(.*?)</p>', answer, DOTALL)
    assert found is not None
    return sub(r'<span class="malmoi-label">.*?</span>', "", found[1])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[LoadedSpaceModel]]:
    folder = tmp_path_factory.mktemp("models")
    bert, syllables = bert_tokenizer(), build_syllable_tokenizer(SENTENCES)
    save(folder / "one", tiny_bert_tagger(bert, ["B-PS", "I-PS", "O"]), bert)
    save(folder / "spacing", tiny_spacing_bilstm(syllables), syllables)
    save(folder / "reviews", tiny_bert_classifier(bert), bert)
    listed = [ListedModel(name=name) for name in ("one", "spacing", "reviews")]
    return load_models([*listed, ListedModel(name="one", title="<b>둘</b>")], folder=folder)


def test_models_are_known_by_their_task(models: dict[str, list[LoadedSpaceModel]]) -> None:
    assert {task: [model.title for model in group] for task, group in models.items()} == {
        "named-entities": ["one", "<b>둘</b>"],
        "word-spacing": ["spacing"],
        "sentence-classification": ["reviews"],
    }
    assert list(models) == list(TABS)


def test_every_model_answers_with_its_size_and_its_time(models: dict[str, list[LoadedSpaceModel]]) -> None:
    answer = answer_names(models["named-entities"], "손흥민은 춘천에서 태어났다.")
    assert [shown(title) for title in findall(r"<h3>(.*?)</h3>", answer)] == ["one", "<b>둘</b>"]
    assert len(findall(r"[\d,.]+ ms", answer)) == 2
    assert answer.count(f"매개변수 {models['named-entities'][0].parameters:,}개") == 2


@pytest.mark.slow
def test_an_exported_model_stands_beside_others(
    models: dict[str, list[LoadedSpaceModel]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    [saved, _] = models["named-entities"]
    exported = export_tiny(Path(saved.text_model.model.name_or_path), tmp_path_factory.mktemp("exported") / "one")
    [both] = load_models([ListedModel(name=str(exported.parent / "one"))]).values()
    assert both[0].labels == saved.labels
    assert both[0].examples == saved.examples
    cards = findall(r"<article.*?</article>", answer_names([saved, *both], SENTENCES[0]), DOTALL)
    texts = [search(r'<p class="malmoi-text".*?</p>', card, DOTALL) for card in cards]
    assert texts[0] is not None
    assert texts[1] is not None
    assert texts[0][0] == texts[1][0]
    assert "내보낸 모델(ONNX)이라 매개변수를 세지 않습니다 · " in cards[1]
    assert "내보낸" not in cards[0]


@given(st.text() | st.sampled_from([HOSTILE, HOSTILE * 3]))
def test_what_is_shown_is_the_text(text: str) -> None:
    half = len(text) // 2
    entities = [Entity(half, len(text), HOSTILE, 0.5, text[half:])] if text[half:] else []
    answer = names_html(text, entities)
    assert shown(text_of(answer)) == text
    assert not set("{}$`\\") & set(answer)
    assert not findall(r"<(?!/?(p|mark|span|small|abbr)\b)", answer)


def test_names_are_marked_with_type_and_score() -> None:
    entities = [Entity(0, 3, "PS", 0.987, "손흥민"), Entity(5, 7, "LC", 1.0, "춘천"), Entity(7, 8, "X", 0.99999, "에")]
    answer = names_html("손흥민은 춘천에서", entities)
    marks = [shown(mark) for mark in findall(r"<mark.*?</mark>", answer)]
    assert marks == ["손흥민인물 PS 98.7%", "춘천장소 LC 100.0%", "에X 99.9%"]
    assert "개체명 3개: 장소 1, 인물 1, X 1" in answer
    assert "찾은 개체명이 없습니다." in names_html("비가 왔다.", [])


def test_kinds_of_two_corpora_have_one_colour() -> None:
    assert hue_of("PS") == hue_of("PER") != hue_of("LC") == hue_of("LOC")
    assert 0 <= hue_of("ANYTHING") < 360
    assert hue_of("ANYTHING") != hue_of("ANYTHINH")


def test_spaces_that_came_and_went_are_marked() -> None:
    spaced = SpacedText("나는 학교에 간다", [0, 1, None, 2, 3, 5, None, 6, 7], [4])
    answer = spacing_html("나는학교 에간다", spaced)
    assert shown(text_of(answer)) == "나는 학교에 간다"
    added, removed = '<ins class="malmoi-added"> </ins>', '<del class="malmoi-removed" title="붙임"></del>'
    assert text_of(answer) == f"나는{added}학교{removed}에{added}간다"
    assert "띄운 곳 2 · 붙인 곳 1" in answer


@given(st.text(alphabet="비가와 <&서집  에{}$\n", max_size=20), st.booleans())
def test_the_spaced_text_is_shown_as_it_is(
    models: dict[str, list[LoadedSpaceModel]], text: str, keep_spaces: bool
) -> None:
    [model] = models["word-spacing"]
    assert isinstance(model.text_model, Spacer)
    [spaced] = model.text_model.space([text], keep_spaces=keep_spaces)
    if text.strip():
        answer = answer_spacing([model], text, keep_spaces)
        assert shown(text_of(answer)) == spaced.text
        assert answer.count("<ins") == spaced.offsets.count(None)
        assert answer.count("<del") == len(spaced.removed)


def test_every_class_has_its_bar() -> None:
    answer = classification_html(Classification("positive", 0.75, {"negative": 0.25, "positive": 0.75}, False))
    assert findall(r"--share: ([\d.]+)", answer) == ["0.2500", "0.7500"]
    assert [shown(bar) for bar in findall(r"<li.*?</li>", answer)] == ["부정 negative25.0%", "긍정 positive75.0%"]
    assert "malmoi-note" not in answer
    assert "끝부분은 읽지 않았습니다" in classification_html(Classification("a", 1.0, {"a": 1.0}, True))


def test_what_cannot_be_answered_is_refused(models: dict[str, list[LoadedSpaceModel]]) -> None:
    for text in ("", " \n\t", None):
        assert "글을 먼저 입력해 주세요." in str(refusal(text))
    assert "5,000자까지 넣을 수 있는데 5,001자입니다." in str(refusal("가" * (MAX_CHARACTERS + 1)))
    assert "서로게이트" in answer_sentiment(models["sentence-classification"], "가\ud800")
    assert refusal("가" * MAX_CHARACTERS) is None


@pytest.mark.parametrize(
    "text",
    ["\0\x01\x7f", "\u202e거꾸로", "e\u0301" * 40, "👨‍👩‍👧🇰🇷", "ㅋ" * MAX_CHARACTERS, "\u1112\u1161\u11ab", "שלום"],
)
def test_odd_texts_are_answered(models: dict[str, list[LoadedSpaceModel]], text: str) -> None:
    for task, tab in TABS.items():
        assert "malmoi-card" in tab.answer(models[task], text)


def test_a_model_that_cannot_be_loaded_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=pattern_of("missing: there is no such folder.")):
        load_models([ListedModel(name="missing")], folder=tmp_path)


def test_escaped_text_is_no_template() -> None:
    assert shown(escape(HOSTILE)) == HOSTILE
    assert not set("<>{}$`\\") & set(escape(HOSTILE))
