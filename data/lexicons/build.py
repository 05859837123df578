"""Make the bundled lexicon from mecab-ko-dic.

    python -m malmoi.data.lexicons.build python_mecab_ko_dic-2.1.1.post2-py3-none-any.whl

The dictionary is taken from the wheel of python-mecab-ko-dic, from the folder of the installed package
(`mecab_ko_dic`), or from a file `sys.dic`. What is printed is the table in the card of the lexicon. `make lexicon`
downloads the wheel and does all of it.
"""

import argparse
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from malmoi.data.lexicon import FOLDER, SUFFIX, LexiconWords, write_bundled
from malmoi.data.lexicons.mecab_dictionary import DictionaryEntry, read_entries
from malmoi.data.lexicons.part_of_speech_classes import CLASSES, lexicon_class
from malmoi.data.standard_streams import write_utf8
from malmoi.data.user_error import UserError

PACKAGE, DICTIONARY = "mecab_ko_dic", "dictionary/sys.dic"
LONGEST = 9
WORD = re.compile(f"[가-힣]{{1,{LONGEST}}}")


def main(argv: list[str]) -> None:
    """Write the lexicon and print how many words it has."""
    parser = argparse.ArgumentParser(prog="python -m malmoi.data.lexicons.build", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("source", type=Path, help="wheel, folder of the installed package, or sys.dic")
    parser.add_argument("--output", type=Path, default=FOLDER / f"mecab-ko-dic{SUFFIX}", help="file to write")
    options = parser.parse_args(argv)
    lexicon = lexicon_of(read_entries(_read_dictionary(options.source)))
    write_bundled(lexicon, options.output)
    print("\n".join(count_table(lexicon)))


def lexicon_of(entries: Iterable[DictionaryEntry]) -> LexiconWords:
    """Return the words of one to nine syllables that are written in Hangul alone, in the classes of all entries."""
    words: dict[str, int] = {}
    for entry in entries:
        name = lexicon_class(entry)
        if name is not None and WORD.fullmatch(entry.word):
            words[entry.word] = words.get(entry.word, 0) | 1 << CLASSES.index(name)
    return LexiconWords(CLASSES, words)


def count_table(lexicon: LexiconWords) -> list[str]:
    """Return a table of how many words of each length there are in each class, as lines of Markdown."""
    counts = Counter((bits, len(word)) for word, bits in lexicon.words.items())
    lengths = range(1, LONGEST + 1)
    rows = []
    for label, mask in [*((name, 1 << index) for index, name in enumerate(lexicon.classes)), ("any of them", -1)]:
        of_length = [
            sum(n for (bits, size), n in counts.items() if bits & mask and size == length) for length in lengths
        ]
        rows.append([label, *(f"{number:,}" for number in (sum(of_length), *of_length))])
    head = ["class", "words", "1 syllable", *map(str, lengths[1:])]
    return [f"| {' | '.join(row)} |" for row in (head, ["---", *["---:"] * (len(head) - 1)], *rows)]


def _read_dictionary(source: Path) -> bytes:
    if source.is_dir():
        source = source / DICTIONARY
    if not source.is_file():
        raise UserError(f"{source}: there is no such file.")
    if source.suffix != ".whl":
        return source.read_bytes()
    with zipfile.ZipFile(source) as wheel:
        name = f"{PACKAGE}/{DICTIONARY}"
        if name not in wheel.namelist():
            raise UserError(f"{source}: expected a wheel of python-mecab-ko-dic, but it holds no {name}.")
        return wheel.read(name)


if __name__ == "__main__":
    write_utf8()
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(f"malmoi: {error}")
