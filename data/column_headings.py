"""What the columns of texts and of their classes are called, in files and in datasets."""

import re

CLASS_HEADING = re.compile(
    r"(class|label)(_?name|_?id)?s?|category|target|sentiment|emotion|intent|topic"
    r"|라벨|레이블|클래스|분류|범주|카테고리|감성|감정|의도|주제|정답",
    re.IGNORECASE,
)
TEXT_HEADING = re.compile(
    r"(text|sentence|document|review|comment|content|utterance|question)s?|title|query"
    r"|텍스트|문장|글|본문|문서|리뷰|댓글|후기|내용|제목|발화|질문",
    re.IGNORECASE,
)
