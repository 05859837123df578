"""The page that runs an exported tagger in a browser, headless Chromium, from a server of static files."""

import os
import random
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from support.exported_models import HARD_TEXTS, export_tiny, tiny_classifier
from support.page_in_browser import HOST, Page, browser
from support.twenty_sentences import SENTENCES
from transformers import PreTrainedTokenizerFast

from malmoi import Tagger
from malmoi.data.user_error import UserError
from malmoi.export.browser_page import RUNTIME, SCRIPTS, check_runtime, write_page
from malmoi.export.exported_model import export_model
from malmoi.inference.onnx_engine import OnnxEngine
from malmoi.modeling.name_edges import trim_name

WEB = "MALMOI_ONNXRUNTIME_WEB"
"""Names the folder of onnxruntime-web, which is no part of the project."""
EVERYDAY = (Path(__file__).parents[1] / "everyday/sentences.txt").read_text(encoding="utf-8").splitlines()
CHARACTERS = [
    *"손흥민은 춘천에서 태어났다.ABC 123#\t\r\n👨👩👧🇰🇷🏻❤ㅋㅠ가각힣𠮷é©",
    *"\u200b\u200d\ufeff\u0301\u0308\ufe0f\x85\x1c\x07\u3000\u00ad\u20e3",  # invisible, marks, spaces
    *"ᄒᄏᆨ\u1161\u1160\u115f\ua960\ud7b0\ud7cb",  # conjoining jamo
]


def places(text: str, *at: int) -> list[int]:
    """Return places in a text as JavaScript counts them, in UTF-16."""
    return [len(text[:place].encode("utf-16-le")) // 2 for place in at]


def random_texts(count: int, longest: int) -> list[str]:
    chance = random.Random(0)
    return ["".join(chance.choices(CHARACTERS, k=chance.randint(1, longest))) for _ in range(count)]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the files of a folder, and nothing else."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((HOST, 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp("profile")) as started:
        started.set_script_timeout(300)
        yield started


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "exported"
    export_model("bundled:named-entities", folder, sentences=[text for text, _ in SENTENCES])
    return folder


def in_browser(driver: Chrome, code: str, *arguments: object) -> Any:
    """Run the body of an asynchronous function in the page and return what it returns."""
    script = f"""
const done = arguments[arguments.length - 1];
(async (...given) => {{ {code} }})(...arguments).then(done, (error) => done("failed: " + error.stack));
"""
    return driver.execute_async_script(script, *arguments)


@pytest.mark.slow
def test_texts_become_the_same_tokens_in_javascript(driver: Chrome, exported: Path) -> None:
    texts = [*HARD_TEXTS, *EVERYDAY, *random_texts(2000, 25)]
    folder = exported.with_name("scripts")
    shutil.copytree(exported, folder)
    for name in SCRIPTS:
        shutil.copyfile(Path(__file__).parents[2] / "export/page" / name, folder / name)
    with served(folder) as address:
        driver.get(f"{address}config.json")  # a page of the same origin
        encoded = in_browser(
            driver,
            """
const { Tokenizer } = await import("/tokenizer.js");
const read = async (name) => (await fetch(name)).json();
const tokenizer = new Tokenizer(await read("/tokenizer.json"), await read("/tokenizer_config.json"));
return given[0].map((text) => tokenizer.encode(text));
""",
            texts,
        )
        assert isinstance(encoded, list), encoded
        windows = OnnxEngine(exported).windows(texts)
        for text, found, [window] in zip(texts, encoded, windows, strict=True):
            assert found["ids"] == window.input_ids, ascii(text)
            assert found["spans"] == [places(text, *span) for span in window.offsets], ascii(text)

        chance = random.Random(1)
        spans = []
        for text in random_texts(3000, 15):
            start = chance.randrange(len(text))
            spans.append((text, start, chance.randint(start + 1, len(text))))
        trimmed = in_browser(
            driver,
            """
const { NameEdges } = await import("/name_edges.js");
return given[0].map(([text, start, end]) => new NameEdges(text).trim(start, end));
""",
            [(text, *places(text, start, end)) for text, start, end in spans],
        )
        assert isinstance(trimmed, list), trimmed
        for (text, start, end), found in zip(spans, trimmed, strict=True):
            expected = places(text, *trim_name(text, start, end))
            # of a name of which nothing is left, the place means nothing
            assert found == expected or (found[0] == found[1] and expected[0] == expected[1]), ascii(text)


@pytest.fixture
def runtime() -> Path:
    folder = os.environ.get(WEB)
    if folder is None:
        missing = f"onnxruntime-web is no part of the project: unpack it (npm pack onnxruntime-web) and set {WEB}."
        if os.environ.get("MALMOI_BROWSER_REQUIRED"):
            pytest.fail(missing)
        pytest.skip(missing)
    return Path(folder)


@pytest.mark.slow
def test_the_page_finds_the_names_that_the_tagger_finds(driver: Chrome, exported: Path, runtime: Path) -> None:
    texts = [*HARD_TEXTS, *(text for text, _ in SENTENCES), *EVERYDAY][:80]
    assert len(texts) >= 50
    write_page(exported, runtime)
    assert {*RUNTIME, *SCRIPTS, "page_base.css"} < {path.name for path in exported.iterdir()}
    assert (exported / "README.md").read_text(encoding="utf-8").startswith("---\ntitle: malmoi\nsdk: static\n")
    expected = Tagger(exported)(texts)
    with served(exported) as address:
        driver.get_log("browser")  # of the page before
        page = Page(driver, address)
        page.requested_hosts()
        WebDriverWait(driver, 120).until(lambda driver: driver.execute_script("return document.body.dataset.ready"))
        found = in_browser(
            driver,
            "const all = []; for (const text of given[0]) all.push(await window.tagger.tag(text)); return all;",
            texts,
        )
        assert isinstance(found, list), found
        for text, names, wanted in zip(texts, found, expected, strict=True):
            assert [([name["start"], name["end"]], name["label"]) for name in names] == [
                (places(text, name.start, name.end), name.label) for name in wanted
            ], text
        # and what a visitor sees
        field = driver.find_element(By.ID, "text")
        field.clear()
        field.send_keys("손흥민은 춘천에서 <b>태어났다</b>.")
        answered = "손흥민PS은 춘천LC에서 <b>태어났다</b>."
        page.wait.until(lambda driver: driver.find_element(By.ID, "answer").text == answered)
        marks = driver.find_elements(By.CSS_SELECTOR, "#answer mark")
        colours = {mark.value_of_css_property("background-color") for mark in marks}
        assert len(colours) == 2
        shown = {"ko": ("개체명 찾기", "개체명 2개, "), "en": ("Names in a text", "2 names in ")}
        for _ in range(2):
            heading, status = shown.pop(driver.execute_script("return document.documentElement.lang"))
            assert driver.find_element(By.ID, "heading").text == heading
            page.wait.until(lambda driver, said=status: driver.find_element(By.ID, "status").text.startswith(said))
            driver.find_element(By.ID, "language").click()
        assert not shown
        assert page.requested_hosts() <= {HOST}
        assert not [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.mark.slow
def test_a_page_without_its_model_says_so(driver: Chrome, exported: Path, runtime: Path, tmp_path: Path) -> None:
    folder = tmp_path / "page"
    shutil.copytree(exported, folder)
    write_page(folder, runtime)
    (folder / "model.onnx").unlink()
    with served(folder) as address:
        page = Page(driver, address)
        page.wait.until(lambda driver: "model.onnx: 404" in driver.find_element(By.ID, "status").text)
        driver.get_log("browser")


RUNTIME_WITH_LITTLE_MEMORY = """
export const env = { wasm: {} };
export class Tensor { constructor(type, data) { this.data = data; } }
export const InferenceSession = {
  create: async () => ({
    run: async ({ input_ids }) => {
      if (input_ids.data.length > 20) throw new Error("std::bad_alloc");
      return { predictions: { data: input_ids.data.map(() => -100n) } };
    },
  }),
};
"""
"""Stands for onnxruntime-web: gives no token a label."""


@pytest.mark.slow
def test_a_text_that_cannot_be_read_does_not_end_the_page(driver: Chrome, saved_model: Path, tmp_path: Path) -> None:
    runtime = tmp_path / "web"
    runtime.mkdir()
    for name in RUNTIME:
        (runtime / name).write_text(RUNTIME_WITH_LITTLE_MEMORY, encoding="utf-8")
    exported = export_tiny(saved_model, tmp_path / "exported")
    write_page(exported, runtime)
    with served(exported) as address:
        page = Page(driver, address)
        field = driver.find_element(By.ID, "text")
        for text, shown, said in (("가" * 21, "", ": std::bad_alloc"), ("가" * 20, "가" * 20, ".")):
            field.clear()
            field.send_keys(text)
            page.wait.until(lambda driver, shown=shown: driver.find_element(By.ID, "answer").text == shown)
            page.wait.until(lambda driver, said=said: driver.find_element(By.ID, "status").text.endswith(said))


def test_what_the_page_cannot_run_is_refused(
    saved_model: Path,
    tmp_path: Path,
    syllable_tokenizer: PreTrainedTokenizerFast,
) -> None:
    with pytest.raises(UserError, match=r"expected ort\.wasm\.min\.mjs, .* of onnxruntime-web there; `npm pack onnx"):
        check_runtime(tmp_path)
    runtime = tmp_path / "web"
    (runtime / "package/dist").mkdir(parents=True)
    for name in RUNTIME:
        (runtime / "package/dist" / name).touch()
    assert check_runtime(runtime) == runtime / "package/dist"
    classifier = tiny_classifier(tmp_path / "classifier", syllable_tokenizer, longest=24)
    with pytest.raises(UserError, match="this is a model for sentence-classification; use `malmoi classify`"):
        write_page(export_tiny(classifier, tmp_path / "exported-classifier"), runtime)
    exported = export_tiny(saved_model, tmp_path / "exported")
    settings = (exported / "tokenizer_config.json").read_text(encoding="utf-8")
    assert '"model_max_length": 1000000000000000019884624838656' in settings
    (exported / "tokenizer_config.json").write_text(
        settings.replace("1000000000000000019884624838656", "32"), encoding="utf-8"
    )
    with pytest.raises(UserError, match=r"the page runs taggers of syllables .*; this one reads 32 tokens at once"):
        write_page(exported, runtime)
    (exported / "tokenizer_config.json").write_text(settings, encoding="utf-8")
    (exported / "README.md").write_text("---\nlicense: mit\ntitle: mine\n---\n# Mine\n", encoding="utf-8")
    write_page(exported, runtime)
    assert (exported / "README.md").read_text(encoding="utf-8") == (
        "---\nsdk: static\napp_file: index.html\nlicense: mit\ntitle: mine\n---\n# Mine\n"
    )


@pytest.mark.parametrize(
    ("head", "below"),
    [
        ("license: mit\n", "# Mine\n\n```yaml\ntitle: another\nsdk: gradio\n```\n"),
        ("", "# Mine\n"),
        (None, "---\nA line above, and none of a head.\n"),
    ],
)
def test_the_card_of_a_page_is_one_of_a_space_whatever_stands_below_its_head(
    saved_model: Path, tmp_path: Path, head: str | None, below: str
) -> None:
    runtime = tmp_path / "web"
    runtime.mkdir()
    for name in RUNTIME:
        (runtime / name).touch()
    exported = export_tiny(saved_model, tmp_path / "exported")
    card = below if head is None else f"---\n{head}---\n{below}"
    (exported / "README.md").write_text(card, encoding="utf-8")
    write_page(exported, runtime)
    assert (exported / "README.md").read_text(encoding="utf-8") == (
        f"---\ntitle: malmoi\nsdk: static\napp_file: index.html\n{head or ''}---\n{below}"
    )
