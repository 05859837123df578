"""Embeddings with hashed n-grams, and a bidirectional LSTM. Written by malmoi 0.1.0 into every saved BiLSTM."""

from collections import deque
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers import initialization as init
from transformers.utils import logging

from .lexicon import Lexicon, add_to_hash

logger = logging.get_logger(__name__)

KERNELS_INTERFACE = 1  # of `malmoi.kernels`; another version is left alone
LARGEST_KERNEL = 2**28  # oneDNN refuses gates of 2 GiB, as those of a text of two million characters are


def installed_dropout() -> type[nn.Dropout]:
    """Return the dropout of `malmoi.kernels`, which draws its numbers faster on a CPU, or that of torch without it."""
    try:
        from malmoi.kernels import INTERFACE
        from malmoi.kernels.dropout import Dropout
    except Exception:  # it is missing, or broken: a model loads all the same
        return nn.Dropout
    return Dropout if INTERFACE == KERNELS_INTERFACE else nn.Dropout


Dropout = installed_dropout()


class NgramEmbeddings(nn.Module):
    """Embed each token, alone and together with the tokens before it.

    N-grams are found by hashes of ids, as in fastText (https://arxiv.org/abs/1607.04606); two may share a bucket.
    """

    def __init__(self, config: PreTrainedConfig):
        super().__init__()
        self.ngram_sizes, self.ngram_vocab_size = list(config.ngram_sizes), config.ngram_vocab_size
        self.output_size = config.embedding_size + config.ngram_embedding_size * len(self.ngram_sizes)
        self.word_embeddings = nn.Embedding(config.vocab_size, config.embedding_size, padding_idx=config.pad_token_id)
        table = config.ngram_vocab_size, config.ngram_embedding_size
        self.ngram_embeddings = nn.ModuleList(nn.Embedding(*table) for _ in self.ngram_sizes)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Return embeddings, `(batch, length, output_size)`, of token ids, `(batch, length)`."""
        sized = zip(self.ngram_sizes, self.ngram_embeddings)
        parts = [embeddings(self.ngram_ids(input_ids, size)) for size, embeddings in sized]
        return torch.cat([self.word_embeddings(input_ids), *parts], dim=-1)

    def ngram_ids(self, input_ids: Tensor, size: int) -> Tensor:
        """Return the bucket of the n-gram that ends at each position, `(batch, length)`; before the text stands -1."""
        padded = nn.functional.pad(input_ids, (size - 1, 0), value=-1)
        hashed = torch.zeros_like(input_ids)
        for shift in range(size):
            hashed = add_to_hash(hashed, padded[:, shift : shift + input_ids.size(1)])
        return hashed % self.ngram_vocab_size


class BiLstm(nn.LSTM):
    """An `nn.LSTM` of both directions over sentences padded on the right, which changes none of their numbers."""

    def __init__(self, input_size: int, output_size: int, *, num_layers: int, dropout: float):
        inner = dropout if num_layers > 1 else 0.0
        super().__init__(input_size, output_size // 2, num_layers, batch_first=True, bidirectional=True, dropout=inner)
        self.output_dropout = Dropout(dropout)

    def __setattr__(self, name: str, value: object) -> None:
        if name == "qconfig" and value is None:  # as `quantize_dynamic` of torch does with what it will leave alone
            better = "use `quantize_dynamic` of the `inference.quantization` module of malmoi"
            logger.warning(f"`quantize_dynamic` of torch does not reach the LSTM, most of the work: {better}.")
        super().__setattr__(name, value)

    @torch.compiler.disable
    def forward(self, inputs: Tensor, lengths: Tensor, *, outputs: list | None = None) -> Tensor:  # type: ignore[override]
        """Return hidden states, `(batch, length, output_size)`, of embeddings, `(batch, length, input_size)`.

        What stands behind the `lengths` of the rows is not read. To `outputs` the states of every layer are added.
        """
        # each direction on its own, the backward one over rows reversed within their own length: packed sequences take
        # about twice as long on a CPU, up to five times as long on a GPU, and show the last layer alone
        steps = torch.arange(inputs.size(1), device=inputs.device)[None]
        reverse = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
        hidden = inputs
        for layer in range(self.num_layers):
            forward = self._run_direction(hidden, f"l{layer}")
            backward = self._run_direction(in_order(hidden, reverse), f"l{layer}_reverse")
            hidden = self.output_dropout(torch.cat([forward, in_order(backward, reverse)], dim=2))
            if outputs is not None:
                outputs.append(hidden)
        return hidden

    def _run_direction(self, inputs: Tensor, suffix: str) -> Tensor:
        """Run one direction of one layer, `(batch, length, hidden_size)`, in a type that the processor has."""
        weights = [getattr(self, f"{name}_{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else inputs.dtype
        if inputs.device.type != "cpu" or inputs.dtype == torch.float64 or _runs_on_cpu(dtype):
            return self._run_kernel(inputs, weights)
        with torch.autocast("cpu", enabled=False):
            return self._run_kernel(inputs.float(), [weight.float() for weight in weights]).to(dtype)

    def _run_kernel(self, inputs: Tensor, weights: list[Tensor]) -> Tensor:
        """Run one direction in parts of what the vendor's kernel can hold, `(batch, length, hidden_size)`."""
        weights = in_one_piece(weights) if inputs.is_cuda else weights
        width = max(4 * self.hidden_size, inputs.size(2))
        steps = max(1, LARGEST_KERNEL // (max(1, inputs.size(0)) * width))
        hidden = cell = inputs.new_zeros(1, inputs.size(0), self.hidden_size)
        outputs = []
        for part in inputs.split(steps, dim=1):
            output, hidden, cell = torch.lstm(part, (hidden, cell), weights, True, 1, 0.0, self.training, False, True)
            outputs.append(output)
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)


class BiLstmPreTrainedModel(PreTrainedModel):
    """Embeddings, dictionary features if configured, and LSTM; an architecture adds its head."""

    config: PreTrainedConfig
    _input_embed_layer = "word_embeddings"
    _no_split_modules = ["NgramEmbeddings", "BiLstm", "WindowClassifier", "AttentionPooling"]  # each on one device

    def __init__(self, config: PreTrainedConfig):
        super().__init__(config)
        self.embeddings = NgramEmbeddings(config)
        self.embedding_dropout = Dropout(config.embedding_dropout)
        self.lexicon = Lexicon(config) if config.lexicon_classes else None
        of_lexicon = config.lexicon_embedding_size if config.lexicon_classes else 0
        self.input_size = self.embeddings.output_size + of_lexicon  # the width of what the LSTM reads
        options = {"num_layers": config.num_hidden_layers, "dropout": config.hidden_dropout}
        self.lstm = BiLstm(self.input_size, config.hidden_size, **options)

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

    def resize_token_embeddings(self, new_num_tokens: int | None = None, *args: Any, **kwargs: Any) -> nn.Embedding:
        """Resize as stock models do; tokens of which the lexicon alone knows have no embeddings and get none."""
        own, known = self.config.vocab_size, self.config.lexicon_vocab_size
        if own < known < (new_num_tokens or 0):
            raise ValueError(f"Beyond the {known} tokens of the lexicon none can get embeddings; train a new model.")
        if own < (new_num_tokens or 0) <= known:
            return self.embeddings.word_embeddings
        return super().resize_token_embeddings(new_num_tokens, *args, **kwargs)

    def _token_mask(self, input_ids: Any, attention_mask: Tensor | None, inputs_embeds: Tensor | None) -> Tensor:
        """Return which positions hold a token, `(batch, length)`; without `attention_mask`, all but `pad_token_id`."""
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("You must specify exactly one of `input_ids` and `inputs_embeds`.")
        if inputs_embeds is not None and (self.config.ngram_sizes or self.lexicon is not None):
            used = "n-gram embeddings" if self.config.ngram_sizes else "dictionary features"
            raise ValueError(f"`inputs_embeds` are not enough for {used}: this model needs `input_ids`.")
        tokens = input_ids if inputs_embeds is None else inputs_embeds[:, :, 0]
        if attention_mask is None:
            padding = None if inputs_embeds is not None else self.config.pad_token_id
            attention_mask = torch.ones_like(tokens) if padding is None else tokens != padding
        if tokens.dim() != 2 or attention_mask.shape != tokens.shape:
            got = f"{tuple(tokens.shape)} and {tuple(attention_mask.shape)}"
            raise ValueError(f"Tokens and `attention_mask` must both be of shape (batch, length), got {got}.")
        return attention_mask.bool()

    def _hidden_states(
        self, input_ids: Any, mask: Tensor, *, inputs_embeds: Tensor | None = None, outputs: list | None = None
    ) -> Tensor:
        """Return hidden states, `(batch, length, hidden_size)`; padding may stand anywhere.

        To `outputs` the embeddings and the hidden states of every layer are added, 0 at padding.
        """
        if mask.size(1) == 0:
            widths = [self.input_size, *[self.config.hidden_size] * self.config.num_hidden_layers]
            outputs = [] if outputs is None else outputs
            outputs.extend(torch.zeros(*mask.shape, width, dtype=self.dtype, device=mask.device) for width in widths)
            return outputs[-1]
        order = front_first(mask)
        if inputs_embeds is None:
            input_ids = input_ids.gather(1, order)
            embedded = self.embeddings(self._drop_tokens(input_ids))
        else:
            embedded = in_order(inputs_embeds, order)
        embedded = self.embedding_dropout(embedded)
        if self.lexicon is not None:
            features = self.lexicon(input_ids, mask.gather(1, order), embedded.dtype)
            embedded = torch.cat([embedded, features.to(embedded.device)], dim=2)
        if outputs is None:
            return put_back(self.lstm(embedded, mask.sum(dim=1)), order)
        # what is shown is computed with, so that gradients with respect to it exist
        outputs.append(put_back(embedded, order).masked_fill(~mask[:, :, None], 0))
        layers: Any = deque()  # accelerate copies a list on its way in
        self.lstm(in_order(outputs[0], order), mask.sum(dim=1), outputs=layers)
        outputs.extend(put_back(hidden, order).masked_fill(~mask[:, :, None], 0) for hidden in layers)
        return outputs[-1]

    def _drop_tokens(self, input_ids: Tensor) -> Tensor:
        """Replace tokens of which the lexicon alone knows by the unknown token, and some of all in training."""
        if self.lexicon is not None and self.config.unk_token_id is not None:
            input_ids = input_ids.masked_fill(input_ids >= self.config.vocab_size, self.config.unk_token_id)
        if not self.training or not self.config.token_dropout or self.config.unk_token_id is None:
            return input_ids
        dropped = torch.rand(input_ids.shape, device=input_ids.device) < self.config.token_dropout
        return input_ids.masked_fill(dropped, self.config.unk_token_id)


def _runs_on_cpu(dtype: torch.dtype) -> bool:
    """Tell whether this processor has a kernel for an LSTM in this type; others fail or take nine times as long."""
    supported = dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return bool(supported) or dtype in (torch.float32, torch.float64)


def in_one_piece(weights: list[Tensor]) -> list[Tensor]:
    """Return copies that lie one behind the other, as cuDNN takes them; others it copies itself, with a warning."""
    piece = torch.cat([weight.flatten() for weight in weights])
    return [part.view_as(weight) for part, weight in zip(piece.split([weight.numel() for weight in weights]), weights)]


def front_first(mask: Tensor) -> Tensor:
    """Return an index of positions, `(batch, length)`: first those of tokens, so that no padding is input."""
    return torch.argsort((~mask).byte(), dim=1, stable=True)


def put_back(values: Tensor, order: Tensor) -> Tensor:
    """Move values from the front of each row to where their tokens stand, `(batch, length, size)`."""
    return in_order(values, order.argsort(1))


def in_order(values: Tensor, order: Tensor) -> Tensor:
    """Return `values`, `(batch, length, size)`, in an order of positions, `(batch, length)`, and on its device."""
    rows = order + order.size(1) * torch.arange(order.size(0), device=order.device)[:, None]
    return nn.functional.embedding(rows, values.flatten(0, 1).to(rows.device))  # on a CPU faster than `gather`
