import re
from pathlib import Path

import pytest

from malmoi.hub_cards.space.example_texts import SPACING
from malmoi.recipes.recipe import load_recipe, recipe_names
from malmoi.training.tasks import TASKS

ROOT = Path(__file__).parents[2]
ENGLISH, KOREAN = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ko.md"))


def code_blocks(text: str) -> list[str]:
    """Return the code blocks without their comments, which are translated."""
    blocks = re.findall(r"^```.*?^```", text, flags=re.MULTILINE | re.DOTALL)
    return [re.sub(r" +# .*", "", block) for block in blocks]


def test_both_languages_have_the_same_sections_code_and_figures() -> None:
    assert code_blocks(ENGLISH) == code_blocks(KOREAN)
    assert ENGLISH.count("\n## ") == KOREAN.count("\n## ")
    assert ENGLISH.count("\n|") == KOREAN.count("\n|")
    assert re.findall(r"\d\d\.\d\d", ENGLISH) == re.findall(r"\d\d\.\d\d", KOREAN)


def test_nothing_is_left_to_be_filled_in() -> None:
    for text in (ENGLISH, KOREAN, *(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md"))):
        assert not re.findall(r"^[A-Z_]{6,}$|TODO|XXX", text, flags=re.MULTILINE)


def test_the_spacing_example_is_none_that_comes_out_as_a_joke() -> None:
    for path in (ROOT / "README.md", ROOT / "README.ko.md", *(ROOT / "docs").glob("*.md")):
        assert "아버지" not in path.read_text(encoding="utf-8")
    assert TASKS["word-spacing"].example in ENGLISH
    assert not [text for text in (TASKS["word-spacing"].example, *SPACING) if "아버지" in text]


def test_every_recipe_is_listed() -> None:
    for name in recipe_names():
        assert f"| `{name}` |" in ENGLISH


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"malmoi train ((?:klue|kmou|nsmc|spacing)[\w-]+|demo)([^#\n`]*)", ENGLISH)))
)
def test_every_training_command_is_understood(command: tuple[str, str]) -> None:
    name, flags = command
    load_recipe(name, flags.split())


def test_every_file_that_is_named_is_there() -> None:
    for text in (ENGLISH, KOREAN, (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        for name in re.findall(r"\]\(([^):]+)\)", text) + re.findall(r"`((?:\w+/)+\w+\.(?:py|md|yaml))`", text):
            assert (ROOT / name).exists(), name
