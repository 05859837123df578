r"""Lexicons: words and the classes that they belong to, from a file of the user's or from the package.

A file of a user's has one word and one class a line, `손흥민<TAB>PS`. A bundled one is compressed text, made by
`malmoi.data.lexicons.build`: its first line names the classes, and every other line holds all words of the same
classes, `person,noun<TAB>가람 가온 ...`.
"""

import lzma
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from malmoi.data.column_headings import head_word_and_tag
from malmoi.data.notice import list_names, notify, shorten
from malmoi.data.text_lines import DataFormatError, check_line_ends, is_file_or_pipe, read_lines
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import whole_file
from malmoi.modeling.name_edges import INVISIBLE

FOLDER = Path(__file__).parent / "lexicons"
SUFFIX = ".txt.xz"
BUNDLED = ("mecab-ko-dic",)
"""The lexicons of the package."""
MAX_CLASSES = 31  # what a signed integer of 32 bits has room for
MANY_CLASSES = 5
"""So many classes, for half as many words at most, are words in the place of classes."""
EXPECTED = "a word, a tab and its class"


@dataclass(frozen=True)
class LexiconWords:
    """Words and the classes of each.

    Attributes:
        classes: The names of the classes, at most 31.
        words: Words as they are matched (see `matched_form`), and their classes as bits: bit i is set if the word
            belongs to `classes[i]`.
    """

    classes: tuple[str, ...]
    words: dict[str, int]


def matched_form(word: str) -> str:
    """Return a word as it is compared with a text: in Unicode's form NFC, without spaces and invisible characters."""
    return unicodedata.normalize("NFC", "".join(INVISIBLE.sub("", word).split()))


def read_lexicon(name_or_file: str) -> LexiconWords:
    """Read a lexicon of the package by its name, or a file with a word, a tab and a class in each line.

    A word that stands in several lines belongs to the classes of all of them; the classes are in the order in which
    the file first names them. Empty lines are skipped, and so are those that begin with `# `.

    Args:
        name_or_file: `mecab-ko-dic`, or the path of a file. A file of that name is read as `./mecab-ko-dic`.

    Raises:
        DataFormatError: If the file is malformed; it names the file, the line and what was expected.
        UserError: If there is neither a lexicon nor a file of this name.
    """
    if name_or_file in BUNDLED:
        return read_bundled(FOLDER / f"{name_or_file}{SUFFIX}")
    path = Path(name_or_file)
    if not is_file_or_pipe(path):
        found = "this is a folder" if path.is_dir() else "there is no such file"
        raise UserError(
            f"{name_or_file}: expected {' or '.join(BUNDLED)}, the lexicon in this package, or a file with {EXPECTED} "
            f"in each line, but {found}."
        )
    return _read_file(path)


def merge_lexicons(lexicons: Sequence[LexiconWords]) -> LexiconWords:
    """Return the words of several lexicons in one; classes of the same name are one class.

    Raises:
        UserError: If they have more than 31 classes together.
    """
    classes = tuple(dict.fromkeys(name for lexicon in lexicons for name in lexicon.classes))
    if len(classes) > MAX_CLASSES:
        raise UserError(f"Expected at most {MAX_CLASSES} classes in all lexicons together, got {len(classes)}.")
    merged: dict[str, int] = {}
    for lexicon in lexicons:
        places = [classes.index(name) for name in lexicon.classes]
        moved = {  # a lexicon has many words, but few sets of classes
            bits: sum(1 << place for index, place in enumerate(places) if bits >> index & 1)
            for bits in set(lexicon.words.values())
        }
        for word, bits in lexicon.words.items():
            merged[word] = merged.get(word, 0) | moved[bits]
    return LexiconWords(classes, merged)


def read_bundled(path: Path) -> LexiconWords:
    """Read a file that `write_bundled` has written."""
    head, *lines = lzma.decompress(path.read_bytes()).decode().removesuffix("\n").split("\n")
    classes = tuple(head.split("\t")[1].split(","))
    lexicon = LexiconWords(classes, {})
    for line in lines:
        names, words = line.split("\t")
        bits = sum(1 << classes.index(name) for name in names.split(","))
        lexicon.words.update(dict.fromkeys(words.split(" "), bits))
    return lexicon


def write_bundled(lexicon: LexiconWords, path: Path) -> None:
    """Write a lexicon in the form of the bundled ones; equal lexicons become equal files.

    Args:
        lexicon: Words without spaces in them, in classes without commas and tabs in their names.
        path: The file, whose name should end in `.txt.xz`.
    """
    words_of: dict[int, list[str]] = {}
    for word, bits in sorted(lexicon.words.items()):
        words_of.setdefault(bits, []).append(word)
    lines = [f"classes\t{','.join(lexicon.classes)}"]
    for bits, words in sorted(words_of.items()):
        names = ",".join(name for index, name in enumerate(lexicon.classes) if bits >> index & 1)
        lines.append(f"{names}\t{' '.join(words)}")
    text = "".join(f"{line}\n" for line in lines)
    with whole_file(path) as unfinished:
        unfinished.write_bytes(lzma.compress(text.encode(), preset=6 | lzma.PRESET_EXTREME))


def _read_file(path: Path) -> LexiconWords:
    index_of: dict[str, int] = {}
    words: dict[str, int] = {}
    for number, name, word in numbered_words(path):
        if name not in index_of and len(index_of) == MAX_CLASSES:
            fault = _order_fault(words, index_of)
            raise DataFormatError(
                path,
                number,
                f"expected at most {MAX_CLASSES} classes in the file, got one more: {shorten(name)}"
                f"{'' if fault is None else f'; {fault}'}.",
            )
        words[word] = words.get(word, 0) | 1 << index_of.setdefault(name, len(index_of))
    if not words:
        raise DataFormatError(path, None, f"expected {EXPECTED} in each line, found no such line.")
    if (fault := _order_fault(words, index_of)) is not None:
        notify(f"{path}: {fault}; expected is {EXPECTED} in each line.")
    return LexiconWords(tuple(index_of), words)


def _order_fault(words: Collection[str], classes: Collection[str]) -> str | None:
    """Return what is odd if words seem to stand in the place of classes, of which there are few."""
    if len(classes) < MANY_CLASSES or len(classes) <= 2 * len(words):
        return None
    shown = [list_names([*names], shown=3) for names in (classes, words)]
    return f"there are more classes ({shown[0]}) than words ({shown[1]}), as if the class stood first"


def numbered_words(path: Path, *, expected: str = EXPECTED) -> Iterator[tuple[int, str, str]]:
    """Yield the number, the class and the word of each line of a file; a heading is left out, which is said.

    Args:
        path: The file.
        expected: What errors say that a line holds.

    Raises:
        DataFormatError: If the file cannot be read or is malformed; it names the line.
    """
    check_line_ends(path)
    is_first = True
    for number, line in read_lines(path):
        if not line.strip() or line.startswith("# "):
            continue
        was_first, is_first = is_first, False
        if was_first and line.count("\t") == 1 and head_word_and_tag(*([cell] for cell in line.split("\t"))):
            notify(f"{path}, line {number}: the heading {shorten(line)} was left out.")
            continue
        if line.count("\t") != 1:
            raise DataFormatError(path, number, f"expected {expected}, got {shorten(line)}.")
        written, _, name = line.partition("\t")
        word = matched_form(written)
        name = unicodedata.normalize("NFC", " ".join(INVISIBLE.sub("", name).split()))
        if not word or not name:
            missing = "class" if word else "word"
            raise DataFormatError(path, number, f"expected {expected}, but the {missing} is empty: {shorten(line)}.")
        yield number, name, word
