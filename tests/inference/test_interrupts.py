"""Ctrl-C ends what is being answered, wherever it comes: no finalizer and no handler swallows it."""

import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest
from support.saved_models import build
from support.tiny_models import save
from transformers import PreTrainedTokenizerFast

from malmoi.inference.classifier import Classifier
from malmoi.inference.tagger import Tagger

TEXTS = ["손흥민은 춘천에서 태어났다.", "비가 와서"]


class Interrupt:
    """Interrupts work at the first call of a function from a place that is not among those of earlier interrupts."""

    def __init__(self, done: set[tuple]):
        self.done = done
        self.where: str | None = None

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """Take what `sys.setprofile` tells."""
        place = (frame.f_code, frame.f_back and (frame.f_back.f_code, frame.f_back.f_lasti))
        if event == "call" and self.where is None and place not in self.done:
            self.done.add(place)
            self.where = f"{frame.f_code.co_name} in {frame.f_code.co_filename}"
            sys.setprofile(None)
            raise KeyboardInterrupt


def interrupted_everywhere(work: Callable[[], object]) -> tuple[int, list[str]]:
    """Interrupt work at one place after the other.

    Returns:
        How many interrupts there were, and where those came that did not end the work.
    """
    work()  # what is imported at first has finalizers of Python's own
    done: set[tuple] = set()
    swallowed: list[str] = []
    while True:
        interrupt = Interrupt(done)
        sys.setprofile(interrupt)
        try:
            work()
        except KeyboardInterrupt:
            continue
        finally:
            sys.setprofile(None)
        if interrupt.where is None:
            return len(done), swallowed
        swallowed.append(interrupt.where)


@pytest.fixture
def own_garbage_only() -> Iterator[None]:
    """Collections of garbage do nothing that is not of the work: Python drops what is raised while they do.

    Hypothesis counts them, and what other tests have left behind (its unfinished generators, too) may be freed by one.
    """
    callbacks = gc.callbacks[:]
    gc.callbacks.clear()
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.callbacks.extend(callbacks)


@pytest.mark.slow
@pytest.mark.usefixtures("own_garbage_only")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("architecture", ["bilstm_crf", "bilstm"])
def test_an_interrupt_ends_the_work_wherever_it_comes(
    architecture: str, tmp_path: Path, syllable_tokenizer: PreTrainedTokenizerFast
) -> None:
    folder = save(tmp_path / "saved", build(architecture, len(syllable_tokenizer)), syllable_tokenizer)
    if architecture == "bilstm":
        classifier = Classifier(str(folder))
        count, swallowed = interrupted_everywhere(lambda: list(classifier.classify(TEXTS)))
    else:
        tagger = Tagger(str(folder))
        count, swallowed = interrupted_everywhere(lambda: list(tagger.tag(TEXTS)))
    assert count > 100
    assert swallowed == []
