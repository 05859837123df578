"""Measure how many sentences a second are trained on, ours beside peers, in turns.

python -m malmoi.benchmarks.training --data_dir DIR

- S1: the architecture of a write-up (see `peers/s1_loop.py`), by its own loop and by ours. Both have the same
  WordPiece tokens, 32,000 embeddings of 768 and the same sizes; ours is what `malmoi train` does, with batches of
  similar length.
- BERT: a step of fine-tuning a token classifier of BERT-base size, padded to the longest of the batch, beside our
  recipe `klue-ner-bi-lstm-crf`. Its WordPiece tokens are far fewer than our syllables; the table is in sentences.
- body: the same beside `klue-ner-from-body`, which trains on from the language model of the package.
- flair: its BiLSTM-CRF of equal sizes on the same syllables, in a process of its own (see `peers/flair_tagger.py`).

What is timed: every step of an epoch over the sentences, with making the batches in ours and in S1's loop. Tokenizing
is not. Sentences are few, so ours finds fewer of similar length than in a real epoch, which costs it some padding.
Then, of each training, which share the loss and the gradient of the CRF have in its steps.

Times on a machine that others use too mean little; what counts are ratios of times of one round.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from torch import Tensor

from malmoi.benchmarks.benchmark_data import data_flags, read_data, take, typical
from malmoi.benchmarks.crf_share import CrfCall, our_calls, run_all, s1_calls, share_row
from malmoi.benchmarks.measurement import (
    print_table,
    ratio,
    run_as_command,
    set_threads,
    time_alternately,
    write_results,
)
from malmoi.benchmarks.our_training import ONLY_ORIGINALS, OUR_WAY, OurTraining
from malmoi.benchmarks.peer_options import PeerOptions, notes, parse_peer_options
from malmoi.benchmarks.peers import flair_tagger
from malmoi.benchmarks.peers.bert import BATCH_SIZE, BertFineTuning, build_bert
from malmoi.benchmarks.peers.flair_tagger import FlairTagger, flair_sentences
from malmoi.benchmarks.peers.s1_loop import S1Loop, S1Tagger, pad_sentences
from malmoi.benchmarks.ratio_plot import plot_ratios
from malmoi.inference.bundled_models import bundled_name
from malmoi.reports.plots import MISSING, can_plot
from malmoi.training.tasks import TASKS

GOALS = {"s1": 4, "bert": 80, "body": 80, "flair": 3}
Rows = list[dict[str, object]]


def s1_training(options: PeerOptions) -> OurTraining:
    """Return our training of S1's architecture."""
    flags = ["--tokenizer", "wordpiece", "--vocab_size", str(options.vocab_size), *OUR_WAY]
    return OurTraining(
        "klue-ner-bi-lstm-crf-classic", [*data_flags(options.data_dir), *flags], count=options.sentences
    )


def recipe_training(options: PeerOptions) -> OurTraining:
    """Return the training of our recipe."""
    flags = [*data_flags(options.data_dir), *ONLY_ORIGINALS]
    return OurTraining("klue-ner-bi-lstm-crf", flags, count=options.sentences)


def body_training(options: PeerOptions) -> OurTraining:
    """Return the training of our recipe that begins from the language model of the package."""
    flags = [*data_flags(options.data_dir), *ONLY_ORIGINALS, "--model_name_or_path", bundled_name("language-model")]
    return OurTraining("klue-ner-from-body", flags, count=options.sentences)


BESIDE_BERT = {"bert": ("our recipe", recipe_training), "body": ("from the body", body_training)}
"""What is compared with BERT, with its name in the table."""


def flair_sized_training(options: PeerOptions) -> OurTraining:
    """Return our training of a model of flair's sizes."""
    sizes = {
        "tokenizer": "syllables",
        "embedding_size": flair_tagger.EMBEDDING_SIZE,
        "hidden_size": 2 * flair_tagger.HIDDEN_SIZE,
    }
    flags = [part for key, value in sizes.items() for part in (f"--{key}", str(value))]
    return OurTraining(
        "klue-ner-bi-lstm-crf-classic", [*data_flags(options.data_dir), *flags, *OUR_WAY], count=options.sentences
    )


class Peer(NamedTuple):
    """Who trains beside ours.

    Args:
        key: Its name on the command line.
        name: Its name in the table.
        epoch: Trains for an epoch.
        sentences: How many sentences an epoch has.
        crf_calls: What it asks of its CRF in an epoch, if that can be had.
    """

    key: str
    name: str
    epoch: Callable[[], object]
    sentences: int
    crf_calls: Sequence[CrfCall] = ()


def compare_s1(options: PeerOptions) -> tuple[Rows, Rows]:
    """Return the comparison with S1's loop, and the shares of the CRF."""
    with s1_training(options) as ours:
        outside = ours.labels.index("O")
        sentences = pad_sentences(ours.features, padding=ours.tokenizer.pad_token_id or 0, outside=outside)
        loop = S1Loop(S1Tagger(len(ours.labels), vocab_size=options.vocab_size), sentences)
        peer = Peer("s1", "S1's loop", loop.epoch, options.sentences, s1_calls(loop))
        return _compare(options, "S1's architecture", ours, peer)


def bert_batches(options: PeerOptions, ours: OurTraining) -> list[dict[str, Tensor]]:
    """Return batches for BERT, in random order of lengths that are spread like those of all sentences."""
    features = ours.features.select_columns(["input_ids", "attention_mask", "labels"])
    rows = typical(list(features), list(ours.features["length"]), options.bert_sentences)
    collate = TASKS["named-entities"].collator(ours.tokenizer)
    return [dict(collate(rows[start : start + BATCH_SIZE])) for start in range(0, len(rows), BATCH_SIZE)]


def compare_bert(options: PeerOptions, key: str) -> tuple[Rows, Rows]:
    """Return the comparison of a recipe with fine-tuning BERT, and the share of the CRF."""
    name, training = BESIDE_BERT[key]
    with s1_training(options) as classic:
        batches = bert_batches(options, classic)
        num_tags = len(classic.labels)
    sizes = {"vocab_size": options.vocab_size, "num_layers": options.bert_layers, "hidden_size": options.bert_hidden}
    fine_tuning = BertFineTuning(build_bert(num_tags, **sizes), batches)
    count = sum(len(batch["input_ids"]) for batch in batches)
    with training(options) as ours:
        return _compare(options, name, ours, Peer(key, f"{options.bert_name}, fine-tuning", fine_tuning.epoch, count))


def compare_flair(options: PeerOptions) -> tuple[Rows, Rows]:
    """Return the comparison with flair, and the share of the CRF."""
    sentences = flair_sentences(take(read_data(options.data_dir)["train"], options.sentences))
    with (
        flair_sized_training(options) as ours,
        FlairTagger(sentences, threads=options.threads, python=options.flair_python) as flair,
    ):
        peer = Peer("flair", f"flair {flair.description['flair']}", flair.train, options.sentences)
        return _compare(options, "equal sizes", ours, peer)


def _compare(options: PeerOptions, name: str, ours: OurTraining, peer: Peer) -> tuple[Rows, Rows]:
    """Return the row of a comparison, and those of the shares of the CRF."""
    crf_calls = our_calls(ours.model, ours.batches())
    candidates: dict[str, Callable[[], object]] = {
        "ours": ours.epoch,
        "our CRF": partial(run_all, crf_calls),
        peer.name: peer.epoch,
    }
    if peer.crf_calls:
        candidates["its CRF"] = partial(run_all, peer.crf_calls)
    timings = time_alternately(candidates, rounds=options.rounds)
    of_ours, of_peer = timings["ours"], timings[peer.name]
    row = {
        "training": name,
        "sentences/s": of_ours.rate(options.sentences),
        "beside": peer.name,
        "its sentences/s": of_peer.rate(peer.sentences),
        "ratio": ratio(of_peer.per(peer.sentences), of_ours.per(options.sentences)),
        "goal": GOALS[peer.key],
    }
    shares = [share_row(f"{name}, ours", of_ours, timings["our CRF"], steps=len(crf_calls))]
    if peer.crf_calls:
        steps = len(peer.crf_calls)
        shares.append(share_row(f"{name}, {peer.name}", of_peer, timings["its CRF"], steps=steps))
    return [row], shares


COMPARISONS: dict[str, Callable[[PeerOptions], tuple[Rows, Rows]]] = {
    "s1": compare_s1,
    "bert": partial(compare_bert, key="bert"),
    "body": partial(compare_bert, key="body"),
    "flair": compare_flair,
}


def measure(options: PeerOptions) -> tuple[Rows, Rows]:
    """Return the rows of both tables."""
    set_threads(options.threads)
    rows: Rows = []
    shares: Rows = []
    for peer in options.measured_peers:
        compared, shared = COMPARISONS[peer](options)
        rows += compared
        shares += shared
    return rows, shares


def main(argv: list[str]) -> None:
    """Measure, print two tables, write them as JSON and draw the ratios."""
    options = parse_peer_options(argv, __doc__)
    rows, shares = measure(options)
    print_table(rows, title="Training")
    print_table(shares, title="Share of the CRF in a step")
    said = notes(options)
    print(*said, sep="\n")
    settings = {**options.as_settings(), "notes": said}
    write_results("training", settings, [*rows, *shares], options.output_dir)
    if can_plot():
        plot_ratios(rows, options.output_dir / "training.png", what="training")
    else:
        print(MISSING)


if __name__ == "__main__":
    run_as_command(main)
