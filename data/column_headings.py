"""What the columns of texts, of their classes, of tokens and of their tags are called, in files and in datasets."""

import re
import unicodedata

CLASS = (
    r"(class|label)(_?name|_?id)?s?|category|target|sentiment|emotion|intent|topic"
    r"|라벨|레이블|클래스|분류|범주|카테고리|감성|감정|의도|주제|정답"
)
TEXT = (
    r"(text|sentence|document|review|comment|content|utterance|question)s?|title|query"
    r"|텍스트|문장|글|본문|문서|리뷰|댓글|후기|내용|제목|발화|질문"
)
FASTTEXT_CLASS = "__label__"
"""What fastText and flair write before the class of a text, with a space between the two."""
CLASS_HEADING = re.compile(CLASS, re.IGNORECASE)
TEXT_HEADING = re.compile(TEXT, re.IGNORECASE)
TITLE_OR_QUESTION = re.compile(r"title|question|제목|질문", re.IGNORECASE)
BODY_OR_ANSWER = re.compile(r"body|description|answer|설명|답변", re.IGNORECASE)
"""What stands beside one of the former as often as not; both are half of a text."""
DOCUMENT_HEADING = re.compile(r"(doc|document)(_?(id|no|number|name))?", re.IGNORECASE)
"""What names the document that a text is part of."""
WORD_HEADING = re.compile(
    r"(token|word|syllable|morph(eme)?|character|char|eojeol|form|term|entry|name)s?"
    r"|토큰|단어|어휘|낱말|표제어|어절|음절|글자|문자|형태소|이름",
    re.IGNORECASE,
)
TAG_HEADING = re.compile(
    r"((named[ _-]?entity|entity|ner|ne|bio|iob|slot)[ _-]?)?(tag|label|type|class)s?|ner?|bio|iob|pos"
    r"|(개체명[ _-]?)?(태그|라벨|레이블|종류|유형|분류)|개체명|클래스|품사",
    re.IGNORECASE,
)
OTHER_TEXT_HEADING = re.compile(
    rf"[a-z][a-z0-9_.-]*|(\S+ ?)?({TEXT}|원문|기사|뉴스|메시지|대화|대사|자막|트윗|입력)\d*", re.IGNORECASE
)
"""What is rather the name of a column than a Korean text: one word, or two words of which the last is such a name."""
_CLASSES = re.compile(rf"((gold|true|final|최종)[ _-]?)?({CLASS})([ _-]?({CLASS}|값|결과))*", re.IGNORECASE)
_TEXTS = re.compile(
    rf"((raw|clean|input|original|원본|전체)[ _-]?)?({TEXT})([ _-]?({TEXT}|body|원문))*", re.IGNORECASE
)


def head_class_and_text(first: str, second: str) -> bool:
    """Tell whether two cells can be nothing but the headings of classes and of texts: both are called so."""
    return re.search(CLASS, first, re.IGNORECASE) is not None and _TEXTS.fullmatch(second) is not None


def heads_classes(cell: str) -> bool:
    """Tell whether a cell may head a column of classes, such as `label`, `gold label` or `감정 분류`."""
    return _CLASSES.fullmatch(cell) is not None


def heads_texts(cell: str) -> bool:
    """Tell whether a cell may head a column of texts, such as `text`, `review_text` or `리뷰 내용`."""
    return _TEXTS.fullmatch(cell) is not None


def may_head_texts(cell: str) -> bool:
    """Tell whether the first line of the only column may be its name, such as `body` or `리뷰 내용`, and no text."""
    composed = unicodedata.normalize("NFC", cell)
    return heads_texts(composed) or OTHER_TEXT_HEADING.fullmatch(composed) is not None


def heads_a_table(line: str) -> bool:
    """Tell whether a line is the heading of a table of classes, such as `text,label`, and no sentence."""
    cells = [unicodedata.normalize("NFC", cell).strip(" \"'") for cell in re.split("[,;|]", line)]
    return any(map(heads_texts, cells)) and any(map(heads_classes, cells))


def head_word_and_tag(words: list[str], tags: list[str]) -> bool:
    """Tell whether cells are headings: one of words or tokens, and another of their tags or classes."""
    composed = [
        [unicodedata.normalize("NFC", cell.strip(" \t\"'\ufeff")) for cell in cells] for cells in (words, tags)
    ]
    return any(map(WORD_HEADING.fullmatch, composed[0])) and any(map(TAG_HEADING.fullmatch, composed[1]))
