"""Measure how well names that were marked for malmoi agree with those of KLUE, on dev sentences that have both.

python -m malmoi.benchmarks.marked_names --data_dir DIR

The sentences are those of dev of which a model was least sure. Whoever marked them saw the answers of the model, which
are measured as well, and not the names of KLUE.
"""

import argparse
from pathlib import Path

from malmoi.benchmarks.benchmark_data import read_data
from malmoi.benchmarks.measurement import RESULTS, print_table, run_as_command, write_results
from malmoi.data.alignment import Span, tags_to_spans
from malmoi.data.tagged_dataset import tagged_sentences
from malmoi.hub_cards.klue_names import MARKED, read_klue_names
from malmoi.metrics.counts import EntityCounts

ANSWERS = {
    "the model's answers": MARKED.with_name("klue-names-suggested-on-dev.tsv"),
    "as they were marked": MARKED.with_name("klue-names-on-dev.tsv"),
}
Row = dict[str, object]


def measure(data_dir: Path) -> list[Row]:
    """Return a row for the answers of the model, and one for the names as they were marked."""
    dev = read_data(data_dir)["validation"]
    texts: dict[str, str] = {}
    gold: dict[str, list[Span]] = {}
    for sentence in tagged_sentences(dev):
        texts[sentence["id"]] = sentence["text"]
        gold[sentence["id"]] = tags_to_spans(sentence["tags"])
    rows = []
    for kind, file in ANSWERS.items():
        sentences, counts = read_klue_names(texts, file), EntityCounts()
        for name, _, names in sentences:
            counts.update(gold[name], names)
        precision, recall, f1 = counts.micro()
        row: Row = {"names": kind, "sentences": len(sentences), "names in KLUE": counts.gold.total()}
        rows.append(row | {"entity_f1": 100 * f1, "precision": 100 * precision, "recall": 100 * recall})
    return rows


def main(argv: list[str]) -> None:
    """Measure, print a table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, help="folder with KLUE NER")
    parser.add_argument("--output_dir", type=Path, default=RESULTS)
    options = parser.parse_args(argv)
    rows = measure(options.data_dir)
    print_table(rows, title="Agreement with the names of KLUE, %")
    print(write_results("marked_names", {"data": options.data_dir.name}, rows, options.output_dir))


if __name__ == "__main__":
    run_as_command(main)
