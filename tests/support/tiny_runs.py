"""Finished runs of a few steps, made by the trainer path itself."""

from collections.abc import Sequence
from pathlib import Path

from malmoi.recipes.recipe import load_recipe
from malmoi.training.train import run
from support.recipe_flags import as_flags

SETTINGS = {
    "max_steps": 4,
    "num_train_epochs": 1,
    "eval_strategy": "steps",
    "eval_steps": 2,
    "save_strategy": "steps",
    "save_steps": 2,
    "embedding_size": 8,
    "ngram_embedding_size": 4,
    "ngram_vocab_size": 64,
    "hidden_size": 16,
    "name_replacement_copies": 0,
    "tokenizer_min_frequency": 1,
    "disable_tqdm": True,
}


def train_demo(folder: Path, *, data_dir: Path, seed: int = 1) -> Path:
    """Train a tiny tagger from the recipe `demo` and return its folder."""
    settings = {**SETTINGS, "data_dir": data_dir, "seed": seed, "output_dir": folder}
    run(load_recipe("demo", as_flags(settings)))
    return folder


def train_body(folder: Path, texts: Sequence[str], **flags: object) -> Path:
    """Train a tiny language model on texts from the recipe `korean-language-model` and return its folder."""
    data = folder.with_name(f"{folder.name}-texts")
    data.mkdir()
    (data / "train.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    not_of_it = ("name_replacement_copies", "num_train_epochs")
    settings = {key: value for key, value in SETTINGS.items() if key not in not_of_it}
    settings |= {"validation_texts": 2, "data_dir": data, "output_dir": folder, **flags}
    given = as_flags(settings)
    run(load_recipe("korean-language-model", given))
    return folder
