import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from sklearn.utils.class_weight import compute_class_weight
from torch.nn.functional import cross_entropy

from malmoi.recipes.recipe import RecipeError, load_recipe
from malmoi.training.classification_loss import balanced_weights, classification_loss
from malmoi.training.train import run

OPTIONS: dict[str, Any] = {
    "task": "sentence-classification",
    "reader": "labelled-texts",
    "num_train_epochs": 6,
    "per_device_train_batch_size": 8,
    "learning_rate": 0.01,
    "embedding_size": 16,
    "hidden_size": 16,
    "tokenizer_min_frequency": 1,
    "use_cpu": True,
    "disable_tqdm": True,
    "seed": 1,
}

REPEATABLE: dict[str, Any] = {
    "class_weights": "balanced",
    "max_steps": 6,
    "token_dropout": 0.0,
    "embedding_dropout": 0.0,
    "hidden_dropout": 0.0,
    "lr_scheduler_type": "constant",
    "max_grad_norm": 0,
    "train_sampling_strategy": "sequential",
}


@pytest.fixture(scope="module")
def uneven_reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with many good and few bad reviews, whose words tell the classes apart most of the time."""
    folder = tmp_path_factory.mktemp("uneven")
    generator = random.Random(0)
    words = {"good": ["그럭저럭", "그럭저럭", "재미있다"], "bad": ["그럭저럭", "그럭저럭", "지루하다"]}
    for name, good, bad in (("train", 120, 8), ("validation", 20, 20)):
        lines = [
            f"{label}\t{' '.join(generator.choices(words[label], k=2))}"
            for label, count in (("good", good), ("bad", bad))
            for _ in range(count)
        ]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def train(tmp_path: Path, uneven_reviews: Path) -> Callable[..., dict[str, Any]]:
    """Return what trains a classifier into a folder and returns its report."""

    def train_into(name: str, **settings: Any) -> dict[str, Any]:
        recipe = tmp_path / f"{name}.yaml"
        settings = {**OPTIONS, "data_dir": str(uneven_reviews), "output_dir": str(tmp_path / name), **settings}
        recipe.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
        return run(load_recipe(str(recipe), []))

    return train_into


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_weights_are_those_of_scikit_learn(labels: list[int]) -> None:
    weights = balanced_weights(torch.tensor(labels), 5)
    present = sorted(set(labels))
    expected = compute_class_weight("balanced", classes=np.array(present), y=labels)
    assert weights[present].tolist() == pytest.approx(expected.tolist())
    assert [weights[label] for label in range(5) if label not in present] == [1] * (5 - len(present))


def test_the_parts_of_a_step_have_the_loss_of_the_whole() -> None:
    torch.manual_seed(0)
    logits, labels, weights = torch.randn(12, 3), torch.randint(3, (12,)), torch.tensor([0.5, 2.0, 7.0])
    loss = classification_loss(weights)
    whole = loss({"logits": logits}, labels)
    torch.testing.assert_close(whole, (weights[labels] * cross_entropy(logits, labels, reduction="none")).mean())
    parts = [
        loss({"logits": logits[part]}, labels[part], num_items_in_batch=torch.tensor(12))
        for part in (slice(0, 8), slice(8, 12))
    ]
    torch.testing.assert_close(torch.stack(parts).sum(), whole)


@pytest.mark.slow
def test_a_rare_class_is_found_with_balanced_weights(train: Callable[..., dict[str, Any]]) -> None:
    plain, balanced = train("plain"), train("balanced", class_weights="balanced")
    assert balanced["settings"]["class_weights"] == "balanced"
    assert plain["figures"]["recall/bad"] < 0.6
    assert balanced["figures"]["recall/bad"] > plain["figures"]["recall/bad"] + 0.2


def assert_same_weights(left: Path, right: Path) -> None:
    expected, found = (load_file(folder / "model.safetensors") for folder in (left, right))
    assert set(expected) == set(found)
    for name, values in expected.items():
        torch.testing.assert_close(found[name], values, rtol=1e-3, atol=2e-4)


@pytest.mark.slow
def test_accumulated_batches_learn_the_same(tmp_path: Path, train: Callable[..., dict[str, Any]]) -> None:
    train("whole", **REPEATABLE)
    train("parts", **REPEATABLE, per_device_train_batch_size=2, gradient_accumulation_steps=4)
    assert_same_weights(tmp_path / "whole", tmp_path / "parts")


def test_a_class_of_the_model_may_be_missing_in_the_data(
    tmp_path: Path, uneven_reviews: Path, train: Callable[..., dict[str, Any]]
) -> None:
    three = tmp_path / "three"
    three.mkdir()
    for name in ("train.txt", "validation.txt"):
        text = (uneven_reviews / name).read_text(encoding="utf-8")
        (three / name).write_text(text + "neither\t그럭저럭\n", encoding="utf-8")
    train("model", data_dir=str(three), max_steps=1)
    report = train("again", class_weights="balanced", max_steps=1, model_name_or_path=str(tmp_path / "model"))
    assert report["data"]["labels"] == ["bad", "good"]
    assert report["training"]["steps"] == 1


@pytest.mark.slow
def test_two_processes_learn_the_same(tmp_path: Path, train: Callable[..., dict[str, Any]]) -> None:
    train("one", **REPEATABLE)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    flags = ["--output_dir", str(tmp_path / "two"), "--per_device_train_batch_size", "4"]
    command = [*launch, "-m", "malmoi.training.train", str(tmp_path / "one.yaml"), *flags]
    result = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert result.returncode == 0, result.stderr[-3000:]
    assert_same_weights(tmp_path / "one", tmp_path / "two")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"class_weights": "balance"}, "`class_weights` must be balanced, or left out, got 'balance'"),
        ({"class_weights": "balanced", "label_smoothing_factor": 0.1}, "are two losses"),
    ],
)
def test_other_weights_are_refused(
    train: Callable[..., dict[str, Any]], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        train("refused", **settings)
