"""Sentences with names for property tests: any text, any names in it."""

from pathlib import Path

from datasets import Dataset, DatasetDict
from hypothesis import strategies as st

from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.classified_dataset import class_name
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.tagged_dataset import label_names

TYPES = st.sampled_from(["PS", "LC", "OG", "PS_NAME", "이름", "a;b", "A-B"])
HARD_CHARACTERS = st.sampled_from(
    [*" \t\r\x0b\x1c\x85\u2028\u2029\u3000\ufeff\u200b\\\"'<>:[]{},#", "\u0301", "😀", "가"]
)
ANY_CHARACTERS = st.one_of(st.characters(exclude_categories=["Cs"]), HARD_CHARACTERS)


@st.composite
def marked_texts(draw: st.DrawFn, *, characters: st.SearchStrategy[str] = ANY_CHARACTERS) -> tuple[str, list[Span]]:
    """Draw a text with a visible character, and names in it that do not overlap."""
    text = draw(st.text(characters, min_size=1, max_size=30).filter(class_name))
    places = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    return text, [Span(start, end, draw(TYPES)) for start, end in zip(places[::2], places[1::2])]


def as_splits(**splits: list[tuple[str, list[Span]]]) -> DatasetDict:
    """Return the sentences as readers do, each split with one more, so that none is without names."""
    return marked_splits(
        {
            name: [
                MarkedText(f"{name}-{number}", text, spans, Path("made"), number)
                for number, (text, spans) in enumerate([*rows, ("서울에 갔다", [Span(0, 2, "LC")])])
            ]
            for name, rows in splits.items()
        }
    )


def texts_and_spans(rows: Dataset) -> list[tuple[str, list[Span]]]:
    """Return the sentences and names of a split."""
    labels = label_names(rows)
    return [(text, tags_to_spans([labels[tag] for tag in tags])) for text, tags in zip(rows["text"], rows["tags"])]
