"""Run Python code in a process of its own, with caches of its own."""

import os
import subprocess
import sys
from pathlib import Path

from support.warm_process import run_in_process


def run_python(code: str, *, folder: Path, missing: tuple[str, ...] = ()) -> str:
    """Run Python code in a process and return what it prints; fail with its error output.

    Args:
        code: The code.
        folder: Its working directory, where its caches are made too.
        missing: Modules that it cannot import.
    """
    environment = {**os.environ, "HF_HOME": str(folder / "hf_home")}
    result = run_in_process(code, folder=folder, environment=environment, missing=missing)
    assert result.returncode == 0, result.stderr
    return result.stdout


def run_cold(code: str, *, folder: Path) -> str:
    """Do the same in a process in which nothing is imported yet: for tests of what an import brings along."""
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env={**os.environ, "HF_HOME": str(folder / "hf_home"), "PYTHONIOENCODING": "utf-8"},
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout
