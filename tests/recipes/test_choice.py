"""Without a recipe, task, data and machine say which it is."""

import pytest

from malmoi.recipes.choice import MANY_SENTENCES, choose_recipe
from malmoi.recipes.recipe import RecipeError, load_recipe


@pytest.mark.parametrize(
    ("task", "recipe"),
    [
        ("named-entities", "klue-ner-from-body"),
        ("word-spacing", "spacing-from-body"),
        ("sentence-classification", "nsmc-from-body"),
    ],
)
@pytest.mark.parametrize("sentences", [1, MANY_SENTENCES - 1, MANY_SENTENCES, 10**6])
@pytest.mark.parametrize("has_gpu", [False, True])
def test_labelled_texts_are_learned_from_the_body_of_the_package(
    task: str, recipe: str, sentences: int, has_gpu: bool
) -> None:
    choice = choose_recipe(task, sentences=sentences, has_gpu=has_gpu)
    assert choice.recipe == recipe
    assert choice.flags == {"model_name_or_path": "bundled:language-model"}
    assert load_recipe(choice.recipe).task == task
    # BERT is named where it has a GPU and enough to learn from
    assert ("-bert may be better" in choice.why) == (has_gpu and sentences >= MANY_SENTENCES)


def test_text_without_labels_makes_a_language_model() -> None:
    choice = choose_recipe("language-model", sentences=5, has_gpu=True)
    assert (choice.recipe, choice.flags) == ("korean-language-model", {})


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(RecipeError, match="no recipe to choose for the task 'parsing'"):
        choose_recipe("parsing", sentences=5, has_gpu=False)


@pytest.mark.parametrize(
    ("sentences", "found"),
    [
        (49, "with 50 sentences of KLUE it was 21 points better"),
        (50, "with 50 to 3,499 sentences of KLUE it was 7 to 21 points better"),
        (3_499, "with 50 to 3,499 sentences of KLUE it was 7 to 21 points better"),
        (3_500, "with 3,499 sentences of KLUE it was 7 points better"),
    ],
)
def test_the_figures_are_those_of_about_so_many_sentences(sentences: int, found: str) -> None:
    assert choose_recipe("named-entities", sentences=sentences, has_gpu=False).why.startswith(found)


@pytest.mark.parametrize("has_gpu", [False, True])
def test_no_figure_of_the_body_is_said_of_another_model(has_gpu: bool) -> None:
    choice = choose_recipe("named-entities", sentences=10_000, has_gpu=has_gpu, begins_from="runs/mine")
    assert choice.recipe == "klue-ner-from-body"
    assert choice.flags == {"model_name_or_path": "runs/mine"}
    assert choice.why == "it goes on from runs/mine"
