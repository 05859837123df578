"""Large pages of memory for large tensors, on Linux.

A table of embeddings gets a new gradient in every step of training. Where that takes 100 MB, the system hands it over
in 25,000 pages of 4 KiB, one by one. Of pages of 2 MiB there are 50.
"""

import os


def ask_for_large_pages() -> None:
    """Let PyTorch ask the system for large pages, unless the user has decided.

    To be called before the first tensor: PyTorch reads the variable once (https://github.com/pytorch/pytorch/pull/107697).
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
