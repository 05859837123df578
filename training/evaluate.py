"""A saved model measured on data: its figures, and what else is asked for, in the order in which it can go wrong."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from malmoi.data.readers import NO_OPTIONS, READERS
from malmoi.data.readers.reading_options import ReadingOptions
from malmoi.data.user_error import UserError
from malmoi.inference.answers import check_batch_size
from malmoi.inference.bundled_models import bundled_name
from malmoi.models import NAMES
from malmoi.reports.errors import TASK_ERRORS
from malmoi.reports.errors.answers import Findings
from malmoi.reports.errors.page import write_page
from malmoi.reports.errors.predictions_file import write_predictions
from malmoi.reports.errors.rows import count_errors, page_data
from malmoi.reports.errors.two_models import compare_answers
from malmoi.reports.output_file import check_output_file
from malmoi.training.class_temperature import fit_temperature as fit_class_temperature
from malmoi.training.fitted_temperature import FittedTemperature, config_to_change, write_temperature
from malmoi.training.name_temperature import fit_temperature as fit_name_temperature
from malmoi.training.reading import DATASET, recognised_reader, tasks_of
from malmoi.training.saved_model_evaluation import (
    Measurement,
    load_named,
    measure,
    prepare,
    prepare_against,
    read_measured_data,
)
from malmoi.training.tasks import TASKS
from malmoi.training.tasks.named_entities import NamedEntities
from malmoi.training.tasks.sentence_classification import SentenceClassification

FITTERS = {NamedEntities.name: fit_name_temperature, SentenceClassification.name: fit_class_temperature}
"""What fits the temperature of a model of each task; restored spaces have no probabilities."""


def model_to_measure(
    model: str | None,
    *,
    task: str | None,
    reader: str | None,
    data_dir: Path | None,
    options: ReadingOptions = NO_OPTIONS,
) -> str:
    """Return the model that is named, or that of the package for a task, for a reader, or for what data hold.

    Raises:
        UserError: If neither tells which it is, or a model is named and a task, too.
    """
    if model is not None:
        if task is not None:
            raise UserError(f"--task chooses a model of the package, but {model} is named; leave out one of them.")
        return model
    if task is None:
        if reader is None and options.dataset is not None:
            reader = DATASET
        elif reader is None and data_dir is not None:
            reader = recognised_reader(data_dir, tuple(TASKS), options=options)
        likely = tasks_of(reader, data_dir, options) if reader in READERS else ()
        tasks = [each for each in likely if each in NAMES]
        if len(tasks) != 1:
            raise UserError(f"Give a model, or --task for a model of the package: {', '.join(NAMES)}.")
        task = tasks[0]
    elif task not in NAMES:
        raise UserError(f"--task must be one of {', '.join(NAMES)}, got {task!r}.")
    return bundled_name(task)


def evaluate_saved_model(
    model: str,
    *,
    data_dir: Path | None,
    reader: str | None = None,
    options: ReadingOptions = NO_OPTIONS,
    division_seed: int | None = None,
    trim_josa: bool | None = None,
    split: str | None = None,
    batch_size: int = 64,
    trust_remote_code: bool = False,
    errors: Path | None = None,
    predictions: Path | None = None,
    against: str | None = None,
    fit_temperature: bool = False,
) -> dict[str, Any]:
    """Return the figures of a saved model on one part of the data, with all that they depend on.

    A temperature is written into the model, and pages and files where they are asked for.

    Args:
        model: The model.
        data_dir: Folder with the data.
        reader: What reads it.
        options: What else is said of it.
        division_seed: Seed by which splits are cut that it lacks; by default that of the training of the model.
        trim_josa: Whether names lose what looks like a josa; by default as in the training of the model.
        split: Which part of it; by default `validation`, or the only one that there is.
        batch_size: How many texts are answered at once.
        trust_remote_code: Whether code that comes with a model may run.
        errors: Where the page of mistakes is written, if at all.
        predictions: Where the predictions are written, if at all.
        against: Another model to measure on the same texts.
        fit_temperature: Whether a temperature of the probabilities of names, or of classes, is fitted and written into
            the model.

    Raises:
        UserError: If model or data cannot be read, do not fit together, or a file cannot be written; or if
            `batch_size` is no positive whole number.
    """
    check_batch_size(batch_size)
    batch_size = int(batch_size)  # those of numpy, too
    check_outputs(errors, predictions, data_dir, models=[model] if against is None else [model, against])
    config = config_to_change(model) if fit_temperature else None
    named = load_named(model, trust_remote_code=trust_remote_code)
    if config is not None and named.task.name not in FITTERS:
        raise UserError(
            f"--fit_temperature is for taggers of names and classifiers; {model} is a model for {named.task.name}."
        )
    data = read_measured_data(
        named,
        data_dir=data_dir,
        reader=reader,
        options=options,
        division_seed=division_seed,
        trim_josa=trim_josa,
        split=split,
    )
    measurement = prepare(named, data)
    other = None if against is None else prepare_against(against, measurement, trust_remote_code=trust_remote_code)
    fitted = None if config is None else _fit_into(config, measurement, batch_size)
    report = measure(measurement, batch_size=batch_size)
    if fitted is not None:
        report["temperature"] = fitted.report()
    if errors is None and predictions is None and other is None:
        return report
    found = _find_errors(measurement, batch_size)
    report["errors"] = count_errors(found.answers)
    others = None
    task = TASK_ERRORS[report["task"]]
    if other is not None:
        others = _find_errors(other, batch_size)
        other_report = measure(other, batch_size=batch_size)
        report["against"] = compare_answers(found.answers, others.answers, other_report, task)
    if predictions is not None:
        write_predictions(predictions, found.answers, None if others is None else others.answers)
    if errors is not None:
        write_page(errors, page_data(report, task, found, others))
    return report


def _fit_into(config: Path, measurement: Measurement, batch_size: int) -> FittedTemperature:
    """Fit a temperature, and let the model have it, loaded and saved, if it makes its probabilities truer."""
    task, loaded = measurement.model.task, measurement.model.loaded
    fitted = FITTERS[task.name](loaded, measurement.rows, batch_size=batch_size)
    if fitted.helps():
        write_temperature(config, fitted)
        setattr(loaded.model.config, fitted.key, fitted.temperature)
    return fitted


def check_outputs(
    errors: Path | None, predictions: Path | None, data_dir: Path | None, *, models: Sequence[str] = ()
) -> None:
    """Check, before anything is computed, that the files can be written that are asked for.

    Raises:
        UserError: If not, if both are one file, or if one is a file of the data or of a model.
    """
    named = {flag: path for flag, path in (("--errors", errors), ("--predictions", predictions)) if path is not None}
    for flag, path in named.items():
        check_output_file(path, flag, data_dir=data_dir, models=models)
    if len({path.resolve() for path in named.values()}) < len(named):
        raise UserError(f"--errors and --predictions both name {errors}; give each a file of its own.")


def _find_errors(measurement: Measurement, batch_size: int) -> Findings:
    """Return the answers of a model to all texts that it is measured on."""
    task = TASK_ERRORS[measurement.model.task.name]
    return task.find(measurement.model.loaded, measurement.rows, measurement.training_names(), batch_size)
