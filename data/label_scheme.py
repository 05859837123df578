"""Read the labels of a tagger of names, whatever scheme they follow, as BIO.

Taggers from elsewhere write a name in many ways: `B-PER I-PER`, `I-PER` alone, `PER` alone, `PER-B PER-I`, `B-PER
E-PER`, `U-PER`. A set of labels that is none of these is refused: to find nothing would look like an answer.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from malmoi.data.alignment import OUTSIDE
from malmoi.data.user_error import UserError

BEGIN, INSIDE, END, SINGLE = "B", "I", "E", "S"
SCHEMES = (
    {"B": BEGIN, "I": INSIDE},
    {"B": BEGIN, "I": INSIDE, "E": END, "S": SINGLE},
    {"B": BEGIN, "I": INSIDE, "L": END, "U": SINGLE},
    {"B": BEGIN, "M": INSIDE, "E": END, "S": SINGLE},
    {"B": BEGIN, "M": INSIDE, "E": END, "W": SINGLE},
)
"""What the letters of a label mean: BIO, BIOES, BILOU, BMES and BMEWO."""
BEFORE = re.compile(r"(?P<letter>[BIELUMSW])[-_](?P<type>.+)", re.DOTALL)
AFTER = re.compile(r"(?P<type>.+)[-_](?P<letter>[BIELUMSW])", re.DOTALL)
SPECIAL = re.compile(r"\[[A-Z]+\]|<[a-z/]+>|PAD|UNK")
"""Labels that some models give to tokens without text, or to none at all; they are no names."""
LISTED = 12
"""How many labels an error names."""


class LabelScheme(NamedTuple):
    """How a tagger writes names.

    Args:
        parts: What each label but `O` stands for: `B`, `I`, `E` (the end of a name) or `S` (a whole name), and a type.
        inside_begins: Whether a label that would continue a name begins one if there is none: so in IOB1, where `B-X`
            only parts neighbours, and where labels have no letter at all.
        is_bio: Whether the labels are `B-X`, `I-X` and `O` as they are.
    """

    parts: dict[str, tuple[str, str]]
    inside_begins: bool
    is_bio: bool

    def types(self) -> list[str]:
        """Return the types of names, each once, in the order of the labels."""
        return list(dict.fromkeys(label_type for _, label_type in self.parts.values()))

    def to_bio(self, labels: Sequence[str | None], offsets: Sequence[tuple[int, int]]) -> list[str | None]:
        """Return the labels of the tokens of a text as BIO labels.

        Args:
            labels: One label per token; `None` for a token without one.
            offsets: Start and end of each token, in characters. A token without characters of its own, as `[CLS]` or
                a further piece of a character, says nothing about names.
        """
        if self.is_bio:
            return list(labels)
        found: list[str | None] = []
        open_type: str | None = None  # that of the name that a following label may continue
        for label, (start, end) in zip(labels, offsets, strict=True):
            if label is None or start == end:
                found.append(None)
                continue
            part, label_type = self.parts.get(label, (OUTSIDE, ""))
            continues = part in (INSIDE, END) and open_type == label_type
            begins = part in (BEGIN, SINGLE) or (part in (INSIDE, END) and self.inside_begins)
            found.append(f"I-{label_type}" if continues else f"B-{label_type}" if begins else OUTSIDE)
            open_type = label_type if (continues or begins) and part in (BEGIN, INSIDE) else None
        return found

    def from_bio(self, labels: Sequence[str | None]) -> list[str | None]:
        """Return BIO labels as a tagger of this scheme would write them.

        Args:
            labels: One BIO label per token; `None` for a token without one.

        Returns:
            One label per token; `None` also where the scheme has no label for it.
        """
        written = {parts: label for label, parts in self.parts.items()}
        found: list[str | None] = []
        for index, label in enumerate(labels):
            if label is None or label == OUTSIDE:
                found.append(label)
                continue
            label_type = label[2:]
            goes_on = labels[index + 1 : index + 2] == [f"I-{label_type}"]
            if self.inside_begins:
                touches = index > 0 and labels[index - 1] in (f"B-{label_type}", f"I-{label_type}")
                parts = (BEGIN, INSIDE) if label.startswith("B-") and touches else (INSIDE, BEGIN)
            elif label.startswith("B-"):
                parts = (BEGIN, SINGLE) if goes_on else (SINGLE, BEGIN)
            else:
                parts = (INSIDE, END) if goes_on else (END, INSIDE)
            found.append(next((written[part, label_type] for part in parts if (part, label_type) in written), None))
        return found


def read_label_scheme(labels: Sequence[str], *, are_of_model: bool = True) -> LabelScheme:
    """Return the scheme of the labels of a tagger of names, or of the tags of a corpus.

    Args:
        labels: The labels.
        are_of_model: Whether one that is written as a special token, such as `[PAD]`, is no name. In a corpus it is a
            type like any other.

    Raises:
        UserError: If they follow no scheme that is known.
    """
    special = {label for label in labels if are_of_model and SPECIAL.fullmatch(label)}
    names = [label for label in dict.fromkeys(labels) if label != OUTSIDE and label not in special]
    if OUTSIDE in labels:
        for pattern in (BEFORE, AFTER):
            matches = [pattern.fullmatch(name) for name in names]
            found = [(match["letter"], match["type"]) for match in matches if match]
            letters = {letter for letter, _ in found}
            scheme = next((scheme for scheme in SCHEMES if letters <= set(scheme)), None)
            if len(found) == len(names) and scheme is not None:
                parts = {name: (scheme[letter], label_type) for name, (letter, label_type) in zip(names, found)}
                lacks_begin = any((BEGIN, t) not in parts.values() for part, t in parts.values() if part == INSIDE)
                inside_begins = lacks_begin and not letters - {"B", "I"}
                plain = all(label == OUTSIDE or label[:2] in ("B-", "I-") for label in labels)
                is_bio = scheme is SCHEMES[0] and not inside_begins and plain
                return LabelScheme(parts, inside_begins, is_bio)
        if not any(pattern.fullmatch(name.upper()) for pattern in (BEFORE, AFTER) for name in names):
            return LabelScheme({name: (INSIDE, name) for name in names}, inside_begins=True, is_bio=False)
    listed = ", ".join(labels[:LISTED]) + (", …" if len(labels) > LISTED else "")
    raise UserError(
        "the labels follow no scheme of names that is known (O beside B-X and I-X, X-B and X-I, BIOES, BILOU, or X "
        f"alone): {listed or 'there are none'}."
    )
