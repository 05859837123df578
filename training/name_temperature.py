"""Fit the temperature of the probabilities of names, and write it into a model's folder."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from datasets import Dataset

from malmoi.data.json_object import read_json_object
from malmoi.data.user_error import UserError
from malmoi.inference.engine import NAME_TEMPERATURE
from malmoi.inference.loading import LoadedModel
from malmoi.metrics.calibration import ERROR, Reliability, best_temperature, log_loss
from malmoi.reports.name_reliability import AnsweredSentences

FEWEST_NAMES = 50


class FittedTemperature(NamedTuple):
    """A temperature, and what it does for sentences that it was not fitted on.

    Args:
        temperature: The temperature.
        fitted_on: How many names it was fitted on.
        before: How true probabilities of names of the other sentences were.
        after: How true they are with it.
    """

    temperature: float
    fitted_on: int
    before: Reliability
    after: Reliability

    def helps(self) -> bool:
        """Tell whether probabilities of the other sentences are truer with it."""
        return self.after.error() < self.before.error()

    def report(self) -> dict[str, Any]:
        """Return what a report says of it."""
        return {
            NAME_TEMPERATURE: self.temperature,
            "fitted_on_names": self.fitted_on,
            "kept": self.helps(),
            "measured_on_names": sum(self.before.counts),
            f"{ERROR}_before": self.before.error(),
            f"{ERROR}_after": self.after.error(),
        }


def config_to_change(model: str) -> Path:
    """Return the config of a model in a folder, into which a temperature can be written.

    Raises:
        UserError: If the model is none of the user's own.
    """
    config = Path(model) / "config.json"
    if not config.is_file():
        raise UserError(f"--fit_temperature writes into the folder of a finished model; {model} is no such folder.")
    read_json_object(config)
    return config


def halves(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """Return every other sentence, on which a temperature is fitted, and the rest, on which it is measured."""
    return dataset.select(range(0, dataset.num_rows, 2)), dataset.select(range(1, dataset.num_rows, 2))


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
    if min(names) < FEWEST_NAMES:
        raise UserError(
            f"--fit_temperature needs at least {FEWEST_NAMES} names in each half of the texts, but the model finds "
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


def write_temperature(config: Path, temperature: float) -> None:
    """Write the temperature into a config, whole or not at all."""
    settings = {**read_json_object(config), NAME_TEMPERATURE: temperature}
    unfinished = config.with_suffix(".json.part")
    unfinished.write_text(json.dumps(settings, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(config)


def temperature_sentence(report: dict[str, Any], model: str) -> str:
    """Return what was done with a fitted temperature."""
    temperature, names = report[NAME_TEMPERATURE], report["measured_on_names"]
    before, after = (100 * report[f"{ERROR}_{when}"] for when in ("before", "after"))
    measured = f"for the {names:,} names of the other half, {ERROR} goes from {before:.1f} to {after:.1f} %"
    fitted = f"Temperature {temperature:g} was fitted on {report['fitted_on_names']:,} names; {measured}"
    if report["kept"]:
        return f"{fitted}. It is written into {Path(model) / 'config.json'} as `{NAME_TEMPERATURE}`."
    return f"{fitted}. It does not help there, so {Path(model) / 'config.json'} stays as it is."
