"""A run that is finished: what its folder holds then, and what its checkpoints lose."""

from pathlib import Path
from typing import Any

from malmoi.data.whole_output import files_together
from malmoi.inference.exported_folder import GRAPH
from malmoi.inference.model_folder import CONFIG
from malmoi.inference.weights_header import WEIGHT_FILES
from malmoi.recipes.arguments import RecipeArguments
from malmoi.recipes.recipe import Recipe
from malmoi.reports.plots import PLOTS, plot_run
from malmoi.reports.report import REPORT_FILE, write_report
from malmoi.training.preparation import Preparation
from malmoi.training.request import TrainingRequest
from malmoi.training.resuming.checkpoints import checkpoints_in
from malmoi.training.trainer import Training

# what would speak of the model that is replaced, such as a confusion matrix of classes beside a tagger
OF_ONE_MODEL = (*WEIGHT_FILES, GRAPH, *PLOTS)
# the state of the optimizer is larger than the model
FILES_TO_GO_ON = ("optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt", "rng_state*.pth")


def save_run(report: dict[str, Any], request: TrainingRequest, prepared: Preparation, training: Training) -> None:
    """Save model, tokenizer, report and plots into the folder of the run; the first process does, the others wait."""
    trainer, folder = training.trainer, request.output_dir
    if trainer.is_world_process_zero():
        model = request.task.kept(trainer.accelerator.unwrap_model(trainer.model))
        with files_together(folder, last=(CONFIG, REPORT_FILE), stale=OF_ONE_MODEL) as unfinished:
            model.save_pretrained(unfinished)
            prepared.tokenizer.save_pretrained(unfinished)
            write_report(report, unfinished)
            plot_run(report, unfinished)
        if not keeps_optimizer(request.arguments, request.recipe):
            remove_optimizer_state(folder)
    trainer.accelerator.wait_for_everyone()


def keeps_optimizer(arguments: RecipeArguments, recipe: Recipe) -> bool:
    """Tell whether checkpoints stay as they are when the training is finished.

    Whoever asks for several of them, or keeps all, wants to go back to one.
    """
    if arguments.keep_optimizer is not None:
        return arguments.keep_optimizer
    return recipe.given("save_total_limit") is None or int(recipe.flags.get("save_total_limit", 1)) > 1


def remove_optimizer_state(folder: Path) -> None:
    """Delete from the checkpoints of a run what is needed only to go on with the training; the models stay."""
    for checkpoint in checkpoints_in(folder):
        for name in FILES_TO_GO_ON:
            for file in checkpoint.glob(name):
                file.unlink()
