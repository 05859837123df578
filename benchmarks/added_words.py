"""Measure what it gives to tell a tagger words: names that it cannot know, before and after it is told them.

python -m malmoi.benchmarks.added_words --data_dir DIR

Told are, with their labels, those names of the validation set that neither a training sentence nor mecab-ko-dic has,
of the labels that the lexicon of the model has a class for. A list that somebody has holds words that do not occur,
too, and lacks some that do: this is what a list gives that fits the texts.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from malmoi.benchmarks.measurement import print_table, run_as_command, set_threads
from malmoi.data.lexicon import matched_form, read_lexicon
from malmoi.data.user_error import UserError
from malmoi.inference.tagger import Tagger
from malmoi.metrics.counts import scores
from malmoi.training.from_python import read_data

LEXICON = "mecab-ko-dic"
Rows = Sequence[dict[str, Any]]
"""Sentences, each with its `text` and its `entities`."""
Name = tuple[int, int, str]


def names_of(row: Mapping[str, Any]) -> set[Name]:
    """Return the names of a sentence: start, end and label."""
    return {(entity["start"], entity["end"], entity["label"]) for entity in row["entities"]}


def unknown_names(
    rows: Iterable[dict[str, Any]], *, known: Collection[str], labels: Collection[str]
) -> dict[str, set[str]]:
    """Return the names that are not known, in whatever way they are spaced, by their labels."""
    unknown: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        for start, end, label in names_of(row):
            name = row["text"][start:end]
            if label in labels and matched_form(name) not in known:
                unknown[label].add(name)
    return dict(unknown)


def measure(tagger: Tagger, rows: Rows, words: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """Return the recall of the names that are words, of each label and of all together, and the F1 of all names."""
    found, there, all_names = Counter[str](), Counter[str](), Counter[str]()
    for row, entities in zip(rows, tagger([row["text"] for row in rows])):
        gold, answered = names_of(row), {(entity.start, entity.end, entity.label) for entity in entities}
        all_names.update(right=len(gold & answered), answered=len(answered), gold=len(gold))
        for name in gold:
            start, end, label = name
            if row["text"][start:end] in words.get(label, ()):
                there[label] += 1
                found[label] += name in answered
    return {
        **{f"{label} found, %": 100 * found[label] / there[label] for label in sorted(there)},
        "all found, %": 100 * found.total() / there.total(),
        "of": there.total(),
        "entity_f1": 100 * scores(all_names["right"], all_names["answered"], all_names["gold"]).f1,
    }


def main(argv: list[str]) -> None:
    """Measure before and after, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder with KLUE NER")
    parser.add_argument("--model", help="a tagger with a lexicon; by default that of the package")
    parser.add_argument("--threads", type=int, default=1, help="threads of the CPU")
    options = parser.parse_args(argv)
    set_threads(options.threads)
    data = read_data(options.data_dir, task="named-entities")
    tagger = Tagger(options.model, device="cpu")
    labels = getattr(tagger.model.config, "lexicon_labels", {})
    learned = {matched_form(row["text"][start:end]) for row in data["train"] for start, end, _ in names_of(row)}
    rows = [*data["validation"]]
    words = unknown_names(rows, known=learned | read_lexicon(LEXICON).words.keys(), labels=labels)
    if not words:
        raise UserError("The model has no lexicon to add names to, or the validation set has none that is unknown.")
    told = Tagger(options.model, device="cpu", words=words)
    table = [{"": name, **measure(each, rows, words)} for name, each in (("before", tagger), ("told", told))]
    print_table(table, title="Names that the model has not learned and its lexicon lacks")


if __name__ == "__main__":
    run_as_command(main)
