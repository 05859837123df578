"""What may stand where a file is expected to hold something else: values of JSON, and changes of whole files."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

HOSTILE_VALUES: list[Any] = [
    *(None, True, -1, 0, 1, 1.5, float("nan"), float("inf"), 2**31, 10**9, 10**12, 10**30),
    *("", "x", "../../x", "/dev/zero", "\ud83d", "가" * 5000, "\0"),
    *([], [1], ["x"], [[]], [None], {}, {"a": 1}, {"0": "O"}),
]
LEFT_OUT = object()
"""In the place of a value: nothing, not even its key."""

BOMBS: dict[str, bytes] = {
    "nested lists": b"[" * 300_000,
    "nested objects": b'{"a":' * 300_000,
    "a number of ten million digits": b'{"vocab_size":' + b"1" * 10_000_000 + b"}",
    "a text of ten million characters": b'{"model_type":"' + b"a" * 10_000_000 + b'"}',
    "four million lists": b'{"a":[' + b"[]," * 4_000_000 + b"[]]}",
    "a key twice": b'{"vocab_size":1,"vocab_size":2}',
    "no UTF-8": b'{"a":"\xff\xfe"}',
    "half a character": b'{"a":"\\ud83d"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a list": b"[]",
    "nothing": b"",
    "zeros": b"\0" * 1000,
    "a pickle": b"\x80\x04]\x94.",
}
"""Contents that are no JSON object that anybody needs, by what they are."""


def places_in(value: Any, path: tuple[Any, ...] = (), *, of_a_list: int = 3) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value within a value of JSON; of a list only the first ones."""
    keys = (
        [*value] if isinstance(value, dict) else range(min(len(value), of_a_list)) if isinstance(value, list) else []
    )
    for key in keys:
        yield (*path, key)
        yield from places_in(value[key], (*path, key), of_a_list=of_a_list)


def with_value(text: str, path: tuple[Any, ...], value: Any) -> str:
    """Return JSON with another value in a place, or none."""
    content = json.loads(text)
    container = content
    for key in path[:-1]:
        container = container[key]
    if value is LEFT_OUT:
        del container[path[-1]]
    else:
        container[path[-1]] = value
    return json.dumps(content)


def _flipped(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.randint(1, 8)):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def _moved(content: bytes, random: Random) -> bytes:
    places = sorted(random.randrange(len(content) + 1) for _ in range(3))
    return content[: places[0]] + content[places[1] : places[2]] + content[places[0] :]


def _with_another_value(content: bytes, random: Random) -> bytes:
    try:
        text = content.decode()
        path = random.choice([*places_in(json.loads(text))])
    except (ValueError, IndexError):
        return _flipped(content, random)
    return with_value(text, path, random.choice([LEFT_OUT, *HOSTILE_VALUES])).encode("utf-8", "surrogatepass")


CHANGES: list[Callable[[bytes, Random], bytes]] = [
    _flipped,
    _moved,
    _with_another_value,
    lambda content, random: content[: random.randrange(len(content))],
    lambda content, random: content + content[: random.randrange(len(content))],
    lambda content, random: random.choice([bomb for bomb in BOMBS.values() if len(bomb) < 1 << 21]),
]


def changed(content: bytes, random: Random) -> bytes:
    """Return a file with something else in it, drawn at random."""
    return random.choice(CHANGES)(content, random) if content else b"{}"


@contextmanager
def other_content(path: Path, content: bytes) -> Iterator[None]:
    """Put something else into a file, and afterwards what it held."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)
