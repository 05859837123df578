"""Silver labels of classifiers: a text gets the probabilities that the teachers give its classes together.

A text joins if the largest of its probabilities, each the mean over the teachers, is large enough. All of them are
learned, not the likeliest class alone (soft targets, Hinton et al., 2015, https://arxiv.org/abs/1503.02531).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from malmoi.data.longest_input import longest_input
from malmoi.data.probable_classes import texts_with_probabilities
from malmoi.inference.class_probabilities import class_probabilities
from malmoi.training.silver_teachers import LabelledTexts, Teacher

BATCH_SIZE = 256


def label_with_classes(
    teachers: Sequence[Teacher], texts: Sequence[str], classes: Sequence[str], *, least: float, name: str
) -> LabelledTexts:
    """Classify texts, and return those whose likeliest class has at least so large a probability.

    Args:
        teachers: The models.
        texts: The texts.
        classes: The classes of the data.
        least: The probability.
        name: What the ids of the texts begin with.
    """
    probabilities = mean_probabilities(teachers, texts, len(classes))
    confidences = probabilities.amax(dim=1).tolist()
    sure = [index for index, confidence in enumerate(confidences) if confidence >= least]
    ids = [f"{name}-{number}" for number in range(1, len(sure) + 1)]
    kept = texts_with_probabilities(ids, [texts[index] for index in sure], probabilities[sure].numpy(), classes)
    return LabelledTexts(confidences, kept)


def mean_probabilities(teachers: Sequence[Teacher], texts: Sequence[str], num_classes: int) -> Tensor:
    """Return the mean over the teachers of the probability of every class, `(texts, classes)`, in the data's order."""
    together = torch.zeros(len(texts), num_classes)
    for teacher in teachers:
        longest = longest_input(teacher.model.config, teacher.tokenizer)
        own = class_probabilities(teacher.model, teacher.tokenizer, texts, max_length=longest, batch_size=BATCH_SIZE)
        together += teacher.of_data(own) / len(teachers)
    return together
