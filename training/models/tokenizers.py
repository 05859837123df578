"""From a recipe to a tokenizer."""

from collections.abc import Iterable

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from malmoi.data.character_tokenizer import without_invisible
from malmoi.data.syllable_tokenizer import build_syllable_tokenizer
from malmoi.data.user_error import UserError
from malmoi.data.wordpiece_tokenizer import build_wordpiece_tokenizer
from malmoi.inference.model_names import check_name, without_waiting_for_the_hub
from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import RecipeError


def load_tokenizer(arguments: RecipeArguments, texts: Iterable[str]) -> PreTrainedTokenizerBase:
    """Build a tokenizer from the training texts, or load the one that is named; invisible characters are no tokens.

    Raises:
        RecipeError: If it can neither be found in a folder nor fetched from the Hub, or no character of the texts is
            frequent enough to be in a vocabulary.
    """
    name = arguments.tokenizer or arguments.model_name_or_path or "syllables"
    if name == "syllables":
        try:
            return build_syllable_tokenizer(texts, min_frequency=arguments.tokenizer_min_frequency)
        except UserError as error:
            least = arguments.tokenizer_min_frequency
            if least == 1:
                raise
            raise RecipeError(
                f"{str(error).rstrip('.')}, as `tokenizer_min_frequency: {least}` asks for; give a smaller one: "
                "with 1 all characters are in the vocabulary."
            ) from None
    if name == "wordpiece":
        return build_wordpiece_tokenizer(texts, vocab_size=arguments.tokenizer_vocab_size)
    check_training_name(name, flag="tokenizer" if arguments.tokenizer else "model_name_or_path")
    try:
        with without_waiting_for_the_hub(name):
            # a tokenizer needs no code of its own, so nothing is asked
            tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"The tokenizer {name!r} is in no such folder and could not be fetched from the Hub "
            f"({type(error).__name__}). Connect to the network, or give a folder or `syllables` by --tokenizer."
        ) from error
    if not tokenizer.is_fast:
        raise RecipeError(f"The tokenizer {name!r} gives no character offsets; a fast tokenizer is needed.")
    return without_invisible(tokenizer)


def check_training_name(name: str, *, flag: str) -> None:
    """Check that a tokenizer or encoder of a recipe is a folder, or can be a repository on the Hub.

    Args:
        name: The folder or the name.
        flag: The key of the recipe that names it.

    Raises:
        RecipeError: If it means a place here in which there is no folder.
    """
    try:
        check_name(name)
    except UserError as error:
        raise RecipeError(f"--{flag} {error}") from None
