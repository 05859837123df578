"""Names that were marked for malmoi in sentences which KLUE gives without labels: where they stand in which sentence.

The sentences themselves stay in the file of the corpus, `train-raw-sentences.tsv`.
"""

import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from malmoi.data.alignment import Span
from malmoi.data.notice import shorten
from malmoi.data.user_error import UserError

MARKED = Path(__file__).parent / "corpora/klue-names.tsv"
"""The names that were marked for malmoi; its first lines say how. It lies in a checkout, not in the wheel."""
SPAN = re.compile(r"(\d+):(\d+):([A-Z]{2})")
LINE = re.compile(r"([^\t]+)\t([0-9a-f]{8})\t(|\d+:\d+:[A-Z]{2}(?: \d+:\d+:[A-Z]{2})*)")


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
        UserError: If the file is not there, a line is malformed, or a sentence is missing or differs from the one in
            which names were marked.
    """
    if not marked.is_file():
        raise UserError(f"{marked}: there is no such file; what is marked lies in a checkout, not in the wheel.")
    found = []
    for number, line in enumerate(marked.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("#"):
            continue
        if (parts := LINE.fullmatch(line)) is None:
            raise UserError(f"{marked}, line {number}: expected id, checksum and names, got {shorten(line)}.")
        name, checksum, names = parts.groups()
        text = sentences.get(name)
        if text is None or checksum_of(text) != checksum:
            raise UserError(f"{name}: this sentence of KLUE {'is missing' if text is None else 'has another text'}.")
        spans = [Span(int(start), int(end), label) for start, end, label in SPAN.findall(names)]
        if not all(start < end <= len(text) for start, end, _ in spans):
            raise UserError(f"{marked}, line {number}: a name lies outside of the {len(text)} characters of {name}.")
        found.append(MarkedSentence(name, text, spans))
    return found


def checksum_of(text: str) -> str:
    """Return eight hexadecimal digits by which another text is told from the one that was marked."""
    return f"{zlib.crc32(text.encode()):08x}"
