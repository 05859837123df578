"""Everyday sentences and short reviews that no model has been trained on: what a user may type in the first minute."""

from pathlib import Path

from malmoi.data.alignment import Span
from malmoi.data.inline_marks import parse_marks
from malmoi.data.text_lines import read_lines

EVERYDAY = Path(__file__).parents[1] / "everyday"
TYPES = frozenset({"PS", "LC", "OG", "DT", "TI", "QT"})


def everyday_sentences() -> list[tuple[str, list[Span]]]:
    """Return each sentence, spaced as it should be, and the names in it."""
    return [parse_marks(line, types=TYPES) for line in everyday_lines("sentences.txt")]


def everyday_reviews() -> list[tuple[str, str]]:
    """Return each review and its class, `positive` or `negative`."""
    pairs = [line.split("\t") for line in everyday_lines("reviews.txt")]
    return [(text, label) for label, text in pairs]


def everyday_lines(name: str) -> list[str]:
    """Return the lines of one of the files, marks and labels as they stand there."""
    return [line for _, line in read_lines(EVERYDAY / name)]
