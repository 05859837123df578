"""Measure the models of the package on everyday sentences and reviews of our own, on which none has been trained.

python -m malmoi.benchmarks.everyday

The sentences and reviews lie in `tests/everyday/`. Other models take the place of those of the package by `--tagger`,
`--spacer` and `--classifier`.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from malmoi.benchmarks.measurement import run_as_command
from malmoi.data.alignment import Span
from malmoi.data.inline_marks import parse_marks
from malmoi.data.text_lines import read_lines
from malmoi.data.word_spacing import split_spaces
from malmoi.inference.classifier import Classifier
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger
from malmoi.metrics.counts import EntityCounts, scores

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "everyday"
TYPES = frozenset({"PS", "LC", "OG", "DT", "TI", "QT"})
Sentence = tuple[str, list[Span]]


def everyday_sentences() -> list[Sentence]:
    """Return each sentence, spaced as it should be, and the names in it."""
    return [parse_marks(line, types=TYPES) for line in everyday_lines("sentences.txt")]


def everyday_reviews() -> list[tuple[str, str]]:
    """Return each review and its class, `positive` or `negative`."""
    pairs = [line.split("\t") for line in everyday_lines("reviews.txt")]
    return [(text, label) for label, text in pairs]


def everyday_lines(name: str) -> list[str]:
    """Return the lines of one of the files, marks and labels as they stand there."""
    return [line for _, line in read_lines(FOLDER / name)]


def without_spaces(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Return the sentences with all white space taken out, of the names too."""
    moved = []
    for text, spans in sentences:
        place = [len("".join(text[:index].split())) for index in range(len(text) + 1)]
        moved.append(
            ("".join(text.split()), [span._replace(start=place[span.start], end=place[span.end]) for span in spans])
        )
    return moved


def name_f1(tagger: Tagger, sentences: Sequence[Sentence]) -> float:
    """Return the micro F1 of names: type and exact characters."""
    counts = EntityCounts()
    for (_, gold), entities in zip(sentences, tagger([text for text, _ in sentences])):
        counts.update(gold, [Span(entity.start, entity.end, entity.label) for entity in entities])
    return counts.micro().f1


def spacing(spacer: Spacer, texts: Sequence[str]) -> tuple[float, float]:
    """Return the F1 of spaces, and the share of texts with every space right, after all were taken out."""
    counts: Counter[str] = Counter()
    spaced = [answer.text for answer in spacer(["".join(text.split()) for text in texts])]
    for expected, answer in zip(texts, spaced):
        gold, found = (
            {place for place, tag in enumerate(split_spaces(each)[1][1:]) if tag == "B"} for each in (expected, answer)
        )
        counts.update(right=len(gold & found), found=len(found), expected=len(gold), whole=expected == answer)
    return scores(counts["right"], counts["found"], counts["expected"])[2], counts["whole"] / len(texts)


def right_reviews(classifier: Classifier, reviews: Sequence[tuple[str, str]]) -> int:
    """Return how many reviews get their class."""
    answers = classifier([text for text, _ in reviews])
    return sum(answer.label == label for answer, (_, label) in zip(answers, reviews))


def main(argv: list[str]) -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("tagger", "spacer", "classifier"):
        parser.add_argument(f"--{name}", help="folder or name of a model; by default that of the package")
    given = parser.parse_args(argv)
    sentences, reviews = everyday_sentences(), everyday_reviews()
    tagger = Tagger(given.tagger, device="cpu")
    space_f1, whole = spacing(Spacer(given.spacer, device="cpu"), [text for text, _ in sentences])
    right = right_reviews(Classifier(given.classifier, device="cpu"), reviews)
    print(f"names: entity_f1 {100 * name_f1(tagger, sentences):.2f}")
    print(f"names, without any space: entity_f1 {100 * name_f1(tagger, without_spaces(sentences)):.2f}")
    print(f"spaces: space_f1 {100 * space_f1:.2f}, whole sentences {100 * whole:.1f}")
    print(f"reviews: {right} of {len(reviews)} right")


if __name__ == "__main__":
    run_as_command(main)
