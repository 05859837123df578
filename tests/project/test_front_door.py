"""`import malmoi`: what it offers, that it is light, and that editors and type checkers see it."""

import ast
import importlib
import inspect
import os
import pickle
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest
from setuptools.config.pyprojecttoml import read_configuration
from support.fresh_process import run_cold

import malmoi

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "front_door" / "__init__.py"
CLASSES = {
    *("BiLstmConfig", "BiLstmCrfConfig", "BiLstmCrfForTokenClassification", "BiLstmForSequenceClassification"),
    *("Classification", "Classifier", "CrfTokenClassificationPipeline", "EncoderCrfConfig"),
    *("EncoderCrfForTokenClassification", "Entity", "LinearChainCrf", "Recipe", "SpacedText", "Spacer", "Tagger"),
    "UserError",
}
FUNCTIONS = {"evaluate", "load_recipe", "push", "read_data", "train", "tune"}


def test_it_offers_what_people_need_and_nothing_else() -> None:
    assert set(malmoi.__all__) == CLASSES | FUNCTIONS | {"__version__", "kernels"}
    assert set(malmoi.__all__) <= set(dir(malmoi))
    assert not [name for name in dir(malmoi) if name.startswith("_") and not name.startswith("__")]
    for name in CLASSES:
        assert inspect.isclass(getattr(malmoi, name)), name
    for name in FUNCTIONS:
        assert inspect.isfunction(getattr(malmoi, name)), name
    for name in CLASSES | FUNCTIONS:
        offered = getattr(malmoi, name)
        # it is the very object of its room, under the name that it has there
        assert getattr(importlib.import_module(offered.__module__), name) is offered
        assert inspect.getdoc(offered)
    assert inspect.ismodule(malmoi.kernels)
    assert malmoi.__version__ == read_configuration(ROOT / "pyproject.toml", expand=False)["project"]["version"]


def test_what_checkers_see_is_what_is_found() -> None:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    for_checkers = [
        (node.module, alias.name)
        for guard in tree.body
        if isinstance(guard, ast.If) and ast.unparse(guard.test) == "TYPE_CHECKING"
        for node in guard.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    at_run_time = [(module, name) for module, names in malmoi._WHERE.items() for name in names]
    assert sorted(for_checkers) == sorted([*at_run_time, ("malmoi", "kernels")])
    assert sorted(name for _, name in for_checkers) == sorted({*malmoi.__all__} - {"__version__"})
    # and nothing of ours is imported before it is asked for
    at_once = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in at_once] == ["from typing import TYPE_CHECKING"]


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    code = "import sys; before = {*sys.modules}; import malmoi; print(*sorted({*sys.modules} - before))"
    loaded = set(run_cold(code, folder=tmp_path).split())
    # beside itself, what the standard library needs for `typing`
    assert {name for name in loaded if name.split(".")[0] not in sys.stdlib_module_names} == {"malmoi"}
    assert not {"argparse", "asyncio", "email", "importlib.metadata", "inspect", "json", "logging", "pathlib"} & loaded


def test_it_is_imported_in_less_than_a_tenth_of_a_second() -> None:
    code = "import time; started = time.perf_counter(); import malmoi; print(time.perf_counter() - started)"

    def seconds() -> float:
        return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)

    # the least of several: other processes may hold one up
    assert min(seconds() for _ in range(5)) < 0.1


@pytest.mark.parametrize("name", ["Recipe", "UserError", "evaluate", "load_recipe", "read_data", "train"])
def test_recipes_and_errors_need_no_torch(name: str, tmp_path: Path) -> None:
    code = f"import sys; from malmoi import {name}; print('torch' in sys.modules, 'transformers' in sys.modules)"
    assert run_cold(code, folder=tmp_path) == "False False\n"


def test_a_misspelt_name_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match=r"^module 'malmoi' has no attribute 'Taggr'$"):
        malmoi.Taggr  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(malmoi, "trainer")
    result = subprocess.run(
        [sys.executable, "-c", "import malmoi; malmoi.Taggr"], capture_output=True, text=True, cwd=tmp_path
    )
    assert result.stderr.endswith("module 'malmoi' has no attribute 'Taggr'. Did you mean: 'Tagger'?\n")
    with pytest.raises(ImportError, match="cannot import name 'Taggr' from 'malmoi'"):
        exec("from malmoi import Taggr")


@pytest.mark.slow
def test_rooms_are_found_beside_the_names(tmp_path: Path) -> None:
    code = """
import malmoi
assert not hasattr(malmoi, "training")
from malmoi import train
import malmoi.training.from_python
assert malmoi.train is train is malmoi.training.from_python.train
from malmoi import data
assert data is malmoi.data
import malmoi.kernels as kernels
assert kernels is malmoi.kernels
"""
    run_cold(code, folder=tmp_path)


def test_models_and_configurations_come_from_the_room_that_registers_them() -> None:
    ours = {name for name in CLASSES if name.endswith(("Config", "Pipeline")) or "For" in name}
    assert len(ours) == 7
    assert set(malmoi._WHERE["malmoi.modeling"]) == ours


@pytest.mark.slow
def test_the_auto_classes_know_our_models_once_a_configuration_is_used(tmp_path: Path) -> None:
    code = """
import malmoi
malmoi.BiLstmCrfConfig
from transformers import CONFIG_MAPPING, MODEL_MAPPING
for kind in ("bilstm", "bilstm_crf", "encoder_crf"):
    assert CONFIG_MAPPING[kind] in MODEL_MAPPING
"""
    run_cold(code, folder=tmp_path)


def test_answers_and_configurations_can_be_pickled() -> None:
    kept = [
        malmoi.Entity(0, 3, "PS", 0.5, "손흥민"),
        malmoi.SpacedText("가 나", [0, None, 1], []),
        malmoi.Classification("1", 0.75, {"0": 0.25, "1": 0.75}, False),
        malmoi.load_recipe("demo"),
    ]
    assert pickle.loads(pickle.dumps(kept)) == kept
    config = malmoi.BiLstmCrfConfig(vocab_size=7)
    assert pickle.loads(pickle.dumps(config)).to_dict() == config.to_dict()
    assert pickle.loads(pickle.dumps([malmoi.train, malmoi.Tagger])) == [malmoi.train, malmoi.Tagger]


def test_help_tells_what_there_is() -> None:
    text = pydoc.plain(pydoc.render_doc(malmoi))
    assert "malmoi - Korean names, word spacing and sentiment" in text
    for name in CLASSES:
        assert f"class {name}(" in text, name
    for name in FUNCTIONS:
        assert f"\n    {name}(" in text, name
    assert f"VERSION\n    {malmoi.__version__}" in text


SNIPPET = """
import malmoi
from malmoi import Tagger

rows = [{"text": "손흥민은 왔다.", "entities": [[0, 3, "PS"]]}, {"text": "비가 왔다.", "entities": []}]
reveal_type(malmoi.Tagger)
reveal_type(Tagger("runs/klue")("춘천"))
reveal_type(Tagger("runs/klue")(["춘천"]))
reveal_type(malmoi.train("demo", learning_rate=1e-3))
reveal_type(malmoi.train(dataset=rows, output_dir="runs/mine"))
reveal_type(malmoi.evaluate("runs/mine", dataset={"test": rows}, errors="errors.html"))
reveal_type(malmoi.read_data)
malmoi.read_data(["비가 왔다."], task="spacing", trim_josa="yes")
malmoi.read_data(rows, text_colum="text")
malmoi.evaluate("runs/mine", rows)
reveal_type(malmoi.__version__)
Tagger("runs/klue", divice="cpu")
Tagger("runs/klue")("춘천", batchsize=1)
malmoi.push("runs/klue", "user/klue", dryrun=True)
malmoi.Taggr
"""


@pytest.mark.slow
def test_mypy_sees_exact_types_and_refuses_misspelt_keywords(tmp_path: Path) -> None:
    packages = read_configuration(ROOT / "pyproject.toml", expand=False)["tool"]["setuptools"]["package-dir"]
    (tmp_path / "path" / "malmoi").mkdir(parents=True)
    (tmp_path / "path" / "malmoi" / "__init__.py").symlink_to(SOURCE)
    for package, folder in packages.items():
        if package.count(".") == 1:
            (tmp_path / "path" / "malmoi" / package.split(".")[1]).symlink_to(ROOT / folder)
    (tmp_path / "snippet.py").write_text(SNIPPET, encoding="utf-8")
    # what others have written is not asked, so that it takes seconds
    options = ["--no-site-packages", "--ignore-missing-imports", "--follow-imports", "silent", "--no-pretty"]
    result = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "--cache-dir", str(tmp_path / "cache"), "snippet.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(tmp_path / "path")},
    )
    said: dict[int, str] = {}
    for line in result.stdout.splitlines():
        if line.startswith("snippet.py:"):
            number, text = line.removeprefix("snippet.py:").split(": ", 1)
            said.setdefault(int(number), text)
    expected = [
        "def (model: str | pathlib.Path | None =, *, trust_remote_code: bool =",
        "list[tuple[int, int, str, float, str, fallback=malmoi.inference.found_names.Entity]]",
        "list[list[tuple[int, int, str, float, str, fallback=malmoi.inference.found_names.Entity]]]",
        *["dict[str, Any]"] * 3,
        "def (str | os.PathLike[str] | Any | typing.Iterable[typing.Mapping[str, Any] | str] | typing.Mapping[str",
        'Argument "trim_josa" to "read_data" has incompatible type "str"; expected "bool"',
        'Unexpected keyword argument "text_colum" for "read_data"; did you mean "text_column"?',
        'Too many positional arguments for "evaluate"',
        '"str"',
        'Unexpected keyword argument "divice" for "Tagger"',
        'Unexpected keyword argument "batchsize" for overloaded function "__call__" of "Tagger"',
        'Unexpected keyword argument "dryrun" for "push"',
        'Module has no attribute "Taggr"',
    ]
    first = SNIPPET.split("\n").index("reveal_type(malmoi.Tagger)") + 1
    assert len(said) == len(expected), result.stdout
    for line, text in enumerate(expected, start=first):
        assert text in said[line], result.stdout


def test_the_command_has_the_name_of_the_package_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "malmoi", "tag", "--input", "no.txt"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
    assert (found.returncode, found.stdout, found.stderr) == (2, "", "malmoi: no.txt: there is no such file.\n")
