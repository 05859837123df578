"""Exported models for tests of what runs them: tiny ones that are made by code, and those of the package."""

import json
import unicodedata
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerBase

from malmoi.export.exported_model import export_model
from malmoi.modeling import BiLstmConfig, BiLstmForSequenceClassification
from support.tiny_models import SENTENCES, label_settings, save

HARD_TEXTS = [
    "손흥민은 춘천에서 태어났다.",
    "",
    " ",
    "👨‍👩‍👧 김연아🇰🇷가 서울에서",
    unicodedata.normalize("NFD", "유재석이 부산 해운대에서 3월 1일"),
    "\ufeff홍\u200b길동이\r\n광화문에서\t[PAD] 𠮷野家",
    "ㅋㅋㅋ ㅠㅠ ᄏᄏ",
    "이순신 장군은 한산도에서 " * 60,
]
"""Emoji, decomposed Hangul, nothing, spaces, invisible characters, special tokens, rare planes, and a long text."""


def export_tiny(saved: Path, folder: Path) -> Path:
    """Export a tiny model."""
    export_model(saved, folder, sentences=SENTENCES)
    return folder


def tiny_classifier(folder: Path, tokenizer: PreTrainedTokenizerBase, *, longest: int) -> Path:
    """Save a random classifier that reads so many tokens at once."""
    torch.manual_seed(0)
    config = BiLstmConfig(
        vocab_size=len(tokenizer), embedding_size=6, hidden_size=8, **label_settings(["나쁨", "보통", "좋음"])
    )
    save(folder, BiLstmForSequenceClassification(config).eval(), tokenizer)
    written = folder / "tokenizer_config.json"
    settings = json.loads(written.read_text(encoding="utf-8")) | {"model_max_length": longest}
    written.write_text(json.dumps(settings), encoding="utf-8")
    return folder
