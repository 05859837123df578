"""`malmoi serve`."""

from collections.abc import Sequence
from importlib.util import find_spec

from transformers.utils import logging

from malmoi.data.user_error import UserError
from malmoi.hub_cards.space.loaded_models import load_models
from malmoi.hub_cards.space.model_list import ListedModel

HOST = "127.0.0.1"  # nobody but the user of this machine


def serve_models(models: Sequence[str], *, port: int, trust_remote_code: bool) -> None:
    """Serve models on a page in the browser, side by side, until interrupted."""
    if find_spec("gradio") is None:
        raise UserError("`malmoi serve` needs gradio: pip install 'malmoi[space]'")
    logging.disable_progress_bar()
    listed = [ListedModel(name=model, trust_remote_code=trust_remote_code) for model in models]
    loaded = load_models(listed)
    from malmoi.hub_cards.space.interface import launch

    launch(loaded, host=HOST, port=port)
