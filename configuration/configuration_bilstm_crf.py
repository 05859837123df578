"""Configuration of the BiLSTM-CRF tagger.

This file travels with every saved model, so it imports nothing of malmoi.
"""

import difflib
from dataclasses import field
from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig

CRF_IMPLEMENTATIONS = ("torch", "pytorch-crf")


@strict
class BiLstmCrfConfig(PreTrainedConfig):
    r"""Settings of `BiLstmCrfForTokenClassification`. The defaults are those of the published BiLSTM-CRF on KLUE NER.

    Args:
        vocab_size (`int`, *optional*, defaults to 32000):
            Number of token ids of the tokenizer.
        embedding_size (`int`, *optional*, defaults to 768):
            Width of a token embedding.
        hidden_size (`int`, *optional*, defaults to 256):
            Width of the LSTM output, both directions together. Must be even.
        num_hidden_layers (`int`, *optional*, defaults to 1):
            Number of bidirectional LSTM layers.
        ngram_sizes (`list[int]`, *optional*, defaults to `[]`):
            Lengths of the token n-grams that are embedded beside each token. The n-gram at a position ends there; it
            is found by hashing token ids, so it needs no vocabulary and no other tokenizer. Each length is at least 2.
        ngram_vocab_size (`int`, *optional*, defaults to 32768):
            Number of hash buckets of each n-gram length.
        ngram_embedding_size (`int`, *optional*, defaults to 64):
            Width of an n-gram embedding, for each n-gram length.
        token_dropout (`float`, *optional*, defaults to 0.0):
            Probability with which a token id is replaced by `unk_token_id` in training, before n-grams are formed.
        embedding_dropout (`float`, *optional*, defaults to 0.0):
            Dropout on the concatenated embeddings.
        hidden_dropout (`float`, *optional*, defaults to 0.0):
            Dropout on the output of every LSTM layer.
        initializer_range (`float`, *optional*, defaults to 1.0):
            Standard deviation of freshly drawn embeddings.
        bio_constraints (`bool`, *optional*):
            Whether the CRF forbids `I-X` anywhere but after `B-X` or `I-X`, in training and decoding. `None` means:
            yes if the labels are a BIO set, no otherwise.
        crf_implementation (`str`, *optional*, defaults to `"torch"`):
            `"torch"`, or `"pytorch-crf"` for the reference library (same parameters, slower).
        untagged_token_ids (`list[int]`, *optional*, defaults to `[]`):
            Token ids that carry no tag, such as `[CLS]` and `[SEP]`. The CRF leaves their positions out of its chain,
            in training and in prediction alike.
        unk_token_id (`int`, *optional*):
            Id of the unknown token. Needed only for `token_dropout`.
    """

    model_type = "bilstm_crf"
    keys_to_ignore_at_inference = ["logits"]

    vocab_size: int = 32000
    embedding_size: int = 768
    hidden_size: int = 256
    num_hidden_layers: int = 1
    ngram_sizes: list[int] = field(default_factory=list)
    ngram_vocab_size: int = 32768
    ngram_embedding_size: int = 64
    token_dropout: float | int = 0.0
    embedding_dropout: float | int = 0.0
    hidden_dropout: float | int = 0.0
    initializer_range: float | int = 1.0
    bio_constraints: bool | None = None
    crf_implementation: str = "torch"
    untagged_token_ids: list[int] = field(default_factory=list)
    pad_token_id: int | None = 0
    unk_token_id: int | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        self._refuse_misspelt_settings(kwargs)
        # `save_pretrained` of a model writes only the entry of its own Auto class; the rest must already be there.
        kwargs.setdefault(
            "auto_map",
            {
                "AutoConfig": "configuration_bilstm_crf.BiLstmCrfConfig",
                "AutoModel": "modeling_bilstm_crf.BiLstmCrfForTokenClassification",
                "AutoModelForTokenClassification": "modeling_bilstm_crf.BiLstmCrfForTokenClassification",
            },
        )
        kwargs.setdefault(
            "custom_pipelines",
            {
                "token-classification": {
                    "impl": "pipeline_crf_token_classification.CrfTokenClassificationPipeline",
                    "pt": ["AutoModelForTokenClassification"],
                }
            },
        )
        super().__post_init__(**kwargs)

    @classmethod
    def _refuse_misspelt_settings(cls, unknown: dict[str, Any]) -> None:
        """Raise for an unknown keyword that looks like one of ours; transformers would keep it without a word."""
        known = [name for name in BiLstmCrfConfig.__annotations__]
        for name in unknown:
            match = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
            if match:
                raise ValueError(f"BiLstmCrfConfig has no setting `{name}`; did you mean `{match[0]}`?")

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

    def validate_crf(self) -> None:
        """Check the CRF's settings against the label set."""
        if self.crf_implementation not in CRF_IMPLEMENTATIONS:
            raise ValueError(
                f"`crf_implementation` must be one of {', '.join(CRF_IMPLEMENTATIONS)}, "
                f"got {self.crf_implementation!r}."
            )
        if self.bio_constraints and not self.labels_are_bio():
            raise ValueError(
                "`bio_constraints=True` needs labels of the form O, B-X, I-X with a B-X for every I-X, "
                f"got {self.label_names()}."
            )

    def label_names(self) -> list[str]:
        """Return the labels in the order of their ids."""
        names = self.id2label or {}
        return [str(name) for _, name in sorted(names.items())]

    def outside_label_id(self) -> int | None:
        """Return the id of the label `O`; `None` if there is none."""
        names = self.label_names()
        return names.index("O") if "O" in names else None

    def labels_are_bio(self) -> bool:
        """Tell whether the labels are a BIO set: `O`, `B-X` and `I-X`, with a `B-X` for every `I-X`."""
        names = set(self.label_names())
        return (
            any(name.startswith("B-") for name in names)
            and all(name == "O" or name[:2] in ("B-", "I-") for name in names)
            and all("B-" + name[2:] in names for name in names if name.startswith("I-"))
        )

    def forbidden_transitions(self) -> tuple[list[bool], list[list[bool]]]:
        """Return what the CRF must never do, as a pair of truth tables.

        Returns:
            Which tags may not start a sentence, `(tags,)`, and which tag may not follow which,
            `(previous tag, next tag)`. All `False` without BIO constraints.
        """
        names = self.label_names()
        constrained = self.labels_are_bio() if self.bio_constraints is None else self.bio_constraints
        is_inside = [constrained and name.startswith("I-") for name in names]
        between = [
            [inside and not (previous != "O" and previous[2:] == name[2:]) for name, inside in zip(names, is_inside)]
            for previous in names
        ]
        return is_inside, between


BiLstmCrfConfig.register_for_auto_class()

__all__ = ["BiLstmCrfConfig"]
