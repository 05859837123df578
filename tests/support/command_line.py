"""Run the command line in a process of its own.

`malmoi` is for what a command answers; where its start, its end by a signal or a terminal is the subject, a test
starts `MALMOI` by `subprocess`.
"""

import sys
from pathlib import Path

from support.warm_process import run_in_process

CODE = "from malmoi.commands.main import main; main()"
# a shell starts background jobs with SIGINT ignored, and CI may be one
MALMOI = [sys.executable, "-c", f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {CODE}"]


def malmoi(*arguments: str | Path, stdin: bytes = b"", code: int = 0) -> tuple[str, str]:
    """Run the command line; return what it writes to its output and its error output."""
    result = run_in_process(CODE, *arguments, stdin=stdin)
    assert result.returncode == code, result.stderr
    return result.stdout, result.stderr
