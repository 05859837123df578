"""Fit the temperature of the probabilities of names."""

from datasets import Dataset

from malmoi.data.user_error import UserError
from malmoi.inference.loading import LoadedModel
from malmoi.metrics.calibration import Reliability, best_temperature, log_loss
from malmoi.reports.name_reliability import AnsweredSentences
from malmoi.training.fitted_temperature import FEWEST, FittedTemperature, halves


def fit_temperature(loaded: LoadedModel, dataset: Dataset, *, batch_size: int) -> FittedTemperature:
    """Fit a temperature on every other sentence, by the log-loss of whether names are right; measure it on the rest.

    Args:
        loaded: A tagger, in evaluation mode.
        dataset: Tagged sentences that it was not trained on.
        batch_size: How many are answered at once.

    Raises:
        UserError: If either half has too few names.
    """
    fitted, measured = (AnsweredSentences(loaded, half, batch_size=batch_size) for half in halves(dataset))
    present = fitted.tagger.engine.name_temperature
    names = [sum(1 for _ in half.names(present)) for half in (fitted, measured)]
    if min(names) < FEWEST:
        raise UserError(
            f"--fit_temperature needs at least {FEWEST} names in each half of the texts, but the model finds "
            f"{min(names)}."
        )

    def loss(temperature: float) -> float:
        return sum(log_loss(*name) for name in fitted.names(temperature))

    temperature = round(best_temperature(loss), 3)
    reliabilities = []
    for each in (present, temperature):
        reliability = Reliability()
        for name in measured.names(each):
            reliability.add(*name)
        reliabilities.append(reliability)
    return FittedTemperature(temperature, names[0], *reliabilities)
