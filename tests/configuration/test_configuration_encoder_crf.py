import json
from pathlib import Path

import pytest
from huggingface_hub.errors import StrictDataclassError
from transformers import BertConfig, BloomConfig, T5Config, XLNetConfig

from malmoi.modeling import BiLstmConfig, BiLstmCrfConfig, EncoderCrfConfig


def test_an_encoder_without_a_limit_has_none() -> None:
    assert EncoderCrfConfig(encoder_config=XLNetConfig(d_model=8, n_layer=1, n_head=2)).max_tokens() is None
    assert EncoderCrfConfig(encoder_config=BloomConfig()).max_tokens() is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"encoder_config": None}, "`encoder_config` must be the configuration of an encoder, .* got None"),
        ({"encoder_config": {"hidden_size": 8}}, "or a dict with its `model_type`, got {'hidden_size': 8}"),
        ({"encoder_config": {"model_type": "bertt"}}, "Unrecognized model identifier: bertt"),
        ({"encoder_config": T5Config()}, "must be that of an encoder; 't5' has a decoder"),
        ({"encoder_config": BiLstmCrfConfig()}, "must be that of an encoder; 'bilstm_crf' has a head of its own"),
        ({"encoder_config": BiLstmConfig()}, "must be that of an encoder; 'bilstm' has a head of its own"),
        ({"encoder_config": EncoderCrfConfig(encoder_config=BertConfig())}, "'encoder_crf' has a head of its own"),
        ({"classifier_dropout": 1.0}, "`classifier_dropout` must be at least 0 and below 1, got 1.0"),
        ({"crf_implementation": "fast"}, "must be one of auto, torch, numba, triton, pytorch-crf, got 'fast'"),
        ({"bio_constraints": True, "id2label": {0: "NN"}}, "`bio_constraints=True` needs labels of the form"),
        ({"classifier_dropuot": 0.1}, "EncoderCrfConfig has no setting `classifier_dropuot`; did you mean `classifi"),
        ({"classifier_dropout": "high"}, "classifier_dropout"),
    ],
)
def test_wrong_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises((ValueError, StrictDataclassError), match=message):
        EncoderCrfConfig(**{"encoder_config": BertConfig(), **settings})


def test_config_file_holds_everything_and_nothing_of_the_class(tmp_path: Path) -> None:
    EncoderCrfConfig(encoder_config=BertConfig()).save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert set(saved["auto_map"]) == {"AutoConfig", "AutoModel", "AutoModelForTokenClassification"}
    assert saved["encoder_config"]["model_type"] == "bert"
    assert not {"keys_to_ignore_at_inference", "sub_configs", "max_position_embeddings"} & set(saved)
    assert set(EncoderCrfConfig.__annotations__) - {"model_type"} <= set(saved)
