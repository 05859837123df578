"""A search space is checked like every key of a recipe, and what has none gets one around its own values."""

from typing import Any

import pytest

from malmoi.recipes.keys import find_key, keys_of
from malmoi.recipes.recipe import RecipeError, load_recipe, recipe_names
from malmoi.recipes.search_space import Choices, Range, default_space, written_space


def space(values: Any, recipe: str = "demo", **flags: str) -> Any:
    loaded = load_recipe(recipe)
    return written_space(loaded._replace(settings={**loaded.settings, "search_space": values}, flags=flags))


def test_ranges_and_lists_are_read() -> None:
    assert space(
        {
            "learning_rate": {"low": "1e-4", "high": 1e-2, "log": True},
            "hidden_dropout": {"low": 0.2, "high": 0.6, "step": 0.1},
            "embedding_dropout": {"low": 0.1, "high": 0.3, "step": 0.2},
            "hidden_size": [256, 400],
            "num_train_epochs": {"low": 2, "high": 6},
            "lexicon": [None, "mecab-ko-dic"],
            "ngram_sizes": [[], [2, 3]],
            "weight_decay": ["1e-2", 0],
        }
    ) == {
        "learning_rate": Range(1e-4, 1e-2, log=True),
        "hidden_dropout": Range(0.2, 0.6, step=0.1),
        "embedding_dropout": Range(0.1, 0.3, step=0.2),
        "hidden_size": Choices((256, 400)),
        "num_train_epochs": Range(2, 6),
        "lexicon": Choices((None, "mecab-ko-dic")),
        "ngram_sizes": Choices(([], [2, 3])),
        "weight_decay": Choices((0.01, 0)),
    }


def test_whole_numbers_are_tried_where_both_ends_are() -> None:
    assert Range(2, 6).is_whole
    assert not Range(2.0, 6.0).is_whole
    assert not Range(2, 6.0).is_whole


def test_settings_of_an_encoder_are_searched_by_their_own_names() -> None:
    values = {"encoder_config.hidden_dropout_prob": {"low": 0.0, "high": 0.3}}
    assert space(values, "klue-ner-bert-tiny") == {"encoder_config.hidden_dropout_prob": Range(0.0, 0.3)}
    with pytest.raises(RecipeError, match=r"unknown key 'encoder_config.hidden_dropout_prob'"):
        space(values, "demo")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("wide", "`search_space` must be a mapping of keys to values, got 'wide'"),
        ({}, "`search_space` must be a mapping of keys to values, got {}"),
        ({"hiden_size": [8]}, "`search_space`: unknown key 'hiden_size'; did you mean 'hidden_size'\\?"),
        ({"hidden_size": 8}, "`hidden_size` must be a list of values, or a range such as .*, got 8"),
        ({"hidden_size": []}, "`hidden_size` must be a list of values, or a range"),
        ({"hidden_size": ["wide"]}, "`hidden_size` must be a whole number, got 'wide'"),
        ({"hidden_size": [8.5]}, "`hidden_size` must be a whole number, got 8.5"),
        ({"hidden_size": [True]}, "`hidden_size` must be a whole number, got True"),
        ({"hidden_size": [None]}, "`hidden_size` must be a whole number, got None"),
        ({"hidden_size": [8, 8]}, "`hidden_size` has a value twice"),
        ({"hidden_dropout": ["much"]}, "`hidden_dropout` must be a number, got 'much'"),
        ({"ngram_sizes": [2]}, "`ngram_sizes` must be a list, got 2"),
        ({"tokenizer": [1]}, "`tokenizer` must be a text, got 1"),
        ({"tokenizer": {"low": 1, "high": 2}}, "`tokenizer` is no number, so it needs a list of values"),
        ({"ngram_sizes": {"low": 1, "high": 2}}, "`ngram_sizes` is no number, so it needs a list of values"),
        ({"hidden_size": {"low": 8, "hihg": 9}}, "`hidden_size` has an unknown part 'hihg'; did you mean 'high'\\?"),
        ({"hidden_size": {"low": 8}}, "`hidden_size` must be a list of values, or a range"),
        ({"hidden_size": {"low": 8, "high": 9.5}}, "`hidden_size`: `high` must be a whole number, got 9.5"),
        ({"hidden_dropout": {"low": "a", "high": 1.0}}, "`hidden_dropout`: `low` must be a number, got 'a'"),
        ({"hidden_dropout": {"low": 0.5, "high": 0.1}}, "`low` must be below `high`, got 0.5 and 0.1"),
        ({"learning_rate": {"low": 0.0, "high": 0.1, "log": True}}, "`log` needs a `low` above 0 and no `step`"),
        ({"learning_rate": {"low": 0.1, "high": 0.2, "log": "yes"}}, "`log` must be true or false, got 'yes'"),
        ({"hidden_size": {"low": 8, "high": 16, "step": 0.5}}, "`step` must be a whole number"),
        ({"hidden_dropout": {"low": 0.1, "high": 0.2, "step": -1}}, "`step` must be above 0, got -1"),
        ({"hidden_size": {"low": 8, "high": 16, "step": 0}}, "`step` must be a whole number above 0, got 0"),
        ({"hidden_size": {"low": 8, "high": 16, "step": 10}}, "a `step` of 10 leaves no value but 8 between 8 and 16"),
        ({"max_grad_norm": {"low": 0.1, "high": float("inf")}}, "`high` must be a finite number, got inf"),
        ({"weight_decay": {"low": 0, "high": 1}}, "no whole number between 0 and 1; write 0.0 and 1.0"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(values: Any, message: str) -> None:
    with pytest.raises(RecipeError, match=message) as raised:
        space(values)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("task", "trials learn the same task"),
        ("encoder_config", "name one of its settings, as `encoder_config.hidden_size`"),
        ("data_dir", "the same data"),
        ("train_fraction", "the same data"),
        # data are read once, whatever a trial says of them
        *((key, "the same data") for key in ("dataset", "text_column", "label_column", "tag_column", "annotator")),
        *((key, "the same data") for key in ("token_separator", "trim_josa", "division_seed")),
        ("metric_for_best_model", "trials are compared by it"),
        ("seed", "only the luckiest"),
        ("vocab_size", "it follows from the data"),
        ("logging_steps", "does not change what a model learns"),
        ("output_dir", "does not change what a model learns"),
        ("search_space", "does not change what a model learns"),
    ],
)
def test_keys_that_cannot_be_searched_are_refused_with_the_reason(key: str, reason: str) -> None:
    recipe = "klue-ner-bert-tiny" if key == "encoder_config" else "demo"
    with pytest.raises(RecipeError, match=f"`{key}` cannot be searched: .*{reason}"):
        space({key: [1, 2]}, recipe)


def test_every_reason_is_of_keys_that_there_are() -> None:
    from malmoi.recipes.search_space import REASONS, SEARCHED_IN_TRAINING

    known = {key.name for recipe in recipe_names() for key in keys_of(load_recipe(recipe))}
    assert known >= {name for names in REASONS.values() for name in names}
    assert known >= set(SEARCHED_IN_TRAINING)


def test_flags_fix_a_key_and_are_read_as_a_recipe_is() -> None:
    values = {"learning_rate": [0.1, 0.2], "hidden_size": [8, 16]}
    assert space(values, learning_rate="0.3") == {"hidden_size": Choices((8, 16))}
    assert written_space(load_recipe("demo", ["--search_space", "{hidden_size: [8, 16]}"])) == {
        "hidden_size": Choices((8, 16))
    }
    with pytest.raises(RecipeError, match="`hidden_size` is in `--search_space`, and a flag of its own; remove one"):
        written_space(load_recipe("demo", ["--search_space", "{hidden_size: [8, 16]}", "--hidden_size", "8"]))
    with pytest.raises(RecipeError, match=r"`search_space` must be a mapping of keys to values, got '\{hidden'"):
        written_space(load_recipe("demo", ["--search_space", "{hidden"]))


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_has_a_space_around_its_own_values(name: str) -> None:
    recipe = load_recipe(name)
    found = default_space(recipe)
    written = {key: values.written() for key, values in found.items()}
    assert written_space(recipe._replace(settings={**recipe.settings, "search_space": written})) == found
    for key, values in found.items():
        own = recipe.settings.get(key)
        if own is not None:
            inside = own in values.values if isinstance(values, Choices) else values.low <= own <= values.high
            assert inside, key
    assert "learning_rate" not in default_space(recipe._replace(flags={"learning_rate": "0.1"}))


def test_the_key_is_known_and_explained() -> None:
    [key] = find_key("search_space")
    assert key.type == "dict | None"
    assert "malmoi tune" in key.help
