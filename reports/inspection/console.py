"""What is in data, on the console: the first few of everything, names in the form of marks and in colour."""

import textwrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

from malmoi.data.inspection.findings import Case, Finding, Place
from malmoi.data.inspection.inspected_text import Form
from malmoi.data.inspection.inspection import Inspection
from malmoi.data.inspection.summaries import QUANTILES, LabelSummary, SplitSummary
from malmoi.reports.inspection.shown_finding import (
    details,
    label_words,
    meaning,
    percent,
    pieces,
    sum_of,
    title,
    visible,
)

CASES = 3
"""So many cases of each kind are shown."""
EXAMPLES = 4
LABELS = 20
COLOURS = ("bright_blue", "magenta", "green", "yellow", "cyan", "red")
UNMARKED = "bold reverse"
QUANTILE_NAMES = ("shortest", *(f"{100 * quantile:.0f} %" for quantile in QUANTILES[1:-1]), "longest")


def print_inspection(inspection: Inspection, console: Console) -> None:
    """Print what is in data.

    Args:
        inspection: What was found.
        console: Where to.
    """
    names = [summary.label for summary in inspection.labels]
    colours = {label: COLOURS[number % len(COLOURS)] for number, label in enumerate(names)}
    console.print(_splits_table(inspection))
    console.print(_lengths_table(inspection.splits))
    if inspection.labels:
        console.print(_labels_table(inspection, colours))
    for remark in inspection.remarks:
        console.print(Text(remark), soft_wrap=True)
    for finding in inspection.findings:
        _print_finding(finding, console, colours)
    console.print(Text("\nTexts drawn at random", style="bold"))
    for sample in inspection.samples:
        _print_place(sample, console, colours, indent="  ")


def _splits_table(inspection: Inspection) -> Table:
    table = Table()
    of_names = inspection.form is Form.NAMES
    columns = ("split", "texts", "characters", "words", *(("names", "texts without") if of_names else ()))
    for column in columns:
        table.add_column(column, justify="left" if column == "split" else "right")
    for split in inspection.splits:
        numbers = [split.texts, split.characters, split.words]
        numbers += [split.labelled, split.without_label] if of_names else []
        table.add_row(Text(split.split), *(f"{number:,}" for number in numbers))
    return table


def _lengths_table(splits: list[SplitSummary]) -> Table:
    table = Table()
    table.add_column("lengths")
    for name in QUANTILE_NAMES:
        table.add_column(name, justify="right")
    for split in splits:
        for unit, lengths in (("characters", split.lengths), ("words", split.words_of_text)):
            table.add_row(Text(f"{split.split}, {unit}"), *(f"{length:,}" for length in lengths))
    return table


def _labels_table(inspection: Inspection, colours: dict[str, str]) -> Table:
    _, one = label_words(inspection.form)
    of_names = inspection.form is Form.NAMES
    total = sum(summary.occurrences for summary in inspection.labels)
    splits = [split.split for split in inspection.splits]
    table = Table(caption=None)
    table.add_column(one)
    for column in (*splits, "share", "different", "median length"):
        table.add_column(column, justify="right")
    if of_names:
        table.add_column("most frequent")
    for summary in inspection.labels[:LABELS]:
        cells = [f"{summary.by_split.get(split, 0):,}" for split in splits]
        cells += [percent(summary.occurrences, total), f"{summary.distinct:,}", _median(summary)]
        examples = [Text(_examples(summary))] if of_names else []
        table.add_row(Text(visible(summary.label), style=colours[summary.label]), *cells, *examples)
    if len(inspection.labels) > LABELS:
        table.add_row(f"{len(inspection.labels) - LABELS:,} more")
    return table


def _median(summary: LabelSummary) -> str:
    return f"{summary.lengths[QUANTILES.index(0.5)]:,}" if summary.lengths else ""


def _examples(summary: LabelSummary) -> str:
    return ", ".join(f"{visible(name)} {count:,}" for name, count in list(summary.examples.items())[:EXAMPLES])


def _print_finding(finding: Finding, console: Console, colours: dict[str, str]) -> None:
    heading = Text.assemble("\n", (title(finding, "en"), "bold"), f": {sum_of(finding, 'en')}")
    console.print(heading, soft_wrap=True)
    lines = textwrap.fill(meaning(finding, "en"), console.width, initial_indent="  ", subsequent_indent="  ")
    console.print(Text(lines), style="dim", soft_wrap=True)
    for case in finding.cases[:CASES]:
        _print_case(finding, case, console, colours)
    if finding.num_cases > CASES:
        console.print(Text(f"  … and {finding.num_cases - CASES:,} more"), style="dim")


def _print_case(finding: Finding, case: Case, console: Console, colours: dict[str, str]) -> None:
    head = "  ".join(filter(None, (visible(case.what), ", ".join(details(finding, case, "en")))))
    if head:
        console.print(Text(f"  {head}"), soft_wrap=True)
    # where two places are what is found, both are shown
    shown = case.places if case.what == "" or finding.kind == "names_of_several_types" else case.places[:1]
    for place in shown[:3]:
        _print_place(place, console, colours, indent="    ")


def _print_place(place: Place, console: Console, colours: dict[str, str], *, indent: str) -> None:
    line = Text(indent)
    line.append(f"{place.split} {visible(place.id)}  ", style="dim")
    if place.label is not None:
        line.append(f"{visible(place.label)}  ", style=colours.get(place.label, ""))
    for text, label in pieces(place):
        if label is None:
            line.append(text)
        elif label:
            line.append(f"<{text}:{visible(label)}>", style=colours.get(label, ""))
        else:
            line.append(f"<{text}>", style=UNMARKED)
    console.print(line, soft_wrap=True)
