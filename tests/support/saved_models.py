"""Tiny models of every architecture, and what must come out wherever one of them is loaded from."""

from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer, BertConfig, PreTrainedModel, pipeline

from malmoi.modeling import (
    BiLstmConfig,
    BiLstmCrfConfig,
    BiLstmCrfForTokenClassification,
    BiLstmForSequenceClassification,
    EncoderCrfConfig,
    EncoderCrfForTokenClassification,
)

TAGS = {"id2label": dict(enumerate(["B-PS", "I-PS", "B-LC", "I-LC", "O"]))}
LSTM = {"embedding_size": 6, "hidden_size": 8, "ngram_sizes": [2], "ngram_vocab_size": 31, "ngram_embedding_size": 4}
TASKS = {
    "bilstm_crf": "token-classification",
    "encoder_crf": "token-classification",
    "bilstm": "text-classification",
}


def build(architecture: str, vocab_size: int) -> PreTrainedModel:
    torch.manual_seed(0)
    if architecture == "bilstm":
        return BiLstmForSequenceClassification(BiLstmConfig(vocab_size=vocab_size, **LSTM))
    if architecture == "bilstm_crf":
        return BiLstmCrfForTokenClassification(
            BiLstmCrfConfig(vocab_size=vocab_size, classifier_hidden_size=4, **LSTM, **TAGS)
        )
    encoder = BertConfig(
        vocab_size=vocab_size, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    return EncoderCrfForTokenClassification(EncoderCrfConfig(encoder_config=encoder, initializer_range=1.0, **TAGS))


LOAD = """
from transformers import (
    AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer, pipeline
)
folder, task = {folder!r}, {task!r}
tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
encoded = tokenizer("손흥민은 춘천에서", return_tensors="pt")
config = AutoConfig.from_pretrained(folder, trust_remote_code=True)
of_task = AutoModelForTokenClassification if task == "token-classification" else AutoModelForSequenceClassification
for auto_class in (AutoModel, of_task):
    model = auto_class.from_pretrained(folder, trust_remote_code=True)
    output = model(**encoded)
    print(type(config).__name__, type(model).__name__, round(output.logits.double().sum().item(), 4))
answerer = pipeline(task, model=folder, trust_remote_code=True)
print(type(answerer).__name__)
for answer in answerer("손흥민은 춘천에서", **{options!r}):
    print({{name: round(value, 4) if name == "score" else value for name, value in answer.items()}})
"""


def load(folder: Path | str, architecture: str) -> str:
    """Return code that loads a folder, or a repository by its name, in every way and prints what it answers."""
    task = TASKS[architecture]
    options = {"ignore_labels": []} if task == "token-classification" else {"top_k": None}
    return LOAD.format(folder=str(folder), task=task, options=options)


def expected_lines(folder: Path, architecture: str) -> list[str]:
    """What the code above prints, by the installed classes."""
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    total = model(**tokenizer("손흥민은 춘천에서", return_tensors="pt")).logits.double().sum().item()
    loaded = f"{type(model.config).__name__} {type(model).__name__} {round(total, 4)}"
    task = TASKS[architecture]
    answerer = pipeline(task, model=str(folder), trust_remote_code=True)
    assert type(answerer.model) is type(model)
    options = {"ignore_labels": []} if task == "token-classification" else {"top_k": None}
    answers = answerer("손흥민은 춘천에서", **options)
    assert len(answers) == (9 if task == "token-classification" else 2)
    rounded = [str({key: round(value, 4) if key == "score" else value for key, value in a.items()}) for a in answers]
    own = "CrfTokenClassificationPipeline" if task == "token-classification" else "TextClassificationPipeline"
    return [loaded, loaded, own, *rounded]


def train(folder: str, output: str, task: str) -> None:
    """Make a checkpoint; it has the weights of the model, since nothing is learned."""
    from transformers import AutoModel, AutoTokenizer, Trainer, TrainingArguments

    model = AutoModel.from_pretrained(folder, trust_remote_code=True)
    arguments = TrainingArguments(
        output, max_steps=1, learning_rate=0.0, use_cpu=True, disable_tqdm=True, dataloader_pin_memory=False
    )
    rows = [{"input_ids": [5, 6, 7], "labels": [0, 1, 4] if task == "token-classification" else 1}] * 4
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    Trainer(model, arguments, train_dataset=rows, processing_class=tokenizer).train()
