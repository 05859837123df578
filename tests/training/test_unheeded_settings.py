"""What a user says and a training cannot heed is said."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.recipe_flags import as_flags
from support.tiny_runs import SETTINGS, train_body

from malmoi.recipes.recipe import load_recipe
from malmoi.training.preparation import prepare
from malmoi.training.request import read_request
from malmoi.training.train import run
from malmoi.training.unheeded_settings import say_unheeded

TINY = {
    key: value
    for key, value in SETTINGS.items()
    if key not in ("max_steps", "num_train_epochs", "tokenizer_min_frequency")
} | {"use_cpu": True}


def unheeded(recipe: str, capsys: pytest.CaptureFixture[str], **settings: Any) -> Sequence[str]:
    request = read_request(load_recipe(recipe, as_flags({**TINY, **settings})))
    prepared = prepare(request)
    capsys.readouterr()
    say_unheeded(request, prepared)
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"tokenizer_vocab_size": 99}, "about the tokenizer wordpiece, and the tokenizer is that of syllables."),
        ({"tokenizer": "wordpiece", "tokenizer_min_frequency": 2}, "about the tokenizer syllables, and the tokenizer"),
        ({"early_stopping_threshold": 0.1}, "without `early_stopping_patience` nothing ends a training early."),
        ({"name_replacement_probability": 0.9}, "without `name_replacement_copies` no name is replaced."),
        ({"space_noise_add_probability": 0.9}, "without `space_noise_probability` no spaces are changed."),
        ({"lexicon_dropout": 0.5}, "the model has no `lexicon`."),
        ({"ngram_sizes": "[]"}, "the model has no n-grams, whose lengths `ngram_sizes` names."),
        ({"optim_args": "amsgrad=true"}, "the optimizer adamw_torch_fused does not read it."),
        ({"optim": "sgd", "optim_args": "momentm=0.9"}, "the optimizer sgd does not read it."),
        ({"optim": "sgd", "adam_beta2": 0.98}, "the optimizer sgd does not read it."),
        ({"max_steps": 3, "num_train_epochs": 9}, "`max_steps` says how long the training is."),
    ],
)
def test_it_is_said_with_the_reason(
    tmp_path: Path, marked_corpus: Path, capsys: pytest.CaptureFixture[str], said: dict[str, Any], line: str
) -> None:
    lines = unheeded("demo", capsys, data_dir=marked_corpus, output_dir=tmp_path / "run", **said)
    key = "ngram_vocab_size" if "ngram_sizes" in said else [*said][-1]
    [found] = [each for each in lines if each.startswith(f"`{key}` changes nothing here: ")]
    assert line in found


def test_nothing_is_said_of_what_is_heeded(
    tmp_path: Path, marked_corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"tokenizer_min_frequency": 1, "early_stopping_patience": 2, "early_stopping_threshold": 0.1}
    given |= {"name_replacement_copies": 1, "name_replacement_probability": 0.9, "embeddings_learning_rate": 0.1}
    given |= {"optim": "rmsprop", "optim_args": "momentum=0.9"}
    given |= {"space_noise_probability": 0.1, "space_noise_add_probability": 0.1, "num_train_epochs": 1}
    assert not unheeded("demo", capsys, data_dir=marked_corpus, output_dir=tmp_path / "run", **given)


@pytest.mark.slow
def test_a_body_brings_its_tokenizer(tmp_path: Path, marked_corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = train_body(
        tmp_path / "body", [f"손흥민은 {word}에 갔다." for word in ("춘천", "서울", "부산", "제주")], use_cpu=True
    )
    sizes = ("embedding_size", "ngram_embedding_size", "ngram_vocab_size", "hidden_size")
    given = {key: value for key, value in TINY.items() if key not in sizes}
    flags = {**given, "data_dir": marked_corpus, "model_name_or_path": body, "output_dir": tmp_path / "run"}
    flags |= {"tokenizer_min_frequency": 5, "body_trained": False, "embeddings_learning_rate": 0.1, "max_steps": 1}
    capsys.readouterr()
    run(load_recipe("demo", as_flags(flags)))
    said = capsys.readouterr().err
    assert "`tokenizer_min_frequency` changes nothing here: it is about the tokenizer syllables, and the tok" in said
    assert f"is that of {body}." in said
    assert "`embeddings_learning_rate` changes nothing here: the embeddings stay as they are." in said


def test_labels_of_a_lexicon_that_the_data_lack_are_named(
    tmp_path: Path, marked_corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "words.tsv").write_text("춘천\tplace\n", encoding="utf-8")
    given = {"data_dir": marked_corpus, "lexicon": tmp_path / "words.tsv", "output_dir": tmp_path / "run"}
    assert unheeded("demo", capsys, **given, lexicon_labels="{LOC: place, LC: place}") == [
        "`lexicon_labels` names LOC, but the labels of the model are LC, PS."
    ]
    assert not unheeded("demo", capsys, **given, lexicon_labels="{LC: place}")
