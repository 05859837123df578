"""A finished model learns from more texts, with its own tokenizer, labels and weights."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from support.recipe_flags import as_flags

from malmoi.commands.several_runs import unfinished_runs
from malmoi.data.user_error import UserError
from malmoi.inference.tagger import Tagger
from malmoi.recipes.recipe import RECIPES, RecipeError, load_recipe
from malmoi.training.train import run

LSTM = {"embedding_size": 8, "hidden_size": 16, "ngram_sizes": [], "tokenizer": "syllables"}
BERT = {
    "model_type": "bert",
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 64,
}
ENCODER = {"encoder_config": BERT, "tokenizer": "wordpiece", "tokenizer_vocab_size": 120}
NAMES = {"task": "named-entities", "reader": "inline-marks"}
KINDS: dict[str, dict[str, Any]] = {
    "bilstm_crf": {**NAMES, "model_type": "bilstm_crf", **LSTM, "classifier_hidden_size": 5},
    "bilstm": {
        **{"task": "sentence-classification", "reader": "labelled-texts", "model_type": "bilstm", "pooling": "max"},
        **LSTM,
    },
    "encoder": {**NAMES, "model_type": "encoder", **ENCODER},
    "encoder_crf": {**NAMES, "model_type": "encoder_crf", **ENCODER},
    "spacing": {"task": "word-spacing", "reader": "plain-sentences", "model_type": "encoder", **ENCODER},
}
LINES = {
    "inline-marks": (["<손흥민:PS>은 <춘천:LC>에서 산다."], ["<홍길동:PS>은 <평양:OG>에서 일한다."]),
    "labelled-texts": (["good\t재미있다", "bad\t지루하다"], ["good\t훌륭하다", "soso\t그저 그렇다"]),
    "plain-sentences": (["나는 밥을 먹었다."], ["너는 학교에 갔다."]),
}
TRAINING = {"max_steps": 2, "use_cpu": True, "disable_tqdm": True, "save_strategy": "no"}


def train(folder: Path, settings: dict[str, Any], lines: list[str], **flags: Any) -> dict[str, Any]:
    """Train a recipe of one's own on these lines."""
    folder.mkdir(parents=True)
    for name in ("train", "validation"):
        (folder / f"{name}.txt").write_text("\n".join(lines * 6) + "\n", encoding="utf-8")
    (folder / "own.yaml").write_text(json.dumps({**TRAINING, **settings, "data_dir": str(folder)}), encoding="utf-8")
    given = {"output_dir": folder / "run", **flags}
    arguments = as_flags(given)
    return run(load_recipe(str(folder / "own.yaml"), arguments))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished model of every kind."""
    root = tmp_path_factory.mktemp("models")
    for name, settings in KINDS.items():
        train(root / name, settings, LINES[settings["reader"]][0])
    return root


def bare(kind: str) -> dict[str, Any]:
    """Return the settings without those that a finished model brings."""
    return {key: KINDS[kind][key] for key in ("task", "reader", "model_type")}


@pytest.mark.parametrize("kind", ["bilstm_crf", "bilstm"])
def test_what_is_trained_on_as_a_whole_is_no_body_that_stays(tmp_path: Path, models: Path, kind: str) -> None:
    more = LINES[KINDS[kind]["reader"]][1]
    with pytest.raises(
        RecipeError, match=r"`body_trained: false` leaves a body as it is under a fresh head, but .*run"
    ):
        train(tmp_path / "on", bare(kind), more, model_name_or_path=models / kind / "run", body_trained="false")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_tokenizer_labels_and_weights_are_taken_over(
    tmp_path: Path, models: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, more = LINES[KINDS[kind]["reader"]]
    model = models / kind / "run"
    report = train(tmp_path / "on", bare(kind), more, model_name_or_path=model, learning_rate=0.0)
    old, new = load_file(model / "model.safetensors"), load_file(tmp_path / "on" / "run" / "model.safetensors")
    assert old.keys() == new.keys()
    for name, tensor in old.items():
        assert torch.equal(new[name][tuple(slice(size) for size in tensor.shape)], tensor), name
    labels = [
        list(json.loads((f / "config.json").read_text())["id2label"].values()) for f in (model, tmp_path / "on/run")
    ]
    added = {"inline-marks": ["B-OG", "I-OG"], "labelled-texts": ["soso"], "plain-sentences": []}[
        KINDS[kind]["reader"]
    ]
    assert labels[1] == labels[0] + added
    vocabulary = [
        json.loads((f / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
        for f in (model, tmp_path / "on" / "run")
    ]
    assert vocabulary[0] == vocabulary[1]
    assert report["trained_on_from"] == {"model": "run", "new_labels": added}
    said = capsys.readouterr().err
    assert (
        f"Training on from {model}: its tokenizer of {len(vocabulary[0])} tokens, its {len(labels[0])} labels" in said
    )
    assert ("new labels: " + ", ".join(added) in said) if added else "new labels" not in said
    # the same texts give the same as before, and no path of this machine is left
    for path in (tmp_path / "on" / "run").glob("*.json"):
        assert str(models) not in path.read_text(encoding="utf-8"), path.name
    assert first != more


@pytest.mark.slow
def test_a_model_goes_on_learning_with_a_recipe_of_the_package(
    tmp_path: Path, marked_corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sizes and the tokenizer of the recipe are those of new models; the finished model has its own."""
    tiny = {"embedding_size": 12, "ngram_vocab_size": 64, "ngram_embedding_size": 4, "hidden_size": 32}
    options = {"data_dir": marked_corpus, "use_cpu": "true", "disable_tqdm": "true", "learning_rate": 0.02}
    flags = {**options, **tiny, "output_dir": tmp_path / "first", "num_train_epochs": 12}
    first = run(load_recipe("demo", as_flags(flags)))
    flags = {**options, "output_dir": tmp_path / "second", "model_name_or_path": tmp_path / "first", "max_steps": 1}
    recipe = load_recipe("demo", [part for key, value in flags.items() for part in (f"--{key}", str(value))])
    second = run(recipe)
    assert first["figures"]["entity_f1"] > 0.8
    assert second["figures"]["entity_f1"] > 0.8
    assert second["settings"]["hidden_size"] == 32
    assert "tokenizer" not in second["settings"]
    assert second["settings"]["model_name_or_path"] == "first"
    # where it is one of several, a command that goes on knows it again
    again = recipe._replace(flags={**recipe.flags, "resume_from_checkpoint": "true"})
    assert unfinished_runs({tmp_path / "second": again}) == {}
    found = next(iter(Tagger(tmp_path / "second").tag(["어제 이강인을 부산에서 만났어요."])))
    assert [entity.label for entity in found] == ["PS", "LC"]


def test_labels_that_the_data_lack_are_kept(tmp_path: Path, models: Path) -> None:
    train(
        tmp_path / "on", bare("bilstm_crf"), ["<손흥민:PS>은 갔다."], model_name_or_path=models / "bilstm_crf" / "run"
    )
    labels = json.loads((tmp_path / "on" / "run" / "config.json").read_text(encoding="utf-8"))["id2label"]
    assert list(labels.values()) == ["B-LC", "I-LC", "B-PS", "I-PS", "O"]


@pytest.mark.slow
def test_a_checkpoint_is_trained_on_too(tmp_path: Path, marked_corpus: Path) -> None:
    settings = {**KINDS["bilstm_crf"], "save_strategy": "steps", "save_steps": 1}
    train(tmp_path / "first", settings, LINES["inline-marks"][0])
    checkpoint = tmp_path / "first" / "run" / "checkpoint-1"
    report = train(tmp_path / "on", bare("bilstm_crf"), LINES["inline-marks"][1], model_name_or_path=checkpoint)
    assert report["trained_on_from"]["model"] == "checkpoint-1"


@pytest.mark.slow
def test_the_temperature_of_weights_that_are_no_more_is_left_behind(tmp_path: Path, models: Path) -> None:
    for kind, key, lines in (
        ("bilstm_crf", "name_temperature", ["<손흥민:PS>은 갔다."]),
        ("bilstm", "class_temperature", ["good\t아", "bad\t어"]),
    ):
        first = Path(shutil.copytree(models / kind / "run", tmp_path / f"first-{kind}"))
        config = json.loads((first / "config.json").read_text(encoding="utf-8"))
        (first / "config.json").write_text(json.dumps({**config, key: 1.5}), encoding="utf-8")
        train(tmp_path / kind, bare(kind), lines, model_name_or_path=first)
        assert key not in json.loads((tmp_path / kind / "run" / "config.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_dropout_may_be_another(tmp_path: Path, models: Path) -> None:
    for folder, flags in (("own", {}), ("other", {"hidden_dropout": 0.25})):
        train(
            tmp_path / folder,
            bare("bilstm"),
            ["good\t아", "bad\t어"],
            model_name_or_path=models / "bilstm/run",
            **flags,
        )
        config = json.loads((tmp_path / folder / "run" / "config.json").read_text(encoding="utf-8"))
        assert config["hidden_dropout"] == flags.get("hidden_dropout", 0.0)


@pytest.mark.parametrize(
    ("kind", "model", "flags", "message"),
    [
        ("bilstm_crf", "encoder_crf", {}, "has the architecture encoder_crf, but `model_type` is bilstm_crf"),
        ("bilstm_crf", "encoder", {}, "has the architecture bert, but `model_type` is bilstm_crf"),
        ("encoder_crf", "bilstm_crf", {}, "has the architecture bilstm_crf, but `model_type` is encoder_crf"),
        ("encoder", "bilstm_crf", {}, "has the architecture bilstm_crf, but `model_type` is encoder"),
        ("encoder", "spacing", {"tokenizer": "wordpiece"}, "has its tokenizer: leave out `tokenizer: wordpiece`"),
        ("encoder", "spacing", {"encoder_config": "{hidden_size: 16}"}, "what begins from an encoder keeps its sizes"),
        ("encoder", "spacing", {"encoder_config": "{hiden_size: 8}"}, "no setting 'hiden_size'; did you mean"),
        (
            "encoder",
            "spacing",
            {"encoder_config": "wide"},
            "`encoder_config` must be a mapping such as .*, got 'wide'",
        ),
        ("bilstm_crf", "bilstm_crf", {"hidden_size": 32}, "`hidden_size` of .* is 16, and .* keeps it; got 32"),
        ("bilstm_crf", "bilstm_crf", {"ngram_sizes": "[2]"}, r"`ngram_sizes` of .* is \[\], .* got \[2\]"),
        ("bilstm", "bilstm", {"pooling": "attention"}, "`pooling` of .* is max, .* got attention"),
        (
            "bilstm_crf",
            "bilstm_crf",
            {"tokenizer": "wordpiece"},
            "keeps its own tokenizer: leave out `tokenizer: word",
        ),
        ("bilstm_crf", "bilstm_crf", {"embeddings": "vectors.txt"}, "leave out `embeddings`, or `model_name_or_path`"),
        ("bilstm_crf", "bilstm_crf", {"hidden_dropout": 2}, "The settings of the model are wrong: .*hidden_dropout"),
        ("encoder", "encoder", {"encoder_config": "{hidden_size: 16}"}, "but the settings given ask for"),
        (
            "encoder_crf",
            "encoder_crf",
            {"encoder_config": "{hiden_size: 16}"},
            "no setting 'hiden_size'; did you mean",
        ),
        ("bilstm_crf", "nowhere", {}, "nowhere"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, models: Path, kind: str, model: str, flags: dict[str, Any], message: str
) -> None:
    lines = LINES[KINDS[kind]["reader"]][0]
    with pytest.raises(UserError, match=message):
        train(tmp_path / "on", bare(kind), lines, model_name_or_path=models / model / "run", **flags)
    assert not (tmp_path / "on" / "run" / "model.safetensors").exists()


# for a finished model of each kind: another task, another head, or both
@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("spacing", "encoder"),
        ("encoder", "classifier"),
        ("encoder", "encoder_crf"),
        ("encoder_crf", "spacing_crf"),
        ("encoder_crf", "encoder"),
        ("encoder_crf", "classifier"),
    ],
)
def test_an_encoder_begins_another_task_or_another_head(
    tmp_path: Path, models: Path, model: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {
        "encoder": bare("encoder"),
        "encoder_crf": bare("encoder_crf"),
        "spacing_crf": {**bare("spacing"), "model_type": "encoder_crf"},
        "classifier": {**bare("bilstm"), "model_type": "encoder"},
    }[kind]
    folder, lines = models / model / "run", LINES[settings["reader"]][1]
    report = train(tmp_path / "on", settings, lines, model_name_or_path=folder, learning_rate=0.0)
    new = tmp_path / "on" / "run"
    old_encoder, new_encoder = (
        {
            name.removeprefix("encoder.").removeprefix("bert."): tensor
            for name, tensor in load_file(path / "model.safetensors").items()
            if name.startswith(("bert.", "encoder."))
        }
        for path in (folder, new)
    )
    taken = {name for name in new_encoder if not name.startswith("pooler.")}
    assert taken == {name for name in old_encoder if not name.startswith("pooler.")}
    for name in taken:
        assert torch.equal(new_encoder[name], old_encoder[name]), name
    vocabulary = [
        json.loads((path / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"] for path in (folder, new)
    ]
    assert vocabulary[0] == vocabulary[1]
    config = json.loads((new / "config.json").read_text(encoding="utf-8"))
    assert [*config["id2label"].values()] == report["trained_on_from"]["new_labels"]
    assert report["trained_on_from"]["taken_over"] == ["tokenizer", "encoder"]
    assert report["trained_on_from"]["task"] == ("word-spacing" if model == "spacing" else "named-entities")
    assert config["malmoi_task"] == settings["task"]
    assert "malmoi_task" not in config.get("encoder_config", {})
    assert f"Beginning from {folder}: its tokenizer of {len(vocabulary[0])} tokens and its encoder." in (
        capsys.readouterr().err
    )
    for path in new.glob("*.json"):
        assert str(models) not in path.read_text(encoding="utf-8"), path.name


@pytest.mark.slow
def test_a_recipe_of_the_package_begins_from_an_encoder_with_the_tokenizer_and_sizes_of_that(
    tmp_path: Path, models: Path
) -> None:
    """Those of the recipe are for new models."""
    data = tmp_path / "data"
    data.mkdir()
    for name in ("train", "validation"):
        (data / f"{name}.txt").write_text("good\t재미있다\nbad\t지루하다\n" * 4, encoding="utf-8")
    flags = {
        **{"reader": "labelled-texts", "data_dir": data, "output_dir": tmp_path / "run", "use_cpu": True},
        **{"model_name_or_path": models / "encoder" / "run", "max_steps": 1, "disable_tqdm": True},
        "encoder_config": "{hidden_dropout_prob: 0.3}",
    }
    report = run(load_recipe("nsmc-bert-tiny", as_flags(flags)))
    config = json.loads((tmp_path / "run" / "config.json").read_text(encoding="utf-8"))
    assert (config["hidden_size"], config["hidden_dropout_prob"]) == (8, 0.3)
    assert report["settings"]["encoder_config"] == {"hidden_dropout_prob": 0.3}
    assert "tokenizer" not in report["settings"]


def test_sizes_in_a_recipe_of_the_user_are_refused_like_flags(tmp_path: Path, models: Path) -> None:
    settings = {**bare("bilstm_crf"), "hidden_size": 64}
    with pytest.raises(
        RecipeError, match=r"`hidden_size` of .* is 16, and a model that is trained on keeps it; got 64"
    ):
        train(tmp_path / "on", settings, LINES["inline-marks"][0], model_name_or_path=models / "bilstm_crf" / "run")


@pytest.mark.slow
def test_an_interrupted_training_on_goes_on(tmp_path: Path, models: Path) -> None:
    settings = {**bare("bilstm_crf"), "save_strategy": "steps", "save_steps": 1}
    model, lines = models / "bilstm_crf" / "run", LINES["inline-marks"][1]
    train(tmp_path / "whole", settings, lines, model_name_or_path=model, max_steps=3)
    train(tmp_path / "parts", settings, lines, model_name_or_path=model, max_steps=3, lr_scheduler_type="linear")
    checkpoint = tmp_path / "parts" / "run" / "checkpoint-2"
    resumed = {"resume_from_checkpoint": checkpoint, "model_name_or_path": model, "max_steps": 3}
    train(tmp_path / "resumed", settings, lines, **resumed)
    for name, tensor in load_file(tmp_path / "whole" / "run" / "model.safetensors").items():
        assert torch.equal(load_file(tmp_path / "resumed" / "run" / "model.safetensors")[name], tensor), name


def test_the_recipes_of_the_package_are_known_as_such(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_bytes((RECIPES / "demo.yaml").read_bytes())
    assert load_recipe("demo", []).is_of_the_package
    assert not load_recipe(str(tmp_path / "demo.yaml"), []).is_of_the_package
