"""Every figure by which a tagger of spaces is judged, each with its definition.

Accuracy over characters is not among them: most characters are not followed by a space, so it flatters.
"""

from collections.abc import Sequence

from malmoi.data.word_spacing import BEGIN, INSIDE, SPACING_LABELS, join_words
from malmoi.metrics.counts import TagCounts, scores
from malmoi.metrics.intervals import F1Shares, SentenceShares, as_report
from malmoi.metrics.tokenized_sentence import TokenizedSentence

DEFINITIONS = {
    "space_f1": "F1 of spaces: positions between two characters of a sentence, its spaces taken out, that have one",
    "space_precision": "precision of spaces, as in space_f1",
    "space_recall": "recall of spaces, as in space_f1",
    "sentence_accuracy": "share of sentences with every space right",
    "tag_macro_f1": "mean of the F1 of B (a character that begins a word, the first of a sentence included) and of I",
}
"""What each figure means; every figure is from 0 to 1."""

SAMPLES = 10


class WordSpacingMetrics:
    """Collect predictions sentence by sentence and return all figures. Memory does not grow with the set."""

    def __init__(self, labels: Sequence[str]):
        self.labels = list(labels)
        self.tags = TagCounts()
        self.found = self.predicted = self.gold = 0
        self.sentences = self.right = 0
        self.space_shares, self.sentence_shares = F1Shares(), SentenceShares()
        self.tag_shares = {tag: F1Shares() for tag in SPACING_LABELS}
        self.samples: dict[int, dict[str, str]] = {}

    def update(self, sentence: TokenizedSentence, predicted: Sequence[str | None], gold: Sequence[str | None]) -> None:
        """Add a sentence without its spaces, with the predicted and the gold label of each token."""
        tags = token_tags(predicted, sentence.offsets, len(sentence.text))
        self.tags.update(sentence.tags, tags)
        between = [(expected == BEGIN, found == BEGIN) for expected, found in zip(sentence.tags[1:], tags[1:])]
        gold_spaces = sum(expected for expected, _ in between)
        predicted_spaces = sum(found for _, found in between)
        found_spaces = sum(expected and found for expected, found in between)
        right = all(expected == found for expected, found in between)
        self.gold += gold_spaces
        self.predicted += predicted_spaces
        self.found += found_spaces
        self.sentences += 1
        self.right += right
        self.space_shares.add(found_spaces, predicted_spaces, gold_spaces)
        self.sentence_shares.add(int(right), 1)
        for tag, shares in self.tag_shares.items():
            both = sum(expected == found == tag for expected, found in zip(sentence.tags, tags))
            shares.add(both, tags.count(tag), list(sentence.tags).count(tag))
        if sentence.number < SAMPLES:
            self.samples[sentence.number] = {
                "gt": join_words(sentence.text, sentence.tags),
                "pred": join_words(sentence.text, tags),
            }

    def compute(self) -> dict[str, float]:
        """Return all figures by name, including `precision/TAG`, `recall/TAG` and `f1/TAG`."""
        precision, recall, f1 = scores(self.found, self.predicted, self.gold)
        return {
            "space_f1": f1,
            "space_precision": precision,
            "space_recall": recall,
            "sentence_accuracy": self.right / max(self.sentences, 1),
            "tag_macro_f1": self.tags.macro_f1(SPACING_LABELS),
            **self.tags.by_tag(SPACING_LABELS),
        }

    def details(self) -> dict[str, object]:
        """Return what a report shows beside figures: numbers of spaces and tags, 95 % intervals, and samples.

        The samples are the first sentences of the data as they should be (`gt`) and as they were spaced (`pred`).
        """
        return {
            "counted": {"spaces": self.gold},
            "support": {tag: self.tags.gold[tag] for tag in SPACING_LABELS},
            "intervals": as_report(
                {
                    "space_f1": self.space_shares.f1_interval(),
                    "space_precision": self.space_shares.precision.interval(),
                    "space_recall": self.space_shares.recall.interval(),
                    "sentence_accuracy": self.sentence_shares.interval(),
                    **{f"f1/{tag}": shares.f1_interval() for tag, shares in self.tag_shares.items()},
                }
            ),
            "samples": [sample for _, sample in sorted(self.samples.items())],
        }


def token_tags(labels: Sequence[str | None], offsets: Sequence[tuple[int, int]], length: int) -> list[str]:
    """Return one tag per character: a token's label for its first, I for all others.

    The first of a token is the one after the token before: what lies between two tokens is invisible.
    """
    tags = [INSIDE] * length
    covered = 0
    for label, (start, end) in zip(labels, offsets):
        if label is not None and start < end:
            tags[min(covered, start)] = label
            covered = end
    return tags
