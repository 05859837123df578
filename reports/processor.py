"""The name of the processor, on which times depend."""

import os
import platform
import subprocess
import sys
from pathlib import Path

PROCESSORS = Path("/proc/cpuinfo")
"""Where Linux names its processors."""
NAMES = ("model name", "Model", "Hardware", "cpu model")
"""What the line with the name begins with: on x86, on some ARM boards, on older ones, on others."""


def processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    return _named_by_linux() or _named_by_macos() or platform.processor() or platform.machine() or os.name


def _named_by_linux() -> str:
    if not PROCESSORS.is_file():
        return ""
    lines = PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines()
    named = {key.strip(): name.strip() for key, _, name in (line.partition(":") for line in lines)}
    return next((named[key] for key in NAMES if named.get(key)), "")


def _named_by_macos() -> str:
    if sys.platform != "darwin":
        return ""
    asked = subprocess.run(["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
    return asked.stdout.strip()
