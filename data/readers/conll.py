"""Files with one token a line and its tag beside it, as CoNLL has them; KLUE's and Naver's are of this kind.

The rule: two or more columns divided by a tab or spaces, one token a line, its tag in the last column (or in the one
that `tag_column` names), an empty line after each sentence. The token stands in the first column, or in the second if
the first numbers the tokens, as `malmoi.data.token_numbers` says. Where there are three columns or more, a token that
is `_` like all that stands beside it but the tag is a space, as in the files of KMOU.

The text is put together again from the tokens: with a space between words, with nothing between syllables or
morphemes, as in files where a space is a token of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from datasets import DatasetDict

from malmoi.data.alignment import OUTSIDE, spans_of_joined_tokens
from malmoi.data.classified_dataset import class_name
from malmoi.data.marked_text import MarkedText, marked_splits
from malmoi.data.notice import notify, shorten, without_notices
from malmoi.data.readers.klue_ner import holds_klue_ner
from malmoi.data.readers.kmou_corpus import holds_kmou_corpus
from malmoi.data.splits.files import split_files
from malmoi.data.tag_schemes import TagScheme, TagSequences
from malmoi.data.text_lines import DataFormatError, first_lines
from malmoi.data.token_columns import CSV_COLUMN, Columns, find_columns, heading_of, look_like_columns
from malmoi.data.token_numbers import Token, are_numbered, text_tokens
from malmoi.data.user_error import UserError
from malmoi.modeling.name_edges import CHARACTER

SUFFIXES = (".conll", ".conllu", ".bio", ".iob")
OTHER_SUFFIXES = (".tsv", ".txt")
"""Where there are no files of the former, for many other things are called so too."""
EXPECTED = (
    "a folder with files of columns (.conll, .conllu, .bio, .iob, .tsv or .txt): one token a line, its tag in the "
    "last column, an empty line after each sentence"
)
SPACE = "_"
SYLLABLES = 0.4
"""Where more of the tokens than this are one character long, nothing stands between tokens. Of the words of KLUE 6 %
are, and 22 % if signs are tokens; of the morphemes of the KMOU corpus 54 %."""
SPACES = 0.05
"""Where more of the tokens than this are spaces, likewise: of the characters of KLUE 24 % are."""


FEWEST_FILES = 10
"""So many files of one document each are so many documents."""


class Form(NamedTuple):
    """What the files of a data set have in common."""

    columns: Columns
    token_column: int
    tag_column: int
    """Both counted from 0."""
    beside: tuple[int, ...]
    """The other columns, without one that numbers tokens."""
    is_numbered: bool
    scheme: TagScheme
    separator: str
    documents: dict[Path, int]
    """So many documents begin in each file; one of which none begins in a file is not there."""

    def token(self, row: list[str]) -> str:
        """Return the token of a line."""
        return _token(row, self.token_column, self.beside)


def read_conll(
    data_dir: Path | None, *, token_separator: str | None = None, tag_column: int | None = None
) -> DatasetDict:
    """Return the tagged sentences of files with one token a line.

    The files are read twice: first to find out how their tags are written, then for the sentences.

    Args:
        data_dir: A folder, or one file. Of a folder the files `.conll`, `.conllu`, `.bio` and `.iob` are read, or if
            there is none, those that end in `.tsv` or `.txt`, divided as `split_files` says.
        token_separator: What stands between tokens; by default what they look like, which is said.
        tag_column: The column of the tags, counted from 1; by default the last.

    Raises:
        DataFormatError: If a file is malformed; it names the file, the line and what was expected.
        UserError: If no folder is given.
    """
    if data_dir is None:
        raise UserError(f"Give {EXPECTED}, by --data_dir.")
    splits = _files(data_dir)
    files = [path for paths in splits.values() for path in paths]
    form = _find_form(files, token_separator, tag_column)
    names = _short_names(files, data_dir)
    notify(f"{data_dir}: {_described(form, is_said=token_separator is not None)}")
    return marked_splits({split: _sentences(paths, form, names) for split, paths in splits.items()})


def holds_conll(data_dir: Path) -> bool:
    """Tell whether the first lines of the files of a folder are tokens with tags, but not those of KLUE or KMOU.

    A file without a line that can be read says nothing; reading it will say what is wrong with it.
    """
    try:
        with without_notices():
            splits = _files(data_dir)
    except DataFormatError:
        return False
    beginnings = [lines for paths in splits.values() if (lines := first_lines(paths[0]))]
    return (
        bool(beginnings)
        and all(map(look_like_columns, beginnings))
        and not holds_klue_ner(data_dir)
        and not holds_kmou_corpus(data_dir)
    )


def _files(data_dir: Path) -> dict[str, list[Path]]:
    """Return the files of each split.

    Raises:
        DataFormatError: If there are none.
    """
    try:
        return split_files(data_dir, SUFFIXES, expected=EXPECTED)
    except DataFormatError:
        return split_files(data_dir, OTHER_SUFFIXES, expected=EXPECTED)


def _short_names(paths: list[Path], data_dir: Path) -> dict[Path, str]:
    """Return what the ids of the sentences of each file begin with."""
    relative = {path: path.relative_to(data_dir) if path != data_dir else Path(path.name) for path in paths}
    short = {path: name.with_suffix("").as_posix() for path, name in relative.items()}
    are_different = len({*short.values()}) == len(short)
    return short if are_different else {path: name.as_posix() for path, name in relative.items()}


class _Tokens:
    """What the tokens of files look like."""

    def __init__(self) -> None:
        self.count = self.characters = self.spaces = 0
        self.first_quoted: tuple[Path, int, str] | None = None
        self.has_bare_quotes = False

    def add(self, token: str, path: Path, line: int) -> None:
        self.count += 1
        if token.startswith('"'):
            is_quoted = CSV_COLUMN.fullmatch(token) is not None
            self.has_bare_quotes |= not is_quoted
            if is_quoted and '""' in token[1:-1]:
                self.first_quoted = self.first_quoted or (path, line, token)
        self.characters += len(token) == 1 or CHARACTER.fullmatch(token) is not None
        self.spaces += token.isspace()

    def separator(self) -> str:
        """Return what stands between them."""
        return "" if self.characters > SYLLABLES * self.count or self.spaces > SPACES * self.count else " "

    def are_quoted(self) -> bool:
        """Tell, and say, whether CSV has put those with a quote in quotes: in other files a quote stands alone."""
        if self.first_quoted is None or self.has_bare_quotes:
            return False
        path, line, token = self.first_quoted
        notify(f"{path}, line {line}: {shorten(token)} has the quotes of CSV, which are taken off here and elsewhere.")
        return True


def _find_form(paths: list[Path], token_separator: str | None, tag_column: int | None) -> Form:
    columns = find_columns(paths)
    if tag_column is not None and not 1 <= tag_column <= columns.width:
        raise DataFormatError(
            columns.path, columns.line, f"expected a tag in column {tag_column}, got {columns.width} columns."
        )
    tag = (tag_column or columns.width) - 1
    is_numbered = columns.width > 2 and tag != 0 and are_numbered(paths, columns)
    token, *beside = (place for place in range(is_numbered, columns.width) if place != tag)
    tokens, tags = _Tokens(), TagSequences()
    documents: dict[Path, int] = {}
    for path in paths:
        if (heading := heading_of(path, columns)) is not None:
            notify(f"{path}, line {heading[0]}: the heading {shorten(heading[1])} was left out.")
        previous = OUTSIDE
        for line, row, own_tags, document in text_tokens(path, columns, tag_column=tag, is_numbered=is_numbered):
            if document:
                documents[path] = max(document, documents.get(path, 0))
            if not row:
                previous = OUTSIDE
                continue
            if not row[token]:
                raise DataFormatError(path, line, f"expected a token in column {token + 1}, got nothing.")
            tokens.add(_token(row, token, beside), path, line)
            for written in map(class_name, own_tags):
                if not written:
                    raise DataFormatError(path, line, f"expected a tag in column {tag + 1}, got nothing.")
                tags.add(previous, written, path, line)
                previous = written
    if not tokens.count:
        raise DataFormatError(paths[0], None, "expected sentences, found none.")
    scheme = tags.scheme(column=f"in column {tag + 1} of {columns.width}")
    columns = columns._replace(quoted=columns.tabs and tokens.are_quoted())
    separator = tokens.separator() if token_separator is None else token_separator
    return Form(columns, token, tag, tuple(beside), is_numbered, scheme, separator, documents)


def _token(row: list[str], column: int, beside: Sequence[int]) -> str:
    """Return the token of a line: a space if it is written `_` like all beside it."""
    token = row[column]
    return " " if token == SPACE and beside and all(row[place] == SPACE for place in beside) else token


def _described(form: Form, *, is_said: bool) -> str:
    """Return how files are read, in one sentence."""
    column = f"column {form.tag_column + 1} of {form.columns.width}"
    between = {"": "nothing stands", " ": "a space stands"}.get(form.separator, f"{form.separator!r} stands")
    other = "''" if form.separator else "' '"
    why = "" if is_said else f", by what they look like (otherwise --token_separator {other})"
    misplaced = ""
    if form.scheme.first_misplaced is not None:
        path, line = form.scheme.first_misplaced
        misplaced = (
            f"; tags that go on with a name that has not begun ({form.scheme.misplaced:,}, first in {path}, line "
            f"{line}) are read as its beginning"
        )
    return f"the tags in {column} are {form.scheme.name}, and {between} between tokens{why}{misplaced}."


def _sentences(paths: Iterable[Path], form: Form, names: dict[Path, str]) -> Iterator[MarkedText]:
    """Yield the sentences of the files of a split, with their documents if there are several."""
    paths = [*paths]
    counts = [form.documents.get(path, 0) for path in paths]
    # a few files with one heading each are parts of a corpus rather than documents, and too large to be divided
    has_documents = max(counts, default=0) > 1 or sum(counts) >= FEWEST_FILES
    for path in paths:
        count, start = 0, 0
        tokens: list[str] = []
        tags: list[str] = []
        for token in text_tokens(path, form.columns, tag_column=form.tag_column, is_numbered=form.is_numbered):
            if token.row:
                start = start or token.line
                tokens.append(form.token(token.row))
                tags.append(_tag(path, token, form))
                continue
            count += 1
            yield MarkedText(
                id=f"{names[path]}-{count}",
                text=form.separator.join(tokens),
                spans=spans_of_joined_tokens(tokens, form.scheme.names(tags), gap=len(form.separator)),
                path=path,
                line=start,
                document=f"{names[path]}-{token.document}" if has_documents and path in form.documents else None,
            )
            tokens, tags, start = [], [], 0


def _tag(path: Path, token: Token, form: Form) -> str:
    """Return the tag of a token, which the tags of its words tell where it has none of its own."""
    tags = [*map(class_name, token.tags)]
    tag = form.scheme.joined(tags)
    if tag is None:
        raise DataFormatError(
            path,
            token.line,
            f"expected one name, or none, in the words of the token {token.row[0]} {shorten(form.token(token.row))}, "
            f"got {', '.join(tags)}; write the tag of the token in its own line, in column {form.tag_column + 1}.",
        )
    return tag
