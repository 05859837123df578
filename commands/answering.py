"""The models that answer texts, by the options of the command line.

Nothing heavy is imported before a model is loaded: where several processes answer, this one needs none.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from malmoi.commands.engine_choice import engine_of
from malmoi.commands.start_up import lasting_imports, spare_kernels, without_progress_bars
from malmoi.data.user_error import UserError
from malmoi.inference.freed_memory import keep_freed_memory

if TYPE_CHECKING:
    from malmoi.inference.classifier import Classifier
    from malmoi.inference.spacer import Spacer
    from malmoi.inference.tagger import Tagger
    from malmoi.inference.text_model import TextModel

Loaded = TypeVar("Loaded", bound="TextModel")


class ModelOptions(NamedTuple):
    """Which model it is, and how it computes.

    Args:
        name: Its folder, or its name.
        words: A file of words that it is to know.
        batch_size: How many texts it answers at once, at most.
        bf16: Whether it computes in bfloat16.
        trust_remote_code: Whether code that comes with it may run.
        engine: What computes, if it is said.
    """

    name: str
    words: Path | None = None
    batch_size: int = 32
    bf16: bool = False
    trust_remote_code: bool = False
    engine: str | None = None

    def settings(self) -> dict[str, Any]:
        """Return what answers depend on, by the names of the flags."""
        words = None if self.words is None else str(self.words)
        return {"MODEL": self.name, "--words": words, "--bf16": self.bf16, "--engine": self.engine}


def check_words(words: Path | None, *, workers: int) -> None:
    """Check that every process can read the words.

    Raises:
        UserError: If there are several, and the words come through a pipe.
    """
    if workers > 1 and words is not None and words.is_fifo():
        raise UserError(f"--words {words}: a pipe is read once, and not by {workers} workers; make it a file first.")


def load_tagger(options: ModelOptions, texts: list[str]) -> "Tagger":
    """Return what tags.

    Args:
        options: The model.
        texts: All texts that it will read, if they are few.
    """
    with lasting_imports():
        from malmoi.inference.tagger import Tagger

    return _loaded(Tagger, options, texts)


def load_spacer(options: ModelOptions, texts: list[str]) -> "Spacer":
    """Return what restores spaces; see `load_tagger`."""
    with lasting_imports():
        from malmoi.inference.spacer import Spacer

    return _loaded(Spacer, options, texts)


def load_classifier(options: ModelOptions, texts: list[str]) -> "Classifier":
    """Return what classifies; see `load_tagger`."""
    with lasting_imports():
        from malmoi.inference.classifier import Classifier

    return _loaded(Classifier, options, texts)


def _loaded(kind: type[Loaded], options: ModelOptions, texts: list[str]) -> Loaded:
    """Return a model, ready to answer; see `load_tagger`."""
    keep_freed_memory()
    needs_torch = options.bf16 or options.words is not None
    engine = options.engine or engine_of(options.name, few_texts=bool(texts), needs_torch=needs_torch)
    with lasting_imports():
        without_progress_bars(options.name, engine)
        made = kind(
            options.name,
            trust_remote_code=options.trust_remote_code,
            bf16=options.bf16,
            words=options.words,
            engine=engine,
        )
    if texts:
        spare_kernels(made, texts)
    return made
