"""The page of what is in data: all texts escaped, both languages, nothing from elsewhere, in a real browser."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from support.page_in_browser import browser

from malmoi.data.alignment import Span
from malmoi.data.inspection.inspection import Inspection, inspect_splits
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.reports.inspection.page import page_html, write_page
from malmoi.reports.inspection.shown_finding import LANGUAGES, inspection_json, meaning, sum_of, title, visible, words

EVIL = "<script>document.title='owned'</script><img src=x onerror=alert(1)>&amp;\u202e{{ 7 * 7 }}"


@pytest.fixture(scope="module")
def inspection() -> Inspection:
    rows = [
        MarkedText(f"{EVIL}-{number}", f"{EVIL} 서울에  갔다 {number}", [Span(0, 8, "<b>")], "made")
        for number in range(30)
    ]
    rows += [MarkedText("x", "서울과 춘천", [Span(0, 2, "LC")], "made")] * 2
    splits = marked_splits({"train": rows, "validation": rows[:2]})
    return inspect_splits(splits, are_known=lambda characters: [each != "울" for each in characters])


def test_no_text_of_the_data_is_source(inspection: Inspection) -> None:
    source = page_html(inspection, source=EVIL, reader="made")
    assert "<img" not in source
    assert "\u202e" not in source
    assert "<b>" not in source
    assert source.count("<script>") == 1
    assert "{{ 7 * 7 }}" in source


def test_every_word_is_in_both_languages_and_every_one_used(inspection: Inspection) -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (Path(__file__).parents[2] / "reports/inspection").iterdir()
        if path.suffix in (".py", ".jinja")
    )
    for name, word in words().items():
        if name == "kinds":
            continue
        assert {*word} == {*LANGUAGES}, name
        assert f'"{name}"' in source, name
    for kind, parts in words()["kinds"].items():
        assert {*parts} == {"title", "says", "means"}, kind
        assert all({*part} == {*LANGUAGES} for part in parts.values()), kind
    for finding in inspection.findings:
        for language in LANGUAGES:
            assert all((title(finding, language), sum_of(finding, language), meaning(finding, language)))


def test_json_has_what_the_page_has(inspection: Inspection) -> None:
    said = json.loads(json.dumps(inspection_json(inspection, source="here", reader="made")))
    assert [finding["kind"] for finding in said["findings"]] == [finding.kind for finding in inspection.findings]
    spaces = next(finding for finding in said["findings"] if finding["kind"] == "loose_spaces")
    assert (spaces["count"], spaces["of"], len(spaces["first_cases"])) == (32, 34, 32)
    [place] = spaces["first_cases"][0]["places"]
    assert [place["text"][mark["start"] : mark["end"]] for mark in place["marks"]] == ["  "]
    assert said["splits"][0]["lengths"]["100 %"] == len(f"{EVIL} 서울에  갔다 29")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("가 나", "가 나"),
        ("a\u200b", "a[U+200B]"),
        ("\x1b[31m", "[U+001B][31m"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("\u00a0", "[U+00A0]"),
    ],
)
def test_what_cannot_be_seen_is_written_by_its_number(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.mark.slow
def test_the_page_works_in_a_browser(inspection: Inspection, driver: Chrome, tmp_path: Path) -> None:
    path = tmp_path / "data.html"
    write_page(path, inspection, source=EVIL, reader="made")
    driver.get(path.as_uri())
    assert driver.title == visible(EVIL)
    assert not [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    shown = {element.text for element in driver.find_elements(By.TAG_NAME, "h1") if element.is_displayed()}
    button = driver.find_element(By.ID, "language")
    button.click()
    other = {element.text for element in driver.find_elements(By.TAG_NAME, "h1")}
    assert shown | other == {*words()["title"].values()}
    rows = driver.find_elements(By.CSS_SELECTOR, "details li")
    assert rows
    assert not rows[0].is_displayed()
    driver.find_element(By.TAG_NAME, "summary").click()
    assert driver.find_element(By.CSS_SELECTOR, "details[open] li").is_displayed()
    for width in (400, 1400):
        driver.set_window_size(width, 900)
        wide = driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide == 0, width
