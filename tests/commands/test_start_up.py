"""What a command imports: no more than it needs, and nothing heavy before it has understood its arguments."""

import gc
import re
from pathlib import Path

import pytest
from support.fresh_process import run_cold
from support.tiny_models import bert_tokenizer, save, tiny_bert_classifier, tiny_spacing_bilstm
from transformers import PreTrainedTokenizerFast

from malmoi.commands.start_up import FEW_CHARACTERS, lasting_imports, spare_kernels
from malmoi.inference.tagger import Tagger
from malmoi.modeling import BiLstmCrfForTokenClassification

TEXT = "손흥민은 춘천에서 태어났다."
NOT_FOR_TEXTS = (
    "datasets",
    "evaluate",
    "gensim",
    "gradio",
    "matplotlib",
    "numba",
    "pandas",
    "pyarrow",
    "rich",
    "seqeval",
    "sklearn",
    "transformers.pipelines",
    "transformers.trainer",
    "transformers.training_args",
)
"""What tagging, spacing and classifying a text need nothing of, though much of it is installed for other commands."""
HEAVY = ("huggingface_hub", "numpy", "rich", "tokenizers", "torch", "transformers")
RUN = """
import sys
from malmoi.commands.main import main

def run(*arguments):
    sys.argv = ["malmoi", *arguments]
    try:
        main()
    except SystemExit:
        pass
"""


@pytest.mark.slow
def test_commands_for_texts_import_no_more_than_they_need(
    saved_model: Path, tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    spacer = save(tmp_path / "spacer", tiny_spacing_bilstm(syllable_tokenizer), syllable_tokenizer)
    tokenizer = bert_tokenizer()
    classifier = save(tmp_path / "classifier", tiny_bert_classifier(tokenizer), tokenizer)
    code = f"""{RUN}
for command, folder in {[("tag", str(saved_model)), ("space", str(spacer)), ("classify", str(classifier))]}:
    run(command, folder, {TEXT!r})
    print(command, sorted(set({NOT_FOR_TEXTS}) & set(sys.modules)))

from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline
model = AutoModelForTokenClassification.from_pretrained({str(saved_model)!r})
tokenizer = AutoTokenizer.from_pretrained({str(saved_model)!r})
print(*(type(pipeline(task, model=model, tokenizer=tokenizer)).__name__ for task in ("ner", "token-classification")))
"""
    tagged, needs_of_tag, spaced, needs_of_space, classified, needs_of_classify, pipelines = run_cold(
        code, folder=tmp_path
    ).splitlines()
    assert [needs_of_tag, needs_of_space, needs_of_classify] == ["tag []", "space []", "classify []"]
    assert re.sub(r"<(.*?):[A-Z]+>", r"\1", tagged) == TEXT
    assert spaced.replace(" ", "") == TEXT.replace(" ", "")
    assert classified.endswith(TEXT)
    assert pipelines == "CrfTokenClassificationPipeline CrfTokenClassificationPipeline"


def test_nothing_heavy_is_imported_before_arguments_are_understood(tmp_path: Path) -> None:
    commands = [
        ("--help",),
        ("--version",),
        ("recipes",),
        ("keys",),
        ("keys", "learning_rate"),
        ("train", "--help"),
        ("train", "demo", "--help"),
        ("train", "demo", "--no_such_key", "1"),
        ("train", "no_such_recipe"),
        ("compare-embeddings", "demo"),
        ("tag", "--help"),
        ("tag", "./no_such_folder"),
        ("tag", "no_such_folder", "--input", "no_such_file"),
        ("evaluate", "--help"),
        ("no_such_command",),
    ]
    code = f"""{RUN}
import contextlib, io
for arguments in {commands}:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        run(*arguments)
    print(arguments, sorted(set({HEAVY}) & set(sys.modules)))
"""
    assert run_cold(code, folder=tmp_path).splitlines() == [f"{arguments} []" for arguments in commands]


@pytest.mark.parametrize("fails", [False, True])
def test_garbage_is_collected_again_after_the_imports(fails: bool) -> None:
    try:
        with lasting_imports():
            assert not gc.isenabled()
            if fails:
                raise ImportError("something is missing")
    except ImportError:
        assert fails
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    gc.unfreeze()


@pytest.mark.parametrize(
    ("characters", "implementation", "expected"),
    [
        (FEW_CHARACTERS, "auto", "torch"),
        (FEW_CHARACTERS + 1, "auto", "auto"),
        (1, "numba", "numba"),
    ],
)
def test_kernels_are_spared_for_few_texts_unless_they_are_asked_for(
    saved_model: Path, characters: int, implementation: str, expected: str
) -> None:
    tagger = Tagger(saved_model)
    assert isinstance(tagger.model, BiLstmCrfForTokenClassification)
    before = list(tagger.tag([TEXT]))
    tagger.model.crf.implementation = implementation
    spare_kernels(tagger, ["가" * (characters - 1), "가"])
    assert tagger.model.crf.implementation == expected
    after = list(tagger.tag([TEXT]))
    assert [[entity[:3] for entity in entities] for entities in after] == [
        [entity[:3] for entity in entities] for entities in before
    ]
