import math

import pytest

from malmoi.metrics.language_model import DEFINITIONS, LanguageModelMetrics


def test_figures_are_means_over_all_tokens_of_all_texts() -> None:
    metrics = LanguageModelMetrics()
    metrics.update([[6.0, 1.0, 3.0], [4.0, 0.0, 2.0]])
    metrics.update([[2.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    figures = metrics.compute()
    assert figures == pytest.approx(
        {
            "accuracy": 2 / 6,
            "forward_loss": 2.0,
            "backward_loss": 2.0,
            "forward_perplexity": math.exp(2),
            "backward_perplexity": math.exp(2),
        }
    )
    assert list(figures) == list(DEFINITIONS)


def test_nothing_is_no_error() -> None:
    assert LanguageModelMetrics().compute()["accuracy"] == 0
