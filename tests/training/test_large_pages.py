"""That large tensors come in large pages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

OFFERED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
COUNT_FAULTS = """
from malmoi.training.processes.large_pages import ask_for_large_pages
ask_for_large_pages()
import resource, torch
torch.zeros(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.zeros(25_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not OFFERED.is_file() or "[never]" in OFFERED.read_text(encoding="ascii"), reason="the system has no large pages"
)
def test_large_tensors_come_in_large_pages_unless_the_user_has_decided() -> None:
    faults = {}
    for decided in ({}, {"THP_MEM_ALLOC_ENABLE": "0"}):
        environment = {key: value for key, value in os.environ.items() if key != "THP_MEM_ALLOC_ENABLE"} | decided
        result = subprocess.run(
            [sys.executable, "-c", COUNT_FAULTS], env=environment, capture_output=True, text=True, check=True
        )
        faults[len(decided)] = int(result.stdout)
    if "[always]" in OFFERED.read_text(encoding="ascii"):
        assert faults[0] < 2_000
    else:
        assert faults[0] < 2_000 < 20_000 < faults[1]
