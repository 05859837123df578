"""Fit the temperature of the probabilities of classes."""

from datasets import Dataset

from malmoi.data.user_error import UserError
from malmoi.inference.loading import LoadedModel
from malmoi.metrics.calibration import best_temperature, log_loss
from malmoi.reports.class_reliability import AnsweredTexts
from malmoi.training.fitted_temperature import FEWEST, FittedTemperature, halves


def fit_temperature(loaded: LoadedModel, dataset: Dataset, *, batch_size: int) -> FittedTemperature:
    """Fit a temperature on every other text, by the log-loss of the right class; measure it on the rest.

    Args:
        loaded: A classifier, in evaluation mode.
        dataset: Classified texts that it was not trained on.
        batch_size: How many are answered at once.

    Raises:
        UserError: If either half has too few texts.
    """
    parts = halves(dataset)
    if min(part.num_rows for part in parts) < FEWEST:
        raise UserError(
            f"--fit_temperature needs at least {FEWEST} texts in each half of the data, but there are only "
            f"{min(part.num_rows for part in parts)}."
        )
    fitted, measured = (AnsweredTexts(loaded, part, batch_size=batch_size) for part in parts)

    def loss(temperature: float) -> float:
        return sum(log_loss(probability, True) for probability in fitted.of_right_classes(temperature))

    temperature = round(best_temperature(loss), 3)
    before, after = (measured.reliability(each) for each in (fitted.temperature, temperature))
    return FittedTemperature(temperature, parts[0].num_rows, before, after)
