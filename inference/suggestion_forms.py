"""The forms in which suggested texts are handed to whoever labels them: with what the model says of them already.

- `jsonl`: what `malmoi tag --json` or `malmoi classify --json` says of each text, with its number among the texts.
- `doccano`: the JSON lines that doccano imports as labelled texts.
- `label-studio`: the tasks that Label Studio imports with predictions (https://labelstud.io/guide/predictions). Its
  names of what labels what are those of its own templates for names and for classes.

All offsets count characters, as these tools do.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from malmoi.data.user_error import UserError
from malmoi.inference.classifier import Classification
from malmoi.inference.suggestions import Suggestion

LABEL_STUDIO = "label-studio"
FORMS = ("jsonl", "doccano", LABEL_STUDIO)
"""The forms by their names."""
REGIONS, CHOICES = ("label", "labels"), ("sentiment", "choices")
"""What labels a text in Label Studio, and the type of its results: for names, and for classes."""


def check_form(form: str) -> None:
    """Check the name of a form.

    Raises:
        UserError: If there is no such form.
    """
    if form not in FORMS:
        raise UserError(f"--export must be one of {', '.join(FORMS)}, got {form!r}.")


def written_suggestions(suggestions: Iterable[Suggestion], form: str, *, model: str) -> Iterator[str]:
    """Yield suggested texts as lines of a file, each with its end.

    Args:
        suggestions: The texts.
        form: The name of the form.
        model: What the model is called, where a form has a place for that.

    Raises:
        UserError: If there is no such form.
    """
    check_form(form)
    if form == LABEL_STUDIO:
        before = "[\n"
        for suggestion in suggestions:
            yield before + _line(_task(suggestion, model))
            before = ",\n"
        yield "[]\n" if before == "[\n" else "\n]\n"
        return
    for suggestion in suggestions:
        yield _line(_row(suggestion) if form == "jsonl" else _doccano_row(suggestion)) + "\n"


def labelling_config(labels: Sequence[str], *, of_names: bool) -> str:
    """Return what Label Studio is to be told of a project, as its `Labeling Interface` takes it.

    Args:
        labels: The types of names, or the classes.
        of_names: Which of the two they are.
    """
    tag, entry, (name, _), more = (
        ("Labels", "Label", REGIONS, "") if of_names else ("Choices", "Choice", CHOICES, ' choice="single"')
    )
    choices = "".join(f"<{entry} value={quoteattr(label)}/>" for label in labels)
    control = f'<{tag} name="{name}" toName="text"{more}>{choices}</{tag}>'
    return f'<View>{control}<Text name="text" value="$text"/></View>'


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False)


def _row(suggestion: Suggestion) -> dict[str, Any]:
    row: dict[str, Any] = {"id": suggestion.number + 1, "text": suggestion.text}
    if isinstance(suggestion.answer, Classification):
        return row | suggestion.answer._asdict()
    return row | {
        "entities": [entity._asdict() for entity in suggestion.answer],
        "probability": suggestion.probability,
    }


def _doccano_row(suggestion: Suggestion) -> dict[str, Any]:
    if isinstance(suggestion.answer, Classification):
        return {"text": suggestion.text, "label": [suggestion.answer.label]}
    return {
        "text": suggestion.text,
        "label": [[entity.start, entity.end, entity.label] for entity in suggestion.answer],
    }


def _task(suggestion: Suggestion, model: str) -> dict[str, Any]:
    prediction = {"model_version": model, "score": suggestion.probability, "result": _results(suggestion)}
    return {"data": {"text": suggestion.text, "number": suggestion.number + 1}, "predictions": [prediction]}


def _results(suggestion: Suggestion) -> list[dict[str, Any]]:
    """Return what Label Studio shows as labelled already; no two results of a file may have the same id."""
    if isinstance(suggestion.answer, Classification):
        (name, kind), answer = CHOICES, suggestion.answer
        values: list[tuple[dict[str, Any], float]] = [({"choices": [answer.label]}, answer.score)]
    else:
        name, kind = REGIONS
        values = [
            ({"start": entity.start, "end": entity.end, "text": entity.text, "labels": [entity.label]}, entity.score)
            for entity in suggestion.answer
        ]
    return [
        {
            "id": f"{suggestion.number + 1}-{place}",
            "from_name": name,
            "to_name": "text",
            "type": kind,
            "value": value,
            "score": score,
        }
        for place, (value, score) in enumerate(values, start=1)
    ]
