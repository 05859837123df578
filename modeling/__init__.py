"""Architectures. Importing this package makes them known to the `Auto` classes of transformers."""

from transformers import AutoConfig, AutoModel, AutoModelForTokenClassification

from malmoi.configuration.configuration_bilstm_crf import BiLstmCrfConfig
from malmoi.modeling.modeling_bilstm_crf import BiLstmCrfForTokenClassification

AutoConfig.register(BiLstmCrfConfig.model_type, BiLstmCrfConfig, exist_ok=True)
AutoModel.register(BiLstmCrfConfig, BiLstmCrfForTokenClassification, exist_ok=True)
AutoModelForTokenClassification.register(BiLstmCrfConfig, BiLstmCrfForTokenClassification, exist_ok=True)

__all__ = ["BiLstmCrfConfig", "BiLstmCrfForTokenClassification"]
