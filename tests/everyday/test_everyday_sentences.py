"""The everyday sentences are well formed, and none of them is in what models are trained on."""

import lzma
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from malmoi.benchmarks.everyday import FOLDER, TYPES, everyday_lines, everyday_reviews, everyday_sentences
from malmoi.data.inline_marks import parse_marks, write_marks
from malmoi.data.readers.inline_marks import SAMPLE_CORPUS

REAL_DATA = Path(os.environ.get("MALMOI_DATA", Path(__file__).parents[3] / "shared" / "data"))
MARK = re.compile(r"<([^<>]+):[A-Z]{2,3}>")
COLUMN = re.compile("[\t␞]")
AT_LEAST = {"PS": 45, "LC": 40, "OG": 40, "DT": 35, "TI": 15, "QT": 35}


def all_texts() -> list[str]:
    return [text for text, _ in everyday_sentences()] + [text for text, _ in everyday_reviews()]


def letters_and_digits(text: str) -> str:
    """Return what two texts have in common that count as the same."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).lower()))


def columns(path: Path) -> Iterator[str]:
    """Yield what may be a sentence in any corpus: every column of every line, without marks and comment signs."""
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in file:
            yield from COLUMN.split(MARK.sub(r"\1", line))


def seen(paths: list[Path]) -> set[str]:
    """Return the everyday texts, letters and digits only, that are in one of these files."""
    ours = {letters_and_digits(text) for text in all_texts()}
    shortest = min(map(len, ours))
    return {
        reduced
        for path in paths
        for column in columns(path)
        if len(column) >= shortest and (reduced := letters_and_digits(column)) in ours
    }


def test_there_are_names_of_every_type_and_sentences_without_any() -> None:
    sentences = everyday_sentences()
    assert len(sentences) == 150
    counts = Counter(span.label for _, spans in sentences for span in spans)
    assert set(counts) == TYPES
    assert {name: number for name, number in AT_LEAST.items() if counts[name] < number} == {}
    assert sum(not spans for _, spans in sentences) >= 30


def test_marks_are_written_in_the_one_way_that_reads_back() -> None:
    for line in everyday_lines("sentences.txt"):
        assert write_marks(*parse_marks(line, types=TYPES)) == line


def test_reviews_are_balanced() -> None:
    assert Counter(label for _, label in everyday_reviews()) == {"positive": 15, "negative": 15}


def test_the_readme_counts_what_is_there() -> None:
    sentences = everyday_sentences()
    counts = Counter(span.label for _, spans in sentences for span in spans)
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {
        name: int(number) for name, number in re.findall(r"^\| ([A-Z]{2}) \|.*\| (\d+) \|$", readme, re.M)
    } == counts
    assert f"{sum(not spans for _, spans in sentences)} of the sentences have no name" in readme


def test_words_stand_one_space_apart() -> None:
    for text in all_texts():
        assert text == " ".join(text.split())


def test_texts_are_in_the_normal_form_of_keyboards() -> None:
    assert [text for text in all_texts() if unicodedata.normalize("NFC", text) != text] == []


def test_no_text_occurs_twice() -> None:
    counts = Counter(map(letters_and_digits, all_texts()))
    assert [text for text, number in counts.items() if number > 1] == []


def test_no_text_is_in_the_bundled_sample() -> None:
    paths = sorted(SAMPLE_CORPUS.glob("*.txt"))
    assert paths
    assert seen(paths) == set()


def test_a_text_that_was_trained_on_is_found(tmp_path: Path) -> None:
    first, second = everyday_sentences()[:2], everyday_reviews()[:1]
    texts = [text for text, _ in (*first, *second)]
    (tmp_path / "a.tsv").write_text(
        f"## 1\t{write_marks(*first[0])}\n7\t{texts[2].replace(' ', '')}\t1\n", encoding="utf-8"
    )
    with lzma.open(tmp_path / "b.txt.xz", "wt", encoding="utf-8") as file:
        file.write(f"{texts[1]} ^^\n")
    assert seen(sorted(tmp_path.iterdir())) == {letters_and_digits(text) for text in texts}


@pytest.mark.slow
@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the corpora are not at hand")
def test_no_text_is_in_a_training_corpus() -> None:
    paths = [path for path in sorted(REAL_DATA.rglob("*")) if path.suffix in {".txt", ".tsv", ".xz"}]
    assert paths
    assert seen(paths) == set()
