"""What is free again: kept for what comes next where a program asks for it."""

import platform
import subprocess
import sys

import pytest

CODE = """
import resource, sys
import numpy as np
from malmoi.inference.freed_memory import keep_freed_memory

def faults(rounds):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        batch = [np.ones(125_000) for _ in range(40)]
        del batch
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if sys.argv[1] == "kept":
    keep_freed_memory()
faults(3)
print(faults(10))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="asks glibc")
def test_what_a_batch_took_is_not_handed_over_anew_for_the_next() -> None:
    given_back, kept = (_faults(manner) for manner in ("given back", "kept"))
    # 40 MB are 9,800 pages, or 20 large ones
    assert kept < 5
    assert given_back > kept


def _faults(manner: str) -> int:
    return int(subprocess.run([sys.executable, "-c", CODE, manner], capture_output=True, check=True).stdout)
