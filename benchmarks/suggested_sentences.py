"""Measure what sentences are worth that a model suggests: F1 after labelling those, and after as many at random.

python -m malmoi.benchmarks.suggested_sentences --data_dir DIR --body BODY

Each draw takes some sentences of the training file, by its seed, and trains a first model on them. Then it adds more
of the remaining ones: those that the first model suggests, by each measure of its doubt, as many at random, and at
random as many as have the characters of the longest suggestion; and trains on all of them, from the same body as
before. F1 is that on the dev file at the best epoch, as the recipe has it.
"""

import argparse
import random
import statistics
import tempfile
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict

from malmoi.benchmarks.measurement import (
    RESULTS,
    machine_line,
    print_table,
    run_as_command,
    set_threads,
    write_results,
)
from malmoi.data.alignment import tags_to_spans
from malmoi.data.readers import read_splits
from malmoi.data.tagged_dataset import label_names
from malmoi.data.user_error import UserError
from malmoi.inference.suggestions import MEASURES, suggest
from malmoi.recipes.recipe import load_recipe
from malmoi.training.from_python import train

FIRST, AT_RANDOM, AS_LONG = "the first ones", "and more at random", "and as many characters at random"
SUGGESTED = "and more by {}"


@dataclass(frozen=True)
class Plan:
    """What is trained on which sentences."""

    splits: DatasetDict
    recipe: str
    body: str
    first: int
    """How many sentences there are at first."""
    more: int
    """How many are added."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What else a training is told."""


def measure(plan: Plan, draws: int) -> list[dict[str, Any]]:
    """Train on every choice of sentences of every draw, and return a row for each kind of choice.

    Raises:
        UserError: If there are not so many sentences.
    """
    count = plan.splits["train"].num_rows
    if not (plan.first > 0 and plan.more > 0 and plan.first + plan.more <= count):
        raise UserError(
            f"`--first` and `--more` must be at least 1, and {count:,} together at most, got {plan.first} and "
            f"{plan.more}."
        )
    found: dict[str, list[dict[str, float]]] = {}
    for seed in range(1, draws + 1):
        drawn = random.Random(seed).sample(range(count), count)
        first, rest = drawn[: plan.first], drawn[plan.first :]
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            found.setdefault(FIRST, []).append(_trained(plan, first, seed, run))
            texts = plan.splits["train"]["text"]
            lengths = [len(texts[row]) for row in rest]
            choices = {AT_RANDOM: rest[: plan.more]}
            most = 0
            for doubt in MEASURES:
                suggested = suggest(run, [texts[row] for row in rest], count=plan.more, measure=doubt)
                choices[SUGGESTED.format(doubt)] = [rest[suggestion.number] for suggestion in suggested]
                most = max(most, sum(lengths[suggestion.number] for suggestion in suggested))
            choices[AS_LONG] = rest[: bisect_left([*accumulate(lengths)], most) + 1]
        for name, chosen in choices.items():
            with tempfile.TemporaryDirectory() as folder:
                found.setdefault(name, []).append(_trained(plan, [*first, *chosen], seed, Path(folder) / "run"))
    return [
        {
            "labelled": name,
            **{key: statistics.mean(draw[key] for draw in of_draws) for key in of_draws[0]},
            "of each draw": [draw["entity_f1"] for draw in of_draws],
        }
        for name, of_draws in found.items()
    ]


def _trained(plan: Plan, rows: Sequence[int], seed: int, folder: Path) -> dict[str, float]:
    """Train on some sentences, and return what they are and how good the model is."""
    chosen = plan.splits["train"].select(rows)
    labels = label_names(chosen)
    names = sum(len(tags_to_spans([labels[tag] for tag in tags])) for tags in chosen["tags"])
    report = train(
        plan.recipe,
        dataset=DatasetDict({"train": _as_tokens(chosen), "validation": _as_tokens(plan.splits["validation"])}),
        token_separator="",
        output_dir=folder,
        model_name_or_path=plan.body,
        seed=seed,
        **plan.settings,
    )
    return {
        "sentences": len(rows),
        "characters": sum(map(len, chosen["text"])),
        "names": names,
        "entity_f1": 100 * report["figures"]["entity_f1"],
    }


def _as_tokens(rows: Dataset) -> Dataset:
    """Return sentences with a token for each character, as datasets of the Hub have them."""
    return rows.remove_columns("text").add_column("tokens", [list(text) for text in rows["text"]])


def main(argv: list[str]) -> None:
    """Train, print a table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder with KLUE NER")
    parser.add_argument("--body", required=True, help="what is trained on from: a folder, or a model of the package")
    parser.add_argument("--recipe", default="klue-ner-from-body", help="the recipe")
    parser.add_argument("--first", type=int, default=200, help="sentences that are labelled at first")
    parser.add_argument("--more", type=int, default=300, help="sentences that are added")
    parser.add_argument("--draws", type=int, default=3, help="how often sentences are drawn, with seeds from 1 on")
    parser.add_argument("--max_steps", type=int, help="steps of each training; as the recipe says by default")
    parser.add_argument("--bf16", action="store_true", help="train in bfloat16 on the CPU")
    parser.add_argument("--threads", type=int, default=2, help="threads of the CPU")
    parser.add_argument("--output_dir", type=Path, default=RESULTS)
    options = parser.parse_args(argv)
    if options.draws < 1:
        raise UserError(f"`--draws` must be at least 1, got {options.draws}.")
    set_threads(options.threads)
    loaded = load_recipe(options.recipe)
    splits = read_splits(loaded.settings["reader"], options.data_dir, task=loaded.task)
    settings: dict[str, Any] = {"bf16": True, "use_cpu": True} if options.bf16 else {}
    if options.max_steps is not None:
        settings["max_steps"] = options.max_steps
    plan = Plan(splits, options.recipe, options.body, options.first, options.more, settings)
    rows = measure(plan, options.draws)
    print_table(
        [{**row, "of each draw": " ".join(f"{figure:.1f}" for figure in row["of each draw"])} for row in rows],
        title="F1 of names (strict, exact characters) on dev, by what was labelled",
    )
    print(machine_line())
    told = {
        "recipe": options.recipe,
        "body": options.body,
        "first": options.first,
        "more": options.more,
        "draws": options.draws,
        "bf16": options.bf16,
        "data": options.data_dir.name,
    }
    print(write_results("suggested_sentences", told, rows, options.output_dir))


if __name__ == "__main__":
    run_as_command(main)
