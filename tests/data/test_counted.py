"""Numbers in messages stand with what fits them: one text, two texts."""

import pytest

from malmoi.data.counted import counted


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 texts"), (1, "1 text"), (2, "2 texts"), (12_345, "12,345 texts")],
)
def test_what_is_counted_fits_its_number(count: int, words: str) -> None:
    assert counted(count, "text") == words


def test_a_word_may_have_a_plural_of_its_own() -> None:
    assert (counted(1, "class", "classes"), counted(3, "class", "classes")) == ("1 class", "3 classes")
