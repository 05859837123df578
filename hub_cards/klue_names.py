"""Names that were marked for malmoi in sentences which KLUE gives without labels: where they stand in which sentence.

The sentences themselves stay in the file of the corpus, `train-raw-sentences.tsv`.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from malmoi.data.alignment import Span
from malmoi.data.user_error import UserError

MARKED = Path(__file__).parent / "corpora/klue-names.tsv"
"""The names that were marked for malmoi; its first lines say how."""
SPAN = re.compile(r"(\d+):(\d+):([A-Z]{2})")


class MarkedSentence(NamedTuple):
    """A sentence of KLUE and its names."""

    name: str
    """Its id in the corpus."""
    text: str
    names: list[Span]


def read_klue_names(sentences: Mapping[str, str], marked: Path) -> list[MarkedSentence]:
    """Return the sentences whose names were marked.

    Args:
        sentences: The sentences of the corpus by their ids.
        marked: A file with a sentence on each line: its id, its checksum, and `start:end:type` for each name, in
            characters, with a space between names; lines that begin with `#` are remarks.

    Raises:
        UserError: If a sentence is missing, or differs from the one in which the names were marked.
    """
    found = []
    for line in marked.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        name, checksum, names = line.split("\t")
        text = sentences.get(name)
        if text is None or checksum_of(text) != checksum:
            raise UserError(f"{name}: this sentence of KLUE {'is missing' if text is None else 'has another text'}.")
        spans = [Span(int(start), int(end), label) for start, end, label in SPAN.findall(names)]
        found.append(MarkedSentence(name, text, spans))
    return found


def described(name: str, text: str, names: Sequence[Span]) -> str:
    """Return the line of a sentence in such a file."""
    return "\t".join([name, checksum_of(text), " ".join(f"{start}:{end}:{label}" for start, end, label in names)])


def checksum_of(text: str) -> str:
    """Return eight hexadecimal digits by which another text is told from the one that was marked."""
    return f"{zlib.crc32(text.encode()):08x}"
