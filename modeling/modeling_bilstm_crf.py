"""BiLSTM-CRF tagger (Huang, Xu and Yu, 2015, https://arxiv.org/abs/1508.01991).

Token ids -> embeddings, with hashed n-grams if configured -> bidirectional LSTM -> one score per tag -> linear-chain
CRF.

This file travels with every saved model, so it imports nothing but torch, transformers and its neighbours.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers.utils.generic import can_return_tuple

from .bilstm_pretrained import BiLstmPreTrainedModel
from .configuration_bilstm_crf import BiLstmCrfConfig
from .crf_tagging import CrfTaggerOutput, build_crf, chain_mask, crf_output, follow_labels, init_crf_weights
from .crf_training import CrfInAdapters, check_training
from .linear_chain_crf import LinearChainCrf


class BiLstmCrfForTokenClassification(CrfInAdapters, BiLstmPreTrainedModel):
    """BiLSTM-CRF tagger for the `Trainer` and the token-classification pipeline of transformers."""

    config: BiLstmCrfConfig
    # in bfloat16 the log-likelihood of a long sentence is off by a quarter
    _keep_in_fp32_modules_strict = ["crf"]

    def __init__(self, config: BiLstmCrfConfig):
        super().__init__(config)
        self.classifier = nn.Linear(config.hidden_size, len(config.label_names()))
        self.crf = build_crf(config)
        self.post_init()

    @staticmethod
    def own_pipeline_class() -> type:
        """Return the pipeline of these models, for `pipeline` of transformers, which asks a loaded model for it.

        Importing it here makes its file travel with the model.
        """
        from .pipeline_crf_token_classification import CrfTokenClassificationPipeline

        return CrfTokenClassificationPipeline

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, LinearChainCrf):
            init_crf_weights(module)

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        output_hidden_states: bool | None = None,
        **kwargs: object,
    ) -> CrfTaggerOutput:
        """Tag a batch.

        Args:
            input_ids: Token ids, `(batch, length)`.
            attention_mask: 1 for tokens, 0 for padding, `(batch, length)`. Padding may stand anywhere. Without it,
                `pad_token_id` is padding.
            labels: Label ids, `(batch, length)`; -100 where a token carries no label.
            num_items_in_batch: Number of labelled tokens in the whole optimisation step, given by the `Trainer`.
            inputs_embeds: Embeddings in the place of `input_ids`, `(batch, length, embedding_size)`, for a model
                without n-grams and without `untagged_token_ids`.
            output_hidden_states: Whether to return the embeddings and the output of each layer; the setting of the
                configuration by default.
            kwargs: `return_dict`, and whatever else a tokenizer returns, such as `token_type_ids`; not used. An LSTM
                has no attentions: `output_attentions` changes nothing.
        """
        mask = self._token_mask(input_ids, attention_mask, inputs_embeds)
        wanted = self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        hidden_states: list[Tensor] | None = [] if wanted else None
        optional: dict[str, Any] = {"inputs_embeds": inputs_embeds, "outputs": hidden_states}
        emissions = self._emissions(
            input_ids, mask, **{name: value for name, value in optional.items() if value is not None}
        )
        crf = follow_labels(self.crf, self.config)
        check_training(crf, emissions, labels=labels, num_items_in_batch=num_items_in_batch)
        output = crf_output(
            crf,
            emissions,
            chain_mask(input_ids, mask, self.config.untagged_token_ids),
            labels=labels,
            num_items_in_batch=num_items_in_batch,
            outside_label_id=self.config.outside_label_id(),
        )
        output.hidden_states = None if hidden_states is None else tuple(hidden_states)
        return output

    def _emissions(
        self,
        input_ids: Tensor | None,
        attention_mask: Tensor,
        *,
        inputs_embeds: Tensor | None = None,
        outputs: list[Tensor] | None = None,
    ) -> Tensor:
        """Return the score of every tag at every position, `(batch, length, tags)`."""
        return self.classifier(
            self._hidden_states(input_ids, attention_mask, inputs_embeds=inputs_embeds, outputs=outputs)
        )


BiLstmCrfForTokenClassification.register_for_auto_class("AutoModelForTokenClassification")

__all__ = ["BiLstmCrfForTokenClassification"]
