"""What is in data as one page: a file that needs no network and works without scripts.

All texts are escaped by jinja2 (`autoescape`). Both languages are in the page, and a button changes between them.
"""

from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from malmoi.data.inspection.findings import Case, Finding
from malmoi.data.inspection.inspected_text import Form
from malmoi.data.inspection.inspection import Inspection
from malmoi.data.inspection.summaries import QUANTILES
from malmoi.data.whole_output import write_named
from malmoi.reports.inspection.shown_finding import (
    LANGUAGES,
    details,
    label_words,
    meaning,
    percent,
    pieces,
    sum_of,
    title,
    visible,
    words,
)

FOLDER = files("malmoi.reports.inspection")
HUES = (215, 340, 150, 40, 275, 190, 95, 15, 310, 250)
"""Colours of the types."""
SHOWN = 10
"""So many cases of a kind are open at first."""


def write_page(path: Path, inspection: Inspection, *, source: str, reader: str) -> None:
    """Write the page.

    Args:
        path: The file.
        inspection: What was found.
        source: Where the data are.
        reader: By which reader they were read.
    """
    with write_named(path) as file:
        file.write(page_html(inspection, source=source, reader=reader))


def page_html(inspection: Inspection, *, source: str, reader: str) -> str:
    """Return the source of the page."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals |= {
        "say": _say,
        "title": lambda finding: _each(lambda language: title(finding, language)),
        "sum_of": lambda finding: _each(lambda language: sum_of(finding, language)),
        "meaning": lambda finding: _each(lambda language: meaning(finding, language)),
        "details": _details,
        "pieces": pieces,
        "percent": percent,
        "visible": visible,
    }
    style = files("malmoi.reports").joinpath("page_base.css").read_text(encoding="utf-8")
    labels = [summary.label for summary in inspection.labels]
    several, one = label_words(inspection.form)
    return environment.from_string(_part("page.html.jinja")).render(
        style=Markup(style + _part("page.css")),
        inspection=inspection,
        of_names=inspection.form is Form.NAMES,
        total=sum(summary.occurrences for summary in inspection.labels),
        labels_word=several,
        label_word=one,
        quantiles=[f"{100 * quantile:.0f} %" for quantile in QUANTILES],
        hues={label: HUES[number % len(HUES)] for number, label in enumerate(labels)},
        source=visible(source),
        reader=reader,
        shown=SHOWN,
    )


def _part(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _say(name: str, **values: object) -> Markup:
    """Return words in every language; a style shows those of one."""
    return _each(lambda language: " ".join(str(words()[name][language]).split()).format(**values))


def _details(finding: Finding, case: Case) -> Markup:
    return _each(lambda language: ", ".join(visible(said) for said in details(finding, case, language)))


def _each(text_in: Any) -> Markup:
    texts = {language: text_in(language) for language in LANGUAGES}
    if len(set(texts.values())) == 1:
        return Markup.escape(texts["en"])
    return Markup("").join(
        Markup('<span lang="{}">{}</span>').format(language, text) for language, text in texts.items()
    )
