"""A saved folder must work where malmoi is not installed."""

import ast
import inspect
import json
import sys
from collections.abc import Callable
from importlib.metadata import version
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
        for node in ast.parse(path.read_text(encoding="utf-8")).body:  # at the top level, unless it may fail
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "malmoi"], path.name


def test_a_folder_is_read_in_ten_minutes(saved: Path, architecture: str) -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in saved.glob("*.py")}
    assert len(files) <= {"bilstm": 6, "bilstm_crf": 9, "encoder_crf": 8}[architecture]
    assert (
        sum(len(text.splitlines()) for text in files.values())
        <= {
            "bilstm": 1000,
            "bilstm_crf": 1500,
            "encoder_crf": 1300,
        }[architecture]
    )
    entry = inspect.cleandoc(ast.get_docstring(ast.parse(files[f"modeling_{architecture}.py"])) or "")
    for name, text in files.items():
        # which malmoi wrote it, and where it stands among the others
        assert f"Written by malmoi {version('malmoi')} into" in (ast.get_docstring(ast.parse(text)) or ""), name
        assert f"`{name.removesuffix('.py')}`" in entry or name == f"modeling_{architecture}.py"


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
@pytest.mark.parametrize("implementation", ["numba", "pytorch-crf"])
def test_a_model_that_asks_for_what_malmoi_has_computes_with_pytorch_without_it(
    saved_model: Path, tmp_path: Path, run_without_malmoi: RunWithoutMalmoi, implementation: str
) -> None:
    asking = AutoModel.from_pretrained(saved_model, crf_implementation=implementation)
    asking.save_pretrained(tmp_path / "asking")
    code = f"""
import warnings, torch
from transformers import AutoModel
model = AutoModel.from_pretrained({str(tmp_path / "asking")!r}, trust_remote_code=True)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("default")
    for _ in range(3):
        output = model(torch.tensor([[5, 6, 7]]))
print(*(warning.message for warning in caught))
print(output.predictions.tolist())
"""
    message, predictions = run_without_malmoi(code, also_missing=("torchcrf",)).splitlines()
    assert message == f"The CRF computes with PyTorch: {implementation} needs malmoi."
    assert predictions == str(asking(torch.tensor([[5, 6, 7]])).predictions.tolist())


def test_a_model_with_the_reference_crf_says_that_the_library_is_missing(
    saved_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchcrf", None)
    model = AutoModel.from_pretrained(saved_model, crf_implementation="pytorch-crf")
    with pytest.raises(ImportError, match="pip install pytorch-crf"):
        model(torch.tensor([[5, 6, 7]]))


def test_a_model_with_the_reference_crf_saves_the_same_weights(saved_model: Path, tmp_path: Path) -> None:
    reference = AutoModel.from_pretrained(saved_model, crf_implementation="pytorch-crf")
    reference.save_pretrained(tmp_path / "reference")
    ours = AutoModel.from_pretrained(tmp_path / "reference", crf_implementation="torch")
    for name, tensor in AutoModel.from_pretrained(saved_model).state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor)
