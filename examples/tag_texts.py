"""Tag texts with a saved model: by the pipeline of transformers, and in large numbers by malmoi.

python examples/tag_texts.py runs/demo
"""

import sys
from collections.abc import Iterator

from transformers import pipeline

from malmoi import Tagger

TEXTS = ["손흥민은 1992년 7월 8일 춘천에서 태어났다.", "SK하이닉스는 경기도 이천에 본사를 두고 있다."]


def by_pipeline(folder: str) -> list[list[dict]]:
    """Answer with transformers alone. Give `trust_remote_code` only for folders that you trust."""
    tagger = pipeline("token-classification", model=folder, trust_remote_code=True, aggregation_strategy="simple")
    return tagger(TEXTS, batch_size=2)


def in_large_numbers(folder: str) -> Iterator[str]:
    """Yield names as they are found, from any number of texts: neither they nor the answers are kept in memory."""
    tagger = Tagger(folder)
    texts = (text for _ in range(1_000) for text in TEXTS)  # stands for the lines of a file, the rows of a table ...
    for entities in tagger.tag(texts, batch_size=64):
        yield " ".join(f"{entity.text}/{entity.label}" for entity in entities)


def main(folder: str) -> None:
    """Print what both find."""
    for text, entities in zip(TEXTS, by_pipeline(folder)):
        for entity in entities:
            # offsets point into the very text that was given
            assert text[entity["start"] : entity["end"]] == entity["word"]
            print(f"{entity['word']:12} {entity['entity_group']}  {entity['score']:.2f}")
    lines = list(in_large_numbers(folder))
    print(f"{len(lines):,} texts; the first: {lines[0]}")


if __name__ == "__main__":
    main(sys.argv[1]) if sys.argv[1:] else sys.exit(__doc__)
