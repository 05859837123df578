"""The command line answers without torch where it can."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from support.fresh_process import run_cold

from malmoi.commands import engine_choice
from malmoi.commands.engine_choice import engine_of

NAMES = "bundled:named-entities"
TEXT = "손흥민은 춘천에서 태어났다."
MOST_SECONDS = 1.5
"""Of a processor, for the first answer; with torch it takes more than 2.5."""


@pytest.mark.parametrize(
    ("model", "few_texts", "needs_torch", "expected"),
    [
        (NAMES, True, False, "onnx"),
        (NAMES, False, False, "onnx"),
        (NAMES, True, True, None),
        ("bundled:language-model", True, False, None),
        ("user/model", True, False, None),
    ],
)
def test_models_of_the_package_run_without_torch(
    model: str, few_texts: bool, needs_torch: bool, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_choice, "GPU_DRIVERS", ())
    assert engine_of(model, few_texts=few_texts, needs_torch=needs_torch) == expected


def test_files_are_for_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_choice, "GPU_DRIVERS", (__file__,))
    assert engine_of(NAMES, few_texts=False, needs_torch=False) is None
    assert engine_of(NAMES, few_texts=True, needs_torch=False) == "onnx"


def test_without_the_runtime_torch_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_choice, "find_spec", lambda name: None)
    assert engine_of(NAMES, few_texts=True, needs_torch=False) is None


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--batch_size", "2"], ["--bf16"], ["--words", "words.tsv"]])
def test_torch_is_imported_where_it_is_needed(options: list[str], tmp_path: Path) -> None:
    (tmp_path / "words.tsv").write_text("가나다\tPS\n", encoding="utf-8")
    code = f"""
import sys
from malmoi.commands.main import main
sys.argv = ["malmoi", "tag", {TEXT!r}, *{options!r}]
try:
    main()
except SystemExit:
    pass
print("torch" in sys.modules, "transformers" in sys.modules)
"""
    needs_torch = str(options[:1] in (["--bf16"], ["--words"]))
    tagged, imported = run_cold(code, folder=tmp_path).splitlines()
    assert tagged == "<손흥민:PS>은 <춘천:LC>에서 태어났다."
    assert imported == f"{needs_torch} {needs_torch}"


@pytest.mark.slow
def test_the_first_answer_comes_soon(tmp_path: Path) -> None:
    took = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [Path(sys.executable).with_name("malmoi"), "tag", TEXT]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < MOST_SECONDS
