"""What a model costs: parameters, memory, time to answer. Every figure has a definition, as those of quality have."""

import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.modeling import linear_chain_crf

DEFINITIONS = {
    "parameters": "number of parameters, trained or not",
    "seconds_per_epoch": "mean time of an epoch of training, without evaluation",
    "peak_memory_bytes": "most memory held at once during the run: by tensors on the GPU if it ran there, otherwise "
    "by the whole process (maximum resident set size, libraries and data included)",
    "texts_per_second": "texts of the evaluated split that are tokenized and answered in a second, in batches of 32 "
    "of similar length, at most 1,000 texts",
}
"""What each figure means."""

BATCH_SIZE = 32
AT_MOST = 1000


def peak_memory_bytes() -> int:
    """Return the most memory that this process has held so far."""
    on_gpu = int(torch.cuda.max_memory_allocated())  # 0 if nothing ran on a GPU, be there one or not
    if on_gpu:
        return on_gpu
    if sys.platform == "win32":
        import psutil  # comes with accelerate

        return int(psutil.Process().memory_info().peak_wset)
    if sys.platform == "linux":
        # `ru_maxrss` would begin with the memory of the parent process, however little this one takes
        held = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
        if held:  # some sandboxes leave it out
            return int(held[1]) * 1024
    import resource  # Unix only

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # kilobytes, but on macOS bytes


def texts_per_second(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], *, max_length: int | None
) -> float:
    """Measure how many texts a model answers in a second.

    Args:
        model: The model, where it is to run.
        tokenizer: Its tokenizer.
        texts: The texts; the first `AT_MOST` are taken.
        max_length: How many tokens the model can take; of a longer text only so many are answered.

    Returns:
        Texts a second; the model is in evaluation mode then.
    """
    texts = sorted(texts[:AT_MOST], key=len)
    batches = [texts[start : start + BATCH_SIZE] for start in range(0, len(texts), BATCH_SIZE)]
    model.eval()
    _answer(model, tokenizer, batches[-1], max_length)  # the first call of all is slower
    started = time.perf_counter()
    for batch in batches:
        _answer(model, tokenizer, batch, max_length)
    return len(texts) / (time.perf_counter() - started)


@contextmanager
def without_kernels() -> Iterator[None]:
    """Let every CRF compute as it does where malmoi is not installed."""
    installed_kernels = linear_chain_crf.installed_kernels
    setattr(linear_chain_crf, "installed_kernels", lambda: None)  # noqa: B010  # a function, for mypy
    try:
        yield
    finally:
        setattr(linear_chain_crf, "installed_kernels", installed_kernels)  # noqa: B010


@torch.inference_mode()
def _answer(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_length: int | None
) -> list[object]:
    encoded = tokenizer(
        list(texts), padding=True, truncation=max_length is not None, max_length=max_length, return_tensors="pt"
    ).to(model.device)
    output = model(input_ids=encoded["input_ids"], attention_mask=encoded["attention_mask"], return_dict=True)
    # bringing the answer to the CPU waits until it is there
    return list(output.get("predictions", output["logits"]).tolist())
