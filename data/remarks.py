"""What a reader does with unusual rows, said once for each kind and not for each row."""

from pathlib import Path

from malmoi.data.notice import notify
from malmoi.data.text_lines import DataFormatError


class Remarks:
    """Counts by sentence, each with the place where it was first true."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._places: dict[str, str] = {}

    def add(self, sentence: str, path: Path | str, line: int | None, *, count: int = 1) -> None:
        """Count a row, or something in it, of which a sentence is true."""
        self._places.setdefault(sentence, f"{path}{'' if line is None else f', line {line}'}")
        self._counts[sentence] = self._counts.get(sentence, 0) + count

    def nothing_found(self, path: Path | str, expected: str) -> DataFormatError:
        """Return the error for data without anything that could be read, with what was left out of them."""
        left_out = "".join(f"; {sentence}: {count:,}" for sentence, count in self._counts.items())
        return DataFormatError(path, None, f"expected {expected}, found none{left_out}.")

    def say(self) -> None:
        """Say each sentence, how often it was true and where first."""
        for sentence, count in self._counts.items():
            notify(f"{sentence}: {count:,}, first in {self._places[sentence]}.")
