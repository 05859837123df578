"""The work whose cost is measured while one size grows, and its peak memory in a process of its own.

A process that measures goes through the sizes from the smallest to the largest and reads its high-water mark after
each, so that one process is enough for all sizes.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch
from torchcrf import CRF

from malmoi.benchmarks.benchmark_data import data_flags, read_data
from malmoi.benchmarks.measurement import Elapsed, set_threads
from malmoi.benchmarks.our_training import ONLY_ORIGINALS, OurTraining
from malmoi.inference.tagger import Tagger
from malmoi.modeling import BiLstmCrfConfig, BiLstmCrfForTokenClassification
from malmoi.modeling.linear_chain_crf import LinearChainCrf
from malmoi.reports.costs import peak_memory_bytes

MIB = 1 << 20
VOCAB_SIZE = 2000
Work = Callable[[], object]


class Shape(NamedTuple):
    """The size of a batch."""

    batch: int = 16
    length: int = 64
    tags: int = 13


SMALLEST = Shape(2, 4, 2)
"""What is done before a process is measured, so that libraries are loaded."""


def config_with(tags: int) -> BiLstmCrfConfig:
    """Return the sizes of the recipe klue-ner-bi-lstm-crf, for so many tags."""
    return BiLstmCrfConfig(
        vocab_size=VOCAB_SIZE,
        embedding_size=192,
        ngram_sizes=[2],
        hidden_size=400,
        id2label={tag: str(tag) for tag in range(tags)},
    )


def our_crf(shape: Shape) -> Work:
    """Return loss and gradient of our CRF."""
    crf, (emissions, labels, mask) = LinearChainCrf(shape.tags), _scored(shape)

    def work() -> None:
        emissions.grad = None
        crf.negative_log_likelihood(emissions, labels, mask).sum().backward()

    return work


def library_crf(shape: Shape) -> Work:
    """Return loss and gradient of pytorch-crf."""
    crf, (emissions, labels, mask) = CRF(shape.tags, batch_first=True), _scored(shape)

    def work() -> None:
        emissions.grad = None
        (-crf(emissions, labels, mask=mask)).backward()

    return work


def our_step(shape: Shape) -> Work:
    """Return a training step of our model."""
    model = BiLstmCrfForTokenClassification(config_with(shape.tags)).train()
    _, labels, mask = _scored(shape)
    input_ids = torch.randint(1, VOCAB_SIZE, mask.shape)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)

    def work() -> None:
        optimizer.zero_grad()
        model(input_ids=input_ids, attention_mask=mask.long(), labels=labels).loss.backward()
        optimizer.step()

    return work


CANDIDATES: Mapping[str, Callable[[Shape], Work]] = {
    "CRF, ours": our_crf,
    "CRF, pytorch-crf": library_crf,
    "training step, ours": our_step,
}


def _scored(shape: Shape) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return emissions, labels and a mask without padding."""
    torch.manual_seed(0)
    size = (shape.batch, shape.length)
    emissions = torch.randn(*size, shape.tags, requires_grad=True)
    return emissions, torch.randint(shape.tags, size), torch.ones(size, dtype=torch.bool)


class Cost(NamedTuple):
    """What one size took.

    Args:
        seconds: Time.
        mebibytes: How far the process grew beyond what it held at the start.
    """

    seconds: float
    mebibytes: float


def costs_apart(request: Mapping[str, Any]) -> list[Cost]:
    """Let a fresh process do the work of each size in turn, and return what each took.

    Args:
        request: `candidate` and `shapes`, or `corpus` (train or tag), `counts`, `data_dir` and `model`; and `threads`.

    Raises:
        RuntimeError: If the process fails.
    """
    command = [sys.executable, "-m", "malmoi.benchmarks.scaling_work", json.dumps(request)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"{request} failed: {result.stderr}")
    return [Cost(*cost) for cost in json.loads(result.stdout.splitlines()[-1])]


def costs(request: Mapping[str, Any]) -> list[Cost]:
    """Do the work of each size in this process, the smallest first."""
    set_threads(request["threads"])
    works: list[Callable[[], Work]]
    if "candidate" in request:
        build = CANDIDATES[request["candidate"]]
        build(SMALLEST)()
        works = [partial(build, Shape(*shape)) for shape in sorted(request["shapes"])]
    else:
        data_dir = Path(request["data_dir"]) if request["data_dir"] else None
        make = tagging(data_dir, request["model"]) if request["corpus"] == "tag" else training(data_dir)
        make(1)()
        works = [partial(make, count) for count in sorted(request["counts"])]
    held = psutil.Process().memory_info().rss
    return [_cost(work, held) for work in works]


def _cost(prepare: Callable[[], Work], held: int) -> Cost:
    work = prepare()
    started = time.perf_counter()
    result = work()
    took = float(result) if isinstance(result, Elapsed) else time.perf_counter() - started
    return Cost(took, max(peak_memory_bytes() - held, 0) / MIB)


def tagging(data_dir: Path | None, model: str) -> Callable[[int], Work]:
    """Return what tags so many texts, one after the other as they are read."""
    tagger = Tagger(model, device="cpu")
    texts = list(read_data(data_dir)["validation"]["text"])

    def make(count: int) -> Work:
        def work() -> None:
            for _ in tagger.tag(texts[number % len(texts)] for number in range(count)):
                pass

        return work

    return make


def training(data_dir: Path | None) -> Callable[[int], Work]:
    """Return what trains our recipe for an epoch on so many sentences; its memory is that of reading them, too."""
    total = read_data(data_dir)["train"].num_rows

    def make(count: int) -> Work:
        flags = [*data_flags(data_dir), *ONLY_ORIGINALS, "--train_fraction", str(min(count / total, 1.0))]
        return OurTraining("klue-ner-bi-lstm-crf", flags, count=count).epoch

    return make


if __name__ == "__main__":
    print(json.dumps(costs(json.loads(sys.argv[1]))))
