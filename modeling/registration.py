"""Importing this makes the architectures known to the `Auto` classes of transformers."""

from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification

from malmoi.configuration.configuration_bilstm import BiLstmConfig
from malmoi.configuration.configuration_bilstm_crf import BiLstmCrfConfig
from malmoi.configuration.configuration_encoder_crf import EncoderCrfConfig
from malmoi.modeling.modeling_bilstm import BiLstmForSequenceClassification, BiLstmModel
from malmoi.modeling.modeling_bilstm_crf import BiLstmCrfForTokenClassification
from malmoi.modeling.modeling_encoder_crf import EncoderCrfForTokenClassification

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
