"""Hold a converted model against the layers that it was converted from, with pytorch-crf as the judge."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torchcrf import CRF as LibraryCrf
from transformers import PreTrainedModel

from malmoi.conversion.state_dict_names import CRF, EMBEDDINGS, LINEAR, LSTM, sizes_of
from malmoi.data.user_error import UserError

LENGTHS = (1, 2, 3, 8, 21, 64)
# two implementations of an LSTM add in different orders; their scores differ by a few units of the last place
TOLERANCE = 1e-4


class SourceTagger(nn.Module):
    """Embedding -> bidirectional LSTM -> linear layer -> CRF of pytorch-crf, with the weights of a checkpoint.

    Args:
        tensors: The state dict, under the names of malmoi.
    """

    def __init__(self, tensors: Mapping[str, Tensor]):
        super().__init__()
        sizes = sizes_of(tensors)
        layers = {
            EMBEDDINGS: nn.Embedding(sizes["vocab_size"], sizes["embedding_size"]),
            LSTM: nn.LSTM(
                sizes["embedding_size"],
                sizes["hidden_size"] // 2,
                sizes["num_hidden_layers"],
                batch_first=True,
                bidirectional=True,
            ),
            LINEAR: nn.Linear(sizes["hidden_size"], sizes["num_labels"]),
            CRF: LibraryCrf(sizes["num_labels"], batch_first=True),
        }
        for layer, module in layers.items():
            start = f"{layer}."
            module.load_state_dict({name[len(start) :]: t for name, t in tensors.items() if name.startswith(start)})
        self.embedding, self.lstm, self.linear, self.crf = layers.values()

    def forward(self, input_ids: Tensor) -> tuple[Tensor, list[int]]:
        """Return the scores, `(length, tags)`, and the best tags of one sentence, `(length,)`."""
        hidden, _ = self.lstm(self.embedding(input_ids[None]))
        emissions = self.linear(hidden)
        mask = torch.ones_like(input_ids[None], dtype=torch.bool)  # the library's own is of a type that torch warns of
        return emissions[0], self.crf.decode(emissions, mask=mask)[0]


@torch.inference_mode()
def verify(model: PreTrainedModel, tensors: Mapping[str, Tensor]) -> float:
    """Check that a model tags as the weights did that it was made from, and return the largest difference of a score.

    The model reads random sentences of several lengths in one padded batch, the old layers each on its own.

    Args:
        model: The converted model.
        tensors: The state dict, under the names of malmoi.

    Raises:
        UserError: If a score or a tag differs.
    """
    source = SourceTagger(tensors).eval()
    generator = torch.Generator().manual_seed(0)
    sentences = [torch.randint(model.config.vocab_size, (length,), generator=generator) for length in LENGTHS]
    input_ids = nn.utils.rnn.pad_sequence(sentences, batch_first=True)
    attention_mask = torch.arange(max(LENGTHS))[None] < torch.tensor(LENGTHS)[:, None]
    batch = {"input_ids": input_ids, "attention_mask": attention_mask}
    predictions = model.eval()(**batch).predictions
    emissions = model.train()(**batch).logits  # in training these are the scores that go into the CRF
    model.eval()
    largest = 0.0
    for row, sentence in enumerate(sentences):
        expected, tags = source(sentence)
        difference = (emissions[row, : len(sentence)] - expected).abs().max().item()
        largest = max(largest, difference)
        if difference > TOLERANCE * max(1.0, expected.abs().max().item()):
            raise UserError(f"The converted model gives other scores: they differ by {difference:.1e}.")
        if predictions[row, : len(sentence)].tolist() != tags:
            raise UserError(f"The converted model gives other tags to a sentence of {len(sentence)} tokens.")
    return largest
