"""The order of sentences in forms in which a document is a file: those of a document one after another."""

from datasets import Dataset, DatasetDict

from malmoi.data.notice import notify
from malmoi.data.splits.cutting import DOCUMENT


def with_documents_together(splits: DatasetDict, form: str) -> DatasetDict:
    """Return splits in which the sentences of a document stand together, where its first is; say if any had to move.

    Args:
        splits: Sentences by the name of their split, with a column `document` or without.
        form: The name of the form.
    """
    orders = {split: _order(rows) for split, rows in splits.items()}
    moved = [split for split, order in orders.items() if order != sorted(order)]
    if not moved:
        return splits
    notify(f"a document is a file in the form {form}: its sentences are put together, in {', '.join(moved)}.")
    return DatasetDict({split: rows.select(orders[split]) for split, rows in splits.items()})


def _order(rows: Dataset) -> list[int]:
    """Return the numbers of the sentences in the order in which they are written."""
    if DOCUMENT not in rows.column_names:
        return [*range(rows.num_rows)]
    documents: dict[str | None, list[int]] = {}
    for number, document in enumerate(rows[DOCUMENT]):
        documents.setdefault(document, []).append(number)
    return [number for numbers in documents.values() for number in numbers]
