"""A BiLSTM-CRF as a write-up of 2023 builds it by hand: the old world that a conversion must reproduce."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchcrf import CRF

LABELS = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]


class HandMadeTagger(nn.Module):
    """Embedding -> bidirectional LSTM -> linear layer -> pytorch-crf; `hidden_dim` is both directions together."""

    def __init__(
        self, vocab_size: int, tag_to_ix: dict[str, int], embedding_dim: int, hidden_dim: int, *, num_layers: int = 1
    ):
        super().__init__()
        self.word_embeds = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim // 2, num_layers, bidirectional=True, batch_first=True)
        self.hidden2tag = nn.Linear(hidden_dim, len(tag_to_ix))
        self.crf = CRF(len(tag_to_ix), batch_first=True)

    def emissions(self, input_ids: Tensor) -> Tensor:
        """Return the score of every tag at every position, `(batch, length, tags)`."""
        hidden, _ = self.lstm(self.word_embeds(input_ids))
        return self.hidden2tag(hidden)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> list[list[int]]:
        """Return the best tags of each sentence; `[CLS]` and `[SEP]` are among its tokens."""
        return self.crf.decode(self.emissions(input_ids), mask=attention_mask.bool())


@torch.no_grad()
def hand_made(
    vocab_size: int,
    labels: Sequence[str] = LABELS,
    *,
    embedding_dim: int = 6,
    hidden_dim: int = 8,
    num_layers: int = 1,
    seed: int = 0,
) -> HandMadeTagger:
    """Return a random tagger whose scores differ enough for every tag and every illegal step to occur."""
    torch.manual_seed(seed)
    tags = {label: index for index, label in enumerate(labels)}
    tagger = HandMadeTagger(vocab_size, tags, embedding_dim, hidden_dim, num_layers=num_layers)
    for parameter in tagger.parameters():
        parameter.normal_()
    return tagger.eval()


def hand_written(tagger: HandMadeTagger, labels: Sequence[str] = LABELS) -> dict[str, Any]:
    """Return the configuration that its author writes beside a tagger."""
    return {
        "vocab_size": tagger.word_embeds.num_embeddings,
        "embedding_dim": tagger.word_embeds.embedding_dim,
        "hidden_dim": 2 * tagger.lstm.hidden_size,
        "tag_to_ix": {label: index for index, label in enumerate(labels)},
        "model_type": "bilstm-crf",
    }


def write(folder: Path, tagger: HandMadeTagger, labels: Sequence[str] = LABELS) -> Path:
    """Write `pytorch_model.bin` and `config.json` as the write-up does; return the checkpoint."""
    folder.mkdir(exist_ok=True)
    torch.save(tagger.state_dict(), folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps(hand_written(tagger, labels)), encoding="utf-8")
    return folder / "pytorch_model.bin"
