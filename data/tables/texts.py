"""Rows of a dataset as texts alone, for word spacing."""

from collections.abc import Iterator, Sequence

from datasets import Dataset, DatasetDict, concatenate_datasets

from malmoi.data.column_headings import may_head_texts
from malmoi.data.notice import notify, shorten
from malmoi.data.tables.columns import IDENTIFIER, TEXT_FLAG, aside_column, text_column, written_name
from malmoi.data.tables.rows import NULL_ADVICE, SourceRows
from malmoi.data.tables.source import Splits
from malmoi.data.tagged_dataset import TaggedSentence, tagged_dataset
from malmoi.data.text_lines import DataFormatError
from malmoi.data.unique_ids import free_id
from malmoi.data.word_spacing import SPACING_LABELS, split_spaces


def spacing_splits(splits: Splits, *, text_name: str | None) -> DatasetDict:
    """Return the texts of each split without spaces, and with spacing tags. Blank ones are left out, and said.

    Args:
        splits: The rows of the dataset.
        text_name: What the user says is the column of texts.

    Raises:
        UserError: If there is no such column, or a row is malformed: it names the row.
    """
    return DatasetDict({split: _dataset(split, sources, text_name) for split, sources in splits.items()})


def _dataset(split: str, sources: Sequence[SourceRows], text_name: str | None) -> Dataset:
    taken: dict[str, int] = {}
    chunks = [
        tagged_dataset(chunk, SPACING_LABELS)
        for rows in sources
        for chunk in _chunks(split, rows, text_name, taken)
        if chunk
    ]
    if not chunks:
        raise DataFormatError(sources[0].name, None, "expected texts, found none.")
    return concatenate_datasets(chunks)


def _chunks(
    split: str, rows: SourceRows, text_name: str | None, taken: dict[str, int]
) -> Iterator[list[TaggedSentence]]:
    column = text_column(rows.features, rows.name, named=text_name)
    if text_name is None and rows.is_headed_by_line and len(rows.features) == 1 and not may_head_texts(column):
        raise DataFormatError(
            rows.name,
            None,
            f"expected a heading with a name that tells the texts, such as `text`, but the first line is "
            f"{shorten(column)}; if it is a heading, name the column by {TEXT_FLAG}, and if there is none, give the "
            "lines as a file train.txt.",
        )
    identifier = aside_column(rows.features, IDENTIFIER, without=(column,))
    blank: list[int] = []
    for numbers, batch in rows.read([column, *([identifier] if identifier else [])]):
        chunk = []
        ids = batch[identifier] if identifier else [None] * len(numbers)
        for number, text, row_id in zip(numbers, batch[column], ids):
            if text is None:
                missing = f"expected a text in the column {column!r}, but there is a null{NULL_ADVICE}."
                raise rows.error(number, missing)
            characters, tags = split_spaces(text)
            if characters:
                sentence_id = free_id(written_name(row_id) or f"{split}-{number}", taken)
                chunk.append(TaggedSentence(id=sentence_id, text=characters, tags=tags))
            else:
                blank.append(number)
        yield chunk
    if blank:
        notify(f"{rows.name}: {len(blank):,} rows without text are left out, the first is {rows.unit} {blank[0]}.")
