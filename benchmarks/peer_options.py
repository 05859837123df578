"""What can be said on the command line to every measurement beside peers."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from malmoi.benchmarks.benchmark_data import describe_source
from malmoi.benchmarks.measurement import RESULTS, machine_line
from malmoi.benchmarks.peers import bert, flair_tagger, s1_loop
from malmoi.benchmarks.peers.flair_tagger import HOW_TO_GET_IT
from malmoi.data.user_error import UserError

RANDOM_WEIGHTS = "BERT has random weights: how long it takes does not depend on them."


@dataclass(frozen=True)
class PeerOptions:
    """What is measured, on what, and how often; the command line describes each."""

    data_dir: Path | None = None
    peers: tuple[str, ...] = ("s1", "bert", "body", "flair")
    sentences: int = 512
    bert_sentences: int = 32
    rounds: int = 5
    threads: int = 2
    flair_python: Path = flair_tagger.PYTHON
    vocab_size: int = s1_loop.VOCAB_SIZE
    bert_layers: int = bert.NUM_LAYERS
    bert_hidden: int = bert.HIDDEN_SIZE
    output_dir: Path = RESULTS

    def __post_init__(self) -> None:
        for name in ("sentences", "bert_sentences", "rounds", "threads", "vocab_size", "bert_layers", "bert_hidden"):
            if getattr(self, name) < 1:
                raise UserError(f"`--{name}` must be at least 1, got {getattr(self, name)}.")

    @property
    def has_flair(self) -> bool:
        """Whether there is an environment with flair."""
        return self.flair_python.exists()

    @property
    def measured_peers(self) -> tuple[str, ...]:
        """The peers that were asked for, without flair if it is not there."""
        return tuple(peer for peer in self.peers if peer != "flair" or self.has_flair)

    @property
    def bert_name(self) -> str:
        """What the BERT beside ours is called."""
        if (self.bert_layers, self.bert_hidden) == (bert.NUM_LAYERS, bert.HIDDEN_SIZE):
            return "BERT-base"
        return f"BERT, {self.bert_layers} layers of {self.bert_hidden}"

    def as_settings(self) -> dict[str, object]:
        """Return what belongs beside results; where things lie does not."""
        return {
            "sentences": self.sentences,
            "sentences for BERT": self.bert_sentences,
            "rounds": self.rounds,
            "threads": self.threads,
            "rows of the embedding tables of S1 and BERT": self.vocab_size,
            "layers of BERT": self.bert_layers,
            "width of BERT": self.bert_hidden,
        }


def parse_peer_options(argv: Sequence[str], description: str | None) -> PeerOptions:
    """Read the command line.

    Args:
        argv: The arguments.
        description: What `--help` begins with.

    Raises:
        UserError: If a number is less than one.
    """
    default = PeerOptions()
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, help="folder with KLUE NER; without it the sample corpus is taken")
    parser.add_argument(
        "--peers", nargs="+", choices=default.peers, default=default.peers, help="whom to compare with"
    )
    numbers = {
        "sentences": "sentences that are trained on or tagged in a round",
        "bert_sentences": "the same for BERT, which needs longest; their lengths are spread like those of all",
        "rounds": "how often each candidate is timed",
        "threads": "threads of torch, for all candidates alike",
        "vocab_size": "rows of the embedding tables of S1, with ours beside it, and of BERT",
        "bert_layers": "layers of BERT",
        "bert_hidden": "width of BERT",
    }
    for name, meaning in numbers.items():
        parser.add_argument(
            f"--{name}", type=int, default=getattr(default, name), help=f"{meaning}; by default %(default)s"
        )
    parser.add_argument("--flair_python", type=Path, default=default.flair_python, help="Python that has flair")
    parser.add_argument("--output_dir", type=Path, default=default.output_dir, help="folder for JSON and plot")
    given = vars(parser.parse_args(argv))
    return PeerOptions(**given | {"peers": tuple(given["peers"])})


def notes(options: PeerOptions) -> list[str]:
    """Return what has to be said below a table."""
    return [
        f"{options.sentences:,} sentences a round from {describe_source(options.data_dir)}, repeated where it has "
        f"fewer. In brackets: quartiles over {options.rounds} rounds.",
        *([RANDOM_WEIGHTS] if {"bert", "body"} & {*options.peers} else []),
        *([HOW_TO_GET_IT] if options.measured_peers != options.peers else []),
        machine_line(),
    ]
