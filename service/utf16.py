"""Places in units of UTF-16: what JavaScript, Java and C# count in, where an emoji is two."""

from collections.abc import Sequence

from malmoi.inference.spacer import SpacedText
from malmoi.inference.tagger import Entity


def utf16_places(text: str) -> Sequence[int]:
    """Return the place of each character in units of UTF-16, and of the end of the text."""
    if not has_pairs(text):
        return range(len(text) + 1)
    places = [0]
    for character in text:
        places.append(places[-1] + 1 + (character > "\uffff"))
    return places


def has_pairs(text: str) -> bool:
    """Return whether a text holds characters that are two units."""
    return bool(text) and max(text) > "\uffff"


def entities_in_utf16(text: str, entities: Sequence[Entity]) -> list[Entity]:
    """Return names with their places in units of UTF-16."""
    places = utf16_places(text)
    return [entity._replace(start=places[entity.start], end=places[entity.end]) for entity in entities]


def spaced_in_utf16(text: str, spaced: SpacedText) -> SpacedText:
    """Return a spaced text with the places of its units, each in units of UTF-16 of the original."""
    if not has_pairs(text):
        return spaced
    places = utf16_places(text)
    offsets: list[int | None] = []
    for character, place in zip(spaced.text, spaced.offsets):
        first = None if place is None else places[place]
        offsets.append(first)
        if character > "\uffff":
            assert first is not None  # what is inserted are spaces
            offsets.append(first + 1)
    return SpacedText(spaced.text, offsets, [places[place] for place in spaced.removed])
