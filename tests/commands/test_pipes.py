"""A file may be a pipe, as a shell makes of `<(command)`: what comes through it once is read as often as needed."""

import os
import sys
import threading
from pathlib import Path

import pytest

from malmoi.commands.answering import ModelOptions, check_words
from malmoi.commands.model_contents import model_contents
from malmoi.data.lexicon import read_lexicon
from malmoi.data.silver_text import read_raw_sentences
from malmoi.data.text_lines import DataFormatError, read_lines
from malmoi.data.user_error import UserError
from malmoi.inference.added_words import read_words
from malmoi.inference.whole_words import read_keep_words
from malmoi.recipes.recipe import load_recipe
from malmoi.training.reading import recognised_reader

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")


def pipe(folder: Path, content: str) -> Path:
    """Return the name of a pipe, into which somebody writes once."""
    path = folder / "pipe"
    os.mkfifo(path)
    threading.Thread(target=path.write_text, args=(content,), daemon=True).start()
    return path


@pytest.mark.parametrize(
    ("read", "content", "found"),
    [
        (lambda path: [*read_lines(path)], "가\r\n나", [(1, "가"), (2, "나")]),
        (lambda path: read_lexicon(str(path)).words, "가온\tperson\n", {"가온": 1}),
        (read_raw_sentences, "비가 왔다.\n", ["비가 왔다."]),
        (read_keep_words, "가온누리\n", ["가온누리"]),
        (lambda path: [each.word for each in read_words(str(path))], "가온\tPS\n", ["가온"]),
    ],
)
def test_what_comes_through_a_pipe_is_read(read, content: str, found: object, tmp_path: Path) -> None:
    path = pipe(tmp_path, content)
    assert [read(path), read(path)] == [found, found]


def test_faults_are_told_by_the_name_of_the_pipe(tmp_path: Path) -> None:
    path = pipe(tmp_path, "가온누리\n")
    with pytest.raises(DataFormatError, match=f"{path}, line 1: expected a word, a tab and its label or class"):
        read_words(path)


def test_words_are_there_once_it_is_noted_what_they_are(tmp_path: Path) -> None:
    path = pipe(tmp_path, "가온\tPS\n")
    noted = model_contents(ModelOptions("none", path))["--words"]
    assert [each.word for each in read_words(path)] == ["가온"]
    (tmp_path / "other").mkdir()
    copy = tmp_path / "other" / "pipe"
    copy.write_text("가온\tPS\n")
    assert model_contents(ModelOptions("none", copy))["--words"] == noted


def test_a_recipe_comes_through_a_pipe(tmp_path: Path) -> None:
    path = pipe(tmp_path, "task: word-spacing\nhidden_size: 34\n")
    assert load_recipe(str(path)).given("hidden_size") == 34


def test_what_is_read_more_often_than_it_can_be_is_refused(tmp_path: Path) -> None:
    path = pipe(tmp_path, "")
    check_words(path, workers=1)
    with pytest.raises(UserError, match=f"--words {path}: a pipe is read once, and not by 2 workers"):
        check_words(path, workers=2)
    with pytest.raises(DataFormatError, match=f"{path}: a pipe is read once, and data more often"):
        recognised_reader(path, ("named-entities",))
