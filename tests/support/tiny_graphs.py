"""Tiny random models of every kind that has an ONNX graph."""

import random
from collections.abc import Callable

import torch

from malmoi.modeling import (
    BiLstmConfig,
    BiLstmCrfConfig,
    BiLstmCrfForTokenClassification,
    BiLstmForSequenceClassification,
)

LABELS = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]
VOCABULARY = 40
SIZES = {"vocab_size": VOCABULARY, "embedding_size": 6, "hidden_size": 8}
NGRAMS = {"ngram_sizes": [2, 3], "ngram_vocab_size": 31, "ngram_embedding_size": 4}
Tagger = BiLstmCrfForTokenClassification


def tagger(*, labels: list[str] = LABELS, **settings: object) -> Tagger:
    """Return a random BiLSTM-CRF."""
    torch.manual_seed(0)
    named = {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}
    return Tagger(BiLstmCrfConfig(**{**SIZES, **named, **settings})).eval()


def classifier(**settings: object) -> BiLstmForSequenceClassification:
    """Return a random classifier of three classes."""
    torch.manual_seed(0)
    return BiLstmForSequenceClassification(
        BiLstmConfig(**{**SIZES, "id2label": dict(enumerate("abc")), **settings})
    ).eval()


def tagger_with_lexicon(*, token_length: int, classes: int, longest: int, words: int = 60) -> Tagger:
    """Return a tagger that knows words of few letters, so that many lie over each text, of which it has embeddings."""
    settings = {
        "lexicon_classes": [f"class {index}" for index in range(classes)],
        "lexicon_vocab_size": VOCABULARY + 8,
        "lexicon_token_length": token_length,
        "lexicon_embedding_size": 5,
        "unk_token_id": 1,
    }
    model = tagger(**settings)
    assert model.lexicon is not None
    draw = random.Random(0)
    for token in range(2, VOCABULARY + 8):
        characters = [draw.choice([0, 32, 97, 98, 99, 1]) for _ in range(token_length)]
        model.lexicon.token_characters[token] = torch.tensor([97 if token % 3 else 98, *characters][:token_length])
    model.lexicon.token_characters[2:4, 0] = 32
    drawn = [tuple(draw.choices([97, 98, 99], k=draw.randint(1, longest))) for _ in range(words)]
    model.lexicon.add_words({word: draw.randrange(1, 1 << classes) for word in drawn})
    return model


KINDS: dict[str, Callable[[], Tagger | BiLstmForSequenceClassification]] = {
    "tagger": tagger,
    "tagger that reads neighbours": lambda: tagger(classifier_hidden_size=7, classifier_window=5),
    "tagger without constraints": lambda: tagger(bio_constraints=False),
    "spacer": lambda: tagger(labels=["B", "I"]),
    "tagger of one label": lambda: tagger(labels=["O"]),
    "tagger with n-grams": lambda: tagger(**NGRAMS),
    "tagger with three layers": lambda: tagger(num_hidden_layers=3),
    "tagger with untagged tokens": lambda: tagger(untagged_token_ids=[0, 2, 3, 4]),
    "tagger with a lexicon": lambda: tagger_with_lexicon(token_length=1, classes=8, longest=7),
    "tagger with a lexicon of few words": lambda: tagger_with_lexicon(token_length=1, classes=2, longest=2, words=2),
    "tagger with a lexicon of single characters": lambda: tagger_with_lexicon(token_length=1, classes=3, longest=1),
    "tagger with a lexicon of no words": lambda: tagger_with_lexicon(token_length=1, classes=2, longest=2, words=0),
    "tagger with a lexicon of long tokens": lambda: tagger_with_lexicon(token_length=3, classes=11, longest=5),
    "classifier": lambda: classifier(**NGRAMS),
    "classifier by the greatest": lambda: classifier(pooling="max", num_hidden_layers=2),
}
