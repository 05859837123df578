"""Twenty sentences in each form of a tool: recognised, trained on, tagged, and written to the same names again."""

import json
from pathlib import Path

import pytest
from support.command_line import malmoi
from support.property_texts import texts_and_spans
from support.recipe_flags import as_flags
from support.tiny_runs import train_demo
from support.twenty_sentences import FORMS, SENTENCES

from malmoi.data.alignment import Span
from malmoi.data.readers import READERS, read_splits
from malmoi.data.readers.jsonl import read_jsonl
from malmoi.data.writers.brat import write_brat
from malmoi.data.writers.jsonl import write_jsonl
from malmoi.inference.tagger import Tagger
from malmoi.recipes.recipe import load_recipe
from malmoi.training.train import run

WRITERS = {"jsonl": write_jsonl, "brat": write_brat}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """The name of a reader and a folder that it reads."""
    reader, write = FORMS[request.param]
    folder = tmp_path / request.param
    folder.mkdir()
    write(folder)
    return reader, folder


def test_all_sentences_are_read_and_written_again(form: tuple[str, Path], tmp_path: Path) -> None:
    splits = read_splits(form[0], form[1], task="named-entities")
    assert list(splits) == ["train", "validation", "test"]
    read = [row for rows in splits.values() for row in texts_and_spans(rows)]
    assert sorted(read) == sorted(SENTENCES)
    for name, write in WRITERS.items():
        folder = tmp_path / f"as-{name}"
        folder.mkdir()
        write(splits, folder)
        again = read_splits(name, folder, task="named-entities")
        assert {split: texts_and_spans(rows) for split, rows in again.items()} == {
            split: texts_and_spans(rows) for split, rows in splits.items()
        }


@pytest.mark.slow
def test_the_form_is_recognised_and_trained_on(form: tuple[str, Path], tmp_path: Path) -> None:
    folder = train_demo(tmp_path / "run", data_dir=form[1])
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["data"]["reader"] == form[0]
    texts = [text for text, _ in SENTENCES]
    for text, entities in zip(texts, Tagger(str(folder)).tag(texts)):
        assert all(entity.label in ("PS", "LC", "OG") for entity in entities)
        assert all(text[entity.start : entity.end] == entity.text for entity in entities)


@pytest.mark.slow
def test_what_malmoi_tag_prints_is_data(tmp_path: Path) -> None:
    texts = [text for text, _ in SENTENCES]
    said, _ = malmoi("tag", "--json", *texts)
    (tmp_path / "train.jsonl").write_text(said, encoding="utf-8")
    rows = texts_and_spans(read_jsonl(tmp_path, task="named-entities")["train"])
    printed = [json.loads(line)["entities"] for line in said.splitlines()]
    assert [text for text, _ in rows] == texts
    assert [spans for _, spans in rows] == [
        [Span(entity["start"], entity["end"], entity["label"]) for entity in entities] for entities in printed
    ]


@pytest.mark.slow
def test_what_malmoi_classify_prints_is_data_that_is_trained_on(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    texts = [f"정말 재미있게 봤습니다 {number}" for number in range(10)] + [
        f"너무 지루했어요 {number}" for number in range(10)
    ]
    said, _ = malmoi("classify", "--json", *texts)
    (data / "reviews.jsonl").write_text(said, encoding="utf-8")
    flags = {"data_dir": data, "output_dir": tmp_path / "run", "max_steps": 2, "eval_strategy": "no"}
    flags |= {"save_strategy": "no", "load_best_model_at_end": "false", "hidden_size": 16, "disable_tqdm": "true"}
    flags |= {"embedding_size": 8, "ngram_vocab_size": 64, "ngram_embedding_size": 4}
    report = run(load_recipe("nsmc-bi-lstm", as_flags(flags)))
    assert report["data"]["reader"] == "jsonl"


def test_every_reader_of_a_tool_is_tried() -> None:
    assert {reader for reader, _ in FORMS.values()} == {"jsonl", "label-studio", "brat", "nikl"} <= {*READERS}
