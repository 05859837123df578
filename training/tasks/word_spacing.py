"""Restoring the spaces between words (띄어쓰기)."""

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from malmoi.data.character_tokenizer import split_into_characters
from malmoi.data.word_spacing import join_words
from malmoi.metrics.word_spacing import DEFINITIONS, WordSpacingMetrics
from malmoi.training.tasks.examples import Candidate, choose_examples, some_rows
from malmoi.training.tasks.tagging import TaggingTask


class WordSpacing(TaggingTask):
    """Word spacing: every character of a sentence without its spaces begins a word (B) or does not (I)."""

    name = "word-spacing"
    definitions = DEFINITIONS
    main_figure = "space_f1"
    example = "오늘은날씨가좋아서공원에갔다."
    breakdown = "tag"
    make_metrics = WordSpacingMetrics

    def examples(self, dataset: Dataset) -> list[dict[str, str]]:
        """Return a few sentences without their spaces, and the same with them."""
        names = self.labels(dataset)
        candidates = []
        for row in some_rows(dataset):
            spaced = join_words(row["text"], [names[tag] for tag in row["tags"]])
            candidates.append(Candidate(row["text"], spaced, frozenset(" ") & frozenset(spaced)))
        return choose_examples(candidates)

    def prepare_tokenizer(self, tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
        """Return a tokenizer whose tokens are no longer than a character: a space may stand before every one."""
        return split_into_characters(tokenizer)
