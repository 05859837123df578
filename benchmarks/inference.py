"""Measure how fast names are found in texts, ours beside peers, in turns: many texts, and one text at a time.

python -m malmoi.benchmarks.inference --data_dir DIR

- S1: the architecture of a write-up (see `peers/s1_loop.py`), tagged its way (every text padded to 128, pytorch-crf)
  and ours.
- BERT: a token classifier of BERT-base size, padded to the longest of the batch, beside our recipe
  `klue-ner-bi-lstm-crf`.
  Once more as an exported graph with weights of 8 bits, which needs no torch.
- body: the same beside `klue-ner-from-body`, which has the language model of the package as its body.
- flair: its BiLSTM-CRF of equal sizes on the same syllables, in a process of its own (see `peers/flair_tagger.py`).

What is timed, for everyone: from texts to the names in them, tokenizing and finding names included, in batches of 32.
Ours is `malmoi tag`: batches of similar length, and a probability for every name. flair sorts by length too; it gets
a text as a list of characters. S1 and BERT take texts as they come. A single text is one of eight whose lengths are
spread like those of all; the time is the mean over them.

All but BERT are trained for an epoch before: a tagger that knows nothing finds names everywhere, and that takes time.

Times on a machine that others use too mean little; what counts are ratios of times of one round.
"""

from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from malmoi.benchmarks.benchmark_data import read_data, take, typical
from malmoi.benchmarks.measurement import (
    Elapsed,
    print_table,
    ratio,
    run_as_command,
    set_threads,
    time_alternately,
    write_results,
)
from malmoi.benchmarks.our_training import OurTraining
from malmoi.benchmarks.peer_options import PeerOptions, notes, parse_peer_options
from malmoi.benchmarks.peers import bert, s1_loop
from malmoi.benchmarks.peers.flair_tagger import FlairTagger, flair_sentences
from malmoi.benchmarks.ratio_plot import plot_ratios
from malmoi.benchmarks.training import BESIDE_BERT, flair_sized_training, s1_training
from malmoi.inference.tagger import Tagger
from malmoi.reports.plots import MISSING, can_plot

GOALS = {"s1": None, "bert": 100, "body": 70, "flair": 5}
SINGLE_TEXTS = 8
CHECKED = 20
"""Texts on which an exported graph is compared with its model."""
BATCH_SIZE = 32
Row = dict[str, object]
Rows = list[Row]
Tag = Callable[[Sequence[int], int], object]
"""Tags the texts with these numbers in batches of this size."""


def texts_of(options: PeerOptions) -> list[str]:
    """Return the texts that are tagged: those of the validation set."""
    return [str(text) for text in take(read_data(options.data_dir)["validation"], options.sentences)["text"]]


def our_tag(training: OurTraining, texts: Sequence[str]) -> Tag:
    """Train for an epoch, save, load, and return our way to tag."""
    training.epoch()
    tagger = Tagger(training.save("tagger"), device="cpu")
    return lambda numbers, batch_size: list(tagger.tag([texts[number] for number in numbers], batch_size=batch_size))


def our_exported_tag(training: OurTraining, texts: Sequence[str]) -> Tag:
    """Return our way to tag without torch, with weights of 8 bits, of what is trained already."""
    from malmoi.export.exported_model import export_model

    folder = Path(training.folder.name) / "exported"
    export_model(training.save("trained"), folder, sentences=texts[:CHECKED], int8=True)
    tagger = Tagger(folder)
    return lambda numbers, batch_size: list(tagger.tag([texts[number] for number in numbers], batch_size=batch_size))


def compare_s1(options: PeerOptions, texts: Sequence[str]) -> tuple[Rows, Rows]:
    """Return the comparison with S1's way to tag."""
    with s1_training(options) as ours:
        tokenizer, labels = ours.tokenizer, ours.labels
        tokens = {"padding": tokenizer.pad_token_id or 0, "outside": labels.index("O")}
        model = s1_loop.S1Tagger(len(labels), vocab_size=options.vocab_size)
        s1_loop.S1Loop(model, s1_loop.pad_sentences(ours.features, **tokens)).epoch()

        def of_peer(numbers: Sequence[int], batch_size: int) -> object:
            return s1_loop.tag(model, tokenizer, [texts[number] for number in numbers], labels, batch_size=batch_size)

        return _compare(options, "s1", {"S1's architecture": our_tag(ours, texts)}, of_peer, texts, "S1")


def compare_bert(options: PeerOptions, texts: Sequence[str], key: str) -> tuple[Rows, Rows]:
    """Return the comparison of a recipe with BERT."""
    name, training = BESIDE_BERT[key]
    with s1_training(options) as classic:
        tokenizer, labels = classic.tokenizer, classic.labels
    sizes = {"vocab_size": options.vocab_size, "num_layers": options.bert_layers, "hidden_size": options.bert_hidden}
    model = bert.build_bert(len(labels), **sizes)

    def of_peer(numbers: Sequence[int], batch_size: int) -> object:
        return bert.tag(model, tokenizer, [texts[number] for number in numbers], labels, batch_size=batch_size)

    with training(options) as ours:
        ways = {name: our_tag(ours, texts)}
        if can_export():
            ways[f"{name}, exported, 8 bits"] = our_exported_tag(ours, texts)
        return _compare(options, key, ways, of_peer, texts, options.bert_name)


def compare_flair(options: PeerOptions, texts: Sequence[str]) -> tuple[Rows, Rows]:
    """Return the comparison with flair."""
    splits = read_data(options.data_dir)
    learned = flair_sentences(take(splits["train"], options.sentences))
    tagged = flair_sentences(take(splits["validation"], options.sentences))
    with (
        flair_sized_training(options) as ours,
        FlairTagger(learned + tagged, threads=options.threads, python=options.flair_python) as flair,
    ):
        flair.train()

        def of_peer(numbers: Sequence[int], batch_size: int) -> object:
            return flair.tag([len(learned) + number for number in numbers], batch_size=batch_size)

        name = f"flair {flair.description['flair']}"
        return _compare(options, "flair", {"equal sizes": our_tag(ours, texts)}, of_peer, texts, name)


def can_export() -> bool:
    """Tell whether what makes exported models is installed."""
    return all(find_spec(name) is not None for name in ("onnx", "onnxruntime", "spox"))


def _compare(
    options: PeerOptions, peer: str, ways: dict[str, Tag], of_peer: Tag, texts: Sequence[str], peer_name: str
) -> tuple[Rows, Rows]:
    """Return, for each of our ways to tag, a row for many texts, and one for a text at a time."""
    everything = range(len(texts))
    lengths = [len(text) for text in texts]
    counted = typical(everything, lengths, options.bert_sentences) if peer in BESIDE_BERT else everything
    single = typical(everything, lengths, SINGLE_TEXTS)
    many = time_alternately(
        {
            **{name: partial(tag, everything, BATCH_SIZE) for name, tag in ways.items()},
            peer_name: partial(of_peer, counted, BATCH_SIZE),
        },
        rounds=options.rounds,
    )
    one = time_alternately(
        {name: partial(one_by_one, tag, single) for name, tag in {**ways, peer_name: of_peer}.items()},
        rounds=options.rounds,
    )
    return (
        [
            {
                "tagging": name,
                "texts/s": many[name].rate(len(everything)),
                "beside": peer_name,
                "its texts/s": many[peer_name].rate(len(counted)),
                "ratio": ratio(many[peer_name].per(len(counted)), many[name].per(len(everything))),
                "goal": GOALS[peer],
            }
            for name in ways
        ],
        [
            {
                "tagging": f"{name}, one text",
                "a text": one[name].per(len(single)),
                "beside": peer_name,
                "its text": one[peer_name].per(len(single)),
                "ratio": ratio(one[peer_name], one[name]),
            }
            for name in ways
        ],
    )


def one_by_one(tag: Tag, numbers: Sequence[int]) -> object:
    """Tag one text after the other; return the summed time if the tagger takes it itself."""
    answers = [tag([number], 1) for number in numbers]
    timed = [answer for answer in answers if isinstance(answer, Elapsed)]
    return Elapsed(sum(timed)) if timed else answers


COMPARISONS: dict[str, Callable[[PeerOptions, Sequence[str]], tuple[Rows, Rows]]] = {
    "s1": compare_s1,
    "bert": partial(compare_bert, key="bert"),
    "body": partial(compare_bert, key="body"),
    "flair": compare_flair,
}


def measure(options: PeerOptions) -> tuple[Rows, Rows]:
    """Return the rows of both tables."""
    set_threads(options.threads)
    texts = texts_of(options)
    compared = [COMPARISONS[peer](options, texts) for peer in options.measured_peers]
    return [row for many, _ in compared for row in many], [row for _, one in compared for row in one]


def main(argv: list[str]) -> None:
    """Measure, print two tables, write them as JSON and draw the ratios."""
    options = parse_peer_options(argv, __doc__)
    many, one = measure(options)
    print_table(many, title=f"Tagging many texts, in batches of {BATCH_SIZE}")
    print_table(one, title="Tagging one text at a time")
    said = notes(options)
    print(*said, sep="\n")
    write_results("inference", {**options.as_settings(), "notes": said}, [*many, *one], options.output_dir)
    if can_plot():
        plot_ratios([*many, *one], options.output_dir / "inference.png", what="tagging")
    else:
        print(MISSING)


if __name__ == "__main__":
    run_as_command(main)
