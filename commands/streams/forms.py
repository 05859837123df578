"""The forms in which answers are written, row by row."""

import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from malmoi.commands.streams.json_values import cell_text, json_text
from malmoi.commands.streams.rows import TEXT, TYPED, BadRow, Piece, Row, RowFault
from malmoi.commands.streams.tasks import Place, TextTask, answer_columns, place_columns
from malmoi.data.notice import list_names, shorten

FILE, LINE = "file", "line"
"""What the place of a row is called."""


class AnsweredRow(NamedTuple):
    """A row, its number among those of its piece, and its answer."""

    at: int
    row: Row
    answer: Any


class Form(ABC):
    """A way to write answers. It can be sent to another process.

    Args:
        task: Whose answers they are.
        place: What every row says of where it stands.
    """

    endings: ClassVar[tuple[str, ...]]
    """How the names of the files end into which it writes, in the order of the contents."""

    def __init__(self, task: TextTask, place: Place):
        self.task = task
        self.place = place

    def head(self, piece: Piece) -> tuple[bytes, ...]:
        """Return what stands before the rows of a file."""
        return (b"",) * len(self.endings)

    @abstractmethod
    def write(
        self, piece: Piece, answered: list[AnsweredRow], *, keeps_bad: bool
    ) -> tuple[tuple[bytes, ...], list[BadRow]]:
        """Return rows as they stand in each file, and those that cannot be written.

        Args:
            piece: The rows, and the file that they are from.
            answered: Those with an answer.
            keeps_bad: Whether rows that cannot be written are left out; otherwise the first of them is the end.

        """

    def placed(self, piece: Piece, number: int, taken: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns that say where a row stands, under other names if it has such columns of its own."""
        place: dict[str, Any] = {FILE: piece.file.place} if self.place.file else {}
        if self.place.line and piece.file.kind == "line":
            place[LINE] = number
        return dict(zip(place_columns(place, taken), place.values()))


class RowForm(Form):
    """A form in which a row stands for itself."""

    has_columns: ClassVar[bool] = False
    """Whether it has the other columns of a row, too."""

    def write(
        self, piece: Piece, answered: list[AnsweredRow], *, keeps_bad: bool
    ) -> tuple[tuple[bytes, ...], list[BadRow]]:
        """Return rows as they stand in each file, one after the other, and those that cannot be written."""
        contents: list[list[bytes]] = [[] for _ in self.endings]
        bad: list[BadRow] = []
        batch = piece.part.batch if self.has_columns and answered else None
        given = None if batch is None else _rows_of_batch(batch)
        for at, row, answer in answered:
            try:
                fields = row.fields if given is None else given[at]
                if isinstance(fields, RowFault):
                    raise fields
                for content, written in zip(contents, self.row(piece, row, fields, answer)):
                    content.append(written)
            except RowFault as fault:
                bad.append(BadRow(row.number, str(fault), row.text))
                if not keeps_bad:
                    break
        return tuple(map(b"".join, contents)), bad

    @abstractmethod
    def row(self, piece: Piece, row: Row, fields: Mapping[str, Any] | None, answer: Any) -> tuple[bytes, ...]:
        """Return a row as it stands in each file.

        Args:
            piece: Where it is from.
            row: The row.
            fields: All its columns; `None` if it has none but the text, or this form has no place for them.
            answer: Its answer.

        Raises:
            RowFault: If this form cannot hold it.
        """


class LineForm(RowForm):
    """What the console shows: a line for each text; of a document its whole content."""

    endings = (".txt",)

    def row(self, piece: Piece, row: Row, fields: Mapping[str, Any] | None, answer: Any) -> tuple[bytes, ...]:
        """Return a line, or the content of a document."""
        if piece.file.kind == "document":
            return (self.task.document(row.text, answer, piece.file.place).encode(),)
        if "\n" in row.text and piece.file.kind != TYPED:
            raise RowFault(f"the text has a line end, so that no line can hold it: {shorten(row.text)}.")
        return (f"{self.task.line(row.text, answer)}\n".encode(),)


class JsonForm(RowForm):
    """A JSON object on each line: the columns of the row, and the answer."""

    endings = (".jsonl",)
    has_columns = True

    def row(self, piece: Piece, row: Row, fields: Mapping[str, Any] | None, answer: Any) -> tuple[bytes, ...]:
        """Return a line."""
        if fields is None:
            whole = self.task.fields(row.text, answer)
        else:
            names = answer_columns(self.task.columns, fields)
            whole = {**fields, **dict(zip(names, self.task.values(answer)))}
        return (f"{json_text({**self.placed(piece, row.number, fields or {}), **whole})}\n".encode(),)


class SheetForm(RowForm):
    """CSV: the columns of the row, and the answer; a name that is found is a row of its own."""

    endings = (".csv",)
    has_columns = True

    def head(self, piece: Piece) -> tuple[bytes, ...]:
        """Return the heading."""
        columns = self._columns(piece)
        names = answer_columns(self.task.sheet_columns, columns)
        return (_sheet_row([*self.placed(piece, 0, dict.fromkeys(columns)), *columns, *names]),)

    def row(self, piece: Piece, row: Row, fields: Mapping[str, Any] | None, answer: Any) -> tuple[bytes, ...]:
        """Return a row, or one for each name."""
        columns = self._columns(piece)
        fields = {TEXT: row.text} if fields is None else fields
        others = [name for name in fields if name not in columns]
        if others and piece.file.kind == "json":
            raise RowFault(f"the first row has no {list_names(others)}, so that CSV cannot hold it; jsonl can.")
        before = [*self.placed(piece, row.number, dict.fromkeys(columns)).values(), *map(fields.get, columns)]
        cells = [cell_text(value) for value in before]
        return (b"".join(_sheet_row([*cells, *found]) for found in self.task.sheet_rows(answer)),)

    def _columns(self, piece: Piece) -> tuple[str, ...]:
        """Return the columns that a row has already; a document is not repeated beside each of its names."""
        return piece.layout.columns or (() if piece.file.kind == "document" else (piece.layout.text,))


class ColumnForm(RowForm):
    """Columns as CoNLL has them: a character and its tag on each line, and an empty line after each text.

    Where several files stand in one, each is a document of its own, which begins with a line that names the file. So
    does what the rows of JSON lines say that they are part of.
    """

    endings = (".conll",)

    def head(self, piece: Piece) -> tuple[bytes, ...]:
        """Return a comment, which keeps an invisible character of the first text from being that of the file."""
        from malmoi.data.character_columns import HEAD

        return (HEAD.encode(),)

    def write(
        self, piece: Piece, answered: list[AnsweredRow], *, keeps_bad: bool
    ) -> tuple[tuple[bytes, ...], list[BadRow]]:
        """Return the lines of the texts, behind those that begin the documents of their file."""
        from malmoi.data.token_columns import document_line

        of_file = piece.file.place if self.place.file else None
        documents = [_document_of(piece, row) for _, row, _ in answered]
        # the first row tells of all, for those of this piece may all be without
        if not any(documents) and not piece.layout.has_documents:
            (lines,), bad = super().write(piece, answered, keeps_bad=keeps_bad)
            if piece.is_first and of_file is not None:
                lines = document_line(of_file).encode() + lines
            return (lines,), bad
        contents: list[bytes] = []
        bad = []
        before: str | None = None  # what came in another piece is not known here; its name goes on with a document
        for one, document in zip(answered, documents):
            (lines,), bad_rows = super().write(piece, [one], keeps_bad=keeps_bad)
            bad += bad_rows
            if bad_rows and not keeps_bad:
                break
            name = " ".join(filter(None, (of_file, document))) or None
            if lines:
                contents.append(document_line(name).encode() if name is None or name != before else b"")
                contents.append(lines)
                before = name
        return (b"".join(contents),), bad

    def row(self, piece: Piece, row: Row, fields: Mapping[str, Any] | None, answer: Any) -> tuple[bytes, ...]:
        """Return the lines of a text; an empty one has none."""
        from malmoi.data.alignment import Span
        from malmoi.data.character_columns import character_columns, column_fault

        spans = [Span(*name) for name in self.task.names(answer)]
        fault = column_fault(row.text, spans)
        if fault is not None:
            raise RowFault(f"the text cannot be written as columns: {fault}.")
        return (character_columns(row.text, spans).encode() if row.text else b"",)


class StandoffForm(RowForm):
    """brat: a document as it is in a file, and its names with their offsets in another."""

    endings = (".txt", ".ann")

    def row(self, piece: Piece, row: Row, fields: Mapping[str, Any] | None, answer: Any) -> tuple[bytes, ...]:
        """Return the text, and a line for each name."""
        lines = []
        for number, (start, end, label) in enumerate(self.task.names(answer), start=1):
            if any(character.isspace() for character in label):
                raise RowFault(f"brat needs types without spaces, got {shorten(label)}.")
            # the parts of a name that goes on in the next line
            parts = [(start + match[0], start + match[1]) for match in _line_parts(row.text[start:end])]
            places = ";".join(f"{first} {last}" for first, last in parts)
            name = " ".join(row.text[first:last] for first, last in parts)
            lines.append(f"T{number}\t{label} {places}\t{name}\n")
        return (row.text.encode(), "".join(lines).encode())


def _document_of(piece: Piece, row: Row) -> str | None:
    """Return what a row of JSON lines says that it is part of."""
    from malmoi.data.json_fields import document_of

    if piece.file.kind != "json" or row.fields is None:
        return None
    # a field `document` may be the text itself
    return document_of({field: value for field, value in row.fields.items() if field != piece.layout.text})


def _rows_of_batch(batch: Any) -> list[dict[str, Any] | RowFault]:
    from malmoi.commands.streams.parquet_values import rows_of_batch

    return rows_of_batch(batch)


def _line_parts(text: str) -> list[tuple[int, int]]:
    """Return start and end of what stands in each line of a text, without empty lines."""
    parts, start = [], 0
    for line in text.split("\n"):
        end = start + len(line.removesuffix("\r"))
        if end > start:
            parts.append((start, end))
        start += len(line) + 1
    return parts


def _sheet_row(cells: list[str]) -> bytes:
    written = io.StringIO()
    # so that a carriage return stands in quotes, too
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue().removesuffix("\r\n").encode() + b"\n"
