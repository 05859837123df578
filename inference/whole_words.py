r"""What stays as it is written when spaces are restored: whatever is not running text in Hangul.

| Never parted where it is written without a space | Example |
|---|---|
| words and numbers other than Hangul, with their signs | `iPhone15`, `3:30`, `v2.10.3`, `(AI)` |
| numbers with commas, signs, currencies, percent | `1,234,567`, `-5`, `$950`, `50%`, `+82-10-1234-5678` |
| a number and the counter after it | `1,234,567원`, `3시`, `20명` |
| addresses on the web, e-mail addresses | `https://a.kr/?q=가`, `hong@a.kr` |
| hashtags, mentions, names of files | `#오늘의날씨`, `@hong`, `보고서_v2.hwp` |
| what the user names (`keep_words`) | |

| Spaces that stay where they are written | Example |
|---|---|
| between two words or numbers other than Hangul, whatever signs stand there too | `Hello, world`, `iPhone 15 Pro` |
| beside addresses, hashtags, mentions and names of files | `#맛집 추천` |
| within what the user names | |

Everywhere else the model decides.
"""

import unicodedata
from array import array
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import regex

from malmoi.data.notice import shorten, show_value
from malmoi.data.text_lines import DataFormatError, read_lines
from malmoi.data.user_error import UserError
from malmoi.modeling.name_edges import CHARACTER, INVISIBLE

SPACE = " "
LONGEST_SEARCH = 10
"""How many seconds a regular expression of the user may take in one text."""
# letters and digits of scripts with spaces between words, and units in one character; with their marks
PLAIN = r"[\p{L}\p{N}㎀-㏟--\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}ㄱ-ㆎ]"
LETTER = rf"(?:{PLAIN}(?:\p{{M}}|{INVISIBLE.pattern})*)"
EXTENSIONS = (
    "hwpx?|docx?|xlsx?|pptx?|pdf|txt|rtf|csv|tsv|jsonl?|xml|ya?ml|md|html?|py|ipynb|js|ts|java|cpp|[ch]|sh|bat|ini|cfg"
    "|log|zip|tar|t?gz|7z|rar|jpe?g|png|gif|bmp|svg|webp|heic|mp[34]|m4a|wav|avi|mkv|mov|exe|dll|apk|iso|ttf|otf"
)
COUNTERS = (
    "(?:시간|개월|번째|주년|[십백천만억조원엔년월일시분초주명인마리개대권장병잔살세번회차호층동위등배점승패무골강편곡쪽줄칸단통판표석건종곳쌍팀부관평도톤]"
    "|달러|유로|위안|파운드|퍼센트|프로|킬로|센티|밀리|미터|그램|리터|헥타르|와트|볼트|메가|기가|테라|바이트|칼로리|인치|피트|마일"
    "|학년|학기|교시|송이|켤레|그루|자루|가지|군데|여)"
)
PATH = r"[^\s<>\"'“”‘’]"
NAME = r"[\p{L}\p{N}\p{M}_()\[\].-]"
# each begins where nothing of its kind stands before it, so that long texts take no longer than they are
ADDRESS = regex.compile(
    # Hangul belongs to the path if it stands after a sign
    rf"(?:https?://(?:[\p{{L}}\p{{N}}-]+\.)*|www\.)[^\s가-힣<>\"'“”‘’]+(?:(?<=[/=?&#%_+.-])[가-힣]{PATH}*)?"
    r"|(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
    r"|(?<![A-Za-z0-9&])[#@][\p{L}\p{N}\p{M}_]+"
    rf"|(?<!{NAME}){NAME}+\.(?i:{EXTENSIONS})(?![A-Za-z0-9])",
    regex.V1,
)
"""What has a form of its own, Hangul included, and must not touch the words beside it."""
SIGNS = r"[.:/\\_~∼～〜&+=@*^·×±|–−-]+"  # between two letters or digits
JOINED = regex.compile(
    # letters with marks among others of their kind may be words each
    rf"[/(\[{{“‘「『《]{{0,4}}(?={LETTER}{{0,40}}?{PLAIN}(?!\p{{M}})){LETTER}+"
    rf"(?:(?:{SIGNS}|(?<=\d),(?=\d{{3}}(?!\d))|['’](?=(?:s|t|re|ve|ll|d|m)(?!{PLAIN}))|(?<=(?<!{PLAIN})[OD])['’](?=\p{{Lu}})){LETTER}+)*"
    rf"(?:[%‰°℃℉](?:p(?!{PLAIN}))?|(?<=(?<!{PLAIN})\p{{L}})(?:\+\+|#))?[.,!?;:)\]}}…]*",
    regex.V1,
)
"""A word or number other than Hangul."""
BEFORE_NUMBER = regex.compile(r"[$€£¥₩￦±+−№-]\d|\(\d{2,4}\)\d")
COUNTED = regex.compile(rf"\d{COUNTERS}")
SYLLABLE_PARTS = regex.compile("[\u1100-\u11ff]")
LETTER_PARTS = regex.compile(r"[^\x00-\x7f]")
OTHER = r"[^\p{L}\p{N}\s]*"
BETWEEN = regex.compile(rf"{PLAIN}({OTHER}(?: {OTHER})+)(?={PLAIN})", regex.V1)
"""Spaces and signs between two letters or digits other than Hangul."""


class FixedGaps(NamedTuple):
    """Places of a text where the writer decides: 1 for each character of the text that is one, 0 for the others.

    Args:
        closed: Characters before which no space may come.
        open: Spaces that stay a space, be it one or several.
        untouched: Spaces that stay exactly as they are.
    """

    closed: bytearray
    open: bytearray
    untouched: bytearray


class WholeWords:
    r"""Find in texts what stays as it is written.

    Args:
        words: Words, also with spaces, that stay too; one between slashes (`/제\d+조/`) is a regular expression.

    Raises:
        UserError: If a word is empty or a regular expression is wrong.
    """

    def __init__(self, words: Iterable[str] = ()):
        if isinstance(words, str):
            raise UserError(f"`keep_words` must be a list of words, got the text {words!r}.")
        if isinstance(words, (bytes, bytearray, Mapping)) or not isinstance(words, Iterable):
            raise UserError(f"`keep_words` must be a list of words, got {show_value(words)}.")
        words = list(words)
        for word in words:
            if not isinstance(word, str):
                raise UserError(f"`keep_words` must be a list of words, got {show_value(word)} among them.")
        self.patterns = [_pattern(word) for word in words]

    def gaps(self, text: str) -> FixedGaps:
        """Return the places of a text where the writer decides.

        Raises:
            UserError: If a regular expression of the user takes too long.
        """
        fixed = FixedGaps(*(bytearray(len(text)) for _ in FixedGaps._fields))
        # a Mac may have written syllables in parts (NFD); of other letters, marks tell which may be words each
        composed, places = _composed(text, SYLLABLE_PARTS)
        for pattern in (ADDRESS, JOINED, BEFORE_NUMBER, COUNTED):
            for match in pattern.finditer(composed):
                start, end = places[match.start()], places[match.end()]
                _mark(fixed.closed, start + 1, end)
                if pattern is ADDRESS:
                    _mark(fixed.open, max(start - 1, 0), start)
                    _mark(fixed.open, end, min(end + 1, len(text)))
        for match in BETWEEN.finditer(composed):
            _mark(fixed.open, places[match.start(1)], places[match.end(1)])
        composed, places = _composed(text, LETTER_PARTS) if self.patterns else (text, ())
        for pattern in self.patterns:
            try:
                for match in pattern.finditer(composed, timeout=LONGEST_SEARCH):
                    start, end = places[match.start()], places[match.end()]
                    _mark(fixed.closed, start + 1, end)
                    _mark(fixed.untouched, start, end)
            except TimeoutError:
                raise UserError(
                    f"The regular expression {shorten(pattern.pattern)} of the words that stay whole takes longer "
                    f"than {LONGEST_SEARCH} seconds in the text {shorten(text)}; write it without repeats in repeats."
                ) from None
        return fixed


def _mark(places: bytearray, start: int, end: int) -> None:
    """Mark what is between two places."""
    if start < end:
        places[start:end] = b"\1" * (end - start)


def read_keep_words(path: Path) -> list[str]:
    """Return the words of a file with one per line; empty lines are skipped.

    Raises:
        DataFormatError: If the file cannot be read, or a regular expression in it is wrong; it names the line.
    """
    words = []
    for number, line in read_lines(path):
        if word := line.strip():
            try:
                _pattern(word)
            except UserError as error:
                raise DataFormatError(path, number, str(error)) from None
            words.append(word)
    return words


def _pattern(word: str) -> regex.Pattern[str]:
    """Return what finds a word, or what is between slashes, in composed letters."""
    if not word.strip():
        raise UserError("expected a word that stays whole, got an empty one.")
    if len(word) > 2 and word[0] == word[-1] == "/":
        try:
            return regex.compile(unicodedata.normalize("NFC", word[1:-1]))
        except regex.error as error:
            raise UserError(f"expected a regular expression between slashes, got {word!r} ({error}).") from None
    return regex.compile(regex.escape(unicodedata.normalize("NFC", word)))


def _composed(text: str, parts_of: regex.Pattern[str]) -> tuple[str, Sequence[int]]:
    """Return a text in composed letters, and where each of them, and the end, is in the text as it is written.

    Args:
        text: The text.
        parts_of: What a character has that is to be composed.
    """
    if unicodedata.is_normalized("NFC", text) or not parts_of.search(text):
        return text, range(len(text) + 1)
    parts = StringIO()
    places = array("q")
    for match in CHARACTER.finditer(text):
        part = unicodedata.normalize("NFC", match[0]) if parts_of.search(match[0]) else match[0]
        parts.write(part)
        places.extend(range(*match.span()) if len(part) == len(match[0]) else [match.start()] * len(part))
    places.append(len(text))
    return parts.getvalue(), places
