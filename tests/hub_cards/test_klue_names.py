"""Names that were marked for malmoi stand where they say, in the sentences that they were marked in."""

import os
import re
from collections import Counter
from pathlib import Path

import pytest
from support.klue_name_lines import described

from malmoi.data.alignment import Span, spans_to_tags
from malmoi.data.user_error import UserError
from malmoi.hub_cards.klue_names import MARKED, checksum_of, read_klue_names

REAL_DATA = Path(os.environ.get("MALMOI_DATA", Path(__file__).parents[3] / "shared" / "data"))
TEXT = "특히 영동고속도로 강릉 방향 5km 구간"


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    names = [Span(3, 9, "LC"), Span(10, 12, "LC"), Span(16, 19, "QT")]
    file = tmp_path / "names.tsv"
    file.write_text(f"# remark\n{described('0_news', TEXT, names)}\n{described('1_nsmc', '최고', [])}\n", "utf-8")
    return file


def test_names_are_read_as_they_were_written(marked: Path) -> None:
    first, second = read_klue_names({"0_news": TEXT, "1_nsmc": "최고", "2_nsmc": "별로"}, marked)
    assert (first.name, first.text) == ("0_news", TEXT)
    assert [(TEXT[start:end], label) for start, end, label in first.names] == [
        ("영동고속도로", "LC"),
        ("강릉", "LC"),
        ("5km", "QT"),
    ]
    assert second == ("1_nsmc", "최고", [])


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ({"0_news": TEXT}, "1_nsmc: this sentence of KLUE is missing"),
        ({"0_news": TEXT + " ", "1_nsmc": "최고"}, "0_news: this sentence of KLUE has another text"),
    ],
)
def test_other_sentences_are_refused(marked: Path, sentences: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_klue_names(sentences, marked)


def test_names_that_are_not_there_as_in_a_wheel_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"names\.tsv: there is no such file; what is marked lies in a checkout"):
        read_klue_names({"0_news": TEXT}, tmp_path / "names.tsv")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("0:2:ps", "line 1: expected id, checksum and names, got '0_news"),
        ("3:5:LCX", "line 1: expected id, checksum and names"),
        ("3:5:LC  6:7:OG", "line 1: expected id, checksum and names"),
        ("6:99:OG", "line 1: a name lies outside of the 22 characters of 0_news"),
        ("5:5:OG", "line 1: a name lies outside"),
    ],
)
def test_malformed_names_are_refused(tmp_path: Path, names: str, message: str) -> None:
    (tmp_path / "names.tsv").write_text(f"0_news\t{checksum_of(TEXT)}\t{names}\n", encoding="utf-8")
    with pytest.raises(UserError, match=message):
        read_klue_names({"0_news": TEXT}, tmp_path / "names.tsv")


def test_the_marked_sentences_are_whole_and_no_text_of_the_corpus() -> None:
    lines = MARKED.read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if not line.startswith("#")]
    pattern = re.compile(
        r"klue-ner-v1_train_\d{5}_(wikitree|nsmc)\t[0-9a-f]{8}\t(\d+:\d+:(PS|LC|OG|DT|TI|QT)( (?=\d)|$))*"
    )
    assert [row for row in rows if not pattern.fullmatch(row)] == []
    assert rows == sorted(rows)
    assert max(Counter(row.split("\t")[0] for row in rows).values()) == 1


@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the corpora are not at hand")
def test_names_of_the_corpus_itself() -> None:
    raw = (REAL_DATA / "klue-ner/train-raw-sentences.tsv").read_text(encoding="utf-8").splitlines()
    for _, text, names in read_klue_names(dict(line.split("\t") for line in raw), MARKED):
        spans_to_tags(names, len(text))
        assert all(text[start:end] == text[start:end].strip() for start, end, _ in names)


def test_a_checksum_is_the_crc_32_of_the_text() -> None:
    assert checksum_of("123456789") == "cbf43926"  # the check value that is published with CRC-32


def test_the_card_counts_what_is_marked() -> None:
    card = (MARKED.parents[1] / "klue-names.md").read_text(encoding="utf-8")
    lines = [line for line in MARKED.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    counts = Counter(re.findall(r":([A-Z]{2})\b", "\n".join(line.split("\t")[2] for line in lines)))
    told = {
        label: int(count.replace(",", ""))
        for label, count in re.findall(r"^\| ([A-Z]{2}) \|.*\| ([\d,]+) \|$", card, re.M)
    }
    assert told == counts
    assert f"in {len(lines):,} sentences" in card
