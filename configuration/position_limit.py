"""How many tokens an encoder of transformers reads at once.

Written by malmoi 0.1.0 into every saved encoder with a CRF.
"""

from typing import Any

# These count positions from `pad_token_id + 1`, so `max_position_embeddings` is greater than what they can read.
POSITIONS_AFTER_PADDING = (
    "camembert",
    "data2vec-text",
    "ibert",
    "longformer",
    "luke",
    "mpnet",
    "roberta",
    "roberta-prelayernorm",
    "xlm-roberta",
    "xlm-roberta-xl",
    "xmod",
)


def position_limit(config: Any) -> int | None:
    """Return how many tokens a model with this configuration reads at once, special ones included; `None` for any."""
    limit = getattr(config, "max_position_embeddings", None)
    if limit is None or limit < 1:  # XLNet says -1 for no limit
        return None
    return int(limit - config.pad_token_id - 1 if config.model_type in POSITIONS_AFTER_PADDING else limit)
