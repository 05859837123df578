"""Folders that malmoi saved before its kernels had a room of their own load with it and without it, and answer alike.

`saved_before_kernels.zip` holds one folder of each architecture as it was written then, with all its code, and what it
answered. Its texts and weights are made by code.
"""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer
from transformers import pipeline as make_pipeline

SAVED = Path(__file__).with_name("saved_before_kernels.zip")
ARCHITECTURES = ["bilstm_crf", "encoder_crf", "bilstm"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders, unpacked."""
    folder = tmp_path_factory.mktemp("old")
    with zipfile.ZipFile(SAVED) as archive:
        archive.extractall(folder)
    return folder


def expected(folder: Path) -> dict:
    answers: dict = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return answers


def check(folder: Path, output: dict, entities: list | None) -> None:
    """Compare what a model answers with what it answered when it was saved."""
    answers = expected(folder)
    torch.testing.assert_close(torch.tensor(output["logits"]), torch.tensor(answers["logits"]), rtol=1e-5, atol=1e-5)
    if "predictions" in answers:
        assert output["predictions"] == answers["predictions"]
        torch.testing.assert_close(torch.tensor(output["marginals"]), torch.tensor(answers["marginals"]))
        assert entities is not None
        for found, wanted in zip(entities, answers["entities"], strict=True):
            for name, entity in zip(found, wanted, strict=True):
                assert {**name, "score": 0} == {**entity, "score": 0}
                assert name["score"] == pytest.approx(entity["score"], abs=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("trust_remote_code", [False, True])
def test_an_old_folder_answers_as_it_did_with_the_installed_classes(
    folders: Path, architecture: str, trust_remote_code: bool
) -> None:
    folder = folders / architecture
    options = {"trust_remote_code": trust_remote_code}
    model = AutoModel.from_pretrained(folder, **options)
    assert type(model).__module__ == f"malmoi.modeling.modeling_{architecture}"
    tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    texts = expected(folder)["texts"]
    with torch.no_grad():
        output = model(**tokenizer(texts, return_tensors="pt", padding=True))
    entities = None
    if architecture != "bilstm":
        tagger = make_pipeline("ner", model=str(folder), aggregation_strategy="simple", **options)
        entities = [tagger(text) for text in texts]
    check(folder, {name: value.tolist() for name, value in output.items()}, entities)


CODE = """
import json
import torch
from transformers import AutoModel, AutoTokenizer, pipeline
answers = {{}}
for folder in {folders!r}:
    expected = json.load(open(folder + "/expected.json", encoding="utf-8"))
    model = AutoModel.from_pretrained(folder, trust_remote_code=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    with torch.no_grad():
        output = model(**tokenizer(expected["texts"], return_tensors="pt", padding=True))
    entities = None
    if "predictions" in expected:
        tagger = pipeline("token-classification", model=folder, aggregation_strategy="simple", trust_remote_code=True)
        entities = [[{{**e, "score": float(e["score"])}} for e in tagger(text)] for text in expected["texts"]]
    answers[folder] = [{{name: value.tolist() for name, value in output.items()}}, entities]
print(json.dumps(answers))
"""


@pytest.mark.slow
@pytest.mark.parametrize("also_missing", [(), ("numba",)])
def test_an_old_folder_answers_as_it_did_without_malmoi(
    folders: Path, run_without_malmoi: Callable[..., str], also_missing: tuple[str, ...]
) -> None:
    places = [str(folders / architecture) for architecture in ARCHITECTURES]
    answers = json.loads(run_without_malmoi(CODE.format(folders=places), also_missing=also_missing))
    for place, (output, entities) in answers.items():
        check(Path(place), output, entities)


@pytest.mark.parametrize("architecture", ["bilstm_crf", "bilstm"])
def test_an_old_folder_that_is_saved_again_has_the_code_of_today(
    folders: Path, architecture: str, tmp_path: Path
) -> None:
    of_task = AutoModelForSequenceClassification if architecture == "bilstm" else AutoModelForTokenClassification
    of_task.from_pretrained(folders / architecture).save_pretrained(tmp_path)
    assert len(list(tmp_path.glob("*.py"))) <= 9
    assert not list(tmp_path.glob("crf_numba*"))
