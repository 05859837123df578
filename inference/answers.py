"""What the methods that answer texts have in common: which texts they take, and how their answers can be had."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from threading import RLock
from typing import Any, Generic, TypeVar, overload

from malmoi.data.notice import show_value
from malmoi.data.numbers_given import is_whole_number
from malmoi.data.user_error import UserError
from malmoi.inference.batches import check_text

Answer = TypeVar("Answer")


class Answers(Iterator[Answer], Generic[Answer]):
    """The answers to the texts of a list, each computed when it is asked for, a thousand or so at a time.

    They can be gone through once, as any iterator, and looked up by number as often as need be. After an error or an
    interrupt none is lost: those that are not known yet are computed when they are asked for again. Several
    threads may ask for them; they wait for each other.

    Args:
        begin: Returns the answers from that with a number on.
        count: How many there are.
    """

    def __init__(self, begin: Callable[[int], Iterator[Answer]], count: int):
        self._begin = begin
        self._stream: Iterator[Answer] | None = None
        self._count = count
        self._known: list[Answer] = []
        self._next = 0
        self._lock = RLock()

    def __next__(self) -> Answer:
        """Return the next answer."""
        with self._lock:
            if self._next == self._count:
                raise StopIteration
            answer = self[self._next]
            self._next += 1
            return answer

    def __len__(self) -> int:
        """Return the number of texts."""
        return self._count

    @overload
    def __getitem__(self, index: int) -> Answer: ...

    @overload
    def __getitem__(self, index: slice) -> list[Answer]: ...

    def __getitem__(self, index: int | slice) -> Answer | list[Answer]:
        """Return the answer to a text, or those to a slice of the texts."""
        numbers = range(self._count)[index]
        self._compute(max([numbers] if isinstance(numbers, int) else numbers, default=-1) + 1)
        return self._known[numbers] if isinstance(numbers, int) else [self._known[number] for number in numbers]

    def _compute(self, count: int) -> None:
        """Compute the first answers, up to so many."""
        with self._lock:
            try:
                while len(self._known) < count:
                    self._known.append(self._computed())
            except BaseException:
                self._stream = None  # a generator that has raised yields nothing more
                raise
            if len(self._known) == self._count and self._stream is not None:
                next(self._stream, None)  # it ends here, and not in a finalizer, where an interrupt would be lost

    def _computed(self) -> Answer:
        """Return the first answer that is not known yet."""
        if self._stream is None:
            self._stream = self._begin(len(self._known))
        for answer in self._stream:
            return answer
        raise UserError(
            f"The list had {self._count:,} texts when it was given, and has only {len(self._known):,} now; ask again."
        )


def stream_answers(
    answer: Callable[[Iterable[str]], Iterator[Answer]],
    texts: Iterable[str],
    *,
    user: str,
    method: str,
    batch_size: int,
) -> Iterator[Answer]:
    """Return the answers to texts: of a list those that can also be indexed, otherwise a stream.

    Args:
        answer: Yields the answer to each text.
        texts: The texts.
        user: How errors call the object whose method takes them.
        method: How the method is called.
        batch_size: How many are answered at once, at most.

    Raises:
        UserError: If one text is given in the place of several, or what is given are no texts, or `batch_size` is no
            positive whole number.
    """
    check_batch_size(batch_size)
    if isinstance(texts, str):
        raise UserError(
            f"`{method}` takes a list of texts, got a single one: write `{method}([text])`, or give it to the object "
            f"itself, as in `{user}(text)`, which takes either."
        )
    check_several(texts, method=method)
    if not isinstance(texts, Sequence):
        return _answers_before_error(answer, only_texts(texts))
    several = len(texts) > 1

    def begin(first: int) -> Iterator[Answer]:
        return _answers_before_error(answer, only_texts(islice(texts, first, None), first=first, several=several))

    return Answers(begin, len(texts))


def _answers_before_error(
    answer: Callable[[Iterable[str]], Iterator[Answer]], texts: Iterator[str]
) -> Iterator[Answer]:
    """Yield the answers to texts, which are read ahead; where they end in an error, it comes after those before it."""
    errors: list[Exception] = []

    def texts_before_error() -> Iterator[str]:
        try:
            yield from texts
        except Exception as error:  # an interrupt ends all at once
            errors.append(error)

    yield from answer(texts_before_error())
    if errors:
        raise errors[0]


def check_batch_size(batch_size: int) -> None:
    """Check how many texts are to be answered at once.

    Raises:
        UserError: If it is no positive whole number.
    """
    if not is_whole_number(batch_size) or batch_size < 1:
        raise UserError(f"`batch_size` must be a whole number of at least 1, got {show_value(batch_size)}.")


def check_several(texts: object, *, method: str) -> None:
    """Check that what is given can be gone through text by text.

    Args:
        texts: What is given, but no single text.
        method: How what takes the texts is called.

    Raises:
        UserError: If not.
    """
    # a table is gone through by the names of its columns, and an array of no dimension not at all
    of_one_column = getattr(texts, "ndim", 1) == 1
    if isinstance(texts, (bytes, bytearray, Mapping)) or not isinstance(texts, Iterable) or not of_one_column:
        raise UserError(f"`{method}` takes a list of texts, got {_shown(texts)}.")


def only_texts(texts: Iterable[Any], *, first: int = 0, several: bool = True) -> Iterator[str]:
    """Yield texts, as long as they are texts.

    Args:
        texts: The texts.
        first: How many of them came before.
        several: Whether it helps to say which one is none.

    Raises:
        UserError: For the first one that is none, or that holds a lone surrogate, which is no character.
    """
    for number, text in enumerate(texts, start=first + 1):
        if not isinstance(text, str):
            raise UserError(f"Expected a text as number {number} of the texts, got {_shown(text)}.")
        check_text(text, number=number if several else None)
        yield text


def _shown(value: object) -> str:
    """Return a value as an error shows it, at most a line of it."""
    # tables and arrays show themselves in several lines
    return "None" if value is None else f"{' '.join(show_value(value).split())} ({type(value).__name__})"
