"""What no file of ours does: run what a file or a text says, or hand a line to a shell. Read off the syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if not {".venv", ".venv-flair", "build", "dist", "runs"} & {*path.relative_to(ROOT).parts}
]
UNPICKLERS = {
    "pickle",
    "cPickle",
    "_pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "jsonpickle",
    "pandas.io",
}
HARMLESS_NAMES = {("pickle", "UnpicklingError"), ("pickle", "PickleError"), ("pickle", "PicklingError")}
RUN_TEXT = {"eval", "exec", "compile", "__import__"}
SHELLS = {
    *("os.system", "os.popen", "os.popen2", "os.popen3", "os.startfile", "pty.spawn"),
    *("subprocess.getoutput", "subprocess.getstatusoutput", "commands.getoutput", "asyncio.create_subprocess_shell"),
}
PROCESSES = {f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")}
UNPACKERS = {"extractall", "extract", "unpack_archive"}
EXCUSED: dict[str, dict[str, str]] = {
    "tests/conversion/test_conversion.py": {
        "pickle": "makes the pickles that must be refused",
        "torch.load": "shows that one of them would have done harm",
    },
    "tests/crf_kernels/test_interface.py": {"exec": "runs its own text as two modules of different age"},
    "tests/embeddings/test_pretrained_embeddings.py": {"pickle": "makes the pickles that must be refused"},
    "tests/inference/test_onnx_engine.py": {"pickle": "a model must survive being sent to a process"},
    "tests/metrics/test_metrics.py": {"pickle": "measures how large counts are between processes"},
    "tests/modeling/test_labels_of_now.py": {"pickle": "a model must survive being sent to a process"},
    "tests/modeling/test_old_folders.py": {"extractall": "unpacks our own archive, with names that were looked at"},
    "tests/modeling/test_transformers_essentials.py": {"pickle": "a model must survive being sent to a process"},
    "tests/project/test_docs.py": {"exec": "runs our own examples", "compile": "runs our own examples"},
    "tests/project/test_dockerfile.py": {"compile": "looks whether the command of the check of health is Python"},
    "tests/project/test_front_door.py": {
        "pickle": "answers must survive being sent to a process",
        "exec": "runs its own text",
    },
    "tests/project/test_front_door_examples.py": {"exec": "runs our own examples"},
    "tests/project/test_packaging.py": {"extractall": "unpacks the archive that it made"},
    "tests/support/warm_server.py": {"exec": "runs the code of tests", "compile": "runs the code of tests"},
}
"""Where a test needs one of these, and why."""


def dotted(node: ast.expr) -> str:
    """Return the name of what is called, as `torch.load`; of a method of something computed, `?.load`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "?"


def is_true(call: ast.Call, keyword: str) -> bool:
    """Tell whether an argument is given and anything but `False`."""
    given = [word.value for word in call.keywords if word.arg == keyword]
    return any(not (isinstance(value, ast.Constant) and value.value in (False, None, 0)) for value in given)


def has(call: ast.Call, keyword: str, value: object) -> bool:
    """Tell whether an argument is given as this value, literally."""
    return any(
        word.arg == keyword and isinstance(word.value, ast.Constant) and word.value.value is value
        for word in call.keywords
    )


def dangers(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of everything in a source that runs what a file or a text says."""
    tree = ast.parse(source)
    names: dict[str, str] = {}
    """What an imported name stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
                if alias.name.partition(".")[0] in UNPICKLERS:
                    yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                if node.module.partition(".")[0] in UNPICKLERS and (node.module, alias.name) not in HARMLESS_NAMES:
                    yield node.lineno, node.module.partition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            first, _, rest = dotted(node.func).partition(".")
            called = ".".join(filter(None, (names.get(first, first), rest)))
            yield from ((node.lineno, found) for found in _of_call(node, called))


def _of_call(call: ast.Call, called: str) -> Iterator[str]:
    last = called.rpartition(".")[2]
    if called in RUN_TEXT or called in {f"builtins.{name}" for name in RUN_TEXT}:
        yield last
    if called == "torch.load" and not has(call, "weights_only", True):
        yield called
    if called in ("numpy.load", "np.load") and is_true(call, "allow_pickle"):
        yield "numpy.load"
    if last in ("read_pickle", "to_pickle"):
        yield last
    if called in ("yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load"):
        loader = [word.value for word in call.keywords if word.arg == "Loader"] or call.args[1:2]
        if not loader or dotted(loader[0]).rpartition(".")[2] not in ("SafeLoader", "CSafeLoader", "UniqueKeyLoader"):
            yield "yaml.load"
    if called in SHELLS or called.startswith(("os.exec", "os.spawn")):
        yield called
    if is_true(call, "shell"):
        yield "shell=True"
    text = (ast.Constant, ast.JoinedStr, ast.BinOp)
    if called in PROCESSES and call.args and isinstance(call.args[0], text):
        yield "a command as a text"
    if called == "tempfile.mktemp":
        yield called
    if last in UNPACKERS and not any(word.arg in ("filter", "members") for word in call.keywords):
        yield last
    if has(call, "verify", False) or called == "ssl._create_unverified_context":
        yield "verify=False"


def test_no_file_of_ours_runs_what_a_text_says() -> None:
    found: dict[str, set[str]] = {}
    said = []
    for path in OURS:
        file = path.relative_to(ROOT).as_posix()
        for line, what in dangers(path.read_text(encoding="utf-8")):
            found.setdefault(file, set()).add(what)
            if what not in EXCUSED.get(file, {}):
                said.append(f"{file}:{line}: {what}")
    assert said == []
    # an excuse that is needed no more goes
    assert {file: {*reasons} for file, reasons in EXCUSED.items()} == {
        file: found[file] for file in EXCUSED if file in found
    }


def test_only_tests_are_excused() -> None:
    assert len(OURS) > 400
    assert all(file.startswith("tests/") for file in EXCUSED)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import pickle", "pickle"),
        ("import cloudpickle as c", "cloudpickle"),
        ("from pickle import loads", "pickle"),
        ("def f():\n    import marshal", "marshal"),
        ("import shelve", "shelve"),
        ("from joblib import load", "joblib"),
        ("import dill", "dill"),
        ("import torch\ntorch.load(path)", "torch.load"),
        ("import torch as t\nt.load(path, weights_only=False)", "torch.load"),
        ("from torch import load\nload(path)", "torch.load"),
        ("import numpy as np\nnp.load(path, allow_pickle=True)", "numpy.load"),
        ("import numpy\nnumpy.load(path, allow_pickle=chosen)", "numpy.load"),
        ("pandas.read_pickle(path)", "read_pickle"),
        ("eval(text)", "eval"),
        ("exec(text)", "exec"),
        ("compile(text, '', 'exec')", "compile"),
        ("import builtins\nbuiltins.exec(text)", "exec"),
        ("__import__(name)", "__import__"),
        ("import yaml\nyaml.load(text)", "yaml.load"),
        ("import yaml\nyaml.load(text, Loader=yaml.Loader)", "yaml.load"),
        ("import yaml\nyaml.load(text, yaml.FullLoader)", "yaml.load"),
        ("from yaml import unsafe_load\nunsafe_load(text)", "yaml.load"),
        ("import os\nos.system('ls')", "os.system"),
        ("from os import popen\npopen('ls')", "os.popen"),
        ("import os\nos.execvp(a, b)", "os.execvp"),
        ("import subprocess\nsubprocess.run(line, shell=True)", "shell=True"),
        ("import subprocess\nsubprocess.run(line, shell=chosen)", "shell=True"),
        ("import subprocess\nsubprocess.run('ls -l')", "a command as a text"),
        ("from subprocess import check_output\ncheck_output(f'ls {folder}')", "a command as a text"),
        ("import subprocess\nsubprocess.getoutput('ls')", "subprocess.getoutput"),
        ("import tempfile\ntempfile.mktemp()", "tempfile.mktemp"),
        ("archive.extractall(folder)", "extractall"),
        ("import shutil\nshutil.unpack_archive(path)", "unpack_archive"),
        ("requests.get(address, verify=False)", "verify=False"),
        ("import ssl\nssl._create_unverified_context()", "verify=False"),
    ],
)
def test_each_of_them_is_found(source: str, what: str) -> None:
    assert [found for _, found in dangers(source)] == [what]


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "make_model().eval()",
        "import re\nre.compile(text)",
        "torch.compile(model)",
        "import torch\ntorch.load(path, map_location='cpu', weights_only=True)",
        "import yaml\nyaml.load(text, Loader=yaml.SafeLoader)\nyaml.safe_load(text)",
        "import numpy as np\nnp.load(path)\nnp.load(path, allow_pickle=False)",
        "import subprocess\nsubprocess.run([program, 'a'], shell=False)",
        "from pickle import UnpicklingError",
        "archive.extractall(folder, filter='data')",
        "import tempfile\ntempfile.mkdtemp()",
        "from support.x import load\nload(path)",
        "requests.get(address, verify=True)",
    ],
)
def test_what_is_harmless_is_let_pass(source: str) -> None:
    assert [*dangers(source)] == []
