"""What a recipe can say beside the `TrainingArguments` of transformers. Imports nothing heavy: help needs it."""

from dataclasses import dataclass, field


@dataclass
class TokenClassificationArguments:
    """Data and model of a token classifier."""

    reader: str = field(default="klue-ner", metadata={"help": "Format of the data: klue-ner or inline-marks."})
    data_dir: str | None = field(default=None, metadata={"help": "Folder with the data files."})
    model_type: str = field(default="bilstm_crf", metadata={"help": "Architecture: bilstm_crf."})
    tokenizer: str = field(
        default="syllables",
        metadata={
            "help": "syllables (built from the training text), or a fast tokenizer: its name on the Hub or its folder."
        },
    )
    tokenizer_min_frequency: int = field(
        default=2, metadata={"help": "How often a character must occur to be in the vocabulary of syllables."}
    )
    name_replacement_copies: int = field(
        default=0, metadata={"help": "How many copies of the training set, with other names in them, are added to it."}
    )
    name_replacement_probability: float = field(
        default=0.5, metadata={"help": "With what probability a name of such a copy is replaced by another."}
    )
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "Stop after so many evaluations without a better result."}
    )
    early_stopping_threshold: float = field(default=0.0, metadata={"help": "What counts as a better result."})
    overwrite: bool = field(default=False, metadata={"help": "Delete the run that output_dir holds already."})
