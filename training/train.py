"""Train a model from a recipe: the one trainer path, whatever the task and the architecture.

malmoi train klue-ner-bi-lstm-crf --data_dir DIR
python -m malmoi.training.train klue-ner-bi-lstm-crf --data_dir DIR
torchrun --standalone --nproc_per_node 2 -m malmoi.training.train RECIPE --data_dir DIR
"""

import sys
import time
from typing import Any

from malmoi.data.standard_streams import write_utf8
from malmoi.data.user_error import UserError
from malmoi.recipes.recipe import Recipe, RecipeError, load_recipe
from malmoi.reports.report import print_report, report_console
from malmoi.training.final_evaluation import evaluate_splits
from malmoi.training.finished_run import save_run
from malmoi.training.plan import plan_training
from malmoi.training.preparation import prepare
from malmoi.training.processes.launcher import is_first_process, leave, say
from malmoi.training.request import look_into_folder, understand
from malmoi.training.resuming.held_folder import held_folder
from malmoi.training.run_report import make_report
from malmoi.training.steps import nothing_learned
from malmoi.training.trainer import told_if_memory_lacks, train
from malmoi.training.unheeded_settings import say_unheeded


def run(recipe: Recipe) -> dict[str, Any]:
    """Train, evaluate and save what the recipe says; return the report.

    Raises:
        UserError: If something is asked for that cannot be done.
    """
    started = time.perf_counter()
    understood = understand(recipe)
    with held_folder(understood.output_dir):
        request = look_into_folder(understood)  # what another run has left there is there to stay
        prepared = prepare(request)
        say_unheeded(request, prepared)
        plan = plan_training(request, prepared)
        if plan.finished_report is not None:
            return plan.finished_report
        with told_if_memory_lacks(request.training_arguments):
            training = train(request, prepared, plan)
            length = prepared.max_length
            figures = evaluate_splits(
                request.task, training.trainer, prepared.evaluations, prepared.tokenizer, max_length=length
            )
        report = make_report(request, prepared, plan, training, figures, started=started)
        save_run(report, request, prepared, training)
    return report


def main(argv: list[str]) -> None:
    """Run the recipe that the arguments name."""
    if not argv:
        raise RecipeError("Expected the name of a recipe.")
    recipe = load_recipe(argv[0], argv[1:])
    report = run(recipe)
    if is_first_process():
        print_report(report, report_console())
        if advice := nothing_learned(report):
            say(advice)


if __name__ == "__main__":
    write_utf8()
    try:
        main(sys.argv[1:])
    except UserError as user_error:
        leave(f"malmoi: {user_error}", 1)
    except KeyboardInterrupt:
        sys.exit(130)
