"""From data to figures in Python: `malmoi.read_data`, `malmoi.train`, `malmoi.tune` and `malmoi.evaluate`.

Nothing heavy is imported before the settings are understood, so that a misspelt one is answered at once.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from malmoi.data.user_error import UserError
from malmoi.recipes.overrides import with_settings
from malmoi.recipes.recipe import Recipe, RecipeError, load_recipe
from malmoi.recipes.search_space import written_space
from malmoi.training.search.requirement import require_optuna

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

FileName: TypeAlias = str | os.PathLike[str]
Row: TypeAlias = Mapping[str, Any] | str
"""A dictionary with a text and its labels, or a text alone."""
Data: TypeAlias = "FileName | Dataset | Iterable[Row] | Mapping[str, Dataset] | Mapping[str, Iterable[Row]]"
"""A dataset by its name or path, or in Python: one of `datasets`, or rows; or one for each split."""


def read_data(
    source: Data,
    /,
    *,
    reader: str | None = None,
    task: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    tag_column: int | None = None,
    token_separator: str | None = None,
    annotator: str | None = None,
    trim_josa: bool = False,
) -> "DatasetDict":
    """Read data of any form, as `malmoi data` does, for a look or for `train`; no split is cut from another.

        data = malmoi.read_data("my-corpus")
        data = malmoi.read_data([{"text": "손흥민은 왔다.", "entities": [[0, 3, "PS"]]}])
        data["train"][0]["entities"]    # [{"start": 0, "end": 3, "label": "PS"}]

    Args:
        source: A folder or file; what a dataset on the Hub is called; a `Dataset` or `DatasetDict`; or rows: a list of
            dictionaries, or a dictionary with a list for each split. A row has a `text` and `entities` (each
            `[start, end, type]`, or a dictionary with `start`, `end` and `label`) or a `label`; or `tokens` and
            `ner_tags`; or a text alone, which is one to be spaced.
        reader: The form of a folder or file, as `--reader` names it; by default it is recognised, and said.
        task: What the data are for, where they leave that open: `named-entities`, `sentence-classification` or
            `word-spacing`.
        text_column: The column with the texts, or the tokens, if its name does not tell.
        label_column: The column with the labels, tags or spans.
        tag_column: Which column of a CoNLL file is the tag, counted from 1.
        token_separator: What stands between tokens, such as `" "` or `""`.
        annotator: Whose labels are read, of several in a file of Label Studio.
        trim_josa: Whether names lose what looks like a josa at their end.

    Returns:
        The splits. Their rows have an `id`, a `text`, and `entities` or a `label`.

    Raises:
        UserError: If the data cannot be read: it names the file and line, or the row, and what was expected.
    """
    from malmoi.data.readers.reading_options import ReadingOptions
    from malmoi.data.text_rows import as_text_rows
    from malmoi.training.read_data import data_of, folder_of

    data_dir = folder_of(source, reader=reader)
    options = ReadingOptions(
        dataset=_listed(source) if data_dir is None else None,
        text_column=text_column,
        label_column=label_column,
        tag_column=tag_column,
        token_separator=token_separator,
        annotator=annotator,
    )
    read = data_of(data_dir, reader=reader, task=task, options=options, trim_josa=trim_josa)
    return as_text_rows(read.splits)


def train(
    recipe: str | os.PathLike[str] | Recipe | None = None,
    /,
    *,
    data_dir: FileName | None = None,
    dataset: "Data | None" = None,
    output_dir: FileName | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Train a model by a recipe, as `malmoi train` does, and return its report.

        report = malmoi.train("klue-ner-bi-lstm-crf", data_dir="klue-ner", learning_rate=1e-3)
        report["figures"]["entity_f1"]
        report = malmoi.train(dataset=[{"text": "손흥민은 왔다.", "entities": [[0, 3, "PS"]]}, ...])

    Model, tokenizer, code, `report.json` and plots are in `output_dir` afterwards. Progress goes to standard error.

    Args:
        recipe: Name of a recipe of the package, path of a YAML file, or what `load_recipe` returned; without one, it
            is chosen by the data and the machine, and said.
        data_dir: Folder with the data; by default what the recipe says.
        dataset: Instead of `data_dir` data in Python, as `read_data` takes and returns them: a list of dictionaries or
            a `datasets.Dataset`, of which validation and test sentences are cut, or one for each split; or what a
            dataset on the Hub is called, or its folder or file. Columns are found by what they hold, or named by
            `text_column` and `label_column`.
        output_dir: Folder of the run; by default what the recipe says, or else `runs/<name of the recipe>`; without a
            recipe `runs/<name of the data>`.
        settings: Every other key of a recipe (`malmoi keys` lists them) that is to have another value than there.

    Returns:
        What `report.json` holds: settings, data, figures with their definitions, epochs, costs.

    Raises:
        UserError: If there is no such recipe, a setting is unknown or wrong, the data cannot be read, or the folder
            holds a run already.
    """
    named = {"data_dir": data_dir, "dataset": _listed(dataset), "output_dir": output_dir}
    understood = _understood(recipe, named, settings)
    from malmoi.training.train import run

    return run(understood)


def tune(
    recipe: str | os.PathLike[str] | Recipe | None = None,
    /,
    *,
    trials: int = 20,
    prune: bool = False,
    data_dir: FileName | None = None,
    dataset: "Data | None" = None,
    output_dir: FileName | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Search the best values for some keys of a recipe, as `malmoi tune` does, and return its trials.

        found = malmoi.tune("demo", trials=10, search_space={"hidden_dropout": {"low": 0.2, "high": 0.6}})
        found["best"]["parameters"]

    The study, `trials.json`, a plot, and `best.yaml`, a recipe for `train`, are in `output_dir` afterwards.

    Args:
        recipe: Name of a recipe of the package, path of a YAML file, or what `load_recipe` returned; without one, it
            is chosen by the data and the machine, and said.
        trials: How many trials there are in all, with those of a search that is gone on with.
        prune: Whether a trial ends early that is worse at an epoch than half of the others were.
        data_dir: Folder with the data; by default what the recipe says.
        dataset: Instead of `data_dir` data in Python, or a dataset by its name or path, as `train` takes them.
        output_dir: Folder of the search; by default `runs/<name of the recipe>-tune`; without a recipe
            `runs/<name of the data>-tune`.
        settings: Every other key of a recipe, among them `search_space`, what is tried; without it the learning rate,
            the size of batches and what else the architecture learns by. `resume_from_checkpoint=True` goes on with
            a search.

    Returns:
        What `trials.json` holds: every trial with its parameters and its value on validation data, and the best.

    Raises:
        UserError: If optuna is missing, something in recipe or settings is wrong, or the folder holds a search.
    """
    named = {"data_dir": data_dir, "dataset": _listed(dataset), "output_dir": output_dir}
    options = ["--trials", str(trials), *(["--prune"] if prune else [])]
    understood = _understood(recipe, named, settings, command="tune", options=options)
    written_space(understood)
    require_optuna()
    from malmoi.training.search.request import read_search
    from malmoi.training.search.search import run_search

    return run_search(read_search(understood, trials=trials, prune=prune))


def evaluate(
    model: FileName | None = None,
    /,
    *,
    data_dir: FileName | None = None,
    dataset: "Data | None" = None,
    split: str | None = None,
    task: str | None = None,
    reader: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    tag_column: int | None = None,
    token_separator: str | None = None,
    annotator: str | None = None,
    trim_josa: bool | None = None,
    division_seed: int | None = None,
    batch_size: int = 64,
    errors: FileName | None = None,
    predictions: FileName | None = None,
    against: FileName | None = None,
    trust_remote_code: bool = False,
) -> dict[str, Any]:
    """Measure a saved model, as `malmoi evaluate` does, and return its figures.

        report = malmoi.evaluate("runs/mine", data_dir="my-corpus", errors="errors.html")
        report["figures"]["entity_f1"]
        report = malmoi.evaluate("runs/mine", dataset={"test": rows})

    Args:
        model: Folder of a model, or its name on the Hub; without one, that of the package for the task of the data.
        data_dir: Folder with the data; it, or `dataset`, may be left out only for what the model was trained on and
            a recipe has by itself.
        dataset: Instead of `data_dir` data in Python, or a dataset by its name or path, as `train` takes them.
        split: Which part of the data; by default `validation`, or the only one that there is. If the data have none,
            it is the one that training cut from them.
        task: Without a model, which of those of the package, where the data leave that open.
        reader: The form of a folder or file; by default that of the training, if the files are in it.
        text_column: The column with the texts, or the tokens; all that is said of the data is by default what the
            training was told.
        label_column: The column with the labels, tags or spans.
        tag_column: Which column of a CoNLL file is the tag, counted from 1.
        token_separator: What stands between tokens.
        annotator: Whose labels are read, of several in a file of Label Studio.
        trim_josa: Whether names lose what looks like a josa at their end.
        division_seed: The seed by which splits are cut that the data lack.
        batch_size: How many texts are answered at once.
        errors: Where to write a page with every text that has a mistake, if anywhere.
        predictions: Where to write each text with its labels and the answer, as JSON lines.
        against: Another model, to be compared on the same data.
        trust_remote_code: Whether code that comes with a model may run.

    Returns:
        What `malmoi evaluate --json` prints: model, data, figures with their definitions and intervals; how many texts
        have a mistake, and the comparison, where these were asked for.

    Raises:
        UserError: If model or data cannot be read or do not fit together, or a file cannot be written.
    """
    from malmoi.data.readers.reading_options import ReadingOptions
    from malmoi.training.evaluate import evaluate_saved_model, model_to_measure

    options = ReadingOptions(
        dataset=_listed(dataset),
        text_column=text_column,
        label_column=label_column,
        tag_column=tag_column,
        token_separator=token_separator,
        annotator=annotator,
    )
    folder = None if data_dir is None else Path(data_dir)
    for name, given in (("model", model), ("against", against)):
        if given is not None and not isinstance(given, (str, os.PathLike)):
            raise UserError(f"`{name}` must be the folder or name of a model, got {type(given).__name__}.")
    named = None if model is None else os.fspath(model)
    return evaluate_saved_model(
        model_to_measure(named, task=task, reader=reader, data_dir=folder, options=options),
        data_dir=folder,
        reader=reader,
        options=options,
        division_seed=division_seed,
        trim_josa=trim_josa,
        split=split,
        batch_size=batch_size,
        trust_remote_code=trust_remote_code,
        errors=None if errors is None else Path(errors),
        predictions=None if predictions is None else Path(predictions),
        against=None if against is None else os.fspath(against),
    )


def _understood(
    recipe: FileName | Recipe | None,
    named: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    command: str = "train",
    options: Sequence[str] = (),
) -> Recipe:
    """Return a recipe, or that which the data choose for a command, with what is named and the settings."""
    given = {**{name: value for name, value in named.items() if value is not None}, **settings}
    if recipe is None:
        from malmoi.training.chosen_recipe import recipe_for_data

        return recipe_for_data(given, command=command, options=options)
    if not isinstance(recipe, (str, os.PathLike, Recipe)):
        raise RecipeError(
            f"Expected the name or path of a recipe, got {type(recipe).__name__}; data are given by `data_dir` or "
            "`dataset`."
        )
    return with_settings(recipe if isinstance(recipe, Recipe) else load_recipe(os.fspath(recipe)), given)


def _listed(dataset: Any) -> Any:
    """Return a dataset with rows that can be read more than once."""
    if isinstance(dataset, Iterator):
        return list(dataset)
    if isinstance(dataset, Mapping) and any(isinstance(rows, Iterator) for rows in dataset.values()):
        return {name: list(rows) if isinstance(rows, Iterator) else rows for name, rows in dataset.items()}
    return dataset


__all__ = ["evaluate", "read_data", "train", "tune"]
