"""Use a saved model where malmoi is not installed: nothing but transformers is imported.

python examples/load_without_malmoi.py runs/demo
"""

import sys

# Stands for a machine without malmoi: from here on `import malmoi` fails, here and in everything that is imported.
sys.modules["malmoi"] = None  # type: ignore[assignment]

from transformers import AutoModel, pipeline  # noqa: E402
from transformers.utils import logging  # noqa: E402

TEXTS = [
    "손흥민은 1992년 7월 8일 춘천에서 태어났다.",
    "SK하이닉스는 경기도 이천에 본사를 두고 있다.",
    "이서연 교수는 지난해 가을 부산에서 오후 3시에 120명을 만났습니다.",
    "국립중앙도서관은 월요일에도 오전 9시부터 문을 열어요.",
]


def inline(text: str, entities: list[dict]) -> str:
    """Write the names into the text: `<춘천:LC>에서`."""
    for entity in reversed(entities):
        start, end = entity["start"], entity["end"]
        text = f"{text[:start]}<{text[start:end]}:{entity['entity_group']}>{text[end:]}"
    return text


def main(folder: str) -> None:
    """Load a saved model twice, as a model and as a pipeline, and tag some sentences."""
    sys.stdout.reconfigure(encoding="utf-8")  # the console of a Korean Windows has no emoji
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model = AutoModel.from_pretrained(folder, trust_remote_code=True)
    print(f"AutoModel gives {type(model).__name__} with {model.num_parameters():,} parameters.")
    tagger = pipeline("token-classification", model=folder, trust_remote_code=True, aggregation_strategy="simple")
    for text in TEXTS:
        print("  " + inline(text, tagger(text)))


if __name__ == "__main__":
    main(sys.argv[1]) if sys.argv[1:] else sys.exit(__doc__)
