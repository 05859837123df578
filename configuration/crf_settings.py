"""What the configuration of every tagger with a CRF knows about its labels.

This file travels with every saved model, so it imports nothing of malmoi.
"""

from typing import Any

CRF_IMPLEMENTATIONS = ("auto", "torch", "numba", "triton", "pytorch-crf")


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
        if self.bio_constraints and not self.labels_are_bio():
            raise ValueError(
                "`bio_constraints=True` needs labels of the form O, B-X, I-X with a B-X for every I-X, "
                f"got {self.label_names()}."
            )

    def label_names(self) -> list[str]:
        """Return the labels in the order of their ids."""
        names = self.id2label or {}
        return [str(name) for _, name in sorted(names.items())]

    def outside_label_id(self) -> int | None:
        """Return the id of the label `O`; `None` if there is none."""
        names = self.label_names()
        return names.index("O") if "O" in names else None

    def labels_are_bio(self) -> bool:
        """Tell whether the labels are a BIO set: `O`, `B-X` and `I-X`, with a `B-X` for every `I-X`."""
        names = set(self.label_names())
        return (
            any(name.startswith("B-") for name in names)
            and all(name == "O" or name[:2] in ("B-", "I-") for name in names)
            and all("B-" + name[2:] in names for name in names if name.startswith("I-"))
        )

    def forbidden_transitions(self) -> tuple[list[bool], list[list[bool]]]:
        """Return what the CRF must never do, as a pair of truth tables.

        Returns:
            Which tags may not start a sentence, `(tags,)`, and which tag may not follow which,
            `(previous tag, next tag)`. All `False` without BIO constraints.
        """
        names = self.label_names()
        constrained = self.labels_are_bio() if self.bio_constraints is None else self.bio_constraints
        is_inside = [constrained and name.startswith("I-") for name in names]
        between = [
            [inside and not (previous != "O" and previous[2:] == name[2:]) for name, inside in zip(names, is_inside)]
            for previous in names
        ]
        return is_inside, between


__all__ = ["CRF_IMPLEMENTATIONS", "CrfSettings"]
