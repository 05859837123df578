"""What the methods that answer texts have in common: which texts they take, and how their answers can be had."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

from malmoi.data.notice import show_value
from malmoi.data.user_error import UserError

Answer = TypeVar("Answer")


class Answers(Iterator[Answer], Generic[Answer]):
    """The answers to the texts of a list, each computed when it is asked for, a thousand or so at a time.

    They can be gone through once, as any iterator, and looked up by number as often as need be.
    """

    def __init__(self, stream: Iterator[Answer], count: int):
        self._stream = stream
        self._count = count
        self._known: list[Answer] = []
        self._next = 0

    def __next__(self) -> Answer:
        """Return the next answer."""
        if self._next == self._count:
            raise StopIteration
        self._next += 1
        return self[self._next - 1]

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
        wanted = [numbers] if isinstance(numbers, int) else numbers
        for _ in range(len(self._known), max(wanted, default=-1) + 1):
            self._known.append(next(self._stream))
        if len(self._known) == self._count:
            next(self._stream, None)  # it ends here, and not in a finalizer, where an interrupt would be lost
        return self._known[numbers] if isinstance(numbers, int) else [self._known[number] for number in numbers]


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
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise UserError(f"`batch_size` must be a whole number of at least 1, got {batch_size!r}.")
    if isinstance(texts, str):
        raise UserError(
            f"`{method}` takes a list of texts, got a single one: write `{method}([text])`, or give it to the object "
            f"itself, as in `{user}(text)`, which takes either."
        )
    if isinstance(texts, (bytes, bytearray, Mapping)) or not isinstance(texts, Iterable):
        raise UserError(f"`{method}` takes a list of texts, got {_shown(texts)}.")
    answers = answer(only_texts(texts))
    return Answers(answers, len(texts)) if isinstance(texts, Sequence) else answers


def only_texts(texts: Iterable[Any]) -> Iterator[str]:
    """Yield texts, as long as they are texts.

    Raises:
        UserError: For the first one that is none.
    """
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise UserError(f"Expected a text as number {number + 1} of the texts, got {_shown(text)}.")
        yield text


def _shown(value: object) -> str:
    """Return a value as an error shows it, at most a line of it."""
    return "None" if value is None else f"{show_value(value)} ({type(value).__name__})"
