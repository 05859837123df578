"""What configurations share: checks, labels, pipeline. Written by malmoi 0.1.0 into every saved model."""

import difflib
import functools
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from transformers import PreTrainedConfig

CRF_IMPLEMENTATIONS = ("auto", "torch", "numba", "triton", "pytorch-crf")
ELSEWHERE = dict(
    embedding_dim="embedding_size", hidden_dim="hidden_size", num_layers="num_hidden_layers", dropout="hidden_dropout"
)
Constraints = tuple[tuple[bool, ...], tuple[tuple[bool, ...], ...]]  # forbidden starts, forbidden steps


def refuse_misspelt_settings(config_class: type[PreTrainedConfig], unknown: Iterable[str]) -> None:
    """Raise for an unknown keyword that looks like a setting, or is one elsewhere; stock code would just keep it."""
    known = {field.name for field in fields(config_class)} - {field.name for field in fields(PreTrainedConfig)}
    for name in unknown:
        if match := difflib.get_close_matches(ELSEWHERE.get(name, name), known, n=1, cutoff=0.84):
            raise ValueError(f"{config_class.__name__} has no setting `{name}`; did you mean `{match[0]}`?")


class LabelSettings:
    """What configurations do with their labels, which have the ids from 0 on."""

    def __post_init__(self: Any, **kwargs: Any) -> None:
        """Let one of `id2label` and `label2id` that is given alone bring the other along."""
        try:
            names = {int(index): name for index, name in (self.id2label or {}).items()}
            ids = {int(index): name for name, index in (self.label2id or {}).items()}
        except (AttributeError, TypeError, ValueError):
            got = f"got {self.id2label!r} and {self.label2id!r}"
            raise ValueError(f"`id2label` must be like {{0: 'O'}} and `label2id` like {{'O': 0}}, {got}.") from None
        if names and ids and names != ids:
            raise ValueError(f"`id2label` and `label2id` must say the same, got {names} and {self.label2id}.")
        if names or ids:
            vars(self).update(id2label=names or ids, label2id={name: index for index, name in (names or ids).items()})
        super().__post_init__(**kwargs)  # type: ignore[misc]

    @classmethod
    def from_dict(cls: Any, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Read a configuration; where its maps differ, `id2label` counts: a script may have set it later."""
        if config_dict.get("model_type", cls.model_type) != cls.model_type:  # whose files do not come along
            config_dict = {key: config_dict[key] for key in config_dict if key not in ("auto_map", "custom_pipelines")}
        given = {key: kwargs.pop(key) for key in ("id2label", "label2id") if kwargs.get(key)}
        given = given or {key: config_dict[key] for key in ("id2label",) if config_dict.get(key)}
        both = {"id2label": None, "label2id": None} if given else {}
        return super().from_dict({**config_dict, **both, **given}, **kwargs)  # type: ignore[misc]

    def label_names(self: Any) -> list[str]:
        """Return the labels in the order of their ids, which may be numbers or, as in JSON, strings."""
        names = {int(index): str(name) for index, name in (self.id2label or {}).items()}
        if sorted(names) != [*range(len(names))] or len({*names.values()}) < len(names):
            raise ValueError(f"`id2label` must give each id from 0 to {len(names) - 1} its own label, got {names}.")
        return [names[index] for index in range(len(names))]


class LstmSettings(LabelSettings):
    """Checks of a configuration whose fields are those of the embeddings and the LSTM."""

    def validate_sizes(self: Any) -> None:
        """Check that every count and width can be built."""
        for name in ("vocab_size", "embedding_size", "hidden_size", "num_hidden_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1, got {getattr(self, name)}.")
        if self.pad_token_id is not None and self.pad_token_id not in range(self.vocab_size):
            raise ValueError(f"`pad_token_id` must be from 0 to {self.vocab_size - 1}, got {self.pad_token_id}.")
        head = getattr(self, "classifier_hidden_size", 0), getattr(self, "classifier_window", 1)
        if head[0] < 0 or head[1] not in range(1, 100, 2):
            raise ValueError(f"`classifier_hidden_size` must be 0 or more, `classifier_window` odd, got {head}.")
        if self.hidden_size % 2:
            raise ValueError(f"`hidden_size` holds two directions and must be even, got {self.hidden_size}.")
        if any(size < 2 for size in self.ngram_sizes):
            raise ValueError(f"Every entry of `ngram_sizes` must be at least 2, got {self.ngram_sizes}.")
        if self.ngram_sizes and min(table := (self.ngram_vocab_size, self.ngram_embedding_size)) < 1:
            raise ValueError(f"`ngram_vocab_size` and `ngram_embedding_size` must be at least 1, got {table}.")

    def validate_lexicon(self: Any) -> None:
        """Check that dictionary features can be built."""
        classes = self.lexicon_classes
        if len(set(classes)) != len(classes) or len(classes) > 31:  # they are bits of one number
            raise ValueError(f"`lexicon_classes` must be at most 31 different names, got {classes}.")
        sizes = [self.lexicon_token_length, self.lexicon_embedding_size, self.lexicon_vocab_size]
        if classes and (min(sizes) < 1 or min(self.lexicon_sizes, default=0) < 0):
            raise ValueError(f"The sizes of a lexicon must be at least 1, got {sizes} and {self.lexicon_sizes}.")
        if classes and not {*self.lexicon_labels.values()} <= {*classes}:
            raise ValueError(f"`lexicon_labels` must name classes of {classes}, got {self.lexicon_labels}.")

    def validate_dropouts(self: Any) -> None:
        """Check that every dropout is a probability."""
        for name in ("token_dropout", "embedding_dropout", "hidden_dropout", "lexicon_dropout", "classifier_dropout"):
            if not 0 <= (dropout := getattr(self, name, 0)) < 1:  # not every architecture has them all
                raise ValueError(f"`{name}` must be at least 0 and below 1, got {dropout}.")
        if self.token_dropout and self.unk_token_id not in range(self.vocab_size):
            raise ValueError("`token_dropout` writes the unknown token: it needs `unk_token_id`, below `vocab_size`.")


@functools.lru_cache(maxsize=64)  # asked in every step
def are_bio(names: tuple[str, ...]) -> bool:
    """Tell whether labels are a BIO set: `O`, `B-X` and `I-X`, with a `B-X` for every `I-X`."""
    types = {name[2:] for name in names if name.startswith("B-")}
    return bool(types) and all(name == "O" or (name[:2] in ("B-", "I-") and name[2:] in types) for name in names)


@functools.lru_cache(maxsize=64)
def constraints_of(names: tuple[str, ...], *, bio: bool) -> Constraints:
    """Return the constraints on labels: in a BIO set `I-X` stands only after `B-X` and `I-X`; others have none."""
    inside = tuple(bio and name.startswith("I-") for name in names)
    return inside, tuple(
        tuple(is_inside and previous[1:] != name[1:] for name, is_inside in zip(names, inside)) for previous in names
    )


class CrfSettings(LabelSettings):
    """Methods of a configuration whose fields include `bio_constraints` and `crf_implementation`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # `pipeline("ner", model=<folder>)` chooses its class when it has read the configuration; the installed malmoi
        # waits until somebody imports `transformers.pipelines`
        if not __name__.startswith("malmoi."):
            from transformers import pipelines

            offer_own_pipelines(pipelines)

    @staticmethod
    def pipelines() -> dict[str, Any]:
        """Return the value of `custom_pipelines`: what `pipeline("token-classification")` gives for a saved model."""
        own = "pipeline_crf_token_classification.CrfTokenClassificationPipeline"
        return {"token-classification": {"impl": own, "pt": ["AutoModelForTokenClassification"]}}

    def max_tokens(self) -> int | None:
        """Return how many tokens the model reads at once, special tokens among them; `None` for any number."""
        return None

    def validate_crf(self: Any) -> None:
        """Check the CRF's settings against the label set."""
        if (asked := self.crf_implementation) not in CRF_IMPLEMENTATIONS:
            raise ValueError(f"`crf_implementation` must be one of {', '.join(CRF_IMPLEMENTATIONS)}, got {asked!r}.")
        names = self.label_names()
        # the placeholders of transformers are no labels yet: stock scripts set those late
        if names != [f"LABEL_{number}" for number in range(len(names))]:
            self.constraints()

    def outside_label_id(self: Any) -> int | None:
        """Return the id of the label `O`; `None` if there is none."""
        return next((index for index, name in enumerate(self.label_names()) if name == "O"), None)

    def constraints(self: Any) -> Constraints:
        """Return which tags start no sentence and which tag does not follow which, by the labels of this moment."""
        names = tuple(self.label_names())
        bio = are_bio(names)
        if self.bio_constraints and not bio:
            needed = "`bio_constraints=True` needs labels of the form O, B-X, I-X with a B-X for every I-X"
            raise ValueError(f"{needed}, got {list(names)}.")
        return constraints_of(names, bio=bio and self.bio_constraints is not False)


def offer_own_pipelines(pipelines: Any) -> None:
    """Make `pipeline("token-classification", ...)` and `pipeline("ner", ...)` ask the model for its own class.

    For a loaded model and under the alias, transformers takes the stock class, which cuts long texts and knows nothing
    of a CRF. The entry in its list is replaced by one that asks the model; others get what stood there before.
    """
    entry = pipelines.PIPELINE_REGISTRY.supported_tasks["token-classification"]
    before = entry["impl"]  # the path of the stock class, or a class that somebody has put there
    if hasattr(before, "asks_the_model"):  # another copy of this file has been here before
        return
    stock: Any = pipelines.TokenClassificationPipeline if isinstance(before, str) else before

    class AskingPipeline(stock):  # type: ignore[misc]  # transformers looks at attributes of the class
        asks_the_model = True

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            own = getattr(kwargs.get("model"), "own_pipeline_class", None)  # also through a wrapper as of an adapter
            return (stock if own is None else own())(*args, **kwargs)

    entry["impl"] = AskingPipeline
