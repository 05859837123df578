"""Answer a text by the graph of a model of the package, and say what that took, for `documents`.

It is a module of its own, as torch would take far more memory than what is measured, and importing it is enough.
"""

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from malmoi.inference.classifier import Classifier
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger

KINDS: dict[str, Callable[..., Callable[[str], object]]] = {"names": Tagger, "spaces": Spacer, "class": Classifier}
"""What answers, by its name in the table."""


def answer(task: str, file: Path) -> dict[str, float]:
    """Answer the text of a file, and return the seconds of that and the peak memory of this process, in MiB."""
    text = file.read_text(encoding="utf-8")
    model = KINDS[task](engine="onnx")
    started = time.perf_counter()
    model(text)
    seconds = time.perf_counter() - started
    [kilobytes] = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    return {"seconds": seconds, "peak": int(kilobytes) / 1024}


if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    print(json.dumps(answer(request["task"], Path(request["file"]))))
