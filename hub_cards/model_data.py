"""Put together what the models of the package learn from, out of corpora whose licences allow it.

python -m malmoi.hub_cards.model_data DATA FOLDER

DATA holds `text/korean-text.txt.xz`, `klue-ner/`, `spacing/` and `spacing-everyday/`. FOLDER gets `texts/`, for the
language model, `named-entities/`, KLUE NER with the sentences of the sample corpus behind it, `named-entities-2/`, the
same and behind it sentences that KLUE gives without labels, with names that were marked for malmoi,
`named-entities-unlabelled.txt` with sentences of KLUE and reviews that seem to name someone or something,
`named-entities-unlabelled-2.txt` with the same sentences of KLUE, everyday ones and other reviews of that kind, and
`spacing/` with news, everyday sentences, and what else KLUE has but for reviews. The lines of KMOU, which may not be
used commercially, are the last ones of each file and are left out. What is few beside the rest, sentences of KLUE and
everyday sentences, the language model reads more than once.
"""

import lzma
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, filterfalse, islice
from pathlib import Path

from malmoi.data.alignment import spans_to_tags, tags_to_spans
from malmoi.data.inline_marks import write_marks
from malmoi.data.lexicon import read_lexicon
from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.standard_streams import write_utf8
from malmoi.data.tagged_dataset import label_names
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import write_whole
from malmoi.hub_cards.klue_names import MARKED, read_klue_names

REVIEWS, TEXTS = 630_880, 651_088
"""Lines of `korean-text.txt.xz` before those of KLUE, and before those of KMOU."""
SPACING = {"train": 10_113, "val": 1_349, "test": 1_273}
"""Lines of each split of `spacing/` before those of KMOU."""
KLUE_READINGS, EVERYDAY_READINGS = 3, 2
TRAIN, DEV = "klue-ner-v1.1_train.tsv", "klue-ner-v1.1_dev.tsv"
NAMED_REVIEWS = 22_000
"""Reviews that seem to hold names: about as many as KLUE has sentences without labels."""
NAMED_LENGTHS = {"reviews": range(20, 146), "everyday": range(8, 200)}
"""How long texts that seem to hold names are, in characters: reviews as long as the sentences of KLUE."""
NAME_CLASSES = ("person", "place", "name")
NAME_LENGTHS = range(8, 2, -1)
"""Shorter words than three syllables are too often something else."""
HELD_OUT = 500
"""Sentences of each kind by which the language model is judged: such as no training file has."""


def write_model_data(data: Path, folder: Path) -> dict[str, int]:
    """Write all files, and return how many lines each has.

    Raises:
        UserError: If a file is missing, or has fewer lines than it should.
    """
    texts = _read(data / "text/korean-text.txt.xz", TEXTS)
    everyday = {split: _read(data / f"spacing-everyday/{split}.txt") for split in SPACING}
    news = {split: _read(data / f"spacing/{split}.txt", count) for split, count in SPACING.items()}
    spacing = {split: [*news[split], *everyday[split]] for split in SPACING}
    spacing["train"] += _other_sentences(data, texts[REVIEWS:], news["train"])
    named = with_names(texts[:REVIEWS], NAMED_LENGTHS["reviews"])
    reviews = spread_evenly(named, NAMED_REVIEWS)
    others = spread_evenly([*filterfalse({*reviews}.__contains__, named)], NAMED_REVIEWS)
    labelled = [*_read(data / "klue-ner" / TRAIN), *_sample_rows()]
    files: dict[str, Iterable[str]] = {
        "texts/train-reviews.txt": texts[:REVIEWS],
        "texts/train-klue.txt": chain(*[texts[REVIEWS:]] * KLUE_READINGS),
        "texts/train-everyday.txt": chain(*[everyday["train"]] * EVERYDAY_READINGS),
        "texts/validation.txt": [*news["val"][:HELD_OUT], *everyday["val"][:HELD_OUT]],
        **{f"spacing/{split}.txt": lines for split, lines in spacing.items()},
        "named-entities-unlabelled.txt": [*texts[REVIEWS:], *reviews],
        "named-entities-unlabelled-2.txt": [
            *texts[REVIEWS:],
            *with_names(everyday["train"], NAMED_LENGTHS["everyday"]),
            *others,
        ],
        f"named-entities/{TRAIN}": labelled,
        f"named-entities/{DEV}": _read(data / "klue-ner" / DEV),
        f"named-entities-2/{TRAIN}": chain(labelled, _marked_rows(data)),
        f"named-entities-2/{DEV}": _read(data / "klue-ner" / DEV),
    }
    return {name: _write(folder / name, lines) for name, lines in files.items()}


def with_names(texts: Sequence[str], lengths: range) -> list[str]:
    """Return the texts of such lengths in which a word begins with what is a name and nothing else in the lexicon."""
    lexicon = read_lexicon("mecab-ko-dic")
    of_names = sum(1 << bit for bit, name in enumerate(lexicon.classes) if name in NAME_CLASSES)
    names = {word for word, classes in lexicon.words.items() if not classes & ~of_names}
    return [
        text
        for text in texts
        if len(text) in lengths
        and any(word[:length] in names for word in text.split() for length in NAME_LENGTHS if length <= len(word))
    ]


def spread_evenly(texts: Sequence[str], count: int) -> Sequence[str]:
    """Return at most so many of the texts, the same number apart."""
    return texts[:: max(1, len(texts) // count)][:count]


def _other_sentences(data: Path, sentences: Iterable[str], news: Iterable[str]) -> list[str]:
    """Return the sentences of KLUE that are not among the news, but for reviews, whose spaces are often missing."""
    left_out = {*news, *(text for name, text in _raw_sentences(data) if name.endswith("nsmc"))}
    return [sentence for sentence in sentences if sentence not in left_out]


def _sample_rows() -> Iterator[str]:
    """Yield the training sentences of the sample corpus in the form of the files of KLUE NER."""
    sentences = read_inline_marks(None)["train"]
    names = label_names(sentences)
    for number, sentence in enumerate(sentences):
        yield from _rows(f"sample-{number:05}", sentence["text"], [names[tag] for tag in sentence["tags"]])


def _marked_rows(data: Path) -> Iterator[str]:
    """Yield the sentences of KLUE whose names were marked for malmoi in the form of the files of KLUE NER."""
    for name, text, names in read_klue_names(dict(_raw_sentences(data)), MARKED):
        yield from _rows(name, text, spans_to_tags(names, len(text)))


def _rows(name: str, text: str, tags: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a sentence in the form of the files of KLUE NER."""
    yield f"## {name}\t{write_marks(text, tags_to_spans(tags))}"
    yield from (f"{character}\t{tag}" for character, tag in zip(text, tags))
    yield ""


def _raw_sentences(data: Path) -> Iterator[tuple[str, str]]:
    """Yield the id and the text of each sentence that KLUE gives without labels."""
    for line in _read(data / "klue-ner/train-raw-sentences.tsv"):
        name, text = line.split("\t")
        yield name, text


def _read(path: Path, count: int | None = None) -> list[str]:
    """Return the first lines of a file, packed or not."""
    if not path.is_file():
        raise UserError(f"{path}: there is no such file.")
    with lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8") as file:
        lines: Iterator[str] = (line.removesuffix("\n") for line in file)
        read = list(islice(lines, count))
    if count is not None and len(read) < count:
        raise UserError(f"{path}: expected {count:,} lines or more, found {len(read):,}.")
    return read


def _write(path: Path, lines: Iterable[str]) -> int:
    """Write lines into a file, and return how many there are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with write_whole(path) as file:
        for line in lines:
            file.write(f"{line}\n")
            count += 1
    return count


def main(arguments: list[str]) -> None:
    """Write the files, and say how many lines they have."""
    if len(arguments) != 2:
        raise UserError("expected python -m malmoi.hub_cards.model_data DATA FOLDER.")
    data, folder = map(Path, arguments)
    for name, count in write_model_data(data, folder).items():
        print(f"{count:>9,}  {folder / name}")


if __name__ == "__main__":
    write_utf8()
    try:
        main(sys.argv[1:])
    except (UserError, OSError) as error:  # OSError: a folder that may not be written to, a full disk
        sys.exit(f"malmoi: {error}")
