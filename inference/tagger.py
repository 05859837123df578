"""Tag names in texts with a saved model."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import TokenClassificationPipeline

from malmoi.data.user_error import UserError
from malmoi.inference.loading import load_tagger
from malmoi.modeling.pipeline_crf_token_classification import CrfTokenClassificationPipeline

CHUNK = 512


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
        loaded = load_tagger(model, trust_remote_code=trust_remote_code, revision=revision)
        has_crf = bool(getattr(loaded.model.config, "custom_pipelines", None))
        pipeline_class = CrfTokenClassificationPipeline if has_crf else TokenClassificationPipeline
        self.pipeline = pipeline_class(
            model=loaded.model, tokenizer=loaded.tokenizer, aggregation_strategy="simple", device=device
        )

    def tag(self, texts: Iterable[str], *, batch_size: int = 32) -> Iterator[list[Entity]]:
        """Yield the names of each text, in the order of the texts. Memory does not grow with their number.

        Raises:
            UserError: If a text holds a lone surrogate, which is no character.
        """
        texts = iter(texts)
        while chunk := list(islice(texts, CHUNK)):
            # texts of similar length together: less padding
            order = sorted(range(len(chunk)), key=lambda index: len(chunk[index]))
            answers: list[list[Entity]] = [[] for _ in chunk]
            filled = [index for index in order if chunk[index]]
            for text in chunk:
                _check_text(text)
            found: Any = self.pipeline([chunk[index] for index in filled], batch_size=batch_size) if filled else []
            for index, entities in zip(filled, found):
                answers[index] = [
                    Entity(
                        e["start"], e["end"], e["entity_group"], float(e["score"]), chunk[index][e["start"] : e["end"]]
                    )
                    for e in entities
                ]
            yield from answers


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError(f"Character {error.start + 1} of the text is a lone surrogate, not a character.") from None
