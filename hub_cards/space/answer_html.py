"""Answers as HTML: cards side by side, one for each model. Whatever comes from a text or a model is escaped."""

import html
from collections.abc import Callable, Sequence

from malmoi.hub_cards.space.label_names import hue_of, name_of
from malmoi.hub_cards.space.loaded_models import Answer, TimedAnswer
from malmoi.inference.classifier import Classification
from malmoi.inference.spacer import SpacedText
from malmoi.inference.tagger import Entity

# Gradio renders what it shows as a template of Handlebars and of JavaScript
TEMPLATE_CHARACTERS = str.maketrans({character: f"&#{ord(character)};" for character in "{}$`\\"})


def escape(text: str) -> str:
    """Return a text such that the browser shows its very characters, whatever they are."""
    return html.escape(text).translate(TEMPLATE_CHARACTERS)


def message_html(message: str) -> str:
    """Return a message in the place of answers."""
    return f'<p class="malmoi-message" role="status">{escape(message)}</p>'


def cards_html(answers: Sequence[TimedAnswer[Answer]], body: Callable[[Answer], str]) -> str:
    """Return a card for each answer, with the model's title, size and time."""
    cards = [
        '<article class="malmoi-card">'
        f"<header><h3>{escape(answer.title)}</h3><p>{_size(answer.parameters)} · "
        f'<span class="malmoi-time">{_milliseconds(answer.milliseconds)}</span></p></header>'
        f"{body(answer.answer)}</article>"
        for answer in answers
    ]
    return f'<div class="malmoi-cards" role="status">{"".join(cards)}</div>'


def names_html(text: str, entities: Sequence[Entity]) -> str:
    """Return the text with its names highlighted."""
    parts = []
    covered = 0
    for entity in entities:
        parts += [escape(text[covered : entity.start]), _name(entity)]
        covered = entity.end
    parts.append(escape(text[covered:]))
    kinds = sorted({entity.label for entity in entities})
    counts = [f"{name_of(kind)} {sum(entity.label == kind for entity in entities)}" for kind in kinds]
    found = f"개체명 {len(entities)}개: {', '.join(counts)}" if entities else "찾은 개체명이 없습니다."
    return _text("".join(parts)) + _note(found)


def spacing_html(text: str, spaced: SpacedText) -> str:
    """Return the text with its spaces restored and with marks, which are not copied, where spaces came and went."""
    gone = set(spaced.removed)
    parts = []
    at = 0  # how far the original has been read
    for character, offset in zip(spaced.text, spaced.offsets):
        if offset is None:
            parts.append('<ins class="malmoi-added"> </ins>')
            continue
        parts += [_REMOVED for place in range(at, offset) if place in gone]
        parts.append(escape(character))
        at = offset + 1
    parts += [_REMOVED for place in range(at, len(text)) if place in gone]
    return _text("".join(parts)) + _note(f"띄운 곳 {spaced.offsets.count(None)} · 붙인 곳 {len(gone)}")


def classification_html(classification: Classification) -> str:
    """Return the class, and a bar for the probability of every class."""
    bars = "".join(
        f'<li class="{"malmoi-best" if label == classification.label else "malmoi-other"}">'
        f"<span>{_label(label)}</span>"
        f'<span class="malmoi-bar" style="--share: {score:.4f}"></span><span>{_percent(score)}</span></li>'
        for label, score in classification.scores.items()
    )
    cut = _note("글이 모델이 읽을 수 있는 길이보다 길어서 끝부분은 읽지 않았습니다.") if classification.cut else ""
    return (
        f'<p class="malmoi-class">{_label(classification.label)} <small>{_percent(classification.score)}</small></p>'
        f'<ul class="malmoi-bars">{bars}</ul>{cut}'
    )


_REMOVED = '<del class="malmoi-removed" title="붙임"></del>'


def _size(parameters: int | None) -> str:
    """Return how large a model is, or what it is that cannot say so."""
    return "내보낸 모델(ONNX)이라 매개변수를 세지 않습니다" if parameters is None else f"매개변수 {parameters:,}개"


def _name(entity: Entity) -> str:
    return (
        f'<mark class="malmoi-name" dir="auto" style="--hue: {hue_of(entity.label)}">{escape(entity.text)}'
        f'<span class="malmoi-label">{_label(entity.label)} <small>{_percent(entity.score)}</small></span></mark>'
    )


def _label(label: str) -> str:
    """Return the Korean name of a label and the label itself."""
    name = name_of(label)
    return escape(label) if name == label else f"{escape(name)} <abbr>{escape(label)}</abbr>"


def _text(content: str) -> str:
    return f'<p class="malmoi-text" lang="ko" dir="auto">{content}</p>'


def _note(content: str) -> str:
    return f'<p class="malmoi-note">{escape(content)}</p>'


def _percent(share: float) -> str:
    """Return a probability; never 100 % for what is not certain."""
    return f"{min(share * 100, 99.9) if share < 1 else 100:.1f}%"


def _milliseconds(milliseconds: float) -> str:
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:,.0f} ms"
