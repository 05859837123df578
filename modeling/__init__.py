"""Architectures. Importing this package makes them known to the `Auto` classes of transformers.

They are registered as soon as those classes are imported, and nothing is loaded before that: what an exported model
needs of this room works without torch and transformers.
"""

from typing import TYPE_CHECKING, Any

from malmoi.modeling.after_import import AfterImport
from malmoi.modeling.late_registration import LateRegistration

if TYPE_CHECKING:
    from malmoi.configuration.configuration_bilstm import BiLstmConfig
    from malmoi.configuration.configuration_bilstm_crf import BiLstmCrfConfig
    from malmoi.configuration.configuration_encoder_crf import EncoderCrfConfig
    from malmoi.modeling.modeling_bilstm import BiLstmForSequenceClassification, BiLstmModel
    from malmoi.modeling.modeling_bilstm_crf import BiLstmCrfForTokenClassification
    from malmoi.modeling.modeling_encoder_crf import EncoderCrfForTokenClassification
    from malmoi.modeling.pipeline_crf_token_classification import CrfTokenClassificationPipeline

_WHERE = {
    "malmoi.configuration.configuration_bilstm": ("BiLstmConfig",),
    "malmoi.configuration.configuration_bilstm_crf": ("BiLstmCrfConfig",),
    "malmoi.configuration.configuration_encoder_crf": ("EncoderCrfConfig",),
    "malmoi.modeling.modeling_bilstm": ("BiLstmForSequenceClassification", "BiLstmModel"),
    "malmoi.modeling.modeling_bilstm_crf": ("BiLstmCrfForTokenClassification",),
    "malmoi.modeling.modeling_encoder_crf": ("EncoderCrfForTokenClassification",),
    "malmoi.modeling.pipeline_crf_token_classification": ("CrfTokenClassificationPipeline",),
}


def _register() -> None:
    """Make the architectures known to the `Auto` classes."""
    from importlib import import_module

    import_module("malmoi.modeling.registration")


def _use_own_pipelines(pipelines: Any) -> None:
    """Let the pipelines of transformers ask our models for theirs, when they are there."""
    from malmoi.configuration.model_settings import offer_own_pipelines
    from malmoi.modeling.installed_pipeline import prefer_installed_pipeline

    offer_own_pipelines(pipelines)
    prefer_installed_pipeline(pipelines)


LateRegistration(_register)
AfterImport("transformers.pipelines", _use_own_pipelines)


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    from importlib import import_module

    module = next((module for module, names in _WHERE.items() if name in names), None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(module), name)
    globals()[name] = found
    return found


__all__ = [
    "BiLstmConfig",
    "BiLstmCrfConfig",
    "BiLstmCrfForTokenClassification",
    "BiLstmForSequenceClassification",
    "BiLstmModel",
    "CrfTokenClassificationPipeline",
    "EncoderCrfConfig",
    "EncoderCrfForTokenClassification",
]
