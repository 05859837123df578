"""A process that is forked off a warm server is like one that starts anew."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.warm_process import run_in_process

ASK = """
import atexit, json, os, sys
from huggingface_hub import constants
atexit.register(lambda: print("the end"))
told = {
    "arguments": sys.argv, "input": sys.stdin.read(), "folder": os.getcwd(), "main": __name__, "path": sys.path[0],
    "own": os.environ.get("OWN"), "home": os.path.realpath(constants.HF_HOME), "streams": sys.stdout.isatty(),
}
try:
    import malmoi
except ImportError as error:
    told["missing"] = str(error)
print(json.dumps(told))
sys.stderr.write("an error")
sys.exit(3)
"""

warm_and_cold = pytest.mark.parametrize("cold", ["0", "1"], ids=["warm", "cold"])
pytestmark = pytest.mark.slow


@pytest.fixture
def environment(cold: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a client whose caches lie in its folder."""
    monkeypatch.setenv("MALMOI_COLD_PROCESSES", cold)
    return {**os.environ, "HF_HOME": str(tmp_path / "hf_home"), "OWN": "가"}


@warm_and_cold
def test_code_finds_what_it_was_given(environment: dict[str, str], tmp_path: Path) -> None:
    done = run_in_process(
        ASK, "나", "\udcff", folder=tmp_path, environment=environment, missing=("malmoi",), stdin="다".encode()
    )
    assert (done.returncode, done.stderr) == (3, "an error")
    told, end = done.stdout.splitlines()
    assert end == "the end"
    assert json.loads(told) == {
        "arguments": ["-c", "나", "\udcff"],
        "input": "다",
        "folder": str(tmp_path),
        "main": "__main__",
        "path": "",
        "own": "가",
        "home": str(tmp_path / "hf_home"),
        "streams": False,
        "missing": "import of malmoi halted; None in sys.modules",
    }


@warm_and_cold
def test_it_ends_as_processes_end(environment: dict[str, str], tmp_path: Path) -> None:
    where = {"folder": tmp_path, "environment": environment, "missing": ("malmoi",)}
    failed = run_in_process("print(1 / 0)", **where)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.endswith("ZeroDivisionError: division by zero\n")
    # another thread may get the signal, and Python looks for it between instructions: it needs some to come
    code = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\nfor _ in range(600):\n    time.sleep(0.1)"
    assert run_in_process(code, **where).returncode == -signal.SIGINT
    assert run_in_process("import os\nos.abort()", **where).returncode == -signal.SIGABRT
    with pytest.raises(subprocess.TimeoutExpired):
        run_in_process("import time\ntime.sleep(100)", **where, timeout=0.5)
    assert run_in_process("print(2)", **where).stdout == "2\n"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all processes are cold")
def test_only_a_warm_process_has_imported_torch(tmp_path: Path) -> None:
    code = "import sys\nprint('torch' in sys.modules)"
    assert run_in_process(code, folder=tmp_path, missing=("malmoi",)).stdout == "True\n"
    assert run_in_process(f"{code}\nprint('malmoi.training.train' in sys.modules)").stdout == "True\nTrue\n"
    # a server has this module
    assert run_in_process(code, folder=tmp_path, missing=("malmoi", "numpy")).stdout == "False\n"
