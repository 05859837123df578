"""From the tag ids of tokens to names, for peers that stop at tag ids; the same work for each of them."""

from collections.abc import Sequence

from malmoi.data.alignment import Span, tags_to_spans, token_labels_to_tags

Offsets = Sequence[tuple[int, int]]


def name_spans(text: str, tag_ids: Sequence[int], offsets: Offsets, labels: Sequence[str]) -> list[Span]:
    """Return the names in a text.

    Args:
        text: The text.
        tag_ids: The tag id of each token.
        offsets: The characters that each token stands for; (0, 0) for `[CLS]` and its like.
        labels: The tag of each id.
    """
    names = [None if start == end else labels[tag] for tag, (start, end) in zip(tag_ids, offsets)]
    return tags_to_spans(token_labels_to_tags(names, offsets, len(text)))


__all__ = ["Offsets", "Span", "name_spans"]
