"""Compute with a loaded model of transformers."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from malmoi.data.longest_input import longest_input
from malmoi.data.token_windows import Window, token_windows
from malmoi.inference.devices import device_of
from malmoi.inference.engine import (
    CLASS_TEMPERATURE,
    NAME_TEMPERATURE,
    Chain,
    Rows,
    TokenScores,
    check_numbers,
    read_temperature,
)
from malmoi.inference.loading import LoadedModel
from malmoi.inference.side_by_side import answer_side_by_side
from malmoi.modeling.linear_chain_crf import LinearChainCrf


class TorchEngine:
    """A model of transformers, on the device where it is.

    Args:
        loaded: The model, in evaluation mode, and its tokenizer.
    """

    def __init__(self, loaded: LoadedModel):
        self.model, self.tokenizer = loaded
        self.max_length = longest_input(self.model.config, self.tokenizer)
        self.cuts_beginning = self.tokenizer.truncation_side == "left"
        self.labels = {int(index): str(name) for index, name in (self.model.config.id2label or {}).items()}
        self.name_temperature, self.class_temperature = (
            read_temperature(getattr(self.model.config, key, 1.0), key)
            for key in (NAME_TEMPERATURE, CLASS_TEMPERATURE)
        )

    def chain(self) -> Chain | None:
        """Return the scores of its CRF; `None` if it has none."""
        crf = getattr(self.model, "crf", None)
        return chain_of(crf) if isinstance(crf, LinearChainCrf) else None

    def windows(self, texts: Sequence[str]) -> list[list[Window]]:
        """Return the windows in which it reads each text."""
        return token_windows(texts, self.tokenizer, max_length=self.max_length)

    def rows(self, texts: Sequence[str]) -> tuple[list[list[int]], list[bool]]:
        """Return the tokens of each text up to the longest that it reads, and whether the others had to be cut off."""
        limit = self.max_length
        whole: list[list[int]] = self.tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]
        cut = [limit is not None and len(row) > limit for row in whole]
        if any(cut):
            whole = self.tokenizer(list(texts), truncation=True, max_length=limit, verbose=False)["input_ids"]
        return whole, cut

    def score_tokens(self, batches: Sequence[Rows]) -> list[TokenScores]:
        """Return what a tagger says of each batch."""
        found = [
            TokenScores(*(part.cpu().numpy() for part in parts)) for parts in self._answer(_token_scores, batches)
        ]
        for scores, batch in zip(found, batches):
            check_numbers(of_row[: len(row)] for of_row, row in zip(scores.probabilities, batch))
        return found

    def score_classes(self, batches: Sequence[Rows]) -> list[NDArray[np.float32]]:
        """Return the probability of every class for each row of each batch, `(batch, classes)`."""
        found = [probabilities.cpu().numpy() for (probabilities,) in self._answer(_class_probabilities, batches)]
        check_numbers(found)
        return found

    def _answer(
        self, read: Callable[[Mapping[str, Tensor]], tuple[Tensor, ...]], batches: Sequence[Rows]
    ) -> list[tuple[Tensor, ...]]:
        """Return what is read from the output for each batch."""
        device = device_of(self.model)
        padding = self.tokenizer.pad_token_id or 0

        @torch.inference_mode()
        def answer(batch: Rows) -> tuple[Tensor, ...]:
            return read(answer_batch(self.model, device, padding, batch))

        return answer_side_by_side(answer, batches, device=device)


def chain_of(crf: LinearChainCrf) -> Chain:
    """Return the scores of a CRF, its constraints among them."""
    return Chain(*(scores.detach().cpu().numpy() for scores in crf.scores(torch.float64)))


def answer_batch(model: PreTrainedModel, device: torch.device, padding: int, batch: Rows) -> Mapping[str, Tensor]:
    """Return the output of a model for a batch of rows of tokens, the last of which is the longest."""
    length = len(batch[-1])
    input_ids = torch.tensor([row + [padding] * (length - len(row)) for row in batch])
    mask = torch.arange(length) < torch.tensor([len(row) for row in batch])[:, None]
    output: Mapping[str, Tensor] = model(
        input_ids=input_ids.long().to(device), attention_mask=mask.long().to(device), return_dict=True
    )
    return output


def label_probabilities(output: Mapping[str, Tensor]) -> Tensor:
    """Return the probability of every label of every token, `(batch, length, labels)`: of a CRF the marginals."""
    return output["marginals"] if "predictions" in output else output["logits"].float().softmax(dim=-1)


def _token_scores(output: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """Return predictions, probabilities and emissions of an output."""
    probabilities = label_probabilities(output).float()
    if "predictions" in output:
        return output["predictions"], probabilities, output["emissions"].float()
    return probabilities.argmax(dim=-1), probabilities, output["logits"].float()


def _class_probabilities(output: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """Return the probability of every class, `(batch, classes)`, of an output."""
    return (output["logits"].float().softmax(dim=-1),)
