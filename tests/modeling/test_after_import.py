"""When transformers' pipelines learn of ours: at once if they are imported, otherwise when they are."""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread
from types import SimpleNamespace
from typing import Any

import pytest

from malmoi.configuration import model_settings
from malmoi.configuration.model_settings import offer_own_pipelines
from malmoi.modeling.after_import import AfterImport

PIPELINES = "stand_in_for_pipelines"
SOURCE = """
import time

time.sleep(0.05)  # so that another thread comes by meanwhile


class TokenClassificationPipeline:
    def __init__(self, model):
        self.model = model


class PIPELINE_REGISTRY:
    supported_tasks = {"token-classification": {"impl": "path.of.TokenClassificationPipeline"}}
"""


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a module that is imported in no time, in place of the pipelines of transformers."""
    file = tmp_path / f"{PIPELINES}.py"
    file.write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    others = [finder for finder in sys.meta_path if not isinstance(finder, AfterImport)]
    monkeypatch.setattr(sys, "meta_path", others)
    yield file
    sys.modules.pop(PIPELINES, None)


def import_pipelines() -> Any:
    return importlib.import_module(PIPELINES)


def copy_of_the_file() -> Any:
    """Return the module that transformers makes of this file in the folder of a saved model."""
    spec = importlib.util.spec_from_file_location("copy_of_the_settings", model_settings.__file__)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_entry(pipelines: Any) -> None:
    """Check that the entry asks the model, and that it was replaced no more than once."""
    asking = pipelines.PIPELINE_REGISTRY.supported_tasks["token-classification"]["impl"]
    stock = pipelines.TokenClassificationPipeline
    assert asking.__mro__ == (asking, stock, object)
    assert type(asking(model=None)) is stock
    with_own = SimpleNamespace(own_pipeline_class=lambda: SimpleNamespace)
    assert asking(model=with_own) == SimpleNamespace(model=with_own)


def test_pipelines_that_are_imported_learn_at_once() -> None:
    pipelines = import_pipelines()
    AfterImport(PIPELINES, offer_own_pipelines)
    check_entry(pipelines)


def test_pipelines_learn_when_they_are_imported_and_reloaded_and_not_before() -> None:
    AfterImport(PIPELINES, offer_own_pipelines)
    assert importlib.util.find_spec(PIPELINES) is not None
    assert PIPELINES not in sys.modules
    pipelines = import_pipelines()
    check_entry(pipelines)
    check_entry(importlib.reload(pipelines))
    del sys.modules[PIPELINES]
    check_entry(import_pipelines())


@pytest.mark.parametrize("package_first", [True, False])
def test_a_copy_in_the_folder_of_a_model_and_the_package_replace_the_entry_once(package_first: bool) -> None:
    copy = copy_of_the_file()
    if package_first:
        AfterImport(PIPELINES, offer_own_pipelines)
    copy.offer_own_pipelines(import_pipelines())
    for _ in range(2):
        AfterImport(PIPELINES, offer_own_pipelines)
    check_entry(import_pipelines())
    check_entry(importlib.reload(import_pipelines()))


def test_pipelines_that_other_threads_import_meanwhile_learn_too() -> None:
    together = Barrier(8)

    def meet(act: Any, *arguments: Any) -> None:
        together.wait()
        act(*arguments)

    threads = [Thread(target=meet, args=(import_pipelines,)) for _ in range(4)]
    threads += [Thread(target=meet, args=(AfterImport, PIPELINES, offer_own_pipelines)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_entry(import_pipelines())


def test_pipelines_that_cannot_be_imported_learn_when_they_can(file: Path) -> None:
    AfterImport(PIPELINES, offer_own_pipelines)
    file.write_text("raise ImportError('something is missing')", encoding="utf-8")
    with pytest.raises(ImportError, match="something is missing"):
        import_pipelines()
    file.write_text(SOURCE, encoding="utf-8")
    importlib.invalidate_caches()
    check_entry(import_pipelines())


def test_what_is_not_installed_is_not_found(file: Path) -> None:
    AfterImport(PIPELINES, offer_own_pipelines)
    file.unlink()
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError, match=PIPELINES):
        import_pipelines()


def test_other_modules_are_left_to_the_other_finders() -> None:
    finder = AfterImport(PIPELINES, offer_own_pipelines)
    assert finder.find_spec("json") is None
    assert importlib.util.find_spec("transformers.pipelines") is not None
