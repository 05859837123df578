"""What README and the pages behind it must and must not say; `test_docs.py` tries what they show."""

import json
import re
from pathlib import Path

import pytest
from support.markdown_pages import ENGLISH, ROOT, korean, shown

from malmoi.data.readers import READERS
from malmoi.metrics import named_entities, sentence_classification, word_spacing
from malmoi.recipes.recipe import recipe_names
from malmoi.training.tasks import TASKS

PAGES = [path for page in ENGLISH for path in (page, korean(page))]
README = ROOT / "README.md"
YOUR_OWN_DATA = ROOT / "docs/your-own-data.md"
DATA_FORMATS = ROOT / "docs/data-formats.md"
INSTALL = ROOT / "docs/install.md"


@pytest.mark.parametrize("page", [README, korean(README)], ids=shown)
def test_the_readme_is_a_door(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_nothing_is_left_to_be_filled_in(page: Path) -> None:
    assert not re.findall(r"^[A-Z_]{6,}$|TODO|XXX", page.read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("page", [INSTALL, korean(INSTALL)], ids=shown)
def test_the_model_of_the_demo_has_the_size_of_that_which_it_continues(page: Path) -> None:
    report = json.loads((ROOT / "models/named-entities/report.json").read_text(encoding="utf-8"))
    assert f"with {report['parameters']:,} parameters." in page.read_text(encoding="utf-8")


def test_the_sample_corpus_has_one_licence_wherever_it_is_named() -> None:
    texts = [
        path.read_text(encoding="utf-8")
        for path in [*ROOT.glob("hub_cards/corpora/*.yaml"), *ROOT.glob("models/*/README.md")]
    ]
    named = [" ".join(found.split()) for text in texts for found in re.findall(r"sample\s+corpus \(([^)]+)\)", text)]
    assert named
    assert {*named} == {"CC0 1.0"}
    assert "CC0 1.0" in (ROOT / "data/samples/LICENSE.txt").read_text(encoding="utf-8")


def test_the_spacing_example_is_that_of_the_task() -> None:
    assert TASKS["word-spacing"].example in README.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [YOUR_OWN_DATA, korean(YOUR_OWN_DATA)], ids=shown)
def test_every_recipe_is_listed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in recipe_names():
        assert f"| `{name}` |" in text


@pytest.mark.parametrize("page", [DATA_FORMATS, korean(DATA_FORMATS)], ids=shown)
def test_every_reader_is_listed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in READERS:
        assert f"| `{name}` |" in text


def test_every_main_figure_is_defined() -> None:
    text = (ROOT / "docs/compare.md").read_text(encoding="utf-8")
    for task in TASKS.values():
        assert f"`{task.main_figure}`" in text
    named = set(re.findall(r"`(\w+_(?:f1|accuracy)\w*)`", text))
    assert named <= {*named_entities.DEFINITIONS, *word_spacing.DEFINITIONS, *sentence_classification.DEFINITIONS}
