"""What all BiLSTM architectures are built on: embeddings, LSTM, and how their weights are drawn.

Token ids -> embeddings, with hashed n-grams if configured -> bidirectional LSTM.

This file travels with every saved model, so it imports nothing but torch, transformers and its neighbours.
"""

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers import initialization as init

from .bilstm import BiLstm, NgramEmbeddings
from .dropout import Dropout


class BiLstmPreTrainedModel(PreTrainedModel):
    """Embeddings and LSTM; an architecture adds its head."""

    config: PreTrainedConfig

    def __init__(self, config: PreTrainedConfig):
        super().__init__(config)
        self.embeddings = NgramEmbeddings(
            config.vocab_size,
            config.embedding_size,
            padding_idx=config.pad_token_id,
            ngram_sizes=config.ngram_sizes,
            ngram_vocab_size=config.ngram_vocab_size,
            ngram_embedding_size=config.ngram_embedding_size,
        )
        self.embedding_dropout = Dropout(config.embedding_dropout)
        self.lstm = BiLstm(
            self.embeddings.output_size,
            config.hidden_size,
            num_layers=config.num_hidden_layers,
            dropout=config.hidden_dropout,
        )

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        # `init` leaves alone whatever was loaded from a checkpoint
        if isinstance(module, nn.Embedding):
            init.normal_(module.weight, std=self.config.initializer_range)
            if module.padding_idx is not None and not getattr(module.weight, "_is_hf_initialized", False):
                init.zeros_(module.weight[module.padding_idx])
        elif isinstance(module, (nn.LSTM, nn.Linear)):
            width = module.hidden_size if isinstance(module, nn.LSTM) else module.in_features
            for parameter in module.parameters(recurse=False):
                init.uniform_(parameter, -(width**-0.5), width**-0.5)

    def get_input_embeddings(self) -> nn.Module:
        """Return the embeddings of single tokens."""
        return self.embeddings.word_embeddings

    def set_input_embeddings(self, value: nn.Embedding) -> None:  # type: ignore[override]
        """Replace the embeddings of single tokens."""
        self.embeddings.word_embeddings = value

    def _token_mask(self, input_ids: Tensor, attention_mask: Tensor | None) -> Tensor:
        """Return which positions hold a token, `(batch, length)`; without `attention_mask`, all but `pad_token_id`."""
        if attention_mask is not None:
            return attention_mask.bool()
        return input_ids != (-1 if self.config.pad_token_id is None else self.config.pad_token_id)

    def _hidden_states(self, input_ids: Tensor, mask: Tensor) -> Tensor:
        """Return hidden states, `(batch, length, hidden_size)`.

        Args:
            input_ids: Token ids, `(batch, length)`.
            mask: Which positions hold a token, `(batch, length)`. Padding may stand anywhere.
        """
        if input_ids.size(1) == 0:
            return self.embeddings.word_embeddings.weight.new_zeros(*input_ids.shape, self.config.hidden_size)
        # tokens to the front of each row, so that padding on the left or in between is no input either
        order = torch.argsort((~mask).byte(), dim=1, stable=True)
        embedded = self.embedding_dropout(self.embeddings(self._drop_tokens(input_ids.gather(1, order))))
        hidden = self.lstm(embedded, mask.sum(dim=1))
        return torch.zeros_like(hidden).scatter(1, order[:, :, None].expand_as(hidden), hidden)

    def _drop_tokens(self, input_ids: Tensor) -> Tensor:
        """Replace some tokens by the unknown token in training."""
        unk_token_id = self.config.unk_token_id
        if not self.training or not self.config.token_dropout or unk_token_id is None:
            return input_ids
        dropped = torch.rand(input_ids.shape, device=input_ids.device) < self.config.token_dropout
        return input_ids.masked_fill(dropped, unk_token_id)


__all__ = ["BiLstmPreTrainedModel"]
