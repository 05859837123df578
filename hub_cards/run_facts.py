"""The facts that a card states. Every number comes from a report or is measured on the files that are published."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from transformers import TrainingArguments

from malmoi.configuration.configuration_bilstm import BiLstmConfig
from malmoi.configuration.configuration_bilstm_crf import BiLstmCrfConfig
from malmoi.configuration.configuration_encoder_crf import EncoderCrfConfig
from malmoi.data.json_object import read_json_object
from malmoi.data.user_error import UserError
from malmoi.hub_cards.space.example_texts import example_texts
from malmoi.hub_cards.space.label_names import types_of
from malmoi.inference.bundled_models import BUNDLED, bundled_name
from malmoi.inference.loading import LANGUAGE_MODEL
from malmoi.metrics.language_model import NO_SHARES
from malmoi.modeling.name_edges import UNLIMITED
from malmoi.models import BODY
from malmoi.recipes.arguments import ARGUMENTS
from malmoi.reports.comparison import comparable_groups, first_difference, read_runs
from malmoi.reports.report import is_measured

NEEDED = ("settings", "tokenizer", "figures", "breakdown", "losses", "seconds_total", "environment")
"""What a card takes from a report beside what a comparison takes."""
# how a training is logged and saved is no hyper-parameter, and the seeds stand beside the figures
NOT_HYPERPARAMETERS = (
    *("task", "reader", "seed", "eval_strategy", "eval_steps", "save_strategy", "save_steps", "save_total_limit"),
    *("logging_strategy", "logging_steps", "disable_tqdm", "report_to", "greater_is_better"),
)


class Figure(NamedTuple):
    """A figure over runs with different seeds: in % if it is a share, otherwise as it is."""

    mean: float
    values: list[float]

    @property
    def spread(self) -> str:
        """Return the value of each run, or nothing if there is only one."""
        return "" if len(self.values) == 1 else f" ({', '.join(f'{value:.2f}' for value in self.values)})"


def percent_of(name: str) -> int:
    """Return what a figure of a report is multiplied by in a card: a share is written in %, all else as it is."""
    return 1 if name in NO_SHARES else 100


class RunFacts(NamedTuple):
    """A finished run, with the runs of the same recipe and other seeds."""

    folder: Path
    report: dict[str, Any]
    repetitions: list[dict[str, Any]]
    config: dict[str, Any]

    @property
    def reports(self) -> list[dict[str, Any]]:
        """Return all reports, that of the published run first."""
        return [self.report, *self.repetitions]

    @property
    def task(self) -> str:
        """Return the name of the task."""
        return str(self.report["task"])

    @property
    def labels(self) -> list[str]:
        """Return the labels in the order of their ids; a body has none."""
        return [label for _, label in sorted(self.config.get("id2label", {}).items(), key=lambda item: int(item[0]))]

    @property
    def types(self) -> list[str]:
        """Return the types of names, the tags of spacing or the classes."""
        return self.labels if self.task == "sentence-classification" else types_of(self.labels)

    @property
    def examples(self) -> list[str]:
        """Return texts to try the model on, from its validation data if the report has some."""
        return example_texts(self.task, self.labels, self.report)

    @property
    def parts(self) -> dict[str, str]:
        """Return where the report keeps the figures of each split that was measured."""
        parts = {self.report["data"]["split"]: "figures", "test": "test_figures"}
        return {split: part for split, part in parts.items() if part in self.report}

    @property
    def needs_remote_code(self) -> bool:
        """Tell whether the architecture is ours, so that its code travels with it."""
        return "auto_map" in self.config

    @property
    def base_model(self) -> str | None:
        """Return the model on the Hub that the run began from, if it is one from there.

        The report holds no path, only a name.
        """
        name = self._beginning
        return name if name.count("/") == 1 and not name.startswith((".", "/", "~")) else None

    @property
    def other_base(self) -> str | None:
        """Return in words what model the run began from, if it is none on the Hub: it has no address."""
        name = self._beginning
        if not name or self.base_model:
            return None
        if name == bundled_name(BODY):
            return f"the language model of malmoi, `{name}`"
        if name.startswith(BUNDLED):
            return f"the model of malmoi for {name.removeprefix(BUNDLED)}, `{name}`"
        of_task = self.report.get("trained_on_from", {}).get("task", self.task)
        kind = "language model" if of_task == LANGUAGE_MODEL else "model"
        return f"the {kind} `{Path(name).name}`"

    @property
    def _beginning(self) -> str:
        """Return the name of the model that the run began from; nothing if it began from none."""
        described = self.report.get("trained_on_from", {}).get("model")
        return str(described or self.report["settings"].get("model_name_or_path") or "")

    def figure(self, name: str, *, part: str = "figures") -> Figure:
        """Return a figure of all runs: of the validation set, or of the test set with `part="test_figures"`."""
        values = [percent_of(name) * report[part][name] for report in self.reports]
        return Figure(mean(values), values)

    def is_measured(self, name: str, *, part: str = "figures") -> bool:
        """Tell whether the data had anything that a figure measures: of unseen names there may be none."""
        return is_measured(self.report, name, part=part)

    @property
    def definitions(self) -> dict[str, str]:
        """Return the definitions of the figures that were measured on any split."""
        return {
            name: text
            for name, text in self.report["definitions"].items()
            if any(self.is_measured(name, part=part) for part in self.parts.values())
        }

    def breakdown(self) -> list[tuple[str, Figure, Figure, Figure]]:
        """Return precision, recall and F1 of each type, tag or class.

        A type that the data lack has figures only where a model has found it by mistake, and not every seed does.
        """
        names = [
            name.removeprefix("f1/")
            for name in self.report["figures"]
            if name.startswith("f1/") and all(name in report["figures"] for report in self.repetitions)
        ]
        return [
            (
                name,
                self.figure(f"precision/{name}"),
                self.figure(f"recall/{name}"),
                self.figure(f"f1/{name}"),
            )
            for name in names
        ]

    def hyperparameters(self) -> dict[str, Any]:
        """Return what the recipe sets to another value than the default of its key."""
        defaults = default_settings(self.task, str(self.report["model_type"]))
        return {
            key: value
            for key, value in self.report["settings"].items()
            if key not in NOT_HYPERPARAMETERS and (key not in defaults or defaults[key] != value)
        }

    @property
    def max_length(self) -> int | None:
        """Return how many tokens the model takes at once; `None` if there is no limit."""
        settings = read_json_object(self.folder / "tokenizer_config.json")
        longest = settings.get("model_max_length")
        return None if longest is None or longest >= UNLIMITED else int(longest)

    @property
    def weights_bytes(self) -> int:
        """Return the size of the weights on disk."""
        return sum(path.stat().st_size for path in self.folder.glob("*.safetensors"))


def read_facts(run: Path, other_seeds: Sequence[Path] = ()) -> RunFacts:
    """Read a finished run and its repetitions.

    Raises:
        UserError: If a folder is no finished run, or a repetition differs in more than its seed.
    """
    runs = read_runs([run, *other_seeds])
    for folder, read in zip([run, *other_seeds], runs):
        if missing := [key for key in NEEDED if key not in read.report]:
            raise UserError(f"{folder}/report.json: it lacks {', '.join(missing)}; train the run anew.")
    if len(groups := comparable_groups(runs)) > 1:
        raise UserError(f"{first_difference(groups)} Runs of other seeds must be on the same data.")
    first = runs[0].report
    for folder, repeated in zip(other_seeds, runs[1:]):
        _check_repetition(folder, first, repeated.report)
    seeds = [read.report["seed"] for read in runs]
    if len(set(seeds)) < len(seeds):
        raise UserError(f"Runs of other seeds must have other seeds, got {', '.join(map(str, seeds))}.")
    config = read_json_object(run / "config.json")
    return RunFacts(run, first, [read.report for read in runs[1:]], config)


def _check_repetition(folder: Path, first: dict[str, Any], repeated: dict[str, Any]) -> None:
    """Check that a run repeats another with nothing but another seed."""
    one, other = ({k: v for k, v in report["settings"].items() if k != "seed"} for report in (first, repeated))
    for key in sorted({*one, *other}):
        if one.get(key) != other.get(key):
            raise UserError(
                f"{folder}: expected the same recipe with another seed, but {key} is {other.get(key)!r} "
                f"and not {one.get(key)!r}."
            )
    if lacking := first["definitions"].keys() - repeated["definitions"].keys():
        raise UserError(f"{folder}: it lacks the figures {', '.join(sorted(lacking))}; train the run anew.")
    if ("test_figures" in first) != ("test_figures" in repeated):
        raise UserError(f"{folder}: expected figures of the same splits, but only one of the runs has a test set.")


def default_settings(task: str, model_type: str) -> dict[str, Any]:
    """Return the default of every key of a recipe that has one."""
    configurations = (BiLstmConfig, BiLstmCrfConfig, EncoderCrfConfig)
    classes: list[Any] = [ARGUMENTS[task], TrainingArguments]
    classes += [configuration for configuration in configurations if configuration.model_type == model_type]
    defaults: dict[str, Any] = {}
    for declared in classes:
        for field in dataclasses.fields(declared):
            if field.default is not dataclasses.MISSING:
                # an enum is written by its value
                defaults[field.name] = getattr(field.default, "value", field.default)
            elif field.default_factory is not dataclasses.MISSING:
                defaults[field.name] = field.default_factory()
    return defaults
