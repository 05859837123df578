"""Names that have several types in the data."""

from collections import Counter
from collections.abc import Sequence

from malmoi.data.alignment import Span
from malmoi.data.inspection.findings import Case, Finding, place, ranked
from malmoi.data.inspection.inspected_text import InspectedText

Hits = dict[str, list[tuple[InspectedText, Span]]]


def labelled_names(texts: Sequence[InspectedText]) -> Hits:
    """Return each name of the data with the places where it is marked."""
    found: Hits = {}
    for row in texts:
        for span in row.names:
            found.setdefault(row.text[span.start : span.end], []).append((row, span))
    return found


def count_types(hits: Sequence[tuple[InspectedText, Span]]) -> dict[str, int]:
    """Return how often each type is that of these marks, the most frequent first."""
    return dict(Counter(span.label for _, span in hits).most_common())


def names_of_several_types(names: Hits) -> Finding | None:
    """Return the names with several types, the most frequent first, with an example of each type.

    Args:
        names: The places of each name, by what it is.
    """
    cases = []
    for name, hits in names.items():
        types = count_types(hits)
        if len(types) > 1:
            first = {span.label: (row, span) for row, span in reversed(hits)}
            places = [place(*first[label]) for label in types]
            cases.append(Case(name, len(hits), places, types=types))
    return ranked("names_of_several_types", cases, of=len(names))
