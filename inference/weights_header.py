"""What the weights in a folder are, without loading them: the names and shapes of their tensors.

safetensors checks that a header describes exactly the bytes of its file; so the shapes are bounded by what is there.
"""

from pathlib import Path

from malmoi.data.json_object import read_json_object
from malmoi.data.notice import one_line, shorten
from malmoi.data.user_error import UserError

WEIGHTS = "model.safetensors"
SHARDS = "model.safetensors.index.json"
WEIGHT_FILES = (SHARDS, WEIGHTS, "model-{0}-of-{0}.safetensors".format("[0-9]" * 5))
"""Patterns of all files in which the weights of a model may lie."""
MOST_SHARDS = 10_000

Shapes = dict[str, tuple[int, ...]]
"""The shape of each tensor."""


def read_shapes(folder: Path) -> Shapes:
    """Return the shapes of the tensors in a folder, from one file or from several that an index names.

    Raises:
        UserError: If a file is missing, damaged, or named outside the folder; the message names it.
    """
    weights, index = folder / WEIGHTS, folder / SHARDS
    if weights.is_file():
        return shapes_of(weights)
    if index.is_file():
        return _shapes_of_shards(index)
    pickled = [path.name for pattern in ("*.bin", "*.pth", "*.pt") for path in sorted(folder.glob(pattern))]
    exported = [path.name for path in sorted(folder.glob("*.onnx"))]
    hint = f" {pickled[0]} may be a pickle, which is never loaded." if pickled else ""
    hint += (
        f" {exported[0]} is an exported model; for this the one is needed that it was made from." if exported else ""
    )
    raise UserError(f"{weights}: there is no such file, so the folder holds no weights.{hint}")


def _shapes_of_shards(index: Path) -> Shapes:
    content = read_json_object(index)
    named = content.get("weight_map")
    if not isinstance(named, dict) or not named or not isinstance(content.get("metadata"), dict):
        raise UserError(f"{index}: expected `metadata`, and a `weight_map` from tensors to their files.")
    files = {name: index.parent / str(name) for name in sorted({str(name) for name in named.values()})}
    for name, path in files.items():
        # a name that leads elsewhere, or to something that is no safetensors
        if Path(name).name != name or path.suffix != ".safetensors":
            raise UserError(f"{index}: expected names of safetensors in this folder, got {shorten(name)}.")
        if not path.is_file():
            raise UserError(f"{path}: there is no such file, but {SHARDS} names it.")
    if len(files) > MOST_SHARDS:
        raise UserError(f"{index}: it names {len(files):,} files, more than the {MOST_SHARDS:,} of any model.")
    found: Shapes = {}
    for path in files.values():
        found |= shapes_of(path)
    if lacking := sorted(named.keys() - found.keys()):
        raise UserError(f"{index}: the files that it names lack {shorten(lacking[0])}.")
    return found


def shapes_of(weights: Path) -> Shapes:
    """Return the shapes of the tensors in a file.

    Raises:
        UserError: If it is damaged; the message names it.
    """
    from safetensors import SafetensorError, safe_open  # an exported folder, whose names are checked too, needs none

    try:
        with safe_open(weights, framework="numpy") as tensors:
            return {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        said = one_line(error).removesuffix(".")
        raise UserError(f"{weights}: the file is damaged or cut off ({said}).") from None
