"""Make a finished run the model of the package for its task: small, with card, recipe and report, and without code.

python -m malmoi.hub_cards.bundle runs/klue-ner-bi-lstm-crf

Weights are stored in half precision, and computed with in single precision as before; the model that comes out must
answer as the run does, and a body, which answers nothing, must have the same hidden states but for what rounding
explains. A model that answers gets a graph, too, by which it gives the same answers without torch. What is trained on
data whose licence binds those who use the weights is refused.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import jinja2
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers.utils import logging

from malmoi.data.json_object import read_json_object
from malmoi.data.readers.inline_marks import read_inline_marks
from malmoi.data.standard_streams import write_utf8
from malmoi.data.text_lines import read_lines
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import whole_folder
from malmoi.hub_cards.bundled_graph import write_graph
from malmoi.hub_cards.card import render_card
from malmoi.hub_cards.corpus import Corpus, corpus_of
from malmoi.hub_cards.run_facts import RunFacts, read_facts
from malmoi.hub_cards.staging import RECIPE, recipe_of
from malmoi.inference.bundled_models import bundled_name
from malmoi.inference.classifier import Classifier
from malmoi.inference.engine_choice import ONNX, TORCH
from malmoi.inference.loading import LANGUAGE_MODEL, load_model
from malmoi.inference.model_folder import TOKENIZER, check_model_folder
from malmoi.inference.spacer import Spacer
from malmoi.inference.tagger import Tagger
from malmoi.inference.weights_header import WEIGHTS
from malmoi.models import FOLDER
from malmoi.reports.report import write_report
from malmoi.training.processes.launcher import leave

LICENSES = ("apache-2.0", "cc-by-4.0", "cc-by-sa-4.0", "cc0-1.0", "mit")
"""Of weights that may come with the package: whoever installs it may use them for anything."""
MOST_BYTES = 13_500_000
"""How large the folder of a model may be."""
KEPT_PARAMETERS = "crf."
"""Parameters that are added up over a whole sentence, and few: they keep their precision."""
MOST_DIFFERENCE = 2**-8
"""How far a hidden state of a body, which lies from -1 to 1, may move.

Half precision rounds every weight by up to 2**-11 of itself, and what an LSTM remembers adds such errors up: to about
2**-10 in trained bodies. Weights that half precision cannot hold, or another rounding of them, go beyond the bound.
"""
ABOUT_CODE = ("auto_map", "custom_pipelines")
"""Keys of a configuration that name files of code, of which there are none."""


def bundle(
    run: str | Path,
    *,
    texts: Sequence[str] | None = None,
    other_seeds: Sequence[str | Path] = (),
    corpus: str | None = None,
    output_dir: str | Path | None = None,
    half: bool = True,
) -> Path:
    """Write the folder of a model of the package, in the place of the one that is there, and return it.

    Args:
        run: Folder of a finished run.
        texts: Texts that must be answered as by the run, beside the examples of its report; by default none, but the
            sample sentences of this package for a body.
        other_seeds: Runs of the same recipe with other seeds; the card gives mean and spread.
        corpus: Name or file of the training data's description, where the reader does not tell.
        output_dir: Where to; by default the place of the model in the package that is installed.
        half: Whether the weights are stored in half precision.

    Raises:
        UserError: If the run is not finished, its data forbid it, a text is answered otherwise, or the folder would
            be too large; what was there is still there then.
    """
    run = Path(run)
    facts = read_facts(run, [*map(Path, other_seeds)])
    described = corpus_of(facts.report, corpus)
    _check_license(described)
    check_model_folder(run)
    target = FOLDER / facts.task if output_dir is None else Path(output_dir)
    if target.exists() and not (target / RECIPE).is_file():
        raise UserError(f"{target}: expected no folder, or one that holds a model of the package.")
    with whole_folder(target, replaces=True) as made:
        _write_model(run, made, half=half)
        if facts.task == LANGUAGE_MODEL:
            _check_states(run, made, [*facts.examples, *(_sample_sentences() if texts is None else texts)])
        else:
            write_graph(made)
            _check_answers(run, made, facts.task, [*facts.examples, *(texts or ())])
        _write_papers(facts, described, made)
        size = sum(path.stat().st_size for path in made.iterdir())
        if size > MOST_BYTES:
            raise UserError(f"{run}: its folder would have {size:,} bytes, more than the {MOST_BYTES:,} of a model.")
    return target


def _check_license(corpus: Corpus) -> None:
    if corpus.weights_license not in LICENSES:
        name = corpus.weights_license_name or corpus.weights_license
        raise UserError(
            f"Weights that are trained on {corpus.name} have the licence {name} and cannot come with the package; "
            f"expected one of {', '.join(LICENSES)}."
        )


def _write_model(run: Path, folder: Path, *, half: bool) -> None:
    """Write configuration, weights and tokenizer."""
    config = read_json_object(run / "config.json")
    # what the model computes in; otherwise it would be what is stored
    config = {key: value for key, value in config.items() if key not in ABOUT_CODE} | {"dtype": "float32"}
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    weights = load_file(run / WEIGHTS)
    if half:
        weights = {
            name: tensor.half() if tensor.dtype == torch.float32 and KEPT_PARAMETERS not in name else tensor
            for name, tensor in weights.items()
        }
        too_large = [name for name, tensor in weights.items() if tensor.dtype == torch.half and tensor.isinf().any()]
        if too_large:
            raise UserError(
                f"{run}: half precision cannot hold {too_large[0]}; --full_precision stores the weights as they are."
            )
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    for name in (TOKENIZER, "tokenizer_config.json"):
        shutil.copyfile(run / name, folder / name)


def _check_answers(run: Path, made: Path, task: str, texts: Sequence[str]) -> None:
    """Check that texts are answered as before, their probabilities aside, with torch and by the graph.

    Raises:
        UserError: If not; it shows one.
    """
    before, after, by_graph = (
        _answers(model, task, texts, engine) for model, engine in ((run, TORCH), (made, TORCH), (made, ONNX))
    )
    other = [text for text, expected, found in zip(texts, before, after) if expected != found]
    if other:
        raise UserError(
            f"{run}: in half precision {len(other)} of {len(texts)} texts are answered otherwise, {other[0]!r} for "
            "one; --full_precision stores the weights as they are."
        )
    other = [text for text, expected, found in zip(texts, after, by_graph) if expected != found]
    if other:
        raise UserError(
            f"{run}: by its graph {len(other)} of {len(texts)} texts are answered otherwise, {other[0]!r} for one."
        )


def _answers(model: Path, task: str, texts: Sequence[str], engine: str) -> list[object]:
    """Return what a model says of each text, without probabilities."""
    if task == Tagger.task:
        tagger = Tagger(model, engine=engine)
        return [[(entity.start, entity.end, entity.label) for entity in found] for found in tagger(texts)]
    if task == Spacer.task:
        return [spaced.text for spaced in Spacer(model, engine=engine)(texts)]
    return [found.label for found in Classifier(model, engine=engine)(texts)]


def _sample_sentences() -> list[str]:
    return [text for rows in read_inline_marks(None).values() for text in rows["text"]]


def _check_states(run: Path, made: Path, texts: Sequence[str]) -> None:
    """Check that the hidden states of a body are as before on all texts, but for what half precision explains.

    Raises:
        UserError: If not; it shows the text where they differ most.
    """
    differences = [
        float((before - after).abs().nan_to_num(nan=torch.inf).max())
        for before, after in zip(_states(run, texts), _states(made, texts))
    ]
    most, text = max(zip(differences, texts))
    if most > MOST_DIFFERENCE:
        raise UserError(
            f"{run}: in half precision a hidden state of {text!r} differs by {most:.4f}, more than the "
            f"{MOST_DIFFERENCE:.4f} that rounding explains; --full_precision stores the weights as they are."
        )


@torch.no_grad()
def _states(body: Path, texts: Sequence[str]) -> list[Tensor]:
    """Return the hidden states of each text, `(tokens, hidden_size)`."""
    model, tokenizer = load_model(body, LANGUAGE_MODEL)
    return [model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0] for text in texts]


def _write_papers(facts: RunFacts, corpus: Corpus, folder: Path) -> None:
    """Write report, recipe and card."""
    write_report({**facts.report, **({"other_seeds": facts.repetitions} if facts.repetitions else {})}, folder)
    (folder / RECIPE).write_text(recipe_of(facts), encoding="utf-8")
    try:
        card = render_card(facts._replace(folder=folder), corpus, bundled_name(facts.task))
    except (jinja2.UndefinedError, KeyError) as error:
        raise UserError(f"{facts.folder}/report.json: the card needs a value that is not there ({error}).") from None
    card.save(folder / "README.md")


def argument_parser() -> argparse.ArgumentParser:
    """Return what understands the arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m malmoi.hub_cards.bundle",
        description="Make a finished run the model of the package for its task.",
        allow_abbrev=False,
    )
    parser.add_argument("run", help="folder of a finished run")
    parser.add_argument(
        "--texts",
        type=Path,
        help="file of texts, one per line, that must be answered as by the run; for a body the sample sentences "
        "unless given",
    )
    parser.add_argument("--corpus", help="what the training data are: a known name or a YAML file")
    parser.add_argument(
        "--other_seed",
        dest="other_seeds",
        type=Path,
        action="append",
        default=[],
        help="run of the same recipe with another seed; repeatable",
    )
    parser.add_argument("--output_dir", type=Path, help="where to; by default its place in the package")
    parser.add_argument("--full_precision", action="store_true", help="store the weights as they are")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Bundle what the arguments name, and say where it is."""
    options = argument_parser().parse_args(argv)
    logging.disable_progress_bar()
    texts = None if options.texts is None else [line for _, line in read_lines(options.texts)]
    folder = bundle(
        options.run,
        texts=texts,
        other_seeds=options.other_seeds,
        corpus=options.corpus,
        output_dir=options.output_dir,
        half=not options.full_precision,
    )
    for path in sorted(folder.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path}")


if __name__ == "__main__":
    write_utf8()
    try:
        main()
    except (UserError, OSError) as error:  # OSError: a folder that may not be written to, a full disk
        leave(f"malmoi: {error}", 2)
    except KeyboardInterrupt:
        sys.exit(130)
