"""Tag names in texts with a saved model."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import TokenClassificationPipeline

from malmoi.configuration.crf_settings import CrfSettings
from malmoi.data.token_windows import longest_input
from malmoi.inference.batches import CHUNK, check_text, length_batches
from malmoi.inference.loading import load_model
from malmoi.modeling.pipeline_crf_token_classification import CrfTokenClassificationPipeline, token_spans


class Entity(NamedTuple):
    """A name in a text: `text[start:end]`, in characters of the untouched text; `score` is a probability."""

    start: int
    end: int
    label: str
    score: float
    text: str


class Tagger:
    """Find names. Offsets point into the user's own text, and a text may be of any length.

    Args:
        model: A folder, or the name of a repository on the Hub.
        trust_remote_code: Whether code that comes with the model may run. Our own architectures do not need it.
        revision: Branch, tag or commit of the repository.
        device: Where to run; by default a GPU if there is one.

    Raises:
        UserError: If the model cannot be loaded; the message names the file.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        trust_remote_code: bool = False,
        revision: str | None = None,
        device: str | torch.device | None = None,
    ):
        loaded = load_model(model, "named-entities", trust_remote_code=trust_remote_code, revision=revision)
        has_crf = isinstance(loaded.model.config, CrfSettings)
        options: dict[str, Any] = {}
        max_length = longest_input(loaded.model.config, loaded.tokenizer)
        if not has_crf and max_length is not None:
            # a stock model reads a long text in windows too; one with a CRF does so by itself
            loaded.tokenizer.model_max_length = max_length
            options["stride"] = max_length // 4
        pipeline_class = CrfTokenClassificationPipeline if has_crf else TokenClassificationPipeline
        self.pipeline = pipeline_class(
            model=loaded.model, tokenizer=loaded.tokenizer, aggregation_strategy="simple", device=device, **options
        )

    def tag(self, texts: Iterable[str], *, batch_size: int = 32) -> Iterator[list[Entity]]:
        """Yield the names of each text, in the order of the texts. Memory does not grow with their number.

        Raises:
            UserError: If a text holds a lone surrogate, which is no character.
        """
        texts = iter(texts)
        while chunk := list(islice(texts, CHUNK)):
            for text in chunk:
                check_text(text)
            answers: list[list[Entity]] = [[] for _ in chunk]
            for batch in length_batches([len(text) for text in chunk], batch_size):
                self._tag_batch(chunk, batch, answers)
            yield from answers

    def _tag_batch(self, chunk: list[str], batch: list[int], answers: list[list[Entity]]) -> None:
        """Fill in the answers for some texts of a chunk."""
        found: Any = self.pipeline([chunk[index] for index in batch], batch_size=len(batch))
        for index, entities in zip(batch, found):
            answers[index] = [_entity(entity, chunk[index]) for entity in entities]


def _entity(found: dict[str, Any], text: str) -> Entity:
    """Return a name without the space before it, which some tokenizers count as part of its first token."""
    [(start, end)] = token_spans(text, [(found["start"], found["end"])])
    return Entity(start, end, found["entity_group"], float(found["score"]), text[start:end])
