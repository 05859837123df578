"""Architectures. Importing this package makes them known to the `Auto` classes of transformers."""

from typing import TYPE_CHECKING, Any

from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification

from malmoi.configuration.configuration_bilstm import BiLstmConfig
from malmoi.configuration.configuration_bilstm_crf import BiLstmCrfConfig
from malmoi.configuration.configuration_encoder_crf import EncoderCrfConfig
from malmoi.configuration.model_settings import offer_own_pipelines
from malmoi.modeling.after_import import AfterImport
from malmoi.modeling.installed_pipeline import prefer_installed_pipeline
from malmoi.modeling.modeling_bilstm import BiLstmForSequenceClassification, BiLstmModel
from malmoi.modeling.modeling_bilstm_crf import BiLstmCrfForTokenClassification
from malmoi.modeling.modeling_encoder_crf import EncoderCrfForTokenClassification

if TYPE_CHECKING:
    from malmoi.modeling.pipeline_crf_token_classification import CrfTokenClassificationPipeline

for config_class, model_class, auto_class in (
    (BiLstmConfig, BiLstmForSequenceClassification, AutoModelForSequenceClassification),
    (BiLstmCrfConfig, BiLstmCrfForTokenClassification, AutoModelForTokenClassification),
    (EncoderCrfConfig, EncoderCrfForTokenClassification, AutoModelForTokenClassification),
):
    AutoConfig.register(config_class.model_type, config_class, exist_ok=True)
    AutoModel.register(config_class, model_class, exist_ok=True)
    auto_class.register(config_class, model_class, exist_ok=True)
# of several, the one that a configuration names is taken, or else the first
AutoModel.register(BiLstmConfig, (BiLstmForSequenceClassification, BiLstmModel), exist_ok=True)  # type: ignore[arg-type]

AfterImport(offer_own_pipelines)
AfterImport(prefer_installed_pipeline)


def __getattr__(name: str) -> Any:
    """Import the pipeline when it is asked for: tagging a text needs none of those of transformers."""
    if name == "CrfTokenClassificationPipeline":
        from malmoi.modeling.pipeline_crf_token_classification import CrfTokenClassificationPipeline

        return CrfTokenClassificationPipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
