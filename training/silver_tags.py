"""Silver labels of taggers: each character of a sentence gets the label that the teachers find best together.

Each character of a sentence has a posterior probability of every label, the mean over the models. The best sequence of
labels that is allowed is chosen, and a sentence joins if the smallest posterior of its chosen labels is large enough.
What is learned of it are all its posteriors (`probable_labels`), not the best sequence alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from malmoi.configuration.model_settings import are_bio, constraints_of
from malmoi.data.longest_input import longest_input
from malmoi.data.tagged_dataset import TaggedSentence, tagged_dataset
from malmoi.inference.batches import length_batches, text_chunks
from malmoi.inference.posteriors import character_posteriors
from malmoi.modeling.linear_chain_crf import LinearChainCrf
from malmoi.training.silver_teachers import LEAST, LabelledTexts, Teacher

BATCH_SIZE = 64


class LabelledSentence(NamedTuple):
    """A sentence, the label of each of its characters, and the smallest posterior of those labels."""

    text: str
    tags: list[int]
    confidence: float
    posteriors: Tensor
    """The probability of every label at every character, `(characters, labels)`."""


def label_with_tags(
    teachers: Sequence[Teacher],
    sentences: Sequence[str],
    labels: Sequence[str],
    *,
    least: float,
    name: str,
    own_tags: Mapping[str, Sequence[str]] | None = None,
) -> LabelledTexts:
    """Label sentences, and return those whose labels all have at least so large a posterior.

    They have all their posteriors in the column `probabilities`, unless the models only judge labels of their own.

    Args:
        teachers: The models.
        sentences: The sentences.
        labels: The labels of the data.
        least: The posterior.
        name: What the ids of the sentences begin with.
        own_tags: The labels that each sentence has, if the models are only to judge them.
    """
    confidences: list[float] = []

    def kept() -> Iterator[TaggedSentence]:
        number = 0
        labelled = label_sentences(teachers, sentences, labels, own_tags=own_tags)
        for text, tags, confidence, posteriors in labelled:
            confidences.append(confidence)
            if confidence >= least:
                number += 1
                found = TaggedSentence(id=f"{name}-{number}", text=text, tags=[labels[tag] for tag in tags])
                if own_tags is None:
                    found["probabilities"] = posteriors.numpy()
                yield found

    dataset = tagged_dataset(kept(), labels)  # one after the other, as there may be many that do not join
    return LabelledTexts(confidences, dataset)


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
                total += teacher.of_data(own) / len(teachers)
        chosen = (
            best_labels(together, labels)
            if own_tags is None
            else own_labels(together, [own_tags[text] for text in chunk], labels)
        )
        for text, (tags, confidence), found in zip(chunk, chosen, together):
            yield LabelledSentence(text, tags, confidence, found)


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
