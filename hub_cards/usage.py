"""Run the examples of a card as its reader will: in a fresh process that has no malmoi."""

import os
import re
import subprocess
import sys
from pathlib import Path

from malmoi.data.user_error import UserError

PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WITHOUT_MALMOI = "import sys; sys.modules['malmoi'] = None\n"
TIMEOUT = 600


def examples(card: str) -> list[str]:
    """Return the Python examples of a card."""
    return PYTHON_BLOCK.findall(card)


def run_example(example: str, folder: Path) -> str:
    """Run an example of a card and return what it prints.

    The process starts in `folder`, in which the repository lies under its own name (`user/model`): transformers finds
    it there, so the example runs as it is written. Nothing is fetched, and malmoi cannot be imported.

    Args:
        example: Python code.
        folder: Where `user/model` lies.

    Raises:
        UserError: If the example fails, or prints nothing.
    """
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        # code that transformers copies aside stays out of the user's own cache
        "HF_MODULES_CACHE": str(folder / "modules"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "PYTHONIOENCODING": "utf-8",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_MALMOI + example],
            stdin=subprocess.DEVNULL,  # nobody answers a question
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"An example of the card did not end within {TIMEOUT} seconds:\n{example}") from None
    if done.returncode:
        raise UserError(f"An example of the card fails where malmoi is not installed:\n{example}\n{done.stderr}")
    if not done.stdout.strip():
        raise UserError(f"An example of the card prints nothing:\n{example}")
    return done.stdout
