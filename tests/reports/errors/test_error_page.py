"""The page of mistakes: what is in the file, and what a real browser makes of it, headless Chromium."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait
from support.page_in_browser import browser

from malmoi.data.alignment import Span, spans_to_tags
from malmoi.inference.classifier import Classification
from malmoi.inference.labelled_tokens import TokenLabels
from malmoi.inference.tagger import Entity
from malmoi.metrics.name_errors import KINDS
from malmoi.reports.errors import TASK_ERRORS
from malmoi.reports.errors.answers import Answer, Confusion, Error, Findings, Table
from malmoi.reports.errors.classes import ClassAnswer
from malmoi.reports.errors.names import SEEN, UNSEEN, _answer
from malmoi.reports.errors.page import FOLDER, SCRIPTS, page_html, script_json, write_page
from malmoi.reports.errors.rows import GAP, error_rows, page_data
from malmoi.reports.errors.spaces import SPACE, TOGETHER

HOSTILE = (
    "<script>window.harm = 1</script></script><img src=x onerror='window.harm = 2'>"
    "<!-- <b>굵게</b> &lt;i&gt; ${window.harm = 3} {{ data }} \u2028 ']]>"
)


def name_answer(
    number: int, text: str, gold: list[Span], predicted: list[Span], *, sure: float = 0.9, source: str = "news"
) -> Answer:
    """Return the answer of a tagger of characters that is so sure of everything."""
    entities = [Entity(*span, sure, text[span.start : span.end]) for span in predicted]
    tokens = TokenLabels([0] * len(text), [sure] * len(text), [(at, at + 1) for at in range(len(text))], [])
    names = frozenset({"춘천"})
    return _answer(f"text-{number}-{source}", text, spans_to_tags(gold, len(text)), entities, tokens, names)


def data_of(answers: list[Answer], others: list[Answer] | None = None, *, model: str = "runs/mine") -> dict[str, Any]:
    report: dict[str, Any] = {
        "task": "named-entities",
        "model": model,
        "data": {"source": "corpus", "split": "test"},
        "figures": {name: 0.5 for name in TASK_ERRORS["named-entities"].figures},
        "intervals": {"entity_f1": [0.4, 0.6]},
        "definitions": dict.fromkeys(TASK_ERRORS["named-entities"].figures, "what it means"),
    }
    if others is not None:
        difference = {"entity_f1": {"difference": 0.1, "interval": [-0.05, 0.25]}}
        report["against"] = {"model": "runs/other", "figures": report["figures"], "differences": difference}
    confusion = Confusion(["LC", "PS", ""], [[3, 1, 2], [0, 0, 0], [1, 0, 0]])
    tables = [Table("by_seen", ["names", "precision", "recall", "f1"], [("seen", [2, 0.5, 0.5, 0.5])])]
    other = None if others is None else Findings(others, confusion, tables)
    return page_data(report, TASK_ERRORS["named-entities"], Findings(answers, confusion, tables), other)


def some_answers() -> list[Answer]:
    place, person = Span(0, 2, "LC"), Span(0, 2, "PS")
    return [
        name_answer(1, "춘천에 갔다", [place], [place]),
        name_answer(2, "춘천에 갔다", [place], [], sure=0.7),
        name_answer(3, "춘천에 왔다", [], [place], sure=0.95, source="web"),
        name_answer(4, "서울에 갔다", [place], [person], sure=0.8),
        name_answer(5, HOSTILE + " 서울에", [Span(0, 8, "LC")], [Span(0, 9, "LC")], sure=0.99),
        name_answer(6, "서울에 있다", [Span(0, 3, "LC")], [place], sure=0.6, source="web"),
    ]


def test_texts_cannot_end_the_script_that_holds_them() -> None:
    source = script_json([HOSTILE])
    assert not set("<>&\u2028") & set(source)
    assert json.loads(source) == [HOSTILE]
    page = page_html(data_of(some_answers(), model="</title><script>alert(1)</script>"))
    assert page.count("<script") == page.count("</script>") == 3
    assert "<img" not in page
    assert "<b>" not in page


def test_the_page_asks_nobody() -> None:
    source = page_html(data_of([]))
    assert "default-src 'none'" in source
    assert not re.search(r"https?:|//[a-z]+\.|src=|url\(|@import|fetch\(|XMLHttp", source)


def test_every_word_of_the_page_is_there_in_both_languages() -> None:
    words = yaml.safe_load((FOLDER / "words.yaml").read_text(encoding="utf-8"))
    placeholders = [
        re.compile(r"\{\w+\}").findall(text) for each in words.values() for text in (each["en"], each["ko"])
    ]
    assert [sorted(set(found)) for found in placeholders[::2]] == [sorted(set(found)) for found in placeholders[1::2]]
    scripts = "".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    used = set(re.findall(r"""say\(["'](\w+)["']""", scripts))
    used |= {f"{name}_means_{task.replace('-', '_')}" for name in ("sure", "sorted") for task in TASK_ERRORS}
    used |= {f"tables_mean_{task.replace('-', '_')}" for task in TASK_ERRORS}
    used |= {kind for task in TASK_ERRORS.values() for kind in task.kinds}
    used |= {f"{kind}_means" for task in TASK_ERRORS.values() for kind in task.kinds if len(task.kinds) > 1}
    code = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py"))
    used |= {name for names in re.findall(r'Breakdown\("(\w+)", "(\w+)"\)', code) for name in names}
    used |= set(re.findall(r'accuracy_table\("(\w+)"', code)) | {"texts", "accuracy", "precision", "recall", "f1"}
    used |= {SEEN, UNSEEN, SPACE, TOGETHER}
    assert used <= set(words), used - set(words)
    styled = set(re.findall(r"\.(\w+) \{ --hue", (FOLDER / "page.css").read_text(encoding="utf-8")))
    assert styled >= set(KINDS)


def test_of_a_long_text_the_parts_with_mistakes_are_shown() -> None:
    text = "가" * 5000 + "춘천" + "나" * 5000 + "서울" + "다" * 300
    gold = [Span(5000, 5002, "LC"), Span(10002, 10004, "LC")]
    [row] = error_rows([name_answer(1, text, gold, [])])
    shown = row["lines"][0]
    assert [shown["text"][start:end] for start, end, *_ in shown["marks"]] == ["춘천", "서울"]
    assert shown["text"].count(GAP) == 3
    assert len(shown["text"]) < 600
    # a name that was not found has no mark among those of the model: the same parts are shown all the same
    assert row["lines"][1] == {**shown, "marks": []}
    right = name_answer(1, text, gold, gold)
    [row] = error_rows([name_answer(1, text, gold, gold[:1])], [right])
    assert len({line["text"] for line in row["lines"]}) == 1
    assert [len(line["marks"]) for line in row["lines"]] == [1, 0, 1]
    [row] = error_rows(
        [ClassAnswer("1", text, [Error("class", "a", "b", "", 1.0)], "a", Classification("b", 1, {}, False))]
    )
    assert row["lines"][0]["text"].startswith("가가")
    assert len(row["lines"][0]["text"]) < 900


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


class Shown:
    """A page of mistakes in a browser."""

    def __init__(self, driver: Chrome, path: Path, data: dict[str, Any]):
        write_page(path, data)
        self.driver = driver
        driver.get(path.as_uri())

    def rows(self) -> list[str]:
        """Return the ids of the rows that are shown."""
        shown = (
            "[...document.querySelectorAll('ol.rows > li .about span:nth-of-type(2)')].map((each) => each.innerText)"
        )
        return list(self.driver.execute_script(f"return {shown}"))

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def choose(self, name: str, value: str) -> None:
        Select(self.one(f"select[name={name}]")).select_by_value(value)

    def search(self, text: str, *, found: int) -> None:
        """Type what texts must hold, and wait until so many are said to."""
        self.one("input[name=text]").send_keys(text)
        korean = self.one("html").get_attribute("lang") == "ko"
        none = "이런 잘못이 있는 글이 없습니다." if korean else "No text has a mistake of this kind."
        said = (f"{found}개 가운데 " if korean else f" of {found} texts ") if found else none
        WebDriverWait(self.driver, 60).until(lambda _: said in self.one("#count").text)

    def faults(self) -> list[Any]:
        """Return what the browser complains of: errors of the script, requests that the policy of the page refuses."""
        return [entry for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


@pytest.mark.slow
def test_tags_and_scripts_in_texts_are_texts(window: Chrome, tmp_path: Path) -> None:
    page = Shown(window, tmp_path / "errors.html", data_of(some_answers(), model="<b>mine</b>"))
    assert page.rows()[0] == "text-5-news"  # the surest
    text = page.one("ol.rows > li dd").get_property("textContent")
    assert text == HOSTILE[:8] + "LC" + HOSTILE[8:] + " 서울에"
    assert "<b>mine</b>" in page.one("header").text
    page.search("<script>", found=1)
    assert page.rows() == ["text-5-news"]
    assert window.execute_script("return window.harm") is None
    assert not page.all("#page script, #page img, #page b")
    assert page.faults() == []


@pytest.mark.slow
def test_marks_lie_where_they_are_behind_emoji_and_rare_characters(window: Chrome, tmp_path: Path) -> None:
    text = "😀 𠮷野가 🇰🇷 춘천에 갔다 👩‍👩‍👧"
    person, place = (
        Span(text.index(name), text.index(name) + 2, label) for name, label in (("𠮷野", "PS"), ("춘천", "LC"))
    )
    page = Shown(window, tmp_path / "errors.html", data_of([name_answer(1, text, [person, place], [place])]))
    assert [mark.get_property("firstChild")["textContent"] for mark in page.all("ol.rows mark")] == [
        "𠮷野",
        "춘천",
        "춘천",
    ]
    gold, predicted = (each.get_property("textContent") for each in page.all("ol.rows dd"))
    assert gold == text.replace("𠮷野", "𠮷野PS").replace("춘천", "춘천LC")
    assert predicted == text.replace("춘천", "춘천LC")


@pytest.mark.slow
def test_a_type_keeps_its_name_whatever_words_the_page_has(window: Chrome, tmp_path: Path) -> None:
    data = data_of(some_answers())
    names = ["model", "end", "constructor"]
    data["tables"] = [Table("by_type", ["names", "f1"], [(name, [1, 0.5]) for name in names])._asdict()]
    page = Shown(window, tmp_path / "errors.html", data)
    assert [head.get_property("textContent") for head in page.all(".tables > div:nth-child(2) tbody th")] == names
    assert page.rows()
    assert page.faults() == []


@pytest.mark.slow
def test_filters_are_of_one_mistake_and_count(window: Chrome, tmp_path: Path) -> None:
    page = Shown(window, tmp_path / "errors.html", data_of(some_answers()))
    everything = ["text-5-news", "text-3-web", "text-4-news", "text-2-news", "text-6-web"]
    assert page.rows() == everything
    kinds = {each.get_attribute("data-kind"): each.text.rsplit(" ", 1)[1] for each in page.all(".kinds button")}
    assert kinds == {"missed": "1", "invented": "1", "type": "1", "josa": "1", "end": "1"}
    page.one("[data-kind=josa]").click()
    assert page.rows() == ["text-6-web"]
    page.one("[data-kind=missed]").click()
    assert page.rows() == ["text-2-news", "text-6-web"]
    page.choose("source", "web")
    assert page.rows() == ["text-6-web"]
    assert page.one("[data-kind=missed]").text.endswith("0")
    page.one("#reset").click()
    assert page.rows() == everything
    page.choose("seen", "seen")
    assert page.rows() == ["text-3-web", "text-2-news"]
    page.choose("gold", "LC")
    assert page.rows() == ["text-2-news"]
    page.one("#reset").click()
    page.choose("sort", "as_in_data")
    assert page.rows() == sorted(everything)
    page.one(".confusion tbody tr:first-of-type td:nth-of-type(2) button").click()  # LC taken for PS
    assert page.rows() == ["text-4-news"]
    assert Select(page.one("select[name=predicted]")).first_selected_option.text == "PS"
    page.search("없는 글", found=0)
    assert page.rows() == []
    assert page.faults() == []


@pytest.mark.slow
def test_the_page_speaks_two_languages_and_needs_no_mouse(window: Chrome, tmp_path: Path) -> None:
    page = Shown(window, tmp_path / "errors.html", data_of(some_answers()))
    first = page.one("html").get_attribute("lang")
    page.one("#language").send_keys(Keys.ENTER)
    assert {first, page.one("html").get_attribute("lang")} == {"ko", "en"}
    if page.one("html").get_attribute("lang") == "en":
        page.one("#language").send_keys(Keys.ENTER)
    assert page.one("h1").text == "모델이 틀린 곳"
    assert [each.text for each in page.all("ol.rows > li:first-child dt")] == ["정답", "모델"]
    page.one("[data-kind=type]").send_keys(Keys.SPACE)
    assert page.rows() == ["text-4-news"]
    focused = window.switch_to.active_element
    assert (focused.get_attribute("data-kind"), focused.get_attribute("aria-pressed")) == ("type", "true")
    assert "1개" in page.one("[role=status]").text
    # everything that can be used has a name, and every table says what it is
    for control in page.all("select, input"):
        assert window.execute_script("return arguments[0].labels[0].firstChild.textContent", control).strip()
    assert all(table.text for table in page.all("table caption"))
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert page.faults() == []


@pytest.mark.slow
def test_two_models_stand_below_each_other(window: Chrome, tmp_path: Path) -> None:
    answers = some_answers()
    place = Span(0, 2, "LC")
    others = [
        name_answer(1, "춘천에 갔다", [place], []),
        name_answer(2, "춘천에 갔다", [place], [place]),
        *answers[2:],
    ]
    page = Shown(window, tmp_path / "errors.html", data_of(answers, others))
    assert page.rows()[-1] == "text-1-news"  # only the other model is wrong
    page.choose("outcome", "only_other_wrong")
    assert page.rows() == ["text-1-news"]
    assert [each.text for each in page.all("ol.rows dt")][1:] == ["runs/mine", "runs/other"]
    assert "runs/other" in page.one("ul.errors").text
    page.choose("outcome", "only_model_wrong")
    assert page.rows() == ["text-2-news"]
    assert "+10.00" in page.one("table").text
    assert page.faults() == []


@pytest.mark.slow
def test_ten_thousand_wrong_sentences_are_shown_some_at_a_time(window: Chrome, tmp_path: Path) -> None:
    answers = [
        name_answer(
            number,
            f"{number}번 문장은 춘천에서 썼다. " + "말 " * 40,
            [],
            [Span(0, len(str(number)), "QT")],
            sure=number / 20_000,
        )
        for number in range(1, 10_001)
    ]
    page = Shown(window, tmp_path / "errors.html", data_of(answers))
    assert len(page.rows()) == 50
    assert page.rows()[0] == "text-10000-news"
    page.one("nav button:last-child").click()
    assert page.rows()[0] == "text-9950-news"
    page.search("7777번", found=1)
    assert page.rows() == ["text-7777-news"]
    assert len(page.all("#page *")) < 2000
    assert page.faults() == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_sticks_out_and_texts_can_be_read(window: Chrome, tmp_path: Path, scheme: str, width: int) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page = Shown(
            window, tmp_path / "errors.html", data_of(some_answers(), some_answers(), model="a/" + "long" * 20)
        )
        wide = window.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width
        for selector in ("body", "mark.wrong", ".kinds button", "p.quiet"):
            assert _contrast(page, selector) >= 4.5, selector
    finally:
        window.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


CONTRAST = """
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const light = (color) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = color;
  canvas.fillRect(0, 0, 1, 1);
  const parts = [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)].map((part) => part / 255);
  return parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
};
const seen = (each, what) => getComputedStyle(each)[what];
return Math.min(...[...document.querySelectorAll(arguments[0])].map((each) => {
  let ground = each;
  while (/rgba\\(.*, 0\\)/.test(seen(ground, "backgroundColor"))) ground = ground.parentElement;
  const pair = [light(seen(each, "color")), light(seen(ground, "backgroundColor"))].sort((a, b) => a - b);
  return (pair[1] + 0.05) / (pair[0] + 0.05);
}));
"""


def _contrast(page: Shown, selector: str) -> float:
    """Return the least contrast between letters and ground of all such elements, as WCAG defines it."""
    return float(page.driver.execute_script(CONTRAST, selector))
