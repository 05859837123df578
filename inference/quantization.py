"""Dynamic quantization to 8 bits of models with a BiLSTM, whose LSTM torch's own function does not know."""

import copy
import warnings
from typing import NoReturn

import torch
from torch import Tensor, nn
from torch.ao.nn.quantized import dynamic as quantized
from torch.ao.quantization import quantize_dynamic as quantize_modules
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from transformers import PreTrainedModel

from malmoi.modeling.bilstm import BiLstm


class QuantizedBiLstm(nn.Module):
    """A `BiLstm` for inference whose weights have 8 bits.

    Args:
        lstm: The quantized LSTM.
    """

    def __init__(self, lstm: quantized.LSTM):
        super().__init__()
        self.lstm = lstm

    @classmethod
    def from_float(cls, module: BiLstm, use_precomputed_fake_quant: bool = False) -> "QuantizedBiLstm":
        """Quantize an LSTM; torch calls this."""
        plain = nn.LSTM(module.input_size, module.hidden_size, module.num_layers, batch_first=True, bidirectional=True)
        plain.load_state_dict(module.state_dict())
        plain.qconfig = module.qconfig
        return cls(quantized.LSTM.from_float(plain, use_precomputed_fake_quant))

    def forward(self, inputs: Tensor, lengths: Tensor, *, outputs: list[Tensor] | None = None) -> Tensor:
        """Return hidden states, `(batch, length, output_size)`; see `BiLstm.forward`.

        Raises:
            ValueError: If the outputs of several layers are wanted; a quantized LSTM shows the last alone.
        """
        if outputs is not None and self.lstm.num_layers > 1:
            raise ValueError("A quantized LSTM shows the hidden states of its last layer alone.")
        if inputs.numel() == 0:  # which cannot be packed
            hidden = inputs.new_zeros(*inputs.shape[:2], 2 * self.lstm.hidden_size)
            if outputs is not None:
                outputs.append(hidden)
            return hidden
        packed = pack_padded_sequence(inputs, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
        hidden, _ = self.lstm(packed)
        padded = pad_packed_sequence(hidden, batch_first=True, total_length=inputs.size(1))[0]
        if outputs is not None:
            outputs.append(padded)
        return padded


def refuse_to_save(*given: object, **settings: object) -> NoReturn:
    """Say what to do, in the place of a model's `save_pretrained`, which would stop halfway."""
    raise ValueError(
        "A model in 8 bits cannot be saved: save the one that it was made of, and quantize that after loading. "
        "`malmoi export MODEL DIR --int8` writes one in 8 bits."
    )


def quantize_dynamic(model: PreTrainedModel) -> PreTrainedModel:
    """Return a copy of a model with its LSTM and linear layers in 8 bits, for inference on a CPU.

    The copy is for use in this process: its `save_pretrained` refuses.

    Args:
        model: A BiLSTM tagger or classifier; the copy of one in half precision has float32 beside the 8 bits.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces the move of these functions to another library
        mapping = {nn.Linear: quantized.Linear, BiLstm: QuantizedBiLstm}
        copied = copy.deepcopy(model).float()
        quantize_modules(copied, set(mapping), dtype=torch.qint8, mapping=mapping, inplace=True)
    copied.save_pretrained = refuse_to_save  # type: ignore[method-assign]
    return copied.eval()


__all__ = ["QuantizedBiLstm", "quantize_dynamic"]
