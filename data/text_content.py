"""What a text says, whatever its spaces, signs and capitals: by it, two texts are the same."""

import unicodedata


def letters_and_digits(text: str) -> str:
    """Return what makes a text the same as another: its letters and digits (NFKC), in lower case."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).lower()))
