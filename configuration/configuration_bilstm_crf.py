"""Configuration of the BiLSTM-CRF tagger. Written by malmoi 0.1.0 into every saved one."""

from dataclasses import field
from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig

from .model_settings import CrfSettings, LstmSettings, refuse_misspelt_settings


@strict
class BiLstmCrfConfig(CrfSettings, LstmSettings, PreTrainedConfig):
    r"""Settings of `BiLstmCrfForTokenClassification`. The defaults are those of the published BiLSTM-CRF on KLUE NER.

    Args:
        vocab_size (`int`): Number of token ids of the tokenizer.
        embedding_size (`int`): Width of a token embedding.
        hidden_size (`int`): Width of the LSTM output, both directions together. Must be even.
        num_hidden_layers (`int`): Number of bidirectional LSTM layers.
        ngram_sizes (`list[int]`): Lengths, at least 2, of token n-grams that are embedded where they end, by hashes.
        ngram_vocab_size (`int`): Number of hash buckets, for each n-gram length.
        ngram_embedding_size (`int`): Width of an n-gram embedding, for each n-gram length.
        lexicon_classes (`list[str]`): Classes of words of a lexicon: each token knows those of the words over it.
        lexicon_labels (`dict[str, str]`): The class of a word that is added for a label: `{"PS": "person"}`.
        lexicon_sizes (`list[int]`): Number of words of one character, of two, and so on.
        lexicon_vocab_size (`int`): Number of token ids that the lexicon knows; past `vocab_size` it does so alone.
        lexicon_token_length (`int`): Number of characters of the longest token.
        lexicon_embedding_size (`int`): Width of the embedded dictionary features.
        lexicon_dropout (`float`): Dropout on the embedded dictionary features.
        token_dropout (`float`): Probability with which training replaces a token by `unk_token_id`, in n-grams, too.
        embedding_dropout (`float`): Dropout on the concatenated embeddings.
        hidden_dropout (`float`): Dropout on the output of every LSTM layer.
        classifier_hidden_size (`int`): Width of a hidden layer over each token and its neighbours; 0 for none.
        classifier_window (`int`): Number of tokens that it reads at a time. Must be odd.
        classifier_dropout (`float`): Dropout on its output.
        initializer_range (`float`): Standard deviation of freshly drawn embeddings.
        bio_constraints (`bool`, *optional*): Whether `I-X` stands after `B-X` and `I-X` only; by default in a BIO set.
        crf_implementation (`str`): What computes the CRF where malmoi is installed: `"torch"`, `"numba"` (CPU),
            `"triton"` (CUDA), `"pytorch-crf"` (that library), or `"auto"`, the fastest of ours. All give the same.
        untagged_token_ids (`list[int]`): Token ids that carry no tag, such as `[CLS]`: no part of the CRF's chain.
        unk_token_id (`int`, *optional*): Id of the unknown token. Needed only for `token_dropout`.
    """

    model_type = "bilstm_crf"
    # what is left for the stock `Trainer` is one array, of which `compute_metrics` takes the argmax
    keys_to_ignore_at_inference = ["predictions", "marginals", "hidden_states", "attentions", "emissions"]

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
    classifier_hidden_size: int = 0
    classifier_window: int = 3
    classifier_dropout: float | int = 0.0
    initializer_range: float | int = 1.0
    bio_constraints: bool | None = None
    crf_implementation: str = "auto"
    untagged_token_ids: list[int] = field(default_factory=list)
    pad_token_id: int | None = 0
    unk_token_id: int | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        refuse_misspelt_settings(type(self), kwargs)
        # `save_pretrained` of a model writes only the entry of its own Auto class; the rest must already be there.
        model = "modeling_bilstm_crf.BiLstmCrfForTokenClassification"
        auto_map = {"AutoModel": model, "AutoModelForTokenClassification": model}
        kwargs.setdefault("auto_map", {"AutoConfig": "configuration_bilstm_crf.BiLstmCrfConfig", **auto_map})
        kwargs.setdefault("custom_pipelines", self.pipelines())
        super().__post_init__(**kwargs)


BiLstmCrfConfig.register_for_auto_class()

__all__ = ["BiLstmCrfConfig"]
