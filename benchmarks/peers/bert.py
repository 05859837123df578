"""Fine-tuning and tagging with a token classifier of BERT-base size, as transformers does both.

The weights are random: nothing can be said about quality, but how long a step takes does not depend on them. Batches
are padded to their longest sentence only, and hold sentences in the order in which they come.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerBase

from malmoi.benchmarks.peers.name_spans import Span, name_spans

VOCAB_SIZE = 32_000
NUM_LAYERS, HIDDEN_SIZE = 12, 768
HEAD_SIZE = 64
BATCH_SIZE = 32
LEARNING_RATE = 5e-5
MAX_GRAD_NORM = 1.0


def build_bert(
    num_tags: int, *, vocab_size: int = VOCAB_SIZE, num_layers: int = NUM_LAYERS, hidden_size: int = HIDDEN_SIZE
) -> BertForTokenClassification:
    """Return a token classifier with random weights, by default of the size of BERT-base.

    Args:
        num_tags: Number of tags.
        vocab_size: Rows of the embedding table.
        num_layers: Number of layers.
        hidden_size: Width of the model.
    """
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=vocab_size,
        id2label={tag: str(tag) for tag in range(num_tags)},
        num_hidden_layers=num_layers,
        hidden_size=hidden_size,
        num_attention_heads=max(hidden_size // HEAD_SIZE, 1),
        intermediate_size=4 * hidden_size,
    )
    return BertForTokenClassification(config)


class BertFineTuning:
    """Steps of fine-tuning with AdamW.

    Args:
        model: The token classifier.
        batches: Batches with `input_ids`, `attention_mask` and `labels`, padded to their longest sentence.
    """

    def __init__(self, model: BertForTokenClassification, batches: Sequence[Mapping[str, Tensor]]):
        self.model = model
        self.batches = batches
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, fused=True)

    def epoch(self) -> float:
        """Train on every batch once; return the mean loss."""
        self.model.train()
        losses = [self.step(batch) for batch in self.batches]
        return sum(losses) / len(losses)

    def step(self, batch: Mapping[str, Tensor]) -> float:
        """Train on one batch; return its loss."""
        self.optimizer.zero_grad()
        loss: Tensor = self.model(**batch).loss
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), MAX_GRAD_NORM)
        self.optimizer.step()
        return loss.item()


@torch.inference_mode()
def tag(
    model: BertForTokenClassification,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    batch_size: int = BATCH_SIZE,
) -> list[list[Span]]:
    """Return the names in each text, in batches of the texts as they come."""
    model.eval()
    found = []
    for start in range(0, len(texts), batch_size):
        part = list(texts[start : start + batch_size])
        encoded: Any = tokenizer(part, padding=True, return_offsets_mapping=True, return_tensors="pt")
        logits = model(input_ids=encoded["input_ids"], attention_mask=encoded["attention_mask"]).logits
        for text, tags, offsets in zip(part, logits.argmax(dim=-1).tolist(), encoded["offset_mapping"].tolist()):
            found.append(name_spans(text, tags, offsets, labels))
    return found
