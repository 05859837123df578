"""Which engine answers a command: what gives the first answer soonest, with the same answers.

Torch and transformers take seconds to import, ONNX Runtime a tenth of one. So the models of the package run there,
unless something is asked for that it has not.
"""

import os
from importlib.util import find_spec

from malmoi.inference.bundled_models import BUNDLED, model_place

GPU_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg", "C:/Windows/System32/nvcuda.dll")
"""What there is where PyTorch may find a GPU."""


def engine_of(model: str, *, few_texts: bool, needs_torch: bool) -> str | None:
    """Return the engine for a model, or `None` for what `TextModel` chooses.

    Args:
        model: Its folder, or its name.
        few_texts: Whether it has little to read: files are for a GPU, where there may be one.
        needs_torch: Whether something is asked for that only PyTorch has.
    """
    if not model.startswith(BUNDLED) or needs_torch or find_spec("onnxruntime") is None:
        return None
    if not few_texts and any(map(os.path.exists, GPU_DRIVERS)):
        return None
    from malmoi.inference.engine_choice import ONNX
    from malmoi.inference.exported_folder import GRAPH

    return ONNX if os.path.isfile(os.path.join(model_place(model), GRAPH)) else None
