"""One spelling for texts that a reader and a model take for the same."""

import unicodedata

from malmoi.modeling.name_edges import INVISIBLE


def one_spelling(text: str) -> str:
    """Return a text in Unicode's form NFC, in which Hangul is composed, without characters that cannot be seen."""
    return text if text.isascii() and text.isprintable() else unicodedata.normalize("NFC", INVISIBLE.sub("", text))
