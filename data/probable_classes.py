"""Classified texts with a probability of every class each, as models give it: more than a class to learn from."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from datasets import Dataset, Features, List, Value, concatenate_datasets

from malmoi.data.classified_dataset import class_names, classified_features

PROBABILITIES = "probabilities"
"""The column of the probabilities, in the order of the classes; the likeliest one is the class of the text."""


def texts_with_probabilities(
    ids: Sequence[str], texts: Sequence[str], probabilities: npt.NDArray[np.float32], classes: Sequence[str]
) -> Dataset:
    """Build a dataset of classified texts with the column `probabilities`.

    Args:
        ids: The name of each text.
        texts: The texts.
        probabilities: The probability of every class for each text, `(texts, classes)`.
        classes: The classes.
    """
    columns = {
        "id": list(ids),
        "text": list(texts),
        "label": probabilities.argmax(axis=1),
        PROBABILITIES: list(probabilities),
    }
    features = Features({**classified_features(classes), PROBABILITIES: List(Value("float32"))})
    return Dataset.from_dict(columns, features=features)


def with_texts_of_models(classified: Dataset, of_models: Dataset) -> Dataset:
    """Return classified texts, and after them those that models have classified, all with probabilities.

    The class of a text that people have classified is certain. A class that the models do not know has the probability
    0 for their texts.

    Args:
        classified: Texts that people have classified.
        of_models: Texts with the column `probabilities`, whose classes are among those of `classified`.
    """
    classes = class_names(classified)
    certain = np.eye(len(classes), dtype=np.float32)[np.array(classified["label"][:], dtype=np.int64)]
    known = [classes.index(name) for name in class_names(of_models)]
    guessed = np.zeros((of_models.num_rows, len(classes)), dtype=np.float32)
    guessed[:, known] = np.array(of_models[PROBABILITIES][:], dtype=np.float32)
    parts = (classified, certain), (of_models, guessed)
    return concatenate_datasets(
        [texts_with_probabilities(rows["id"][:], rows["text"][:], values, classes) for rows, values in parts]
    )
