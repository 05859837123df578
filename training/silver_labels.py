"""Silver labels: finished models label unlabelled sentences, and the sure ones join the training set (self-training).

Each character of a sentence has a posterior probability of every label, the mean over the models. The best sequence of
labels that is allowed is chosen, and a sentence joins if the smallest posterior of its chosen labels is large enough.
Self-training: Yarowsky, 1995 (https://aclanthology.org/P95-1026); several models as the teacher of one: Hinton et al.,
2015 (https://arxiv.org/abs/1503.02531).
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from datasets import Dataset, DatasetDict, concatenate_datasets
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from malmoi.configuration.model_settings import are_bio, constraints_of
from malmoi.data.notice import list_names
from malmoi.data.silver_text import NewSentences, leave_out_known, read_raw_sentences
from malmoi.data.tagged_dataset import TaggedSentence, label_names, tagged_dataset, with_labels
from malmoi.data.token_windows import longest_input
from malmoi.data.word_spacing import SPACING_LABELS, split_spaces
from malmoi.inference.batches import length_batches, text_chunks
from malmoi.inference.loading import load_model
from malmoi.inference.posteriors import character_posteriors
from malmoi.modeling.linear_chain_crf import LinearChainCrf
from malmoi.recipes.arguments import TaggingArguments, WordSpacingArguments
from malmoi.recipes.recipe import RecipeError
from malmoi.training.processes.launcher import say
from malmoi.training.request import TrainingRequest

BATCH_SIZE = 64
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
LEAST = 1e-30
"""A probability that rounding has made 0 has no logarithm."""


class SilverSentences(NamedTuple):
    """Sentences that models have labelled, as those of the training set, and what a report says of them."""

    dataset: Dataset
    description: dict[str, Any]


class Teacher(NamedTuple):
    """A finished model that labels sentences, and where the labels of the data are among its own."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    order: list[int]


class LabelledSentence(NamedTuple):
    """A sentence, the label of each of its characters, and the smallest posterior of those labels."""

    text: str
    tags: list[int]
    confidence: float


def find_silver_sentences(request: TrainingRequest, splits: DatasetDict, chosen: Dataset) -> SilverSentences | None:
    """Return the silver sentences that a recipe asks for; `None` if it asks for none.

    Args:
        request: The recipe.
        splits: The labelled data; no text of the validation and the test set is learned.
        chosen: The labelled sentences that are learned.

    Raises:
        UserError: If the text or a teacher cannot be read, a teacher has other labels, or no sentence is sure enough.
    """
    arguments = request.arguments
    if not isinstance(arguments, TaggingArguments) or not arguments.silver_text or not arguments.silver_teachers:
        return None
    labels = label_names(chosen)
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
    new = leave_out_known(read, evaluation=others, training=chosen["text"])
    drawn = _draw(new.sentences, arguments.silver_limit, seed=request.training_arguments.seed)
    say(f"{path.name}: {len(drawn):,} sentences are labelled by {len(teachers)} models.")
    labelled = [*label_sentences(teachers, drawn, labels, own_tags=own_tags)]
    kept = [sentence for sentence in labelled if sentence.confidence >= arguments.silver_confidence]
    if not kept:
        surest = max((sentence.confidence for sentence in labelled), default=0.0)
        raise RecipeError(
            f"{path}: no sentence joins the training set: of {len(labelled):,} that are new, the surest has labels "
            f"with a posterior of {surest:.3f}, and `silver_confidence` is {arguments.silver_confidence:g}."
        )
    description = {
        "teachers": [Path(name).resolve().name if Path(name).exists() else name for name in names],
        "text": path.name,
        "read": len(read),
        **_left_out(new),
        "labelled": len(labelled),
        "kept": len(kept),
        "confidence": arguments.silver_confidence,
        **({} if own_tags is None else {"own_spaces": True}),
        "confidence_quantiles": _quantiles([sentence.confidence for sentence in labelled]),
    }
    say(f"{path.name}: {summary(description)}.")
    rows = (
        TaggedSentence(id=f"{path.stem}-{number}", text=text, tags=[labels[tag] for tag in tags])
        for number, (text, tags, _) in enumerate(kept, start=1)
    )
    return SilverSentences(tagged_dataset(rows, labels), description)


def with_silver(gold: Dataset, silver: SilverSentences | None) -> Dataset:
    """Return labelled sentences, and after them the silver ones, if there are any."""
    if silver is None:
        return gold
    return concatenate_datasets([gold, with_labels(silver.dataset, label_names(gold))])


def summary(description: dict[str, Any]) -> str:
    """Return how many silver sentences there are and were left out, in words."""
    return (
        f"{description['kept']:,} of {description['labelled']:,} labelled sentences join the training set (smallest "
        f"posterior at least {description['confidence']:g}); of {description['read']:,} in the file, "
        f"{description['in_evaluation']:,} stand in validation or test set, {description['in_training']:,} in the "
        f"training set, and {description['repeated']:,} are repeated"
    )


def split_names(names: str) -> list[str]:
    """Return names that have commas between them."""
    return [name.strip() for name in names.split(",") if name.strip()]


def load_teacher(name: str, task: str, labels: Sequence[str], *, device: torch.device) -> Teacher:
    """Load a finished model that is to label sentences.

    Raises:
        UserError: If it cannot be loaded, is for another task, or has other labels than the data.
    """
    model, tokenizer = load_model(name, task)
    own = [str(label) for _, label in sorted((model.config.id2label or {}).items())]
    if sorted(own) != sorted(labels):
        raise RecipeError(
            f"`silver_teachers`: {name} has the labels {list_names(own)}, but those of the data are "
            f"{list_names(labels)}; a teacher must have the same."
        )
    return Teacher(model.to(device), tokenizer, [own.index(label) for label in labels])  # type: ignore[arg-type]


def label_sentences(
    teachers: Sequence[Teacher],
    sentences: Sequence[str],
    labels: Sequence[str],
    *,
    own_tags: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[LabelledSentence]:
    """Yield each sentence with the labels that models give it together, in the order of the sentences.

    Args:
        teachers: The models.
        sentences: The sentences.
        labels: The labels of the data; those of the characters are numbers of them.
        own_tags: The labels that each sentence has, if the models are only to judge them.
    """
    for chunk in text_chunks(sentences):
        together = [torch.zeros(len(text), len(labels)) for text in chunk]
        for teacher in teachers:
            posteriors = character_posteriors(
                teacher.model,
                teacher.tokenizer,
                chunk,
                max_length=longest_input(teacher.model.config, teacher.tokenizer),
                batch_size=BATCH_SIZE,
            )
            for total, own in zip(together, posteriors):
                total += own[:, teacher.order] / len(teachers)
        chosen = (
            best_labels(together, labels)
            if own_tags is None
            else own_labels(together, [own_tags[text] for text in chunk], labels)
        )
        for text, (tags, confidence) in zip(chunk, chosen):
            yield LabelledSentence(text, tags, confidence)


def own_labels(
    posteriors: Sequence[Tensor], tags: Sequence[Sequence[str]], labels: Sequence[str]
) -> list[tuple[list[int], float]]:
    """Return the labels that texts have, and the smallest posterior of those of each text.

    Args:
        posteriors: The probability of every label at every character of each text, `(characters, labels)`.
        tags: The label of every character of each text.
        labels: The labels.
    """
    found = []
    for of_models, of_text in zip(posteriors, tags):
        numbers = [labels.index(tag) for tag in of_text]
        chosen = of_models.gather(1, torch.tensor(numbers, dtype=torch.long)[:, None])
        found.append((numbers, float(chosen.amin()) if numbers else 1.0))
    return found


def best_labels(posteriors: Sequence[Tensor], labels: Sequence[str]) -> list[tuple[list[int], float]]:
    """Return the best allowed sequence of labels of each text, and the smallest posterior of its labels.

    The best sequence is the one whose posteriors have the largest product (Viterbi); allowed is one in which `I-X`
    stands only after `B-X` or `I-X`, if the labels are such.

    Args:
        posteriors: The probability of every label at every character of each text, `(characters, labels)`.
        labels: The labels.
    """
    starts, steps = constraints_of(tuple(labels), bio=are_bio(tuple(labels)))
    viterbi = LinearChainCrf(len(labels), forbidden_starts=starts, forbidden_transitions=steps)
    for parameter in viterbi.parameters():
        parameter.data.zero_()
    found: list[tuple[list[int], float]] = [([], 1.0)] * len(posteriors)
    for batch in length_batches([len(each) for each in posteriors], BATCH_SIZE):
        padded = torch.nn.utils.rnn.pad_sequence([posteriors[index] for index in batch], batch_first=True)
        lengths = torch.tensor([len(posteriors[index]) for index in batch])
        mask = torch.arange(padded.size(1)) < lengths[:, None]
        best = viterbi.decode(padded.clamp(min=LEAST).log(), mask)
        chosen = padded.gather(2, best.clamp(min=0)[:, :, None])[:, :, 0].masked_fill(~mask, 1)
        for index, tags, length, confidence in zip(batch, best.tolist(), lengths.tolist(), chosen.amin(1).tolist()):
            found[index] = tags[:length], confidence
    return found


def _draw(sentences: list[str], limit: int | None, *, seed: int) -> list[str]:
    """Return at most so many sentences, drawn by the seed, in their old order."""
    if limit is None or limit >= len(sentences):
        return sentences
    return [sentences[index] for index in sorted(random.Random(seed).sample(range(len(sentences)), limit))]


def _left_out(new: NewSentences) -> dict[str, int]:
    return {"in_evaluation": new.in_evaluation, "in_training": new.in_training, "repeated": new.repeated}


def _quantiles(confidences: Sequence[float]) -> dict[str, float]:
    shares = torch.tensor(QUANTILES, dtype=torch.float64)
    values = torch.tensor(confidences, dtype=torch.float64).quantile(shares)
    return {f"{share:g}": round(value, 4) for share, value in zip(QUANTILES, values.tolist())}
