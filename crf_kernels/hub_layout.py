"""Lay the Triton kernels out as a repository of the Hub's `kernels` library, so that others use them without malmoi.

python -m malmoi.kernels.hub_layout FOLDER

The library (https://huggingface.co/docs/kernels) loads a folder of plain Python whose files import nothing but each
other, torch and Triton:

FOLDER/README.md                          the card
FOLDER/build/torch-cuda/__init__.py       the functions of `malmoi.kernels`, computed by Triton alone
FOLDER/build/torch-cuda/metadata.json     name, version, licence
FOLDER/build/torch-cuda/crf_triton.py     ...
"""

import argparse
import hashlib
import json
from pathlib import Path

NAME = "linear-chain-crf"
VERSION = 1
"""To be raised when what the functions take or return changes: users ask for the kernel by this number."""

HERE = Path(__file__).parent
VARIANT = Path("build", "torch-cuda")
# the name in the repository, and that of the file here
FILES = {
    "crf_answers.py": "crf_answers.py",
    "crf_backend.py": "crf_backend.py",
    "crf_choice.py": "crf_triton_choice.py",
    "crf_gold.py": "crf_gold.py",
    "crf_inputs.py": "crf_inputs.py",
    "crf_triton.py": "crf_triton.py",
    "crf_triton_kernels.py": "crf_triton_kernels.py",
    "crf_triton_max_marginals.py": "crf_triton_max_marginals.py",
    "operations.py": "operations.py",
}
INIT = '''"""A linear-chain CRF as Triton kernels: functions over padded tensors, described in `operations`."""

from .crf_choice import IMPLEMENTATIONS
from .operations import (
    BestTags,
    Expectations,
    LossAndGradients,
    expectations,
    loss_and_gradients,
    marginals,
    max_marginals,
    negative_log_likelihood,
    viterbi,
    viterbi_and_max_marginals,
)

__all__ = [
    "IMPLEMENTATIONS",
    "BestTags",
    "Expectations",
    "LossAndGradients",
    "expectations",
    "loss_and_gradients",
    "marginals",
    "max_marginals",
    "negative_log_likelihood",
    "viterbi",
    "viterbi_and_max_marginals",
]
'''


def lay_out(folder: Path) -> list[Path]:
    """Write the repository and return its files.

    Args:
        folder: A folder that is empty or not there yet.

    Raises:
        FileExistsError: If something is in the folder.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty; name a folder for the repository alone.")
    files = {"__init__.py": INIT} | {name: (HERE / source).read_text("utf-8") for name, source in FILES.items()}
    digest = hashlib.sha256("\0".join(part for item in sorted(files.items()) for part in item).encode())
    metadata = {
        "name": NAME,
        # the module's name, another one for other code, as two versions may be loaded side by side
        "id": f"_{NAME.replace('-', '_')}_cuda_{digest.hexdigest()[:7]}",
        "version": VERSION,
        "license": "Apache-2.0",
        "python-depends": [],
        "backend": {"type": "cuda"},
    }
    files["metadata.json"] = json.dumps(metadata, indent=2) + "\n"
    variant = folder / VARIANT
    variant.mkdir(parents=True)
    (folder / "README.md").write_text((HERE / "hub_card.md").read_text("utf-8"), "utf-8")
    for name, text in files.items():
        (variant / name).write_text(text, "utf-8")
    return [folder / "README.md", *(variant / name for name in sorted(files))]


def main(argv: list[str] | None = None) -> None:
    """Write the repository and say what is in it."""
    parser = argparse.ArgumentParser(prog="python -m malmoi.kernels.hub_layout", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where to write; empty or not there yet")
    options = parser.parse_args(argv)
    try:
        files = lay_out(options.folder)
    except OSError as error:
        parser.error(str(error))
    print("\n".join(map(str, files)))
    print(f"To publish it, with the branch v{VERSION} that `version={VERSION}` asks for:")
    print(f"hf repos create --type kernel YOUR_NAME/{NAME}")
    print(f"hf repos branch create --type kernel YOUR_NAME/{NAME} v{VERSION}")
    print(f"hf upload --type kernel --revision v{VERSION} YOUR_NAME/{NAME} {options.folder}")


if __name__ == "__main__":
    main()
