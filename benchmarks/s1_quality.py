"""Train S1's architecture to the end, by its own loop and by ours, and report F1 of both by the same definition.

python -m malmoi.benchmarks.s1_quality --data_dir DIR --epochs 10

It shows what `benchmarks/training.py` cannot: that the faster training finds no fewer names. Both have the same
WordPiece tokens, sizes, learning rate and number of epochs; the best epoch counts, as the write-up has it. S1's loop
is judged as it predicts, with `[SEP]` in the chain and cut at 128 tokens. The trainings run one after the other, so
their seconds an epoch are only a hint.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from malmoi.benchmarks.benchmark_data import data_flags, describe_source
from malmoi.benchmarks.measurement import (
    RESULTS,
    machine_line,
    print_table,
    run_as_command,
    set_threads,
    write_results,
)
from malmoi.benchmarks.our_training import OUR_WAY, OurTraining
from malmoi.benchmarks.peers.s1_loop import VOCAB_SIZE, S1Loop, S1Tagger, pad_sentences, tag_ids
from malmoi.data.user_error import UserError
from malmoi.modeling.linear_chain_crf import IGNORED_LABEL
from malmoi.recipes.recipe import load_recipe
from malmoi.training.evaluation import TaggingEvaluation
from malmoi.training.train import run

RECIPE = "klue-ner-bi-lstm-crf-classic"
FIGURES = ("entity_f1", "token_f1")
SEED = 1
Row = dict[str, Any]


def evaluate(model: S1Tagger, tokenizer: PreTrainedTokenizerBase, evaluation: TaggingEvaluation) -> dict[str, float]:
    """Return all figures of S1's predictions; what it cuts off is outside of names."""
    evaluation.start()
    outside = evaluation.labels.index("O")
    texts = [str(evaluation.sentences[number]["text"]) for number in evaluation.features["sentence"]]
    for row, (predicted, _) in enumerate(tag_ids(model, tokenizer, texts)):
        gold = evaluation.features[row]["labels"]
        predicted = [*predicted, *[outside] * (len(gold) - len(predicted))]
        evaluation.add(row, [tag if label != IGNORED_LABEL else label for tag, label in zip(predicted, gold)])
    return evaluation.figures()


def train_s1(flags: Sequence[str], *, epochs: int, vocab_size: int) -> Iterator[Row]:
    """Train by S1's loop and yield the figures and the seconds of each epoch."""
    with OurTraining(RECIPE, flags, count=1) as ours:
        prepared, labels = ours.prepared, ours.labels
    evaluation = prepared.evaluations["validation"]
    assert isinstance(evaluation, TaggingEvaluation)
    sentences = pad_sentences(prepared.train, padding=prepared.tokenizer.pad_token_id or 0, outside=labels.index("O"))
    torch.manual_seed(SEED)
    model = S1Tagger(len(labels), vocab_size=vocab_size)
    loop = S1Loop(model, sentences, seed=SEED)
    for _ in range(epochs):
        started = time.perf_counter()
        loop.epoch()
        seconds = time.perf_counter() - started
        yield {"seconds": seconds, **evaluate(model, prepared.tokenizer, evaluation)}


def train_ours(flags: Sequence[str], *, epochs: int, folder: Path) -> list[Row]:
    """Train as `malmoi train` does and return the figures and the seconds of each epoch."""
    own = {"num_train_epochs": epochs, "output_dir": folder, "seed": SEED, "disable_tqdm": "true"}
    recipe = load_recipe(RECIPE, [*flags, *(part for key, value in own.items() for part in (f"--{key}", str(value)))])
    return [{**epoch, "seconds": epoch["train_seconds"]} for epoch in run(recipe)["epochs"]]


def summary(name: str, epochs: Sequence[Row]) -> Row:
    """Return the row of a training: its best epoch by the first figure."""
    best = max(range(len(epochs)), key=lambda number: epochs[number][FIGURES[0]])
    return {
        "training": name,
        "best epoch": best + 1,
        **{f"{figure}, %": 100 * epochs[best][figure] for figure in FIGURES},
        f"mean {FIGURES[0]}, %": 100 * sum(epoch[FIGURES[0]] for epoch in epochs) / len(epochs),
        "seconds an epoch": sum(epoch["seconds"] for epoch in epochs) / len(epochs),
    }


def main(argv: Sequence[str]) -> None:
    """Train both, print a table and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, help="folder with KLUE NER; without it the sample corpus is taken")
    parser.add_argument("--epochs", type=int, default=10, help="epochs of both; by default those of the write-up")
    parser.add_argument(
        "--tokenizer", default="wordpiece", help="wordpiece, syllables, or a tokenizer by name or folder"
    )
    parser.add_argument("--vocab_size", type=int, default=VOCAB_SIZE, help="rows of the embedding tables")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch")
    parser.add_argument("--output_dir", type=Path, default=RESULTS, help="folder for the JSON file")
    options = parser.parse_args(argv)
    if options.epochs < 1:
        raise UserError(f"`--epochs` must be at least 1, got {options.epochs}.")
    set_threads(options.threads)
    flags = [*data_flags(options.data_dir), "--tokenizer", options.tokenizer, "--vocab_size", str(options.vocab_size)]
    flags += OUR_WAY
    with tempfile.TemporaryDirectory() as folder:
        ours = train_ours(flags, epochs=options.epochs, folder=Path(folder) / "ours")
    theirs = list(train_s1(flags, epochs=options.epochs, vocab_size=options.vocab_size))
    rows = [summary("ours", ours), summary("S1's loop", theirs)]
    said = [f"Sentences: {describe_source(options.data_dir)}. Seed {SEED}.", machine_line()]
    print_table(rows, title="S1's architecture, trained to the end")
    print(*said, sep="\n")
    settings = {"epochs": options.epochs, "tokenizer": Path(options.tokenizer).name, "notes": said}
    write_results("s1_quality", settings, rows, options.output_dir)


if __name__ == "__main__":
    run_as_command(main)
