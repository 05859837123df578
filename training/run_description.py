"""What a report says of a run beside its figures: settings, data, tokenizer, epochs."""

from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict
from transformers import PreTrainedTokenizerBase

from malmoi.data.readers import DEFAULT_SOURCES
from malmoi.data.tagged_dataset import label_names
from malmoi.training.arguments import TokenClassificationArguments
from malmoi.training.evaluation import tokenizer_ceiling
from malmoi.training.recipe import Recipe
from malmoi.training.recipe_arguments import typed_value

# flags that say where things lie and not what is trained; a report is published, a path is nobody's business
OF_THIS_MACHINE = ("data_dir", "output_dir", "overwrite", "resume_from_checkpoint")


def describe_settings(recipe: Recipe) -> dict[str, Any]:
    """Return recipe and flags as a published report may show them: no credentials, no path of this machine."""
    settings = {
        key: typed_value(value)
        for key, value in {**recipe.settings, **recipe.flags}.items()
        if key not in OF_THIS_MACHINE and not key.endswith("_token")
    }
    if Path(str(settings.get("tokenizer"))).is_dir():
        settings["tokenizer"] = Path(str(settings["tokenizer"])).name
    return settings


def describe_data(arguments: TokenClassificationArguments, splits: DatasetDict) -> dict[str, Any]:
    """Return where the data comes from and how much there is."""
    return {
        "reader": arguments.reader,
        "source": Path(arguments.data_dir).name if arguments.data_dir else DEFAULT_SOURCES[arguments.reader],
        "split": "validation",
        "sentences": {split: rows.num_rows for split, rows in splits.items()},
        "labels": label_names(splits["validation"]),
    }


def describe_tokenizer(tokenizer: PreTrainedTokenizerBase, validation: Dataset) -> dict[str, Any]:
    """Return the size of the vocabulary, the share of unknown tokens and what the tokenizer allows at best."""
    unknown = [token for row in validation["unknown"] for token in row]
    return {
        "vocab_size": len(tokenizer),
        "unknown_share": sum(unknown) / max(len(unknown), 1),
        "ceiling": tokenizer_ceiling(validation),
    }


def summarize_epochs(history: list[dict[str, Any]], seconds: list[float]) -> dict[str, Any]:
    """Return the epochs with the best and the mean entity F1 and the seconds per epoch."""
    scores = [entry["entity_f1"] for entry in history]
    best = max(history, key=lambda entry: entry["entity_f1"])
    return {
        "epochs": history,
        "best_entity_f1": best["entity_f1"],
        "best_epoch": best["epoch"],
        "mean_entity_f1": sum(scores) / len(scores),
        "seconds_per_epoch": sum(seconds) / len(seconds),
    }
