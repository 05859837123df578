"""Whatever is imported first, the `Auto` classes know our architectures, and what needs no torch does not load it."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.saved_models import build

CLASSES = "from transformers import AutoConfig, AutoModelForTokenClassification"
ORDERS = [
    f"import malmoi.modeling; {CLASSES}",
    f"{CLASSES}; import malmoi.modeling",
    f"import malmoi.modeling; from transformers import AutoConfig; {CLASSES}",
    f"from malmoi.modeling import EncoderCrfConfig; {CLASSES}",
    f"import malmoi.modeling; from malmoi.configuration.configuration_encoder_crf import EncoderCrfConfig; {CLASSES}",
    f"from malmoi.modeling.modeling_encoder_crf import EncoderCrfForTokenClassification; {CLASSES}",
    f"from malmoi.modeling.modeling_bilstm_crf import BiLstmCrfForTokenClassification; {CLASSES}",
    f"from malmoi import LinearChainCrf; {CLASSES}",
    f"import malmoi.modeling; from transformers import PreTrainedModel; {CLASSES}",
    f"import malmoi.modeling, transformers.modeling_utils; {CLASSES}",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model")
    build("bilstm_crf", 32).save_pretrained(place)
    return place


def run(code: str) -> str:
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.slow
@pytest.mark.parametrize("imports", ORDERS)
def test_the_auto_classes_know_our_architectures(imports: str, folder: Path) -> None:
    code = f"""
{imports}
print(type(AutoConfig.from_pretrained({str(folder)!r})).__module__)
print(type(AutoModelForTokenClassification.from_pretrained({str(folder)!r})).__module__)
"""
    assert run(code).split() == [
        "malmoi.configuration.configuration_bilstm_crf",
        "malmoi.modeling.modeling_bilstm_crf",
    ]


def test_where_names_begin_and_end_needs_no_torch() -> None:
    code = "import sys, malmoi.modeling.name_edges; print({'torch', 'transformers', 'numpy'} & {*sys.modules})"
    assert run(code).strip() == "set()"
