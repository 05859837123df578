"""Configuration of the BiLSTM classifier of texts, and of a BiLSTM body.

Written by malmoi 0.1.0 into every saved BiLSTM classifier and body.
"""

from dataclasses import field
from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig

from .model_settings import LstmSettings, refuse_misspelt_settings

POOLINGS = ("attention", "max")


@strict
class BiLstmConfig(LstmSettings, PreTrainedConfig):
    r"""Settings of `BiLstmForSequenceClassification` and `BiLstmModel`.

    Args:
        vocab_size (`int`): Number of token ids of the tokenizer.
        embedding_size (`int`): Width of a token embedding.
        hidden_size (`int`): Width of the LSTM output, both directions together. Must be even.
        num_hidden_layers (`int`): Number of bidirectional LSTM layers.
        ngram_sizes (`list[int]`): Lengths of the token n-grams that are embedded beside each token. The n-gram at a
            position ends there; it is found by hashing token ids, so it needs no vocabulary and no other tokenizer.
            Each length is at least 2.
        ngram_vocab_size (`int`): Number of hash buckets, for each n-gram length.
        ngram_embedding_size (`int`): Width of an n-gram embedding, for each n-gram length.
        lexicon_classes (`list[str]`): Classes of the words of a lexicon, such as persons and places. Each token then
            has, beside its embedding, dictionary features: which classes the words over it belong to, and where in
            them it stands. None by default.
        lexicon_labels (`dict[str, str]`): The class of a word that is added for a label: `{"PS": "person"}`.
        lexicon_sizes (`list[int]`): Number of words of one character, of two, and so on.
        lexicon_vocab_size (`int`): Number of token ids whose characters the lexicon knows; those from `vocab_size` on
            have no embedding of their own, and are the unknown token everywhere else.
        lexicon_token_length (`int`): Number of characters of the longest token.
        lexicon_embedding_size (`int`): Width of the embedded dictionary features.
        lexicon_dropout (`float`): Dropout on the embedded dictionary features.
        token_dropout (`float`): Probability with which a token id is replaced by `unk_token_id` in training, before
            n-grams are formed.
        embedding_dropout (`float`): Dropout on the concatenated embeddings.
        hidden_dropout (`float`): Dropout on the output of every LSTM layer.
        initializer_range (`float`): Standard deviation of freshly drawn embeddings.
        pooling (`str`): How the hidden states of a text become one: `"attention"` for their mean, weighted by a
            learned query, or `"max"` for the greatest value of each component.
        unk_token_id (`int`, *optional*): Id of the unknown token. Needed only for `token_dropout`.
    """

    model_type = "bilstm"
    keys_to_ignore_at_inference = ["hidden_states", "attentions"]

    vocab_size: int = 32000
    embedding_size: int = 768
    hidden_size: int = 256
    num_hidden_layers: int = 1
    ngram_sizes: list[int] = field(default_factory=list)
    ngram_vocab_size: int = 32768
    ngram_embedding_size: int = 64
    lexicon_classes: list[str] = field(default_factory=list)
    lexicon_labels: dict[str, str] = field(default_factory=dict)
    lexicon_sizes: list[int] = field(default_factory=list)
    lexicon_vocab_size: int = 0
    lexicon_token_length: int = 1
    lexicon_embedding_size: int = 96
    lexicon_dropout: float | int = 0.2
    token_dropout: float | int = 0.0
    embedding_dropout: float | int = 0.0
    hidden_dropout: float | int = 0.0
    initializer_range: float | int = 1.0
    pooling: str = "attention"
    pad_token_id: int | None = 0
    unk_token_id: int | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        refuse_misspelt_settings(type(self), kwargs)
        # `save_pretrained` of a model writes only the entry of its own Auto class; the rest must already be there.
        kwargs.setdefault(
            "auto_map",
            {
                "AutoConfig": "configuration_bilstm.BiLstmConfig",
                "AutoModel": "modeling_bilstm.BiLstmForSequenceClassification",
                "AutoModelForSequenceClassification": "modeling_bilstm.BiLstmForSequenceClassification",
            },
        )
        super().__post_init__(**kwargs)
        # of the models that have this configuration, `AutoModel` takes the one that is named here
        self.architectures = self.architectures or ["BiLstmForSequenceClassification"]

    def validate_classifier(self) -> None:
        """Check what stands on top of the LSTM."""
        if self.pooling not in POOLINGS:
            raise ValueError(f"`pooling` must be one of {', '.join(POOLINGS)}, got {self.pooling!r}.")
        if self.problem_type not in (None, "single_label_classification"):
            raise ValueError(f"A text has one label: `problem_type` cannot be {self.problem_type!r}.")
        self.label_names()


BiLstmConfig.register_for_auto_class()

__all__ = ["BiLstmConfig"]
