"""The Triton kernels without a GPU: run by Triton's interpreter, and compiled for GPUs that are elsewhere."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from malmoi.kernels import crf_triton

CHECKS = Path(__file__).parents[1] / "support" / "crf_triton_checks.py"
SCORES = ("emissions", "start", "transitions", "reversed_transitions", "end", "loss", "unary", "pairs", "scores")
POINTERS = dict.fromkeys(SCORES, "fp32") | dict.fromkeys(("labels", "lengths", "best"), "i64") | {"came_from": "u8"}

needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="Triton is not installed; it is for Linux only"
)


def run_checks(selection: str) -> None:
    """Run the checks of the kernels in a process in which Triton interprets them."""
    command = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", "-m", selection, str(CHECKS)]
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
@needs_triton
def test_interpreted_kernels_equal_the_textbook() -> None:
    run_checks("not slow")


@needs_triton
@pytest.mark.long
def test_interpreted_kernels_lose_nothing_over_long_sentences() -> None:
    run_checks("slow")


@needs_triton
@pytest.mark.slow
@pytest.mark.parametrize("compute_capability", [80, 90])
@pytest.mark.parametrize("tags", [1, 13, 41, 128])
@pytest.mark.parametrize("kernel", ["forward_kernel", "backward_kernel", "viterbi_kernel", "max_marginals_kernel"])
def test_kernels_compile_for_a_gpu_that_is_not_there(
    kernel: str, tags: int, compute_capability: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from malmoi.kernels import crf_triton_kernels, crf_triton_max_marginals

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    own_file = kernel == "max_marginals_kernel"
    function = getattr(crf_triton_max_marginals if own_file else crf_triton_kernels, kernel)
    pointers = POINTERS | {"messages": "fp64" if own_file else "fp32"}
    settings = crf_triton._compilation(tags)
    constants = {name: settings[name] for name in ("TAGS", "WIDTH")}
    signature = {name: f"*{pointers[name]}" for name in function.arg_names if name in pointers}
    signature = {name: signature.get(name, "constexpr" if name in constants else "i32") for name in function.arg_names}
    compiled = triton.compile(
        ASTSource(function, signature, constants),
        target=GPUTarget("cuda", compute_capability, 32),
        options={"num_warps": settings["num_warps"]},
    )
    assert compiled.asm["cubin"]
