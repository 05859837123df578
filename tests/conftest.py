"""Fixtures that many tests share. Everything here is tiny, made by code, and needs no network."""

import atexit
import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import DEVNULL, CompletedProcess, TimeoutExpired
from types import SimpleNamespace

# before torch and transformers are imported: spinning threads make tiny steps many times slower
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="malmoi-tests-")
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import pytest
import torch
from support.fresh_process import run_python
from support.local_hub import LocalHub
from support.marked_lines import LABELS, TRAIN_LINES, VALIDATION_LINES
from support.property_tests import choose_profile
from support.random_order import pytest_addoption, pytest_collection_modifyitems  # noqa: F401 - hooks
from support.warm_process import run_in_process
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.hub_cards import usage
from malmoi.modeling import BiLstmCrfConfig, BiLstmCrfForTokenClassification

torch.set_num_threads(1)
atexit.register(shutil.rmtree, os.environ["HF_HOME"], ignore_errors=True)
# numba looks only at the file of a compiled function, not at the files of those that it calls
for kept in Path(__file__).parents[1].glob("*/__pycache__/*.nb?"):
    with contextlib.suppress(FileNotFoundError):  # another process does the same
        if kept.stat().st_mtime < max(source.stat().st_mtime for source in kept.parents[1].glob("*.py")):
            kept.unlink()
choose_profile()


@pytest.fixture(scope="session")
def marked_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a few marked sentences, as the inline-marks reader takes it."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "train.txt").write_text("\n".join(TRAIN_LINES * 3) + "\n", encoding="utf-8")
    (folder / "validation.txt").write_text("\n".join(VALIDATION_LINES) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    """A Hub without repositories."""
    with LocalHub() as hub:
        yield hub


@pytest.fixture(scope="session")
def syllable_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer of syllables."""
    return build_syllable_tokenizer([*TRAIN_LINES, *TRAIN_LINES])


@pytest.fixture(scope="session")
def wordpiece_tokenizer() -> PreTrainedTokenizerFast:
    """A small WordPiece tokenizer with special tokens, like that of klue/bert-base."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(strip_accents=False, lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=120, special_tokens=special, continuing_subword_prefix="##", show_progress=False
    )
    tokenizer.train_from_iterator(TRAIN_LINES * 3, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=16,
    )


@pytest.fixture
def make_config() -> Callable[..., BiLstmCrfConfig]:
    """A factory of tiny configurations."""

    def make(**settings: object) -> BiLstmCrfConfig:
        labels = settings.pop("labels", LABELS)
        assert isinstance(labels, list)
        defaults = {
            "vocab_size": 40,
            "embedding_size": 6,
            "hidden_size": 8,
            "ngram_sizes": [2],
            "ngram_vocab_size": 31,
            "ngram_embedding_size": 4,
            "id2label": dict(enumerate(labels)),
            "label2id": {label: index for index, label in enumerate(labels)},
        }
        return BiLstmCrfConfig(**{**defaults, **settings})

    return make


@pytest.fixture
def make_model(make_config: Callable[..., BiLstmCrfConfig]) -> Callable[..., BiLstmCrfForTokenClassification]:
    """A factory of tiny models with reproducible weights, in evaluation mode."""

    def make(**settings: object) -> BiLstmCrfForTokenClassification:
        torch.manual_seed(0)
        return BiLstmCrfForTokenClassification(make_config(**settings)).eval()

    return make


@pytest.fixture
def saved_model(
    tmp_path: Path,
    make_model: Callable[..., BiLstmCrfForTokenClassification],
    syllable_tokenizer: PreTrainedTokenizerFast,
) -> Path:
    """A folder with a saved model and its tokenizer."""
    folder = tmp_path / "saved"
    make_model(vocab_size=len(syllable_tokenizer)).save_pretrained(folder)
    syllable_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged, as if nothing had been said before."""
    transformers_logging.warning_once.cache_clear()
    caplog.set_level(logging.WARNING)
    return caplog


@pytest.fixture
def warm_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the examples of cards in processes that need not import transformers anew."""

    def run(command: list[str], *, cwd: Path, env: dict[str, str], **options: object) -> CompletedProcess[str]:
        code = command[2].removeprefix(usage.WITHOUT_MALMOI)
        return run_in_process(code, folder=cwd, environment=env, missing=("malmoi",))

    monkeypatch.setattr(usage, "subprocess", SimpleNamespace(run=run, DEVNULL=DEVNULL, TimeoutExpired=TimeoutExpired))


@pytest.fixture
def run_without_malmoi(tmp_path: Path) -> Callable[..., str]:
    """Run Python code in a process in which malmoi, and other modules if named, cannot be imported."""

    def run(code: str, *, also_missing: tuple[str, ...] = ()) -> str:
        return run_python(f"import sys\n{code}", folder=tmp_path, missing=("malmoi", *also_missing))

    return run
