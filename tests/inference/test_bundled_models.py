"""The models that come with the package: whole, small, and used where none is named."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from malmoi.data.user_error import UserError
from malmoi.hub_cards.bundle import LICENSES, MOST_BYTES
from malmoi.inference.bundled_models import bundled_name, model_place
from malmoi.inference.classifier import Classifier
from malmoi.inference.loading import COMMANDS, LANGUAGE_MODEL, load_model, read_config, task_of
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger
from malmoi.models import BODY, FOLDER, NAMES
from malmoi.recipes.recipe import load_recipe

KINDS = [Tagger, Spacer, Classifier]
FILES = {
    *("README.md", "config.json", "model.safetensors", "recipe.yaml", "report.json"),
    *("tokenizer.json", "tokenizer_config.json"),
}
GRAPH = {"model.onnx"}


def test_there_is_a_model_for_each_task_and_a_body() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir()} - {"__pycache__"}
    assert {*NAMES} == {*COMMANDS} == folders - {BODY}
    assert BODY == LANGUAGE_MODEL
    assert BODY in folders


@pytest.mark.parametrize("name", [*NAMES, BODY])
def test_a_model_is_small_and_whole(name: str) -> None:
    folder = FOLDER / name
    assert {path.name for path in folder.iterdir()} == FILES | (GRAPH if name in NAMES else set())
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MOST_BYTES
    assert task_of(read_config(folder)) == name
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert not {"auto_map", "custom_pipelines"} & set(config)  # no code lies there
    assert load_recipe(str(folder / "recipe.yaml"), []).task == name
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    card = (folder / "README.md").read_text(encoding="utf-8")
    [license_line] = [line for line in card.splitlines() if line.startswith("license: ")]
    assert license_line.removeprefix("license: ") in LICENSES
    assert "kmou" not in (json.dumps(report["data"]) + card).casefold()
    assert f"`{bundled_name(name)}`" in card


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_name_the_model_of_the_package_answers(kind: type[Tagger | Spacer | Classifier]) -> None:
    ours, named = kind(), kind(f"bundled:{kind.task}")
    text = "손흥민은 춘천에서 태어났다."
    assert ours(text) == named(text) == kind(FOLDER / kind.task)(text)


@torch.no_grad()
def test_the_body_has_states_and_answers_nothing() -> None:
    body, tokenizer = load_model(bundled_name(BODY), LANGUAGE_MODEL)
    encoded = tokenizer("손흥민은 춘천에서 태어났다.", return_tensors="pt")
    shape = (1, encoded["input_ids"].size(1), body.config.hidden_size)
    assert body(**encoded).last_hidden_state.shape == shape
    assert {parameter.dtype for parameter in body.parameters()} == {torch.float32}
    for kind in KINDS:
        with pytest.raises(UserError, match=r"^bundled:language-model: this is a language model, which has no labels"):
            kind(bundled_name(BODY))


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_computed_with_in_single_precision(kind: type[Tagger | Spacer | Classifier]) -> None:
    with safe_open(FOLDER / kind.task / "model.safetensors", framework="pt") as stored:
        types = {name: stored.get_slice(name).get_dtype() for name in stored.keys()}  # noqa: SIM118
    assert {kept for name, kept in types.items() if "crf." in name} <= {"F32"}
    assert {parameter.dtype for parameter in kind().model.parameters()} == {torch.float32}


def test_only_names_of_ours_are_looked_up(tmp_path: Path) -> None:
    assert model_place("bundled:word-spacing") == FOLDER / "word-spacing"
    assert model_place(Path("bundled:word-spacing")) == FOLDER / "word-spacing"
    assert model_place("bundled:language-model") == FOLDER / "language-model"
    assert model_place("user/model") == "user/model"
    assert model_place(tmp_path) == tmp_path
    known = ", ".join(map(bundled_name, (*NAMES, BODY)))
    with pytest.raises(UserError, match=f"^There is no model bundled:spacing; the package has {known}.$"):
        model_place("bundled:spacing")


@pytest.mark.parametrize("name", [5, b"x", ["a"]])
def test_what_is_no_name_of_a_model_is_refused(name: Any) -> None:
    with pytest.raises(UserError) as caught:
        Tagger(name)
    assert str(caught.value) == f"Expected the folder of a model or its name on the Hub, got {name!r}."
