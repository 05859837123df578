"""A fast linear-chain CRF for anybody's PyTorch: compiled by numba for the CPU, as Triton kernels for a GPU.

Functions over padded tensors, `(batch, length, tags)`, of which sentences fill the first `lengths`, `(batch,)`:

| function | returns |
|---|---|
| `negative_log_likelihood` | loss of each sentence, `(batch,)`, differentiable by all scores |
| `loss_and_gradients` | the same and its derivatives, sentence by sentence |
| `expectations` | log-partition function, probabilities of tags, expected numbers of steps |
| `marginals` | probability of every tag, `(batch, length, tags)` |
| `viterbi` | best tag sequence, `(batch, length)` |
| `max_marginals` | score of the best sequence through every tag, `(batch, length, tags)` |
| `viterbi_and_max_marginals` | both |

`implementation` says what computes; see `IMPLEMENTATIONS`. Nothing but torch is imported until it is used.

Example:
    >>> import torch
    >>> from malmoi.kernels import negative_log_likelihood, viterbi
    >>> emissions = torch.randn(2, 5, 3, requires_grad=True)  # two sentences of at most five positions, three tags
    >>> lengths = torch.tensor([5, 2])
    >>> start, transitions, end = torch.randn(3), torch.randn(3, 3), torch.randn(3)
    >>> labels = torch.randint(3, (2, 5))
    >>> negative_log_likelihood(emissions, labels, lengths, start, transitions, end).mean().backward()
    >>> viterbi(emissions, lengths, start, transitions, end).shape
    torch.Size([2, 5])
"""

from malmoi.kernels.crf_backend import CrfBackend, CrfRecursions
from malmoi.kernels.crf_choice import IMPLEMENTATIONS, choose
from malmoi.kernels.operations import (
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

INTERFACE = 1
"""The version of `choose`, of what it returns, and of `dropout.Dropout`.

A saved model uses no other than the one that it was saved with.
"""

__all__ = [
    "IMPLEMENTATIONS",
    "INTERFACE",
    "BestTags",
    "CrfBackend",
    "CrfRecursions",
    "Expectations",
    "LossAndGradients",
    "choose",
    "expectations",
    "loss_and_gradients",
    "marginals",
    "max_marginals",
    "negative_log_likelihood",
    "viterbi",
    "viterbi_and_max_marginals",
]
