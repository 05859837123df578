"""Restore the spaces between words with a saved model.

Nothing but spaces (U+0020) can change, whatever the model says.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import regex
import torch

from malmoi.data.token_windows import longest_input
from malmoi.data.word_spacing import BEGIN
from malmoi.inference.batches import CHUNK, check_text
from malmoi.inference.loading import load_model
from malmoi.inference.token_labels import token_labels

SPACE = " "
# line ends, tabs and all other white space stay where they are; what stands between them is spaced on its own
SEGMENT = re.compile(r"[^\S ]*((?:\S| )+)[^\S ]*")


class SpacedText(NamedTuple):
    """A text with its spaces restored.

    Args:
        text: The text.
        offsets: For each of its characters the place of that character in the original; `None` for an inserted space.
        removed: Places of the spaces of the original that are gone.
    """

    text: str
    offsets: list[int | None]
    removed: list[int]


class Spacer:
    """Restore spaces. Every other character stays as it is and in its place in the order.

    Args:
        model: A folder, or the name of a repository on the Hub.
        trust_remote_code: Whether code that comes with the model may run. Our own architectures do not need it.
        revision: Branch, tag or commit of the repository.
        device: Where to run; by default a GPU if there is one.

    Raises:
        UserError: If the model cannot be loaded, or is not one for word spacing.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        trust_remote_code: bool = False,
        revision: str | None = None,
        device: str | torch.device | None = None,
    ):
        loaded = load_model(model, "word-spacing", trust_remote_code=trust_remote_code, revision=revision)
        if device is None:
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = loaded.model.to(device)  # type: ignore[arg-type]
        self.tokenizer = loaded.tokenizer
        self.max_length = longest_input(loaded.model.config, loaded.tokenizer)
        self._begin = {index for index, label in (loaded.model.config.id2label or {}).items() if label == BEGIN}

    def space(self, texts: Iterable[str], *, keep_spaces: bool = False, batch_size: int = 32) -> Iterator[SpacedText]:
        """Yield each text with its spaces restored, in the order of the texts. Memory does not grow with their number.

        Args:
            texts: The texts, of any length; they may hold line ends, which stay.
            keep_spaces: Whether the spaces of a text stay where they are and others are only added. Otherwise they are
                decided anew, except those at the beginning and the end of a line.
            batch_size: How many lines are answered at once, at most.

        Raises:
            UserError: If a text holds a lone surrogate, which is no character.
        """
        texts = iter(texts)
        while chunk := list(islice(texts, CHUNK)):
            for text in chunk:
                check_text(text)
            segments = [[match.span(1) for match in SEGMENT.finditer(text)] for text in chunk]
            bodies = [
                text[start:end].replace(SPACE, "") for text, spans in zip(chunk, segments) for start, end in spans
            ]
            begins = iter(self._word_begins(bodies, batch_size))
            for text, spans in zip(chunk, segments):
                yield _respace(text, [(span, next(begins)) for span in spans], keep_spaces=keep_spaces)

    def _word_begins(self, bodies: list[str], batch_size: int) -> list[set[int]]:
        """Return, for texts without spaces, which characters begin a word."""
        answers = token_labels(self.model, self.tokenizer, bodies, max_length=self.max_length, batch_size=batch_size)
        return [
            {
                start
                for label, (start, end) in zip(answer.labels, answer.offsets)
                if label in self._begin and start < end
            }
            & grapheme_starts(body)
            for body, answer in zip(bodies, answers)
        ]


def grapheme_starts(text: str) -> set[int]:
    """Return where a text may be parted: before every user-perceived character (Unicode, UAX 29)."""
    return {match.start() for match in regex.finditer(r"\X", text)}


def _respace(text: str, segments: list[tuple[tuple[int, int], set[int]]], *, keep_spaces: bool) -> SpacedText:
    """Return the text with a space before every character that begins a word.

    Args:
        text: The original.
        segments: Start and end of each stretch without other white space than spaces, and which of its characters,
            counted without spaces, begin a word.
        keep_spaces: Whether the spaces of the original stay.
    """
    offsets: list[int | None] = []
    removed: list[int] = []
    position = 0
    for (start, end), begins in segments:
        body = text[start:end]
        first = start + len(body) - len(body.lstrip(SPACE))
        last = start + len(body.rstrip(SPACE))
        offsets += range(position, min(first, end))
        position = max(first, position)
        spaces: list[int] = []
        count = 0
        for index in range(first, last):
            if text[index] == SPACE:
                spaces.append(index)
                continue
            if keep_spaces and spaces:
                offsets += spaces
            elif count and count in begins:
                offsets.append(spaces[0] if spaces else None)
                removed += spaces[1:]
            else:
                removed += spaces
            offsets.append(index)
            spaces = []
            count += 1
            position = index + 1
    offsets += range(position, len(text))
    return SpacedText("".join(SPACE if at is None else text[at] for at in offsets), offsets, removed)
