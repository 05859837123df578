"""The figures of malmoi as a metric of the `evaluate` library, for scripts that are built around it.

`evaluate.load` fetches its metrics from the Hub; this one is here and needs no network.
"""

from collections.abc import Collection, Sequence

import datasets
import evaluate

from malmoi.data.alignment import OUTSIDE
from malmoi.data.notice import list_names
from malmoi.data.tagged_dataset import bio_labels
from malmoi.metrics.named_entities import DEFINITIONS, NO_SPACES, NamedEntityMetrics
from malmoi.metrics.tokenized_sentence import TokenizedSentence


class KoreanNerMetric(evaluate.Metric):
    """Score BIO tags of characters: `add_batch(texts=..., predictions=..., references=...)`, then `compute()`.

    Texts are strings; predictions and references have one tag per character, spaces included. Without tokens there are
    no unknown ones, so the figures of KLUE-baseline show no shift. Its means are over the types that either side has.
    """

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            # predictions for texts without spaces are those for other texts
            description="\n".join(f"{name}: {text}" for name, text in DEFINITIONS.items() if name != NO_SPACES),
            citation="Park et al., 2021, KLUE: Korean Language Understanding Evaluation, arXiv:2105.09680",
            features=datasets.Features(
                {
                    "texts": datasets.Value("string"),
                    "predictions": datasets.List(datasets.Value("string")),
                    "references": datasets.List(datasets.Value("string")),
                }
            ),
        )

    def _compute(
        self,
        texts: Sequence[str],
        predictions: Sequence[Sequence[str]],
        references: Sequence[Sequence[str]],
        training_names: Collection[str] | None = None,
    ) -> dict[str, float]:
        if isinstance(training_names, str):  # which is a collection of its characters
            raise ValueError(f"Expected a list of names for `training_names`, got the text {training_names!r}.")
        found = {tag for side in (predictions, references) for tags in side for tag in tags} - {OUTSIDE}
        if other := sorted(str(tag) for tag in found if str(tag)[:2] not in ("B-", "I-") or not str(tag)[2:]):
            raise ValueError(f"Expected BIO tags, such as B-PS, I-PS and O, got {list_names(other)}.")
        types = sorted({tag[2:] for tag in found})
        metrics = NamedEntityMetrics(bio_labels(types), training_names)
        for text, predicted, gold in zip(texts, predictions, references, strict=True):
            if not len(text) == len(predicted) == len(gold):
                raise ValueError(
                    f"Expected one tag per character: {len(text)} characters, {len(predicted)} predictions, "
                    f"{len(gold)} references in {text!r}."
                )
            offsets = [(index, index + 1) for index in range(len(text))]
            metrics.update(TokenizedSentence(text, gold, offsets, [False] * len(text)), predicted, gold)
        return metrics.compute()
