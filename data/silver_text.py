"""Unlabelled sentences that teachers are to label: read from a file, without those that are known already."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from malmoi.data.text_content import letters_and_digits
from malmoi.data.text_lines import DataFormatError, check_line_ends, read_lines


class NewSentences(NamedTuple):
    """What is left of unlabelled sentences, and how many were left out for which reason."""

    sentences: list[str]
    in_evaluation: int
    """So many stand in the validation or the test set: whoever learns them is judged by what it has seen."""
    in_training: int
    """So many have labels of people already."""
    repeated: int
    """So many stand in the file more than once; the first stays."""


def read_raw_sentences(path: Path) -> list[str]:
    """Return the sentences of a file in their order, one a line; empty lines are skipped.

    Where a line has tabs, as in `train-raw-sentences.tsv` of KLUE, the sentence is what stands after the last one. A
    file whose name ends in `.xz` is read as what it was packed from.

    Raises:
        DataFormatError: If the file is missing, damaged, not UTF-8, without sentences, or a line ends in a tab.
    """
    check_line_ends(path)
    sentences = []
    for number, line in read_lines(path):
        sentence = line.rpartition("\t")[2].strip()
        if sentence:
            sentences.append(sentence)
        elif line.strip():
            raise DataFormatError(path, number, "expected a sentence after the last tab.")
    if not sentences:
        raise DataFormatError(path, None, "expected sentences, found none.")
    return sentences


def leave_out_known(sentences: Iterable[str], *, evaluation: Iterable[str], training: Iterable[str]) -> NewSentences:
    """Return the sentences, each once, without those of the labelled data.

    Two sentences are the same if their letters and digits are, whatever their case, width, spaces and signs; one that
    has neither is itself.

    Args:
        sentences: The sentences.
        evaluation: The texts by which models are judged.
        training: The texts of the training set.
    """
    judged, learned = {*map(_content, evaluation)}, {*map(_content, training)}
    new: dict[str, str] = {}
    in_evaluation = in_training = repeated = 0
    for sentence in sentences:
        content = _content(sentence)
        in_evaluation += content in judged
        in_training += content in learned and content not in judged
        repeated += content in new
        if content not in judged and content not in learned:
            new.setdefault(content, sentence)
    return NewSentences([*new.values()], in_evaluation, in_training, repeated)


def _content(sentence: str) -> str:
    return letters_and_digits(sentence) or sentence.strip()
