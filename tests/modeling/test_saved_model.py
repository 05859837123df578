"""A saved folder must work where malmoi is not installed."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from support.saved_models import TASKS, build, expected_lines, load, train
from transformers import AutoModel, PreTrainedTokenizerFast, pipeline

from malmoi.modeling.pipeline_crf_token_classification import CrfTokenClassificationPipeline

RunWithoutMalmoi = Callable[..., str]


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


def test_every_auto_class_and_the_pipeline_work_without_malmoi(
    saved: Path, architecture: str, run_without_malmoi: RunWithoutMalmoi
) -> None:
    output = run_without_malmoi(load(saved, architecture), also_missing=("torchcrf",))
    assert output.splitlines() == expected_lines(saved, architecture)


@pytest.mark.parametrize("reference", ["", "somebody/model--"])
def test_the_installed_pipeline_answers_for_the_installed_model(
    tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast, reference: str
) -> None:
    """A folder of another version may bring a pipeline that reads `logits` as something else."""
    model = build("bilstm_crf", len(syllable_tokenizer))
    model.save_pretrained(tmp_path)
    syllable_tokenizer.save_pretrained(tmp_path)
    file = tmp_path / "pipeline_crf_token_classification.py"
    file.write_text(
        "from transformers import TokenClassificationPipeline\n\n\n"
        "class CrfTokenClassificationPipeline(TokenClassificationPipeline):\n    pass\n",
        encoding="utf-8",
    )
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    entry = config["custom_pipelines"]["token-classification"]
    entry["impl"] = reference + entry["impl"]
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    answerer = pipeline("token-classification", model=str(tmp_path), trust_remote_code=True)
    assert type(answerer) is CrfTokenClassificationPipeline
    own = CrfTokenClassificationPipeline(model=model.eval(), tokenizer=syllable_tokenizer)
    assert answerer("손흥민은 춘천에서", ignore_labels=[]) == own("손흥민은 춘천에서", ignore_labels=[])


def test_a_pipeline_of_somebody_else_is_that_of_the_folder(
    tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    model = build("bilstm_crf", len(syllable_tokenizer))
    model.config.custom_pipelines["token-classification"]["impl"] = "theirs.Theirs"
    model.save_pretrained(tmp_path)
    syllable_tokenizer.save_pretrained(tmp_path)
    (tmp_path / "theirs.py").write_text(
        "from transformers import TokenClassificationPipeline\n\n\n"
        "class Theirs(TokenClassificationPipeline):\n    pass\n",
        encoding="utf-8",
    )
    answerer = pipeline("token-classification", model=str(tmp_path), trust_remote_code=True)
    assert type(answerer).__name__ == "Theirs"


def test_a_folder_holds_no_pickle_and_no_import_of_malmoi(saved: Path) -> None:
    names = {path.name for path in saved.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pth", ".pkl"))]
    for path in saved.glob("*.py"):
        assert "malmoi" not in path.read_text(encoding="utf-8").replace("imports nothing of malmoi", ""), path.name


@pytest.mark.slow
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


@pytest.mark.slow
def test_checkpoints_of_the_trainer_work_without_malmoi(
    saved: Path, architecture: str, tmp_path: Path, run_without_malmoi: RunWithoutMalmoi
) -> None:
    train(str(saved), str(tmp_path / "run"), TASKS[architecture])
    output = run_without_malmoi(load(tmp_path / "run" / "checkpoint-1", architecture))
    assert output.splitlines() == expected_lines(saved, architecture)


@pytest.mark.slow
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
