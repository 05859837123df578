"""Find the scheme in which the tags of token columns are written, and read names by it.

What tells a scheme is not only which tags there are, as for the labels of a tagger (`malmoi.data.label_scheme`), but
also how they follow one another: IOB1 writes `B-X` only between two names of one type that touch, IOB2 before each.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from malmoi.data.alignment import OUTSIDE, token_labels_to_spans
from malmoi.data.label_scheme import AFTER, BEFORE, BEGIN, INSIDE, SINGLE, LabelScheme, read_label_scheme
from malmoi.data.notice import shorten
from malmoi.data.text_lines import DataFormatError
from malmoi.data.user_error import UserError

OUTSIDE_SIGNS = frozenset({OUTSIDE, "-", "_"})
"""What files write where there is no name."""
SEEMING_OUTSIDE_SIGNS = frozenset({"o", "0", "\N{FULLWIDTH LATIN CAPITAL LETTER O}"})
"""What is written for `O` by mistake; such tags are refused, but tell that a file has tags."""
SCHEME_NAMES = (("BI", "BIO (IOB2)"), ("BIES", "BIOES"), ("BILU", "BILOU"), ("BMES", "BMES"), ("BMEW", "BMEWO"))
"""The schemes by their letters; the first that has all letters of some tags is theirs."""
EXPECTED = "O beside B-X and I-X (IOB1 or IOB2), X-B and X-I, BIOES, BILOU, BMES, or X alone"
_TAG_IN_LIST = re.compile(r"[^\s,'\"\[\]()]+")
"""A tag of several in one cell: between spaces or commas, or as Python and JSON show lists."""
OTHER_COLUMN = "; if the tags stand in another column, say which by --tag_column"
LETTERS = frozenset("BIELUMSW")


class Place(NamedTuple):
    """A line of a file."""

    path: Path | str
    line: int


class TagScheme(NamedTuple):
    """How tags write names."""

    name: str
    """As a message names it."""
    scheme: LabelScheme
    misplaced: int = 0
    """So many tags go on with a name that has not begun; they are read as its beginning."""
    first_misplaced: Place | None = None

    def names(self, tags: Sequence[str]) -> list[tuple[int, int, str]]:
        """Return first token, end and type of each name that the tags of a sentence write.

        A tag that would go on with a name of its type begins one if there is none.
        """
        offsets = [(index, index + 1) for index in range(len(tags))]
        labels = self.scheme.to_bio(tags, offsets)
        return [(span.start, span.end, span.label) for span, _ in token_labels_to_spans(labels, offsets)]

    def joined(self, tags: Sequence[str]) -> str | None:
        """Return the tag of a token whose words have these tags; `None` if they are not of one name, or of none."""
        first, *others = (self.scheme.parts.get(tag, (OUTSIDE, "")) for tag in tags)
        goes_on = all(part not in (BEGIN, SINGLE) and of_type == first[1] for part, of_type in others)
        return tags[0] if not others or (goes_on and first[0] in (BEGIN, INSIDE, OUTSIDE)) else None


class TagSequences:
    """How often each tag follows each other one, and where it does so first."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._places: dict[tuple[str, str], Place] = {}

    def add(self, previous: str, tag: str, path: Path | str, line: int) -> None:
        """Count a tag after another one.

        Args:
            previous: The tag before it in its sentence, `O` if it is the first.
            tag: The tag.
            path: Its file.
            line: Its line.
        """
        pair = previous, tag
        self._counts[pair] += 1
        if pair not in self._places:
            self._places[pair] = Place(path, line)

    def scheme(self, *, column: str) -> TagScheme:
        """Return the scheme that the tags follow.

        Args:
            column: Which column they stand in, in words, for a message.

        Raises:
            DataFormatError: If they follow none; it names the first tag that does not belong.
        """
        tags: Counter[str] = Counter()
        for (_, tag), count in self._counts.items():
            tags[tag] += count
        names = [tag for tag in tags if tag not in OUTSIDE_SIGNS]
        if not names:
            place = next(iter(self._places.values()))
            raise DataFormatError(place.path, None, f"expected at least one name, but all tags {column} are outside.")
        wrong = _wrong_tag(names, tags)
        if wrong is not None:
            tag, expected = wrong
            place = next(place for (_, other), place in self._places.items() if other == tag)
            raise DataFormatError(*place, f"expected {expected} {column}, got {shorten(tag)}{OTHER_COLUMN}.")
        try:
            labels = read_label_scheme([OUTSIDE, *names], are_of_model=False)
        except UserError as error:
            place = next(place for (_, tag), place in self._places.items() if tag == names[0])
            raise DataFormatError(*place, f"expected tags {column} of one scheme, but {error}") from None
        return self._named(labels._replace(inside_begins=True, is_bio=False))

    def _named(self, labels: LabelScheme) -> TagScheme:
        """Return the scheme with its name, and with how many of its tags are misplaced."""
        letters = _letters([*labels.parts])
        if not letters:
            return TagScheme("types without a letter: neighbours of one type are one name", labels)
        name = next(name for known, name in SCHEME_NAMES if letters <= {*known})
        if not all(BEFORE.fullmatch(tag) for tag in labels.parts):
            name += ", its letter after the type"
        misplaced = [pair for pair in self._counts if self._is_misplaced(pair, labels)]
        parting = all(
            previous in labels.parts and labels.parts[previous][1] == labels.parts[tag][1]
            for previous, tag in self._counts
            if labels.parts.get(tag, ("", ""))[0] == BEGIN
        )
        if letters <= {*"BI"} and misplaced and parting:
            return TagScheme(name.replace("BIO (IOB2)", "IOB1"), labels)
        count = sum(self._counts[pair] for pair in misplaced)
        return TagScheme(name, labels, count, self._places[misplaced[0]] if misplaced else None)

    @staticmethod
    def _is_misplaced(pair: tuple[str, str], labels: LabelScheme) -> bool:
        """Tell whether the second of two tags goes on with a name that the first does not leave open."""
        (before, open_type), (part, label_type) = (labels.parts.get(tag, (OUTSIDE, "")) for tag in pair)
        goes_on = part not in (OUTSIDE, BEGIN, SINGLE)
        return goes_on and not (before in (BEGIN, INSIDE) and open_type == label_type)


def is_tag(text: str) -> bool:
    """Tell whether a text is written as a tag with a letter, such as `B-PER` or `PER_I`, or stands for no name."""
    return text in OUTSIDE_SIGNS or has_letter(text)


def are_tags(texts: Iterable[str]) -> bool:
    """Tell whether texts are nothing but tags of tokens, one or several in each: some begin a name, some are outside.

    Of classes such as O and E-commerce none begins a name.
    """
    found: set[str] = set()
    for text in texts:
        tags = _TAG_IN_LIST.findall(text)
        if not tags or not all(map(is_tag, tags)):
            return False
        found.update(tags)
    letters = {match["letter"] for tag in found if (match := BEFORE.fullmatch(tag) or AFTER.fullmatch(tag))}
    return OUTSIDE in found and BEGIN in letters


def has_letter(tag: str) -> bool:
    """Tell whether a tag has the letter of a scheme before or after its type."""
    return (BEFORE.fullmatch(tag) or AFTER.fullmatch(tag)) is not None


def _letters(tags: Sequence[str]) -> set[str]:
    """Return the letters of tags of which all have one, on the same side; none if they do not."""
    for pattern in (BEFORE, AFTER):
        matches = [pattern.fullmatch(tag) for tag in tags]
        if all(matches):
            return {match["letter"] for match in matches if match}
    return set()


def _wrong_tag(names: list[str], counts: Counter[str]) -> tuple[str, str] | None:
    """Return the first tag that keeps all from being of one scheme, and what was expected; `None` if nothing does.

    The scheme is that of most tags.
    """
    for pattern in (BEFORE, AFTER):
        matching = [name for name in names if pattern.fullmatch(name)]
        if 2 * sum(counts[name] for name in matching) >= sum(counts[name] for name in names):
            odd = next((name for name in names if name not in matching), None) or _odd_letter(names, counts)
            return None if odd is None else (odd, f"a tag of the scheme of {shorten(matching[0])}")
    # types alone: in a column of words or parts of speech nothing is outside
    outside = max(counts[sign] for sign in OUTSIDE_SIGNS)
    if counts[OUTSIDE] == 0 and outside < max(counts[name] for name in names):
        return _wrong_outside(names, counts) or (names[0], f"tags of names ({EXPECTED})")
    if {*names} <= LETTERS:
        return names[0], f"a type beside the letter of a tag, as in {names[0]}-PER,"
    quoted = next((name for name in names if name.startswith('"') and name.endswith('"')), None)
    if quoted is not None:
        return quoted, "a tag without quotes"
    sign = next((name for name in names if not any(map(str.isalnum, name))), None)
    if sign is not None:  # `+` and `-` may say whether a space follows
        return sign, "a type with a letter or a digit"
    odd = next((name for name in names if has_letter(name)), None)
    return None if odd is None else (odd, f"a tag of the scheme of {shorten(max(names, key=counts.__getitem__))}")


def _wrong_outside(names: list[str], counts: Counter[str]) -> tuple[str, str] | None:
    """Return the tag that seems to stand where there is no name, and what was expected; `None` if none seems to."""
    without = [name for name in names if not has_letter(name)]
    often = max(without, key=counts.__getitem__, default=None)
    if often is None or 2 * counts[often] < counts.total():
        return None
    tagged = next((name for name in names if has_letter(name)), None)
    if tagged is None:
        return often, f"tags of names ({EXPECTED})"
    return often, f"{OUTSIDE} where there is no name, or a tag of the scheme of {shorten(tagged)},"


def _odd_letter(names: list[str], counts: Counter[str]) -> str | None:
    """Return the first tag whose letter is not in the scheme that has the letters of most."""
    pattern = BEFORE if all(BEFORE.fullmatch(name) for name in names) else AFTER
    of_letter: dict[str, list[str]] = {}
    for name in names:
        match = pattern.fullmatch(name)
        assert match is not None
        of_letter.setdefault(match["letter"], []).append(name)
    often = {letter: sum(counts[name] for name in having) for letter, having in of_letter.items()}
    known = max((known for known, _ in SCHEME_NAMES), key=lambda known: sum(often.get(letter, 0) for letter in known))
    return next((name for name in names if not any(name in of_letter.get(letter, []) for letter in known)), None)
