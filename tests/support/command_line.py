"""Run the command line in a process of its own."""

import subprocess
import sys
from pathlib import Path

MALMOI = [sys.executable, "-c", "from malmoi.commands.main import main; main()"]


def malmoi(*arguments: str | Path, stdin: bytes = b"", code: int = 0) -> tuple[str, str]:
    """Run the command line; return what it writes to its output and its error output."""
    result = subprocess.run([*MALMOI, *map(str, arguments)], input=stdin, capture_output=True, timeout=300)
    assert result.returncode == code, result.stderr.decode()
    return result.stdout.decode(), result.stderr.decode()
