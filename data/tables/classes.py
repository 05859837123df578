"""Rows of a dataset with a class each, and rows of texts alone."""

from array import array
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
from datasets import ClassLabel, Dataset, DatasetDict, DatasetInfo, Features, Value
from datasets.fingerprint import generate_random_fingerprint

from malmoi.data.classified_dataset import check_no_tags, class_name, classified_features, ordered_classes
from malmoi.data.column_headings import DOCUMENT_HEADING
from malmoi.data.notice import list_names, notify, shorten
from malmoi.data.tables.columns import IDENTIFIER, aside_column, class_column, text_column, written_name
from malmoi.data.tables.rows import NULL_ADVICE, SourceRows
from malmoi.data.tables.source import Splits
from malmoi.data.text_lines import DataFormatError
from malmoi.data.unique_ids import free_id

SECRET = -1
"""Stands in datasets of the Hub for a class that is not told, as those of some test sets."""


def class_splits(splits: Splits, *, text_name: str | None, label_name: str | None) -> DatasetDict:
    """Return the classified texts of each split.

    Classes are in the order of a `ClassLabel`, where files have several in that of the first with the others after it,
    otherwise in that of `ordered_classes`; numbers are named by their digits, true and false by these words. Rows
    whose text is blank are left out, and so are splits without classes; both is said.

    Args:
        splits: The rows of the dataset.
        text_name: What the user says is the column of texts.
        label_name: What the user says is the column of classes.

    Raises:
        UserError: If there are no such columns, or a row is malformed: it names the row.
    """
    read: dict[str, ClassifiedRows] = {}
    for split, sources in splits.items():
        rows = ClassifiedRows(split, sources[0].name)
        for source in sources:
            label = class_column(source.features, source.name, named=label_name)
            rows.add(source, text_column(source.features, source.name, named=text_name, without=[label]), label)
        rows.say_blank()
        if rows.is_secret:
            notify(f"{sources[0].name} is left out: its classes are not told ({SECRET}).")
        else:
            read[split] = rows
    declared = [names for rows in read.values() for names in rows.declared]
    in_order = [*dict.fromkeys(name for names in declared if names for name in names)] if all(declared) else []
    classes = in_order or ordered_classes(name for rows in read.values() for name in rows.names)
    place = next(iter(splits.values()))[0].name
    if len(classes) < 2:
        found = list_names(classes) or "none"
        raise DataFormatError(place, None, f"expected texts of at least two classes, got {found}.")
    if not in_order:
        check_no_tags(place, classes)
        _check_places(place, classes, [texts for rows in read.values() for texts in rows.texts])
    return DatasetDict({split: rows.dataset(classes) for split, rows in read.items()})


def _check_places(place: str, classes: list[str], chunks: list[pa.Array]) -> None:
    """Check that texts do not stand in the column of classes, of which there are few.

    Raises:
        DataFormatError: If there are more classes than texts.
    """
    texts = pa.chunked_array(chunks, pa.string()).unique()
    if len(classes) > len(texts):
        shown = [list_names(names, shown=2) for names in (classes, texts.to_pylist())]
        raise DataFormatError(
            place,
            None,
            f"expected texts and their classes, but there are more classes ({shown[0]}) than different texts "
            f"({shown[1]}), as if each stood in the column of the other; say which are meant by --text_column and "
            "--label_column.",
        )


class ClassifiedRows:
    """Classified texts of one split as columns, which grow batch by batch, with numbers for the names of classes."""

    def __init__(self, split: str, place: str):
        self.split = split
        self.place = place
        self.texts: list[pa.Array] = []
        self.ids: list[pa.Array] = []
        self.documents: list[pa.Array] = []
        self.numbers = array("q")
        self.names: dict[str, int] = {}
        self.declared: list[list[str] | None] = []  # the names that each file has for its numbers
        self.kind: type | None = None
        self.blank: dict[str, list[str]] = {}  # by the file
        self.first_secret: tuple[SourceRows, int] | None = None

    @property
    def is_secret(self) -> bool:
        """Tell whether no row says its class."""
        return self.first_secret is not None and not self.numbers

    def add(self, source: SourceRows, text: str, label: str) -> None:
        """Add the rows of a file or a split.

        Raises:
            DataFormatError: If a row has no text or no class, or a class of another kind than those before it.
        """
        feature = source.features[label]
        self.declared.append([*map(class_name, feature.names)] if isinstance(feature, ClassLabel) else None)
        beside = {
            pattern: aside_column(source.features, pattern, without=(text, label))
            for pattern in (IDENTIFIER, DOCUMENT_HEADING)
        }
        wanted = [name for name in (text, label, *beside.values()) if name is not None]
        for numbers, batch in source.read(wanted):
            kept = [
                index
                for index, (number, written, value) in enumerate(zip(numbers, batch[text], batch[label]))
                if self._takes(source, number, written, value, feature, text_column=text, label=label)
            ]
            ids, documents = (batch[name] if name else [None] * len(numbers) for name in beside.values())
            self.texts.append(pa.array([batch[text][index] for index in kept], pa.string()))
            self.ids.append(_texts(written_name(ids[i]) or f"{self.split}-{numbers[i]}" for i in kept))
            self.documents.append(_texts(written_name(documents[index]) for index in kept))
        if self.first_secret is not None and self.numbers:
            secret_source, number = self.first_secret
            raise secret_source.error(number, f"expected a class in {label!r}, got {SECRET}, which is none.")

    def _takes(
        self, source: SourceRows, number: int, text: Any, value: Any, feature: Any, *, text_column: str, label: str
    ) -> bool:
        """Note the class of a row; tell whether it has a text."""
        if text is not None and not class_name(text):
            self.blank.setdefault(source.name, []).append(f"{source.unit} {number}")
            return False
        for column, found in ((text_column, text), (label, value)):
            if found is None or found != found:  # NaN
                missing = f"expected a value in the column {column!r}, but there is a null{NULL_ADVICE}."
                raise source.error(number, missing)
        if isinstance(feature, ClassLabel):
            if value == SECRET:
                self.first_secret = self.first_secret or (source, number)
                return False
            value = feature.int2str(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        self.kind = self.kind or type(value)
        if not isinstance(value, (str, int)) or type(value) is not self.kind:
            raise source.error(
                number,
                f"expected classes of one kind in {label!r}, text or whole numbers, got {shorten(repr(value))}.",
            )
        name = class_name(str(value).lower() if isinstance(value, bool) else str(value))
        if not name:
            raise source.error(number, f"expected a class in the column {label!r}, got {shorten(str(value))}.")
        self.numbers.append(self.names.setdefault(name, len(self.names)))
        return True

    def say_blank(self) -> None:
        """Say how many rows of each file had no text."""
        for name, places in self.blank.items():
            notify(f"{name}: {len(places):,} rows without text are left out, the first is {places[0]}.")

    def dataset(self, classes: list[str]) -> Dataset:
        """Return the rows in the form of every reader.

        Args:
            classes: All classes, in the order of their ids.

        Raises:
            DataFormatError: If there are no rows.
        """
        if not self.numbers:
            raise DataFormatError(self.place, None, "expected texts, found none.")
        ids = {name: index for index, name in enumerate(classes)}
        in_order = [ids[name] for name in self.names]
        columns = {
            "id": _unique(pa.chunked_array(self.ids)),
            "text": pa.chunked_array(self.texts),
            "label": pa.array([in_order[number] for number in self.numbers], pa.int64()),
        }
        features = classified_features(classes)
        documents = pa.chunked_array(self.documents)
        if documents.null_count < len(documents):
            columns["document"] = documents
            features = Features({**features, "document": Value("string")})
        # the fingerprint of `datasets` would be that of a pickled copy of all texts
        fingerprint = generate_random_fingerprint()
        return Dataset(pa.table(columns), info=DatasetInfo(features=features), fingerprint=fingerprint)


def _texts(values: Iterable[str | None]) -> pa.Array:
    return pa.array([*values], pa.string())


def _unique(ids: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Return ids of which each is there once."""
    if len(ids.unique()) == len(ids):
        return ids
    numbers: dict[str, int] = {}
    return _texts(free_id(name, numbers) for name in ids.to_pylist())
