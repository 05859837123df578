"""Where characters meet tokens: tags of characters become labels of tokens and back.

A sentence is a string and one BIO tag per character, spaces included. A token is a pair of character offsets. Nothing
else in malmoi moves labels between the two.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from malmoi.modeling.name_edges import trim_name

OUTSIDE = "O"


class Span(NamedTuple):
    """A stretch of a text with a label: `text[start:end]`."""

    start: int
    end: int
    label: str


def tags_to_spans(tags: Sequence[str]) -> list[Span]:
    """Return the names in a sequence of BIO tags.

    Read strictly: an `I-X` that does not follow `B-X` or `I-X` starts nothing and belongs to nothing.
    """
    spans: list[Span] = []
    start = None
    for position, tag in enumerate([*tags, OUTSIDE]):
        if start is not None and tag != "I-" + tags[start][2:]:
            spans.append(Span(start, position, tags[start][2:]))
            start = None
        if tag.startswith("B-"):
            start = position
    return spans


def spans_to_tags(spans: Iterable[Span], length: int) -> list[str]:
    """Return one BIO tag per character for names that do not overlap.

    Raises:
        ValueError: If a name is empty, leaves the text or overlaps another.
    """
    tags = [OUTSIDE] * length
    for start, end, label in spans:
        if not 0 <= start < end <= length:
            raise ValueError(f"A name must lie within the text of {length} characters, got {start} to {end}.")
        if any(tag != OUTSIDE for tag in tags[start:end]):
            raise ValueError(f"Names may not overlap, but {start} to {end} is already part of another.")
        tags[start:end] = ["B-" + label] + ["I-" + label] * (end - start - 1)
    return tags


def tags_to_token_labels(tags: Sequence[str], offsets: Sequence[tuple[int, int]]) -> list[str | None]:
    """Return the label of each token: the tag of its first character.

    A name whose first character lies inside a token that starts before it, or between two tokens as invisible
    characters do, begins with the next token, so that the labels stay a legal BIO sequence. A further piece of a
    character, as byte-level tokenizers have them, continues the token before it.

    Args:
        tags: One BIO tag per character, spaces included.
        offsets: Start and end of each token, in characters, as `token_spans` gives them: `(0, 0)` for a token without
            text, as `[CLS]`, and `(end, end)` for a further piece of the character before `end`.

    Returns:
        One label per token; `None` for a token without text.

    Raises:
        ValueError: If a token lies outside the text.
    """
    labels: list[str | None] = []
    previous, covered = OUTSIDE, len(tags)  # before the first token there may be other windows
    for start, end in offsets:
        if start == end == 0:
            labels.append(None)
            continue
        if not 0 <= start <= end <= len(tags):
            raise ValueError(f"A token reaches from {start} to {end} in a text of {len(tags)} characters.")
        if start == end:
            tag = previous if previous == OUTSIDE else "I" + previous[1:]
        elif tags[start].startswith("I-") and previous[2:] != tags[start][2:]:
            tag = "B-" + tags[start][2:]
        elif tags[start].startswith("I") and "B" + tags[start][1:] in tags[covered:start]:
            tag = "B" + tags[start][1:]
        else:
            tag = tags[start]
        labels.append(tag)
        previous, covered = tag, end
    return labels


def label_every_piece(word_ids: Sequence[int | None], word_labels: Sequence[str]) -> list[str | None]:
    """Return the label of each piece of words that have one label each, so that none goes without.

    The first piece takes the label of the word, each further one continues it: `I-X` after `B-X` or `I-X`, otherwise
    the same label. To leave further pieces out (-100), as scripts for models without a CRF do, would teach a CRF
    another chain of labels than the one it must find.

    >>> label_every_piece([None, 0, 0, 1, None], ["B-PS", "O"])
    [None, 'B-PS', 'I-PS', 'O', None]

    Args:
        word_ids: The number of the word of each token, `None` for a token of no word such as `[CLS]`: what
            `tokenizer(words, is_split_into_words=True).word_ids()` returns.
        word_labels: The label of each word; an `I-X` that follows no name of its type becomes `B-X`.

    Returns:
        One label per token; `None`, which is -100 for a model, for a token of no word.

    Raises:
        ValueError: If a token belongs to a word without label.
    """
    words = [word for word in dict.fromkeys(word_ids) if word is not None]  # a word may have no token at all
    if words and not 0 <= min(words) <= max(words) < len(word_labels):
        raise ValueError(f"A token belongs to word {max(words)}, but there are labels for {len(word_labels)} words.")
    legal = dict(zip(words, _legal([word_labels[word] for word in words])))
    labels: list[str | None] = []
    previous: int | None = None
    for word in word_ids:
        if word is None:
            labels.append(None)
            continue
        labels.append(_continued(legal[word]) if word == previous else legal[word])
        previous = word
    return labels


def join_tagged_words(words: Sequence[str], word_labels: Sequence[str]) -> tuple[str, list[str]]:
    """Return the text that words make, joined by spaces, and the tag of each of its characters.

    For tokenizers to which a space is a token: to them a text is more than its words.

    >>> join_tagged_words(["이", "강인은"], ["B-PS", "I-PS"])
    ('이 강인은', ['B-PS', 'I-PS', 'I-PS', 'I-PS', 'I-PS'])

    Args:
        words: The words.
        word_labels: The label of each word; an `I-X` that follows no name of its type becomes `B-X`.

    Raises:
        ValueError: If there are not as many labels as words, or a word is empty.
    """
    if len(words) != len(word_labels):
        raise ValueError(f"Each word needs a label, got {len(word_labels)} labels for {len(words)} words.")
    if not all(words):
        raise ValueError(f"Every word must have characters, but word {list(words).index('')} has none.")
    tags: list[str] = []
    legal = _legal(word_labels)
    for index, (word, label) in enumerate(zip(words, legal)):
        if index:
            tags.append(label if label.startswith("I-") else OUTSIDE)
        tags += [label, *[_continued(label)] * (len(word) - 1)]
    return " ".join(words), tags


def _legal(labels: Sequence[str]) -> list[str]:
    """Return labels in which each `I-X` continues a name: where there is none, it becomes `B-X`."""
    legal: list[str] = []
    for label in labels:
        follows = bool(legal) and legal[-1] in ("B-" + label[2:], label)
        legal.append("B-" + label[2:] if label.startswith("I-") and not follows else label)
    return legal


def _continued(label: str) -> str:
    """Return the label that goes on with a name, or with whatever else a label stands for."""
    return "I-" + label[2:] if label.startswith("B-") else label


def token_labels_to_tags(labels: Sequence[str | None], offsets: Sequence[tuple[int, int]], length: int) -> list[str]:
    """Return one BIO tag per character for labels of tokens.

    The first character of a token takes its label, the others continue it. Characters between two tokens of one name,
    such as spaces, belong to the name; all others that no token covers are outside.

    Args:
        labels: One label per token; `None` for a token without one.
        offsets: Start and end of each token, in characters, in the order of the text.
        length: Number of characters of the text.
    """
    tags = [OUTSIDE] * length
    open_label, open_end = OUTSIDE, 0  # the type and the end of the name that a following I- would continue
    for label, (start, end) in zip(labels, offsets):
        if label is None or start == end:
            continue
        if label == OUTSIDE:
            open_label = OUTSIDE
            continue
        inside = "I-" + label[2:]
        if label == inside and open_label == label[2:]:
            tags[open_end:start] = [inside] * (start - open_end)
        tags[start:end] = [label] + [inside] * (end - start - 1)
        open_label, open_end = label[2:], end
    return tags


def token_labels_to_spans(
    labels: Sequence[str | None], offsets: Sequence[tuple[int, int]]
) -> list[tuple[Span, list[int]]]:
    """Return each name that labels of tokens spell, with the numbers of its tokens.

    The names are those of `tags_to_spans(token_labels_to_tags(labels, offsets, length))`, without a tag for every
    character on the way.

    Args:
        labels: One label per token; `None` for a token without one.
        offsets: Start and end of each token, in characters, in the order of the text.
    """
    names: list[list[int]] = []
    name: list[int] | None = None  # to which `inside` would add; an I- that follows nothing begins no name
    inside: str | None = None
    for index, label in enumerate(labels):
        # most tokens: outside, after others outside
        if label is None or (inside is None and label == OUTSIDE):
            continue
        start, end = offsets[index]
        if start == end:
            continue
        if label != inside:
            inside = None if label == OUTSIDE else "I-" + label[2:]
            name = None
            if label.startswith("B-"):
                name = []
                names.append(name)
        if name is not None:
            name.append(index)
    return [(Span(offsets[name[0]][0], offsets[name[-1]][1], str(labels[name[0]])[2:]), name) for name in names]


def spans_of_joined_tokens(tokens: Sequence[str], names: Iterable[tuple[int, int, str]], *, gap: int) -> list[Span]:
    """Return names that are stretches of tokens as places in the text of these tokens.

    Args:
        tokens: The tokens.
        names: First token, end and label of each name.
        gap: How many characters stand between tokens in the text.
    """
    starts, position = [], 0
    for token in tokens:
        starts.append(position)
        position += len(token) + gap
    return [Span(starts[first], starts[end - 1] + len(tokens[end - 1]), label) for first, end, label in names]


def trim_names(text: str, names: Iterable[Span]) -> list[Span]:
    """Return names of a text with whole characters and without emoji and invisible characters at their ends.

    Args:
        text: The text.
        names: The names; those of which nothing is left are dropped.
    """
    trimmed = (Span(*trim_name(text, start, end), label) for start, end, label in names)
    return [name for name in trimmed if name.start < name.end]


def gold_names(text: str, tags: Sequence[str]) -> list[Span]:
    """Return the names of a text by its BIO tags as taggers give names, so that the right answer can be given.

    Only a name of which nothing would be left, such as a single emoji, stays as it is: it cannot be found, and counts.
    """
    return [(trim_names(text, [span]) or [span])[0] for span in tags_to_spans(tags)]
