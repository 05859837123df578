"""The loss of taggers for labels that are probable: finished models have found them, and may be unsure.

It is the mean of the negative log-likelihoods of all label sequences, each as probable as the models find it
(structured distillation: Wang et al., 2020, https://aclanthology.org/2020.acl-main.304). The partition function is
the same for all of them, so it is the loss of the best sequence, which the model computes, and by how much that one
is scored above the others on average. The score of a sequence is a sum over its labels and steps, so probabilities of
labels and of steps are enough. Those of steps are not handed over: of all that agree with those of the labels, the
ones are taken that know nothing but that `I-X` follows `B-X` or `I-X` alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor, nn
from transformers import Trainer

from malmoi.data.model_labels import labels_of
from malmoi.data.probable_classes import PROBABILITIES
from malmoi.modeling.linear_chain_crf import IGNORED_LABEL
from malmoi.training.evaluation import ROW

LEAST = 1e-12
"""What is less is no share of anything."""


def learn_probabilities(trainer: Trainer, train: Dataset) -> None:
    """Let a `Trainer` learn the probabilities of labels, too, in training alone.

    Args:
        trainer: It is given the features with the number of each row, `ROW`, beside them.
        train: The features, with the column `probabilities`.
    """
    of_rows = train.select_columns([PROBABILITIES]).with_format("numpy")
    loss_of_model = trainer.compute_loss

    def compute_loss(
        model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        if not model.training:
            return loss_of_model(model, inputs, return_outputs=return_outputs, num_items_in_batch=num_items_in_batch)
        rows = of_rows[inputs.pop(ROW).tolist()][PROBABILITIES]
        loss, outputs = loss_of_model(model, inputs, return_outputs=True, num_items_in_batch=num_items_in_batch)
        labels = inputs["labels"]
        tagger: Any = trainer.accelerator.unwrap_model(model)
        with torch.autocast(labels.device.type, enabled=False):  # counts of steps are too large for bfloat16
            lead = lead_of_labels(
                outputs["logits"],
                labels,
                padded(rows, labels, outputs["logits"].size(2)),
                names=labels_of(tagger.config),
                steps=tagger.crf.scores(torch.float32) if hasattr(tagger, "crf") else None,
            )
        loss = loss + lead.sum() / _divisor(trainer, labels, num_items_in_batch)
        return (loss, outputs) if return_outputs else loss

    trainer.compute_loss = compute_loss  # type: ignore[method-assign]


def _divisor(trainer: Trainer, labels: Tensor, num_items_in_batch: Any) -> Any:
    """Return what the loss of the model was divided by: the labelled tokens of the batch, or of the whole step."""
    if num_items_in_batch is None or not trainer.model_accepts_loss_kwargs:
        return (labels != IGNORED_LABEL).sum().clamp(min=1)
    shared = trainer.args.average_tokens_across_devices
    return torch.as_tensor(num_items_in_batch).clamp(min=1) / (trainer.accelerator.num_processes if shared else 1)


def padded(rows: Sequence[np.ndarray], labels: Tensor, num_labels: int) -> Tensor:
    """Return the probabilities of a batch, `(batch, length, labels)`, 0 where a token has no label.

    Args:
        rows: The probability of every label at every token of each row, one after the other.
        labels: The labels of the batch, `(batch, length)`; padding is at the end.
        num_labels: How many labels there are.
    """
    batch = np.zeros((*labels.shape, num_labels), dtype=np.float32)
    for of_row, row in zip(batch, rows):
        of_tokens = row.reshape(-1, num_labels)
        of_row[: len(of_tokens)] = of_tokens
    return torch.from_numpy(batch).to(labels.device)


def lead_of_labels(
    emissions: Tensor,
    labels: Tensor,
    probabilities: Tensor,
    *,
    names: Sequence[str],
    steps: tuple[Tensor, Tensor, Tensor] | None,
) -> Tensor:
    """Return by how much the labels of each sentence are scored above all label sequences on average, `(batch,)`.

    Args:
        emissions: The score of every label at every position, `(batch, length, labels)`.
        labels: The label ids, `(batch, length)`; -100 outside the chain.
        probabilities: The probability of every label at every position, `(batch, length, labels)`; 0 outside.
        names: The labels.
        steps: Start, transition and end scores of the CRF; `None` if there is none.
    """
    inside = labels != IGNORED_LABEL
    certain = nn.functional.one_hot(labels.masked_fill(~inside, 0), len(names)).float() * inside[:, :, None]
    more = certain - probabilities  # 0 outside the chain
    lead = (more * emissions.float()).sum((1, 2))
    if steps is None:
        return lead
    # the positions in the chain come to the front, so that neighbours follow each other
    order = torch.argsort((~inside).byte(), dim=1, stable=True)[:, :, None].expand_as(certain)
    certain, probabilities = certain.gather(1, order), probabilities.gather(1, order)
    more = certain - probabilities
    start, transitions, end = (each.masked_fill(each.isneginf(), 0) for each in steps)  # nothing takes such a step
    last = (inside.sum(1) - 1).clamp(min=0)
    of_steps = expected_steps(certain, names) - expected_steps(probabilities, names)
    ends = more[torch.arange(len(more), device=more.device), last]
    return lead + more[:, 0] @ start + (of_steps * transitions).sum((1, 2)) + ends @ end


def expected_steps(probabilities: Tensor, names: Sequence[str]) -> Tensor:
    """Return how often each label is expected to follow each, `(batch, previous label, next label)`.

    `I-X` comes from `B-X` and `I-X`, which continue equally often; what does not continue goes on to any other label
    as probably as that one is.

    Args:
        probabilities: The probability of every label at every position, `(batch, length, labels)`, 0 behind the end.
        names: The labels.
    """
    now, following = probabilities[:, :-1], probabilities[:, 1:]
    sources = _continued_labels(names)
    inside = [index for index, _ in sources]
    share = torch.zeros_like(now)
    counts = now.new_zeros(len(now), len(names), len(names))
    for index, before in sources:
        continuing = (following[..., index] / now[..., before].sum(-1).clamp(min=LEAST)).clamp(max=1)
        share[..., before] = continuing[..., None]
        counts[:, before, index] = (now[..., before] * continuing[..., None]).sum(1)
    others = following.clone()
    others[..., inside] = 0
    others = others / others.sum(-1, keepdim=True).clamp(min=LEAST)
    return counts + torch.einsum("btp,btn->bpn", now * (1 - share), others)


def _continued_labels(names: Sequence[str]) -> list[tuple[int, list[int]]]:
    """Return each `I-X`, and the labels that it may follow."""
    numbers: Mapping[str, int] = {name: index for index, name in enumerate(names)}
    return [
        (index, [numbers[before] for before in (f"B-{name[2:]}", name) if before in numbers])
        for name, index in numbers.items()
        if name.startswith("I-")
    ]
