"""Time a tagger in PyTorch, its graph in ONNX Runtime, and that with weights of 8 bits, and count the names they find.

python -m malmoi.benchmarks.onnx --data_dir DIR

What is timed are calls of the model: from the token ids of a batch to tags and probabilities. All take turns, and all
have so many threads. Names are those of the whole validation set, by type and exact characters.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from malmoi.benchmarks.benchmark_data import describe_source, read_data, typical
from malmoi.benchmarks.measurement import (
    RESULTS,
    installed_versions,
    machine_line,
    print_table,
    ratio,
    run_as_command,
    set_threads,
    time_alternately,
    write_results,
)
from malmoi.data.alignment import tags_to_spans, token_labels_to_spans
from malmoi.data.token_windows import token_windows
from malmoi.data.user_error import UserError
from malmoi.export.graph import build_graph
from malmoi.export.int8 import quantize
from malmoi.export.parity import open_graph, padded_batches, run_graph
from malmoi.inference.loading import load_model
from malmoi.metrics.counts import EntityCounts
from malmoi.modeling.crf_tagging import CrfTagger

MODEL = "bundled:named-entities"
PYTORCH, PLAIN, FLOAT32, INT8 = "PyTorch", "PyTorch, plain", "ONNX float32", "ONNX int8"
"""Plain is PyTorch without the compiled kernels of the extra `fast`, where the first has them."""
GOALS = {(1, FLOAT32): 2.0, (32, FLOAT32): 1.3}
"""How many times as fast as PyTorch is aimed at, by batch size."""
INT8_GOAL = 1.5
"""The same for 8 bits beside float32."""
Batch = tuple[Any, Any]
Call = Callable[[Batch], Mapping[str, Any]]
Rows = list[dict[str, object]]


def calls(model: Any, threads: int) -> dict[str, Call]:
    """Return what is compared, by name: each takes token ids and mask and returns outputs by name."""

    @torch.inference_mode()
    def in_pytorch(implementation: str, batch: Batch) -> Mapping[str, Any]:
        if isinstance(model, CrfTagger):
            model.crf.implementation = implementation
        input_ids, mask = map(torch.from_numpy, batch)
        return model(input_ids=input_ids, attention_mask=mask, return_dict=True)

    def in_onnxruntime(session: onnxruntime.InferenceSession) -> Call:
        return lambda batch: run_graph(session, *batch)

    graph = build_graph(model)
    graphs = {FLOAT32: graph, INT8: quantize(graph)}
    return {
        PYTORCH: partial(in_pytorch, "auto"),
        PLAIN: partial(in_pytorch, "torch"),
        **{name: in_onnxruntime(open_graph(each, threads=threads)) for name, each in graphs.items()},
    }


def speed(candidates: Mapping[str, Call], rows: Sequence[list[int]], options: argparse.Namespace) -> Rows:
    """Return a row of the table for each candidate and batch size."""
    table: Rows = []
    for batch_size, count in ((1, options.single), (32, options.sentences)):
        chosen = sorted(typical(rows, [len(row) for row in rows], count), key=len)
        batches = list(padded_batches(chosen, 0, batch_size))
        timings = time_alternately(
            {name: partial(answer_all, call, batches) for name, call in candidates.items()}, rounds=options.rounds
        )
        for name, timing in timings.items():
            table.append(
                {
                    "model call": name,
                    "batch": batch_size,
                    "a sentence": timing.per(len(chosen)),
                    "sentences/s": timing.rate(len(chosen)),
                    "as fast as PyTorch": ratio(timings[PYTORCH], timing),
                    "as fast as float32": ratio(timings[FLOAT32], timing),
                    "goal": GOALS.get((batch_size, name), INT8_GOAL if name == INT8 else None),
                }
            )
    return table


def answer_all(call: Call, batches: Sequence[Batch]) -> None:
    """Answer one batch after the other."""
    for batch in batches:
        call(batch)


def quality(
    candidates: Mapping[str, Call], model: Any, tokenizer: PreTrainedTokenizerBase, sentences: Dataset
) -> Rows:
    """Return the F1 of each candidate, and how many of its tags are not those of PyTorch."""
    texts, golds = list(sentences["text"]), list(sentences["tags"])
    names = sentences.features["tags"].feature.names
    windows = [parts[0] for parts in token_windows(texts, tokenizer, max_length=None)]
    labels = {int(index): str(label) for index, label in model.config.id2label.items()}
    found = {name: predictions(call, [window.input_ids for window in windows]) for name, call in candidates.items()}
    table: Rows = []
    for name, tags in found.items():
        counts = EntityCounts()
        for gold, window, row in zip(golds, windows, tags):
            spans = token_labels_to_spans([labels.get(tag) for tag in row], window.offsets)
            counts.update(tags_to_spans([names[tag] for tag in gold]), [span for span, _ in spans])
        pairs = [pair for ours, theirs in zip(tags, found[PYTORCH]) for pair in zip(ours, theirs)]
        table.append(
            {
                "model": name,
                "entity F1, %": 100 * counts.micro().f1,
                "other tags than PyTorch": sum(ours != theirs for ours, theirs in pairs),
                "tags": len(pairs),
            }
        )
    return table


def predictions(call: Call, rows: Sequence[list[int]]) -> list[list[int]]:
    """Return the tags of each row."""
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    batches = padded_batches([rows[index] for index in order], 0, 32)
    found = [tags for batch in batches for tags in np.asarray(call(batch)["predictions"]).tolist()]
    of_rows = dict(zip(order, found, strict=True))
    return [of_rows[index][: len(row)] for index, row in enumerate(rows)]


def main(argv: Sequence[str]) -> None:
    """Measure, print two tables and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, help="folder with KLUE NER; without it the sample corpus is taken")
    parser.add_argument("--model", default=MODEL, help="folder of a tagger, or its name")
    parser.add_argument("--single", type=int, default=48, help="how many sentences are tagged one by one")
    parser.add_argument("--sentences", type=int, default=320, help="how many sentences are tagged 32 at a time")
    parser.add_argument("--rounds", type=int, default=9, help="how often everything is timed")
    parser.add_argument("--threads", type=int, default=2, help="threads of each")
    parser.add_argument("--output_dir", type=Path, default=RESULTS, help="folder for the JSON file")
    options = parser.parse_args(argv)
    set_threads(options.threads)
    sentences = read_data(options.data_dir).get("validation")
    if sentences is None:
        raise UserError(f"{options.data_dir}: there is no validation file.")
    loaded = load_model(options.model, "named-entities")
    candidates = calls(loaded.model, options.threads)
    found = quality(candidates, loaded.model, loaded.tokenizer, sentences)
    rows = [row for row in loaded.tokenizer(list(sentences["text"]))["input_ids"] if row]
    timed = speed(candidates, rows, options)
    said = [
        f"Sentences: {describe_source(options.data_dir)}, of {np.mean([len(row) for row in rows]):.0f} tokens on "
        "average.",
        machine_line(),
        ", ".join(f"{name} {number}" for name, number in installed_versions(["onnxruntime", "onnx"]).items()),
    ]
    print_table(timed, title="From token ids to tags and probabilities")
    print_table(found, title="Names of the validation set")
    print(*said, sep="\n")
    settings = {"model": options.model, "rounds": options.rounds, "threads": options.threads, "notes": said}
    write_results("onnx", settings, [*timed, *found], options.output_dir)


if __name__ == "__main__":
    run_as_command(main)
