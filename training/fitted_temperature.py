"""A temperature of probabilities that was fitted on held-out texts, and how it is written into a model's folder."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from datasets import Dataset

from malmoi.data.json_object import read_json_object
from malmoi.data.user_error import UserError
from malmoi.data.whole_output import write_whole
from malmoi.inference.engine import CLASS_TEMPERATURE, NAME_TEMPERATURE
from malmoi.metrics.calibration import ERROR, NAMES, TEXTS, Reliability

FEWEST = 50
"""How many names, or texts, each half of the data must have."""
KEYS = {NAMES: NAME_TEMPERATURE, TEXTS: CLASS_TEMPERATURE}
"""The key in the config, by what is answered."""


class FittedTemperature(NamedTuple):
    """A temperature, and what it does for texts that it was not fitted on.

    Args:
        temperature: The temperature.
        fitted_on: How many names, or texts, it was fitted on.
        before: How true probabilities were for the other texts.
        after: How true they are with it.
    """

    temperature: float
    fitted_on: int
    before: Reliability
    after: Reliability

    @property
    def key(self) -> str:
        """The key in the config."""
        return KEYS[self.before.unit]

    def helps(self) -> bool:
        """Tell whether probabilities of the other texts are truer with it."""
        return self.after.error() < self.before.error()

    def report(self) -> dict[str, Any]:
        """Return what a report says of it."""
        return {
            self.key: self.temperature,
            f"fitted_on_{self.before.unit}": self.fitted_on,
            "kept": self.helps(),
            f"measured_on_{self.before.unit}": sum(self.before.counts),
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
    """Return every other text, on which a temperature is fitted, and the rest, on which it is measured."""
    return dataset.select(range(0, dataset.num_rows, 2)), dataset.select(range(1, dataset.num_rows, 2))


def write_temperature(config: Path, fitted: FittedTemperature) -> None:
    """Write the temperature into a config, whole or not at all."""
    settings = {**read_json_object(config), fitted.key: fitted.temperature}
    with write_whole(config) as file:
        file.write(json.dumps(settings, ensure_ascii=False, indent=2) + "\n")


def temperature_sentence(report: dict[str, Any], model: str) -> str:
    """Return what was done with a fitted temperature."""
    [(unit, key)] = [(unit, key) for unit, key in KEYS.items() if key in report]
    before, after = (100 * report[f"{ERROR}_{when}"] for when in ("before", "after"))
    measured = (
        f"for the {report[f'measured_on_{unit}']:,} {unit} of the other half, {ERROR} goes from {before:.1f} to "
        f"{after:.1f} %"
    )
    fitted = f"Temperature {report[key]:g} was fitted on {report[f'fitted_on_{unit}']:,} {unit}; {measured}"
    if report["kept"]:
        return f"{fitted}. It is written into {Path(model) / 'config.json'} as `{key}`."
    return f"{fitted}. It does not help there, so {Path(model) / 'config.json'} stays as it is."
