"""Which recipe suits data and machine, where none is named. Imports nothing heavy."""

from typing import Any, NamedTuple

from malmoi.recipes.recipe import RecipeError

BODY = "bundled:language-model"
MANY_SENTENCES = 3_000
"""From here on a large encoder has something to learn from."""
MEASURED = (50, 3_499)
"""The fewest and the most sentences of KLUE with which what begins from the body was measured."""

THAN_NOTHING = "better than a BiLSTM-CRF that begins from nothing"


class Suited(NamedTuple):
    """What suits a task: the recipe, one with BERT, and what speaks for the first."""

    recipe: str
    with_bert: str
    why: str
    """Whatever the data are."""
    why_few: str = ""
    """With fewer texts than those that were measured, and"""
    why_many: str = ""
    """with more: what was found with the nearest number of them."""


SUITED = {
    "named-entities": Suited(
        "klue-ner-from-body",
        "klue-ner-bert",
        f"with 50 to 3,499 sentences of KLUE it was 7 to 21 points {THAN_NOTHING}",
        f"with 50 sentences of KLUE it was 21 points {THAN_NOTHING}",
        f"with 3,499 sentences of KLUE it was 7 points {THAN_NOTHING}",
    ),
    "word-spacing": Suited(
        "spacing-from-body", "spacing-bert", "it knows Korean beforehand, from 27 million characters"
    ),
    "sentence-classification": Suited(
        "nsmc-from-body", "nsmc-bert", "on NSMC it was 0.9 points better than a BiLSTM that begins from nothing"
    ),
}
"""The recipes by task; docs/accuracy.md has the figures."""


class Choice(NamedTuple):
    """A recipe that was chosen, the flags that it needs, and why."""

    recipe: str
    flags: dict[str, Any]
    why: str


def choose_recipe(task: str, *, sentences: int, has_gpu: bool, begins_from: str = BODY) -> Choice:
    """Return the recipe for so many training sentences on this machine.

    Args:
        task: What is learned.
        sentences: How many training sentences, or texts, there are.
        has_gpu: Whether there is a GPU or another accelerator.
        begins_from: The model that is trained on; the figures of the package are of its own body alone.

    Raises:
        RecipeError: If there is nothing to choose for this task.
    """
    if task == "language-model":
        return Choice("korean-language-model", {}, "it is the recipe for text without labels")
    if task not in SUITED:
        raise RecipeError(f"There is no recipe to choose for the task {task!r}; name one (`malmoi recipes`).")
    suited = SUITED[task]
    if begins_from != BODY:
        return Choice(suited.recipe, {"model_name_or_path": begins_from}, f"it goes on from {begins_from}")
    fewest, most = MEASURED
    few, many = suited.why_few or suited.why, suited.why_many or suited.why
    why = few if sentences < fewest else many if sentences > most else suited.why
    why += ", and needs neither GPU nor Hub"
    if has_gpu and sentences >= MANY_SENTENCES:
        why += f"; on this GPU, with so many texts, {suited.with_bert} may be better, whose encoder the Hub has"
    return Choice(suited.recipe, {"model_name_or_path": BODY}, why)
