"""Let our models bring their pipeline along, in its installed form, as soon as somebody imports those of transformers.

With `trust_remote_code=True` transformers takes the model from the package that registered it, and yet the pipeline
from the folder. The two know each other's outputs only if they are of one version: the pipeline of a folder that was
saved when `logits` were probabilities would make wrong scores of those of today, without a word.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

PIPELINES = "transformers.pipelines"
REFERENCE = "pipeline_crf_token_classification.CrfTokenClassificationPipeline"
"""How the configuration of a saved model names its pipeline."""


class AfterImport:
    """A finder of modules that acts on the pipelines of transformers when they are imported or reloaded.

    Most programs, such as the command line, need none of them, and their import takes as long as all else. The finder
    stays in `sys.meta_path`: if it left, a thread that goes through the list would miss another.
    """

    def __init__(self, action: Callable[[Any], None]):
        self.action = action
        sys.meta_path.insert(0, self)  # type: ignore[arg-type]
        if PIPELINES in sys.modules:
            action(import_module(PIPELINES))  # another thread may be importing them: this waits for it

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return what the finders after this one find; its loader then acts, too."""
        finders: list[Any] = sys.meta_path if name == PIPELINES else [self]
        specs = (finder.find_spec(name, path, target) for finder in finders[finders.index(self) + 1 :])
        spec = next((spec for spec in specs if spec), None)
        if spec is not None:
            load = spec.loader.exec_module

            def load_and_act(module: Any) -> None:
                load(module)
                self.action(module)

            spec.loader.exec_module = load_and_act
        return spec


def prefer_installed_pipeline(pipelines: Any) -> None:
    """Make `pipeline` of transformers take the installed class where a folder names one of ours."""
    find_class = pipelines.get_class_from_dynamic_module

    def get_class_from_dynamic_module(class_reference: str, *args: Any, **kwargs: Any) -> Any:
        if class_reference.split("--")[-1] == REFERENCE:
            from .pipeline_crf_token_classification import CrfTokenClassificationPipeline

            return CrfTokenClassificationPipeline
        return find_class(class_reference, *args, **kwargs)

    pipelines.get_class_from_dynamic_module = get_class_from_dynamic_module


__all__ = ["AfterImport", "prefer_installed_pipeline"]
