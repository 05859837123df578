"""Find what a model was trained for, whatever it is going to run on."""

from pathlib import Path

from malmoi.inference.bundled_models import check_revision, model_place
from malmoi.inference.engine_choice import ONNX, suitable_engine
from malmoi.inference.exported_folder import read_exported_folder


def find_task(model: str | Path, *, trust_remote_code: bool = False, revision: str | None = None) -> str:
    """Return the task of a model, exported or not, without loading its weights.

    Args:
        model: A folder, the name of a repository on the Hub, or that of a model of the package.
        trust_remote_code: Whether code that comes with the model may run. Our own architectures do not need it.
        revision: Branch, tag or commit of the repository.

    Raises:
        UserError: If there is no such model or if it has no task that we know; the message names the file.
    """
    check_revision(model, revision)
    place = model_place(model)
    if suitable_engine(place) == ONNX:
        return read_exported_folder(Path(place), None).task
    from malmoi.inference.loading import read_task

    return read_task(model, trust_remote_code=trust_remote_code, revision=revision)
