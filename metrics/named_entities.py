"""Every figure by which a tagger of names is judged, each with its definition.

"KLUE NER F1" has at least seven meanings in use, so no figure goes without its definition.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from seqeval.metrics.sequence_labeling import get_entities

from malmoi.data.alignment import Span, gold_names, tags_to_spans, token_labels_to_tags, trim_names
from malmoi.data.one_spelling import one_spelling
from malmoi.metrics.counts import EntityCounts, TagCounts
from malmoi.metrics.intervals import F1Shares, as_report
from malmoi.metrics.klue_official import Subword, official_character_tags
from malmoi.metrics.tokenized_sentence import TokenizedSentence

DEFINITIONS = {
    "entity_f1": "micro F1 of names: type and exact characters in the text, spaces included (strict IOB2)",
    "entity_precision": "precision of names, as in entity_f1",
    "entity_recall": "recall of names, as in entity_f1",
    "entity_f1_unseen": "micro F1 of unseen names alone, gold or predicted: those whose exact text is no name, of "
    "whatever type, in a labelled sentence of the training set",
    "entity_precision_unseen": "precision of unseen names, as in entity_f1_unseen",
    "entity_recall_unseen": "recall of unseen names, as in entity_f1_unseen",
    "entity_f1_no_spaces": "entity_f1 where all white space is taken out of the texts, and out of the names in them",
    "klue_entity_f1": "KLUE-baseline's entity F1: macro over types, strict IOB2, without spaces, "
    "with its shift after unknown words",
    "klue_char_f1": "KLUE-baseline's character F1: macro over all tags, O included (1 for a tag that does not occur), "
    "without spaces, with its shift",
    "klue_entity_f1_aligned": "entity F1 macro over types, without spaces, predictions aligned by offsets",
    "klue_char_f1_aligned": "character F1 macro over all tags, O included (1 for a tag that does not occur), "
    "without spaces, aligned by offsets",
    "klue_char_f1_aligned_without_o": "the same without O",
    "token_f1": "micro F1 of names over model tokens, seqeval's default reading: wrong right-hand boundaries inside "
    "a token go unseen",
}
"""What each figure means; every figure is from 0 to 1."""
OF_KLUE = tuple(name for name in DEFINITIONS if name.startswith("klue_"))
"""Figures that are there to be compared with those published for KLUE."""
OF_UNSEEN_NAMES = tuple(name for name in DEFINITIONS if name.endswith("_unseen"))
"""Figures that are 0 where no name is unseen."""
UNSEEN_NAMES = "unseen names"
"""What a report calls their number."""
NO_SPACES = "entity_f1_no_spaces"
"""The figure that is measured on other texts: those without their spaces."""


class NamedEntityMetrics:
    """Collect predictions sentence by sentence and return all figures. Memory does not grow with the set.

    Args:
        labels: The BIO labels of the data.
        training_names: The texts of all names of the training set; without them there are no figures of unseen names.
    """

    def __init__(self, labels: Sequence[str], training_names: Collection[str] | None = None):
        self.labels = list(labels)
        self.training_names = None if training_names is None else frozenset(training_names)
        self._seen = frozenset(map(one_spelling, self.training_names or ()))
        self.unseen, self.unseen_shares = EntityCounts(), F1Shares()
        self.entities = EntityCounts()
        self.all_shares, self.token_shares = F1Shares(), F1Shares()
        self.type_shares: defaultdict[str, F1Shares] = defaultdict(F1Shares)
        self.entities_without_spaces = EntityCounts()
        self.official_entities = EntityCounts()
        self.token_entities = EntityCounts()
        self.characters = TagCounts()
        self.official_characters = TagCounts()

    def update(self, sentence: TokenizedSentence, predicted: Sequence[str | None], gold: Sequence[str | None]) -> None:
        """Add a sentence.

        Args:
            sentence: The sentence and its tokens.
            predicted: The predicted label of each token; `None` for a token without one.
            gold: The label of each token that the model was to learn; `None` for a token without one.
        """
        tags = token_labels_to_tags(predicted, sentence.offsets, len(sentence.text))
        gold_spans = gold_names(sentence.text, sentence.tags)
        spans = trim_names(sentence.text, tags_to_spans(tags))
        self.entities.update(gold_spans, spans)
        self._add_shares(set(gold_spans), set(spans))
        if self.training_names is not None:
            gold_unseen, unseen = (
                {span for span in names if one_spelling(sentence.text[span.start : span.end]) not in self._seen}
                for names in (gold_spans, spans)
            )
            self.unseen.update(gold_unseen, unseen)
            self.unseen_shares.add(len(gold_unseen & unseen), len(unseen), len(gold_unseen))
        self.entities_without_spaces.update(
            _without_spaces(gold_spans, sentence.text), _without_spaces(spans, sentence.text)
        )
        gold_characters = [tag for character, tag in zip(sentence.text, sentence.tags) if character != " "]
        self.characters.update(
            gold_characters, [tag for character, tag in zip(sentence.text, tags) if character != " "]
        )
        official = official_character_tags(*_words(sentence, predicted))
        official_gold = ["O", *gold_characters[: len(official) - 2], "O"]
        self.official_characters.update(official_gold, official[: len(official_gold)])
        self.official_entities.update(tags_to_spans(official_gold), tags_to_spans(official[: len(official_gold)]))
        labelled = [(g, p) for g, p in zip(gold, predicted) if g is not None]
        gold_tokens = _lenient_spans([g for g, _ in labelled])
        tokens = _lenient_spans([p or "O" for _, p in labelled])
        self.token_entities.update(gold_tokens, tokens)
        self.token_shares.add(len(gold_tokens & tokens), len(tokens), len(gold_tokens))

    def compute(self) -> dict[str, float]:
        """Return all figures by name, including `precision/TYPE`, `recall/TYPE` and `f1/TYPE`."""
        precision, recall, f1 = self.entities.micro()
        types = {
            f"{name}/{entity_type}": value
            for entity_type, by_name in self.entities.by_type().items()
            for name, value in by_name._asdict().items()
        }
        return {
            "entity_f1": f1,
            "entity_precision": precision,
            "entity_recall": recall,
            **self._unseen_figures(),
            "klue_entity_f1": self.official_entities.macro_f1(),
            "klue_char_f1": self.official_characters.klue_macro_f1(self.labels),
            "klue_entity_f1_aligned": self.entities_without_spaces.macro_f1(),
            "klue_char_f1_aligned": self.characters.klue_macro_f1(self.labels),
            "klue_char_f1_aligned_without_o": self.characters.klue_macro_f1(
                [tag for tag in self.labels if tag != "O"]
            ),
            "token_f1": self.token_entities.micro().f1,
            **types,
        }

    def details(self) -> dict[str, object]:
        """Return what a report shows beside figures: how many names there are, and 95 % intervals."""
        gold = self.entities.gold
        counted, beside = {"names": gold.total()}, {}
        if self.training_names is not None:
            counted[UNSEEN_NAMES] = self.unseen.gold.total()
            beside["training_names"] = describe_names(self.training_names)
        return {
            "counted": counted,
            **beside,
            "support": {name: gold[name] for name in self.entities.by_type()},
            "intervals": as_report(
                {
                    "entity_f1": self.all_shares.f1_interval(),
                    "entity_precision": self.all_shares.precision.interval(),
                    "entity_recall": self.all_shares.recall.interval(),
                    "entity_f1_unseen": self.unseen_shares.f1_interval(),
                    "entity_precision_unseen": self.unseen_shares.precision.interval(),
                    "entity_recall_unseen": self.unseen_shares.recall.interval(),
                    "token_f1": self.token_shares.f1_interval(),
                    **{f"f1/{name}": shares.f1_interval() for name, shares in sorted(self.type_shares.items())},
                }
            ),
        }

    def _add_shares(self, gold: set[Span], predicted: set[Span]) -> None:
        """Count the names of one sentence, all together and by type."""
        self.all_shares.add(len(gold & predicted), len(predicted), len(gold))
        by_type = [Counter(span.label for span in spans) for spans in (gold & predicted, predicted, gold)]
        for name in {**by_type[1], **by_type[2]}:
            self.type_shares[name].add(*(counts[name] for counts in by_type))

    def _unseen_figures(self) -> dict[str, float]:
        """Return F1, precision and recall of unseen names, if it is known which names are unseen."""
        if self.training_names is None:
            return {}
        precision, recall, f1 = self.unseen.micro()
        return {"entity_f1_unseen": f1, "entity_precision_unseen": precision, "entity_recall_unseen": recall}


def describe_names(names: Iterable[str]) -> dict[str, Any]:
    """Return by what a report tells the names of a training set from others: their number, and a hash of all."""
    distinct = sorted(set(names))
    digest = hashlib.sha256("\n".join(distinct).encode(errors="surrogatepass"))
    return {"distinct": len(distinct), "fingerprint": digest.hexdigest()[:16]}


def _without_spaces(spans: Sequence[Span], text: str) -> list[Span]:
    """Count positions without spaces, so that a space at the edge of a name makes no difference."""
    moved = []
    for start, end, label in spans:
        before = start - text.count(" ", 0, start)
        moved.append(Span(before, before + end - start - text.count(" ", start, end), label))
    return moved


def _lenient_spans(tags: Sequence[str]) -> set[Span]:
    """Return names as seqeval reads them by default: an `I-X` without a beginning begins a name."""
    return {Span(start, end + 1, label) for label, start, end in get_entities(list(tags))}


def _words(sentence: TokenizedSentence, predicted: Sequence[str | None]) -> tuple[list[list[Subword]], list[str]]:
    """Return the subwords of each word, words being separated by single spaces, and their predictions."""
    words: list[list[Subword]] = []
    predictions = []
    word_end = -1
    for (start, end), unknown, tag in zip(sentence.offsets, sentence.unknown, predicted):
        characters = sentence.text[start:end]
        if not characters.strip(" "):
            continue
        if start >= word_end:
            words.append([])
            word_end = sentence.text.find(" ", start)
            word_end = len(sentence.text) if word_end < 0 else word_end
        words[-1].append(Subword(characters, not unknown))
        predictions.append(tag or "O")
    return words, predictions
