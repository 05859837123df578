"""Where the answers to two pieces of a text that overlap are sewn together, and where a text may be handed on."""

from collections.abc import Iterable, Iterator, Mapping

from malmoi.data.alignment import token_labels_to_spans
from malmoi.data.label_scheme import LabelScheme
from malmoi.data.token_windows import Offsets
from malmoi.inference.labelled_tokens import LabelledPart, TokenLabels


def find_seam(
    left: TokenLabels, right: TokenLabels, start: int, stop: int, *, outside: int | None = None
) -> tuple[int, int]:
    """Return how many tokens count of a piece, and from which token on those of the next piece do.

    The seam is before a token that both have, where both say the same of that token and of the one before it. Of all
    such places it is the one nearest to the middle of what both have read, where a place within a name counts as a
    quarter of the overlap farther away. If they agree nowhere, it is in the middle.

    Args:
        left: The tokens of a piece.
        right: Those of the next.
        start: Where the characters begin that both have read.
        stop: Where they end.
        outside: The label of tokens that belong to no name, if there is one.
    """
    middle, of_name = (start + stop) / 2, (stop - start) / 4
    shared = {left.offsets[index]: (count, index) for count, index in enumerate(_within(left.offsets, start, stop))}
    best, least = None, 0.0
    before, label_before = -2, -1  # the count of the token before, if both say the same of it
    for index in _within(right.offsets, start, stop):
        count, here = shared.get(right.offsets[index], (-1, -1))
        if here < 0 or left.labels[here] != right.labels[index]:
            before = -2
            continue
        if before == count - 1:
            in_name = outside not in (left.labels[here], label_before)
            distance = abs(right.offsets[index][0] - middle) + (of_name if in_name else 0)
            if best is None or distance < least:
                best, least = (here, index), distance
        before, label_before = count, left.labels[here]
    return best or _seam_in_the_middle(left.offsets, right.offsets, middle)


def _seam_in_the_middle(left: Offsets, right: Offsets, middle: float) -> tuple[int, int]:
    """Return how many tokens of a piece begin before a place, and which of the next piece is the first after those."""
    kept = next((index for index, (start, end) in enumerate(left) if middle <= start < end), len(left))
    covered = max((end for _, end in left[:kept]), default=0)
    further = (index for index, (start, end) in enumerate(right) if max(middle, covered) <= start < end)
    return kept, next(further, len(right))


def _within(offsets: Offsets, start: int, stop: int) -> Iterator[int]:
    """Yield the numbers of the tokens with characters of their own between two places of the text."""
    for index, (first, last) in enumerate(offsets):
        if start <= first < last <= stop:
            yield index


def whole_names(
    chunks: Iterable[list[LabelledPart]], scheme: LabelScheme, labels: Mapping[int, str]
) -> Iterator[list[LabelledPart]]:
    """Yield the parts of texts so that none of them ends within a name.

    Args:
        chunks: The parts of the texts, in their order, as many at once as become known together.
        scheme: How the labels write names.
        labels: The label of each id.
    """
    kept: TokenLabels | None = None
    for chunk in chunks:
        whole = []
        for part in chunk:
            if kept is not None:
                kept.extend(part.tokens)
            tokens = part.tokens if kept is None else kept
            stop = len(tokens.labels)
            if not part.is_last:
                stop = _end_of_names([*map(labels.get, tokens.labels)], tokens.offsets, scheme)
            whole.append(part._replace(tokens=tokens.part(0, stop)))
            kept = None if part.is_last else tokens.part(stop, len(tokens.labels))
        yield whole


def _end_of_names(labels: list[str | None], offsets: Offsets, scheme: LabelScheme) -> int:
    """Return how many tokens there are before a name that may go on in the next part."""
    names = token_labels_to_spans(scheme.to_bio(labels, offsets), offsets)
    if not names:
        return len(labels)
    _, of_name = names[-1]
    is_over = any(start < end for start, end in offsets[of_name[-1] + 1 :])
    return len(labels) if is_over else of_name[0]
