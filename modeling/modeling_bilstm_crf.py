"""BiLSTM-CRF tagger (Huang, Xu and Yu, 2015, https://arxiv.org/abs/1508.01991).

Token ids -> embeddings, with hashed n-grams and dictionary features if configured -> bidirectional LSTM -> one score
per tag, with a hidden layer over neighbours if configured -> CRF.

Written by malmoi 0.1.0 into every saved BiLSTM-CRF; read `configuration_bilstm_crf`, `model_settings`, this, `bilstm`,
`lexicon`, `crf_tagging`, `linear_chain_crf`, `name_edges`, `pipeline_crf_token_classification`.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers.utils.generic import can_return_tuple

from .bilstm import BiLstmPreTrainedModel, Dropout, front_first, in_order, put_back
from .configuration_bilstm_crf import BiLstmCrfConfig
from .crf_tagging import CrfTagger, CrfTaggerOutput


class WindowClassifier(nn.Module):
    """Score tags by a hidden layer that reads each token with its neighbours, and in which both directions meet."""

    def __init__(self, config: BiLstmCrfConfig):
        super().__init__()
        self.window, self.weight = config.classifier_window, None  # PEFT asks for one to merge
        self.hidden = nn.Linear(config.hidden_size, self.window * config.classifier_hidden_size)
        self.dropout = Dropout(config.classifier_dropout)
        self.output = nn.Linear(config.classifier_hidden_size, len(config.label_names()))

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return scores, `(batch, length, tags)`, of states, `(batch, length, hidden_size)`."""
        given = self.hidden(states)  # by each token to its neighbours
        if self.window == 1:
            return self.output(self.dropout(given.relu()))
        order, around, length = front_first(mask), self.window // 2, mask.size(1)
        given = nn.functional.pad(in_order(given.masked_fill(~mask[:, :, None], 0), order), (0, 0, around, around))
        parts = [part[:, shift : shift + length] for shift, part in enumerate(given.chunk(self.window, dim=2))]
        return put_back(self.output(self.dropout(torch.stack(parts).sum(0).relu())), order)


class BiLstmCrfForTokenClassification(CrfTagger, BiLstmPreTrainedModel):
    """BiLSTM-CRF tagger for the `Trainer` and the token-classification pipeline of transformers."""

    config: BiLstmCrfConfig

    def __init__(self, config: BiLstmCrfConfig):
        super().__init__(config)
        self.add_head(config.hidden_size)
        self.window_classifier = WindowClassifier(config) if config.classifier_hidden_size else None
        self.post_init()

    @staticmethod
    def own_pipeline_class() -> type:
        """Return the pipeline of these models, whose file travels with them as it is imported here."""
        from .pipeline_crf_token_classification import CrfTokenClassificationPipeline

        return CrfTokenClassificationPipeline

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
            attention_mask: 1 for tokens, 0 for padding, anywhere; without it, `pad_token_id` is padding.
            labels: Label ids, `(batch, length)`; -100 where a token carries no label.
            num_items_in_batch: Number of labelled tokens in the whole step, given by the `Trainer`.
            inputs_embeds: Embeddings in the place of `input_ids`, for a model without n-grams and untagged tokens.
            output_hidden_states: Whether to return the embeddings and the output of each layer.
            kwargs: `return_dict`, and whatever else a tokenizer returns, which is not used.
        """
        mask = self._token_mask(input_ids, attention_mask, inputs_embeds)
        wanted = self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        hidden_states: list[Tensor] | None = [] if wanted else None
        given = {k: v for k, v in {"inputs_embeds": inputs_embeds, "outputs": hidden_states}.items() if v is not None}
        emissions = self._emissions(input_ids, mask, **given)
        output = self._answer(emissions, input_ids, mask, labels, num_items_in_batch)
        output.hidden_states = None if hidden_states is None else tuple(hidden_states)
        return output

    def _emissions(self, input_ids: Tensor | None, mask: Tensor, **optional: Any) -> Tensor:
        """Return the score of every tag at every position, `(batch, length, tags)`; see `_hidden_states`."""
        states = self._hidden_states(input_ids, mask, **optional)
        scores = self.classifier(states)
        return scores if (head := self.window_classifier) is None else scores + head(states, mask).to(scores.device)


BiLstmCrfForTokenClassification.register_for_auto_class("AutoModelForTokenClassification")

__all__ = ["BiLstmCrfForTokenClassification"]
