"""What the configurations of all BiLSTM architectures check alike.

This file travels with every saved model, so it imports nothing of malmoi.
"""


class LstmSettings:
    """Checks of a configuration whose fields are those of the embeddings and the LSTM."""

    vocab_size: int
    embedding_size: int
    hidden_size: int
    num_hidden_layers: int
    ngram_sizes: list[int]
    ngram_vocab_size: int
    ngram_embedding_size: int
    token_dropout: float | int
    embedding_dropout: float | int
    hidden_dropout: float | int
    unk_token_id: int | None

    def validate_sizes(self) -> None:
        """Check that every count and width can be built."""
        for name in ("vocab_size", "embedding_size", "hidden_size", "num_hidden_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1, got {getattr(self, name)}.")
        if self.hidden_size % 2:
            raise ValueError(f"`hidden_size` holds two directions and must be even, got {self.hidden_size}.")
        if any(size < 2 for size in self.ngram_sizes):
            raise ValueError(f"Every entry of `ngram_sizes` must be at least 2, got {self.ngram_sizes}.")
        if self.ngram_sizes and (self.ngram_vocab_size < 1 or self.ngram_embedding_size < 1):
            raise ValueError(
                "`ngram_vocab_size` and `ngram_embedding_size` must be at least 1, "
                f"got {self.ngram_vocab_size} and {self.ngram_embedding_size}."
            )

    def validate_dropouts(self) -> None:
        """Check that every dropout is a probability."""
        for name in ("token_dropout", "embedding_dropout", "hidden_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 0 and below 1, got {getattr(self, name)}.")
        if self.token_dropout and self.unk_token_id is None:
            raise ValueError("`token_dropout` replaces tokens by the unknown token and needs `unk_token_id`.")


__all__ = ["LstmSettings"]
