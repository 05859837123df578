"""The card of an exported folder: that of the model that it was made from, which says so."""

import re
from typing import Any

import yaml

HEAD = re.compile(r"---\n(|.*?\n)---(?:\n|\Z)", re.DOTALL)
OF_MODEL = ("library_name", "model-index", "base_model")
"""What the head of a card says of the model alone: how it is loaded, and figures, which the Hub shows."""


def exported_card(card: str, *, int8: bool) -> str:
    """Return the card of an exported folder.

    Args:
        card: That of the model.
        int8: Whether its LSTM has weights of 8 bits, with which some answers differ.
    """
    found = HEAD.match(card)
    try:
        head: Any = yaml.safe_load(found[1]) if found else None
    except yaml.YAMLError:
        head = None
    weights = ", its LSTM with weights of 8 bits, by which some answers differ" if int8 else ""
    note = (
        f"> This folder holds the graph that `malmoi export` made of the model below{weights}. malmoi answers with it "
        "without torch; transformers cannot load it. What is said of files, sizes and figures is said of the "
        "model.\n\n"
    )
    if found is None or not isinstance(head, dict):
        return note + card
    kept = {key: value for key, value in head.items() if key not in OF_MODEL}
    written = yaml.safe_dump({**kept, "library_name": "onnx"}, allow_unicode=True, sort_keys=False)
    return f"---\n{written}---\n\n{note}{card[found.end() :].lstrip()}"
