"""A saved folder must work where malmoi is not installed."""

from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer, Trainer, TrainingArguments

RunWithoutMalmoi = Callable[..., str]

LOAD = """
import torch
from transformers import AutoConfig, AutoModel, AutoModelForTokenClassification, AutoTokenizer, pipeline
folder = {folder!r}
tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
encoded = tokenizer("손흥민은 춘천에서", return_tensors="pt")
config = AutoConfig.from_pretrained(folder, trust_remote_code=True)
for auto_class in (AutoModel, AutoModelForTokenClassification):
    model = auto_class.from_pretrained(folder, trust_remote_code=True)
    output = model(**encoded)
    print(type(config).__name__, type(model).__name__, round(output.logits.double().sum().item(), 4))
tagger = pipeline("token-classification", model=folder, trust_remote_code=True)
print(type(tagger).__name__, tagger.model.crf.extra_repr())
print("".join(entity["word"] for entity in tagger("손흥민은 춘천에서", ignore_labels=[])))
"""


def expected_lines(folder: Path) -> list[str]:
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    total = model(**tokenizer("손흥민은 춘천에서", return_tensors="pt")).logits.double().sum().item()
    loaded = f"BiLstmCrfConfig BiLstmCrfForTokenClassification {round(total, 4)}"
    return [loaded, loaded, "CrfTokenClassificationPipeline num_tags=5, forbidden=8", "손흥민은 춘천에서"]


def test_every_auto_class_and_the_pipeline_work_without_malmoi(
    saved_model: Path, run_without_malmoi: RunWithoutMalmoi
) -> None:
    output = run_without_malmoi(LOAD.format(folder=str(saved_model)), also_missing=("torchcrf",))
    assert output.splitlines() == expected_lines(saved_model)


def test_a_folder_holds_no_pickle_and_no_import_of_malmoi(saved_model: Path) -> None:
    names = {path.name for path in saved_model.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pth", ".pkl"))]
    for path in saved_model.glob("*.py"):
        assert "malmoi" not in path.read_text(encoding="utf-8").replace("imports nothing of malmoi", ""), path.name


def test_a_model_saved_again_where_malmoi_is_missing_still_works(
    saved_model: Path, tmp_path: Path, run_without_malmoi: RunWithoutMalmoi
) -> None:
    again = tmp_path / "again"
    run_without_malmoi(
        "from transformers import pipeline\n"
        f"p = pipeline('token-classification', model={str(saved_model)!r}, trust_remote_code=True)\n"
        f"p.model.save_pretrained({str(again)!r})\n"
        f"p.tokenizer.save_pretrained({str(again)!r})\n"
    )
    output = run_without_malmoi(LOAD.format(folder=str(again)))
    assert output.splitlines() == expected_lines(saved_model)


def test_checkpoints_of_the_trainer_work_without_malmoi(
    saved_model: Path, tmp_path: Path, run_without_malmoi: RunWithoutMalmoi
) -> None:
    model, tokenizer = AutoModel.from_pretrained(saved_model), AutoTokenizer.from_pretrained(saved_model)
    rows = [{"input_ids": [5, 6, 7], "labels": [0, 1, 4]}] * 4
    arguments = TrainingArguments(
        str(tmp_path / "run"), max_steps=1, save_steps=1, use_cpu=True, disable_tqdm=True, dataloader_pin_memory=False
    )
    Trainer(model, arguments, train_dataset=rows, processing_class=tokenizer).train()
    output = run_without_malmoi(LOAD.format(folder=str(tmp_path / "run" / "checkpoint-1")))
    assert output.splitlines()[2:] == expected_lines(saved_model)[2:]


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
