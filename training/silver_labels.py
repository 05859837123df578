"""Silver labels: finished models label unlabelled texts, and the sure ones join the training set (self-training).

Self-training: Yarowsky, 1995 (https://aclanthology.org/P95-1026); several models as the teacher of one: Hinton et al.,
2015 (https://arxiv.org/abs/1503.02531). What a text gets, and when it is sure: `silver_tags` and `silver_classes`. It
learns what the models find probable, not the likeliest answer alone.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from datasets import Dataset, DatasetDict

from malmoi.data.counted import counted
from malmoi.data.probable_classes import with_texts_of_models
from malmoi.data.silver_text import NewSentences, leave_out_known, read_raw_sentences
from malmoi.data.tagged_dataset import with_sentences_of_models
from malmoi.data.word_spacing import SPACING_LABELS, split_spaces
from malmoi.recipes.arguments import SilverArguments, TaggingArguments, WordSpacingArguments
from malmoi.recipes.recipe import RecipeError
from malmoi.training.models.finished_model import described_name
from malmoi.training.processes.launcher import say
from malmoi.training.request import TrainingRequest
from malmoi.training.silver_classes import label_with_classes
from malmoi.training.silver_tags import label_with_tags
from malmoi.training.silver_teachers import fingerprint_of, load_teacher, split_names

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


class SilverTexts(NamedTuple):
    """Texts that models have labelled, as those of the training set, and what a report says of them."""

    dataset: Dataset
    description: dict[str, Any]
    teachers: str
    """A hash of the models."""


class Wording(NamedTuple):
    """How silver texts of a kind are spoken of: what one is, and how sure the teachers are of it."""

    text: str
    confidence: str


OF_TAGS = Wording("sentence", "smallest posterior")
OF_CLASSES = Wording("text", "largest probability")


def find_silver_texts(request: TrainingRequest, splits: DatasetDict, chosen: Dataset) -> SilverTexts | None:
    """Return the silver texts that a recipe asks for; `None` if it asks for none.

    Args:
        request: The recipe.
        splits: The labelled data; no text of the validation and the test set is learned.
        chosen: The labelled texts that are learned.

    Raises:
        UserError: If the text or a teacher cannot be read, a teacher has other labels, or no text is sure enough.
    """
    arguments = request.arguments
    if not isinstance(arguments, SilverArguments) or not arguments.silver_text or not arguments.silver_teachers:
        return None
    labels = request.task.labels(chosen)
    names = split_names(arguments.silver_teachers)
    device = request.training_arguments.device
    teachers = [load_teacher(name, request.task.name, labels, device=device) for name in names]
    path = Path(arguments.silver_text)
    read = read_raw_sentences(path)
    own_tags: dict[str, list[str]] | None = None
    if labels == SPACING_LABELS:
        spaced = [split_spaces(sentence) for sentence in read]
        read = [text for text, _ in spaced]
        if isinstance(arguments, WordSpacingArguments) and arguments.silver_own_spaces:
            own_tags = dict(reversed(spaced))  # of a sentence that is repeated, the first one's
    others = [text for split, rows in splits.items() if split != "train" for text in rows["text"]]
    learned = [] if arguments.silver_training_texts else chosen["text"]
    new = leave_out_known(read, evaluation=others, training=learned)
    drawn = _draw(new.sentences, arguments.silver_limit, seed=request.training_arguments.seed)
    least = arguments.silver_confidence
    wording = OF_TAGS if isinstance(arguments, TaggingArguments) else OF_CLASSES
    are = "is" if len(drawn) == 1 else "are"
    say(f"{path.name}: {counted(len(drawn), wording.text)} {are} labelled by {counted(len(teachers), 'model')}.")
    if isinstance(arguments, TaggingArguments):
        found = label_with_tags(teachers, drawn, labels, least=least, name=path.stem, own_tags=own_tags)
    else:
        found = label_with_classes(teachers, drawn, labels, least=least, name=path.stem)
    if not found.kept.num_rows:
        raise RecipeError(
            f"{path}: no {wording.text} joins the training set: of {len(drawn):,} that are new, the surest has a "
            f"{wording.confidence} of {max(found.confidences, default=0.0):.3f}, and `silver_confidence` is {least:g}."
        )
    description = {
        "teachers": [described_name(name) for name in names],
        "text": path.name,
        "read": len(read),
        **_left_out(new),
        "labelled": len(drawn),
        "kept": found.kept.num_rows,
        "confidence": least,
        **({} if own_tags is None else {"own_spaces": True}),
        **({"training_texts": True} if arguments.silver_training_texts else {}),
        "confidence_quantiles": _quantiles(found.confidences),
    }
    say(f"{path.name}: {summary(description, wording)}.")
    return SilverTexts(found.kept, description, fingerprint_of(teachers))


def with_silver(gold: Dataset, silver: SilverTexts | None) -> Dataset:
    """Return labelled texts, and after them the silver ones, if there are any."""
    if silver is None:
        return gold
    if "tags" in gold.column_names:
        return with_sentences_of_models(gold, silver.dataset)
    return with_texts_of_models(gold, silver.dataset)


def summary(description: dict[str, Any], wording: Wording) -> str:
    """Return how many silver texts there are and were left out, in words."""
    labelled = counted(description["labelled"], f"labelled {wording.text}")
    return (
        f"{description['kept']:,} of {labelled} join{'s' if description['kept'] == 1 else ''} the training set "
        f"({wording.confidence} at least {description['confidence']:g}); left out of {description['read']:,} in the "
        f"file: {description['in_evaluation']:,} of validation or test set, {description['in_training']:,} of the "
        f"training set, {description['repeated']:,} repeated"
    )


def _draw(sentences: list[str], limit: int | None, *, seed: int) -> list[str]:
    """Return at most so many sentences, drawn by the seed, in their old order."""
    if limit is None or limit >= len(sentences):
        return sentences
    return [sentences[index] for index in sorted(random.Random(seed).sample(range(len(sentences)), limit))]


def _left_out(new: NewSentences) -> dict[str, int]:
    return {"in_evaluation": new.in_evaluation, "in_training": new.in_training, "repeated": new.repeated}


def _quantiles(confidences: Sequence[float]) -> dict[str, float]:
    values = np.quantile(np.array(confidences, dtype=np.float64), QUANTILES)  # that of torch takes 16 million at most
    return {f"{share:g}": round(value, 4) for share, value in zip(QUANTILES, values.tolist())}
