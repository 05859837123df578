"""A recipe with a lexicon gives a model that finds its words, with and without malmoi."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from support.recipe_flags import as_flags
from support.tiny_runs import SETTINGS
from transformers import AutoModelForTokenClassification, AutoTokenizer

from malmoi.data.token_spelling import word_spelling
from malmoi.data.user_error import UserError
from malmoi.modeling.lexicon import PLACES
from malmoi.recipes.recipe import RecipeError, load_recipe
from malmoi.training.models.dictionary_features import labels_of_classes
from malmoi.training.recipe_arguments import typed_value
from malmoi.training.train import run

pytestmark = pytest.mark.slow
WORDS = "손흥민\tperson\n춘천\tplace\n똠뷁\tplace\n춘천\tname\n"


def train(folder: Path, **given: object) -> dict:
    """Train a tiny tagger on the sample corpus with settings, and return its report."""
    settings = {**SETTINGS, "output_dir": folder, **given}
    return run(load_recipe("demo", as_flags(settings)))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tagger with the words of a file."""
    folder = tmp_path_factory.mktemp("lexicon")
    (folder / "words.tsv").write_text(WORDS, encoding="utf-8")
    train(folder / "run", lexicon=folder / "words.tsv", lexicon_embedding_size=4)
    return folder / "run"


def marks(folder: Path, text: str) -> list[set[str]]:
    """Return what the saved lexicon says of each character."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForTokenClassification.from_pretrained(folder)
    tokens = tokenizer(text, return_tensors="pt")
    found = model.lexicon.marks(tokens["input_ids"], tokens["attention_mask"].bool())[0].tolist()
    classes = model.config.lexicon_classes
    return [
        {f"{classes[i % len(classes)]} {PLACES[i // len(classes)]}" for i, mark in enumerate(row) if mark}
        for row in found
    ]


def test_the_words_of_a_file_are_found_by_the_saved_model(trained: Path) -> None:
    found = marks(trained, "손흥민은 춘천")
    assert found == [
        {"person begin 3"}, {"person inside 3"}, {"person end 3"}, set(), set(),
        {"place begin 2", "name begin 2"}, {"place end 2", "name end 2"},
    ]  # fmt: skip


def test_a_word_of_syllables_that_no_training_text_has_is_found(trained: Path) -> None:
    model = AutoModelForTokenClassification.from_pretrained(trained)
    tokenizer = AutoTokenizer.from_pretrained(trained)
    ids = tokenizer("똠뷁")["input_ids"]
    assert all(index >= model.config.vocab_size == len(model.get_input_embeddings().weight) for index in ids)
    assert marks(trained, "똠뷁") == [{"place begin 2"}, {"place end 2"}]


def test_such_syllables_are_the_unknown_token_everywhere_else(trained: Path) -> None:
    model = AutoModelForTokenClassification.from_pretrained(trained).eval()
    ids = torch.tensor([AutoTokenizer.from_pretrained(trained)("뷁똠")["input_ids"]])
    unknown = torch.full_like(ids, model.config.unk_token_id)
    with torch.no_grad():
        model.lexicon.projection.weight.zero_()
        assert torch.equal(model(input_ids=ids).marginals, model(input_ids=unknown).marginals)


def test_the_saved_model_finds_them_without_malmoi(trained: Path, run_without_malmoi: Callable[..., str]) -> None:
    output = run_without_malmoi(
        "from transformers import AutoModelForTokenClassification, AutoTokenizer\n"
        f"saved = {{'pretrained_model_name_or_path': {str(trained)!r}, 'trust_remote_code': True}}\n"
        "model = AutoModelForTokenClassification.from_pretrained(**saved)\n"
        "tokens = AutoTokenizer.from_pretrained(**saved)('손흥민', return_tensors='pt')\n"
        "print(model.lexicon.marks(tokens['input_ids'], tokens['attention_mask'].bool()).sum(2).tolist())"
    )
    assert output.splitlines()[-1] == "[[1, 1, 1]]"


def test_words_can_be_added_to_a_saved_model_and_saved_again(trained: Path, tmp_path: Path) -> None:
    model = AutoModelForTokenClassification.from_pretrained(trained)
    tokenizer = AutoTokenizer.from_pretrained(trained)
    word = "가나다라마바사"
    model.lexicon.add_words({word_spelling(word, tokenizer): 1 << model.config.lexicon_classes.index("person")})
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    places = ["person begin 4+", *["person inside 4+"] * 5, "person end 4+"]
    assert marks(tmp_path, word) == [{place} for place in places]
    assert marks(tmp_path, "춘천") == marks(trained, "춘천")


def test_a_finished_model_with_a_lexicon_is_trained_on(trained: Path, tmp_path: Path) -> None:
    train(tmp_path / "run", model_name_or_path=trained)
    assert marks(tmp_path / "run", "춘천") == marks(trained, "춘천")


def test_the_classifier_has_them_too(tmp_path: Path) -> None:
    (tmp_path / "words.tsv").write_text("좋\tgood\n별로\tbad\n", encoding="utf-8")
    data = "id\tdocument\tlabel\n" + "".join(
        f"{i}\t정말 좋은 영화 {i}\t1\n{i}0\t정말 별로 {i}\t0\n" for i in range(1, 9)
    )
    for name in ("ratings_train.txt", "ratings_test.txt"):
        (tmp_path / name).write_text(data if "train" in name else data.replace("정말", "참"), encoding="utf-8")
    flags = {
        "data_dir": tmp_path, "output_dir": tmp_path / "run", "lexicon": tmp_path / "words.tsv", "max_steps": 2,
        "hidden_size": 8, "embedding_size": 4, "ngram_embedding_size": 4, "ngram_vocab_size": 16,
        "eval_strategy": "steps", "eval_steps": 2, "save_strategy": "steps", "save_steps": 2,
    }  # fmt: skip
    run(load_recipe("nsmc-bi-lstm", as_flags(flags)))
    assert (tmp_path / "run" / "lexicon.py").is_file()


def test_without_a_lexicon_a_model_has_none(tmp_path: Path) -> None:
    train(tmp_path / "run")
    model = AutoModelForTokenClassification.from_pretrained(tmp_path / "run")
    assert model.lexicon is None
    assert not any("lexicon" in name for name in model.state_dict())


def test_an_encoder_has_no_dictionary_features(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="`lexicon` is for bilstm_crf and bilstm"):
        run(load_recipe("klue-ner-bert-tiny", ["--lexicon", "mecab-ko-dic", "--output_dir", str(tmp_path / "run")]))


@pytest.mark.parametrize("said", ["{NO: person}", "{1: person}", "{PS: no}", "[PS]", "person"])
def test_labels_that_yaml_does_not_read_as_text_are_refused_in_words(said: str) -> None:
    settings = {"lexicon_labels": typed_value(said)}
    with pytest.raises(UserError, match=r"`lexicon_labels` must be a mapping such as .*quotes where YAML .*\(NO, 1\)"):
        labels_of_classes(settings, settings, ["person"])


def test_labels_in_quotes_are_text() -> None:
    settings = {"lexicon_labels": typed_value("{'NO': person}")}
    assert labels_of_classes(settings, settings, ["person"]) == {"NO": "person"}
