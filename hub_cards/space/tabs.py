"""What the page offers for each task: what its tab says, and the answers of the models as HTML."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain, zip_longest
from typing import NamedTuple

from malmoi.data.user_error import UserError
from malmoi.hub_cards.space.answer_html import cards_html, classification_html, message_html, names_html, spacing_html
from malmoi.hub_cards.space.label_names import LABEL_NAMES, are_sentiments, types_of
from malmoi.hub_cards.space.loaded_models import LoadedSpaceModel, ask
from malmoi.inference.batches import check_text
from malmoi.inference.classifier import Classification, Classifier
from malmoi.inference.spacer import SpacedText, Spacer
from malmoi.inference.tagger import Entity, Tagger

MAX_CHARACTERS = 5_000
"""How long a text may be, so that one visitor does not keep all others waiting."""
MOST_EXAMPLES = 4
"""How many texts to try a tab offers."""


def answer_names(models: Sequence[LoadedSpaceModel], text: str) -> str:
    """Return what taggers find in a text, as HTML."""

    def question(tagger: Tagger) -> list[Entity]:
        return next(tagger.tag([text]))

    return refusal(text) or cards_html(ask(models, question), partial(names_html, text))


def answer_spacing(models: Sequence[LoadedSpaceModel], text: str, keep_spaces: bool = False) -> str:
    """Return a text with its spaces restored, as HTML."""

    def question(spacer: Spacer) -> SpacedText:
        return next(spacer.space([text], keep_spaces=keep_spaces))

    return refusal(text) or cards_html(ask(models, question), partial(spacing_html, text))


def answer_sentiment(models: Sequence[LoadedSpaceModel], text: str) -> str:
    """Return the class of a text, as HTML."""

    def question(classifier: Classifier) -> Classification:
        return next(classifier.classify([text]))

    return refusal(text) or cards_html(ask(models, question), classification_html)


def refusal(text: str | None) -> str | None:
    """Return why a text is not answered, as HTML; `None` if it is."""
    if not text or not text.strip():
        return message_html("글을 먼저 입력해 주세요.")
    if len(text) > MAX_CHARACTERS:
        return message_html(f"글이 너무 깁니다. {MAX_CHARACTERS:,}자까지 넣을 수 있는데 {len(text):,}자입니다.")
    try:
        check_text(text)
    except UserError:
        return message_html("글에 글자가 아닌 코드(짝이 없는 서로게이트)가 들어 있습니다.")
    return None


class Tab(NamedTuple):
    """What one task looks like on the page.

    Args:
        name: The beginning of the names of its parts, for style sheets, tests and the API.
        title: What the tab says.
        button: What the button says.
        placeholder: What the empty field says.
        answer: From models, the text and the options to HTML.
        option: What the check box says, if there is one.
    """

    name: str
    title: str
    button: str
    placeholder: str
    answer: Callable[..., str]
    option: str | None = None


TABS = {
    Tagger.task: Tab("names", "개체명", "개체명 찾기", "사람, 장소, 기관, 날짜가 나오는 글", answer_names),
    Spacer.task: Tab(
        "spacing",
        "띄어쓰기",
        "띄어쓰기",
        "붙여 쓴 글",
        answer_spacing,
        option="이미 있는 띄어쓰기는 그대로 두기",
    ),
    Classifier.task: Tab("sentiment", "감성", "감성 분석", "영화평이나 상품평", answer_sentiment),
}
"""The tab of each task, in the order in which they stand on the page."""
OWN_NAMES = Tab("names", "개체명", "개체명 찾기", "개체명을 찾을 글", answer_names)
OWN_CLASSES = Tab("classes", "분류", "분류하기", "분류할 글", answer_sentiment)


def tab_of(task: str, models: Sequence[LoadedSpaceModel]) -> Tab:
    """Return the tab of a task: it speaks of what all its models know."""
    if task == Classifier.task and not all(are_sentiments(model.labels) for model in models):
        return OWN_CLASSES
    if task == Tagger.task and not all(set(types_of(model.labels)) <= set(LABEL_NAMES) for model in models):
        return OWN_NAMES
    return TABS[task]


def examples_of(models: Sequence[LoadedSpaceModel]) -> list[str]:
    """Return texts to try: of each model in turn, until there are enough."""
    in_turn = chain.from_iterable(zip_longest(*(model.examples for model in models)))
    return [text for text in dict.fromkeys(in_turn) if text is not None][:MOST_EXAMPLES]
