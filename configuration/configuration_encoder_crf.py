"""Configuration of a tagger that is any encoder of transformers under a CRF.

Written by malmoi 0.1.0 into every saved encoder with a CRF.
"""

from dataclasses import field
from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, PreTrainedConfig
from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

from .model_settings import CrfSettings, LabelSettings, refuse_misspelt_settings
from .position_limit import position_limit


@strict
class EncoderCrfConfig(CrfSettings, PreTrainedConfig):
    r"""Settings of `EncoderCrfForTokenClassification`.

    Args:
        encoder_config (`dict` or `PreTrainedConfig`): Configuration of the encoder. A dict names its architecture as
            `model_type`.
        classifier_dropout (`float`): Dropout on the output of the encoder.
        initializer_range (`float`): Standard deviation of the freshly drawn classifier.
        bio_constraints (`bool`, *optional*): Whether `I-X` stands after `B-X` and `I-X` only; by default in a BIO set.
        crf_implementation (`str`): What computes the CRF where malmoi is installed: `"torch"`, `"numba"` (CPU),
            `"triton"` (CUDA), `"pytorch-crf"` (that library), or `"auto"`, the fastest of ours. All give the same.
        untagged_token_ids (`list[int]`): Token ids that carry no tag, such as `[CLS]` and `[SEP]`. The CRF leaves them
            out of its chain, in training and in prediction alike. The encoder reads them.
        pad_token_id (`int`, *optional*): Id of padding; that of the encoder by default.
    """

    model_type = "encoder_crf"
    sub_configs = {"encoder_config": AutoConfig}
    # what is left for the stock `Trainer` is one array, of which `compute_metrics` takes the argmax
    keys_to_ignore_at_inference = ["predictions", "marginals", "hidden_states", "attentions", "emissions"]

    encoder_config: Any = None  # checked below, and a `PreTrainedConfig` from then on
    classifier_dropout: float | int = 0.1
    initializer_range: float | int = 0.02
    bio_constraints: bool | None = None
    crf_implementation: str = "auto"
    untagged_token_ids: list[int] = field(default_factory=list)
    pad_token_id: int | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        refuse_misspelt_settings(type(self), kwargs)
        if isinstance(self.encoder_config, dict) and "model_type" in self.encoder_config:
            self.encoder_config = AutoConfig.for_model(**self.encoder_config)
        if not isinstance(self.encoder_config, PreTrainedConfig):
            raise ValueError(
                "`encoder_config` must be the configuration of an encoder, or a dict with its `model_type`, "
                f"got {self.encoder_config!r}."
            )
        if self.pad_token_id is None:
            self.pad_token_id = self.encoder_config.pad_token_id
        # `save_pretrained` of a model writes only the entry of its own Auto class; the rest must already be there.
        kwargs.setdefault(
            "auto_map",
            {
                "AutoConfig": "configuration_encoder_crf.EncoderCrfConfig",
                "AutoModel": "modeling_encoder_crf.EncoderCrfForTokenClassification",
                "AutoModelForTokenClassification": "modeling_encoder_crf.EncoderCrfForTokenClassification",
            },
        )
        kwargs.setdefault("custom_pipelines", self.pipelines())
        super().__post_init__(**kwargs)

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Read a configuration; that of a bare encoder becomes one with a CRF on top, whose labels are in `kwargs`.

        Raises:
            ValueError: If it is that of a model with another head.
        """
        model_type = config_dict.get("model_type")
        if model_type in (None, cls.model_type) or "encoder_config" in config_dict:
            return super().from_dict(config_dict, **kwargs)
        encoder_config = AutoConfig.for_model(**config_dict)
        encoder_class = MODEL_MAPPING_NAMES.get(encoder_config.model_type)
        architectures = config_dict.get("architectures") or [encoder_class]
        if encoder_class is None or architectures[0] != encoder_class:
            raise ValueError(
                f"This is a {architectures[0]}, which has another head: if it has an encoder, put a CRF on that with "
                "`EncoderCrfForTokenClassification.from_encoder(name_or_path, id2label=..., label2id=...)`."
            )
        return super().from_dict({"encoder_config": encoder_config}, **kwargs)

    def get_text_config(self, decoder: bool | None = None, encoder: bool | None = None) -> PreTrainedConfig:
        """Return the configuration of the encoder: what reads the text."""
        return self.encoder_config.get_text_config(decoder=decoder, encoder=encoder)

    @property
    def vocab_size(self) -> int:
        """Number of token ids, a setting of the encoder."""
        return int(self.encoder_config.vocab_size)

    @vocab_size.setter
    def vocab_size(self, value: int) -> None:
        self.encoder_config.vocab_size = value

    @property
    def hidden_size(self) -> int:
        """Width of the hidden states of the encoder."""
        return int(self.encoder_config.hidden_size)

    @property
    def num_hidden_layers(self) -> int:
        """Number of layers of the encoder."""
        return int(self.encoder_config.num_hidden_layers)

    @property
    def num_attention_heads(self) -> int:
        """Number of attention heads of each layer of the encoder."""
        return int(self.encoder_config.num_attention_heads)

    @property
    def max_position_embeddings(self) -> int | None:
        """The setting of the encoder of that name; `None` if it has none, as with purely relative positions."""
        return getattr(self.encoder_config, "max_position_embeddings", None)

    def max_tokens(self) -> int | None:
        """Return how many tokens the encoder reads at once, special tokens among them; `None` for any number."""
        return position_limit(self.encoder_config)

    def validate_encoder(self) -> None:
        """Check that the encoder is one, and what stands on top of it."""
        inner, body = self.encoder_config, "BiLstmModel" in (self.encoder_config.architectures or [])
        if inner.is_encoder_decoder or (isinstance(inner, LabelSettings) and not body):
            other = "a decoder" if inner.is_encoder_decoder else "a head of its own"
            raise ValueError(f"`encoder_config` must be that of an encoder; {inner.model_type!r} has {other}.")
        if not 0 <= self.classifier_dropout < 1:
            raise ValueError(f"`classifier_dropout` must be at least 0 and below 1, got {self.classifier_dropout}.")


EncoderCrfConfig.register_for_auto_class()

__all__ = ["EncoderCrfConfig"]
