"""Tiny models and tokenizers that are made by code, for tests of what uses saved models."""

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertTokenizerFast,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    XLMRobertaTokenizerFast,
)

from malmoi.data.word_spacing import SPACING_LABELS
from malmoi.modeling import BiLstmCrfConfig, BiLstmCrfForTokenClassification

SENTENCES = ["손흥민은 춘천에서 태어났다.", "비가 와서 집에 있었다 abc.", "그는 서울로 갔다!"] * 3
BERT_SIZES = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 12}


def bert_tokenizer() -> BertTokenizerFast:
    """Return a tokenizer of the class of BERT that knows single characters, `##` before those that continue a word."""
    characters = sorted(set("".join(SENTENCES).replace(" ", "")))
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *(f"##{c}" for c in characters)]
    return BertTokenizerFast(vocab={token: index for index, token in enumerate(tokens)}, do_lower_case=False)


def byte_level_tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer like that of RoBERTa, for which a syllable is up to three pieces."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=290,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, cls_token="<s>", pad_token="<pad>", sep_token="</s>", unk_token="<unk>"
    )


def sentencepiece_tokenizer() -> XLMRobertaTokenizerFast:
    """Return a tokenizer like that of XLM-RoBERTa."""
    characters = sorted(set("".join(SENTENCES).replace(" ", "")))
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces = [("▁", -2.0), ("손흥민", -2.0), ("▁춘천", -2.0), *((character, -5.0) for character in characters)]
    return XLMRobertaTokenizerFast(vocab=[*special, *pieces, ("<mask>", 0.0)])


def label_settings(labels: Sequence[str]) -> dict[str, dict]:
    return {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}


def tiny_bert_tagger(tokenizer: PreTrainedTokenizerBase, labels: Sequence[str]) -> BertForTokenClassification:
    """Return a random tagger that reads 32 tokens at once."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=32,
        initializer_range=1.0,
        pad_token_id=tokenizer.pad_token_id,
        **BERT_SIZES,
        **label_settings(labels),
    )
    return BertForTokenClassification(config).eval()


@torch.no_grad()
def knowing_bert_tagger(
    tokenizer: PreTrainedTokenizerBase, labels: Sequence[str], label_of: dict[str, str]
) -> BertForTokenClassification:
    """Return a tagger that gives every token the label that it has in `label_of`, otherwise the last of `labels`."""
    model = tiny_bert_tagger(tokenizer, labels)
    layer = model.bert.encoder.layer[0]
    embeddings = model.bert.embeddings
    for module in (layer.attention.output.dense, layer.output.dense, model.classifier):
        module.weight.zero_()
        module.bias.zero_()
    embeddings.position_embeddings.weight.zero_()
    embeddings.token_type_embeddings.weight.zero_()
    words = torch.zeros_like(embeddings.word_embeddings.weight)
    words[:, len(labels) - 1] = 1
    for token, label in label_of.items():
        row = words[tokenizer.convert_tokens_to_ids(token)]
        row.zero_()
        row[labels.index(label)] = 1
    embeddings.word_embeddings.weight.copy_(words)
    model.classifier.weight[:, : len(labels)] = 10 * torch.eye(len(labels))
    return model


def tiny_spacing_bilstm(tokenizer: PreTrainedTokenizerBase) -> BiLstmCrfForTokenClassification:
    """Return a random BiLSTM-CRF for word spacing."""
    torch.manual_seed(0)
    config = BiLstmCrfConfig(
        vocab_size=len(tokenizer), embedding_size=6, hidden_size=8, **label_settings(SPACING_LABELS)
    )
    return BiLstmCrfForTokenClassification(config).eval()


def tiny_bert_classifier(tokenizer: PreTrainedTokenizerBase, **settings: object) -> BertForSequenceClassification:
    """Return a random classifier of three classes that reads 16 tokens at once."""
    torch.manual_seed(0)
    defaults = {"max_position_embeddings": 16, "initializer_range": 1.0, **label_settings(["나쁨", "보통", "좋음"])}
    config = BertConfig(vocab_size=len(tokenizer), **BERT_SIZES, **{**defaults, **settings})
    return BertForSequenceClassification(config).eval()


def save(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Path:
    """Save a model and its tokenizer."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
