"""The graph of an encoder, such as BERT, as torch itself writes it, up to one score per label."""

import contextlib
import io
import logging
import warnings
from typing import Any

import spox
import torch
from spox import Var
from torch import Tensor, nn

from malmoi.data.user_error import UserError
from malmoi.modeling.modeling_encoder_crf import EncoderCrfForTokenClassification

OPSET = 18
"""That of our own operators, so that both fit into one graph."""
EXAMPLE = (2, 5)
"""Batch and length of what is traced; they may be others, but 1 could be taken for a constant."""


class _Scores(nn.Module):
    """A model as a function from token ids and mask to scores of labels."""

    def __init__(self, model: Any):
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask, "return_dict": True}
        if isinstance(self.model, EncoderCrfForTokenClassification):
            scores: Tensor = self.model.classifier(self.model.encoder(**inputs).last_hidden_state)
        else:
            scores = self.model(**inputs).logits
        return scores


def encode(model: nn.Module, input_ids: Var, attention_mask: Var, *, longest: int | None) -> Var:
    """Return the score of every label of each token, or of each text, by what the model labels.

    Args:
        model: The model, in evaluation mode on the CPU.
        input_ids: Token ids, `(batch, length)`.
        attention_mask: 1 for a token, 0 for padding, `(batch, length)`.
        longest: How many tokens the model can take, if there is a limit.

    Raises:
        UserError: If torch cannot write it.
    """
    example = torch.ones(EXAMPLE, dtype=torch.long)
    mask = example.clone()
    mask[1, -1] = 0  # or padding would be left out of what is traced
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length", max=longest)}
    # it tells of every library that is missing, and prints all that it has traced where that is no graph
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")  # of what torch is about to change in itself
        disabled = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            program = torch.onnx.export(
                _Scores(model).eval(),
                (example, mask),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=["input_ids", "attention_mask"],
                output_names=["scores"],
                dynamic_shapes=(axes, axes),
            )
        except torch.onnx.errors.OnnxExporterError as error:
            reason = str(error).partition("\n")[0].partition(" \x1b")[0]  # what follows in colour is advice for torch
            raise UserError(f"torch knows no graph for {type(model).__name__}: {reason}") from error
        finally:
            logging.disable(disabled)
    assert program is not None
    scores: Var = spox.inline(program.model_proto)(input_ids, attention_mask)["scores"]
    return scores
