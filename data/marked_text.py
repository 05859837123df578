"""Sentences with names as readers find them, and how they become tagged sentences: checked, with one set of labels."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from datasets import Dataset, DatasetDict, concatenate_datasets

from malmoi.data.alignment import Span, spans_to_tags
from malmoi.data.classified_dataset import class_name
from malmoi.data.notice import shorten
from malmoi.data.remarks import Remarks
from malmoi.data.tagged_dataset import TaggedSentence, bio_labels, tagged_dataset
from malmoi.data.text_lines import DataFormatError
from malmoi.data.text_offsets import counted_characters
from malmoi.modeling.name_edges import CHARACTER, INVISIBLE, PLAIN

CHUNK = 4096
"""So many sentences become columns at once: tags are lists only that long."""
WIDENED = (
    "names that begin or end inside a character, as in a syllable of several letters or an emoji of several signs, "
    "are widened to whole characters"
)


NARROWED = "names that begin or end with characters that cannot be seen are narrowed to what is between them"
UNSEEN = "names in which nothing can be seen are left out"
SPACED = "names that begin or end with a space, of which `malmoi data` shows the first"


class MarkedText(NamedTuple):
    """A sentence, the names in it and where it comes from."""

    id: str
    text: str
    spans: list[Span]
    path: Path | str
    """The file, or what else a message is to name."""
    line: int | None = None
    """Its line or row there, counted from 1."""
    document: str | None = None
    """What it is part of, where the form tells: sentences of a document stay in one split."""


def marked_splits(
    splits: Mapping[str, Iterable[MarkedText]], remarks: Remarks | None = None, *, types: Sequence[str] | None = None
) -> DatasetDict:
    """Return tagged sentences with the labels of all types, so that names begin and end as those of a model do.

    Types that look the same are one type, as `class_name` says. A name that begins or ends inside a character (a
    syllable in several letters, an emoji of several signs) is widened to whole characters, and one that begins or ends
    with invisible characters is narrowed; both is said once, and so is where names have spaces at their edges. Where a
    sentence names its document, there is a column `document`.

    Args:
        splits: The sentences by the name of their split.
        remarks: What their reader has to say of them, which is said, too.
        types: All types that names may have, in the order of their labels; by default those that occur, in the order
            of the alphabet.

    Raises:
        DataFormatError: If a name leaves its text, is empty or overlaps another, a split has no sentence, or no
            sentence has a name.
    """
    remarks = remarks or Remarks()
    read = {
        split: [_whole(_visible(_checked(row), remarks), remarks) for row in rows] for split, rows in splits.items()
    }
    if types is None:
        types = sorted({span.label for rows in read.values() for row in rows for span in row.spans})
    labels = bio_labels(types)
    datasets = DatasetDict({split: _dataset(split, rows, labels) for split, rows in read.items()})
    if len(labels) == 1:
        raise remarks.nothing_found(next(iter(read.values()))[0].path, "names in the sentences")
    remarks.say()
    return datasets


def _visible(row: MarkedText, remarks: Remarks) -> MarkedText:
    """Return the sentence with names without invisible characters at their edges, and count what is odd there."""
    text = row.text
    spans = []
    for span in row.spans:
        start, end = span.start, span.end
        while start < end and INVISIBLE.match(text[start]):
            start += 1
        while start < end and INVISIBLE.match(text[end - 1]):
            end -= 1
        if start == end:
            remarks.add(UNSEEN, row.path, row.line)
            continue
        if (start, end) != span[:2]:
            remarks.add(NARROWED, row.path, row.line)
        if text[start].isspace() or text[end - 1].isspace():
            remarks.add(SPACED, row.path, row.line)
        spans.append(Span(start, end, span.label))
    return row._replace(spans=spans)


def _whole(row: MarkedText, remarks: Remarks) -> MarkedText:
    """Return the sentence with names of whole characters, and count those that were not."""
    whole = with_whole_characters(row)
    if count := sum(after[:2] != before[:2] for after, before in zip(whole.spans, row.spans, strict=True)):
        remarks.add(WIDENED, row.path, row.line, count=count)
    return whole


def with_whole_characters(row: MarkedText) -> MarkedText:
    """Return the sentence with names, in their order, that begin and end between characters as a reader sees them.

    A character of which two names have a part is that of the first. Invisible characters after the end of a name stay
    outside it, though they cling to its last character.

    Raises:
        DataFormatError: If nothing is left of a name because another has its character.
    """
    text = row.text
    edges = {edge for span in row.spans for edge in span[:2]}
    if all(PLAIN.fullmatch(text[max(edge - 2, 0) : edge + 1]) for edge in edges):
        return row
    starts = [*(match.start() for match in CHARACTER.finditer(text)), len(text)]
    spans: list[Span] = []
    for span in row.spans:
        start = max(starts[bisect_right(starts, span.start) - 1], spans[-1].end if spans else 0)
        end = starts[bisect_left(starts, span.end)]
        if not INVISIBLE.sub("", text[span.end : end]):
            end = span.end
        if start >= end:
            raise DataFormatError(
                row.path,
                row.line,
                f"expected names of whole characters, but {span.label} {shorten(text[slice(*span[:2])])} is a part of "
                "one that belongs to another name.",
            )
        spans.append(Span(start, end, span.label))
    return row._replace(spans=spans)


def _checked(row: MarkedText) -> MarkedText:
    """Return the sentence with its names in order and types in one spelling.

    Raises:
        DataFormatError: If they cannot be names of this text.
    """
    spans = sorted(span._replace(label=class_name(span.label)) for span in row.spans)
    end = 0
    for span in spans:
        if not 0 <= span.start < span.end <= len(row.text):
            raise DataFormatError(
                row.path,
                row.line,
                f"expected a name within the text of {counted_characters(row.text)}, got {span.label} from "
                f"{span.start} to {span.end}.",
            )
        if not span.label:
            raise DataFormatError(
                row.path, row.line, f"expected a type for the name {shorten(row.text[slice(*span[:2])])}."
            )
        if span.start < end:
            name = shorten(row.text[span.start : span.end])
            raise DataFormatError(
                row.path,
                row.line,
                f"expected names that do not overlap, but {span.label} {name} begins within another.",
            )
        end = span.end
    return row._replace(spans=spans)


def _dataset(split: str, rows: list[MarkedText], labels: list[str]) -> Dataset:
    if not rows:
        raise DataFormatError(split, None, "expected sentences, found none.")
    chunks = [
        tagged_dataset(
            (
                TaggedSentence(id=row.id, text=row.text, tags=spans_to_tags(row.spans, len(row.text)))
                for row in rows[start : start + CHUNK]
            ),
            labels,
        )
        for start in range(0, len(rows), CHUNK)
    ]
    dataset = concatenate_datasets(chunks)
    if any(row.document is not None for row in rows):
        dataset = dataset.add_column("document", [row.document for row in rows])
    return dataset
