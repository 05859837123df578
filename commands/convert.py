"""`malmoi convert`."""

from pathlib import Path

import typer
from transformers.utils import logging

from malmoi.commands.example_command import example_command
from malmoi.conversion.convert import Conversion, convert_checkpoint
from malmoi.data.user_error import UserError
from malmoi.inference.loading import TASK_KEY, check_labels


def convert_to_folder(checkpoint: Path, output_dir: Path, *, config: Path, tokenizer: str) -> None:
    """Convert a checkpoint, and print what came of it."""
    logging.disable_progress_bar()
    logging.set_verbosity_error()  # transformers warns of every hand-written `model_type`
    conversion = convert_checkpoint(checkpoint, output_dir, config=config, tokenizer=tokenizer)
    typer.echo("\n".join(describe(conversion)))
    task = conversion.config.to_dict()[TASK_KEY]
    typer.echo(f"\nModel, tokenizer and code are in {output_dir}. Next:\n  {example_command(task, output_dir)}")


def describe(conversion: Conversion) -> list[str]:
    """Return what is to be said of a conversion, line by line."""
    config = conversion.config
    layers = "1 layer" if config.num_hidden_layers == 1 else f"{config.num_hidden_layers} layers"
    labels = config.label_names()
    lines = [
        f"{config.model_type}: {config.vocab_size} tokens -> embeddings {config.embedding_size} -> BiLSTM "
        f"{config.hidden_size} ({layers}) -> {len(labels)} labels -> CRF; {conversion.num_parameters:,} parameters",
        f"labels: {', '.join(labels)}",
        f"checked: {len(conversion.lengths)} random sentences of {min(conversion.lengths)} to "
        f"{max(conversion.lengths)} tokens get the tags that pytorch-crf gives them with the old weights; scores "
        f"differ by {conversion.largest_difference:.0e} at most",
        "kept, so that predictions are the same:",
        "  The CRF has no constraints: an I-X may follow anything (`bio_constraints` is false).",
    ]
    if conversion.added_tokens:
        lines.append(
            f"  {' and '.join(conversion.added_tokens)} are in the CRF's chain and get tags, which no text shows "
            "(`untagged_token_ids` is empty)."
        )
    lines += [
        "not kept:",
        "  Padding and length: every text is read as if it stood alone and unpadded, and is never cut.",
    ]
    if conversion.unused_embeddings:
        lines.append(
            f"look: the tokenizer has {conversion.unused_embeddings} tokens fewer than there are embeddings; is it "
            "the one that the model was trained with?"
        )
    try:
        check_labels("look", config, str(config.to_dict()[TASK_KEY]))
    except UserError as error:
        lines.append(f"{error} `malmoi tag` and `malmoi space` will refuse them.")
    return lines
