"""What tagger, spacer and classifier have in common: a saved model that is ready to answer."""

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from malmoi.data.user_error import UserError
from malmoi.inference.bundled_models import bundled_name
from malmoi.inference.engine import Engine
from malmoi.inference.engine_choice import TorchOptions, make_engine

if TYPE_CHECKING:  # an exported model needs none of them
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from malmoi.inference.added_words import Words
    from malmoi.inference.loading import LoadedModel
    from malmoi.inference.torch_engine import TorchEngine

Model = TypeVar("Model", bound="TextModel")


class TextModel:
    """A saved model for one task, ready to answer.

    Args:
        model: A folder, of a saved model or of one that `malmoi export` wrote, the name of a repository on the Hub, or
            `bundled:` and a task for a model of the package; by default the one of the package for this task.
        trust_remote_code: Whether code that comes with the model may run. Our own architectures do not need it.
        revision: Branch, tag or commit of the repository; nothing else has any.
        device: Where to run; by default a GPU if there is one.
        bf16: Whether to compute in bfloat16. A CRF stays in float32.
        words: Words that the model is to know from its lexicon, by label or by class of the lexicon:
            `{"PS": ["가나다", ...]}`, or a file with a word, a tab and its label or class in each line. Nothing is
            trained, and the saved model stays as it is. What it can never find is told in a warning.
        engine: What computes: `torch`, or `onnx` for an exported model, which takes none of the options `device`,
            `bf16` and `words`; by default what suits the folder, PyTorch if it has weights of both kinds or is on the
            Hub.

    Raises:
        UserError: If the model cannot be loaded, or is one for another task, or cannot take the words, or the device
            is not there; the message names the file, the line, the word or the device.
    """

    task: str

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        trust_remote_code: bool = False,
        revision: str | None = None,
        device: "str | torch.device | None" = None,
        bf16: bool = False,
        words: "Words | None" = None,
        engine: str | None = None,
    ):
        model = bundled_name(self.task) if model is None else model
        options = TorchOptions(trust_remote_code, revision, device, bf16, words)
        self._use(make_engine(model, self.task, engine, options))

    @classmethod
    def of_loaded(cls: type[Model], loaded: "LoadedModel") -> Model:
        """Return what answers with a model for this task that is loaded already, on the device where it is."""
        from malmoi.inference.torch_engine import TorchEngine

        made = cls.__new__(cls)
        made._use(TorchEngine(loaded))
        return made

    def _use(self, engine: Engine) -> None:
        """Take an engine, and read from its labels what answering needs to know."""
        self.engine = engine
        self.labels = engine.labels
        """The label of each id."""
        self._understand_labels()

    def _understand_labels(self) -> None:
        """Read what a task needs to know of the labels beside their names."""

    @property
    def model(self) -> "PreTrainedModel":
        """The model of transformers."""
        return self._torch_engine().model

    @property
    def tokenizer(self) -> "PreTrainedTokenizerBase":
        """Its tokenizer."""
        return self._torch_engine().tokenizer

    @property
    def on_torch(self) -> bool:
        """Whether PyTorch computes, and not ONNX Runtime."""
        from malmoi.inference.onnx_engine import OnnxEngine

        return not isinstance(self.engine, OnnxEngine)

    @property
    def max_length(self) -> int | None:
        """How many tokens the model reads at once; `None` if there is no limit."""
        return self.engine.max_length

    def _torch_engine(self) -> "TorchEngine":
        """Return the engine if it is one of PyTorch."""
        if not self.on_torch:
            raise UserError("An exported model has no model of transformers; load the folder that it was made from.")
        return self.engine  # type: ignore[return-value]
