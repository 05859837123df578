"""What a model costs is measured as its definitions say."""

import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from malmoi.modeling import BiLstmCrfForTokenClassification, linear_chain_crf
from malmoi.reports import costs
from malmoi.reports.comparison import COLUMNS
from malmoi.reports.costs import AT_MOST, BATCH_SIZE, DEFINITIONS, peak_memory_bytes, texts_per_second, without_kernels

MakeModel = Callable[..., BiLstmCrfForTokenClassification]
MIB = 1 << 20


def test_texts_a_second_leave_the_model_in_evaluation_mode(
    make_model: MakeModel, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    model = make_model(vocab_size=len(syllable_tokenizer)).train()
    assert texts_per_second(model, syllable_tokenizer, ["손흥민은", "비가 왔다."], max_length=None) > 0
    assert not model.training


def test_texts_are_answered_in_batches_of_similar_length_and_no_longer_than_allowed(
    make_model: MakeModel, syllable_tokenizer: PreTrainedTokenizerFast, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[torch.Size] = []
    model = make_model(vocab_size=len(syllable_tokenizer))
    model.register_forward_pre_hook(
        lambda module, args, kwargs: shapes.append(kwargs["input_ids"].shape), with_kwargs=True
    )
    clock = iter([10.0, 14.0])
    monkeypatch.setattr(costs.time, "perf_counter", lambda: next(clock))
    texts = [("가" * (1 + number % 20)) for number in range(AT_MOST + 200)]
    assert texts_per_second(model, syllable_tokenizer, texts, max_length=12) == AT_MOST / 4
    warm_up, *measured = shapes
    assert warm_up == measured[-1]
    assert [shape[0] for shape in measured] == [BATCH_SIZE] * (AT_MOST // BATCH_SIZE) + [AT_MOST % BATCH_SIZE]
    lengths = [shape[1] for shape in measured]
    assert lengths == sorted(lengths)
    assert (lengths[0], lengths[-1]) == (1, 12)


def test_without_kernels_a_crf_gives_the_same_numbers_and_asks_for_none(make_model: MakeModel) -> None:
    model, input_ids = make_model(), torch.tensor([[5, 6, 7, 8]])
    with_kernels = model(input_ids)
    assert linear_chain_crf.installed_kernels() is not None
    with without_kernels():
        assert linear_chain_crf.installed_kernels() is None
        torch.testing.assert_close(model(input_ids).logits, with_kernels.logits)
    assert linear_chain_crf.installed_kernels() is not None


def test_peak_memory_is_in_bytes_and_not_below_what_is_held_now() -> None:
    peak = peak_memory_bytes()
    # the peak is counted in pages of several threads, and what is held now by another clock
    assert max(50 * MIB, psutil.Process().memory_info().rss - MIB) < peak < psutil.virtual_memory().total


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not take over the peak of the parent")
def test_peak_memory_is_that_of_this_process_and_remembers_what_was_freed() -> None:
    code = (
        "from malmoi.reports.costs import peak_memory_bytes\n"
        "before = peak_memory_bytes()\nblock = b'x' * (200 << 20)\ndel block\n"
        "print(before, peak_memory_bytes() - before)"
    )
    block = b"x" * (1 << 30)  # `ru_maxrss` of the child would begin with this
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    before, more = map(int, result.stdout.split())
    assert before < len(block)
    assert 190 * MIB < more < 220 * MIB


def test_peak_memory_is_known_where_the_system_hides_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs.Path, "read_text", lambda path: "Name:\tpython\n")
    assert 50 * MIB < peak_memory_bytes() < psutil.virtual_memory().total


def test_memory_on_a_gpu_counts_if_something_ran_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 123)
    assert peak_memory_bytes() == 123


def test_windows_which_has_no_resource_module_is_asked_through_psutil(monkeypatch: pytest.MonkeyPatch) -> None:
    class Process:
        def memory_info(self) -> object:
            return type("Memory", (), {"peak_wset": 77 * MIB})

    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(psutil, "Process", Process)
    assert peak_memory_bytes() == 77 * MIB


@pytest.mark.slow
def test_importing_needs_no_module_of_unix() -> None:
    # on Linux psutil itself needs the module
    block = "import sys, psutil; sys.modules['resource'] = None"
    code = f"{block}; import malmoi.reports.costs, malmoi.benchmarks.memory"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)


OF_THE_KEPT_MODEL = {"kept", "interval", "kept_epoch", "test", "test_interval"}


def test_every_cost_that_is_shown_has_a_definition() -> None:
    shown = {column.key for column in COLUMNS}
    assert shown - {"run", "model_type", "mean", "seed"} - OF_THE_KEPT_MODEL == set(DEFINITIONS)
