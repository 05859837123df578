"""Finished classifiers give unlabelled texts a probability of every class, and a model learns from the sure ones."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from support.command_line import malmoi
from support.tiny_models import save, tiny_bert_classifier
from transformers import PreTrainedTokenizerFast

from malmoi.data.padding_collator import PaddingCollator
from malmoi.data.user_error import UserError
from malmoi.inference.classifier import Classifier
from malmoi.recipes.recipe import Recipe, RecipeError, load_recipe
from malmoi.training.classification_loss import balanced_weights, classification_loss
from malmoi.training.preparation import Preparation, prepare
from malmoi.training.request import read_request
from malmoi.training.silver_classes import mean_probabilities
from malmoi.training.silver_teachers import load_teacher
from malmoi.training.train import run

CPU = torch.device("cpu")
CLASSES = ["bad", "good"]
TRAIN = ["good\t손흥민은 최고다", "bad\t비가 와서 지루하다", "good\t춘천의 봄은 좋다", "bad\t집에 있었다"] * 2
VALIDATION = ["good\t비가 그쳤다", "bad\t비가 왔다."]
NEW = ["손흥민은 갔다", "비가 와서 집에 있었다.", "춘천", "그는 서울로 갔다! 흠", "다시는 안 본다"]
OPTIONS: dict[str, Any] = {
    "task": "sentence-classification",
    "reader": "labelled-texts",
    "max_steps": 3,
    "num_train_epochs": 1,
    "per_device_train_batch_size": 4,
    "embedding_size": 8,
    "hidden_size": 8,
    "tokenizer_min_frequency": 1,
    "save_strategy": "steps",
    "save_steps": 2,
    "use_cpu": True,
    "disable_tqdm": True,
    "seed": 1,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reviews")
    write(folder / "train.txt", TRAIN)
    write(folder / "validation.txt", VALIDATION)
    return folder


@pytest.fixture(scope="module")
def teachers(
    tmp_path_factory: pytest.TempPathFactory,
    wordpiece_tokenizer: PreTrainedTokenizerFast,
    data: Path,
) -> list[Path]:
    """A classifier of the trainer path and a random one, with other tokenizers and other orders of the classes."""
    folder = tmp_path_factory.mktemp("teachers")
    classes = {"id2label": dict(enumerate(CLASSES[::-1])), "label2id": {"good": 0, "bad": 1}}
    other = save(folder / "other", tiny_bert_classifier(wordpiece_tokenizer, **classes), wordpiece_tokenizer)
    run(recipe(folder / "seed-1", data))
    return [folder / "seed-1", other]


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def recipe(folder: Path, data: Path, **settings: Any) -> Recipe:
    """Return a tiny recipe of a classifier."""
    own = folder.with_name(f"{folder.name}.yaml")
    given = {**OPTIONS, "data_dir": str(data), "output_dir": str(folder), **settings}
    own.write_text(json.dumps(given), encoding="utf-8")  # JSON is YAML
    return load_recipe(str(own), [])


def silver(text: Path, teachers: list[Path], **settings: Any) -> dict[str, Any]:
    """Return settings that ask for silver texts, all of which join unless `silver_confidence` is given."""
    names = ", ".join(map(str, teachers))
    return {"silver_text": str(text), "silver_teachers": names, "silver_confidence": 0.0, **settings}


def prepared(folder: Path, data: Path, **settings: Any) -> Preparation:
    return prepare(read_request(recipe(folder, data, **settings)))


def means(teachers: list[Path], texts: list[str]) -> list[dict[str, float]]:
    """Return the mean probability of every class for each text, as `Classifier` gives it text by text."""
    users = [Classifier(teacher) for teacher in teachers]
    answers = [[user(text).scores for user in users] for text in texts]
    return [{name: sum(each[name] for each in scores) / len(scores) for name in CLASSES} for scores in answers]


def test_teachers_give_the_mean_of_their_probabilities_in_the_order_of_the_data(teachers: list[Path]) -> None:
    loaded = [load_teacher(str(folder), "sentence-classification", CLASSES, device=CPU) for folder in teachers]
    assert [teacher.order for teacher in loaded] == [[0, 1], [1, 0]]
    texts = [*NEW, "가", "손흥민은 춘천에서 태어났다 " * 6]  # the last is too long for the second
    found = mean_probabilities(loaded, texts, 2)
    expected = torch.tensor([[mean["bad"], mean["good"]] for mean in means(teachers, texts)])
    torch.testing.assert_close(found, expected)
    assert mean_probabilities(loaded, [], 2).shape == (0, 2)


def test_a_teacher_speaks_with_the_temperature_that_it_has(teachers: list[Path], tmp_path: Path) -> None:
    sharper = Path(shutil.copytree(teachers[0], tmp_path / "sharper"))
    config = json.loads((sharper / "config.json").read_text(encoding="utf-8"))
    (sharper / "config.json").write_text(json.dumps({**config, "class_temperature": 0.25}), encoding="utf-8")
    teacher = load_teacher(str(sharper), "sentence-classification", CLASSES, device=CPU)
    expected = torch.tensor([[mean["bad"], mean["good"]] for mean in means([sharper], NEW)])
    torch.testing.assert_close(mean_probabilities([teacher], NEW, 2), expected)
    plain = torch.tensor([[mean["bad"], mean["good"]] for mean in means(teachers[:1], NEW)])
    assert (expected.amax(1) > plain.amax(1)).all()


def test_silver_texts_come_with_probabilities_and_the_others_with_their_class(
    tmp_path: Path, data: Path, teachers: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    known = ["비가  왔다!", "집에 있었다?"]  # one of the validation set, one of the training set
    text = write(tmp_path / "raw.tsv", [f"id\t{line}" for line in [*NEW, *known, NEW[0]]])
    preparation = prepared(tmp_path / "run", data, **silver(text, teachers))
    gold = [[float(label == name) for name in CLASSES] for label in (line.split("\t")[0] for line in TRAIN)]
    expected = torch.tensor(gold + [[mean[name] for name in CLASSES] for mean in means(teachers, NEW)])
    torch.testing.assert_close(torch.tensor(preparation.train["labels"][:]), expected)
    batch = PaddingCollator(preparation.tokenizer)(
        [{key: row[key] for key in ("input_ids", "attention_mask", "labels")} for row in preparation.train]
    )
    torch.testing.assert_close(batch["labels"], expected)
    assert batch["labels"].dtype == torch.float32
    assert preparation.evaluations["validation"].features["labels"][:] == [1, 0]
    assert preparation.silver is not None
    assert preparation.silver.description | {"confidence_quantiles": {}} == {
        **{"teachers": ["seed-1", "other"], "text": "raw.tsv", "read": 8, "in_evaluation": 1, "in_training": 1},
        **{"repeated": 1, "labelled": 5, "kept": 5, "confidence": 0.0, "confidence_quantiles": {}},
    }
    # what stands in silver texts alone is in the vocabulary too
    assert preparation.tokenizer.unk_token_id not in preparation.tokenizer("흠")["input_ids"]
    error = capsys.readouterr().err
    assert "5 texts are labelled by 2 models" in error
    assert "5 of 5 labelled texts join the training set (largest probability at least 0)" in error


def test_a_text_joins_if_its_largest_probability_is_at_least_the_threshold(
    tmp_path: Path, data: Path, teachers: list[Path]
) -> None:
    text = write(tmp_path / "raw.txt", NEW)
    loaded = [load_teacher(str(folder), "sentence-classification", CLASSES, device=CPU) for folder in teachers]
    largest = mean_probabilities(loaded, NEW, 2).amax(dim=1).tolist()
    middle = sorted(largest)[2]
    given = silver(text, teachers[:2], silver_confidence=middle)
    found = prepared(tmp_path / "run", data, **given).silver
    assert found is not None
    assert found.dataset["text"][:] == [line for line, value in zip(NEW, largest, strict=True) if value >= middle]
    assert found.description["kept"] == 3
    with pytest.raises(
        RecipeError, match=r"raw.txt: no text joins the training set: of 5 that are new, the surest has a largest prob"
    ):
        prepared(tmp_path / "run", data, **silver(text, teachers, silver_confidence=1.0))


def test_a_class_that_only_the_model_trained_on_knows_is_never_that_of_a_silver_text(
    tmp_path: Path, data: Path, teachers: list[Path]
) -> None:
    three = tmp_path / "three"
    three.mkdir()
    for name, lines in (("train.txt", TRAIN), ("validation.txt", VALIDATION)):
        write(three / name, ["a neither\t음", *lines])
    run(recipe(tmp_path / "beginning", three, max_steps=1))
    text = write(tmp_path / "raw.txt", NEW)
    on = {"model_name_or_path": str(tmp_path / "beginning")}
    preparation = prepared(tmp_path / "run", data, **silver(text, teachers), **on)
    assert preparation.labels == ["a neither", *CLASSES]
    expected = torch.tensor([[0.0, mean["bad"], mean["good"]] for mean in means(teachers, NEW)])
    torch.testing.assert_close(torch.tensor(preparation.train["labels"][:])[len(TRAIN) :], expected)
    assert preparation.train["labels"][0] == [0, 0, 1]


@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 2.0, 7.0])])
def test_the_loss_of_probabilities_is_the_mean_over_what_the_class_could_be(weights: torch.Tensor | None) -> None:
    torch.manual_seed(0)
    logits, probabilities = torch.randn(6, 3), torch.randn(6, 3).softmax(dim=1)
    loss = classification_loss(weights)
    of_classes = torch.ones(3) if weights is None else weights
    by_hand = 0.0
    for row in range(6):
        for label in range(3):
            share = probabilities[row, label] * of_classes[label]
            by_hand -= share * logits[row].log_softmax(dim=0)[label]
    torch.testing.assert_close(loss({"logits": logits}, probabilities), by_hand / 6)
    # the `Trainer` counts every probability of the step
    parts = [
        loss({"logits": logits[part]}, probabilities[part], num_items_in_batch=torch.tensor(18))
        for part in (slice(0, 4), slice(4, 6))
    ]
    torch.testing.assert_close(torch.stack(parts).sum(), by_hand / 6)
    # certain texts have the loss of their classes
    labels = torch.tensor([0, 2, 1, 1, 0, 2])
    certain = torch.nn.functional.one_hot(labels, 3).float()
    torch.testing.assert_close(loss({"logits": logits}, certain), loss({"logits": logits}, labels))


def test_weights_count_the_share_of_each_class() -> None:
    labels = torch.tensor([0, 2, 2, 2])
    certain = torch.nn.functional.one_hot(labels, 4).float()
    assert balanced_weights(certain, 4).tolist() == balanced_weights(labels, 4).tolist()
    shares = torch.tensor([[0.25, 0.75], [0.25, 0.75]])
    assert balanced_weights(shares, 2).tolist() == pytest.approx([2 / (2 * 0.5), 2 / (2 * 1.5)])


@pytest.mark.parametrize("more", [{}, {"class_weights": "balanced"}])
def test_the_trainer_learns_from_probabilities(
    tmp_path: Path, data: Path, teachers: list[Path], more: dict[str, Any]
) -> None:
    """One step of plain gradient descent follows the loss that is computed by hand, be the batch whole or in parts."""
    text = write(tmp_path / "raw.txt", NEW[:4])
    still: dict[str, Any] = {
        **{"token_dropout": 0.0, "embedding_dropout": 0.0, "hidden_dropout": 0.0, "max_grad_norm": 0, "max_steps": 1},
        **{"optim": "sgd", "learning_rate": 0.5, "lr_scheduler_type": "constant", "eval_strategy": "steps"},
        **{"train_sampling_strategy": "sequential", "per_device_train_batch_size": 12, "eval_steps": 1},
        **{"logging_steps": 1, "logging_strategy": "steps"},
    }
    given = {**silver(text, teachers), **still, **more}
    preparation = prepared(tmp_path / "by-hand", data, **given)
    report = run(recipe(tmp_path / "run", data, **given))
    parts = {"per_device_train_batch_size": 3, "gradient_accumulation_steps": 4}
    run(recipe(tmp_path / "parts", data, **{**given, **parts}))
    columns = ("input_ids", "attention_mask", "labels")
    batch = PaddingCollator(preparation.tokenizer)([{key: row[key] for key in columns} for row in preparation.train])
    labels = batch.pop("labels")
    weights = balanced_weights(labels, 2) if more else torch.ones(2)
    model = preparation.model.train()
    logits = model(**batch).logits
    loss = -(weights * labels * logits.log_softmax(dim=1)).sum() / 12
    loss.backward()
    assert report["losses"][0]["loss"] == pytest.approx(loss.item(), abs=1e-4)
    learned, in_parts = (load_file(tmp_path / name / "model.safetensors") for name in ("run", "parts"))
    changed = 0
    for name, parameter in model.named_parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(learned[name], (parameter - 0.5 * gradient).detach(), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(in_parts[name], learned[name], rtol=1e-4, atol=1e-5)
        changed += int(gradient.abs().max() > 1e-4)
    assert changed > 3
    # whoever judges it asks for classes
    assert report["epochs"][0]["loss"] > 0
    assert report["silver"]["kept"] == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"silver_teachers": ""}, "`silver_text` needs `silver_teachers`"),
        ({"silver_text": "gone.txt"}, r"`silver_text`: there is no file gone\.txt\."),
        ({"silver_confidence": 1.5}, r"`silver_confidence` must be from 0 to 1, got 1\.5\."),
        ({"label_smoothing_factor": 0.1}, "`label_smoothing_factor` and the probabilities of `silver_text` are two"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, data: Path, teachers: list[Path], changes: dict[str, Any], message: str
) -> None:
    text = write(tmp_path / "raw.txt", NEW)
    with pytest.raises(RecipeError, match=message):
        prepared(tmp_path / "run", data, **{**silver(text, teachers), **changes})


def test_a_teacher_needs_the_classes_of_the_data(tmp_path: Path, wordpiece_tokenizer: PreTrainedTokenizerFast) -> None:
    other = save(tmp_path / "other", tiny_bert_classifier(wordpiece_tokenizer), wordpiece_tokenizer)
    with pytest.raises(UserError, match="other lacks bad, good of the labels of the data; it has 나쁨, 보통, 좋음"):
        load_teacher(str(other), "sentence-classification", CLASSES, device=CPU)


def test_without_silver_texts_the_model_has_its_own_loss_and_classes(tmp_path: Path, data: Path) -> None:
    request = read_request(recipe(tmp_path / "run", data))
    preparation = prepare(request)
    assert preparation.train["labels"][:] == [CLASSES.index(line.split("\t")[0]) for line in TRAIN]
    assert request.task.loss_function(preparation.train, request.arguments, num_labels=2) is None


@pytest.mark.long
def test_one_command_trains_teachers_and_student(tmp_path: Path, data: Path) -> None:
    text = write(tmp_path / "raw.txt", NEW)
    own = recipe(tmp_path / "run", data).source
    command = ("self-train", own, "--silver_text", str(text), "--silver_confidence", "0", "--seeds", "1", "2")
    output, _ = malmoi(*command)
    summary = output.strip().split("\n")[-4:]
    assert summary[2].startswith(f"{tmp_path / 'run'}: accuracy ")
    assert "run has learned 5 of the 5 that 2 teachers labelled" in summary[3]
    report = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    assert report["silver"]["teachers"] == ["seed-1", "seed-2"]
    # interrupted after its last checkpoint: it goes on with the same texts
    (tmp_path / "run" / "report.json").unlink()
    output, _ = malmoi(*command, "--resume_from_checkpoint", "true")
    again = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    assert again["silver"] == report["silver"]
    assert again["losses"] == report["losses"]
