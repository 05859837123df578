"""How many there are of something, in words that fit the number."""


def counted(count: int, one: str, more: str | None = None) -> str:
    """Return a number and what it counts: `1 text`, `2,000 texts`.

    Args:
        count: How many there are.
        one: What one of them is called.
        more: What several are called, if that is not the former and an s.
    """
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"
