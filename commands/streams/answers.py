"""From rows to what is written of them, in this process or in another."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from malmoi.commands.streams.forms import AnsweredRow, Form
from malmoi.commands.streams.rows import BadRow, InputFile, Piece, Position, Row


class Written(NamedTuple):
    """A piece of a file as it is to be written.

    Args:
        file: The file that the rows are from.
        head: What stands before the first rows, in each file that is written.
        contents: The rows, in each file that is written.
        rows: How many rows these are.
        bad: The rows that are not among them, in their order.
        position: Where the file goes on.
        done: How many bytes of the file have been read.
        is_last: Whether the file ends here.
        is_cut_off: Whether the rest of the piece is missing, since a bad row is the end.
        is_unread: Whether nothing of the file could be read, or of a pipe not yet.
    """

    file: InputFile
    head: tuple[bytes, ...]
    contents: tuple[bytes, ...]
    rows: int
    bad: list[BadRow]
    position: Position
    done: int
    is_last: bool
    is_cut_off: bool
    is_unread: bool


class Answered(NamedTuple):
    """The pieces of a job.

    Args:
        written: The pieces.
        cut: How many texts were too long to be read to their ends.
    """

    written: list[Written]
    cut: int


class Answering:
    """Answers jobs. It can be sent to another process as long as it has not answered any.

    Args:
        form: How it writes the answers of a task.
        keeps_bad: Whether bad rows are left out; otherwise the first of them is the end.
        texts: All texts that it will read, if they are few.
    """

    def __init__(self, form: Form, *, keeps_bad: bool, texts: list[str] | None = None):
        self._form = form
        self._keeps_bad = keeps_bad
        self._texts = texts or []
        self._answer: Callable[[list[str]], Iterable[Any]] | None = None

    def load(self) -> None:
        """Load the model.

        Raises:
            UserError: If it cannot be loaded.
        """
        self._answer = self._form.task.load(self._texts)

    def __call__(self, job: list[Piece]) -> Answered:
        """Return what is to be written of the rows of a job.

        Raises:
            UserError: If a text cannot be answered.
        """
        if self._answer is None:
            self.load()
        assert self._answer is not None
        kept = [self._kept(piece) for piece in job]
        texts = [row.text for rows in kept for row in rows if isinstance(row, Row)]
        answers = iter(self._answer(texts) if texts else ())
        written = []
        cut = 0
        for piece, rows in zip(job, kept):
            answered = [AnsweredRow(at, row, next(answers)) for at, row in enumerate(rows) if isinstance(row, Row)]
            cut += sum(self._form.task.is_cut(row.answer) for row in answered)
            nothing = (b"",) * len(self._form.endings)
            head, contents, faults = nothing, nothing, list[BadRow]()
            if not piece.is_unread:
                head = self._form.head(piece)
                contents, faults = self._form.write(piece, answered, keeps_bad=self._keeps_bad)
            bad = sorted([*(row for row in rows if isinstance(row, BadRow)), *faults], key=lambda row: row.number)
            is_cut_off = bool(bad) and not self._keeps_bad
            position, done = piece.part.position, piece.part.done
            count = len(answered) - len(faults)
            written.append(
                Written(
                    piece.file,
                    head,
                    contents,
                    count,
                    bad,
                    position,
                    done,
                    piece.is_last and not is_cut_off,
                    is_cut_off,
                    piece.is_unread,
                )
            )
            if is_cut_off:
                break
        return Answered(written, cut)

    def _kept(self, piece: Piece) -> list[Row | BadRow]:
        """Return the rows of a piece, up to the first bad one if it is the end."""
        rows = piece.part.rows
        if not self._keeps_bad:
            for index, row in enumerate(rows):
                if isinstance(row, BadRow):
                    return rows[: index + 1]
        return rows
