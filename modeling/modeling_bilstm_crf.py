"""BiLSTM-CRF tagger (Huang, Xu and Yu, 2015, https://arxiv.org/abs/1508.01991).

Token ids -> embeddings, with hashed n-grams if configured -> bidirectional LSTM -> one score per tag -> linear-chain
CRF.

This file travels with every saved model, so it imports nothing but torch, transformers and its neighbours.
"""

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers import initialization as init

from .bilstm import BiLstm, NgramEmbeddings
from .configuration_bilstm_crf import BiLstmCrfConfig
from .crf_tagging import CrfTaggerOutput, build_crf, chain_mask, crf_output
from .linear_chain_crf import LinearChainCrf


class BiLstmCrfPreTrainedModel(PreTrainedModel):
    """How the weights of a BiLSTM-CRF are drawn and stored."""

    config: BiLstmCrfConfig
    # in bfloat16 the log-likelihood of a long sentence is off by a quarter
    _keep_in_fp32_modules_strict = ["crf"]

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        # `init` leaves alone whatever was loaded from a checkpoint
        if isinstance(module, LinearChainCrf):
            for parameter in module.parameters(recurse=False):
                init.uniform_(parameter, -0.1, 0.1)
        elif isinstance(module, nn.Embedding):
            init.normal_(module.weight, std=self.config.initializer_range)
            if module.padding_idx is not None and not getattr(module.weight, "_is_hf_initialized", False):
                init.zeros_(module.weight[module.padding_idx])
        elif isinstance(module, (nn.LSTM, nn.Linear)):
            width = module.hidden_size if isinstance(module, nn.LSTM) else module.in_features
            for parameter in module.parameters(recurse=False):
                init.uniform_(parameter, -(width**-0.5), width**-0.5)


class BiLstmCrfForTokenClassification(BiLstmCrfPreTrainedModel):
    """BiLSTM-CRF tagger for the `Trainer` and the token-classification pipeline of transformers."""

    def __init__(self, config: BiLstmCrfConfig):
        super().__init__(config)
        self.embeddings = NgramEmbeddings(
            config.vocab_size,
            config.embedding_size,
            padding_idx=config.pad_token_id,
            ngram_sizes=config.ngram_sizes,
            ngram_vocab_size=config.ngram_vocab_size,
            ngram_embedding_size=config.ngram_embedding_size,
        )
        self.embedding_dropout = nn.Dropout(config.embedding_dropout)
        self.lstm = BiLstm(
            self.embeddings.output_size,
            config.hidden_size,
            num_layers=config.num_hidden_layers,
            dropout=config.hidden_dropout,
        )
        self.classifier = nn.Linear(config.hidden_size, len(config.label_names()))
        self.crf = build_crf(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the embeddings of single tokens."""
        return self.embeddings.word_embeddings

    def set_input_embeddings(self, value: nn.Embedding) -> None:  # type: ignore[override]
        """Replace the embeddings of single tokens."""
        self.embeddings.word_embeddings = value

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        **kwargs: object,
    ) -> CrfTaggerOutput:
        """Tag a batch.

        Args:
            input_ids: Token ids, `(batch, length)`.
            attention_mask: 1 for tokens, 0 for padding, `(batch, length)`. Padding may stand anywhere. Without it,
                `pad_token_id` is padding.
            labels: Label ids, `(batch, length)`; -100 where a token carries no label.
            num_items_in_batch: Number of labelled tokens in the whole optimisation step, given by the `Trainer`.
            kwargs: Whatever else a tokenizer returns, such as `token_type_ids`; not used.
        """
        if attention_mask is None:
            attention_mask = input_ids != (-1 if self.config.pad_token_id is None else self.config.pad_token_id)
        emissions = self._emissions(input_ids, attention_mask.bool())
        return crf_output(
            self.crf,
            emissions,
            chain_mask(input_ids, attention_mask, self.config.untagged_token_ids),
            labels=labels,
            num_items_in_batch=num_items_in_batch,
            outside_label_id=self.config.outside_label_id(),
        )

    def _emissions(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the score of every tag at every position, `(batch, length, tags)`."""
        if input_ids.size(1) == 0:
            return self.classifier.weight.new_zeros(*input_ids.shape, self.classifier.out_features)
        # tokens to the front of each row, so that padding on the left or in between is no input either
        order = torch.argsort((~attention_mask).byte(), dim=1, stable=True)
        input_ids = self._drop_tokens(input_ids.gather(1, order))
        hidden = self.embedding_dropout(self.embeddings(input_ids))
        emissions = self.classifier(self.lstm(hidden, attention_mask.sum(dim=1)))
        return torch.zeros_like(emissions).scatter(1, order[:, :, None].expand_as(emissions), emissions)

    def _drop_tokens(self, input_ids: Tensor) -> Tensor:
        """Replace some tokens by the unknown token in training."""
        unk_token_id = self.config.unk_token_id
        if not self.training or not self.config.token_dropout or unk_token_id is None:
            return input_ids
        dropped = torch.rand(input_ids.shape, device=input_ids.device) < self.config.token_dropout
        return input_ids.masked_fill(dropped, unk_token_id)


def pipeline_class() -> type:
    """Return the pipeline that a saved model names; importing it here makes its file travel with the model."""
    from .pipeline_crf_token_classification import CrfTokenClassificationPipeline

    return CrfTokenClassificationPipeline


BiLstmCrfForTokenClassification.register_for_auto_class("AutoModelForTokenClassification")

__all__ = ["BiLstmCrfForTokenClassification", "BiLstmCrfPreTrainedModel"]
