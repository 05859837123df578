"""What the configuration of every tagger with a CRF knows about its labels.

This file travels with every saved model, so it imports nothing of malmoi.
"""

import functools
from typing import Any

from .own_pipeline import offer_own_pipelines, package_waits

CRF_IMPLEMENTATIONS = ("auto", "torch", "numba", "triton", "pytorch-crf")

# which tags may not start a sentence, and which tag may not follow which
Constraints = tuple[tuple[bool, ...], tuple[tuple[bool, ...], ...]]


@functools.lru_cache(maxsize=64)  # these three are asked in every step
def in_order(labels: tuple[tuple[int | str, str], ...]) -> tuple[str, ...]:
    """Return labels in the order of their ids, which may be numbers or, as in JSON, strings."""
    return tuple(str(name) for _, name in sorted((int(number), str(name)) for number, name in labels))


@functools.lru_cache(maxsize=64)
def are_bio(names: tuple[str, ...]) -> bool:
    """Tell whether labels are a BIO set: `O`, `B-X` and `I-X`, with a `B-X` for every `I-X`."""
    known = set(names)
    return (
        any(name.startswith("B-") for name in known)
        and all(name == "O" or name[:2] in ("B-", "I-") for name in known)
        and all("B-" + name[2:] in known for name in known if name.startswith("I-"))
    )


@functools.lru_cache(maxsize=64)
def constraints_of(names: tuple[str, ...], *, bio: bool) -> Constraints:
    """Return the constraints on labels: in a BIO set `I-X` stands only after `B-X` and `I-X`; others have none."""
    inside = tuple(bio and name.startswith("I-") for name in names)
    between = tuple(
        tuple(
            is_inside and not (previous != "O" and previous[2:] == name[2:]) for name, is_inside in zip(names, inside)
        )
        for previous in names
    )
    return inside, between


class CrfSettings:
    """Methods of a configuration whose fields include `bio_constraints` and `crf_implementation`."""

    id2label: dict[int, str] | dict[str, str] | None
    bio_constraints: bool | None
    crf_implementation: str

    @staticmethod
    def pipelines() -> dict[str, Any]:
        """Return the value of `custom_pipelines`: what `pipeline("token-classification")` gives for a saved model."""
        return {
            "token-classification": {
                "impl": "pipeline_crf_token_classification.CrfTokenClassificationPipeline",
                "pt": ["AutoModelForTokenClassification"],
            }
        }

    def max_tokens(self) -> int | None:
        """Return how many tokens the model reads at once, special tokens among them; `None` for any number."""
        return None

    def validate_crf(self) -> None:
        """Check the CRF's settings against the label set."""
        if self.crf_implementation not in CRF_IMPLEMENTATIONS:
            raise ValueError(
                f"`crf_implementation` must be one of {', '.join(CRF_IMPLEMENTATIONS)}, "
                f"got {self.crf_implementation!r}."
            )
        names = self.label_names()
        # the placeholders of transformers are no labels yet: stock scripts set those late
        if names != [f"LABEL_{number}" for number in range(len(names))]:
            self.constraints()

    def label_names(self) -> list[str]:
        """Return the labels in the order of their ids."""
        return list(self._label_names())

    def _label_names(self) -> tuple[str, ...]:
        return in_order(tuple((self.id2label or {}).items()))

    def outside_label_id(self) -> int | None:
        """Return the id of the label `O`; `None` if there is none."""
        names = self._label_names()
        return names.index("O") if "O" in names else None

    def labels_are_bio(self) -> bool:
        """Tell whether the labels are a BIO set: `O`, `B-X` and `I-X`, with a `B-X` for every `I-X`."""
        return are_bio(self._label_names())

    def constraints(self) -> Constraints:
        """Return what the CRF must never do: which tags start no sentence, and which tag does not follow which.

        The labels are those of this moment: stock scripts set `id2label` when the model has long been built.

        Raises:
            ValueError: If `bio_constraints` is `True` and the labels are not a BIO set.
        """
        names = self._label_names()
        if self.bio_constraints and not are_bio(names):
            raise ValueError(
                "`bio_constraints=True` needs labels of the form O, B-X, I-X with a B-X for every I-X, "
                f"got {list(names)}."
            )
        return constraints_of(names, bio=are_bio(names) and self.bio_constraints is not False)

    def forbidden_transitions(self) -> tuple[list[bool], list[list[bool]]]:
        """Return what the CRF must never do, as a pair of truth tables.

        Returns:
            Which tags may not start a sentence, `(tags,)`, and which tag may not follow which,
            `(previous tag, next tag)`. All `False` without BIO constraints.
        """
        starts, between = self.constraints()
        return list(starts), [list(row) for row in between]


# `pipeline("ner", model=<folder>)` chooses its class after it has read the configuration, before the model is there
if not package_waits:
    from transformers import pipelines

    offer_own_pipelines(pipelines)

__all__ = ["CRF_IMPLEMENTATIONS", "CrfSettings"]
