"""Any encoder of transformers under a CRF (for BERT: Souza, Nogueira and Lotufo, 2019, https://arxiv.org/abs/1909.10649).

Token ids -> encoder -> dropout -> one score per tag -> linear-chain CRF.

Written by malmoi 0.1.0 into every saved encoder with a CRF. Beside it: `configuration_encoder_crf`, `model_settings`,
`position_limit`, `crf_tagging`, `linear_chain_crf`, `name_edges`, `pipeline_crf_token_classification`.
"""

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import MODEL_MAPPING, AutoConfig, AutoModel, PreTrainedConfig
from transformers.modeling_outputs import BaseModelOutput
from transformers.utils.generic import can_return_tuple

from .configuration_encoder_crf import EncoderCrfConfig
from .crf_tagging import CrfTagger, CrfTaggerOutput

LOADING = ("cache_dir", "force_download", "local_files_only", "proxies", "revision", "subfolder", "token")


def without_pooling_layer(config: PreTrainedConfig) -> dict[str, bool]:
    """Return the keyword that builds an encoder without its pooling layer; none if it has no such layer.

    A tagger never uses that layer, and distributed training stops at weights that get no gradient.
    """
    encoder_class = MODEL_MAPPING.get(type(config), None)
    keywords = inspect.signature(encoder_class).parameters if inspect.isclass(encoder_class) else ()
    return {"add_pooling_layer": False} if "add_pooling_layer" in keywords else {}


class EncoderCrfForTokenClassification(CrfTagger):
    """Encoder with a CRF for the `Trainer` and the token-classification pipeline of transformers."""

    config: EncoderCrfConfig
    base_model_prefix = "encoder"
    supports_gradient_checkpointing = True
    # the encoder has the last word on these
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True

    def __init__(self, config: EncoderCrfConfig):
        super().__init__(config)
        # in the type of the head, whatever the type of the encoder's checkpoint was
        self.encoder = AutoModel.from_config(
            config.encoder_config, dtype=torch.get_default_dtype(), **without_pooling_layer(config.encoder_config)
        )
        self.encoder_inputs = frozenset(inspect.signature(self.encoder.forward).parameters)
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.add_head(config.encoder_config.hidden_size)
        self.post_init()

    @classmethod
    def from_encoder(
        cls, name_or_path: str | Path, *, encoder_config: PreTrainedConfig | None = None, **settings: Any
    ) -> "EncoderCrfForTokenClassification":
        """Put a fresh head on a pretrained encoder, in float32 and evaluation mode. Its weights are never pickles.

        Args:
            name_or_path: A folder, or the name of a repository on the Hub.
            encoder_config: Configuration of the encoder; its own by default.
            settings: Further settings of `EncoderCrfConfig`, such as `id2label` and `label2id`, and how to load the
                encoder: `revision`, `token`, `cache_dir` and so on, which are not kept.
        """
        loading = {key: settings.pop(key) for key in LOADING if key in settings}
        if unknown := settings.keys() - {"num_labels", *(field.name for field in fields(EncoderCrfConfig))}:
            where = "those of the encoder go into `encoder_config`"
            raise ValueError(f"EncoderCrfConfig has no setting `{min(unknown)}`; {where}.")
        if encoder_config is None:
            encoder_config = AutoConfig.from_pretrained(name_or_path, **loading)
        encoder = AutoModel.from_pretrained(
            name_or_path,
            config=encoder_config,
            dtype=torch.float32,
            use_safetensors=True,
            **without_pooling_layer(encoder_config) | loading,
        )
        if Path(name_or_path).is_dir():
            encoder.config.name_or_path = Path(name_or_path).name  # where it lies here is nobody's business
        model = cls(EncoderCrfConfig(encoder_config=encoder.config, **settings))
        model.encoder = encoder
        return model.eval()  # `from_pretrained` gives the encoder in this mode

    @staticmethod
    def own_pipeline_class() -> type:
        """Return the pipeline of these models, whose file travels with them as it is imported here."""
        from .pipeline_crf_token_classification import CrfTokenClassificationPipeline

        return CrfTokenClassificationPipeline

    def set_input_embeddings(self, value: nn.Embedding) -> None:  # type: ignore[override]
        """Replace the embeddings of the encoder; a new number of tokens goes into its configuration."""
        self.encoder.set_input_embeddings(value)
        self.config.vocab_size = value.num_embeddings

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        *,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> CrfTaggerOutput:
        """Tag a batch.

        Args:
            input_ids: Token ids, `(batch, length)`.
            attention_mask: 1 for tokens, 0 for padding, `(batch, length)`. Without it, `pad_token_id` is padding.
            token_type_ids: Segment of each token, `(batch, length)`; read only if the encoder knows segments.
            labels: Label ids, `(batch, length)`; -100 where a token carries no label.
            num_items_in_batch: Number of labelled tokens in the whole optimisation step, given by the `Trainer`.
            position_ids: Position of each token, `(batch, length)`; read only if the encoder takes positions.
            inputs_embeds: Embeddings in the place of `input_ids`, `(batch, length, size)`, for a model without
                `untagged_token_ids`.
            output_hidden_states: Whether to return the hidden states of the encoder; by default as configured.
            output_attentions: Whether to return its attentions, which it has with `attn_implementation="eager"`.
            kwargs: `return_dict`, and whatever else a tokenizer returns, which is not used.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("You must specify exactly one of `input_ids` and `inputs_embeds`.")
        if attention_mask is None:
            attention_mask = self._without_padding(input_ids, inputs_embeds)
        states_wanted = self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        attentions_wanted = self.config.output_attentions if output_attentions is None else output_attentions
        encoded: list[BaseModelOutput] = []
        optional: dict[str, Any] = {"position_ids": position_ids, "inputs_embeds": inputs_embeds}
        if states_wanted or attentions_wanted:
            optional |= {
                "output_hidden_states": states_wanted,
                "output_attentions": attentions_wanted,
                "outputs": encoded,
            }
        emissions = self._emissions(
            input_ids,
            attention_mask,
            token_type_ids,
            **{name: value for name, value in optional.items() if value is not None},
        )
        output = self._answer(emissions, input_ids, attention_mask, labels, num_items_in_batch)
        if encoded:
            output.hidden_states, output.attentions = encoded[0].hidden_states, encoded[0].attentions
        return output

    def _without_padding(self, input_ids: Tensor | None, inputs_embeds: Any) -> Tensor:
        """Return which positions hold another token than padding, `(batch, length)`; of embeddings, all."""
        if input_ids is not None:
            return input_ids != (-1 if self.config.pad_token_id is None else self.config.pad_token_id)
        return torch.ones(inputs_embeds.shape[:2], dtype=torch.bool, device=inputs_embeds.device)

    def _emissions(
        self,
        input_ids: Tensor | None,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        *,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        outputs: list[BaseModelOutput] | None = None,
    ) -> Tensor:
        """Return the score of every tag at every position, `(batch, length, tags)`.

        To `outputs` what the encoder returned is added; everything else is as for `forward`.
        """
        if attention_mask.numel() == 0:  # which not every encoder takes
            nothing = (*attention_mask.shape, self.config.hidden_size)
            return self.classifier(torch.zeros(nothing, dtype=self.dtype, device=attention_mask.device))
        optional = {"token_type_ids": token_type_ids, "position_ids": position_ids, "inputs_embeds": inputs_embeds}
        encoded = self.encoder(
            input_ids,
            attention_mask=attention_mask.long(),
            return_dict=True,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
            **{name: value for name, value in optional.items() if value is not None and name in self.encoder_inputs},
        )
        if outputs is not None:
            outputs.append(encoded)
        return self.classifier(self.dropout(encoded.last_hidden_state))


EncoderCrfForTokenClassification.register_for_auto_class("AutoModelForTokenClassification")

__all__ = ["EncoderCrfForTokenClassification"]
