"""A task for tests of files: it finds every word in Hangul, without a model, and as slowly as a test asks for."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from malmoi.commands.answering import ModelOptions
from malmoi.commands.streams.run import Manner, answer_texts
from malmoi.commands.tag import Tagging
from malmoi.commands.text_input import text_input
from malmoi.commands.text_options import wish_of

WORD = re.compile(r"[가-힣]+(?: [가-힣]+)?")
LABEL = "PS"
DEADLY = "죽는다"
"""The process that reads this text is killed, if the task is deadly."""


class FoundWord(NamedTuple):
    """What a tagger calls an entity."""

    start: int
    end: int
    label: str
    score: float
    text: str


def found_words(text: str) -> list[FoundWord]:
    """Return the words of a text."""
    return [FoundWord(*match.span(), LABEL, 0.5, match[0]) for match in WORD.finditer(text)]


@dataclass(frozen=True)
class FindingWords(Tagging):
    """Find words."""

    seconds: float = 0.0
    """How long a job takes."""
    deadly: bool = False

    def load(self, texts: list[str]) -> Callable[[list[str]], Iterator[list[FoundWord]]]:
        """Return what finds words."""

        def answer(texts: list[str]) -> Iterator[list[FoundWord]]:
            time.sleep(self.seconds)
            if self.deadly and DEADLY in texts:
                os.kill(os.getpid(), signal.SIGKILL)
            return map(found_words, texts)

        return answer


def find_words(
    *given: Path | str,
    form: str | None = None,
    output: Path | str | None = None,
    errors: Path | str | None = None,
    plain: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    document: bool = False,
    text_column: str | None = None,
    encoding: str | None = None,
    workers: int = 1,
    seconds: float = 0.0,
    deadly: bool = False,
    model: str = "none",
    words: Path | None = None,
) -> None:
    """Do what `malmoi tag` does with its options."""
    wish = wish_of(
        form,
        as_json=plain,
        output=None if output is None else str(output),
        resume=resume,
        overwrite=overwrite,
        errors=None if errors is None else Path(errors),
    )
    task = FindingWords(ModelOptions(model, words), seconds=seconds, deadly=deadly)
    answer_texts(
        task, text_input(None, [str(path) for path in given], encoding), wish, Manner(document, text_column, workers)
    )
