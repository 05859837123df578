"""Measure how few labelled sentences are enough: F1 of a tagger from scratch, and of one that goes on from a body.

python -m malmoi.benchmarks.few_sentences --data_dir DIR --body BODY

For every size, each draw takes so many sentences of the training file, by its seed, and trains on them twice: by
the recipe alone, and by the recipe of bodies from BODY (a language model, or any finished model of ours). F1 is that
on the dev file after the last step. Both trainings take turns on the same machine, so their times can be compared.
"""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from malmoi.benchmarks.measurement import (
    RESULTS,
    machine_line,
    print_table,
    run_as_command,
    set_threads,
    write_results,
)
from malmoi.data.readers import read_splits
from malmoi.data.user_error import UserError
from malmoi.recipes.recipe import load_recipe
from malmoi.reports.plots import new_figure
from malmoi.training.from_python import train

SIZES = (50, 200, 1000, 3499)
SCRATCH, BODY = "from scratch", "from the body"


@dataclass(frozen=True)
class Plan:
    """What is trained on how many of how many sentences."""

    data_dir: Path
    sentences: int
    recipes: dict[str, dict[str, Any]]
    """For each way to begin, what `train` is given beside data and seed: the recipe and its settings."""
    limit: int | None = None
    """The number of steps of each training; as the recipe says by default."""


def measure(plan: Plan, sizes: Sequence[int], draws: int) -> list[dict[str, Any]]:
    """Train for every size, draw and way to begin, and return a row for every size and way.

    Raises:
        UserError: If there are not so many sentences.
    """
    rows = []
    for size in sizes:
        if not 0 < size <= plan.sentences:
            raise UserError(f"`--sizes` must be from 1 to {plan.sentences}, got {size}.")
        reports: dict[str, list[dict[str, Any]]] = {name: [] for name in plan.recipes}
        for seed in range(1, draws + 1):
            for name, given in plan.recipes.items():
                reports[name].append(_train(plan, given, size, seed))
        for name, of_draws in reports.items():
            figures = [100 * report["figures"]["entity_f1"] for report in of_draws]
            rows.append(
                {
                    "sentences": size,
                    "begun": name,
                    "entity_f1": statistics.mean(figures),
                    "of each draw": figures,
                    "training, seconds": statistics.mean(report["seconds_total"] for report in of_draws),
                }
            )
    return rows


def _train(plan: Plan, given: dict[str, Any], size: int, seed: int) -> dict[str, Any]:
    settings = {key: value for key, value in given.items() if key != "recipe"}
    if plan.limit is not None:
        settings["max_steps"] = plan.limit
    with tempfile.TemporaryDirectory() as folder:
        return train(
            given["recipe"],
            data_dir=plan.data_dir,
            output_dir=Path(folder) / "run",
            train_fraction=size / plan.sentences,
            seed=seed,
            **settings,
        )


def plot(rows: Sequence[dict[str, Any]], path: Path) -> Path:
    """Draw F1 over the number of sentences, a line for each way to begin and a point for each draw."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with new_figure(path, width=6, height=4) as figure:
        axes = figure.subplots()
        for number, name in enumerate(dict.fromkeys(row["begun"] for row in rows)):
            of_name = [row for row in rows if row["begun"] == name]
            sizes = [row["sentences"] for row in of_name]
            axes.plot(sizes, [row["entity_f1"] for row in of_name], marker="o", color=f"C{number}", label=name)
            for row in of_name:
                draws = row["of each draw"]
                axes.plot([row["sentences"]] * len(draws), draws, ".", color=f"C{number}", alpha=0.5)
        axes.set_xscale("log")
        axes.minorticks_off()
        ticks = sorted({row["sentences"] for row in rows})
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes.set_xlabel("labelled sentences to train on")
        axes.set_ylabel("entity_f1 on dev, %")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return path


def main(argv: list[str]) -> None:
    """Train, print a table, and write it as JSON and as a plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder with KLUE NER")
    parser.add_argument("--body", required=True, help="what is trained on from: a folder, or a model of the package")
    parser.add_argument("--recipe", default="klue-ner-bi-lstm-crf", help="the recipe from scratch")
    parser.add_argument("--body_recipe", default="klue-ner-from-body", help="the recipe that goes on from the body")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of sentences")
    parser.add_argument("--draws", type=int, default=3, help="how often sentences are drawn, with seeds from 1 on")
    parser.add_argument("--max_steps", type=int, help="steps of each training; as the recipe says by default")
    parser.add_argument("--threads", type=int, default=2, help="threads of the CPU")
    parser.add_argument("--output_dir", type=Path, default=RESULTS)
    options = parser.parse_args(argv)
    if options.draws < 1:
        raise UserError(f"`--draws` must be at least 1, got {options.draws}.")
    set_threads(options.threads)
    sentences = _count(options.recipe, options.data_dir)
    recipes = {
        SCRATCH: {"recipe": options.recipe},
        BODY: {"recipe": options.body_recipe, "model_name_or_path": options.body},
    }
    plan = Plan(options.data_dir, sentences, recipes, options.max_steps)
    rows = measure(plan, options.sizes, options.draws)
    shown = [
        {
            key: " ".join(f"{figure:.1f}" for figure in value) if isinstance(value, list) else value
            for key, value in row.items()
        }
        for row in rows
    ]
    print_table(shown, title="F1 of names (strict, exact characters) on dev, by the number of labelled sentences")
    print(machine_line())
    settings = {
        "recipe": options.recipe,
        "body_recipe": options.body_recipe,
        "draws": options.draws,
        "data": options.data_dir.name,
    }
    print(write_results("few_sentences", settings, rows, options.output_dir))
    print(plot(rows, options.output_dir / "few_sentences.png"))


def _count(recipe: str, data_dir: Path) -> int:
    """Return how many sentences the training file has."""
    loaded = load_recipe(recipe)
    return read_splits(loaded.settings["reader"], data_dir, task=loaded.task)["train"].num_rows


if __name__ == "__main__":
    run_as_command(main)
