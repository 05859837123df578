"""Measure how well a model restores spaces, beside Kiwi and beside putting no space at all.

python -m malmoi.benchmarks.spacing_peers --model MODEL --data_dir DIR

Every sentence is given without its spaces. Kiwi (https://github.com/bab2min/kiwipiepy) is a morphological analyser; it
may change other characters too, and such an answer counts as the sentence without spaces. The interval of F1 is that
of 1,000 samples of the sentences with replacement. Speed is measured in this process, on one thread of the CPU, after
a warm-up: the model answers 32 sentences of similar length at once, Kiwi one after the other.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from malmoi.benchmarks.measurement import run_as_command
from malmoi.data.readers.plain_sentences import read_plain_sentences
from malmoi.data.tagged_dataset import label_names
from malmoi.data.user_error import UserError
from malmoi.data.word_spacing import SPACING_LABELS, split_spaces
from malmoi.inference.spacer import Spacer
from malmoi.metrics.counts import scores
from malmoi.metrics.tokenized_sentence import TokenizedSentence
from malmoi.metrics.word_spacing import DEFINITIONS, WordSpacingMetrics
from malmoi.reports.report import environment

FIGURES = ("space_precision", "space_recall", "space_f1", "sentence_accuracy")
SAMPLES, SEED = 1000, 0
BATCH_SIZE = 32


class Sentence(NamedTuple):
    """A sentence without its spaces, and one tag per character that says where they were."""

    text: str
    tags: list[str]


class Measurement(NamedTuple):
    """How well and how fast sentences were spaced."""

    figures: dict[str, float]
    interval: tuple[float, float]
    changed: int
    sentences_per_second: float | None


def read_sentences(data_dir: Path, split: str, limit: int | None) -> list[Sentence]:
    """Return the first sentences of a split.

    Raises:
        UserError: If there is no such split.
    """
    splits = read_plain_sentences(data_dir)
    if split not in splits:
        raise UserError(f"{data_dir}: there is no split {split!r}, only {', '.join(splits)}.")
    rows = splits[split]
    names = label_names(rows)
    return [Sentence(row["text"], [names[tag] for tag in row["tags"]]) for row in list(rows)[:limit]]


def load_kiwi() -> Callable[[Sequence[str]], list[str]]:
    """Return Kiwi, on one thread, as a function that spaces texts.

    Raises:
        UserError: If it is not installed.
    """
    if find_spec("kiwipiepy") is None:
        raise UserError("Kiwi is not installed: `pip install -e '.[benchmarks]'` in the checkout.")
    from kiwipiepy import Kiwi

    kiwi = Kiwi(num_workers=1)
    return lambda texts: [str(kiwi.space(text, reset_whitespace=True)) for text in texts]


def space_by_model(spacer: Spacer, texts: Sequence[str]) -> list[str]:
    """Return the texts as a model spaces them."""
    return [answer.text for answer in spacer.space(texts, batch_size=BATCH_SIZE)]


def judge(sentences: Sequence[Sentence], spaced: Sequence[str]) -> Measurement:
    """Return the figures of spaced sentences."""
    metrics = WordSpacingMetrics(SPACING_LABELS)
    totals, changed = [(0, 0, 0)], 0
    for sentence, answer in zip(sentences, spaced):
        characters, tags = split_spaces(answer)
        if characters != sentence.text:
            changed += 1
            _, tags = split_spaces(sentence.text)
        offsets = [(index, index + 1) for index in range(len(sentence.text))]
        seen = TokenizedSentence(sentence.text, sentence.tags, offsets, [False] * len(offsets))
        metrics.update(seen, tags, sentence.tags)
        totals.append((metrics.found, metrics.predicted, metrics.gold))
    figures = metrics.compute()
    return Measurement(figures, f1_interval(np.diff(totals, axis=0)), changed, None)


def f1_interval(counts: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of F1 over samples of the sentences with replacement.

    Args:
        counts: Spaces found, predicted and in the gold standard of each sentence, `(sentences, 3)`.
    """
    generator = np.random.default_rng(SEED)
    samples = (counts[generator.integers(len(counts), size=len(counts))].sum(axis=0) for _ in range(SAMPLES))
    low, high = np.percentile([scores(*map(int, sample))[2] for sample in samples], (2.5, 97.5))
    return float(low), float(high)


def measure(sentences: Sequence[Sentence], space: Callable[[Sequence[str]], list[str]]) -> Measurement:
    """Let the sentences be spaced and return how well and how fast that went."""
    texts = [sentence.text for sentence in sentences]
    space(texts[:BATCH_SIZE])
    started = time.perf_counter()
    spaced = space(texts)
    seconds = time.perf_counter() - started
    return judge(sentences, spaced)._replace(sentences_per_second=len(texts) / seconds)


def table_row(name: str, measurement: Measurement) -> str:
    """Return a row of the table."""
    low, high = measurement.interval
    speed = measurement.sentences_per_second
    cells = [f"{100 * measurement.figures[figure]:.2f}" for figure in FIGURES]
    cells.insert(FIGURES.index("space_f1") + 1, f"{100 * low:.2f} to {100 * high:.2f}")
    return f"| {name} | {' | '.join(cells)} | {'' if speed is None else f'{speed:.0f}'} |"


def main(argv: list[str]) -> None:
    """Measure model, Kiwi and baseline, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder of a model for word spacing, or its name on the Hub")
    parser.add_argument("--data_dir", type=Path, required=True, help="folder with a sentence per line in test.txt")
    parser.add_argument("--split", default="test", help="train, validation or test")
    parser.add_argument("--limit", type=int, help="how many sentences are taken, from the first; all by default")
    options = parser.parse_args(argv)
    if options.limit is not None and options.limit < 1:
        raise UserError(f"`--limit` must be at least 1, got {options.limit}.")
    torch.set_num_threads(1)
    kiwi = load_kiwi()
    sentences = read_sentences(options.data_dir, options.split, options.limit)
    spacer = Spacer(options.model, device="cpu")
    measured = [
        (Path(options.model).name, measure(sentences, partial(space_by_model, spacer))),
        ("kiwi", measure(sentences, kiwi)),
        ("no spaces", judge(sentences, [sentence.text for sentence in sentences])),
    ]
    print("| | precision | recall | F1 | 95 % interval of F1 | whole sentences | sentences/s |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, measurement in measured:
        print(table_row(name, measurement))
    print(f"\n{len(sentences):,} sentences, {options.split} of {options.data_dir.name}; all figures but speed in %.\n")
    print(f"- F1: {DEFINITIONS['space_f1']}; precision and recall likewise")
    print(f"- 95 % interval of F1: of {SAMPLES:,} samples of the sentences with replacement, seed {SEED}")
    print(f"- whole sentences: {DEFINITIONS['sentence_accuracy']}")
    print(
        f"- sentences/s: in one process, on one thread of the CPU, after a warm-up; model in batches of {BATCH_SIZE}"
    )
    for name, measurement in measured:
        if measurement.changed:
            print(f"- {name} changed other characters of {measurement.changed:,} sentences: counted as without spaces")
    machine = environment()
    packages = ("malmoi", "torch", "transformers", "tokenizers")
    versions = [f"python {machine['python']}", *(f"{package} {machine[package]}" for package in packages)]
    versions += [f"{package} {version(package)}" for package in ("kiwipiepy", "kiwipiepy_model")]
    print(f"- {machine['platform']}, {machine['cpu_count']} cores; {', '.join(versions)}")


if __name__ == "__main__":
    run_as_command(main)
