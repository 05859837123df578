"""What the page offers for each task: what its tab says, texts to try, and the answers of the models as HTML."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from malmoi.data.user_error import UserError
from malmoi.hub_cards.space.answer_html import cards_html, classification_html, message_html, names_html, spacing_html
from malmoi.hub_cards.space.loaded_models import LoadedSpaceModel, ask
from malmoi.inference.batches import check_text
from malmoi.inference.classifier import Classification, Classifier
from malmoi.inference.spacer import SpacedText, Spacer
from malmoi.inference.tagger import Entity, Tagger

MAX_CHARACTERS = 5_000
"""How long a text may be, so that one visitor does not keep all others waiting."""
NAME_EXAMPLES = [
    "손흥민은 1992년 7월 8일 춘천에서 태어났다.",
    "SK하이닉스는 경기도 이천에 본사를 두고 있다.",
    "내일 오전 10시에 대전에서 김민재와 이강인을 만나요.",
]
SPACING_EXAMPLES = [
    "아버지가방에들어가신다.",
    "나는 어제친구와함께 서울에있는 박물관에갔다.",
    "비가와서집에있었습니다.",
]
SENTIMENT_EXAMPLES = [
    "다시 보고 싶은 영화였어요.",
    "돈과 시간이 아까웠다. 배우들만 고생했네.",
    "연기는 좋았지만 이야기가 조금 지루했다.",
]


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
        return message_html("글을 먼저 넣어 주세요.")
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
        examples: Texts to try.
        answer: From models, the text and the options to HTML.
        option: What the check box says, if there is one.
    """

    name: str
    title: str
    button: str
    placeholder: str
    examples: list[str]
    answer: Callable[..., str]
    option: str | None = None


TABS = {
    Tagger.task: Tab(
        "names", "개체명", "이름 찾기", "사람, 장소, 기관, 날짜가 나오는 글", NAME_EXAMPLES, answer_names
    ),
    Spacer.task: Tab(
        "spacing",
        "띄어쓰기",
        "띄어쓰기",
        "붙여 쓴 글",
        SPACING_EXAMPLES,
        answer_spacing,
        option="이미 있는 띄어쓰기는 그대로 두기",
    ),
    Classifier.task: Tab("sentiment", "감성", "감성 읽기", "영화평이나 상품평", SENTIMENT_EXAMPLES, answer_sentiment),
}
"""The tab of each task, in the order in which they stand on the page."""
