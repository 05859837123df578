"""Parts of a card: what stands in its tables and lists, and how texts are written in its examples."""

import json
import re
import shlex
from collections.abc import Sequence
from typing import Any

from malmoi.hub_cards.corpus import Corpus
from malmoi.hub_cards.run_facts import RunFacts
from malmoi.hub_cards.space.label_names import name_of
from malmoi.reports.markdown_text import markdown_line


def python_string(text: str) -> str:
    """Return text as a literal of Python, whatever its quotes and line ends are."""
    return json.dumps(text, ensure_ascii=False)


def shell_word(text: str) -> str:
    """Return text as one argument of a shell, and not an option."""
    word = shlex.quote(text) if re.search(r'["$`\\!\n]', text) else f'"{text}"'
    return f"-- {word}" if text.startswith("-") else word


def fence(output: str | None) -> str:
    """Return what an example printed as a block of code; nothing before it was run."""
    if output is None:
        return ""
    marks = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", output)), 0)
    return f"\n{marks}text\n{output.rstrip()}\n{marks}\n"


def type_lines(facts: RunFacts, corpus: Corpus) -> list[str]:
    """Return a line for each type or class: what it means, if that is known, and how often it was measured."""
    support = facts.report.get("support") or _counted(facts.report)
    split = facts.report["data"]["split"]
    lines = []
    for kind in facts.types:
        korean = f" ({name_of(kind)})" if name_of(kind) != kind else ""
        counted = f"{support[kind]:,} in {split}" if kind in support else ""
        told = "; ".join(word for word in (markdown_line(corpus.types.get(kind, "")), counted) if word)
        lines.append(f"**{markdown_line(kind)}**{korean}{': ' if told else ''}{told}")
    return lines


def _counted(report: dict[str, Any]) -> dict[str, int]:
    """Return how often each class occurs, which the confusion matrix tells too."""
    confusion = report.get("confusion", {"classes": [], "counts": []})
    return {name: sum(row) for name, row in zip(confusion["classes"], confusion["counts"])}


def intervals_of(report: dict[str, Any]) -> dict[str, dict[str, list[float]]]:
    """Return the 95 % intervals of each split that has some; older reports have none."""
    found = {report["data"]["split"]: report.get("intervals"), "test": report.get("test_intervals")}
    return {split: intervals for split, intervals in found.items() if intervals}


def figure_rows(facts: RunFacts) -> list[list[str]]:
    """Return the table of figures: heading, alignment, and a row for each figure."""
    report = facts.report
    ceiling, intervals = report["tokenizer"].get("ceiling"), intervals_of(report)
    beside = [f"95 % of {split}" for split in intervals]
    heading = ["figure", *facts.parts, *beside, *(["ceiling"] if ceiling else [])]
    rows = []
    for name in facts.definitions:
        rows.append(
            [
                f"`{name}`",
                *(_figure(facts, name, part) for part in facts.parts.values()),
                *(_interval(ends.get(name)) for ends in intervals.values()),
                *([f"{100 * ceiling[name]:.2f}"] if ceiling else []),
            ]
        )
    return [heading, ["---", *("---:" for _ in heading[1:])], *rows]


def _figure(facts: RunFacts, name: str, part: str) -> str:
    """Return a figure on a split; nothing where there was nothing to measure."""
    figure = facts.figure(name, part=part)
    return f"{figure.mean:.2f}{figure.spread}" if facts.is_measured(name, part=part) else ""


def _interval(ends: Sequence[float] | None) -> str:
    return "" if ends is None else f"{100 * ends[0]:.2f} to {100 * ends[1]:.2f}"


def machine(environment: dict[str, Any]) -> str:
    """Return where the costs were measured."""
    device = environment["device"]
    if device == "cpu" and environment.get("cpu"):
        device = environment["cpu"]
    return f"{device} with {environment['cpu_count']} cores, {environment['torch_threads']} in use"
