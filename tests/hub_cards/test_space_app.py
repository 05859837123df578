"""The page of `malmoi serve` and of a Space, in a real browser.

The picture in the documentation is made by

    MALMOI_SCREENSHOT=docs/space.png MALMOI_SCREENSHOT_MODELS="runs/klue runs/demo" \
        pytest -m slow tests/hub_cards/test_space_app.py -k picture
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.remote.webelement import WebElement
from support.command_line import MALMOI
from support.free_ports import free_port
from support.page_in_browser import Page, browser, chromium, running
from support.tiny_models import SENTENCES, bert_tokenizer, knowing_bert_tagger, save, tiny_bert_classifier

from malmoi.data.word_spacing import SPACING_LABELS
from malmoi.hub_cards.space_staging import stage_space
from malmoi.inference.spacer import Spacer

pytestmark = pytest.mark.long

SENTENCE = SENTENCES[0]
UNSPACED = "손흥민은춘천에서 태어났 다."
LABELS = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
PERSON = {"손": "B-PS", "##흥": "I-PS", "##민": "I-PS"}
PLACE = {"춘": "B-LC", "##천": "I-LC"}
ROOT = Path(__file__).parents[2]
PICTURED = "손흥민은 1992년 7월 8일 춘천에서 태어났다. SK하이닉스는 경기도 이천에 본사를 두고 있다."


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Models that find what they were told: one knows a person and a place, another only the person."""
    folder = tmp_path_factory.mktemp("models")
    tokenizer = bert_tokenizer()
    begins = dict.fromkeys(["손", "##춘", "##태"], "B")
    return {
        "both": save(folder / "both", knowing_bert_tagger(tokenizer, LABELS, {**PERSON, **PLACE}), tokenizer),
        "person": save(folder / "person", knowing_bert_tagger(tokenizer, LABELS, PERSON), tokenizer),
        "spacing": save(folder / "spacing", knowing_bert_tagger(tokenizer, SPACING_LABELS, begins), tokenizer),
        "reviews": save(folder / "reviews", tiny_bert_classifier(tokenizer), tokenizer),
    }


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """A browser."""
    with browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def page(models: dict[str, Path], window: Chrome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page that `malmoi serve` gives for all the models."""
    port = free_port()
    command = [*MALMOI, "serve", *models.values(), "--port", str(port)]
    logs = tmp_path_factory.mktemp("logs")
    with running(command, port=port, folder=logs, logs=logs) as address:
        yield Page(window, address)
        assert "Traceback" not in (logs / "output.txt").read_text()


def name_of(mark: WebElement) -> tuple[str, float]:
    """Return a highlighted name with its type, and its score."""
    label = mark.find_element("class name", "malmoi-label").text
    kind, score = label.rsplit(" ", 1)
    return f"{mark.text.removesuffix(label)} {kind}", float(score.removesuffix("%"))


def test_names_are_highlighted_by_two_models_side_by_side(page: Page, models: dict[str, Path]) -> None:
    page.show("개체명")
    page.ask("names", SENTENCE)
    cards = page.all("#names-answers .malmoi-card")
    assert [card.find_element("css selector", "h3").text for card in cards] == [
        str(models["both"]),
        str(models["person"]),
    ]
    found = [[name_of(mark) for mark in card.find_elements("css selector", "mark")] for card in cards]
    assert [[name for name, _ in names] for names in found] == [
        ["손흥민 인물 PS", "춘천 장소 LC"],
        ["손흥민 인물 PS"],
    ]
    assert all(50 < score <= 100 for names in found for _, score in names)
    assert all(card.find_element("class name", "malmoi-time").text.endswith("ms") for card in cards)
    left, right = (card.rect for card in cards)
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]


def test_an_example_can_be_tried(page: Page) -> None:
    page.show("개체명")
    example = next(button for button in page.all(".gallery-item") if "손흥민" in button.text)
    text = example.text
    example.click()
    page.wait.until(lambda driver: page.field("names").get_attribute("value") == text)
    assert "손흥민" in page.answer("names").text


def test_a_text_is_never_html_or_a_template(page: Page) -> None:
    page.show("개체명")
    hostile = "<script>document.title='x'</script><img src=x onerror=\"document.title='x'\">"
    text = f"손흥민 {hostile} ${{1+1}} {{{{value}}}} &lt; \\n"
    page.ask("names", text)
    [shown, _] = page.all("#names-answers .malmoi-text")
    without_labels = "const copy = arguments[0].cloneNode(true); copy.querySelectorAll('.malmoi-label')"
    assert (
        page.driver.execute_script(f"{without_labels}.forEach(n => n.remove()); return copy.textContent", shown)
        == text
    )
    assert page.all("#names-answers script, #names-answers img") == []
    assert page.driver.title == "말모이"


def test_spaces_that_came_and_went_are_marked(page: Page, models: dict[str, Path]) -> None:
    page.show("띄어쓰기")
    page.ask("spacing", UNSPACED)
    [spaced] = Spacer(models["spacing"]).space([UNSPACED])
    [shown] = page.all("#spacing-answers .malmoi-text")
    assert shown.get_attribute("textContent") == spaced.text == "손흥민은 춘천에서 태어났다."
    assert len(shown.find_elements("tag name", "ins")) == len(shown.find_elements("tag name", "del")) == 1
    page.driver.find_element("css selector", "#spacing-option input").click()
    page.answer("spacing")
    [shown] = page.all("#spacing-answers .malmoi-text")
    assert shown.get_attribute("textContent") == "손흥민은 춘천에서 태어났 다."


def test_every_class_has_a_bar_of_its_probability(page: Page) -> None:
    page.show("감성")
    page.ask("sentiment", "비가 와서 집에 있었다.")
    rows = page.all("#sentiment-answers li")
    shares = [float(row.text.split()[-1].removesuffix("%")) for row in rows]
    assert [row.text.split()[0] for row in rows] == ["나쁨", "보통", "좋음"]
    assert sum(shares) == pytest.approx(100, abs=0.2)
    [best] = page.all("#sentiment-answers .malmoi-best")
    assert float(best.text.split()[-1].removesuffix("%")) == max(shares)
    bars = page.driver.execute_script(
        "return arguments[0].map(b => parseFloat(getComputedStyle(b, '::before').width) / b.clientWidth * 100)",
        page.all("#sentiment-answers .malmoi-bar"),
    )
    assert bars == pytest.approx(shares, abs=0.6)


def test_texts_that_cannot_be_answered_are_refused_and_the_next_is_answered(page: Page) -> None:
    page.show("개체명")
    assert page.ask("names", "  ").text == "글을 먼저 입력해 주세요."
    for script, message in (
        ("'가'.repeat(6000)", "5,000자까지 넣을 수 있는데 6,000자입니다."),
        ("'\\u202e\\u0001e\\u0301\\ud83d\\udc68\\u200d\\ud83d\\udc69'", "찾은 개체명이 없습니다."),
        ("'가'.repeat(5000)", "찾은 개체명이 없습니다."),
    ):
        page.driver.execute_script(
            f"arguments[0].value = {script}; arguments[0].dispatchEvent(new Event('input', {{bubbles: true}}))",
            page.field("names"),
        )
        assert message in page.answer("names").text
    assert "손흥민" in page.ask("names", SENTENCE).text


def test_the_page_is_korean_and_asks_nobody_else(page: Page) -> None:
    page.driver.refresh()
    page.show("개체명")
    page.ask("names", SENTENCE)
    assert page.requested_hosts() == {"127.0.0.1"}
    assert page.driver.execute_script("return document.documentElement.lang") == "ko"
    assert [tab.text for tab in page.tabs()] == ["개체명", "띄어쓰기", "감성"]
    assert [entry for entry in page.driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_staged_space_runs_on_what_it_carries(models: dict[str, Path], window: Chrome, tmp_path: Path) -> None:
    space = tmp_path / "space"
    stage_space([{"name": str(models["both"]), "title": "우리 모델"}], space)
    (tmp_path / "logs").mkdir()
    port = free_port()
    command = [sys.executable, "app.py"]
    with running(command, port=port, folder=space, logs=tmp_path / "logs", hidden=True) as address:
        page = Page(window, address)
        assert "춘천" in page.ask("names", SENTENCE).text
        assert [title.text for title in page.all("#names-answers h3")] == ["우리 모델"]
        assert [tab.text for tab in page.tabs()] == ["개체명"]


def test_a_picture_of_the_page_is_taken(models: dict[str, Path], window: Chrome, tmp_path: Path) -> None:
    shown = os.environ.get("MALMOI_SCREENSHOT_MODELS", "").split() or list(models.values())
    port = free_port()
    command = [*MALMOI, "serve", *shown, "--port", str(port)]
    with running(command, port=port, folder=ROOT, logs=tmp_path) as address:
        page = Page(window, address)
        page.ask("names", PICTURED)
        page.wait.until(lambda driver: driver.execute_script("return document.fonts.status") == "loaded")
        picture = tmp_path / "space.png"
        window.save_screenshot(str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert 10_000 < picture.stat().st_size < 200_000
    if wanted := os.environ.get("MALMOI_SCREENSHOT"):
        shutil.copyfile(picture, wanted)


def test_a_missing_browser_fails_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.delenv("MALMOI_BROWSER_REQUIRED", raising=False)
    with pytest.raises(pytest.skip.Exception, match="not installed"):
        chromium()
    monkeypatch.setenv("MALMOI_BROWSER_REQUIRED", "1")
    with pytest.raises(pytest.fail.Exception, match="not installed"):
        chromium()
