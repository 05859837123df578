"""BiLSTM classifier of texts, with attention (Zhou et al., 2016, https://aclanthology.org/P16-2034) or max pooling.

Token ids -> embeddings, with hashed n-grams and dictionary features if configured -> bidirectional LSTM -> pooling ->
one score per label. Without the last two it is a body, such as a language model leaves for others to begin from.

Written by malmoi 0.1.0 into every saved BiLSTM classifier and body. Beside it: `configuration_bilstm` and
`model_settings`; `bilstm`, the embeddings and the LSTM; `lexicon`, the dictionary features.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput, SequenceClassifierOutput
from transformers.utils import logging
from transformers.utils.generic import can_return_tuple

from .bilstm import BiLstmPreTrainedModel, Dropout
from .configuration_bilstm import BiLstmConfig

logger = logging.get_logger(__name__)

IGNORED_LABEL = -100


class AttentionPooling(nn.Module):
    """Mean of the hidden states of a text, weighted by a learned query.

    Args:
        hidden_size: Width of a hidden state.
    """

    weight = None  # PEFT asks every part of a head for one, such as a linear layer has, when it merges an adapter

    def __init__(self, hidden_size: int):
        super().__init__()
        self.query = nn.Linear(hidden_size, 1, bias=False)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return one vector per text, `(batch, hidden_size)`; 0 for a text without tokens.

        Args:
            hidden: Hidden states, `(batch, length, hidden_size)`.
            mask: Which positions hold a token, `(batch, length)`.
        """
        scores = self.query(hidden.tanh())[:, :, 0].float()
        # the lowest number, not minus infinity: a text without tokens would become not-a-number
        weights = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(dim=1).masked_fill(~mask, 0)
        return (weights[:, None, :].to(hidden.dtype) @ hidden)[:, 0]


class MaxPooling(nn.Module):
    """Greatest value of each component of the hidden states of a text."""

    weight = None  # as above

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return one vector per text, `(batch, hidden_size)`; 0 for a text without tokens.

        Args:
            hidden: Hidden states, `(batch, length, hidden_size)`.
            mask: Which positions hold a token, `(batch, length)`.
        """
        greatest = hidden.masked_fill(~mask[:, :, None], torch.finfo(hidden.dtype).min).amax(dim=1)
        return greatest.masked_fill(~mask.any(dim=1, keepdim=True), 0)


class BiLstmModel(BiLstmPreTrainedModel):
    """Embeddings and LSTM without a head; those of a classifier, of a tagger or of a language model are loaded too."""

    config: BiLstmConfig
    _keys_to_ignore_on_load_unexpected = [r"^(pooling|(window_)?classifier|crf|language_model)\."]

    def __init__(self, config: BiLstmConfig):
        super().__init__(config)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        output_hidden_states: bool | None = None,
        **kwargs: object,
    ) -> BaseModelOutput:
        """Return the states of a batch, `(batch, length, hidden_size)`, 0 at padding.

        Args:
            input_ids: Token ids, `(batch, length)`.
            attention_mask: 1 for tokens, 0 for padding, `(batch, length)`. Padding may stand anywhere. Without it,
                `pad_token_id` is padding.
            inputs_embeds: Embeddings in the place of `input_ids`, `(batch, length, embedding_size)`, for a model
                without n-grams.
            output_hidden_states: Whether to return the embeddings and the output of each layer; the setting of the
                configuration by default.
            kwargs: `return_dict`, and whatever else a tokenizer returns, such as `token_type_ids`; not used.
        """
        mask = self._token_mask(input_ids, attention_mask, inputs_embeds)
        wanted = self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        hidden_states: list[Tensor] | None = [] if wanted else None
        hidden = self._hidden_states(input_ids, mask, inputs_embeds=inputs_embeds, outputs=hidden_states)
        shown = None if hidden_states is None else tuple(hidden_states)
        return BaseModelOutput(last_hidden_state=hidden.masked_fill(~mask[:, :, None], 0), hidden_states=shown)


class BiLstmForSequenceClassification(BiLstmPreTrainedModel):
    """BiLSTM classifier for the `Trainer` and the text-classification pipeline of transformers."""

    config: BiLstmConfig

    def __init__(self, config: BiLstmConfig):
        super().__init__(config)
        self.pooling = AttentionPooling(config.hidden_size) if config.pooling == "attention" else MaxPooling()
        self.dropout = Dropout(config.hidden_dropout)
        self.num_labels = len(config.id2label or {})
        self.classifier = nn.Linear(config.hidden_size, self.num_labels)
        self.post_init()

    def __setattr__(self, name: str, value: Any) -> None:
        # PEFT leaves its settings here before it looks for the head, which it knows as `classifier` and `score` only
        for settings in value.values() if name == "peft_config" else ():
            saved = getattr(settings, "modules_to_save", None) or []
            named = "pooling" in saved or "query" in (getattr(settings, "target_modules", None) or [])
            if settings.task_type == "SEQ_CLS" and not settings.inference_mode and not named:
                settings.modules_to_save = [*saved, "pooling"]
                logger.info("The adapter trains and saves the pooling, too.")
        super().__setattr__(name, value)

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
    ) -> SequenceClassifierOutput:
        """Classify a batch.

        Args:
            input_ids: Token ids, `(batch, length)`.
            attention_mask: 1 for tokens, 0 for padding, `(batch, length)`. Padding may stand anywhere. Without it,
                `pad_token_id` is padding.
            labels: Label ids, `(batch,)`; -100 for a text without a label.
            num_items_in_batch: Number of labelled texts in the whole optimisation step, given by the `Trainer`.
            inputs_embeds: Embeddings in the place of `input_ids`, `(batch, length, embedding_size)`, for a model
                without n-grams.
            output_hidden_states: Whether to return the embeddings and the output of each layer; the setting of the
                configuration by default.
            kwargs: `return_dict`, and whatever else a tokenizer returns, such as `token_type_ids`; not used. An LSTM
                has no attentions: `output_attentions` changes nothing.
        """
        mask = self._token_mask(input_ids, attention_mask, inputs_embeds)
        if mask.size(1) == 0:  # one position of padding, over which can be pooled
            mask, inputs_embeds = mask.new_zeros(mask.size(0), 1), None
            input_ids = mask.long()
        wanted = self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        hidden_states: list[Tensor] | None = [] if wanted else None
        hidden = self._hidden_states(input_ids, mask, inputs_embeds=inputs_embeds, outputs=hidden_states)
        logits = self.classifier(self.dropout(self.pooling(hidden, mask))).to(mask.device)  # layers may lie elsewhere
        if self.training and logits.requires_grad:
            self.config.__dict__.pop("class_temperature", None)  # it was fitted to the weights as they were
        loss = None
        if labels is not None:
            self._check_labels(labels)
            labelled = (
                (labels != IGNORED_LABEL).sum() if num_items_in_batch is None else torch.as_tensor(num_items_in_batch)
            )
            summed = nn.functional.cross_entropy(
                logits.float(), labels.long(), ignore_index=IGNORED_LABEL, reduction="sum"
            )
            loss = summed / labelled.clamp(min=1)
        shown = None if hidden_states is None else tuple(hidden_states)
        return SequenceClassifierOutput(loss=loss, logits=logits, hidden_states=shown)

    def _check_labels(self, labels: Tensor) -> None:
        """Refuse labels of a problem that stock heads know and this one does not, or would learn nothing from."""
        self.config.validate_classifier()
        if labels.is_floating_point() or labels.dim() != 1:
            raise ValueError(
                f"A text has one label: expected integers of shape (batch,), got {labels.dtype} of "
                f"{tuple(labels.shape)}."
            )
        if self.classifier.out_features == 1:
            raise ValueError("There is nothing to learn with one label: `num_labels` must be at least 2, got 1.")
        if labels.device.type != "cpu":  # an accelerator says it itself, and would have to be waited for in every step
            return
        given, last = labels.long(), self.classifier.out_features - 1
        wrong = (given != given.clamp(0, last)) & (given != IGNORED_LABEL)
        if wrong.any():
            allowed = f"Labels must be from 0 to {last}, or {IGNORED_LABEL} for a text without one"
            raise ValueError(f"{allowed}, got {int(given[wrong][0])}.")


BiLstmModel.register_for_auto_class("AutoModel")
BiLstmForSequenceClassification.register_for_auto_class("AutoModelForSequenceClassification")

__all__ = ["BiLstmForSequenceClassification", "BiLstmModel"]
