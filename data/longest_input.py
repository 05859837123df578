"""How many tokens a model of transformers reads at once."""

from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from malmoi.configuration.position_limit import position_limit
from malmoi.modeling.name_edges import UNLIMITED


def longest_input(config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int | None:
    """Return how many tokens a model reads at once, special ones included; `None` if there is no limit."""
    limit = position_limit(config.encoder_config if config.model_type == "encoder_crf" else config)
    of_tokenizer = None if tokenizer.model_max_length >= UNLIMITED else tokenizer.model_max_length
    return min((length for length in (limit, of_tokenizer) if length is not None), default=None)
