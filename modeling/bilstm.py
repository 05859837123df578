"""Token embeddings with hashed n-grams, and a bidirectional LSTM that padding cannot influence.

This file travels with every saved model, so it imports nothing but torch, transformers and its neighbours.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from transformers.utils import logging

from .dropout import Dropout

logger = logging.get_logger(__name__)

# Odd multipliers spread ids over all bits (Knuth, The Art of Computer Programming, volume 3, section 6.4).
HASH_MULTIPLIER = 0x9E3779B1
HASH_MODULUS = 2**31 - 1
# oneDNN refuses an LSTM whose gates take 2 GiB, as those of a text of two million characters do
LARGEST_KERNEL = 2**28


class NgramEmbeddings(nn.Module):
    """Embed each token, alone and together with the tokens before it.

    An n-gram is looked up by the hash of its token ids, as fastText does with character n-grams (Bojanowski et al.,
    2017, https://arxiv.org/abs/1607.04606): no vocabulary, two n-grams may share a bucket.

    Args:
        vocab_size: Number of token ids.
        embedding_size: Width of a token embedding.
        padding_idx: Token id of padding, whose embedding stays 0.
        ngram_sizes: Lengths of the n-grams.
        ngram_vocab_size: Number of hash buckets for each length.
        ngram_embedding_size: Width of an n-gram embedding.
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_size: int,
        *,
        padding_idx: int | None,
        ngram_sizes: Sequence[int] = (),
        ngram_vocab_size: int = 0,
        ngram_embedding_size: int = 0,
    ):
        super().__init__()
        self.ngram_sizes = list(ngram_sizes)
        self.ngram_vocab_size = ngram_vocab_size
        self.output_size = embedding_size + ngram_embedding_size * len(self.ngram_sizes)
        self.word_embeddings = nn.Embedding(vocab_size, embedding_size, padding_idx=padding_idx)
        self.ngram_embeddings = nn.ModuleList(
            nn.Embedding(ngram_vocab_size, ngram_embedding_size) for _ in self.ngram_sizes
        )

    def forward(self, input_ids: Tensor) -> Tensor:
        """Return embeddings, `(batch, length, output_size)`, of token ids, `(batch, length)`."""
        parts = [self.word_embeddings(input_ids)]
        for size, embeddings in zip(self.ngram_sizes, self.ngram_embeddings):
            parts.append(embeddings(self.ngram_ids(input_ids, size)))
        return torch.cat(parts, dim=-1)

    def ngram_ids(self, input_ids: Tensor, size: int) -> Tensor:
        """Return the bucket of the n-gram that ends at each position, `(batch, length)`.

        Positions before the start count as id -1, so the start of a text is part of its first n-grams.
        """
        padded = nn.functional.pad(input_ids, (size - 1, 0), value=-1)
        length = input_ids.size(1)
        hashed = torch.zeros_like(input_ids)
        for shift in range(size):
            # ids and remainders are below 2**31 and the multiplier below 2**32: no product leaves 64 bits
            hashed = ((hashed + padded[:, shift : shift + length] + 2) * HASH_MULTIPLIER) % HASH_MODULUS
        return hashed % self.ngram_vocab_size


class BiLstm(nn.LSTM):
    """A bidirectional LSTM over sentences of different lengths, padded on the right.

    The numbers of a sentence do not depend on how much it is padded: the backward direction starts at the last token.
    The weights are those of `torch.nn.LSTM`, under the same names.

    Args:
        input_size: Width of the input.
        output_size: Width of the output, both directions together.
        num_layers: Number of bidirectional layers.
        dropout: Dropout on the output of each layer.
    """

    def __init__(self, input_size: int, output_size: int, *, num_layers: int, dropout: float):
        super().__init__(
            input_size,
            output_size // 2,
            num_layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout if num_layers > 1 else 0.0,
        )
        self.output_dropout = Dropout(dropout)

    def __setattr__(self, name: str, value: object) -> None:
        # the first thing that `torch.ao.quantization.quantize_dynamic` does, to a module that it will leave alone
        if name == "qconfig" and value is None:
            logger.warning(
                "`quantize_dynamic` of torch does not reach the LSTM, the largest part of this model but for the "
                "embeddings: use `quantize_dynamic` of the `inference.quantization` module of this model's package."
            )
        super().__setattr__(name, value)

    @torch.compiler.disable
    def forward(  # type: ignore[override]
        self, inputs: Tensor, lengths: Tensor, *, outputs: list[Tensor] | None = None
    ) -> Tensor:
        """Return hidden states, `(batch, length, output_size)`.

        Args:
            inputs: Embeddings, `(batch, length, input_size)`.
            lengths: Number of tokens of each row, `(batch,)`. What stands behind them is not read.
            outputs: A list to which the hidden states of every layer are added, those that are returned included.
        """
        # Packed sequences miss the vendor's kernels on CPU and take about twice as long there; they show the last
        # layer alone.
        if inputs.device.type == "cpu" or (outputs is not None and self.num_layers > 1):
            return self._run_reversed(inputs, lengths, outputs)
        hidden = self._run_packed(inputs, lengths)
        if outputs is not None:
            outputs.append(hidden)
        return hidden

    def _run_packed(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Let torch skip the padding."""
        packed = pack_padded_sequence(inputs, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
        hidden, _ = super().forward(packed)
        return self.output_dropout(pad_packed_sequence(hidden, batch_first=True, total_length=inputs.size(1))[0])

    def _run_reversed(self, inputs: Tensor, lengths: Tensor, outputs: list[Tensor] | None = None) -> Tensor:
        """Run each direction on its own, the backward one over rows reversed within their own length."""
        steps = torch.arange(inputs.size(1), device=inputs.device)[None]
        reverse = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)[:, :, None]
        hidden = inputs
        for layer in range(self.num_layers):
            forward = self._run_direction(hidden, f"l{layer}")
            reversed_input = hidden.gather(1, reverse.expand(-1, -1, hidden.size(2)))
            backward = self._run_direction(reversed_input, f"l{layer}_reverse")
            backward = backward.gather(1, reverse.expand(-1, -1, backward.size(2)))
            hidden = self.output_dropout(torch.cat([forward, backward], dim=2))
            if outputs is not None:
                outputs.append(hidden)
        return hidden

    def _run_direction(self, inputs: Tensor, suffix: str) -> Tensor:
        """Run one direction of one layer, `(batch, length, hidden_size)`."""
        weights = [getattr(self, f"{name}_{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else inputs.dtype
        if inputs.device.type != "cpu" or inputs.dtype == torch.float64 or _runs_on_cpu(dtype):
            return self._run_kernel(inputs, weights)
        with torch.autocast("cpu", enabled=False):
            return self._run_kernel(inputs.float(), [weight.float() for weight in weights]).to(dtype)

    def _run_kernel(self, inputs: Tensor, weights: list[Tensor]) -> Tensor:
        """Run one direction in parts of what the vendor's kernel can hold, `(batch, length, hidden_size)`."""
        width = max(4 * self.hidden_size, inputs.size(2))
        steps = max(1, LARGEST_KERNEL // (max(1, inputs.size(0)) * width))
        hidden = cell = inputs.new_zeros(1, inputs.size(0), self.hidden_size)
        outputs = []
        for part in inputs.split(steps, dim=1):
            output, hidden, cell = torch.lstm(part, (hidden, cell), weights, True, 1, 0.0, self.training, False, True)
            outputs.append(output)
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)


def _runs_on_cpu(dtype: torch.dtype) -> bool:
    """Tell whether this processor has a kernel for an LSTM in this type.

    Without one, an LSTM stops with an error of oneDNN or takes nine times as long as in float32.
    """
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype in (torch.float32, torch.float64)


__all__ = ["BiLstm", "NgramEmbeddings"]
