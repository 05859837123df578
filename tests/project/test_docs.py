"""The documentation does what it shows: examples run, commands are understood, links lead somewhere."""

import importlib.util
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.markdown_pages import (
    ENGLISH,
    ROOT,
    CodeBlock,
    anchors,
    code_blocks,
    figures,
    headings,
    inline_code,
    korean,
    links,
    shell_commands,
    shown,
    table_rows,
    without_comments,
)
from support.recipe_flags import as_flags
from support.tiny_models import label_settings, save, tiny_bert_classifier, tiny_spacing_bilstm
from support.tiny_runs import SETTINGS
from transformers import PreTrainedTokenizerFast
from typer.main import get_command

import malmoi
from malmoi.commands.compare_embeddings import embedding_recipes
from malmoi.commands.main import app
from malmoi.commands.self_train import self_training
from malmoi.hub_cards.corpus import read_corpus
from malmoi.recipes.recipe import load_recipe, recipe_names
from malmoi.recipes.search_space import written_space
from malmoi.training.models.body import SIZES as BODY_SIZES
from malmoi.training.train import run

COMMANDS = get_command(app)
PAGES = pytest.mark.parametrize("page", ENGLISH, ids=shown)
KOREAN = [korean(page) for page in ENGLISH]
TEXTS = ["손흥민은 1992년 7월 8일 춘천에서 태어났다.", "비가 왔다."]


@PAGES
def test_both_languages_have_the_same_sections_code_tables_figures_and_links(page: Path) -> None:
    english, translated = (path.read_text(encoding="utf-8") for path in (page, korean(page)))
    assert [level for level, _ in headings(english)] == [level for level, _ in headings(translated)]
    blocks, translated_blocks = code_blocks(english), code_blocks(translated)
    assert [block.language for block in blocks] == [block.language for block in translated_blocks]
    assert [*map(without_comments, blocks)] == [*map(without_comments, translated_blocks)]
    assert [block.is_run for block in blocks] == [block.is_run for block in translated_blocks]
    assert table_rows(english) == table_rows(translated)
    assert figures(english) == figures(translated)
    # the first leads to the other language
    own = {"README.md", "README.ko.md"}
    assert sorted({*links(english)} - own) == sorted(
        {*(link.replace(".ko.md", ".md") for link in links(translated))} - own
    )


@pytest.mark.parametrize("page", [*ENGLISH, *KOREAN], ids=shown)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        if anchor:
            # headings of a Korean page have the anchors of the English one
            source = target.with_name(target.name.replace(".ko.md", ".md"))
            assert anchor in anchors(source.read_text(encoding="utf-8")), link


@PAGES
def test_links_of_a_korean_page_lead_to_korean_pages(page: Path) -> None:
    """They do so without the site, too, where the pages are read as files."""
    targets = [page.parent / link.partition("#")[0] for link in links(korean(page).read_text(encoding="utf-8"))]
    for target in targets:
        assert target == page or target not in ENGLISH, target


@pytest.mark.parametrize("page", [*ENGLISH, *KOREAN, ROOT / "CONTRIBUTING.md"], ids=shown)
def test_every_file_of_the_project_that_is_named_is_there(page: Path) -> None:
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}
    folders -= {"runs", "build"}
    for code in inline_code(page.read_text(encoding="utf-8")):
        if re.fullmatch(r"(?:[\w.-]+/)+(?:[\w.-]+)?", code) and code.split("/")[0] in folders:
            assert (ROOT / code).exists(), code
        elif (
            re.fullmatch(r"[A-Z]{3,}[\w.]*\.md", code) and code != "README.md"
        ):  # that is also the card of a repository
            assert (ROOT / code).is_file(), code


def test_no_page_has_two_headings_of_the_same_words() -> None:
    for page in ENGLISH:
        titles = [title for _, title in headings(page.read_text(encoding="utf-8"))]
        assert len(set(titles)) == len(titles), page


def malmoi_commands(text: str) -> list[list[str]]:
    """Return the words of every command line of ours, as a shell would hand them over."""
    found = []
    for line in shell_commands(text):
        for part in re.split(r"[;|]|&&", re.sub(r"\$\{?\w+\}?", "1", line)):
            words = shlex.split(re.sub(r"\s[<>].*", "", part))
            while words and re.fullmatch(r"[A-Z_]+=.*|do|sudo", words[0]):
                words = words[1:]
            if words and words[0].rpartition("/")[2] == "malmoi":
                found.append(words[1:])
    return found


@PAGES
def test_every_command_line_is_understood(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # a recipe of one's own, and what a search leaves behind
    for name in ("my-recipe.yaml", "runs/demo-tune/best.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("task: named-entities\n", encoding="utf-8")
    for words in malmoi_commands(page.read_text(encoding="utf-8")):
        understand(words)


def understand(words: list[str]) -> None:
    """Let the parser of a command read its arguments, and nothing else happen."""
    name, *arguments = words
    if name.startswith("-"):  # to run it could change the shell
        assert name in {option for parameter in COMMANDS.params for option in parameter.opts}, words
        return
    assert name in COMMANDS.commands, words
    if "--help" in arguments:
        arguments.remove("--help")
        arguments = arguments or ["demo"]
    context = COMMANDS.commands[name].make_context(name, arguments)
    if name in ("train", "tune"):
        recipe, flags = context.params["recipe"], context.args
        if recipe.startswith("-"):  # the first flag: the data choose the recipe
            recipe, flags = "klue-ner-from-body", [recipe, *flags]
        written_space(load_recipe(recipe, flags))
    elif name == "compare-embeddings":
        embedding_recipes(context.params["recipe"], context.args)
    elif name == "self-train":
        self_training(context.params["recipe"], context.args)


@PAGES
def test_every_command_within_a_sentence_exists(page: Path) -> None:
    for code in inline_code(page.read_text(encoding="utf-8")):
        if not code.startswith("malmoi "):
            continue
        words = code.split()[1:]
        if words[0].startswith("-"):
            understand(words)
            continue
        assert words[0] in COMMANDS.commands, code
        if words[0] == "train" and len(words) > 1 and words[1] in recipe_names():
            understand(words)
        elif words[0] != "train":
            options = {option for parameter in COMMANDS.commands[words[0]].params for option in parameter.opts}
            if words[0] not in ("compare-embeddings", "self-train", "tune"):  # which take the keys of recipes, too
                assert {word for word in words if word.startswith("--")} <= options, code


@PAGES
def test_modules_and_targets_of_make_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for module in re.findall(r"-m (malmoi[\w.]+)", text):
        assert importlib.util.find_spec(module), module
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for code in [*shell_commands(text), *inline_code(text)]:
        if found := re.match(r"(?:[A-Z_]+=\S+ )*make ([a-z-]+)", code):
            assert found[1] in targets, code


def test_a_recipe_that_is_shown_is_one_and_so_is_a_description_of_data(tmp_path: Path) -> None:
    shown_files = [
        block.code
        for page in ENGLISH
        for block in code_blocks(page.read_text(encoding="utf-8"))
        if block.language == "yaml"
    ]
    descriptions = [code for code in shown_files if "weights_license:" in code]
    assert 0 < len(descriptions) < len(shown_files)
    for number, code in enumerate(shown_files):
        path = tmp_path / f"{number}.yaml"
        path.write_text(code, encoding="utf-8")
        if code in descriptions:
            read_corpus(path)
        else:
            load_recipe(str(path), [])


def quickly(**settings: object) -> list[str]:
    """Return flags for a training of a few steps."""
    return as_flags({**SETTINGS, **settings})


@pytest.fixture(scope="module")
def shown_models(tmp_path_factory: pytest.TempPathFactory, syllable_tokenizer: PreTrainedTokenizerFast) -> Path:
    """A folder with tiny models that stand for those of the examples."""
    folder = tmp_path_factory.mktemp("examples")
    run(load_recipe("demo", quickly(output_dir=folder / "runs/klue")))
    save(folder / "runs/spacing", tiny_spacing_bilstm(syllable_tokenizer), syllable_tokenizer)
    classifier = tiny_bert_classifier(syllable_tokenizer, **label_settings(["negative", "positive"]))
    save(folder / "runs/nsmc", classifier, syllable_tokenizer)
    return folder


@pytest.fixture
def where_examples_run(
    shown_models: Path, marked_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The current folder of a reader who has followed the pages: models, a corpus, some sentences."""
    shutil.copytree(shown_models, tmp_path, dirs_exist_ok=True)
    shutil.copytree(marked_corpus, tmp_path / "my-corpus")
    (tmp_path / "sentences.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    train: Callable[..., dict[str, Any]] = malmoi.train
    short = {key: value for key, value in SETTINGS.items() if key != "data_dir"}

    def train_shortly(*recipe: str, **settings: Any) -> dict[str, Any]:
        # without a recipe a body is chosen; sizes are those of the body
        sizes = BODY_SIZES if not recipe or "model_name_or_path" in settings else ()
        return train(*recipe, **{**{key: value for key, value in short.items() if key not in sizes}, **settings})

    tune: Callable[..., dict[str, Any]] = malmoi.tune
    monkeypatch.setattr(malmoi, "train", train_shortly, raising=False)
    monkeypatch.setattr(malmoi, "tune", partial(tune, **short), raising=False)
    return tmp_path


def with_python(pages: list[Path]) -> list[Any]:
    """Return the pages with examples in Python; some of them train often, or load a model in further processes."""
    slow = {"docs/publish.md": pytest.mark.long, "docs/tune.md": pytest.mark.long}
    return [
        pytest.param(page, id=shown(page), marks=slow.get(shown(page), ()))
        for page in pages
        if any(block.language == "python" for block in code_blocks(page.read_text(encoding="utf-8")))
    ]


@pytest.mark.parametrize("page", with_python(ENGLISH))
def test_the_examples_of_a_page_run_one_after_the_other(page: Path, where_examples_run: Path) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in code_blocks(page.read_text(encoding="utf-8")):
        if block.language != "python":
            continue
        # errors name the line of the page
        code = compile("\n" * (block.line - 1) + block.code, shown(page), "exec")
        if block.is_run:
            exec(code, names)


def shown_outputs(block: CodeBlock) -> list[str]:
    """Return what a block says that it prints, where that has numbers which another model would change."""
    return re.findall(r"print\(.*\)  # (.*\d\.\d.*)$", block.code, re.MULTILINE)


def is_shown(output: str, printed: str) -> bool:
    """Tell whether an output is as a page shows it: with `...` for more, numbers rounded, lines joined by commas."""
    pattern = re.sub(r"\d+\\\.\d+", r"(\\d+\\.\\d+)", re.escape(output).replace(re.escape("..."), ".*"))
    found = re.search(pattern, ", ".join(printed.splitlines()))
    numbers = map(float, re.findall(r"\d+\.\d+", output))
    return found is not None and all(abs(float(a) - b) < 0.01 for a, b in zip(found.groups(), numbers, strict=True))


@PAGES
def test_both_languages_show_the_same_outputs(page: Path) -> None:
    english, translated = (code_blocks(path.read_text(encoding="utf-8")) for path in (page, korean(page)))
    assert [*map(shown_outputs, english)] == [*map(shown_outputs, translated)]


@pytest.mark.slow
@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs/probabilities.md"], ids=shown)
def test_the_models_of_the_package_print_what_is_shown(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = [block for block in code_blocks(page.read_text(encoding="utf-8")) if block.language == "python"]
    names: dict[str, Any] = {}
    last = max(number for number, block in enumerate(blocks) if shown_outputs(block))
    for block in blocks[: last + 1]:
        exec(block.code, names)
        printed = capsys.readouterr().out
        for output in shown_outputs(block):
            assert is_shown(output, printed), (output, printed)


def test_an_output_is_held_against_what_is_shown() -> None:
    assert is_shown("[A(score=0.99, text='가'), ...]", "[A(score=0.9893, text='가'), A(score=0.5, text='나')]\n")
    assert is_shown("가 0.59, 나 0.31", "가 0.59\n나 0.31\n")
    assert not is_shown("가 0.59, 나 0.31", "가 0.59\n나 0.36\n")
    assert not is_shown("가 0.59, 나 0.31", "나 0.31\n가 0.59\n")


@pytest.mark.slow
@pytest.mark.parametrize("page", [ROOT / "docs/service.md", korean(ROOT / "docs/service.md")], ids=shown)
def test_the_answer_of_the_service_is_that_of_the_model_of_the_package(page: Path) -> None:
    blocks = code_blocks(page.read_text(encoding="utf-8"))
    asked = next(re.search(r"--data \'(.*)\'", block.code) for block in blocks if "/v1/tag" in block.code)
    assert asked is not None
    request = json.loads(asked[1])
    answer = next(json.loads(block.code) for block in blocks if '"answers"' in block.code and block.language == "json")
    found = [entity._asdict() for entity in malmoi.Tagger()(request["texts"][0], min_score=request["min_score"])]
    assert [{**entity, "score": pytest.approx(entity["score"], abs=0.01)} for entity in found] == answer["answers"][0][
        "entities"
    ]


def test_the_picture_of_the_lattice_is_what_its_script_draws() -> None:
    script = runpy.run_path(str(ROOT / "docs/site/draw_lattice.py"))
    assert script["draw"]() == (ROOT / "docs/lattice.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_site_is_built_without_a_dead_link_and_fetches_nothing(tmp_path: Path) -> None:
    layout = tmp_path / "sources/malmoi"
    layout.mkdir(parents=True)
    for room in ROOT.glob("*/py.typed"):
        (layout / room.parent.name.removeprefix("crf_")).symlink_to(room.parent)
    (layout / "__init__.py").symlink_to(ROOT / "front_door/__init__.py")
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    settings = settings.replace("paths: [build/mypy]", f"paths: [{layout.parent}]")
    for name in ("docs", "benchmarks"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "mkdocs.yml").write_text(settings, encoding="utf-8")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"],
        cwd=tmp_path,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert built.returncode == 0, built.stderr
    pages = list((tmp_path / "build/site").rglob("*.html"))
    assert len(pages) >= 2 * len(ENGLISH) - 2
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="https?://', text), page
        assert "arithmatex" not in text, page
