"""Write a model as a folder that answers without torch: `model.onnx`, and what reads texts for it."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from malmoi.data.longest_input import longest_input
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import whole_folder
from malmoi.export.browser_page import check_runtime, write_page
from malmoi.export.exported_card import exported_card
from malmoi.export.graph import build_graph, tie_to_tokenizer
from malmoi.export.int8 import quantize
from malmoi.export.parity import TOLERANCE, Parity, compare
from malmoi.inference.bundled_models import model_place
from malmoi.inference.exported_folder import GRAPH, MAX_LENGTH_KEY
from malmoi.inference.loading import TASK_KEY, load_model, task_of
from malmoi.inference.model_folder import TOKENIZER

OF_CODE = ("auto_map", "custom_pipelines")
"""What in a configuration names code that comes with the model; none comes with a graph."""
CARD = "README.md"
LICENSES = ("LICENSE", "LICENSE.txt")


class Exported(NamedTuple):
    """What was written."""

    sizes: dict[str, int]
    """Bytes of each file, by its name."""
    parity: Parity
    """How its graph answers, beside the model."""


def export_model(
    model: str | Path,
    folder: str | Path,
    *,
    sentences: Iterable[str],
    int8: bool = False,
    page: Path | None = None,
    trust_remote_code: bool = False,
    revision: str | None = None,
) -> Exported:
    """Write a model as a folder with a graph, if this answers as the model does.

    Args:
        model: A folder, the name of a repository on the Hub, or that of a model of the package.
        folder: The folder; it does not exist, or is empty.
        sentences: The sentences on which both are compared.
        int8: Whether the LSTM gets weights of 8 bits. What answers differ then is told, not refused.
        page: The folder of onnxruntime-web, if a page is to lie beside the graph that runs it in the browser.
        trust_remote_code: Whether code that comes with the model may run. Our own architectures do not need it.
        revision: Branch, tag or commit of the repository.

    Raises:
        UserError: If the model cannot be loaded, there is no graph for such a model, the graph answers otherwise, no
            sentence shows how it answers, the page cannot run it, or something is in the folder. Nothing is left
            behind then.
    """
    folder, texts = Path(folder), list(sentences)
    check_target(folder)
    if page is not None:
        check_runtime(page)
    loaded = load_model(model, None, trust_remote_code=trust_remote_code, revision=revision)
    network, tokenizer = loaded.model.float(), loaded.tokenizer
    longest = longest_input(network.config, tokenizer)
    graph = build_graph(network, longest=longest)
    parity = compare(network, tokenizer, graph, texts)
    if not parity.answers:
        raise UserError(f"{model}: nothing was written, as there is no sentence on which the graph could be checked.")
    if not parity.holds:
        raise UserError(
            f"{model}: nothing was written, as the graph would answer otherwise: {parity.different} of "
            f"{parity.answers} answers are others, and probabilities differ by up to {parity.largest:.1e}, where "
            f"{TOLERANCE} is allowed."
        )
    if int8:
        graph = quantize(graph)
        parity = compare(network, tokenizer, graph, texts)
    config = {name: value for name, value in network.config.to_diff_dict().items() if name not in OF_CODE}
    # what follows from more than this file, or is left out of it where it is the default of transformers
    config |= {"id2label": network.config.id2label, TASK_KEY: task_of(network.config), MAX_LENGTH_KEY: longest}
    with whole_folder(folder) as written:
        tokenizer.save_pretrained(written)
        tie_to_tokenizer(graph, (written / TOKENIZER).read_bytes())
        place = Path(model_place(model))
        for name in LICENSES:
            if (place / name).is_file():
                shutil.copyfile(place / name, written / name)
        if (place / CARD).is_file():
            card = exported_card((place / CARD).read_text(encoding="utf-8", errors="replace"), int8=int8)
            (written / CARD).write_text(card, encoding="utf-8")
        (written / GRAPH).write_bytes(graph.SerializeToString())
        (written / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if page is not None:
            write_page(written, page, name=model)
    return Exported({path.name: path.stat().st_size for path in sorted(folder.iterdir())}, parity)


def check_target(folder: Path) -> None:
    """Check that a folder can be written.

    Raises:
        UserError: If something is there already.
    """
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise UserError(f"{folder}: expected a folder that does not exist, or is empty.")
