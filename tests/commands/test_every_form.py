"""Twenty sentences in every form go the whole way of a user: looked at, trained on, judged, tagged, written again."""

import json
from pathlib import Path

import pytest
from support.command_line import malmoi
from support.property_texts import texts_and_spans
from support.recipe_flags import as_flags
from support.tiny_runs import SETTINGS
from support.twenty_sentences import FORMS, MARKED, SENTENCES

from malmoi.data.alignment import Span
from malmoi.data.readers import read_splits
from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.writers import WRITERS, writers_of

WRITTEN = [
    form for form in writers_of("named-entities") if WRITERS[form].reader not in {name for name, _ in FORMS.values()}
]


@pytest.fixture(params=[*FORMS, *WRITTEN])
def form(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """The name of a reader and a folder with the twenty sentences in its format."""
    folder = tmp_path / "data"
    folder.mkdir()
    if request.param in FORMS:
        reader, write = FORMS[request.param]
        write(folder)
        return reader, folder
    marked = tmp_path / "marked"
    marked.mkdir()
    (marked / "train.txt").write_text(MARKED, encoding="utf-8")
    WRITERS[request.param].write(read_inline_marks(marked), folder)
    return WRITERS[request.param].reader, folder


@pytest.mark.slow
def test_twenty_sentences_go_the_whole_way(form: tuple[str, Path], tmp_path: Path) -> None:
    reader, data = form
    flags = as_flags(SETTINGS)

    seen = json.loads(malmoi("data", data, "--json")[0])
    assert seen["reader"] == reader

    _, said = malmoi("train", "demo", "--data_dir", data, "--output_dir", tmp_path / "run", *flags)
    assert f"is read as {reader}" in said

    page = tmp_path / "errors.html"
    malmoi("evaluate", tmp_path / "run", "--data_dir", data, "--split", "test", "--errors", page)
    assert "<!doctype html>" in page.read_text(encoding="utf-8").lower()

    tagged = malmoi("tag", tmp_path / "run", "--json", *[text for text, _ in SENTENCES])[0]
    assert [json.loads(line)["text"] for line in tagged.splitlines()] == [text for text, _ in SENTENCES]

    for name in writers_of("named-entities"):
        out = tmp_path / name
        malmoi("data", data, "--export", name, "--output", out)
        again = read_splits(WRITERS[name].reader, out, task="named-entities")
        rows: list[tuple[str, list[Span]]] = [row for part in again.values() for row in texts_and_spans(part)]
        assert sorted(rows) == sorted(SENTENCES)
