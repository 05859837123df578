"""Run Python code in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path


def run_python(code: str, *, folder: Path) -> str:
    """Run Python code in a fresh process and return what it prints; fail with its error output."""
    environment = {**os.environ, "HF_HOME": str(folder / "hf_home")}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, env=environment, timeout=300
    )
    assert result.returncode == 0, result.stderr
    return result.stdout
