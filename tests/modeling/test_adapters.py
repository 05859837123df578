"""Adapters of PEFT: a CRF, and the pooling of a classifier, are part of the head, trained and saved with them."""

from pathlib import Path

import pytest
import torch
from transformers import BertConfig

from malmoi.modeling import (
    BiLstmConfig,
    BiLstmCrfConfig,
    BiLstmCrfForTokenClassification,
    BiLstmForSequenceClassification,
    EncoderCrfConfig,
    EncoderCrfForTokenClassification,
)

peft = pytest.importorskip("peft")
# of transformers, about names that PEFT uses
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

LABELS = dict(enumerate(["B-PS", "I-PS", "O"]))
IDS = torch.tensor([[5, 6, 7, 8, 9, 3], [9, 5, 6, 4, 0, 0]])
MASK = (IDS != 0).long()
GOLD = torch.tensor([[0, 1, 2, 2, 0, 0], [2, 0, 1, 1, -100, -100]])


def build_encoder() -> EncoderCrfForTokenClassification:
    torch.manual_seed(0)
    encoder = BertConfig(vocab_size=40, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    return EncoderCrfForTokenClassification(EncoderCrfConfig(encoder_config=encoder, id2label=LABELS))


@pytest.mark.parametrize("modules_to_save", [None, ["crf"], ["classifier"], ["classifier", "crf"]])
def test_an_adapter_for_token_classification_trains_saves_and_loads_the_crf(
    modules_to_save: list[str] | None, tmp_path: Path, heard: pytest.LogCaptureFixture
) -> None:
    settings = peft.LoraConfig(
        task_type=peft.TaskType.TOKEN_CLS, target_modules=["query", "value"], modules_to_save=modules_to_save
    )
    adapted = peft.get_peft_model(build_encoder(), settings)
    trained = {name for name, parameter in adapted.named_parameters() if parameter.requires_grad}
    assert sum("crf" in name for name in trained) == 3
    assert sum("classifier" in name for name in trained) == 2
    optimizer = torch.optim.SGD([p for p in adapted.parameters() if p.requires_grad], lr=1.0)
    for _ in range(3):
        optimizer.zero_grad()
        adapted(input_ids=IDS, attention_mask=MASK, labels=GOLD).loss.backward()
        optimizer.step()
    assert "frozen" not in heard.text
    adapted.eval()
    expected = adapted(input_ids=IDS, attention_mask=MASK)
    adapted.save_pretrained(tmp_path)
    loaded = peft.PeftModel.from_pretrained(build_encoder(), tmp_path).eval()
    actual = loaded(input_ids=IDS, attention_mask=MASK)
    torch.testing.assert_close(actual.logits, expected.logits)
    drawn = build_encoder().crf.transitions
    merged = loaded.merge_and_unload()
    assert (merged.crf.transitions - drawn).abs().max() > 0.1
    torch.testing.assert_close(merged(IDS, MASK).logits, expected.logits)


OF_LEXICON = {
    "lexicon_classes": ["person"],
    "lexicon_sizes": [1],
    "lexicon_vocab_size": 40,
    "lexicon_embedding_size": 4,
}
LSTM = {"vocab_size": 40, "embedding_size": 6, "hidden_size": 8, **OF_LEXICON}
HEADS = {
    "encoder with a CRF": build_encoder,
    "layers over neighbours and a CRF": lambda: BiLstmCrfForTokenClassification(
        BiLstmCrfConfig(**LSTM, classifier_hidden_size=5, id2label=LABELS)
    ),
    "attention pooling": lambda: BiLstmForSequenceClassification(BiLstmConfig(**LSTM)),
    "max pooling": lambda: BiLstmForSequenceClassification(BiLstmConfig(**LSTM, pooling="max")),
}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("kind", ["IA3Config", "LoHaConfig", "LoraConfig"])
def test_an_adapter_of_any_kind_is_merged_with_the_head_that_it_trained(kind: str, head: str) -> None:
    model = HEADS[head]()
    task, gold = ("SEQ_CLS", torch.tensor([0, 1])) if "pooling" in head else ("TOKEN_CLS", GOLD)
    targets = ["value"] if head.startswith("encoder") else ["projection"]
    feedforward = {"feedforward_modules": []} if kind == "IA3Config" else {}
    adapted = peft.get_peft_model(model, getattr(peft, kind)(task_type=task, target_modules=targets, **feedforward))
    optimizer = torch.optim.SGD([p for p in adapted.parameters() if p.requires_grad], lr=0.1)
    adapted.train()(input_ids=IDS, attention_mask=MASK, labels=gold).loss.backward()
    optimizer.step()
    expected = adapted.eval()(input_ids=IDS, attention_mask=MASK).logits
    torch.testing.assert_close(adapted.merge_and_unload()(IDS, MASK).logits, expected)


def test_an_adapter_follows_labels_that_are_set_late() -> None:
    adapted = peft.get_peft_model(
        build_encoder(), peft.LoraConfig(task_type=peft.TaskType.TOKEN_CLS, target_modules=["query", "value"])
    )
    adapted.base_model.model.config.id2label = {0: "O", 1: "B-PS", 2: "I-PS"}
    with pytest.raises(ValueError, match="forbidden"):
        adapted(input_ids=IDS, attention_mask=MASK, labels=torch.full_like(IDS, 2))


def test_an_adapter_that_leaves_the_crf_out_is_pointed_out_in_training(heard: pytest.LogCaptureFixture) -> None:
    adapted = peft.get_peft_model(build_encoder(), peft.LoraConfig(target_modules=["query", "value"])).train()
    adapted(input_ids=IDS, attention_mask=MASK, labels=GOLD)
    assert 'modules_to_save=["classifier", "crf"]' in heard.text


def build_classifier(*, seed: int) -> BiLstmForSequenceClassification:
    """Return a classifier with the embeddings and the LSTM of a body, and a head that is drawn by the seed."""
    torch.manual_seed(seed)
    model = BiLstmForSequenceClassification(BiLstmConfig(vocab_size=40, embedding_size=6, hidden_size=8))
    generator = torch.Generator().manual_seed(0)
    for parameter in [*model.embeddings.parameters(), *model.lstm.parameters()]:
        torch.nn.init.normal_(parameter, generator=generator)
    return model


@pytest.mark.parametrize("modules_to_save", [None, ["pooling"], ["classifier", "pooling"]])
def test_an_adapter_for_classes_of_texts_trains_saves_and_loads_the_pooling(
    modules_to_save: list[str] | None, tmp_path: Path
) -> None:
    settings = peft.LoraConfig(
        task_type=peft.TaskType.SEQ_CLS, target_modules=["word_embeddings"], modules_to_save=modules_to_save
    )
    adapted = peft.get_peft_model(build_classifier(seed=1), settings)
    adapted(input_ids=IDS, attention_mask=MASK, labels=torch.tensor([0, 1])).loss.backward()
    trained = {name for name, parameter in adapted.named_parameters() if parameter.grad is not None}
    assert sum("pooling" in name for name in trained) == 1
    adapted.eval()
    adapted.save_pretrained(tmp_path)
    loaded = peft.PeftModel.from_pretrained(build_classifier(seed=2), tmp_path).eval()
    expected = adapted(input_ids=IDS, attention_mask=MASK).logits
    torch.testing.assert_close(loaded(input_ids=IDS, attention_mask=MASK).logits, expected)
    torch.testing.assert_close(loaded.merge_and_unload()(IDS, MASK).logits, expected)


def test_an_adapter_on_the_query_of_the_pooling_is_left_as_asked_for(tmp_path: Path) -> None:
    settings = peft.LoraConfig(task_type=peft.TaskType.SEQ_CLS, target_modules=["query"])
    adapted = peft.get_peft_model(build_classifier(seed=1), settings).eval()
    adapted.save_pretrained(tmp_path)
    loaded = peft.PeftModel.from_pretrained(build_classifier(seed=1), tmp_path).eval()
    expected = adapted(input_ids=IDS, attention_mask=MASK).logits
    torch.testing.assert_close(loaded(input_ids=IDS, attention_mask=MASK).logits, expected)


def build_tagger_that_reads_neighbours() -> BiLstmCrfForTokenClassification:
    torch.manual_seed(0)
    sizes = {"vocab_size": 40, "embedding_size": 6, "hidden_size": 8, "classifier_hidden_size": 5}
    return BiLstmCrfForTokenClassification(BiLstmCrfConfig(**sizes, id2label=LABELS))


def test_the_layers_over_neighbours_are_trained_and_saved_with_the_head(tmp_path: Path) -> None:
    settings = peft.LoraConfig(task_type=peft.TaskType.TOKEN_CLS, target_modules=["word_embeddings"], r=2)
    adapted = peft.get_peft_model(build_tagger_that_reads_neighbours(), settings)
    optimizer = torch.optim.SGD([p for p in adapted.parameters() if p.requires_grad], lr=1.0)
    adapted(input_ids=IDS, attention_mask=MASK, labels=GOLD).loss.backward()
    optimizer.step()
    expected = adapted.eval()(input_ids=IDS, attention_mask=MASK).logits
    adapted.save_pretrained(tmp_path)
    trained, drawn = (model.window_classifier.hidden for model in (adapted, build_tagger_that_reads_neighbours()))
    assert (trained.weight - drawn.weight).any()
    loaded = peft.PeftModel.from_pretrained(build_tagger_that_reads_neighbours(), tmp_path)
    torch.testing.assert_close(loaded.merge_and_unload().eval()(IDS, MASK).logits, expected)


@pytest.mark.parametrize("settings", [{"task_type": "TOKEN_CLS"}, {"modules_to_save": ["classifier", "crf"]}])
def test_an_adapter_in_what_is_trained_whole_is_refused_before_the_training(settings: dict) -> None:
    # PEFT would stop with the name of a weight when the adapter is saved
    with pytest.raises(ValueError, match="trains a `window_classifier` whole: leave its layers out"):
        peft.get_peft_model(
            build_tagger_that_reads_neighbours(),
            peft.LoraConfig(target_modules=["word_embeddings", "hidden"], r=2, **settings),
        )


def test_an_adapter_on_the_layers_over_neighbours_is_left_as_asked_for(tmp_path: Path) -> None:
    settings = peft.LoraConfig(target_modules=["hidden"], modules_to_save=["crf"], r=2)
    adapted = peft.get_peft_model(build_tagger_that_reads_neighbours(), settings)
    trained = [name for name, parameter in adapted.named_parameters() if parameter.requires_grad]
    assert sum("window_classifier.hidden.lora" in name for name in trained) == 2
    adapted.save_pretrained(tmp_path)
