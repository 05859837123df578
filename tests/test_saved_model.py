"""A saved folder must work where malmoi is not installed."""

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    pipeline,
)

from malmoi.modeling import (
    BiLstmConfig,
    BiLstmCrfConfig,
    BiLstmCrfForTokenClassification,
    BiLstmForSequenceClassification,
    EncoderCrfConfig,
    EncoderCrfForTokenClassification,
)

RunWithoutMalmoi = Callable[..., str]

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
        return BiLstmCrfForTokenClassification(BiLstmCrfConfig(vocab_size=vocab_size, **LSTM, **TAGS))
    encoder = BertConfig(
        vocab_size=vocab_size, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    return EncoderCrfForTokenClassification(EncoderCrfConfig(encoder_config=encoder, initializer_range=1.0, **TAGS))


@pytest.fixture(
    params=[
        "bilstm_crf",
        pytest.param("encoder_crf", marks=pytest.mark.slow),
        pytest.param("bilstm", marks=pytest.mark.slow),
    ]
)
def architecture(request: pytest.FixtureRequest) -> str:
    """The architecture that is saved; the fast tests run one of them through all stations."""
    return request.param


@pytest.fixture
def saved(architecture: str, tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast) -> Path:
    """A folder with a saved model and its tokenizer."""
    folder = tmp_path / architecture
    build(architecture, len(syllable_tokenizer)).save_pretrained(folder)
    syllable_tokenizer.save_pretrained(folder)
    return folder


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


def load(folder: Path, architecture: str) -> str:
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


def test_every_auto_class_and_the_pipeline_work_without_malmoi(
    saved: Path, architecture: str, run_without_malmoi: RunWithoutMalmoi
) -> None:
    output = run_without_malmoi(load(saved, architecture), also_missing=("torchcrf",))
    assert output.splitlines() == expected_lines(saved, architecture)


def test_a_folder_holds_no_pickle_and_no_import_of_malmoi(saved: Path) -> None:
    names = {path.name for path in saved.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pth", ".pkl"))]
    for path in saved.glob("*.py"):
        assert "malmoi" not in path.read_text(encoding="utf-8").replace("imports nothing of malmoi", ""), path.name


def test_a_model_saved_or_trained_where_malmoi_is_missing_still_works(
    saved: Path, architecture: str, tmp_path: Path, run_without_malmoi: RunWithoutMalmoi
) -> None:
    again, trained = tmp_path / "again", tmp_path / "trained"
    run_without_malmoi(
        f"{inspect.getsource(train)}\n"
        f"train({str(saved)!r}, {str(trained)!r}, {TASKS[architecture]!r})\n"
        "from transformers import pipeline\n"
        f"p = pipeline({TASKS[architecture]!r}, model={str(saved)!r}, trust_remote_code=True)\n"
        f"p.model.save_pretrained({str(again)!r})\n"
        f"p.tokenizer.save_pretrained({str(again)!r})\n"
    )
    output = run_without_malmoi(load(again, architecture) + load(trained / "checkpoint-1", architecture))
    assert output.splitlines() == 2 * expected_lines(saved, architecture)


def test_checkpoints_of_the_trainer_work_without_malmoi(
    saved: Path, architecture: str, tmp_path: Path, run_without_malmoi: RunWithoutMalmoi
) -> None:
    train(str(saved), str(tmp_path / "run"), TASKS[architecture])
    output = run_without_malmoi(load(tmp_path / "run" / "checkpoint-1", architecture))
    assert output.splitlines() == expected_lines(saved, architecture)


def test_a_model_with_the_reference_crf_loads_where_the_library_is_missing(
    saved_model: Path, tmp_path: Path, run_without_malmoi: RunWithoutMalmoi
) -> None:
    reference = AutoModel.from_pretrained(saved_model, crf_implementation="pytorch-crf")
    reference.save_pretrained(tmp_path / "reference")
    code = """
import torch
from transformers import AutoModel
ids = torch.tensor([[5, 6, 7]])
model = AutoModel.from_pretrained({folder!r}, trust_remote_code=True)
try:
    model(ids)
except ImportError as error:
    print(error)
model = AutoModel.from_pretrained({folder!r}, trust_remote_code=True, crf_implementation="torch")
print(model(ids).predictions.tolist())
"""
    output = run_without_malmoi(code.format(folder=str(tmp_path / "reference")), also_missing=("torchcrf",))
    message, predictions = output.splitlines()
    assert "pip install pytorch-crf" in message
    assert predictions == str(reference(torch.tensor([[5, 6, 7]])).predictions.tolist())


def test_a_model_with_the_reference_crf_saves_the_same_weights(saved_model: Path, tmp_path: Path) -> None:
    reference = AutoModel.from_pretrained(saved_model, crf_implementation="pytorch-crf")
    reference.save_pretrained(tmp_path / "reference")
    ours = AutoModel.from_pretrained(tmp_path / "reference", crf_implementation="torch")
    for name, tensor in AutoModel.from_pretrained(saved_model).state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor)
