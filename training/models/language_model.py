"""A language model in both directions on one BiLSTM layer (after Akbik et al., 2018, https://aclanthology.org/C18-1139).

Token ids -> embeddings, with hashed n-grams -> an LSTM whose two directions know nothing of each other -> for every
token how likely it is after those before it, and before those behind it.

It is there to be trained; what others begin from is its body, a `BiLstmModel`.
"""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear
from transformers import initialization as init
from transformers.utils.generic import ModelOutput, can_return_tuple

from malmoi.modeling import BiLstmConfig, BiLstmModel
from malmoi.modeling.bilstm import BiLstmPreTrainedModel


@dataclass
class LanguageModelOutput(ModelOutput):
    """What a language model says of a batch.

    Args:
        loss: Negative log-likelihood, in nats, of the tokens that each direction predicts, both summed, for each token
            of the batch.
        logits: What its figures are computed from, `(batch, 2, 3)`: for each text and direction the negative
            log-likelihood of all predicted tokens, how many of them are the likeliest, and how many there are.
    """

    loss: Tensor | None = None
    logits: Tensor | None = None


class LanguageModelHead(nn.Module):
    """Score the tokens of the vocabulary by their embeddings, from the states of one direction each.

    Args:
        config: The configuration of the model.
    """

    def __init__(self, config: BiLstmConfig):
        super().__init__()
        directions = (nn.Linear(config.hidden_size // 2, config.embedding_size) for _ in range(2))
        self.directions = nn.ModuleList(directions)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, direction: int, states: Tensor, embeddings: Tensor) -> Tensor:
        """Return scores, `(tokens, vocab_size)`.

        Args:
            direction: 0 for forward, 1 for backward.
            states: The states of this direction from which tokens are predicted, `(tokens, hidden_size / 2)`.
            embeddings: The embeddings of the vocabulary, `(vocab_size, embedding_size)`.
        """
        return linear(self.directions[direction](states), embeddings, self.bias)


class BiLstmLanguageModel(BiLstmPreTrainedModel):
    """Forward and backward language model for the `Trainer`.

    The forward state of a position has seen the text up to it and predicts the next token. N-grams end at their
    position, so the backward state has seen n - 1 tokens before its own, where n is the length of the longest n-gram:
    it predicts the nearest token that it has not seen, which stands n positions before.
    """

    config: BiLstmConfig

    def __init__(self, config: BiLstmConfig):
        if config.num_hidden_layers > 1 or config.lexicon_classes:
            found = "`lexicon`" if config.lexicon_classes else f"`num_hidden_layers: {config.num_hidden_layers}`"
            raise ValueError(
                "a language model has one layer and no lexicon, or its states would have seen what they are to "
                f"predict; leave out {found}."
            )
        super().__init__(config)
        self.language_model = LanguageModelHead(config)
        self.post_init()

    @property
    def distances(self) -> tuple[int, int]:
        """How far behind, and how far before a position stands what its states predict."""
        return 1, max(self.config.ngram_sizes, default=1)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, LanguageModelHead):
            init.zeros_(module.bias)

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        **kwargs: object,
    ) -> LanguageModelOutput:
        """Predict every token of a batch.

        Args:
            input_ids: Token ids, `(batch, length)`.
            attention_mask: 1 for tokens, 0 for padding, `(batch, length)`; padding stands on the right. Without it,
                `pad_token_id` is padding.
            labels: What the `Trainer` counts tokens by; what is predicted are the `input_ids`.
            num_items_in_batch: Number of tokens in the whole optimisation step, given by the `Trainer`.
            kwargs: Not used.
        """
        mask = self._token_mask(input_ids, attention_mask, None)
        states = self._hidden_states(input_ids, mask)
        after, before = self.distances
        half = self.config.hidden_size // 2
        sums = torch.stack(
            [
                self._sums(0, states[:, :-after, :half], input_ids[:, after:], mask[:, after:]),
                self._sums(1, states[:, before:, half:], input_ids[:, :-before], mask[:, before:]),
            ],
            dim=1,
        )
        tokens = mask.sum().clamp(min=1) if num_items_in_batch is None else num_items_in_batch
        return LanguageModelOutput(loss=sums[:, :, 0].sum() / tokens, logits=sums.detach())

    def _sums(self, direction: int, states: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return `logits` of one direction, `(batch, 3)`.

        Args:
            direction: 0 for forward, 1 for backward.
            states: The states that predict, `(batch, predicted, hidden_size / 2)`.
            targets: What they are to predict, `(batch, predicted)`.
            mask: Which of them predict a token, `(batch, predicted)`.
        """
        rows = mask.nonzero()[:, 0]
        scores = self.language_model(direction, states[mask], self.embeddings.word_embeddings.weight).float()
        losses = cross_entropy(scores, targets[mask], reduction="none")
        right = (scores.argmax(dim=1) == targets[mask]) if not self.training else torch.zeros_like(losses)
        counted = torch.stack([losses, right.float(), torch.ones_like(losses)], dim=1)
        return counted.new_zeros(len(mask), 3).index_add(0, rows, counted)

    def body(self) -> BiLstmModel:
        """Return the embeddings and the LSTM as a model of their own, with the same parameters."""
        body = BiLstmModel(copy.deepcopy(self.config))
        body.embeddings, body.lstm = self.embeddings, self.lstm
        return body
