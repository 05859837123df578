"""Exported folders that are cut off, mixed up or made to do harm: used, or refused in one sentence, within bounds."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.exported_models import export_tiny, tiny_classifier
from support.folders_in_use import FolderInUse, refusal
from support.hostile_values import BOMBS, HOSTILE_VALUES, LEFT_OUT, changed, other_content, places_in, with_value
from support.property_tests import examples
from support.saved_models import build
from support.tiny_models import SENTENCES, bert_tokenizer, save, tiny_spacing_bilstm

from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.user_error import UserError
from malmoi.inference.classifier import Classifier
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger

FILES = ("config.json", "model.onnx", "tokenizer.json", "tokenizer_config.json")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FolderInUse]:
    folder = tmp_path_factory.mktemp("models")
    syllables, bert = build_syllable_tokenizer(SENTENCES), bert_tokenizer()
    saved = {
        "tagger": (save(folder / "1", build("bilstm_crf", len(syllables)), syllables), Tagger),
        "spacer": (save(folder / "2", tiny_spacing_bilstm(syllables), syllables), Spacer),
        "classifier": (tiny_classifier(folder / "3", bert, longest=24), Classifier),
    }
    return {name: FolderInUse(export_tiny(place, folder / name), use) for name, (place, use) in saved.items()}


LABELS = "/config.json: expected `id2label` to give each number from 0 on a label of its own, got "
CONFIGURATIONS: list[tuple[str, Any, str]] = [
    ("malmoi_task", [], "/config.json: expected `malmoi_task` to be one of named-entities, word-spacing, "),
    ("malmoi_task", {}, "/config.json: expected `malmoi_task` to be one of named-entities, word-spacing, "),
    ("malmoi_task", None, "/config.json: expected `malmoi_task` to be one of named-entities, word-spacing, "),
    ("malmoi_task", "가" * 10**6, "/config.json: expected `malmoi_task` to be one of named-entities, word-spacing, "),
    ("id2label", LEFT_OUT, LABELS),
    ("id2label", ["O"], "/config.json: expected `id2label` to map numbers to labels, got ['O']."),
    ("id2label", {}, LABELS),
    ("id2label", {"x": "O"}, LABELS),
    ("id2label", {"0": "O", "7": "B-PS"}, LABELS),
    ("id2label", {"0": "O", "01": "B-PS"}, LABELS),
    ("id2label", {"0": "O", "1": "B-PS", "2": "O", "3": "B-LC", "4": "I-LC"}, LABELS),
    ("id2label", {"0": ["O"]}, LABELS),
    ("id2label", {"0": {}}, LABELS),
    ("id2label", {"0": "O", "1": "가" * 10**6}, LABELS),
    ("id2label", {"0": "O"}, "/config.json: it names 1 labels, but the graph has 5."),
    ("name_temperature", 0, "/config.json: `name_temperature` in config.json must be a number from 0.001 to 1000, g"),
    ("name_temperature", -1, "/config.json: `name_temperature` in config.json must be a number from 0.001 to 1000, g"),
    ("name_temperature", "x", "/config.json: `name_temperature` in config.json must be a number from 0.001 to 1000, "),
    ("name_temperature", 1e308, "/config.json: `name_temperature` in config.json must be a number from 0.001 to 1000"),
    ("name_temperature", 1e-308, "/config.json: `name_temperature` in config.json must be a number from 0.001 to 100"),
    ("name_temperature", None, "/config.json: `name_temperature` in config.json must be a number from 0.001 to 1000"),
    ("name_temperature", float("inf"), "/config.json: `name_temperature` in config.json must be a number from 0.001"),
    ("class_temperature", "x", "/config.json: `class_temperature` in config.json must be a number from 0.001 to 1000"),
    ("malmoi_max_length", 0, "/config.json: expected a whole number of tokens for `malmoi_max_length`, got 0."),
    ("malmoi_max_length", "x", "/config.json: expected a whole number of tokens for `malmoi_max_length`, got 'x'."),
    ("malmoi_max_length", 1e30, "/config.json: expected a whole number of tokens for `malmoi_max_length`, got 1e+30."),
    ("malmoi_max_length", True, "/config.json: expected a whole number of tokens for `malmoi_max_length`, got True."),
    ("vocab_size", 10**30, "/config.json: expected a number that is in use for `vocab_size`, got 100000000000000000"),
    ("max_position_embeddings", "many", "/config.json: expected a number of tokens for `max_position_embeddings`, "),
    (
        "max_position_embeddings",
        [],
        "/config.json: expected a number of tokens for `max_position_embeddings`, got [].",
    ),
    ("max_position_embeddings", float("inf"), "/config.json: expected a number of tokens for `max_position_embedding"),
    ("architectures", [[]], "/config.json: expected a list of names for `architectures`, got [[]]."),
]


@pytest.mark.parametrize(("key", "value", "expected"), CONFIGURATIONS)
def test_a_hostile_configuration_is_refused(
    models: dict[str, FolderInUse], key: str, value: Any, expected: str
) -> None:
    exported = models["tagger"]
    path = exported.folder / "config.json"
    settings = json.loads(path.read_text(encoding="utf-8")) | {key: value}
    if value is LEFT_OUT:
        del settings[key]
    with other_content(path, json.dumps(settings).encode()):
        said = refusal(exported)
    assert said is not None
    assert said.startswith(expected)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("model_max_length", 0, ": expected a whole number of tokens for `model_max_length`, got 0."),
        ("model_max_length", "x", ": expected a whole number of tokens for `model_max_length`, got 'x'."),
        ("tokenizer_file", "../x", ": expected `tokenizer_file` to name a file of this folder, got '../x'."),
    ],
)
def test_hostile_settings_of_a_tokenizer_are_refused(
    models: dict[str, FolderInUse], key: str, value: Any, expected: str
) -> None:
    exported = models["classifier"]
    path = exported.folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8")) | {key: value}
    with other_content(path, json.dumps(settings).encode()):
        assert refusal(exported) == f"/tokenizer_config.json{expected}"


def test_no_room_beside_special_tokens_is_refused(models: dict[str, FolderInUse]) -> None:
    exported = models["classifier"]
    path = exported.folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8")) | {"model_max_length": 2}
    with other_content(path, json.dumps(settings).encode()):
        said = refusal(exported)
    assert said == (
        ": the model is said to read 2 tokens at once, which leaves no room beside the 2 that stand around every text."
    )


@pytest.mark.parametrize("name", ["tagger", "spacer", "classifier"])
@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_any_value_in_any_place_is_used_or_refused(models: dict[str, FolderInUse], name: str, file: str) -> None:
    exported = models[name]
    path = exported.folder / file
    text = path.read_text(encoding="utf-8")
    for place in places_in(json.loads(text)):
        for value in Random(str(place)).sample([LEFT_OUT, *HOSTILE_VALUES], min(examples(8), 1 + len(HOSTILE_VALUES))):
            with other_content(path, with_value(text, place, value).encode()):
                refusal(exported)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("what", BOMBS)
def test_a_file_that_holds_something_else_is_refused(models: dict[str, FolderInUse], file: str, what: str) -> None:
    exported = models["tagger"]
    with other_content(exported.folder / file, BOMBS[what]):
        said = refusal(exported)
    harmless = file == "tokenizer_config.json" and what in ("a text of ten million characters", "four million lists")
    assert harmless or said is not None
    assert said is None or said.startswith(f"/{file}: ")


@pytest.mark.parametrize("file", FILES)
def test_every_file_cut_off_empty_or_missing_is_refused(models: dict[str, FolderInUse], file: str) -> None:
    for name, exported in models.items():
        path = exported.folder / file
        whole = path.read_bytes()
        for length in [0, 1, 7, *(len(whole) * part // 4 for part in range(1, 4)), len(whole) - 2]:
            with other_content(path, whole[:length]):
                said = refusal(exported)
            assert said is not None, (name, length)
            assert said.startswith(f"/{file}: "), (name, length)
        with other_content(path, b""):
            path.unlink()
            said = refusal(exported)
        if file == "model.onnx":  # then it is a folder for PyTorch, without weights
            assert said is not None
        else:
            assert said == f"/{file}: there is no such file, so the folder holds no exported model."


@pytest.mark.parametrize("name", ["tagger", "spacer", "classifier"])
@given(seed=st.integers(0, 2**32 - 1), file=st.sampled_from(FILES))
def test_a_folder_with_one_changed_file_is_used_or_refused(
    models: dict[str, FolderInUse], name: str, seed: int, file: str
) -> None:
    exported = models[name]
    path = exported.folder / file
    with other_content(path, changed(path.read_bytes(), Random(seed))):
        refusal(exported)


@pytest.mark.parametrize("name", ["malmoi_tokenizer_sha256", "input_ids"])
def test_a_name_in_the_graph_that_is_no_text_is_refused(models: dict[str, FolderInUse], name: str) -> None:
    exported = models["tagger"]
    path = exported.folder / "model.onnx"
    whole = path.read_bytes()
    assert name.encode() in whole
    with other_content(path, whole.replace(name.encode(), b"\xa1" + name[1:].encode())):
        said = refusal(exported)
    assert said is not None
    assert said.startswith("/model.onnx: ")


def renumbered(content: bytes, by: Callable[[int], int]) -> bytes:
    """Return a tokenizer with other numbers for its tokens."""
    tokenizer = json.loads(content)
    vocabulary = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {token: by(number) for token, number in vocabulary.items()}
    for added in tokenizer["added_tokens"]:
        added["id"] = by(added["id"])
    return json.dumps(tokenizer).encode()


@pytest.mark.parametrize("name", ["tagger", "spacer", "classifier"])
def test_the_tokenizer_of_another_model_is_refused(models: dict[str, FolderInUse], name: str) -> None:
    exported = models[name]
    path = exported.folder / "tokenizer.json"
    content = path.read_bytes()
    size = max(json.loads(content)["model"]["vocab"].values()) + 1
    with other_content(path, renumbered(content, lambda number: number + 100_000)):
        said = refusal(exported)
    assert said is not None
    assert f"has the number {100_000 + size - 1:,}, but the model has only {size:,} embeddings; the tokenizer" in said
    # as many tokens, but others: every answer would be nonsense
    with other_content(path, renumbered(content, lambda number: size - 1 - number)):
        said = refusal(exported)
    assert said == "/tokenizer.json: it is not the tokenizer that the graph was written with; export the model anew."
    with other_content(path, content.replace(b"\n", b"\r\n")):
        assert refusal(exported) is None  # Git may have done that


def with_metadata(path: Path, **values: str | None) -> bytes:
    """Return a graph that says something else of itself, or leaves it out."""
    graph = onnx.load(path)
    kept = {each.key: each.value for each in graph.metadata_props} | values
    del graph.metadata_props[:]
    for key, value in kept.items():
        if value is not None:
            graph.metadata_props.add(key=key, value=value)
    return graph.SerializeToString()


def test_a_graph_says_what_tokens_it_knows(models: dict[str, FolderInUse]) -> None:
    exported = models["tagger"]
    graph, tokenizer = exported.folder / "model.onnx", exported.folder / "tokenizer.json"
    other = tokenizer.read_bytes().replace(b"\n", b" ")
    # one that was written before graphs said it
    older = with_metadata(graph, malmoi_token_ids=None, malmoi_tokenizer_sha256=None)
    with other_content(graph, older):
        assert refusal(exported) is None
    few = with_metadata(graph, malmoi_token_ids="5", malmoi_tokenizer_sha256=None)
    with other_content(graph, few):
        said = refusal(exported)
        assert said is not None
        assert "but the model has only 5 embeddings" in said
    for number in ("x", "9" * 5000, "-1", ""):
        with (
            other_content(graph, with_metadata(graph, malmoi_token_ids=number)),
            other_content(tokenizer, other),
        ):
            assert refusal(exported) == "/model.onnx: the number of tokens that it knows is damaged."


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_named_without_waiting(
    models: dict[str, FolderInUse], tmp_path: Path, file: str, kind: str
) -> None:
    folder = Path(shutil.copytree(models["tagger"].folder, tmp_path / "exported"))
    (folder / file).unlink()
    if kind == "folder":
        (folder / file).mkdir()
    else:
        os.mkfifo(folder / file)
    with pytest.raises(UserError) as raised:
        Tagger(folder)
    assert str(raised.value) == f"{folder}/{file}: it is no regular file, so the folder holds no exported model."
