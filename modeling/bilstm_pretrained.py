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

    def _token_mask(
        self, input_ids: Tensor | None, attention_mask: Tensor | None, inputs_embeds: Tensor | None
    ) -> Tensor:
        """Return which positions hold a token, `(batch, length)`; without `attention_mask`, all but `pad_token_id`.

        Raises:
            ValueError: Unless there is either `input_ids` or `inputs_embeds`, or if the latter are not enough.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("You must specify exactly one of `input_ids` and `inputs_embeds`.")
        if inputs_embeds is not None and self.config.ngram_sizes:
            raise ValueError("`inputs_embeds` are not enough for n-gram embeddings: this model needs `input_ids`.")
        if attention_mask is not None:
            return attention_mask.bool()
        if input_ids is None:
            assert inputs_embeds is not None
            return torch.ones(inputs_embeds.shape[:2], dtype=torch.bool, device=inputs_embeds.device)
        return input_ids != (-1 if self.config.pad_token_id is None else self.config.pad_token_id)

    def _hidden_states(
        self,
        input_ids: Tensor | None,
        mask: Tensor,
        *,
        inputs_embeds: Tensor | None = None,
        outputs: list[Tensor] | None = None,
    ) -> Tensor:
        """Return hidden states, `(batch, length, hidden_size)`.

        Args:
            input_ids: Token ids, `(batch, length)`.
            mask: Which positions hold a token, `(batch, length)`. Padding may stand anywhere.
            inputs_embeds: Embeddings of the tokens in the place of their ids, `(batch, length, embedding_size)`.
            outputs: A list to which the embeddings and the hidden states of every layer are added, 0 at padding.
        """
        if mask.size(1) == 0:
            empty = self.embeddings.word_embeddings.weight.new_zeros(*mask.shape, self.config.hidden_size)
            if outputs is not None:
                embedded = empty.new_zeros(*mask.shape, self.embeddings.output_size)
                outputs.extend([embedded, *[empty] * self.config.num_hidden_layers])
            return empty
        # tokens to the front of each row, so that padding on the left or in between is no input either
        order = torch.argsort((~mask).byte(), dim=1, stable=True)
        if inputs_embeds is not None:
            embedded = inputs_embeds.gather(1, _wide(order, inputs_embeds))
        else:
            assert input_ids is not None
            embedded = self.embeddings(self._drop_tokens(input_ids.gather(1, order)))
        embedded = self.embedding_dropout(embedded)
        if outputs is None:
            return _put_back(self.lstm(embedded, mask.sum(dim=1)), order)
        # what is shown is what is computed with, so that gradients with respect to it exist
        outputs.append(_put_back(embedded, order).masked_fill(~mask[:, :, None], 0))
        layers: list[Tensor] = []
        self.lstm(outputs[0].gather(1, _wide(order, embedded)), mask.sum(dim=1), outputs=layers)
        outputs.extend(_put_back(hidden, order).masked_fill(~mask[:, :, None], 0) for hidden in layers)
        return outputs[-1]

    def _drop_tokens(self, input_ids: Tensor) -> Tensor:
        """Replace some tokens by the unknown token in training."""
        unk_token_id = self.config.unk_token_id
        if not self.training or not self.config.token_dropout or unk_token_id is None:
            return input_ids
        dropped = torch.rand(input_ids.shape, device=input_ids.device) < self.config.token_dropout
        return input_ids.masked_fill(dropped, unk_token_id)


def _wide(order: Tensor, values: Tensor) -> Tensor:
    """Return an index of positions, `(batch, length)`, in the shape of values, `(batch, length, size)`."""
    return order[:, :, None].expand_as(values)


def _put_back(values: Tensor, order: Tensor) -> Tensor:
    """Move values from the front of each row to where their tokens stand, `(batch, length, size)`."""
    return torch.zeros_like(values).scatter(1, _wide(order, values), values)


__all__ = ["BiLstmPreTrainedModel"]
