"""How findings are put into words, in the language of a reader; console, JSON and page all take it from here."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from malmoi.data.inspection.findings import Case, Finding, Place
from malmoi.data.inspection.inspected_text import Form
from malmoi.data.inspection.inspection import Inspection
from malmoi.data.inspection.summaries import QUANTILES

LANGUAGES = ("en", "ko")
OF_OTHER_MARKS = ("unmarked_names", "half_names")
"""Kinds whose types are those of other places, where the name is marked."""
NUMBERS = {
    "characters": "characters_of_case",
    "without_josa": "without_josa",
    "share": "share_of_case",
}
"""The words for what is said of a case."""


@cache
def words() -> dict[str, Any]:
    """Return all words, each in every language."""
    return dict(yaml.safe_load((files("malmoi.reports.inspection") / "words.yaml").read_text(encoding="utf-8")))


def title(finding: Finding, language: str) -> str:
    """Return the name of a kind of finding."""
    return str(words()["kinds"][finding.kind]["title"][language]).format(about=_about(finding, language))


def sum_of(finding: Finding, language: str) -> str:
    """Return how much was found."""
    return str(words()["kinds"][finding.kind]["says"][language]).format(
        cases=f"{finding.num_cases:,}",
        count=f"{finding.occurrences:,}",
        of=f"{finding.of:,}",
        percent=percent(finding.occurrences, finding.of),
    )


def meaning(finding: Finding, language: str) -> str:
    """Return the definition of a kind of finding."""
    return " ".join(str(words()["kinds"][finding.kind]["means"][language]).split())


def details(finding: Finding, case: Case, language: str) -> list[str]:
    """Return what is said of a case beside what it is."""
    said = [f"{name} {count:,}" for name, count in case.types.items()]
    if finding.kind in OF_OTHER_MARKS:
        said = [words()["marked_as"][language].format(types=", ".join(said))]
    for name, number in case.numbers.items():
        said.append(words()[NUMBERS[name]][language].format(number=f"{number:,}"))
    if finding.kind == "unmarked_names":
        said.append(words()["unmarked"][language].format(number=f"{case.occurrences:,}"))
    elif case.occurrences > 1 and (finding.kind in OF_OTHER_MARKS or sum(case.types.values()) != case.occurrences):
        said.append(words()["times"][language].format(number=f"{case.occurrences:,}"))
    return said


def percent(count: int, of: int) -> str:
    """Return a share in per cent, with as many digits as tell something."""
    share = 100 * count / of if of else 0.0
    return f"{share:.2g} %" if 0 < share < 1 else f"{share:.1f} %"


def label_words(form: Form) -> tuple[str, str]:
    """Return which words name the labels of data: several of them, and one."""
    return ("classes", "class") if form is Form.CLASSES else ("types", "type")


def visible(text: str) -> str:
    """Return a text in which characters that cannot be seen are written by their numbers.

    Nor can they do anything then: turn the direction of a line, or move the cursor of a terminal.
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    # joiners of emoji are no printable characters, yet belong to what is seen
    if character.isprintable() or character == "\u200d":
        return character
    return f"[U+{ord(character):04X}]"


def pieces(place: Place) -> list[tuple[str, str | None]]:
    """Return a text in pieces, each with the type of its mark: `None` outside marks, empty if it has none."""
    found: list[tuple[str, str | None]] = []
    position = 0
    for start, end, label in place.marks:
        found += [(visible(place.text[position:start]), None), (visible(place.text[start:end]), label)]
        position = end
    found.append((visible(place.text[position:]), None))
    return [piece for piece in found if piece[0]]


def inspection_json(inspection: Inspection, *, source: str, reader: str) -> dict[str, Any]:
    """Return all of an inspection as JSON takes it.

    Args:
        inspection: What was found.
        source: Where the data are.
        reader: By which reader they were read.
    """
    return {
        "source": source,
        "reader": reader,
        "form": inspection.form.value,
        "splits": [
            split._asdict() | {"lengths": _quantiles(split.lengths), "words_of_text": _quantiles(split.words_of_text)}
            for split in inspection.splits
        ],
        "labels": [label._asdict() | {"lengths": _quantiles(label.lengths)} for label in inspection.labels],
        "remarks": inspection.remarks,
        "findings": [_finding_json(finding) for finding in inspection.findings],
        "samples": [_place_json(sample) for sample in inspection.samples],
    }


def _quantiles(lengths: Sequence[int]) -> dict[str, int]:
    return {f"{100 * quantile:.0f} %": length for quantile, length in zip(QUANTILES, lengths)}


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "title": title(finding, "en"),
        "means": meaning(finding, "en"),
        "splits": finding.about.split(", ") if finding.about else [],
        "count": finding.occurrences,
        "of": finding.of,
        "cases": finding.num_cases,
        "first_cases": [
            {
                "what": case.what,
                "count": case.occurrences,
                "types": case.types,
                **case.numbers,
                "places": [_place_json(place) for place in case.places],
            }
            for case in finding.cases
        ],
    }


def _place_json(place: Place) -> dict[str, Any]:
    marks = [
        {"start": start, "end": end, "label": label or None, "text": place.text[start:end]}
        for start, end, label in place.marks
    ]
    return {
        "split": place.split,
        "id": place.id,
        "text": place.text,
        "marks": marks,
        **({} if place.label is None else {"class": place.label}),
    }


def _about(finding: Finding, language: str) -> str:
    return finding.about.replace(", ", {"en": " and ", "ko": "·"}[language])
