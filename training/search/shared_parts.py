"""What trials of a search share: data, silver texts, tokenizer, and features of texts that were tokenised before."""

import copy
import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import torch
from datasets import Dataset, DatasetDict
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from malmoi.recipes.arguments import RecipeArguments
from malmoi.training.preparation import Parts
from malmoi.training.request import TrainingRequest
from malmoi.training.silver_labels import SilverTexts
from malmoi.training.tasks import Task

MOST_KEPT = 3
"""A tokenizer, and the features of the validation data and of the training data."""


class SharedSilver(NamedTuple):
    """Silver texts, what is said of them, and the state of the random numbers before and after they were labelled."""

    said: dict[str, Any]
    texts: SilverTexts | None
    before: Tensor
    after: Tensor


class SharedParts(Parts):
    """Keeps what was made last, and makes it anew where what it depends on is another.

    No trial is judged on the test data. They are read all the same: no silver text may be one of theirs, or the best
    trial could not be judged by them once it is trained.
    """

    def __init__(self) -> None:
        self._data: DatasetDict | None = None
        self._silver: SharedSilver | None = None
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def splits(self, request: TrainingRequest) -> DatasetDict:
        """Return the data, which are read once."""
        self._data = self._data or super().splits(request)
        return self._data

    def silver(self, request: TrainingRequest, splits: DatasetDict, chosen: Dataset) -> SilverTexts | None:
        """Return the silver texts, which are labelled once, unless what is said of them is searched."""
        said = {name: value for name, value in vars(request.arguments).items() if name.startswith("silver_")}
        before = torch.get_rng_state()
        kept = self._silver
        if kept is None or kept.said != said or not torch.equal(kept.before, before):
            texts = super().silver(request, splits, chosen)
            kept = self._silver = SharedSilver(said, texts, before, torch.get_rng_state())
        # the weights of a trial are drawn next, and are to be those of a training, which labels its texts itself
        torch.set_rng_state(kept.after)
        return kept.texts

    def looked_at(self, splits: DatasetDict) -> DatasetDict:
        """Return the data for training and for validation."""
        return DatasetDict({split: splits[split] for split in ("train", "validation")})

    def tokenizer(self, arguments: RecipeArguments, texts: Sequence[str]) -> PreTrainedTokenizerBase:
        """Return the tokenizer of a recipe; what a model adds to it stays out of those of other trials."""
        name = arguments.tokenizer or arguments.model_name_or_path
        sizes = arguments.tokenizer_min_frequency, arguments.tokenizer_vocab_size
        key = name, *sizes, _digest(list(texts))
        return copy.deepcopy(self._once(key, lambda: super(SharedParts, self).tokenizer(arguments, texts)))

    def features(
        self, task: Task, rows: Dataset, tokenizer: PreTrainedTokenizerBase, *, max_length: int | None
    ) -> Dataset:
        """Return the features of rows, which are kept for the same rows and a tokenizer that reads them alike."""
        backend: Any = tokenizer
        columns = [(name, rows[name][:]) for name in sorted(rows.column_names)]
        labels = str(rows.features)
        key = _digest([columns, labels, backend.backend_tokenizer.to_str(), max_length])
        return self._once(
            key,
            lambda: super(SharedParts, self).features(task, rows, tokenizer, max_length=max_length),
        )

    def _once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key not in self._kept:
            self._kept[key] = make()
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
