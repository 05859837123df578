"""Put a page beside an exported tagger that runs it in the browser, from any server of static files.

The page and its scripts are ours; what runs the graph are three files of onnxruntime-web, which are copied beside it.
"""

import json
import re
import shutil
from importlib.resources import files
from pathlib import Path

from malmoi.data.label_scheme import read_label_scheme
from malmoi.data.user_error import UserError
from malmoi.export.exported_card import HEAD
from malmoi.inference.exported_folder import ExportedFolder, read_exported_folder

RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
"""What is needed of onnxruntime-web."""
INSIDE = ("", "dist", "package/dist", "node_modules/onnxruntime-web/dist")
"""Where in a folder these may lie: `npm pack` and `npm install` leave them in different ones."""
SCRIPTS = ("index.html", "name_edges.js", "page.css", "page.js", "tagger.js", "tokenizer.js", "words.js")
CARD = "README.md"
OF_SPACE = {"title": "malmoi", "sdk": "static", "app_file": "index.html"}
"""What the head of a README says of a Space that shows the page."""


def check_runtime(folder: Path) -> Path:
    """Return where in a folder the files of onnxruntime-web lie.

    Args:
        folder: What `npm pack onnxruntime-web` unpacks to, or where `npm install onnxruntime-web` was run.

    Raises:
        UserError: If they lie nowhere there.
    """
    for inside in INSIDE:
        if all((folder / inside / name).is_file() for name in RUNTIME):
            return folder / inside
    raise UserError(
        f"{folder}: expected {', '.join(RUNTIME)} of onnxruntime-web there; `npm pack onnxruntime-web` and `tar xzf` "
        "of what it fetches give them."
    )


def check_for_page(folder: Path, *, name: str | Path | None = None) -> None:
    """Check that the page can run an exported model.

    Args:
        folder: The folder of the model.
        name: What the model is called where that is not its folder.

    Raises:
        UserError: If not; it says why.
    """
    name = folder if name is None else name
    read = read_exported_folder(folder, "named-entities", name=name)
    reason = _why_not(read)
    if reason is not None:
        raise UserError(f"{name}: the page runs taggers of syllables with labels B-X, I-X and O; {reason}.")


def _why_not(read: ExportedFolder) -> str | None:
    tokenizer = json.loads(read.tokenizer.to_str())
    if tokenizer["model"]["type"] != "WordLevel" or tokenizer["pre_tokenizer"].get("type") != "Split":
        return f"the tokens of this one are those of {tokenizer['model']['type']}"
    if read.max_length is not None:
        return f"this one reads {read.max_length} tokens at once"
    if not read_label_scheme(list(read.labels.values())).is_bio:
        return f"this one has the labels {', '.join(read.labels.values())}"
    return None


def write_page(folder: Path, runtime: Path, *, name: str | Path | None = None) -> None:
    """Put the page beside an exported tagger.

    Args:
        folder: The folder of the tagger. Its README becomes that of a Space, too.
        runtime: The folder of onnxruntime-web.
        name: What the model is called where that is not its folder.

    Raises:
        UserError: If the page cannot run the model, or the runtime does not lie there.
    """
    source = check_runtime(runtime)
    check_for_page(folder, name=name)
    for file in RUNTIME:
        shutil.copyfile(source / file, folder / file)
    for file in SCRIPTS:
        (folder / file).write_bytes(files("malmoi.export.page").joinpath(file).read_bytes())
    style = files("malmoi.reports").joinpath("page_base.css").read_bytes()
    (folder / "page_base.css").write_bytes(style)
    card = folder / CARD
    written = card.read_text(encoding="utf-8") if card.is_file() else ""
    card.write_text(_card_of_space(written), encoding="utf-8")


def _card_of_space(card: str) -> str:
    """Return a card whose head also says that it is one of a Space, whatever stands below."""
    found = HEAD.match(card)
    said, below = (found[1], card[found.end() :]) if found else ("", card)
    head = "".join(f"{key}: {value}\n" for key, value in OF_SPACE.items() if not re.search(rf"(?m)^{key}:", said))
    return f"---\n{head}{said}---\n{below}"
