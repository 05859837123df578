"""The BiLSTM-CRF of a Korean write-up on KLUE NER, with its own training loop, as it describes them.

Every sentence is padded to 128 tokens and cut there. `Embedding(32000, 768)` -> one bidirectional LSTM, 256 wide both
directions together, that runs over the padding too -> a linear layer -> pytorch-crf, a Python loop over time. Adam
with 1e-3, batches of 32 in random order, gradients clipped to a norm of 5. `[SEP]` is left out of the CRF in training,
but not in prediction: that fault is part of the description.

Its vocabulary, that of klue/bert-base, has 32,000 tokens. Any WordPiece tokenizer will do here: the embedding table
keeps its 32,000 rows, so that a step costs the same.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from datasets import Dataset
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from torchcrf import CRF
from transformers import PreTrainedTokenizerBase

from malmoi.benchmarks.peers.name_spans import Span, name_spans
from malmoi.modeling.linear_chain_crf import IGNORED_LABEL

PADDED_LENGTH = 128
VOCAB_SIZE = 32_000
EMBEDDING_SIZE = 768
HIDDEN_SIZE = 256
BATCH_SIZE = 32
LEARNING_RATE = 1e-3
MAX_GRAD_NORM = 5.0


class S1Tagger(nn.Module):
    """Embedding -> bidirectional LSTM -> linear layer -> pytorch-crf, with the names that its checkpoints have.

    Args:
        num_tags: Number of tags.
        vocab_size: Rows of the embedding table.
        embedding_size: Width of an embedding.
        hidden_size: Width of the LSTM, both directions together.
    """

    def __init__(
        self,
        num_tags: int,
        *,
        vocab_size: int = VOCAB_SIZE,
        embedding_size: int = EMBEDDING_SIZE,
        hidden_size: int = HIDDEN_SIZE,
    ):
        super().__init__()
        self.word_embeds = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size // 2, bidirectional=True, batch_first=True)
        self.hidden2tag = nn.Linear(hidden_size, num_tags)
        self.crf = CRF(num_tags, batch_first=True)

    def emissions(self, input_ids: Tensor) -> Tensor:
        """Return the score of every tag at every position, `(batch, length, tags)`; padding is read like text."""
        hidden, _ = self.lstm(self.word_embeds(input_ids))
        return self.hidden2tag(hidden)

    def loss(self, input_ids: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Return the mean negative log-likelihood of the sentences of a batch."""
        return -self.crf(self.emissions(input_ids), tags, mask=mask, reduction="mean")

    @torch.no_grad()
    def decode(self, input_ids: Tensor, mask: Tensor) -> list[list[int]]:
        """Return the best tags of each sentence, as many as its mask has positions."""
        return self.crf.decode(self.emissions(input_ids), mask=mask)


class PaddedSentences(NamedTuple):
    """Sentences as the loop takes them, each padded to the same length.

    Args:
        input_ids: Token ids, `(sentences, 128)`.
        tags: Tag ids, `(sentences, 128)`; that of O where there is none.
        mask: Which positions are in the chain of the CRF in training, `(sentences, 128)`. `[CLS]` is: pytorch-crf
            wants the first position of a row.
    """

    input_ids: Tensor
    tags: Tensor
    mask: Tensor


def pad_sentences(features: Dataset, *, padding: int, outside: int) -> PaddedSentences:
    """Pad token features to 128 and cut what is longer.

    Args:
        features: Token features with `input_ids` and `labels`.
        padding: Id of the padding token.
        outside: Id of the tag O.
    """
    shape = (features.num_rows, PADDED_LENGTH)
    input_ids, tags = torch.full(shape, padding), torch.full(shape, outside)
    mask = torch.zeros(shape, dtype=torch.bool)
    for row, (ids, labels) in enumerate(zip(features["input_ids"], features["labels"])):
        kept = min(len(ids), PADDED_LENGTH)
        labelled = torch.tensor(labels[:kept])
        input_ids[row, :kept] = torch.tensor(ids[:kept])
        tags[row, :kept] = torch.where(labelled == IGNORED_LABEL, outside, labelled)
        mask[row, :kept] = labelled != IGNORED_LABEL
    mask[:, 0] = True
    return PaddedSentences(input_ids, tags, mask)


class S1Loop:
    """The training loop.

    Args:
        model: The tagger.
        sentences: What it is trained on.
        seed: Draws the order of the sentences.
    """

    def __init__(self, model: S1Tagger, sentences: PaddedSentences, *, batch_size: int = BATCH_SIZE, seed: int = 1):
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
        self.loader = DataLoader(
            TensorDataset(*sentences),
            batch_size=batch_size,
            shuffle=True,
            generator=torch.Generator().manual_seed(seed),
        )

    def epoch(self) -> float:
        """Train on every sentence once; return the mean loss of the batches."""
        self.model.train()
        losses = [self.step(*batch) for batch in self.loader]
        return sum(losses) / len(losses)

    def step(self, input_ids: Tensor, tags: Tensor, mask: Tensor) -> float:
        """Train on one batch; return its loss."""
        self.optimizer.zero_grad()
        loss = self.model.loss(input_ids, tags, mask)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), MAX_GRAD_NORM)
        self.optimizer.step()
        return loss.item()


def tag_ids(
    model: S1Tagger, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], *, batch_size: int = BATCH_SIZE
) -> Iterator[tuple[list[int], list[tuple[int, int]]]]:
    """Yield the tag ids of the tokens of each text, `[CLS]` and `[SEP]` among them, and the offsets of the tokens."""
    model.eval()
    for start in range(0, len(texts), batch_size):
        encoded = tokenizer(
            list(texts[start : start + batch_size]),
            padding="max_length",
            truncation=True,
            max_length=PADDED_LENGTH,
            return_offsets_mapping=True,
        )
        input_ids, mask = torch.tensor(encoded["input_ids"]), torch.tensor(encoded["attention_mask"]).bool()
        yield from zip(model.decode(input_ids, mask), encoded["offset_mapping"])


def tag(
    model: S1Tagger,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    batch_size: int = BATCH_SIZE,
) -> list[list[Span]]:
    """Return the names in each text, in batches of the texts as they come."""
    answers = tag_ids(model, tokenizer, texts, batch_size=batch_size)
    return [name_spans(text, tags, offsets, labels) for text, (tags, offsets) in zip(texts, answers)]
