"""Texts that stand in the data more than once: within a split, in two splits, with two answers.

Two texts are the same if their letters and digits are, whatever their case, width, spaces and signs.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from malmoi.data.inspection.findings import MOST_PLACES, Case, Finding, in_order, place, place_of_marks, ranked
from malmoi.data.inspection.inspected_text import InspectedText
from malmoi.data.inspection.summaries import by_split
from malmoi.data.text_content import letters_and_digits


def contents(texts: Sequence[InspectedText]) -> list[str]:
    """Return what makes each text the same as another; a text without letters and digits is itself."""
    return [letters_and_digits(row.text) or row.text.strip() for row in texts]


def repeated_texts(texts: Sequence[InspectedText], content: Sequence[str]) -> Finding | None:
    """Return the texts that a split has more than once.

    Args:
        texts: The texts.
        content: What makes each of them the same as another.
    """
    groups = _groups([(row.split, same) for row, same in zip(texts, content)], texts)
    return ranked("repeated_texts", [_repeated(rows) for rows in groups if len(rows) > 1], of=len(texts))


def same_texts(texts: Sequence[InspectedText], content: Sequence[str]) -> list[Finding]:
    """Return the texts of each later split that stand in an earlier one, too.

    Args:
        texts: The texts.
        content: What makes each of them the same as another.
    """
    rows: dict[str, dict[str, list[InspectedText]]] = {split: {} for split in by_split(texts)}
    for row, same in zip(texts, content):
        rows[row.split].setdefault(same, []).append(row)
    findings = []
    for learned, judged in combinations(rows, 2):
        cases = [
            Case("", len(found), [place(found[0]), place(rows[learned][same][0])])
            for same, found in rows[judged].items()
            if same in rows[learned]
        ]
        finding = in_order("same_texts", cases, of=sum(map(len, rows[judged].values())), about=f"{judged}, {learned}")
        findings += [finding] if finding else []
    return findings


def texts_with_two_answers(texts: Sequence[InspectedText], content: Sequence[str]) -> Finding | None:
    """Return the texts that occur more than once, with different classes or different names.

    Args:
        texts: The texts.
        content: What makes each of them the same as another.
    """
    cases = []
    for rows in _groups(content, texts):
        first: dict[object, InspectedText] = {}
        for row in rows:
            first.setdefault(_answer(row), row)
        if len(first) > 1:
            types = Counter(row.label for row in rows if row.label is not None)
            shown = [place_of_marks(row, row.names) for row in first.values()]
            cases.append(Case("", len(rows), shown[:MOST_PLACES], types=dict(types.most_common())))
    return ranked("texts_with_two_answers", cases, of=len(texts))


def texts_without_letters(texts: Sequence[InspectedText]) -> Finding | None:
    """Return the texts without a letter and a digit."""
    cases = [Case("", 1, [place(row)]) for row in texts if not any(map(str.isalnum, row.text))]
    return in_order("texts_without_letters", cases, of=len(texts))


def _groups(keys: Sequence[object], texts: Sequence[InspectedText]) -> list[list[InspectedText]]:
    groups: dict[object, list[InspectedText]] = {}
    for key, row in zip(keys, texts):
        groups.setdefault(key, []).append(row)
    return [*groups.values()]


def _repeated(rows: Sequence[InspectedText]) -> Case:
    return Case("", len(rows), [place(row) for row in rows[:MOST_PLACES]])


def _answer(row: InspectedText) -> object:
    return row.label, tuple((letters_and_digits(row.text[start:end]), label) for start, end, label in row.names)
