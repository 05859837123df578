"""The command that is proposed to try a model can be pasted into a shell, and asks it about a text of its task."""

import shlex
from pathlib import Path

import pytest
from support.command_line import malmoi

from malmoi.commands.example_command import EXAMPLES, example_command
from malmoi.inference.model_tasks import COMMANDS


@pytest.mark.parametrize("task", COMMANDS)
def test_it_answers_as_it_stands(task: str) -> None:
    folder = Path("runs/고객 문의 (5월)")
    program, command, place, text = shlex.split(example_command(task, folder))
    assert (program, command, place, text) == ("malmoi", COMMANDS[task], str(folder), EXAMPLES[task])
    answer, _ = malmoi(command, f"bundled:{task}", text)
    found = {
        "named-entities": ":PS>",
        "word-spacing": "아버지가 방에 들어가신다.",
        "sentence-classification": "positive",
    }
    assert found[task] in answer
