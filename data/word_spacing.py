"""Word spacing as tagging: a sentence without its spaces, and for each character whether a word begins there."""

from collections.abc import Sequence

BEGIN, INSIDE = "B", "I"
SPACING_LABELS = [BEGIN, INSIDE]


def split_spaces(text: str) -> tuple[str, list[str]]:
    """Return the text without white space, and one tag per character left: `B` where a word begins, otherwise `I`."""
    words = text.split()
    tags = [tag for word in words for tag in [BEGIN] + [INSIDE] * (len(word) - 1)]
    return "".join(words), tags


def join_words(characters: str, tags: Sequence[str]) -> str:
    """Return the characters with a space before every `B` but that of the first character.

    Args:
        characters: A text, as a rule without white space.
        tags: One tag per character, `B` or `I`.

    Raises:
        ValueError: If there are not as many tags as characters.
    """
    if len(characters) != len(tags):
        raise ValueError(f"Each character needs a tag, got {len(tags)} tags for {len(characters)} characters.")
    return "".join(
        f" {character}" if tag == BEGIN and index > 0 else character
        for index, (character, tag) in enumerate(zip(characters, tags))
    )
