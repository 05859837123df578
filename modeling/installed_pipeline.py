"""Let the installed pipeline answer for the installed models, whatever file of that name lies in a model's folder.

With `trust_remote_code=True` transformers takes the model from the package that registered it, and yet the pipeline
from the folder. The two know each other's outputs only if they are of one version: the pipeline of a folder that was
saved when `logits` were probabilities would make wrong scores of those of today, without a word.
"""

from typing import Any

REFERENCE = "pipeline_crf_token_classification.CrfTokenClassificationPipeline"
"""How the configuration of a saved model names its pipeline."""


def prefer_installed_pipeline(pipelines: Any) -> None:
    """Make `pipeline` of transformers take the installed class where a folder names one of ours."""
    find_class = pipelines.get_class_from_dynamic_module

    def get_class_from_dynamic_module(class_reference: str, *args: Any, **kwargs: Any) -> Any:
        if class_reference.split("--")[-1] == REFERENCE:
            from .pipeline_crf_token_classification import CrfTokenClassificationPipeline

            return CrfTokenClassificationPipeline
        return find_class(class_reference, *args, **kwargs)

    pipelines.get_class_from_dynamic_module = get_class_from_dynamic_module


__all__ = ["prefer_installed_pipeline"]
