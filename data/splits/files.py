"""Which files of a folder are for training, for validation and for testing."""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from malmoi.data.notice import list_names, notify
from malmoi.data.text_lines import DataFormatError
from malmoi.data.unread_formats import is_packed
from malmoi.data.user_error import UserError

SPLIT_NAMES = {"train": ("train", "training"), "validation": ("validation", "valid", "val", "dev"), "test": ("test",)}
"""What the names of the files of each split hold as a word: `train.conll`, `klue-ner-dev.tsv`, `test_01.jsonl`."""

_BEHIND = re.compile(r"(data|sets?|datasets?)$")
"""What may stand behind such a word without anything between: `trainset.csv`, `TestData.jsonl`."""
TEXT = ".txt"
_PLACES = {f"{word}{TEXT}": place for words in SPLIT_NAMES.values() for place, word in enumerate(words)}
"""The names of files that are those of a split alone; of several the one in the first place counts."""


def split_of(name: str) -> str | None:
    """Return the split that the name of a file or folder tells; `None` if it tells none."""
    words = {*re.split(r"[^a-z]+", name.lower())}
    words |= {_BEHIND.sub("", word) for word in words}
    found = [split for split, names in SPLIT_NAMES.items() if not words.isdisjoint(names)]
    return found[0] if len(found) == 1 else None


def names_of_splits(counts: Mapping[str, int], place: str) -> dict[str, str]:
    """Return what the splits are called that there are for training, validation and test; say which are left out.

    A name that is one of ours comes first; then one that holds it as a word. A split alone is for training.

    Args:
        counts: How many rows each has, by its name.
        place: What messages name.

    Raises:
        UserError: If there are several, and none has such a name.
    """
    exact = {name: split for split, names in SPLIT_NAMES.items() for name in names}
    found: dict[str, str] = {}
    for tell in (exact.get, split_of):
        for name in counts:
            split = tell(name)
            if split is not None and split not in found and name not in found.values():
                found[split] = name
    if not found and len(counts) == 1:
        found = {"train": next(iter(counts))}
    if not found:
        raise UserError(f"{place}: expected splits called train, validation or test, got {list_names([*counts])}.")
    left_out = [f"{name} ({rows:,} rows)" for name, rows in counts.items() if name not in found.values()]
    if left_out:
        notify(f"{place}: splits that are neither train, validation nor test are left out: {list_names(left_out)}.")
    return {split: found[split] for split in SPLIT_NAMES if split in found}


def named_files(source: Path) -> dict[str, Path]:
    """Return the `.txt` file of each split that is called by a word of it and nothing else, such as `dev.txt`.

    Of several for one split it is the one whose word stands first in `SPLIT_NAMES`. Capitals make no difference; of
    two names that differ in them alone it is the one in small letters.

    Args:
        source: A folder, or a single file, which may have any name and is of the split that this tells, or otherwise
            for training.
    """
    if source.is_file():
        return {split_of_file(source): source} if source.suffix.lower() == TEXT else {}
    return {split: paths[0] for split, paths in _named_files(source).items() if paths}


def say_other_files(files: Mapping[str, Path]) -> None:
    """Say which files are left out because another one is taken for their split, or because they are packed.

    Args:
        files: What `named_files` has returned.
    """
    for split, path in files.items():
        left_out = [other.name for other in _named_files(path.parent)[split] if other != path]
        if left_out:
            are = "is" if len(left_out) == 1 else "are"
            notify(f"{path.parent}: {list_names(left_out)} {are} left out, as {path.name} is there for {split}.")
    for folder in {path.parent for path in files.values()}:
        _say_packed_files(folder, [path for path in folder.iterdir() if path.stem.lower() in _PLACES])


def _named_files(folder: Path) -> dict[str, list[Path]]:
    """Return all files of each split that are called by a word of it, those that count more first."""
    files = [path for path in folder.glob("*.*") if path.name.lower() in _PLACES and path.is_file()]
    files.sort(key=lambda path: (_PLACES[path.name.lower()], path.name.swapcase()))
    return {
        split: [path for path in files if path.name.lower().removesuffix(TEXT) in words]
        for split, words in SPLIT_NAMES.items()
    }


def split_of_file(path: Path) -> str:
    """Return the split of a single file: what its name tells, and otherwise `train`."""
    return split_of(path.name.removesuffix(path.suffix)) or "train"


def split_files(source: Path, suffixes: tuple[str, ...], *, expected: str) -> dict[str, list[Path]]:
    """Return the files of each split, in the order of their names.

    Files whose names tell a split are of it; the others are left out. If no name of a file tells one, a folder in the
    folder may (`train/`, `dev/`); if none does, all are for training, and validation and test sentences are cut from
    them. Such files that are packed are left out, too, which is said.

    Args:
        source: A folder, or a single file, which is of the split that its name tells, and otherwise for training.
        suffixes: What the names of the files end in, such as `.jsonl`.
        expected: What the folder should hold, in words, for a message.

    Raises:
        DataFormatError: If there is no such file.
    """
    if source.is_file():
        return {split_of_file(source): [source]}
    every = visible_files(source, ("",))
    files = [path for path in every if path.name.lower().endswith(suffixes)]
    if not files:
        raise DataFormatError(source, None, f"expected {expected}.")
    _say_packed_files(source, [path for path in every if path.stem.lower().endswith(suffixes)])
    found: dict[str, list[Path]] = {}
    for path in files:
        parts = path.relative_to(source).parts
        split = split_of(path.name.removesuffix(path.suffix)) or next(filter(None, map(split_of, parts[:-1])), None)
        if split is not None:
            found.setdefault(split, []).append(path)
    others = len(files) - sum(map(len, found.values()))
    if found and others:
        notify(f"{source}: files whose names tell no split are left out: {others:,}.")
    return {split: found[split] for split in SPLIT_NAMES if split in found} or {"train": files}


def _say_packed_files(folder: Path, files: Iterable[Path]) -> None:
    """Say which of the files would be read but for what has packed them, such as `test.jsonl.gz`."""
    packed = sorted(path.name for path in files if is_packed(path.suffix))
    if packed:
        notify(f"{folder}: packed files are left out: {list_names(packed)}; unpack them first.")


def first_file(source: Path, suffixes: tuple[str, ...]) -> Path | None:
    """Return the file that tells the format of a folder: the first of its first split; `None` if there is none."""
    if source.is_file():
        return source if source.name.lower().endswith(suffixes) else None
    order = [*SPLIT_NAMES, None]
    return min(
        visible_files(source, suffixes), key=lambda path: (order.index(split_of(path.stem)), path), default=None
    )


def visible_files(source: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the files with one of these endings in a folder, and in those in it, that are not hidden.

    A link to a folder is a folder as any other, unless its files are there without it.
    """
    return sorted(path for path in _visible_files(source) if path.name.lower().endswith(suffixes))


def _visible_files(source: Path) -> Iterator[Path]:
    """Yield the files in a folder and in those in it, those behind links last, and each folder once."""
    seen: set[Path] = set()
    waiting = [source]
    while waiting:
        links: list[Path] = []
        for top in waiting:
            for folder, names, files in os.walk(top):
                place = Path(folder).resolve()
                if place in seen:
                    names.clear()
                    continue
                seen.add(place)
                names[:] = sorted(name for name in names if not name.startswith("."))
                links += [path for name in names if (path := Path(folder, name)).is_symlink()]
                paths = (Path(folder, name) for name in files if not name.startswith("."))
                yield from (path for path in paths if path.is_file())
        waiting = links


def as_on_disk(path: Path) -> Path:
    """Return a path as the disk spells its name, on Macs in parts (NFD); the path itself if it is not there."""
    if path.exists() or path.name.isascii() or not path.parent.is_dir():
        return path
    name = unicodedata.normalize("NFC", path.name)
    return next((other for other in path.parent.iterdir() if unicodedata.normalize("NFC", other.name) == name), path)
