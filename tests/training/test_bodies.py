"""Taggers and classifiers begin from a body: a language model, or a BiLSTM of another task or architecture."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from support.marked_lines import TRAIN_LINES
from support.recipe_flags import as_flags
from support.tiny_models import label_settings
from transformers import PreTrainedTokenizerFast

from malmoi.commands.several_runs import unfinished_runs
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import SPACING_LABELS
from malmoi.inference.loading import load_model, read_config, task_of
from malmoi.inference.spacer import Spacer
from malmoi.modeling import (
    BiLstmConfig,
    BiLstmCrfConfig,
    BiLstmCrfForTokenClassification,
    BiLstmForSequenceClassification,
    BiLstmModel,
)
from malmoi.recipes.recipe import RecipeError, load_recipe
from malmoi.training.models.body import Body
from malmoi.training.models.dictionary_features import lexicon_settings, load_lexicons, set_lexicon
from malmoi.training.preparation import prepare
from malmoi.training.request import read_request
from malmoi.training.train import run
from malmoi.training.trainer import build_trainer

SIZES = {"embedding_size": 6, "hidden_size": 8, "ngram_sizes": [2], "ngram_vocab_size": 31, "ngram_embedding_size": 4}
RECIPES: dict[str, dict[str, Any]] = {
    "names": {"task": "named-entities", "reader": "inline-marks", "model_type": "bilstm_crf"},
    "spacing": {"task": "word-spacing", "reader": "plain-sentences", "model_type": "bilstm_crf"},
    "classes": {
        **{"task": "sentence-classification", "reader": "labelled-texts", "model_type": "bilstm"},
        "pooling": "max",
    },
}
LINES = {
    "names": "<손흥민:PS>은 <춘천:LC>에서 태어났다.\n",
    "spacing": "나는 밥을 먹었다.\n",
    "classes": "good\t재미있다\nbad\t지루하다\n",
}
TRAINING = {"max_steps": 2, "use_cpu": True, "disable_tqdm": True, "save_strategy": "no"}
WORDS = "손흥민\tperson\n춘천\tplace\n"


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return build_syllable_tokenizer(TRAIN_LINES)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("words") / "words.tsv"
    path.write_text(WORDS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory, tokenizer: PreTrainedTokenizerFast, words: Path) -> Path:
    """Random models of every kind with the same sizes, and a language model with another limit on its texts."""
    root = tmp_path_factory.mktemp("bodies")
    sizes = {**SIZES, "vocab_size": len(tokenizer), "unk_token_id": tokenizer.unk_token_id}
    torch.manual_seed(1)
    lexicon = load_lexicons(str(words))
    with_lexicon = BiLstmCrfForTokenClassification(
        BiLstmCrfConfig(
            **{**sizes, **lexicon_settings(lexicon, tokenizer)},
            **label_settings(["B-PS", "I-PS", "O"]),
            lexicon_embedding_size=5,
        )
    )
    set_lexicon(with_lexicon, lexicon, tokenizer)
    models = {
        "language-model": BiLstmModel(BiLstmConfig(**sizes)),
        "names": BiLstmCrfForTokenClassification(
            BiLstmCrfConfig(**sizes, **label_settings(["B-PS", "I-PS", "O"]), malmoi_task="named-entities")
        ),
        "spacing": BiLstmCrfForTokenClassification(BiLstmCrfConfig(**sizes, **label_settings(SPACING_LABELS))),
        "classes": BiLstmForSequenceClassification(BiLstmConfig(**sizes)),
        "lexicon": with_lexicon,
    }
    for name, model in models.items():
        model.save_pretrained(root / name)
        tokenizer.model_max_length = 7
        tokenizer.save_pretrained(root / name)
    return root


def recipe(folder: Path, kind: str, *, settings: dict[str, Any] | None = None, **flags: Any) -> Any:
    """Return a recipe of the user with data of its own in a folder."""
    folder.mkdir(exist_ok=True)
    for name in ("train", "validation"):
        (folder / f"{name}.txt").write_text(LINES[kind] * 6, encoding="utf-8")
    own = {**TRAINING, **RECIPES[kind], "data_dir": str(folder), **(settings or {})}
    (folder / "own.yaml").write_text(json.dumps(own), encoding="utf-8")
    given = {"output_dir": folder / "run", **flags}
    return load_recipe(str(folder / "own.yaml"), as_flags(given))


def prepared(folder: Path, kind: str, **given: Any) -> Any:
    return prepare(read_request(recipe(folder, kind, **given)))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        *((kind, "language-model") for kind in RECIPES),
        *(("names", "spacing"), ("names", "classes"), ("spacing", "names"), ("spacing", "lexicon")),
        *(("classes", "names"), ("classes", "lexicon")),
    ],
)
@torch.no_grad()
def test_states_are_those_of_the_body_and_the_head_is_fresh(
    tmp_path: Path, bodies: Path, kind: str, body: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = bodies / body
    preparation = prepared(tmp_path, kind, model_name_or_path=name)
    model = preparation.model.eval()
    own = BiLstmModel.from_pretrained(name, config=BiLstmConfig(**_config(name))).eval()
    ids = torch.tensor([[5, 6, 7, 8, 4], [4, 9, 3, 0, 0]])
    torch.testing.assert_close(model._hidden_states(ids, ids > 0), own._hidden_states(ids, ids > 0))
    labels = {"names": ["B-LC", "I-LC", "B-PS", "I-PS", "O"], "spacing": ["B", "I"], "classes": ["bad", "good"]}[kind]
    assert preparation.labels == labels
    assert [model.config.id2label[index] for index in range(len(labels))] == labels
    assert preparation.max_length is None  # that of the body concerned its own texts
    assert all(parameter.requires_grad for parameter in model.parameters())
    parts = "embeddings, lexicon and LSTM" if body == "lexicon" else "embeddings and LSTM"
    assert f"Beginning from {name}: its tokenizer of {len(preparation.tokenizer)} tokens, {parts}" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("name", ["bundled:language-model", "bundled:sentence-classification"])
def test_a_model_of_the_package_is_a_body_by_its_name(tmp_path: Path, name: str) -> None:
    preparation = prepared(tmp_path, "names", model_name_or_path=name)
    loaded = load_model(name, task_of(read_config(name)))
    assert torch.equal(preparation.model.lstm.weight_hh_l0, loaded.model.lstm.weight_hh_l0)
    assert preparation.finished.describe([])["model"] == name


def _config(folder: Path) -> dict[str, Any]:
    """Return the settings of a saved model that one without a head has too."""
    own = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return {key: value for key, value in own.items() if key in BiLstmConfig().to_dict() and key != "auto_map"}


@pytest.mark.slow
@torch.no_grad()
def test_dictionary_features_are_added_to_a_body_without_them(tmp_path: Path, bodies: Path, words: Path) -> None:
    """Where the fresh columns are zero, the tagger has exactly the states of the body."""
    name = bodies / "language-model"
    preparation = prepared(tmp_path, "names", model_name_or_path=name, lexicon=words)
    model, own = preparation.model.eval(), BiLstmModel.from_pretrained(name).eval()
    assert model.config.lexicon_classes == ["person", "place"]
    assert len(preparation.tokenizer) > model.config.vocab_size == own.config.vocab_size
    ids = torch.tensor([preparation.tokenizer("손흥민은 춘천에서")["input_ids"]])
    assert model.lexicon.marks(ids, ids > 0).any()
    known = ids.masked_fill(ids >= own.config.vocab_size, int(own.config.unk_token_id))
    columns = own.lstm.weight_ih_l0.size(1)
    for weight in (model.lstm.weight_ih_l0, model.lstm.weight_ih_l0_reverse):
        assert weight[:, columns:].std() > 0.1
    states = own(known).last_hidden_state
    assert not torch.allclose(model._hidden_states(ids, ids > 0), states)
    for weight in (model.lstm.weight_ih_l0, model.lstm.weight_ih_l0_reverse):
        weight[:, columns:] = 0
    torch.testing.assert_close(model._hidden_states(ids, ids > 0), states)


@torch.no_grad()
def test_further_layers_stand_on_top(tmp_path: Path, bodies: Path) -> None:
    name = bodies / "language-model"
    preparation = prepared(tmp_path, "names", settings={"num_hidden_layers": 3}, model_name_or_path=name)
    model, own = preparation.model.eval(), BiLstmModel.from_pretrained(name).eval()
    ids, layers = torch.tensor([[5, 6, 7]]), []
    model._hidden_states(ids, ids > 0, outputs=layers)
    assert len(layers) == 4
    torch.testing.assert_close(layers[1], own(ids).last_hidden_state)


def test_labels_of_added_words_are_those_of_what_is_trained(tmp_path: Path, bodies: Path) -> None:
    body = load_model(bodies / "lexicon", None)
    of_recipe = {"lexicon_labels": {"PS": "person", "OG": "name"}}
    settings = Body("lexicon", body.model, body.tokenizer, {}).settings(of_recipe)
    assert settings["lexicon_labels"] == {"PS": "person"}  # this lexicon has no names
    said = {"lexicon_labels": '{"B": "place"}'}
    assert prepared(
        tmp_path, "spacing", model_name_or_path=bodies / "lexicon", **said
    ).model.config.lexicon_labels == {"B": "place"}


def test_a_recipe_of_the_package_takes_a_lexicon_of_the_user(tmp_path: Path, words: Path) -> None:
    recipe(tmp_path, "names")  # writes the data
    given = {"reader": "inline-marks", "data_dir": tmp_path, "output_dir": tmp_path / "run", "lexicon": words}
    given |= {"model_name_or_path": "bundled:language-model", "use_cpu": "true"}
    flags = as_flags(given)
    model = prepare(read_request(load_recipe("klue-ner-from-body", flags))).model
    assert model.config.lexicon_labels == {"PS": "person", "LC": "place"}
    with pytest.raises(RecipeError, match="`lexicon_labels` must name classes"):
        prepare(read_request(load_recipe("klue-ner-from-body", [*flags, "--lexicon_labels", '{"OG": "name"}'])))


@pytest.mark.slow
@pytest.mark.parametrize("layers", [1, 2])
def test_a_body_that_is_not_trained_stays_and_has_no_optimizer_state(
    tmp_path: Path, bodies: Path, layers: int
) -> None:
    given = {"model_name_or_path": bodies / "lexicon", "body_trained": "false", "num_hidden_layers": layers}
    request = read_request(recipe(tmp_path, "spacing", **given))
    preparation = prepare(request)
    trainer = build_trainer(
        request.task,
        preparation.model,
        preparation.tokenizer,
        request.training_arguments,
        train=preparation.train,
        evaluation=preparation.evaluations["validation"],
    )
    before = {name: tensor.clone() for name, tensor in preparation.model.state_dict().items()}
    trainer.train()
    body = load_model(bodies / "lexicon", None).model.state_dict()
    learned = {name for name, parameter in preparation.model.named_parameters() if parameter.requires_grad}
    fresh = {"classifier", "crf"} if layers == 1 else {"classifier", "crf", "lstm"}
    assert {name.split(".")[0] for name in learned} == fresh
    for name, tensor in preparation.model.state_dict().items():
        assert torch.equal(tensor, before[name]) == (name not in learned), name
    assert not [name for name in learned if name in body and name.split(".")[0] not in ("classifier", "crf")]
    assert trainer.optimizer is not None
    states = trainer.optimizer.state_dict()["state"]
    assert len(states) == len(learned)


@pytest.mark.slow
def test_a_report_says_what_a_run_began_from(tmp_path: Path, bodies: Path, words: Path) -> None:
    report = run(recipe(tmp_path, "names", model_name_or_path=bodies / "language-model", lexicon=words))
    assert report["trained_on_from"] == {
        "model": "language-model",
        "task": "language-model",
        "taken_over": ["tokenizer", "embeddings", "lstm"],
        "new_labels": ["B-LC", "I-LC", "B-PS", "I-PS", "O"],
    }
    assert str(bodies) not in (tmp_path / "run" / "report.json").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_recipe_of_the_package_takes_the_sizes_of_the_body(
    tmp_path: Path, bodies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.txt").write_text(LINES["spacing"] * 9, encoding="utf-8")
    (tmp_path / "val.txt").write_text(LINES["spacing"], encoding="utf-8")
    given = {"data_dir": tmp_path, "output_dir": tmp_path / "run", "max_steps": 1, "use_cpu": "true"}
    given |= {"disable_tqdm": "true", "model_name_or_path": bodies / "lexicon"}
    own = load_recipe(
        "spacing-bi-lstm-crf", [part for key, value in given.items() for part in (f"--{key}", str(value))]
    )
    report = run(own)
    assert "; its sizes: embedding_size 6 instead of 128, ngram_sizes [2] instead of [2, 3]" in capsys.readouterr().err
    assert report["settings"]["hidden_size"] == 8
    assert "tokenizer" not in report["settings"]
    assert report["trained_on_from"]["taken_over"] == ["tokenizer", "embeddings", "lexicon", "lstm"]
    # where it is one of several, a command that goes on knows it again
    again = own._replace(flags={**own.flags, "resume_from_checkpoint": "true"})
    assert unfinished_runs({tmp_path / "run": again}) == {}
    [spaced] = Spacer(tmp_path / "run").space(["나는밥을"])
    assert spaced.text.replace(" ", "") == "나는밥을"


@pytest.mark.slow
def test_an_interrupted_training_from_a_body_goes_on(tmp_path: Path, bodies: Path) -> None:
    settings = {"save_strategy": "steps", "save_steps": 1, "lr_scheduler_type": "constant", "token_dropout": 0.1}
    given = {"model_name_or_path": bodies / "spacing", "body_trained": "false", "num_hidden_layers": 2}
    run(recipe(tmp_path / "whole", "names", settings=settings, **given, max_steps=3))
    run(recipe(tmp_path / "parts", "names", settings=settings, **given, max_steps=2))
    checkpoint = tmp_path / "parts" / "run" / "checkpoint-1"
    resumed = {**given, "resume_from_checkpoint": checkpoint, "max_steps": 3}
    run(recipe(tmp_path / "on", "names", settings=settings, **resumed))
    for name, tensor in load_file(tmp_path / "whole" / "run" / "model.safetensors").items():
        assert torch.equal(load_file(tmp_path / "on" / "run" / "model.safetensors")[name], tensor), name
    with pytest.raises(UserError, match="`body_trained` was False and is True"):
        run(recipe(tmp_path / "on2", "names", settings=settings, **{**resumed, "body_trained": "true"}))


@pytest.mark.parametrize(
    ("body", "given", "message"),
    [
        ("language-model", {"hidden_size": 16}, "`hidden_size` of .* is 8, and what begins from it keeps it; got 16"),
        ("language-model", {"tokenizer": "wordpiece"}, "has its tokenizer: leave out `tokenizer: wordpiece`"),
        ("language-model", {"embeddings": "x.txt"}, "leave out `embeddings`, or `model_name_or_path`"),
        ("language-model", {"body_trained": "false", "lexicon": "words.tsv"}, "leave out `body_trained: false`"),
        (
            "lexicon",
            {"task": "word-spacing", "reader": "plain-sentences", "lexicon": "words.tsv"},
            "has a lexicon, wh",
        ),
        ("names", {"lexicon": "words.tsv"}, "keeps its features: leave out `lexicon: words.tsv`"),
        ("nowhere", {}, "nowhere"),
    ],
)
def test_what_does_not_fit_a_body_is_refused(
    tmp_path: Path, bodies: Path, body: str, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        prepared(tmp_path, "names", model_name_or_path=bodies / body, **given)
