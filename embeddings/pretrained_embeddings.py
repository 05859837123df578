"""Embeddings from a file of word vectors or from an encoder, for the tokens of another vocabulary.

Source and vocabulary meet in strings, composed to NFC on both sides; ids mean nothing across vocabularies. A word of a
file that continues a word here (`##은`) is looked up as it is, then without its mark. Nothing is ever unpickled.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from malmoi.data.notice import one_line
from malmoi.data.token_features import untagged_token_ids
from malmoi.data.user_error import UserError
from malmoi.embeddings.word_vectors import read_word_vectors
from malmoi.inference.model_folder import check_model_folder
from malmoi.inference.model_names import check_name, without_waiting_for_the_hub

CONTINUATION = "##"


class Coverage(NamedTuple):
    """How much of a vocabulary has a vector, from 0 to 1. Tokens that stand for no text, as `[CLS]`, do not count."""

    vocabulary: float
    """Share of the tokens in the vocabulary."""
    occurrences: float
    """Share of the tokens in texts; an unknown token counts as any other."""


class PretrainedEmbeddings(NamedTuple):
    """Vectors for a part of a vocabulary."""

    vectors: Tensor
    """One row for each token with a vector, `(found, width)`."""
    token_ids: list[int]
    """The token of each row."""
    vocab_size: int
    """Number of tokens in the vocabulary."""
    textless_token_ids: frozenset[int]
    """Tokens that stand for no text."""

    @property
    def width(self) -> int:
        """Return the width of a vector."""
        return self.vectors.size(1)

    def coverage(self, texts: Iterable[Sequence[int]]) -> Coverage:
        """Return how much of the vocabulary, and of the token ids of these texts, has a vector."""
        counts = Counter(token for text in texts for token in text if token not in self.textless_token_ids)
        found = set(self.token_ids) - self.textless_token_ids
        return Coverage(
            vocabulary=len(found) / (self.vocab_size - len(self.textless_token_ids)),
            occurrences=sum(counts[token] for token in found) / max(counts.total(), 1),
        )


def load_embeddings(source: str, tokenizer: PreTrainedTokenizerBase) -> PretrainedEmbeddings:
    """Load a vector for each token of a vocabulary that the source knows.

    Args:
        source: A file of word vectors, or the folder or name on the Hub of an encoder. Files are recognised by what
            they hold: word2vec (text or binary), GloVe text and fastText (`.vec` or `.bin`), also with gzip if the
            name ends in `.gz`. Of a fastText `.bin` only words of its vocabulary count: from its subwords it would
            make up a vector for any token.
        tokenizer: The tokenizer of the vocabulary. Padding never gets a vector, other special tokens only from an
            encoder that has one of the same name.

    Raises:
        UserError: If the source cannot be read, or knows no token. `DataFormatError` if a file is malformed.
    """
    from_file = Path(source).is_file()
    rows, matrix = read_word_vectors(Path(source)) if from_file else _read_encoder(source)
    composed: dict[str, int] = {}
    for word, row in sorted(rows.items(), key=lambda item: item[1]):  # frequent words come first, and count
        composed.setdefault(normalize("NFC", word), row)

    without = {tokenizer.pad_token_id, *(tokenizer.all_special_ids if from_file else [])}
    found: dict[int, int] = {}
    for token, index in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1]):
        spellings = [token, token.removeprefix(CONTINUATION)] if from_file else [token]
        known = [composed[word] for word in (normalize("NFC", word) for word in spellings) if word in composed]
        if known and index not in without:
            found[index] = known[0]
    if not set(found).difference(tokenizer.all_special_ids):
        example = ", ".join(repr(word) for word in list(composed)[:5])
        raise UserError(f"{source}: no token of the vocabulary has a vector there; it begins with {example}.")
    vectors = matrix[list(found.values())].float()
    if not vectors.isfinite().all():
        first = list(found)[int(vectors.isfinite().all(dim=1).int().argmin())]
        raise UserError(
            f"{source}: the vector of {tokenizer.convert_ids_to_tokens(first)!r} holds what is no finite number."
        )
    return PretrainedEmbeddings(vectors, list(found), len(tokenizer), frozenset(untagged_token_ids(tokenizer)))


@torch.no_grad()
def set_embeddings(model: PreTrainedModel, embeddings: PretrainedEmbeddings, *, trained: bool) -> None:
    """Copy vectors into the input embeddings of a model.

    Tokens without a vector keep their random one, scaled to the standard deviation of the others; padding stays 0.

    Args:
        model: A model with fresh weights.
        embeddings: Vectors for its vocabulary.
        trained: Whether training changes the embeddings. If not, the whole matrix is frozen, and tokens without a
            vector stay random.

    Raises:
        ValueError: If the vectors do not fit the matrix.
    """
    matrix = model.get_input_embeddings()
    assert isinstance(matrix, nn.Embedding)
    expected = (embeddings.vocab_size, embeddings.width)
    if matrix.weight.shape != expected:
        raise ValueError(f"The embeddings of the model must be {expected}, got {tuple(matrix.weight.shape)}.")
    random = torch.ones(embeddings.vocab_size, dtype=torch.bool, device=matrix.weight.device)
    random[embeddings.token_ids] = False
    if matrix.padding_idx is not None:
        random[matrix.padding_idx] = False
        matrix.weight[matrix.padding_idx] = 0
    if random.any():
        fresh = matrix.weight[random]
        # rows that are all 0 stay so
        spread = fresh.std(correction=0).clamp(min=torch.finfo(fresh.dtype).tiny)
        matrix.weight[random] = fresh * (embeddings.vectors.std(correction=0).to(fresh) / spread)
    matrix.weight[embeddings.token_ids] = embeddings.vectors.to(matrix.weight)
    matrix.requires_grad_(trained)


def _read_encoder(source: str) -> tuple[dict[str, int], Tensor]:
    """Return the row of each token, and the input embeddings, `(tokens, width)`, of an encoder."""
    is_folder = Path(source).is_dir()
    if is_folder:
        check_model_folder(Path(source))
    else:
        check_name(source, expected="file or folder")
    try:
        with without_waiting_for_the_hub(source):
            tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
            encoder, notes = AutoModel.from_pretrained(
                source, use_safetensors=True, trust_remote_code=False, dtype=torch.float32, output_loading_info=True
            )
    except (OSError, ValueError, RuntimeError) as error:
        if is_folder:
            raise UserError(f"{source}: {one_line(error)}") from error
        raise UserError(
            f"The embeddings {source!r} are in no such file or folder and could not be fetched from the Hub as "
            f"safetensors ({type(error).__name__}). Connect to the network, or give a file of vectors or the folder "
            "of an encoder."
        ) from error
    weight = encoder.get_input_embeddings().weight
    if any(parameter is weight and name in notes["missing_keys"] for name, parameter in encoder.named_parameters()):
        raise UserError(f"{source}: it holds no input embeddings.")
    # a tokenizer may know tokens that were added after the training of the encoder
    return {token: row for token, row in tokenizer.get_vocab().items() if row < len(weight)}, weight.detach()
