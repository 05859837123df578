import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForTokenClassification, PreTrainedTokenizerFast, TokenClassificationPipeline

from malmoi.modeling import BiLstmCrfForTokenClassification
from malmoi.modeling.pipeline_crf_token_classification import CrfTokenClassificationPipeline

MakeModel = Callable[..., BiLstmCrfForTokenClassification]

ODD_TEXTS = [
    "",
    " ",
    "   \n\t ",
    "손흥민은 춘천에서 태어났다.",
    unicodedata.normalize("NFD", "손흥민은 춘천에서 태어났다."),
    "👨‍👩‍👧 손흥민 🇰🇷👍🏽",
    "가\x00나",
    "龜龜龜龜",
    "<손흥민:PS> [PAD] [UNK]",
    "손\u200b흥\ufeff민",
]


@pytest.fixture
def tagger(make_model: MakeModel, syllable_tokenizer: PreTrainedTokenizerFast) -> CrfTokenClassificationPipeline:
    model = make_model(vocab_size=len(syllable_tokenizer))
    return CrfTokenClassificationPipeline(model=model, tokenizer=syllable_tokenizer)


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_offsets_point_into_the_untouched_text_and_nothing_is_lost(
    tagger: CrfTokenClassificationPipeline, text: str
) -> None:
    for strategy in ("none", "simple"):
        entities = tagger(text, aggregation_strategy=strategy, ignore_labels=[])
        assert "".join(entity["word"] for entity in entities) == text
        assert all(text[entity["start"] : entity["end"]] == entity["word"] for entity in entities)
        assert all(type(entity["score"]) is float and 0 <= entity["score"] <= 1 for entity in entities)


def test_tags_are_viterbi_and_scores_posteriors(
    tagger: CrfTokenClassificationPipeline, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    text = "손흥민은 춘천에서 태어났다."
    output = tagger.model(**syllable_tokenizer(text, return_tensors="pt"))
    entities = tagger(text, ignore_labels=[])
    labels = tagger.model.config.id2label
    assert [entity["entity"] for entity in entities] == [labels[int(tag)] for tag in output.predictions[0]]
    probabilities = output.logits[0].exp().gather(1, output.predictions[0][:, None])[:, 0]
    assert [entity["score"] for entity in entities] == pytest.approx(probabilities.tolist(), abs=1e-6)


def test_the_stock_pipeline_gives_true_probabilities(
    make_model: MakeModel, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    model = make_model(vocab_size=len(syllable_tokenizer))
    stock = TokenClassificationPipeline(model=model, tokenizer=syllable_tokenizer)
    text = "손흥민은 춘천에서"
    encoded = syllable_tokenizer(text, return_tensors="pt")
    marginals = model.crf.marginals(
        model._emissions(**encoded.data | {"attention_mask": encoded["attention_mask"].bool()}),
        encoded["attention_mask"],
    )
    scores = [entity["score"] for entity in stock(text, ignore_labels=[])]
    np.testing.assert_allclose(scores, marginals[0].amax(-1).detach().numpy(), atol=1e-6)


def test_batches_give_the_same_answers_as_single_texts(tagger: CrfTokenClassificationPipeline) -> None:
    texts = [*ODD_TEXTS, "손흥민은 " * 40]
    together = tagger(texts, aggregation_strategy="simple", batch_size=4)
    for text, entities in zip(texts, together):
        alone = tagger(text, aggregation_strategy="simple")
        assert [(e["start"], e["end"], e["entity_group"]) for e in entities] == [
            (e["start"], e["end"], e["entity_group"]) for e in alone
        ]


def test_words_keep_their_places_when_the_text_is_split(tagger: CrfTokenClassificationPipeline) -> None:
    words = ["손흥민은", "춘천에서"]
    entities = tagger(words, is_split_into_words=True, ignore_labels=[])[0]
    sentence = " ".join(words)
    assert all(sentence[entity["start"] : entity["end"]] == entity["word"] for entity in entities)
    assert "".join(entity["word"] for entity in entities) == "".join(words)


@pytest.mark.parametrize("strategy", ["first", "average", "max"])
def test_strategies_that_swallow_josa_are_refused(tagger: CrfTokenClassificationPipeline, strategy: str) -> None:
    with pytest.raises(ValueError, match=f'"{strategy}"` widens names to whole words and takes in the josa'):
        tagger("손흥민은", aggregation_strategy=strategy)


def test_a_text_longer_than_the_tokenizer_s_limit_is_not_cut(
    make_model: MakeModel, wordpiece_tokenizer: PreTrainedTokenizerFast
) -> None:
    model = make_model(vocab_size=len(wordpiece_tokenizer), untagged_token_ids=[0, 2, 3, 4])
    tagger = CrfTokenClassificationPipeline(model=model, tokenizer=wordpiece_tokenizer)
    text = "손흥민은 춘천에서 태어났다. " * 30
    entities = tagger(text, ignore_labels=[])
    assert len(entities) > wordpiece_tokenizer.model_max_length
    assert entities[-1]["end"] == len(text.rstrip())
    assert wordpiece_tokenizer.model_max_length == 16  # the user's own tokenizer is left as it was


def test_special_tokens_are_no_entities(make_model: MakeModel, wordpiece_tokenizer: PreTrainedTokenizerFast) -> None:
    model = make_model(vocab_size=len(wordpiece_tokenizer), untagged_token_ids=[0, 2, 3, 4])
    with torch.no_grad():
        model.classifier.bias[0] += 50  # everything is B-PS
    tagger = CrfTokenClassificationPipeline(model=model, tokenizer=wordpiece_tokenizer)
    assert tagger("") == []
    assert [entity["word"] for entity in tagger("손")] == ["손"]


@pytest.mark.slow
def test_a_hundred_thousand_characters_in_one_line(tagger: CrfTokenClassificationPipeline) -> None:
    text = "손흥민은 춘천에서 태어났다. " * 6250
    entities = tagger(text, aggregation_strategy="simple", ignore_labels=[])
    assert len(text) == 100_000
    assert "".join(entity["word"] for entity in entities) == text
    period = len("손흥민은 춘천에서 태어났다. ")
    in_middle = {(e["start"] % period, e["entity_group"]) for e in entities if 40_000 < e["start"] < 60_000}
    assert in_middle <= {(e["start"] % period, e["entity_group"]) for e in entities if 20_000 < e["start"] < 40_000}


def test_loading_by_name_gives_this_pipeline(saved_model: Path) -> None:
    from transformers import pipeline

    tagger = pipeline("token-classification", model=str(saved_model), trust_remote_code=True)
    assert type(tagger).__name__ == "CrfTokenClassificationPipeline"
    assert isinstance(AutoModelForTokenClassification.from_pretrained(saved_model), BiLstmCrfForTokenClassification)
