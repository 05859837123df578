"""What a training was told in the end, as a recipe of its own that trains the same."""

from typing import Any

from malmoi.training.described_settings import typed_settings
from malmoi.training.models.finished_model import FinishedModel
from malmoi.training.plan import TrainingPlan
from malmoi.training.preparation import Preparation
from malmoi.training.request import TrainingRequest


def effective_settings(request: TrainingRequest, prepared: Preparation, plan: TrainingPlan) -> dict[str, Any]:
    """Return the settings of a training as a recipe that is the user's own may have them.

    What such a recipe says is the user's word: it names the reader that has read the data, must not name what a body
    or a finished model brings, and where data are few, its number of epochs is taken as it is.
    """
    settings = {**typed_settings(request.recipe), "reader": request.arguments.reader}
    if prepared.finished is not None:
        settings = prepared.finished.settings_used(settings)
    if isinstance(prepared.finished, FinishedModel):
        settings.pop("lexicon", None)
    if "lexicon_labels" in settings:
        settings["lexicon_labels"] = dict(getattr(prepared.model.config, "lexicon_labels", None) or {})
    if "greater_is_better" in settings:  # that of a recipe is about its own figure, and a flag may name another
        settings["greater_is_better"] = request.training_arguments.greater_is_better
    return settings | plan.changed
