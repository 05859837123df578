"""Josa in names: how many names end in one, and how they are cut off.

Labels of whole words cover the josa, too (`홍길동은`), and a model that learns them finds names with josa. What looks
like a josa `malmoi.data.josa` says. A name is looked at only if a word ends with it: what is labelled by the syllable
mostly goes on with the josa, and what a name ends in there is its own (`제주도`).

The rule by which a josa is cut off: a name that ends with a word loses what looks like a josa at its end, unless the
same name with another josa after it is a name of the data as well (`제주도` stays whole where there is `제주도는`).
Cutting is for labels of whole words alone: of the names of KLUE's training set, widened to whole words, 43 % are as
KLUE has them, and 81 % after the cut, which takes too much from 1 %; what is left are endings that are no josa. Of the
names that KLUE labels, which are exact already, it would spoil 2 %.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from datasets import Dataset, DatasetDict, concatenate_datasets

from malmoi.data.alignment import OUTSIDE, Span, tags_to_spans
from malmoi.data.josa import josa_at_end
from malmoi.data.notice import notify
from malmoi.data.tagged_dataset import label_names

CONSPICUOUS = 0.08
"""Where a larger share of the names of a type ends in what looks like a josa, it is pointed out. Where the labels of
KLUE, of the KMOU corpus and of the sample corpus are exact, at most 3.7 % of a type do (LC of KLUE); were whole words
labelled, it would be 12 % (PNT of KMOU) to 93 % (OG of the sample corpus)."""
FEWEST = 3
"""Fewer different names with a josa are nothing to speak of: `아이폰 프로` may be the name of half the products."""
SHOWN = 4
CHUNK = 4096
"""So many sentences are looked at at once."""


class _Name(NamedTuple):
    """A name and the josa that it seems to end in, both in Unicode's form NFC."""

    label: str
    text: str
    josa: str


def say_josa(splits: DatasetDict) -> None:
    """Say of which types a conspicuous share of the names ends in what looks like a josa.

    Args:
        splits: Tagged sentences by the name of their split.
    """
    names = list(_names(splits.values()))
    counts = Counter(name.label for name in names)
    suspected = Counter(name.label for name in names if name.josa)
    different = Counter(name.label for name in set(names) if name.josa)
    shares = {
        label: count / counts[label]
        for label, count in suspected.items()
        if different[label] >= FEWEST and count > CONSPICUOUS * counts[label]
    }
    if not shares:
        return
    conspicuous = [name for name in names if name.josa and name.label in shares]
    josa = Counter(name.josa for name in conspicuous)
    listed = "/".join(text for text, _ in josa.most_common(SHOWN)) + ("…" if len(josa) > SHOWN else "")
    parts = [f"{shares[label]:.0%} of {label}".replace("%", " %") for label in sorted(shares, key=shares.__getitem__)]
    examples = [text for text, _ in Counter(name.text for name in conspicuous).most_common(SHOWN)]
    notify(
        f"{', '.join(reversed(parts))} end in what looks like {listed}, such as {', '.join(examples)}. Where these "
        "are josa and no part of the names, --trim_josa cuts them off."
    )


def with_trimmed_josa(splits: DatasetDict) -> DatasetDict:
    """Return the sentences with names that end before a josa, by the rule of this module, and say how many.

    Args:
        splits: Tagged sentences by the name of their split; all of their names are looked at together.
    """
    names = list(_names(splits.values()))
    whole = {name.text.removesuffix(name.josa) for name in names if name.josa}
    trimmed = {name.text: name.josa for name in names if name.josa and name.text not in whole}
    cut = sum(name.josa != "" and name.text in trimmed for name in names)
    if cut:
        kept = sorted({name.text for name in names if name.josa and name.text in whole})
        stay = f"; names that occur with another josa after them stay, such as {kept[0]}" if kept else ""
        examples = ", ".join(f"{text} → {text.removesuffix(josa)}" for text, josa in list(trimmed.items())[:SHOWN])
        notify(f"{cut:,} of {len(names):,} names lose what looks like a josa: {examples}{stay}.")
    return DatasetDict({split: _trimmed(rows, trimmed) if cut else rows for split, rows in splits.items()})


def _names(parts: Iterable[Dataset]) -> Iterator[_Name]:
    """Yield all names, and the josa of those that end with a word."""
    for rows in parts:
        labels = label_names(rows)
        for batch in rows.iter(batch_size=CHUNK):
            for text, tags in zip(batch["text"], batch["tags"]):
                for span in tags_to_spans([labels[tag] for tag in tags]):
                    name = unicodedata.normalize("NFC", text[span.start : span.end])
                    yield _Name(span.label, name, josa_at_end(name) if _ends_a_word(text, span) else "")


def _ends_a_word(text: str, span: Span) -> bool:
    return not text[span.end : span.end + 1].isalnum()


def _trimmed(rows: Dataset, josa: dict[str, str]) -> Dataset:
    """Return sentences without these josa at the end of these names."""
    labels = label_names(rows)
    outside = labels.index(OUTSIDE)
    chunks = []
    for batch in rows.iter(batch_size=CHUNK):
        for text, tags in zip(batch["text"], batch["tags"]):
            for span in tags_to_spans([labels[tag] for tag in tags]):
                name = unicodedata.normalize("NFC", text[span.start : span.end])
                if name in josa and _ends_a_word(text, span):
                    length = _length(text[span.start : span.end], josa[name])
                    tags[span.end - length : span.end] = [outside] * length
        chunks.append(Dataset.from_dict(batch, features=rows.features))
    return concatenate_datasets(chunks)


def _length(name: str, josa: str) -> int:
    """Return how many characters a josa has in a name that may be written in any form of Unicode, or in several."""
    longest = len(unicodedata.normalize("NFD", josa))
    return next(
        length for length in range(len(josa), longest + 1) if unicodedata.normalize("NFC", name[-length:]) == josa
    )
